//! What one event changes beside the task's own row: attempts, questions, spend. Pure.
//!
//! Told by the event and the state before it, so nothing has to be looked up in what was written before.

use std::collections::BTreeMap;

use cadre_core::{
    ids::{Name, StepId},
    payload::Hash,
    task::{AGGREGATE, Ask, Event, Failure, FailureKind, Record, Step, StepState, Task, Usage},
    time::UnixMillis,
};

use super::money::{Spender, Sums, charged, main_model};

/// One try at a step, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) step: StepId,
    pub(super) number: u32,
    pub(super) role: Name,
    pub(super) is_fallback: bool,
    pub(super) sent: (UnixMillis, u64),
    /// When and in which record it was over; `None` while it is out.
    pub(super) ended: Option<(UnixMillis, u64)>,
    pub(super) outcome: &'static str,
    pub(super) failure: Option<(&'static str, String)>,
    pub(super) usage: Usage,
}

/// What changes about a question.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum QuestionNews {
    /// A person is asked.
    Asked(Asked),
    /// Somebody agreed.
    Voted(QuestionId, Vec<String>),
    /// It is over.
    Closed {
        /// Which.
        id: QuestionId,
        /// How, as one word.
        state: &'static str,
        /// Who decided.
        by: Option<String>,
    },
}

/// Which question of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuestionId {
    pub(super) step: StepId,
    /// The record that asked.
    pub(super) rev: u64,
}

/// A question as it was asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) id: QuestionId,
    pub(super) attempt: u32,
    pub(super) role: Option<Name>,
    pub(super) ask: std::sync::Arc<Ask>,
    pub(super) hash: Hash,
    pub(super) expires: UnixMillis,
    pub(super) cost: u64,
}

/// What one record changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    /// By step and number: the last word on each.
    pub(super) attempts: Vec<Attempt>,
    pub(super) questions: Vec<QuestionNews>,
    pub(super) spend: BTreeMap<Spender, Sums>,
    /// Steps whose rows change.
    pub(super) steps: Vec<StepId>,
    /// Any step's row may have changed.
    pub(super) all_steps: bool,
    /// Rows of steps that are no more.
    pub(super) gone: Vec<StepId>,
}

