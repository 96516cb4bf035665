//! One paragraph for a person: where a task is, what it waits for, what happens next.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    budget::Limits,
    state::{End, Phase, Step, StepState, Task},
};
use crate::{
    ids::{Name, StepId},
    time::UnixMillis,
    workflow::Workflow,
};

/// Steps that one paragraph names before it only counts.
const NAMED_MAX: usize = 3;

/// Says where `task` is, what it waits for, since when, what happens next, and at which limit it
/// stops. `workflow` adds the limits; without it (an unknown revision) they are left out.
#[must_use]
pub fn why(task: &Task, workflow: Option<&Workflow>, now: UnixMillis) -> String {
    let mut text = format!("Task {} ({}) ", task.id(), task.goal.workflow);
    match &task.phase {
        Phase::Ended(end) => ended(&mut text, task, end),
        Phase::Aggregating => {
            text.push_str("has all its parts and waits for the response aggregator");
            open_steps(&mut text, task, now);
            text.push_str(" Next: the answer is checked and published.");
        }
        Phase::Compensating(ending) => {
            let status = ending.status.as_str();
            let _ = write!(text, "will end as {status} ({}); its steps are undone", ending.reason);
            open_steps(&mut text, task, now);
            let left = span(ending.until.since(now));
            let _ = write!(text, " Next: the steps before; it ends in {left} at the latest.");
        }
        Phase::Running => {
            let _ = write!(text, "is {}", task.status());
            open_steps(&mut text, task, now);
            upcoming(&mut text, task, workflow);
            limits(&mut text, task, workflow, now);
        }
    }
    text
}

/// The roles whose reports `task` waits for.
#[must_use]
pub fn awaited(task: &Task) -> BTreeSet<&Name> {
    let steps = task.steps.values();
    let out = steps.filter(|step| matches!(step.state, StepState::Dispatched { .. }));
    out.filter_map(|step| step.role.as_ref()).collect()
}

/// What [`why`] cannot know from the log: that nobody takes the orders of these roles.
#[must_use]
pub fn unserved(roles: &[&Name]) -> Option<String> {
    let [first, ..] = roles else { return None };
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let (noun, names) = (if roles.len() == 1 { "role" } else { "roles" }, names.join(", "));
    Some(format!(
        "Nobody takes orders of {noun} {names} at the moment: start a worker, such as `cadre serve --role agent \
         --agents {first}`, or the program of a remote role."
    ))
}

fn ended(text: &mut String, task: &Task, end: &End) {
    let took = end.at.since(task.accepted_at);
    let _ = write!(text, "ended as {} at {} after {}", end.status.as_str(), end.at, span(took));
    let noun = if task.dispatches == 1 { "step" } else { "steps" };
    let (steps, reason) = (task.dispatches, &end.reason);
    let _ = write!(text, " and {steps} {noun}: {reason}{}", stop(reason));
    degraded(text, task);
    text.push_str(" Nothing happens any more.");
}

/// What was done with less than the pack's first choice.
fn degraded(text: &mut String, task: &Task) {
    let why = |(id, step): (_, &Step)| Some((id, step.degraded.clone()?));
    let completed = task.steps.iter().filter(|(_, step)| step.state.is_completed());
    let all: Vec<(&StepId, String)> = completed.filter_map(why).collect();
    for (id, why) in all.iter().take(NAMED_MAX) {
        let _ = write!(text, " Step {id} is degraded: {why}{}", stop(why));
    }
    if all.len() > NAMED_MAX {
        let _ = write!(text, " So are {} more.", all.len() - NAMED_MAX);
    }
}

fn open_steps(text: &mut String, task: &Task, now: UnixMillis) {
    let open: Vec<_> = task.steps.iter().filter(|(_, step)| step.state.is_open()).collect();
    if let Some(by) = &task.paused {
        let _ = write!(text, ". {by} paused it: nothing new begins until it is resumed");
    }
    if let Some(limit) = &task.held {
        let _ = write!(text, ". It waits for a larger budget: {limit}");
    }
    if open.is_empty() && (task.paused.is_some() || task.held.is_some()) {
        text.push('.');
        return;
    }
    if open.is_empty() {
        text.push_str(": its next record is being written.");
        return;
    }
    text.push_str(". ");
    for (id, step) in open.iter().take(NAMED_MAX) {
        one_step(text, id, step, now);
    }
    if open.len() > NAMED_MAX {
        let count = open.len() - NAMED_MAX;
        let verb = if count == 1 { "step is" } else { "steps are" };
        let _ = write!(text, "{count} more {verb} open. ");
    }
    text.truncate(text.trim_end().len());
}

