//! A fork: a new task that begins with what another one has done.
//!
//! The goal names the other task, its record and the step that runs anew; the shell reads that log
//! and passes its state. Taken over are the completed steps that do not come after that step, and
//! those that were not wanted; all else runs anew, within limits of the fork's own. A step that
//! the other task has undone is not taken over. The other task is only read.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    compensate::undone_by,
    decide::{Moment, Verdict, accepted},
    event::{EndStatus, Event},
    input::{Fork, Goal, Usage},
    standing::{Standing, is_as_declared, standing},
    state::{Joined, NOT_NEEDED, StepState, Task},
};
use crate::{
    ids::{Name, StepId},
    limits::FORK_BYTES_MAX,
    payload::Payload,
    workflow::{Join, Race, StepPlan, Workflow},
};

/// Bytes that an event takes beside its document.
const ENVELOPE: usize = 128;

/// Begins a fork; `source` is the other task up to the goal's record, `None` when there is none.
pub(super) fn begin(
    workflow: &Workflow,
    (goal, fork): (&Arc<Goal>, &Fork),
    source: Option<&Task>,
    moment: &Moment<'_>,
) -> Verdict {
    let mut plan = accepted(workflow, goal, moment);
    let taken = match source {
        Some(source) => taken(workflow, goal, (fork, source)),
        None => Err("there is no such task, or its log is damaged".to_owned()),
    };
    match taken {
        Ok(events) => {
            let count = events.len();
            events.into_iter().for_each(|event| plan.emit(event));
            plan.emit(Event::Forked { fork: fork.clone() });
            plan.advance();
            let (from, task, rev) = (&fork.from, &fork.task, fork.rev);
            let text = format!("goes on from {from} of task {task} at record {rev}, {count} facts");
            plan.finish("fork", &text)
        }
        Err(why) => {
            let reason = format!("cannot go on from task {}: {why}", fork.task);
            plan.conclude(EndStatus::Failed, &reason, None, Usage::default());
            plan.finish("fork", &reason)
        }
    }
}

/// What is taken over, in the order of the workflow.
fn taken(
    workflow: &Workflow,
    goal: &Goal,
    (fork, source): (&Fork, &Task),
) -> Result<Vec<Event>, String> {
    let other = &source.goal;
    if (&other.tenant, &other.workflow, &other.revision)
        != (&goal.tenant, &goal.workflow, &goal.revision)
    {
        return Err("it is of another tenant, workflow or pack revision".to_owned());
    }
    if source.rev != fork.rev {
        return Err(format!("it has {} records, not {}", source.rev, fork.rev));
    }
    if !workflow.steps.iter().any(|step| step.name == fork.from) {
        return Err(format!("the workflow has no step {}", fork.from));
    }
    let anew = anew(workflow, source, &fork.from);
    let mut events = Vec::new();
    for declared in &workflow.steps {
        let is_anew = anew.contains(&declared.name);
        if !is_anew {
            take(source, declared, &mut events);
        }
        if let Join::Race(race) = &declared.join
            && !declared.after.iter().any(|racer| anew.contains(racer))
        {
            events.extend(decided(source, declared, (race, is_anew)));
        }
    }
    let bytes: usize = events.iter().map(bytes).sum();
    if bytes > FORK_BYTES_MAX {
        let most = FORK_BYTES_MAX;
        return Err(format!(
            "what is taken over has {bytes} bytes, over {most}: fork from an earlier step"
        ));
    }
    Ok(events)
}

/// The steps that run anew: this one, what comes after it, and what the other task has undone.
fn anew<'a>(workflow: &'a Workflow, source: &Task, from: &'a Name) -> BTreeSet<&'a Name> {
    let mut anew = BTreeSet::from([from]);
    for declared in &workflow.steps {
        let is_behind = declared.after.iter().any(|before| anew.contains(before));
        if is_behind || is_undone(source, &declared.name) {
            anew.insert(&declared.name);
        }
    }
    // Where a race is run again, everybody runs.
    let is_run_again = |declared: &&StepPlan| {
        matches!(declared.join, Join::Race(_))
            && declared.after.iter().any(|racer| anew.contains(racer))
    };
    let races = workflow.steps.iter().filter(is_run_again);
    let losers = races.flat_map(|race| &race.after).filter(|racer| is_stopped(source, racer));
    let losers: Vec<_> = losers.collect();
    anew.extend(losers);
    anew
}