impl Notes {
    /// Takes an event of `record`; `task` is the state before it.
    pub(super) fn take(&mut self, task: &Task, event: &Event, record: &Record) {
        for (spender, sums) in charged(task, event, record) {
            self.spend(spender, sums);
        }
        match event {
            Event::StepDispatched { step, attempt, role, .. } => {
                self.begin(task, step, (*attempt, role), record);
            }
            Event::StepDelayed { step, failure, usage, .. } => {
                let outcome = if failure.is_some() { "failed" } else { "stopped" };
                self.end(task, step, (outcome, failure.as_ref(), *usage), record);
            }
            Event::StepCompleted { step, usage, unsure, .. } => {
                self.end(task, step, ("completed", None, *usage), record);
                let is_expired = unsure.is_some() && record.cause.kind != "decision";
                self.close(task, step, if is_expired { "expired" } else { "granted" }, record);
            }
            Event::StepFailed { step, failure, usage } => {
                self.end(task, step, ("failed", Some(failure), *usage), record);
                let is_expired = failure.kind == FailureKind::Expired;
                self.close(task, step, if is_expired { "expired" } else { "denied" }, record);
            }
            Event::StepWaiting { step, ask, usage } => {
                self.end(task, step, ("asked", None, *usage), record);
                self.ask(task, step, (ask, *usage), record);
            }
            Event::Voted { step, by } => self.vote(task, step, by),
            Event::CallRuled { step, .. } => self.close(task, step, "ruled", record),
            Event::StepSkipped { step, .. } => {
                self.end(
                    task,
                    &StepId::single(step.clone()),
                    ("stopped", None, Usage::default()),
                    record,
                );
            }
            Event::TakenOver { step, .. } => self.steps.push(step.clone()),
            Event::Retried { freed, .. } => {
                self.all_steps = true;
                self.gone.extend(freed.iter().map(|name| StepId::single(name.clone())));
            }
            Event::Joined { stopped, .. } => {
                self.stop(task, record, |id| stopped.contains(&id.name));
            }
            Event::Ended { answer, usage, .. } | Event::Compensating { answer, usage, .. } => {
                self.finish(task, (answer.is_some(), *usage), record);
            }
            Event::Accepted { .. }
            | Event::Expanded { .. }
            | Event::CrewBegan { .. }
            | Event::HandedOff { .. }
            | Event::LoopFound { .. }
            | Event::LimitReached { .. }
            | Event::BudgetNear { .. }
            | Event::BudgetAdded { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Forked { .. }
            | Event::Refused { .. } => {}
        }
    }

    fn begin(&mut self, task: &Task, id: &StepId, (number, role): (u32, &Name), record: &Record) {
        self.steps.push(id.clone());
        let known = task.steps.get(id);
        self.attempts.push(Attempt {
            step: id.clone(),
            number,
            role: role.clone(),
            is_fallback: known.is_some_and(|step| step.degraded.is_some()),
            sent: (record.at, record.rev),
            ended: None,
            outcome: "out",
            failure: None,
            usage: Usage::default(),
        });
    }

    /// The attempt of `step` that is out is over, if one is.
    fn end(
        &mut self,
        task: &Task,
        id: &StepId,
        (outcome, failure, usage): (&'static str, Option<&Failure>, Usage),
        record: &Record,
    ) {
        self.steps.push(id.clone());
        let Some(step) = task.steps.get(id) else { return };
        let Some(attempt) = out(id, step) else { return };
        let failure = failure.map(|failure| (failure.kind.as_str(), failure.message.clone()));
        let role = step.role.as_ref().map_or(String::new(), ToString::to_string);
        let failures = u64::from(failure.is_some());
        let spender = (role, main_model(task, id, record));
        self.spend(spender, Sums { attempts: 1, failures, ..Sums::default() });
        let ended = Some((record.at, record.rev));
        self.attempts.push(Attempt { ended, outcome, failure, usage, ..attempt });
    }

    /// What is out of these steps is stopped, and what is asked about them closed.
    fn stop(&mut self, task: &Task, record: &Record, is_it: impl Fn(&StepId) -> bool) {
        self.all_steps = true;
        for (id, step) in task.steps.iter().filter(|(id, step)| is_it(id) && step.state.is_open()) {
            if out(id, step).is_some() {
                self.end(task, id, ("stopped", None, Usage::default()), record);
            }
            self.close(task, id, "closed", record);
        }
    }

    /// The end of a task is the report of its gate.
    fn finish(&mut self, task: &Task, (has_answer, usage): (bool, Usage), record: &Record) {
        let is_gate = |id: &StepId| id.name.as_str() == AGGREGATE;
        let gate = task.steps.iter().find(|(id, step)| is_gate(id) && out(id, step).is_some());
        if let Some((id, _)) = gate {
            let outcome = if has_answer { "completed" } else { "stopped" };
            self.end(task, id, (outcome, None, usage), record);
        }
        self.stop(task, record, |id| !is_gate(id));
    }

    fn ask(
        &mut self,
        task: &Task,
        id: &StepId,
        (ask, usage): (&std::sync::Arc<Ask>, Usage),
        record: &Record,
    ) {
        let step = task.steps.get(id);
        let attempt = step.map_or(0, |step| step.attempt);
        self.questions.push(QuestionNews::Asked(Asked {
            id: QuestionId { step: id.clone(), rev: record.rev },
            attempt,
            role: step.and_then(|step| step.role.clone()),
            ask: std::sync::Arc::clone(ask),
            hash: ask.hash(task.id(), id, attempt),
            expires: ask.expires.unwrap_or(task.deadline),
            cost: task.usage.plus(usage).usd_micros,
        }));
    }

    fn vote(&mut self, task: &Task, id: &StepId, by: &str) {
        let Some(step) = task.steps.get(id) else { return };
        let StepState::Waiting { votes, .. } = &step.state else { return };
        let all = votes.iter().cloned().chain([by.to_owned()]).collect();
        let id = QuestionId { step: id.clone(), rev: step.rev };
        self.questions.push(QuestionNews::Voted(id, all));
    }

    fn close(&mut self, task: &Task, id: &StepId, state: &'static str, record: &Record) {
        let Some(step) = task.steps.get(id) else { return };
        if !matches!(step.state, StepState::Waiting { .. }) {
            return;
        }
        let (kind, source) = (record.cause.kind.as_str(), record.cause.source.as_str());
        // `who#step`; a name may have a `#` in it, a step has none.
        let by = source.rsplit_once('#').map_or(source, |(by, _)| by);
        let by = (kind == "decision" && state != "closed").then(|| by.to_owned());
        let id = QuestionId { step: id.clone(), rev: step.rev };
        self.questions.push(QuestionNews::Closed { id, state, by });
    }

    fn spend(&mut self, spender: Spender, sums: Sums) {
        if sums != Sums::default() {
            let known = self.spend.entry(spender).or_default();
            *known = known.plus(sums);
        }
    }
}

/// The attempt of a step that is out; `None` when none is.
fn out(id: &StepId, step: &Step) -> Option<Attempt> {
    let StepState::Dispatched { .. } = step.state else { return None };
    Some(Attempt {
        step: id.clone(),
        number: step.attempt,
        role: step.role.clone()?,
        is_fallback: step.degraded.is_some(),
        // Nothing else changes a step that is out.
        sent: (step.changed_at, step.rev),
        ended: None,
        outcome: "out",
        failure: None,
        usage: Usage::default(),
    })
}
