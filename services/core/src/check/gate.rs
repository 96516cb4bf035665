//! What the aggregator is given: made of completed steps, and silent about no failed one.

use std::collections::BTreeSet;

use crate::{
    aggregate::Request,
    ids::{Name, StepId},
    payload::Payload,
    task::{StepState, Task},
};

/// Compares the parts of the answer with the steps of the plan.
pub(super) fn check(task: &Task, input: &Payload) -> Result<(), String> {
    let request = Request::from_value(input.value()).map_err(|error| error.to_string())?;
    for candidate in request.fields.iter().flat_map(|field| &field.candidates) {
        // A condition may choose a value that no step gave, and an empty list is made of none.
        let is_nothing = candidate.value.as_array().is_some_and(Vec::is_empty);
        if candidate.from.contains('?') || is_nothing {
            continue;
        }
        let named = steps_in(task, &candidate.from);
        if !named.is_empty() && !named.iter().any(|step| has_output(task, step)) {
            return Err(format!(
                "{} gives a part and none of its steps has ended well",
                candidate.from
            ));
        }
    }
    let gaps: BTreeSet<_> = request.gaps.iter().map(|gap| gap.step.as_str()).collect();
    for (id, step) in &task.steps {
        // A crew stands for its turns.
        if id.item.is_some() && task.crews.contains_key(&id.name) {
            continue;
        }
        let is_named = gaps.contains(id.to_string().as_str());
        match &step.state {
            // What a fan-out has chosen from is no loss.
            StepState::Failed(_) if task.joined.contains_key(&id.name) => {}
            StepState::Failed(_) if !is_named => {
                return Err(format!("step {id} failed and is not named as missing"));
            }
            StepState::Completed { .. } if is_named => {
                return Err(format!("step {id} is completed and is named as missing"));
            }
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. }
            | StepState::Completed { .. }
            | StepState::Failed(_)
            | StepState::Skipped(_)
            | StepState::Cancelled => {}
        }
    }
    match gaps.into_iter().find(|gap| !is_known(task, gap)) {
        Some(gap) => Err(format!("{gap} is named as missing and is no step of the task")),
        None => Ok(()),
    }
}

fn is_known(task: &Task, gap: &str) -> bool {
    StepId::parse(gap).is_ok_and(|id| {
        task.steps.contains_key(&id) || (id.item.is_none() && task.fan_outs.contains_key(&id.name))
    })
}

/// The steps of the task that an expression's source names.
fn steps_in<'a>(task: &'a Task, source: &str) -> BTreeSet<&'a Name> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<_> = source.split(|c| !is_word(c)).collect();
    let names = task.steps.keys().map(|id| &id.name).chain(task.fan_outs.keys());
    names.filter(|name| words.contains(name.as_str())).collect()
}

fn has_output(task: &Task, name: &Name) -> bool {
    let range = StepId::single(name.clone())..=StepId::item(name.clone(), u32::MAX);
    let mut instances = task.steps.range(range);
    // A fan-out over nothing has an output, too: an empty list.
    task.fan_outs.get(name).is_some_and(|fan_out| fan_out.total() == 0)
        || instances.any(|(_, step)| matches!(step.state, StepState::Completed { .. }))
}
