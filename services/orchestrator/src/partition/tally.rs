//! Counts what a record says, once it is durable: by its writer, so once in the fleet.

use std::time::Duration;

use cadre_core::{
    ids::{Name, StepId},
    task::{AGGREGATE, Event, FailureKind, Record, Step, StepState, Task, Usage},
};
use cadre_runtime::metrics::{is_measuring, table};

use super::questions;

/// Role of a step that never had one.
const NONE: &str = "none";

/// Counts `record`, which led from `before` to `after`.
pub(super) fn tally(before: Option<&Task>, record: &Record, after: &Task) {
    if !is_measuring() {
        return;
    }
    table::RECORDS.add(&[&record.cause.kind], 1);
    table::INPUT_WAIT.measure(&[&record.cause.kind], record.cause.waited);
    let tally = Tally { before, record, after };
    record.events.iter().for_each(|event| tally.event(event));
    let bills = record.events.iter().filter_map(|event| before?.bill(event));
    for (role, usage) in bills {
        spend(role.map_or(NONE, Name::as_str), usage);
    }
    for over in questions::ended(before, record, after) {
        let kind = over.kind.as_str();
        table::APPROVALS_ENDED.add(&[kind, over.outcome], 1);
        table::APPROVAL_WAIT.measure(&[kind], record.at.since(over.since));
    }
}

/// What an attempt came to.
#[derive(Clone, Copy)]
struct Outcome<'a> {
    word: &'a str,
    usage: Usage,
}

struct Tally<'a> {
    before: Option<&'a Task>,
    record: &'a Record,
    after: &'a Task,
}

impl Tally<'_> {
    fn event(&self, event: &Event) {
        let workflow = self.after.goal.workflow.as_str();
        match event {
            Event::Accepted { .. } => table::GOALS_ACCEPTED.add(&[workflow], 1),
            Event::StepCompleted { step, unsure, degraded, usage, .. } => {
                let word = if unsure.is_some() { "unsure" } else { "completed" };
                self.attempt(step, Outcome { word, usage: *usage });
                self.completed(step, (unsure.is_some(), degraded.is_some()));
            }
            Event::StepWaiting { step, ask, usage } => {
                self.attempt(step, Outcome { word: "asked", usage: *usage });
                table::APPROVALS_ASKED.add(&[ask.kind.as_str()], 1);
            }
            Event::StepFailed { step, failure, usage } => {
                self.failed(step, failure.kind, *usage);
                table::STEPS_ENDED.add(&[self.role(step), "failed"], 1);
            }
            Event::StepDelayed { step, degraded, failure, usage, .. } => {
                self.delayed(
                    step,
                    degraded.is_some(),
                    (failure.as_ref().map(|it| it.kind), *usage),
                );
            }
            Event::LoopFound { .. } => table::LOOPS.add(&[workflow], 1),
            Event::LimitReached { is_held, .. } => {
                let then = if *is_held { "held" } else { "stopped" };
                table::BUDGETS_OVER.add(&[workflow, then], 1);
            }
            Event::BudgetNear { resource, .. } => {
                table::BUDGETS_NEAR.add(&[workflow, resource.as_str()], 1);
            }
            Event::Compensating { answer, usage, .. } => self.gate(answer.is_some(), *usage),
            Event::Ended { status, answer, usage, .. } => {
                self.gate(answer.is_some(), *usage);
                table::TASKS_ENDED.add(&[workflow, status.as_str()], 1);
                let took = self.record.at.since(self.after.accepted_at);
                table::TASK_DURATION.measure(&[workflow], took);
            }
            Event::StepDispatched { .. }
            | Event::Expanded { .. }
            | Event::CrewBegan { .. }
            | Event::HandedOff { .. }
            | Event::StepSkipped { .. }
            | Event::Voted { .. }
            | Event::CallRuled { .. }
            | Event::BudgetAdded { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Refused { .. }
            | Event::Joined { .. }
            | Event::Retried { .. }
            | Event::TakenOver { .. }
            | Event::Forked { .. } => {}
        }
    }

    fn was(&self, step: &StepId) -> Option<&Step> {
        self.before?.steps.get(step)
    }

    fn role(&self, step: &StepId) -> &str {
        let role = self.was(step).and_then(|step| step.role.as_ref());
        role.map_or(NONE, |role| role.as_str())
    }

    /// An attempt that was out is over.
    fn attempt(&self, id: &StepId, outcome: Outcome<'_>) {
        let Some(step) = self.was(id) else { return };
        if !matches!(step.state, StepState::Dispatched { .. }) {
            return;
        }
        let role = self.role(id);
        let Outcome { word, usage } = outcome;
        table::ATTEMPTS_ENDED.add(&[role, word], 1);
        let took = self.record.at.since(step.changed_at);
        table::STEP_DURATION.measure(&[role], took);
        let worked = Duration::from_millis(usage.work_ms);
        table::STEP_WAIT.measure(&[role], took.saturating_sub(worked));
    }

    fn failed(&self, id: &StepId, kind: FailureKind, usage: Usage) {
        self.attempt(id, Outcome { word: kind.as_str(), usage });
        let is_invalid = matches!(kind, FailureKind::InvalidOutput | FailureKind::Undecodable);
        let was_out = |step: &Step| matches!(step.state, StepState::Dispatched { .. });
        if is_invalid && self.was(id).is_some_and(was_out) {
            table::INVALID_OUTPUTS.add(&[self.role(id)], 1);
        }
    }

    fn delayed(&self, id: &StepId, is_degraded: bool, last: (Option<FailureKind>, Usage)) {
        let (Some(kind), usage) = last else { return };
        self.failed(id, kind, usage);
        let was_degraded = self.was(id).is_some_and(|step| step.degraded.is_some());
        if is_degraded && !was_degraded {
            table::FALLBACKS.add(&[self.role(id)], 1);
        } else {
            table::RETRIES.add(&[self.role(id), kind.as_str()], 1);
        }
    }

    fn completed(&self, id: &StepId, (is_unsure, is_degraded): (bool, bool)) {
        let was_degraded = self.was(id).is_some_and(|step| step.degraded.is_some());
        let outcome = match (is_unsure, is_degraded || was_degraded) {
            (true, _) => "unsure",
            (false, true) => "degraded",
            (false, false) => "completed",
        };
        table::STEPS_ENDED.add(&[self.role(id), outcome], 1);
    }

    /// The aggregator's attempt is over with the task, or with what comes before its end.
    fn gate(&self, has_answered: bool, usage: Usage) {
        let Ok(gate) = Name::new(AGGREGATE).map(StepId::single) else { return };
        let word = if has_answered { "completed" } else { "error" };
        self.attempt(&gate, Outcome { word, usage });
    }
}

fn spend(role: &str, usage: Usage) {
    if usage.tokens > 0 {
        table::TOKENS.add(&[role], usage.tokens);
    }
    if usage.usd_micros > 0 {
        table::COST.add(&[role], usage.usd_micros);
    }
}