fn one_step(text: &mut String, id: &StepId, step: &Step, now: UnixMillis) {
    let since = format!("{} ({})", step.changed_at, span(now.since(step.changed_at)));
    let role = step.role.as_ref().map_or("nobody", |role| role.as_str());
    match &step.state {
        StepState::Dispatched { deadline, .. } => {
            let left = span(deadline.since(now));
            let _ = write!(
                text,
                "Step {id} waits for a report of role {role} since {since}, attempt {}; \
                 without one it fails in {left}. ",
                step.attempt
            );
        }
        StepState::Delayed { until, reason, .. } => {
            let left = span(until.since(now));
            let _ = write!(
                text,
                "Step {id} waits since {since}: {reason}{} Role {role} gets it in {left}. ",
                stop(reason)
            );
        }
        StepState::Waiting { ask, votes } => {
            let question = &ask.question;
            let _ = write!(
                text,
                "Step {id} waits for a person since {since}: {question}{} ",
                stop(question)
            );
            if ask.quorum > 1 {
                let _ = write!(text, "{} of {} have agreed. ", votes.len(), ask.quorum);
            }
            if let Some(at) = ask.expires {
                let _ = write!(text, "Without a decision it expires in {}. ", span(at.since(now)));
            }
        }
        StepState::Completed { .. }
        | StepState::Failed(_)
        | StepState::Skipped(_)
        | StepState::Cancelled => {}
    }
}

fn stop(sentence: &str) -> &'static str {
    if sentence.ends_with(['.', '?', '!']) { "" } else { "." }
}

fn upcoming(text: &mut String, task: &Task, workflow: Option<&Workflow>) {
    let Some(workflow) = workflow else { return };
    let unstarted = workflow.steps.iter().filter_map(|declared| {
        if let Some(fan_out) = task.fan_outs.get(&declared.name) {
            let left = fan_out.total().saturating_sub(fan_out.begun);
            return (left > 0).then(|| format!("{left} more items of {}", declared.name));
        }
        let id = StepId::single(declared.name.clone());
        if let Some(run) = task.crews.get(&declared.name) {
            let turns = StepId::item(declared.name.clone(), 0)
                ..=StepId::item(declared.name.clone(), u32::MAX);
            let begun = u32::try_from(task.steps.range(turns).count()).unwrap_or(u32::MAX);
            let left = run.turns_max.saturating_sub(begun);
            let is_open = !task.steps.contains_key(&id);
            let name = &declared.name;
            return is_open
                .then(|| format!("at most {left} more turns of {name} ({})", run.pattern));
        }
        (!task.steps.contains_key(&id)).then(|| declared.name.to_string())
    });
    let next: Vec<_> = unstarted.take(NAMED_MAX).collect();
    if next.is_empty() || task.limited.is_some() {
        text.push_str(" Next: the aggregator puts the answer together.");
    } else {
        let _ = write!(text, " Next: {}.", next.join(", "));
    }
}

fn limits(text: &mut String, task: &Task, workflow: Option<&Workflow>, now: UnixMillis) {
    let _ = write!(
        text,
        " It stops at its deadline {} (in {})",
        task.deadline,
        span(task.deadline.since(now))
    );
    if let Some(workflow) = workflow {
        let max = Limits::of(workflow, task).steps;
        let _ = write!(text, " or after {max} steps ({} used)", task.dispatches);
    }
    if let Some(limit) = &task.limited {
        let _ = write!(text, "; a limit is met already: {limit}");
    }
    text.push('.');
}

/// A duration for people: the two largest units that matter.
fn span(duration: std::time::Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        3_600_000..86_400_000 => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} d {} h", ms / 86_400_000, ms % 86_400_000 / 3_600_000),
    }
}