/// Whether others have made the step needless, begun or not.
fn is_stopped(source: &Task, name: &Name) -> bool {
    let reason = match source.steps.get(&StepId::single(name.clone())).map(|step| &step.state) {
        Some(StepState::Skipped(reason)) => Some(reason),
        Some(
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. }
            | StepState::Completed { .. }
            | StepState::Failed(_)
            | StepState::Cancelled,
        )
        | None => source.fan_outs.get(name).and_then(|fan_out| fan_out.closed.as_ref()),
    };
    reason.is_some_and(|reason| reason.starts_with(NOT_NEEDED)) && !source.joined.contains_key(name)
}

fn bytes(event: &Event) -> usize {
    let documents: usize = event.payloads().into_iter().map(Payload::inline_bytes).sum();
    documents + ENVELOPE
}

/// Whether the other task has begun to undo it: its effect is gone, or may be.
fn is_undone(source: &Task, name: &Name) -> bool {
    let Some(undo) = undone_by(&StepId::single(name.clone())) else { return false };
    source.steps.keys().any(|id| id.name == undo.name)
}

fn take(source: &Task, declared: &StepPlan, events: &mut Vec<Event>) {
    let name = &declared.name;
    let is_done = standing(source, declared) == Standing::Done;
    if let Some(fan_out) = source.fan_outs.get(name) {
        let is_stopped = is_stopped(source, name);
        if is_done || is_stopped {
            events.push(Event::Expanded { step: name.clone(), items: fan_out.items.clone() });
        }
        // What is stopped is closed by the race that it has lost, without its items.
        if !is_done {
            return;
        }
    }
    let (first, last) = (StepId::single(name.clone()), StepId::item(name.clone(), u32::MAX));
    // A crew's turns are its own affair: what it has made is taken over, or it begins anew.
    let last = if declared.crew().is_some() { first.clone() } else { last };
    for (id, step) in source.steps.range(first..=last) {
        match &step.state {
            StepState::Completed { output, confidence, unsure } => {
                let (step_id, output, unsure) = (id.clone(), output.clone(), unsure.clone());
                let (confidence, rev) = (*confidence, step.rev);
                events.push(Event::TakenOver { step: step_id, output, confidence, unsure, rev });
            }
            // An item that its fan-out could spare.
            StepState::Failed(failure) if id.item.is_some() => {
                let (step, failure) = (id.clone(), failure.clone());
                events.push(Event::StepFailed { step, failure, usage: Usage::default() });
            }
            StepState::Skipped(reason) if id.item.is_none() && is_as_declared(reason) => {
                events.push(Event::StepSkipped { step: name.clone(), reason: reason.clone() });
            }
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. }
            | StepState::Failed(_)
            | StepState::Skipped(_)
            | StepState::Cancelled => {}
        }
    }
    if source.fan_outs.contains_key(name)
        && let Some(joined) = source.joined.get(name)
    {
        events.push(joined_again(name, joined, vec![name.clone()]));
    }
}

/// A race that stays decided, whatever becomes of the step that it was for. The best one is chosen
/// again with that step.
fn decided(source: &Task, declared: &StepPlan, (race, is_anew): (&Race, bool)) -> Option<Event> {
    let joined = source.joined.get(&declared.name)?;
    match race {
        Race::Best(_) if is_anew || standing(source, declared) != Standing::Done => return None,
        Race::Best(_) | Race::Quorum(_) => {}
    }
    let is_stopped_list =
        |racer: &&Name| source.fan_outs.contains_key(*racer) && is_stopped(source, racer);
    let stopped = declared.after.iter().filter(is_stopped_list).cloned().collect();
    Some(joined_again(&declared.name, joined, stopped))
}

fn joined_again(step: &Name, joined: &Joined, stopped: Vec<Name>) -> Event {
    let (step, winners, reason) = (step.clone(), joined.winners.clone(), joined.reason.clone());
    Event::Joined { step, winners, stopped, reason, usage: Usage::default() }
}
