//! The events: each must be possible in the state that it meets.
//!
//! The only place of the check that knows every kind of event: a new kind begins here.

use super::{crew, declared, fact::RecordFact, gate, rule::Rule, saga};
use crate::{
    ids::{Name, Partitions, StepId, TaskId},
    payload::Payload,
    task::{AGGREGATE, AskKind, EndStatus, Event, FanOut, Phase, Record, StepState, Task},
    time::UnixMillis,
    workflow::Workflow,
};

pub(super) type Broken = (Rule, String);

/// The task that a first record begins with.
pub(super) fn begin(fact: &RecordFact, partitions: Partitions) -> Result<Task, Broken> {
    let record = &fact.record;
    let first = record.events.first().filter(|event| matches!(event, Event::Accepted { .. }));
    let illegal = || (Rule::LegalFold, "the log does not begin with an acceptance".to_owned());
    let first = Record { events: vec![first.ok_or_else(illegal)?.clone()], ..record.clone() };
    let task = Task::replay([&first]).ok_or_else(illegal)?;
    let goal = &task.goal;
    let derived = TaskId::derive(&goal.tenant, &goal.key);
    let of_key = |text: String| Err((Rule::TaskOfKey, text));
    if derived != fact.task || goal.task != fact.task {
        let (tenant, key) = (&goal.tenant, &goal.key);
        return of_key(format!("tenant {tenant} and key {key:?} make task {derived}"));
    }
    let partition = fact.task.partition(partitions);
    if partition != fact.partition {
        return of_key(format!("it lies in partition {}, not in {partition}", fact.partition));
    }
    Ok(task)
}

/// Folds a record into the task, event by event; of the first one the acceptance is in it already.
/// Without its pack only what is possible at all is judged.
pub(super) fn go_on(
    task: &mut Task,
    record: &Record,
    pack: Option<&Workflow>,
) -> Result<(), Broken> {
    if record.at < task.changed_at {
        let text = format!("it is of {}, older than the one before it", record.at);
        return Err((Rule::LegalFold, text));
    }
    // A timer may find that the last record was full, and go on there: that is not early.
    let expires = record.cause.kind == "timer" && record.decision != "advance";
    if let Some(wake_at) = task.wake_at().filter(|wake_at| expires && record.at < *wake_at) {
        let text = format!("a timer acted at {}, before {wake_at}", record.at);
        return Err((Rule::TimerNotEarly, text));
    }
    let skipped = usize::from(record.rev == 1);
    for event in record.events.iter().skip(skipped) {
        legal(task, event, record.at)?;
        if let Some(pack) = pack {
            declared::check(pack, task, event)?;
        }
        task.apply(event, record.rev, record.at);
    }
    Ok(())
}

fn legal(task: &Task, event: &Event, at: UnixMillis) -> Result<(), Broken> {
    if task.ended().is_some() && !matches!(event, Event::Refused { .. }) {
        return illegal("something happens after the task's end".to_owned());
    }
    match event {
        Event::Accepted { .. } => illegal("the goal is accepted again".to_owned()),
        Event::Expanded { step, .. } => {
            let is_new = !task.fan_outs.contains_key(step)
                && !task.steps.contains_key(&StepId::single(step.clone()));
            if is_new { Ok(()) } else { illegal(format!("step {step} is expanded again")) }
        }
        Event::CrewBegan { step, .. } => crew::began(task, step),
        Event::HandedOff { step, .. } => crew::handed_off(task, step),
        Event::LoopFound { step, .. } => crew::loop_found(task, step),
        Event::StepDispatched { .. } => ordered(task, event, at),
        Event::StepDelayed { step, .. } => match state(task, step) {
            None => Ok(()),
            Some(StepState::Waiting { .. }) if is_ruled(task, step) => Ok(()),
            Some(StepState::Waiting { .. }) => twice(step, "waiting", "delayed"),
            Some(StepState::Failed(_)) if saga::is_retried(task, step) => Ok(()),
            Some(state) => ends(step, state, "delayed"),
        },
        Event::StepCompleted { step, .. } => completed(task, step),
        // Without a state its input could not be made: it never had an order.
        Event::StepFailed { step, .. } => {
            state(task, step).map_or(Ok(()), |state| ends(step, state, "failed"))
        }
        Event::StepWaiting { step, ask, .. } => match state(task, step) {
            // A step that a person does has no order.
            None if ask.kind == AskKind::Approval || crew::is_whole(task, step) => Ok(()),
            None => illegal(format!("step {step} asks and was never dispatched")),
            Some(StepState::Waiting { .. }) => twice(step, "waiting", "asked about"),
            Some(state) => ends(step, state, "asked about"),
        },
        Event::StepSkipped { step, .. } => match state(task, &StepId::single(step.clone())) {
            None => Ok(()),
            Some(state) => illegal(format!("step {step} is skipped and is {}", state.as_str())),
        },
        Event::Voted { step, by } => voted(task, step, by),
        Event::CallRuled { step, .. } => ruled(task, step),
        Event::LimitReached { .. } | Event::BudgetNear { .. } | Event::Refused { .. } => Ok(()),
        Event::BudgetAdded { key, .. } if task.additions.contains(key) => {
            illegal(format!("the budget is added to again by the wish {key}"))
        }
        Event::Paused { .. } if task.paused.is_some() => illegal("it is paused twice".to_owned()),
        Event::Resumed { .. } if task.paused.is_none() => {
            illegal("it is resumed and was not paused".to_owned())
        }
        Event::BudgetAdded { .. } | Event::Paused { .. } | Event::Resumed { .. } => Ok(()),
        Event::Ended { status, answer, .. } => ended(task, *status, answer.as_ref()),
        Event::Compensating { .. } => saga::compensating(task),
        Event::Joined { step, winners, .. } => saga::joined(task, step, winners),
        Event::Retried { step, .. } => saga::retried(task, step),
        Event::TakenOver { step, .. } => saga::taken_over(task, step),
        Event::Forked { fork } => saga::forked(task, fork),
    }
}

