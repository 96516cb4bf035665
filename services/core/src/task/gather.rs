//! Collects the parts of the answer: what the aggregator's work order holds.

use serde_json::Value;

use super::{
    env::Env,
    standing::{Standing, is_as_declared, standing},
    state::{Step, StepState, Task},
};
use crate::{
    aggregate::{Candidate, Field, Missing, Request},
    ids::{Name, StepId},
    workflow::{ResultField, Source, StepPlan, Workflow},
};

/// The aggregator's input for this state.
pub(super) fn request(workflow: &Workflow, task: &Task) -> Value {
    let fields = workflow.result.iter().map(|field| collect(workflow, task, field)).collect();
    let gaps = workflow.steps.iter().flat_map(|declared| gaps(task, declared)).collect();
    Request { fields, gaps, limit: task.limited.clone() }.to_value()
}

/// Outputs of a declared step in order of its items, with the step each is from.
pub(super) fn outputs<'a>(
    task: &'a Task,
    name: &'a Name,
) -> impl Iterator<Item = (&'a StepId, &'a Value)> {
    let joined = task.fan_outs.get(name).and_then(|_| task.joined.get(name));
    let counts = move |id: &StepId| joined.is_none_or(|joined| joined.winners.contains(id));
    instances(task, name).filter(move |(id, _)| counts(id)).filter_map(|(id, step)| {
        match &step.state {
            StepState::Completed { output, .. } => Some((id, output.value())),
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. }
            | StepState::Failed(_)
            | StepState::Skipped(_)
            | StepState::Cancelled => None,
        }
    })
}

fn instances<'a>(task: &'a Task, name: &'a Name) -> impl Iterator<Item = (&'a StepId, &'a Step)> {
    let range = StepId::single(name.clone())..=StepId::item(name.clone(), u32::MAX);
    task.steps.range(range)
}

/// Steps and items without an output, and why. A step whose `when` was false is no gap.
fn gaps(task: &Task, declared: &StepPlan) -> Vec<Missing> {
    // What a fan-out has chosen from is no loss.
    if task.fan_outs.contains_key(&declared.name) && task.joined.contains_key(&declared.name) {
        return Vec::new();
    }
    let of = |id: &StepId, cause: String| Missing { step: id.to_string(), cause };
    // What became of a crew's turns is the crew's own affair: it stands for them.
    let is_turn = |id: &StepId| declared.crew().is_some() && id.item.is_some();
    let mut found: Vec<_> = instances(task, &declared.name)
        .filter(|(id, _)| !is_turn(id))
        .filter_map(|(id, step)| match &step.state {
            StepState::Failed(failure) => {
                Some(of(id, format!("{}: {}", failure.kind.as_str(), failure.message)))
            }
            StepState::Cancelled => Some(of(id, "cancelled".to_owned())),
            StepState::Waiting { ask, .. } => {
                Some(of(id, format!("nobody answered: {}", ask.question)))
            }
            StepState::Skipped(reason) => {
                (!is_as_declared(reason)).then(|| of(id, format!("skipped: {reason}")))
            }
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Completed { .. } => None,
        })
        .collect();
    if let Some(fan_out) = task.fan_outs.get(&declared.name)
        && fan_out.begun < fan_out.total()
        && fan_out.closed.is_none()
    {
        let count = fan_out.total() - fan_out.begun;
        let id = StepId::single(declared.name.clone());
        found.push(of(&id, format!("{count} of {} items never began", fan_out.total())));
    }
    found
}

fn collect(workflow: &Workflow, task: &Task, field: &ResultField) -> Field {
    let (mut candidates, mut missing) = (Vec::new(), Vec::new());
    for source in &field.from {
        match candidates_of(workflow, task, source) {
            Ok(found) if found.is_empty() => {
                missing.push(cause(workflow, task, source, "no value"))
            }
            Ok(found) => candidates.extend(found),
            Err(why) => missing.push(cause(workflow, task, source, &why)),
        }
    }
    let (name, rule, is_required) = (field.name.to_string(), field.rule, field.required);
    Field { name, rule, is_required, candidates, missing }
}

fn candidates_of(
    workflow: &Workflow,
    task: &Task,
    source: &Source,
) -> Result<Vec<Candidate>, String> {
    let value = source.expr.eval(&Env::new(workflow, task)).map_err(|error| error.to_string())?;
    let values = match value {
        Value::Array(items) if source.spread => items,
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => vec![other],
    };
    let given = values.into_iter().filter(|value| !value.is_null());
    let confidence = confidence_of(task, source);
    Ok(given.map(|value| Candidate { value, from: source.text.clone(), confidence }).collect())
}

/// The report's confidence, where the source reads one step without a fan-out.
fn confidence_of(task: &Task, source: &Source) -> Option<f64> {
    let [name] = source.steps.as_slice() else { return None };
    match &task.steps.get(&StepId::single(name.clone()))?.state {
        StepState::Completed { confidence, .. } => *confidence,
        StepState::Dispatched { .. }
        | StepState::Delayed { .. }
        | StepState::Waiting { .. }
        | StepState::Failed(_)
        | StepState::Skipped(_)
        | StepState::Cancelled => None,
    }
}

/// Says why a source gave nothing: the first step it reads that has no output, else the error.
fn cause(workflow: &Workflow, task: &Task, source: &Source, error: &str) -> Missing {
    let absent = source.steps.iter().find_map(|name| match standing(task, workflow.step(name)?) {
        Standing::Absent(why) => Some((name.to_string(), why)),
        Standing::Unstarted => Some((name.to_string(), "never began".to_owned())),
        Standing::Open => Some((name.to_string(), "not finished".to_owned())),
        Standing::Done => None,
    });
    let (step, cause) = absent.unwrap_or_else(|| (source.text.clone(), error.to_owned()));
    Missing { step, cause }
}
