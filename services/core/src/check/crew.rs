//! Crews: turns come one after the other, no more than were allowed, and none behind a circle.

use super::fold::{Broken, illegal};
use crate::{
    ids::{Name, StepId},
    task::{StepState, Task},
    workflow::Pattern,
};

/// Whether the step is a crew's as a whole, which ends without an order of its own.
pub(super) fn is_whole(task: &Task, step: &StepId) -> bool {
    step.item.is_none() && task.crews.contains_key(&step.name)
}

/// A crew begins once.
pub(super) fn began(task: &Task, step: &Name) -> Result<(), Broken> {
    let is_new =
        !task.crews.contains_key(step) && !task.steps.contains_key(&StepId::single(step.clone()));
    if is_new { Ok(()) } else { illegal(format!("the crew of {step} begins again")) }
}

/// A turn may get an order.
pub(super) fn turn(task: &Task, step: &StepId, turn: u32) -> Result<(), Broken> {
    let Some(crew) = task.crews.get(&step.name) else {
        return illegal(format!("there is no item {step}"));
    };
    if turn >= crew.turns_max {
        return illegal(format!("turn {step} is one more than the {} allowed", crew.turns_max));
    }
    if crew.loop_found.is_some() || task.steps.contains_key(&StepId::single(step.name.clone())) {
        return illegal(format!("turn {step} begins after the crew's end"));
    }
    let id = |item| StepId::item(step.name.clone(), item);
    // Planned turns begin when they can, all behind the plan; others one after the other.
    let before = match crew.pattern {
        Pattern::Planner => turn.min(1).checked_sub(1),
        Pattern::Network | Pattern::Supervisor => turn.checked_sub(1),
    };
    match before.map(|before| task.steps.get(&id(before)).map(|step| &step.state)) {
        None => Ok(()),
        Some(Some(StepState::Completed { .. } | StepState::Failed(_))) => Ok(()),
        Some(_) => illegal(format!("turn {step} begins before the one before it is over")),
    }
}

/// Only a turn that has completed hands off, and once.
pub(super) fn handed_off(task: &Task, step: &StepId) -> Result<(), Broken> {
    let crew = task.crews.get(&step.name);
    let is_new =
        crew.zip(step.item).is_some_and(|(crew, turn)| !crew.hand_offs.contains_key(&turn));
    let state = task.steps.get(step).map(|step| &step.state);
    if is_new && matches!(state, Some(StepState::Completed { .. })) {
        return Ok(());
    }
    illegal(format!("step {step} hands off and has not just completed a turn"))
}

/// A circle is found once, in a crew that is not over.
pub(super) fn loop_found(task: &Task, step: &Name) -> Result<(), Broken> {
    let is_over = task.steps.contains_key(&StepId::single(step.clone()));
    match task.crews.get(step) {
        Some(crew) if crew.loop_found.is_none() && !is_over => Ok(()),
        Some(_) | None => illegal(format!("a circle is found in {step}, where no crew works")),
    }
}