/// A work order: one more attempt, at the right time, by the right role.
fn ordered(task: &Task, event: &Event, at: UnixMillis) -> Result<(), Broken> {
    let Event::StepDispatched { step, attempt, role, input, deadline, .. } = event else {
        return Ok(());
    };
    dispatched(task, step, *attempt)?;
    if step.name.as_str() == AGGREGATE {
        if role.as_str() != AGGREGATE {
            return illegal(format!("the aggregation is given to role {role}"));
        }
        return gate::check(task, input).map_err(|text| (Rule::AggregateParts, text));
    }
    if let Phase::Compensating(_) = &task.phase {
        saga::undoing(task, step)?;
    }
    waited(task, step, role, at)?;
    in_time(task, step, at, *deadline)
}

fn ended(task: &Task, status: EndStatus, answer: Option<&Payload>) -> Result<(), Broken> {
    match (&task.phase, answer) {
        (Phase::Running, Some(_)) => {
            illegal("the task ends with an answer that nobody was asked for".to_owned())
        }
        (Phase::Running | Phase::Aggregating | Phase::Ended(_), _) => Ok(()),
        (Phase::Compensating(ending), _) => saga::ends_as(ending, status, answer),
    }
}

fn ruled(task: &Task, step: &StepId) -> Result<(), Broken> {
    match state(task, step) {
        Some(StepState::Waiting { ask, .. }) if ask.kind == AskKind::Doubt => Ok(()),
        Some(_) | None => illegal(format!("step {step} was not in doubt and is ruled on")),
    }
}

/// Whether a person has said what the step's next attempt needs to know.
fn is_ruled(task: &Task, id: &StepId) -> bool {
    let step = task.steps.get(id);
    step.is_some_and(|step| step.ruled.as_ref().is_some_and(|ruled| ruled.attempt == step.attempt))
}

fn completed(task: &Task, step: &StepId) -> Result<(), Broken> {
    match state(task, step) {
        Some(StepState::Completed { .. }) => {
            Err((Rule::OneResult, format!("step {step} is completed again")))
        }
        None if crew::is_whole(task, step) => Ok(()),
        None => illegal(format!("step {step} is completed and was never dispatched")),
        Some(StepState::Delayed { .. }) => {
            illegal(format!("step {step} is completed between two attempts"))
        }
        Some(_) if step.name.as_str() == AGGREGATE => {
            illegal("the aggregation is completed without the task's end".to_owned())
        }
        Some(state) => ends(step, state, "completed"),
    }
}

pub(super) fn illegal(text: String) -> Result<(), Broken> {
    Err((Rule::LegalFold, text))
}

pub(super) fn state<'a>(task: &'a Task, step: &StepId) -> Option<&'a StepState> {
    task.steps.get(step).map(|step| &step.state)
}

/// An open attempt ends; one that has ended does not end again.
fn ends(step: &StepId, state: &StepState, how: &str) -> Result<(), Broken> {
    if state.is_open() { Ok(()) } else { twice(step, state.as_str(), how) }
}

