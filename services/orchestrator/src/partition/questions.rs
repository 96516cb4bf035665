//! Questions to people that a record ends, and what came of them.

use cadre_core::{
    ids::StepId,
    task::{AskKind, FailureKind, Record, StepState, Task},
    time::UnixMillis,
};

/// A question that is over.
pub(super) struct Answered<'a> {
    pub(super) step: &'a StepId,
    pub(super) kind: AskKind,
    /// When it was asked.
    pub(super) since: UnixMillis,
    /// `answered`, `denied`, `expired`, `again` (the step is tried anew) or `cancelled`.
    pub(super) outcome: &'static str,
}

/// The questions that `record` ended, which led from `before` to `after`.
pub(super) fn ended<'a>(
    before: Option<&'a Task>,
    record: &'a Record,
    after: &'a Task,
) -> impl Iterator<Item = Answered<'a>> {
    let steps = before.into_iter().flat_map(|task| &task.steps);
    steps.filter_map(|(id, step)| {
        let StepState::Waiting { ask, .. } = &step.state else { return None };
        let is_expired =
            ask.expires.is_some_and(|at| at <= record.at) && record.cause.kind == "timer";
        let outcome = match &after.steps.get(id)?.state {
            StepState::Waiting { .. } => return None,
            StepState::Cancelled | StepState::Skipped(_) => "cancelled",
            StepState::Failed(failure) if failure.kind == FailureKind::Expired => "expired",
            StepState::Completed { .. } if is_expired => "expired",
            StepState::Completed { .. } => "answered",
            StepState::Failed(_) => "denied",
            StepState::Dispatched { .. } | StepState::Delayed { .. } => "again",
        };
        Some(Answered { step: id, kind: ask.kind, since: step.changed_at, outcome })
    })
}
