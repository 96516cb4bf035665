//! What may happen to a task beside its plan: compensations, races, retries and forks.

use super::{
    fold::{Broken, illegal, state},
    rule::Rule,
};
use crate::{
    ids::{Name, StepId},
    payload::Payload,
    task::{EndStatus, Ending, Fork, Phase, StepState, Task, has_done, undoes},
};

/// Only what is going on can come to an end.
pub(super) fn compensating(task: &Task) -> Result<(), Broken> {
    match task.phase {
        Phase::Running | Phase::Aggregating => Ok(()),
        Phase::Compensating(_) | Phase::Ended(_) => {
            illegal("the task comes to an end again".to_owned())
        }
    }
}

/// A compensation undoes a step that this task has completed, and no later one is still to undo that
/// was begun to be undone: the last one comes first.
pub(super) fn undoing(task: &Task, step: &StepId) -> Result<(), Broken> {
    let wrong = |text: String| Err((Rule::Compensation, text));
    let Some(done) = undoes(step) else {
        return wrong(format!("step {step} begins while steps are undone"));
    };
    let Some(before) = task.steps.get(&done) else {
        return wrong(format!("step {step} undoes a step that never began"));
    };
    if !has_done(task, &done, before) {
        let state = before.state.as_str();
        return wrong(format!(
            "step {step} undoes {done}, which this task did not complete: {state}"
        ));
    }
    let undone_before = task.steps.iter().filter_map(|(id, other)| {
        let other_done = undoes(id).filter(|_| id != step && other.rev >= task.rev_of_end())?;
        task.steps.get(&other_done).map(|known| (known.rev, other_done))
    });
    match undone_before.min() {
        Some((rev, other)) if rev < before.rev => {
            wrong(format!("step {done} is undone after {other}, which was completed before it"))
        }
        Some(_) | None => Ok(()),
    }
}

/// The end is the one that was decided.
pub(super) fn ends_as(
    ending: &Ending,
    status: EndStatus,
    answer: Option<&Payload>,
) -> Result<(), Broken> {
    if status != ending.status || answer != ending.answer.as_ref() {
        let (is, was) = (status.as_str(), ending.status.as_str());
        return illegal(format!("the task was to end as {was} and ends as {is}"));
    }
    Ok(())
}

/// A race is decided once, and only what has completed wins.
pub(super) fn joined(task: &Task, step: &Name, winners: &[StepId]) -> Result<(), Broken> {
    if task.joined.contains_key(step) {
        return illegal(format!("the race of {step} is decided again"));
    }
    let lost = winners.iter().find(|winner| {
        let is_list = winner.item.is_none() && task.fan_outs.contains_key(&winner.name);
        !is_list && !matches!(state(task, winner), Some(StepState::Completed { .. }))
    });
    match lost {
        Some(winner) => illegal(format!("{winner} wins the race of {step} and has not completed")),
        None => Ok(()),
    }
}

/// Only what has failed after an attempt is tried again, while the task runs.
pub(super) fn retried(task: &Task, step: &StepId) -> Result<(), Broken> {
    let known = task.steps.get(step).filter(|step| step.attempt > 0);
    let has_failed = known.is_some_and(|step| matches!(step.state, StepState::Failed(_)));
    if has_failed && task.phase == Phase::Running {
        return Ok(());
    }
    illegal(format!("step {step} is tried again and has not failed"))
}

/// Whether somebody has just wished that it be tried again.
pub(super) fn is_retried(task: &Task, step: &StepId) -> bool {
    task.steps.get(step).is_some_and(|step| step.attempt > 0 && step.tries == 0)
}

/// Only a fork takes over, each step once, and before anything else begins.
pub(super) fn taken_over(task: &Task, step: &StepId) -> Result<(), Broken> {
    if !task.is_forking() {
        return illegal(format!("step {step} is taken over and the task is no fork"));
    }
    match state(task, step) {
        None => Ok(()),
        Some(state) => illegal(format!("step {step} is taken over and is {}", state.as_str())),
    }
}

/// A fork is complete once, and is what its goal says.
pub(super) fn forked(task: &Task, fork: &Fork) -> Result<(), Broken> {
    if task.is_forking() && task.goal.fork.as_ref() == Some(fork) {
        return Ok(());
    }
    illegal(format!("it goes on from task {} and its goal does not say so", fork.task))
}