fn twice(step: &StepId, state: &str, how: &str) -> Result<(), Broken> {
    Err((Rule::AttemptOnce, format!("step {step} is {how} and is {state} already")))
}

/// A vote counts once, and the last one that is needed is the step's end.
fn voted(task: &Task, step: &StepId, by: &str) -> Result<(), Broken> {
    match state(task, step) {
        Some(StepState::Waiting { ask, votes }) => {
            if votes.iter().any(|voter| voter == by) {
                return illegal(format!("{by} votes twice on step {step}"));
            }
            let quorum = usize::try_from(ask.quorum).unwrap_or(usize::MAX);
            if votes.len().saturating_add(1) >= quorum {
                return illegal(format!("step {step} goes on waiting with all its votes"));
            }
            Ok(())
        }
        Some(_) | None => illegal(format!("{by} votes on step {step}, which does not wait")),
    }
}

/// What was delayed begins when its time has come, and with the role that it was delayed for.
fn waited(task: &Task, step: &StepId, role: &Name, at: UnixMillis) -> Result<(), Broken> {
    if task.is_still() {
        return illegal(format!("step {step} is dispatched while the task stands still"));
    }
    let Some(before) = task.steps.get(step) else { return Ok(()) };
    let StepState::Delayed { until, .. } = &before.state else { return Ok(()) };
    if at < *until {
        let text = format!("step {step} is dispatched at {at}, before {until}");
        return Err((Rule::TimerNotEarly, text));
    }
    match &before.role {
        Some(wanted) if wanted != role => {
            illegal(format!("step {step} waits for role {wanted} and is given to {role}"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Attempts ascend by one, and only a delayed step gets another one; items exist.
fn dispatched(task: &Task, step: &StepId, attempt: u32) -> Result<(), Broken> {
    let before = task.steps.get(step);
    let expected = before.map_or(0, |step| step.attempt) + 1;
    if attempt != expected {
        let text = format!("step {step} gets attempt {attempt} where {expected} is next");
        return illegal(text);
    }
    match before.map(|step| &step.state) {
        None | Some(StepState::Delayed { .. }) => {}
        Some(
            state @ (StepState::Dispatched { .. }
            | StepState::Failed(_)
            | StepState::Waiting { .. }
            | StepState::Completed { .. }
            | StepState::Skipped(_)
            | StepState::Cancelled),
        ) => return illegal(format!("step {step} is dispatched and is {}", state.as_str())),
    }
    let total = task.fan_outs.get(&step.name).map(FanOut::total);
    match (step.item, total) {
        (Some(item), Some(total)) if item < total => {}
        (None, None) => {}
        // An item's compensation: that there is such an item was seen.
        (Some(_), None) if matches!(task.phase, Phase::Compensating(_)) => {}
        (Some(turn), None) => crew::turn(task, step, turn)?,
        (Some(_), _) => return illegal(format!("there is no item {step}")),
        (None, Some(_)) => return illegal(format!("step {step} is dispatched beside its items")),
    }
    // One that was delayed is open itself.
    let is_open = task.steps.iter().any(|(id, other)| id != step && other.state.is_open());
    match (&task.phase, step.name.as_str()) {
        (Phase::Running, AGGREGATE) if is_open => {
            illegal("the aggregation begins while steps are open".to_owned())
        }
        (Phase::Compensating(_), _) if is_open => {
            illegal(format!("step {step} begins before the compensation before it is over"))
        }
        (Phase::Running | Phase::Compensating(_), _) => Ok(()),
        (Phase::Aggregating | Phase::Ended(_), _) => {
            illegal(format!("step {step} is dispatched after the aggregation began"))
        }
    }
}

/// No order is made at a limit or after the deadline, and none outlives the task.
fn in_time(task: &Task, step: &StepId, at: UnixMillis, deadline: UnixMillis) -> Result<(), Broken> {
    let late = |text: String| Err((Rule::NoLateOrder, format!("step {step} is dispatched {text}")));
    let is_undoing = matches!(task.phase, Phase::Compensating(_));
    if let Some(limit) = task.limited.as_ref().filter(|_| !is_undoing) {
        return late(format!("after a limit was met: {limit}"));
    }
    let end = task.ends_at();
    if at >= end {
        return late(format!("after the task's deadline {end}"));
    }
    if deadline > end {
        return late(format!("until {deadline}, beyond the task's deadline {end}"));
    }
    Ok(())
}
