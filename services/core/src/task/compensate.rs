//! Compensation: before a task ends badly, what its completed steps have done is undone.
//!
//! ```text
//!  Running | Aggregating ── cancel, failure, deadline ──► Compensating ── nothing left, or time over ──► Ended
//! ```
//!
//! One at a time, the step that completed last comes first. A compensation is a step of its own
//! (`compensate_<step>`), so attempts, retries, breakers and questions are those of any step; only
//! the task's budget and deadline mean nothing to it. Only what this task has done is undone: no step
//! that had not completed, and none that was taken over from another task.

use super::{
    dispatch::Attempt,
    event::{EndStatus, Event},
    input::{FailureKind, Usage, clip, clip_to},
    plan::Planner,
    state::{Ending, Phase, Step, StepState, Task},
};
use crate::{
    ids::{Name, StepId},
    limits::TEXT_BYTES_MAX,
    payload::Payload,
};

/// How the name of a compensation begins.
const PREFIX: &str = "compensate_";

/// Steps that the reason of an end names before it only counts.
const NAMED_MAX: usize = 8;

/// The step that undoes `step`; `None` when its name would be too long.
#[must_use]
pub fn undone_by(step: &StepId) -> Option<StepId> {
    let name = Name::new(&format!("{PREFIX}{}", step.name)).ok()?;
    Some(StepId { name, item: step.item })
}

/// The step that `step` undoes, going by its name.
#[must_use]
pub fn undoes(step: &StepId) -> Option<StepId> {
    let name = Name::new(step.name.as_str().strip_prefix(PREFIX)?).ok()?;
    Some(StepId { name, item: step.item })
}

/// Whether this task itself has done a step, so that it can be undone. Of a crew it is the step that
/// counts and no turn; what has no attempt was done by another task.
pub(crate) fn has_done(task: &Task, id: &StepId, step: &Step) -> bool {
    let is_crew = task.crews.contains_key(&id.name);
    let is_ours = if is_crew { id.item.is_none() } else { step.attempt > 0 };
    is_ours && matches!(step.state, StepState::Completed { .. })
}

