//! Plans: what a planner returns, what is wrong with it, and which of its steps can begin.
//!
//! ```json
//! {"steps": [{"id": "facts", "role": "researcher", "input": {"topic": "NATS"}},
//!            {"id": "text", "role": "writer", "input": {"facts": {"$from": "facts.list"}}}]}
//! ```
//!
//! A plan is data: `{"$from": "id.field"}` stands for the output of another step, or for what the
//! planner was asked (`input`), and is replaced when the step begins. Nothing is evaluated.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{
    input::{Failure, FailureKind},
    state::Task,
};
use super::{
    Made,
    history::{History, Outcome},
    next::{Ending, Next, Turn, extend, failed, limited, team},
};
use crate::{
    ids::Name,
    limits::VIOLATIONS_MAX,
    payload::Payload,
    workflow::{Crew, Role},
};

/// The key of a reference.
const FROM: &str = "$from";

/// What the planner was asked, in references.
const INPUT: &str = "input";

/// A plan that was checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Plan {
    steps: Vec<Planned>,
}

/// One planned step.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Planned {
    id: String,
    role: String,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    after: Vec<String>,
}

impl Planned {
    /// Steps that must have completed before.
    fn needs(&self) -> BTreeSet<String> {
        let mut needs: BTreeSet<_> = self.after.iter().cloned().collect();
        references(&self.input, &mut |path| {
            let root = path.split('.').next().unwrap_or_default();
            if root != INPUT {
                needs.insert(root.to_owned());
            }
        });
        needs
    }
}

/// Reads a plan; `orders_left` are the work orders that the task may still have.
///
/// # Errors
/// Everything that is wrong with it, at most [`VIOLATIONS_MAX`] sentences.
pub(super) fn read(crew: &Crew, plan: &Value, orders_left: u32) -> Result<Plan, Vec<String>> {
    let plan: Plan =
        Plan::deserialize(plan).map_err(|error| vec![format!("is no plan: {error}")])?;
    let mut problems = Vec::new();
    let count = u32::try_from(plan.steps.len()).unwrap_or(u32::MAX);
    if count == 0 {
        problems.push("has no steps".to_owned());
    }
    let most = crew.turns_max.saturating_sub(1);
    if count > most {
        problems.push(format!("has {count} steps, more than the {most} that max_turns leaves"));
    }
    if count > orders_left {
        problems.push(format!("has {count} steps, more than the {orders_left} the task has left"));
    }
    // What follows is about each step: of far too many it would be about nothing.
    if problems.is_empty() {
        check_steps(crew, &plan, &mut problems);
        check_order(&plan, &mut problems);
    }
    problems.truncate(VIOLATIONS_MAX);
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

fn check_steps(crew: &Crew, plan: &Plan, problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for step in &plan.steps {
        let id = &step.id;
        if let Err(error) = Name::new(id) {
            problems.push(format!("step id {error}"));
        }
        if id == INPUT {
            problems.push(format!("step {id}: the name means what the planner was asked"));
        }
        if !seen.insert(id) {
            problems.push(format!("step {id} is planned twice"));
        }
        let Some(role) = member(crew, &step.role) else {
            let known: Vec<_> = crew.team.iter().map(|role| role.name.as_str()).collect();
            let known = known.join(", ");
            problems.push(format!("step {id}: role {} is not in the team ({known})", step.role));
            continue;
        };
        // With references the input is known, and checked, once they are.
        let mut is_whole = true;
        references(&step.input, &mut |_| is_whole = false);
        if is_whole && let Err(violations) = role.accepts.check(&step.input) {
            problems.push(format!("step {id}: input breaks {}: {violations}", role.accepts.id()));
        }
    }
}

fn check_order(plan: &Plan, problems: &mut Vec<String>) {
    let known: BTreeSet<_> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    for step in &plan.steps {
        for need in step.needs().iter().filter(|need| !known.contains(need.as_str())) {
            problems.push(format!("step {} needs {need}, which is not planned", step.id));
        }
    }
    let mut done = BTreeSet::new();
    let mut left: Vec<_> = plan.steps.iter().collect();
    loop {
        let before = left.len();
        left.retain(|step| {
            let needs = step.needs();
            let is_ready =
                needs.iter().all(|need| done.contains(need) || !known.contains(need.as_str()));
            if is_ready {
                done.insert(step.id.to_string());
            }
            !is_ready
        });
        if left.len() == before {
            break;
        }
    }
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|step| step.id.as_str()).collect();
        problems.push(format!("steps wait for each other: {}", names.join(", ")));
    }
}

