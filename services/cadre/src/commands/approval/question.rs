//! One open question of a task, and why there is none.

use cadre_core::{
    ids::StepId,
    payload::Hash,
    task::{Ask, Event, FailureKind, Record, Step, StepState, Task},
    time::UnixMillis,
};

use crate::{
    exit::{Code, Failure},
    output::text::clean,
};

/// Steps that an error names.
const NAMED_MAX: usize = 10;

/// A step that waits for a person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) task: &'a Task,
    pub(super) id: &'a StepId,
    pub(super) step: &'a Step,
    pub(super) ask: &'a Ask,
    pub(super) votes: &'a [String],
    /// What a decision about it must name.
    pub(super) hash: Hash,
}

impl Question<'_> {
    /// When it expires: by itself, or with its task.
    pub(super) fn expires(&self) -> UnixMillis {
        self.ask.expires.unwrap_or(self.task.deadline).min(self.task.deadline)
    }
}

/// The open questions of a task, in the order of its steps.
pub(super) fn all(task: &Task) -> Vec<Question<'_>> {
    task.steps.iter().filter_map(|(id, step)| of(task, id, step)).collect()
}

fn of<'a>(task: &'a Task, id: &'a StepId, step: &'a Step) -> Option<Question<'a>> {
    let StepState::Waiting { ask, votes } = &step.state else { return None };
    let hash = ask.hash(task.id(), id, step.attempt);
    Some(Question { task, id, step, ask, votes, hash })
}

/// The question that is meant: of `step`, or the only one.
///
/// # Errors
/// [`Code::Refused`] when it was decided already or has expired, [`Code::NotFound`] when nothing is
/// asked, [`Code::Usage`] when several things are.
pub(super) fn choose<'a>(
    task: &'a Task,
    records: &[Record],
    step: Option<&StepId>,
) -> Result<Question<'a>, Failure> {
    let id = task.id();
    if let Some(step) = step {
        let known = task.steps.get_key_value(step);
        if let Some(found) = known.and_then(|(id, step)| of(task, id, step)) {
            return Ok(found);
        }
        if let Some(why) = decided(records, step) {
            return Err(Failure::new(Code::Refused, why));
        }
    }
    if let Some(end) = task.ended() {
        let text = format!(
            "task {id} ended as {} at {}: nothing is decided any more",
            end.status.as_str(),
            end.at
        );
        return Err(Failure::new(Code::Refused, text));
    }
    let open = all(task);
    let names: Vec<_> = open.iter().take(NAMED_MAX).map(|one| one.id.to_string()).collect();
    let names = names.join(", ");
    match (step, open.as_slice()) {
        (None, [one]) => Ok(*one),
        (_, []) => {
            let what = step.map_or("task".to_owned(), |step| format!("step {step} of task"));
            let text = format!("{what} {id} asks nobody anything now: see `cadre task why {id}`");
            Err(Failure::new(Code::NotFound, text))
        }
        (Some(step), _) => {
            let text = format!("step {step} of task {id} asks nobody anything now; {names} does");
            Err(Failure::new(Code::NotFound, text))
        }
        (None, many) => {
            let count = many.len();
            let text = format!("task {id} asks {count} questions: name the step, one of {names}");
            Err(Failure::new(Code::Usage, text))
        }
    }
}

/// Who decided about a step and when, or that nobody did in time; `None` when it was never asked.
fn decided(records: &[Record], step: &StepId) -> Option<String> {
    let mut was_asked = false;
    let mut found = None;
    for record in records {
        for event in &record.events {
            match closes(event, step) {
                Some(Closed::Asked) => (was_asked, found) = (true, None),
                Some(end) if was_asked && found.is_none() => found = Some((record, end)),
                Some(_) | None => {}
            }
        }
    }
    let (record, end) = found?;
    let reason = clean(&record.reason);
    Some(match (end, record.cause.kind.as_str()) {
        (Closed::Expired, _) => {
            format!("the question of step {step} expired at {}: nobody decided in time", record.at)
        }
        (_, "decision") => format!("step {step} was decided already at {}: {reason}", record.at),
        (_, kind) => format!("step {step} was closed by a {kind} at {}: {reason}", record.at),
    })
}

/// What an event does to the question of a step.
#[derive(Debug, Clone, Copy)]
enum Closed {
    Asked,
    Decided,
    Expired,
}

fn closes(event: &Event, step: &StepId) -> Option<Closed> {
    match event {
        Event::StepWaiting { step: at, .. } if at == step => Some(Closed::Asked),
        Event::StepFailed { step: at, failure, .. } if at == step => {
            let is_expired = failure.kind == FailureKind::Expired;
            Some(if is_expired { Closed::Expired } else { Closed::Decided })
        }
        Event::StepCompleted { step: at, .. } if at == step => Some(Closed::Decided),
        Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::StepDispatched { .. }
        | Event::StepDelayed { .. }
        | Event::StepCompleted { .. }
        | Event::StepFailed { .. }
        | Event::StepSkipped { .. }
        | Event::StepWaiting { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Refused { .. }
        | Event::Ended { .. } => None,
    }
}