impl Planner<'_> {
    pub(super) fn is_compensating(&self) -> bool {
        matches!(self.task().phase, Phase::Compensating(_))
    }

    /// Ends the task, at once or after its compensations.
    pub(super) fn conclude(
        &mut self,
        status: EndStatus,
        reason: &str,
        answer: Option<Payload>,
        usage: Usage,
    ) {
        let usage = usage.plus(self.cut_off(|_| true));
        let rules = self.workflow().compensation;
        let is_bad = match status {
            EndStatus::Completed => false,
            EndStatus::Partial => rules.on_partial,
            EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete => true,
        };
        if !is_bad || self.to_undo().next().is_none() {
            let reason = if is_bad { self.with_unknown(reason) } else { clip(reason) };
            return self.emit(Event::Ended { status, reason, answer, usage });
        }
        let (reason, until) = (clip(reason), self.now().after(rules.within));
        self.emit(Event::Compensating { status, reason, answer, usage, until });
        self.compensate();
    }

    /// Ends the task at once, and says what stays as it is.
    pub(super) fn kill(&mut self, reason: &str) {
        let (ending, usage) = (self.ending(), self.cut_off(|_| true));
        let left = match &ending {
            Some(_) => self.tally().1,
            None => self.to_undo().map(|(_, done)| done.to_string()).collect(),
        };
        let reason = match &ending {
            Some(ending) => format!("{}; {reason}", clip_to(&ending.reason, TEXT_BYTES_MAX / 4)),
            None => reason.to_owned(),
        };
        // What is left must be read behind long reasons, too.
        let reason = clip_to(&reason, TEXT_BYTES_MAX / 2);
        let reason = if left.is_empty() {
            reason
        } else {
            format!("{reason}; not undone: {}", named(&left))
        };
        let (status, answer) =
            ending.map_or((EndStatus::Cancelled, None), |ending| (ending.status, ending.answer));
        let reason = self.with_unknown(&reason);
        self.emit(Event::Ended { status, reason, answer, usage });
    }

    /// Begins the next compensation when none is open; ends the task behind the last one.
    pub(super) fn compensate(&mut self) {
        let Some(ending) = self.ending() else { return };
        if ending.until <= self.now() {
            return self.give_up_undoing(ending);
        }
        self.begin_delayed();
        while !self.is_full() {
            if self.task().steps.values().any(|step| step.state.is_open()) {
                return;
            }
            let next = self.to_undo().max().map(|(_, done)| done.clone());
            match next {
                Some(done) => self.undo(&done),
                None => return self.end_compensated(ending),
            }
        }
    }

    fn ending(&self) -> Option<Ending> {
        match &self.task().phase {
            Phase::Compensating(ending) => Some(ending.clone()),
            Phase::Running | Phase::Aggregating | Phase::Ended(_) => None,
        }
    }

    /// Completed steps that can be undone and were not, with the record that completed each.
    fn to_undo(&self) -> impl Iterator<Item = (u64, &StepId)> {
        let (workflow, task) = (self.workflow(), self.task());
        task.steps.iter().filter_map(move |(id, step)| {
            let is_ours = has_done(task, id, step);
            let declared = workflow.compensation_of(&id.name).filter(|_| is_ours)?;
            let undo = StepId { name: declared.name.clone(), item: id.item };
            (!task.steps.contains_key(&undo)).then_some((step.rev, id))
        })
    }

    fn undo(&mut self, done: &StepId) {
        let workflow = self.workflow();
        let Some(declared) = workflow.compensation_of(&done.name) else { return };
        let (Some(role), Some(StepState::Completed { output, .. })) =
            (declared.role(), self.task().steps.get(done).map(|step| &step.state))
        else {
            return;
        };
        let step = StepId { name: declared.name.clone(), item: done.item };
        match self.render_undo((declared, done), output, role) {
            Ok(input) => {
                let attempt = Attempt { role, degraded: None, input };
                self.send(step, attempt, (None, declared.timeout));
            }
            Err(failure) => self.fail(step, failure),
        }
    }

    /// The time for compensations is over.
    fn give_up_undoing(&mut self, ending: Ending) {
        let open = self.task().steps.iter().filter(|(_, step)| step.state.is_open());
        for id in open.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            let text = "the time for compensations is over";
            self.fail(id, super::Failure::new(FailureKind::Limit, text));
            if self.is_full() {
                return;
            }
        }
        self.end_compensated(ending);
    }

    fn end_compensated(&mut self, ending: Ending) {
        let Ending { status, reason, answer, .. } = ending;
        let (undone, left) = self.tally();
        let mut parts = vec![clip_to(&reason, TEXT_BYTES_MAX / 2)];
        if !left.is_empty() {
            parts.push(format!("not undone: {}", named(&left)));
        }
        if !undone.is_empty() {
            parts.push(format!("undone: {}", named(&undone)));
        }
        let (reason, usage) = (self.with_unknown(&parts.join("; ")), Usage::default());
        self.emit(Event::Ended { status, reason, answer, usage });
    }

    /// Steps that are undone by now, and those that are not, with what came of it.
    fn tally(&self) -> (Vec<String>, Vec<String>) {
        let (mut undone, mut left) = (Vec::new(), Vec::new());
        for (id, step) in &self.task().steps {
            let Some(done) = self.undone(id) else { continue };
            match &step.state {
                StepState::Completed { .. } => undone.push(done.to_string()),
                StepState::Failed(failure) => {
                    left.push(format!("{done} ({}: {})", failure.kind.as_str(), failure.message));
                }
                StepState::Dispatched { .. }
                | StepState::Delayed { .. }
                | StepState::Waiting { .. }
                | StepState::Skipped(_)
                | StepState::Cancelled => left.push(done.to_string()),
            }
        }
        left.extend(self.to_undo().map(|(_, done)| format!("{done} (not begun)")));
        (undone, left)
    }

    /// The step that a compensation of this workflow undoes.
    fn undone(&self, id: &StepId) -> Option<StepId> {
        let declared = self.workflow().compensations.iter().find(|undo| undo.name == id.name)?;
        Some(StepId { name: declared.after.first()?.clone(), item: id.item })
    }

    /// Adds to a reason which steps were out, so that nobody knows whether there is something to undo.
    fn with_unknown(&self, reason: &str) -> String {
        let was_out = |(id, step): &(&StepId, &Step)| {
            // What is open now is stopped by the end itself.
            step.attempt > 0
                && (step.state.is_given_up() || step.state.is_open())
                && self.workflow().compensation_of(&id.name).is_some()
        };
        let unknown = self.task().steps.iter().filter(was_out);
        let unknown: Vec<_> = unknown.map(|(id, _)| id.to_string()).collect();
        if unknown.is_empty() {
            return clip(reason);
        }
        clip(&format!("{reason}; stopped in the middle, outcome unknown: {}", named(&unknown)))
    }
}

/// The first ones by name, the others by number.
fn named(steps: &[String]) -> String {
    let shown = steps.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match steps.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