/// Calls `found` with the path of every reference in a planned input.
fn references(value: &Value, found: &mut dyn FnMut(&str)) {
    if let Some(path) = reference(value) {
        return found(path);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| references(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The path of a value that is a reference: an object of `$from` alone.
fn reference(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get(FROM)?.as_str()
}

/// The value with every reference replaced.
fn resolved(value: &Value, known: &BTreeMap<&str, &Value>) -> Result<Value, String> {
    if let Some(path) = reference(value) {
        let mut parts = path.split('.');
        let root = parts.next().and_then(|root| known.get(root).copied());
        let found = parts.try_fold(root, |value, part| Some(value?.get(part))).flatten();
        return found.cloned().ok_or_else(|| format!("{FROM} {path}: there is no such value"));
    }
    match value {
        Value::Array(items) => items.iter().map(|item| resolved(item, known)).collect(),
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(key, field)| Ok((key.clone(), resolved(field, known)?)));
            fields.collect::<Result<Map<_, _>, String>>().map(Value::Object)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
    }
}

/// What a crew with a planner does next.
pub(super) fn next(crew: &Crew, history: &History<'_>, task: &Task) -> Next {
    let Some(first) = history.turns.first() else { return first_turn(crew, history, task) };
    let plan = match &first.result {
        Outcome::Open => return Next::Wait,
        Outcome::Failed(failure) => return Next::End(failed(Some(first), failure)),
        // It was within the limits when it was accepted: what was used since then does not count.
        Outcome::Done { output, .. } => match read(crew, output.value(), u32::MAX) {
            Ok(plan) => plan,
            Err(problems) => {
                let text = format!("the plan cannot be done: {}", problems.join("; "));
                return Next::End(Ending::Fail(Failure::new(FailureKind::InvalidOutput, &text)));
            }
        },
    };
    let is_open = history.turns.iter().any(|turn| matches!(turn.result, Outcome::Open));
    let loss = history.turns.iter().find_map(|turn| match &turn.result {
        Outcome::Failed(failure) => Some(lost(&plan, turn.index, failure)),
        Outcome::Open | Outcome::Done { .. } => None,
    });
    let done = done(&plan, history);
    if done.len() == plan.steps.len() {
        let outputs = done.into_iter().map(|(id, output)| (id.to_owned(), output.clone()));
        return Next::End(whole(Value::Object(outputs.collect())));
    }
    match loss.or_else(|| limited(task)) {
        Some(_) if is_open => Next::Wait,
        Some(ending) => Next::End(ending),
        None => next_planned(crew, (&plan, history), done),
    }
}

fn member<'c>(crew: &'c Crew, role: &str) -> Option<&'c Arc<Role>> {
    crew.team.iter().find(|member| member.name.as_str() == role)
}

/// A planned step that failed ends the crew.
fn lost(plan: &Plan, index: u32, failure: &Failure) -> Ending {
    let step = plan.steps.iter().zip(1..).find(|(_, at)| *at == index);
    let id = step.map_or("of nobody", |(step, _)| &step.id);
    let text = format!("planned step {id}: {}", failure.message);
    Ending::Fail(Failure::new(failure.kind, &text))
}

fn first_turn(crew: &Crew, history: &History<'_>, task: &Task) -> Next {
    if let Some(ending) = limited(task) {
        return Next::End(ending);
    }
    let mut input = history.input();
    let steps_max = history.run.turns_max.saturating_sub(1);
    extend(&mut input, [("team", team(crew)), ("steps_max", steps_max.into())]);
    Next::Turn(Turn { index: 0, role: crew.lead.name.clone(), input: Ok(input) })
}

fn whole(outputs: Value) -> Ending {
    match Payload::from_value(outputs) {
        Ok(output) => Ending::Made(Made { output, confidence: None, unsure: None }),
        Err(error) => {
            let text = format!("the outputs of the planned steps: {error}");
            Ending::Fail(Failure::new(FailureKind::InvalidOutput, &text))
        }
    }
}

/// Outputs of planned steps by their names.
fn done<'a>(plan: &'a Plan, history: &History<'a>) -> BTreeMap<&'a str, &'a Value> {
    let output = |index: u32| {
        let turn = history.turns.iter().find(|turn| turn.index == index)?;
        match &turn.result {
            Outcome::Done { output, .. } => Some(output.value()),
            Outcome::Open | Outcome::Failed(_) => None,
        }
    };
    let steps = plan.steps.iter().zip(1..);
    steps.filter_map(|(step, index)| Some((step.id.as_str(), output(index)?))).collect()
}

/// The first planned step that has not begun and has all it needs.
fn next_planned<'a>(
    crew: &Crew,
    (plan, history): (&'a Plan, &History<'a>),
    mut done: BTreeMap<&'a str, &'a Value>,
) -> Next {
    let has_begun = |index: u32| history.turns.iter().any(|turn| turn.index == index);
    let is_ready =
        |step: &Planned| step.needs().iter().all(|need| done.contains_key(need.as_str()));
    let ready =
        plan.steps.iter().zip(1..).find(|(step, index)| !has_begun(*index) && is_ready(step));
    let Some((step, index)) = ready else { return Next::Wait };
    let Some(role) = member(crew, &step.role) else { return Next::Wait };
    done.insert(INPUT, history.run.input.value());
    let input = resolved(&step.input, &done);
    Next::Turn(Turn { index, role: role.name.clone(), input })
}
