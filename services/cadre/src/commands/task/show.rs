//! `cadre task show`: one task on one page.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::{
    document,
    ids::StepId,
    task::{AGGREGATE, Event, Record, Step, StepState, Task, Usage},
    time::UnixMillis,
    workflow::{Grant, Workflow},
};
use serde_json::{Value, json};

use super::{OneArgs, ls};
use crate::{
    answer,
    commands::client::{Client, now, task_id},
    output::{
        self, Format, Look, Style,
        text::{brief, clean, count, span, usd},
    },
    settings::Settings,
    timeline,
};

/// Characters of a reason in the table of steps.
const REASON_CHARS_MAX: usize = 100;

/// Characters of an ask's hash that people see.
const HASH_CHARS: usize = 12;

/// Where the time of a step went, as far as it has ended.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    sent_at: UnixMillis,
    /// On the way to a worker and back.
    queued: Option<Duration>,
    /// In the worker's hands.
    running: Option<Duration>,
}

pub(super) async fn run(args: &OneArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    let records = client.log(&id).await?;
    let Some(task) = Task::replay(&records) else {
        anyhow::bail!("the log of task {id} does not begin with a goal");
    };
    match args.output.format(settings) {
        Format::Table => {
            let workflow = client.workflow_of(&task).await;
            print(&task, &records, (workflow.as_deref(), now(&client.bus)))
        }
        Format::Json => output::json(&document(&task, &records)),
        Format::Ndjson => output::ndjson(&document(&task, &records)),
        Format::Id => Ok(output::data(id.as_str())?),
    }
}

/// One task on one page, as of `now`.
pub(super) fn print(
    task: &Task,
    records: &[Record],
    (workflow, now): (Option<&Workflow>, UnixMillis),
) -> anyhow::Result<()> {
    for line in head(task, workflow, now) {
        output::data(&line)?;
    }
    print_steps(task, &times(records), now)?;
    print_end(task)
}

/// The same for programs.
pub(super) fn document(task: &Task, records: &[Record]) -> Value {
    page(task, &times(records))
}

/// Where the time of each step's last attempt went.
fn times(records: &[Record]) -> BTreeMap<StepId, Times> {
    let mut times: BTreeMap<StepId, Times> = BTreeMap::new();
    for record in records {
        for event in &record.events {
            match event {
                Event::StepDispatched { step, .. } => {
                    times.insert(step.clone(), Times { sent_at: record.at, ..Times::default() });
                }
                Event::StepDelayed { step, failure: Some(_), usage, .. }
                | Event::StepCompleted { step, usage, .. }
                | Event::StepFailed { step, usage, .. }
                | Event::StepWaiting { step, usage, .. } => {
                    if let Some(times) = times.get_mut(step) {
                        times.end(record.at, *usage);
                    }
                }
                // The end of the task is the report of its last step.
                Event::Ended { answer: Some(_), usage, .. }
                | Event::Compensating { answer: Some(_), usage, .. } => {
                    let last = times.iter_mut().find(|(id, _)| id.name.as_str() == AGGREGATE);
                    if let Some((_, times)) = last {
                        times.end(record.at, *usage);
                    }
                }
                Event::Accepted { .. }
                | Event::Expanded { .. }
                | Event::CrewBegan { .. }
                | Event::HandedOff { .. }
                | Event::LoopFound { .. }
                | Event::StepDelayed { failure: None, .. }
                | Event::StepSkipped { .. }
                | Event::Voted { .. }
                | Event::CallRuled { .. }
                | Event::LimitReached { .. }
                | Event::BudgetNear { .. }
                | Event::BudgetAdded { .. }
                | Event::Paused { .. }
                | Event::Resumed { .. }
                | Event::Joined { .. }
                | Event::Retried { .. }
                | Event::TakenOver { .. }
                | Event::Forked { .. }
                | Event::Refused { .. }
                | Event::Compensating { answer: None, .. }
                | Event::Ended { answer: None, .. } => {}
            }
        }
    }
    times
}

impl Times {
    fn end(&mut self, at: UnixMillis, usage: Usage) {
        let all = at.since(self.sent_at);
        let running = Duration::from_millis(usage.work_ms).min(all);
        (self.running, self.queued) = (Some(running), Some(all.saturating_sub(running)));
    }
}

/// Steps in the order in which they began.
fn in_order(task: &Task) -> Vec<(&StepId, &Step)> {
    let mut steps: Vec<_> = task.steps.iter().collect();
    steps.sort_by_key(|(id, step)| (step.started_at, id.name.as_str() == AGGREGATE));
    steps
}

/// The state as one word. The gate's step is closed by the end of the task, not by itself.
fn state(task: &Task, id: &StepId, step: &Step) -> &'static str {
    let has_answer = task.ended().is_some_and(|end| end.answer.is_some());
    match step.state {
        StepState::Cancelled if has_answer && id.name.as_str() == AGGREGATE => "completed",
        StepState::Cancelled
        | StepState::Dispatched { .. }
        | StepState::Delayed { .. }
        | StepState::Waiting { .. }
        | StepState::Completed { .. }
        | StepState::Failed(_)
        | StepState::Skipped(_) => step.state.as_str(),
    }
}

fn head(task: &Task, workflow: Option<&Workflow>, now: UnixMillis) -> Vec<String> {
    let goal = &task.goal;
    let line = |name: &str, text: String| format!("{name:<10}  {}", clean(&text));
    let when = |at: UnixMillis| match now >= at {
        true => format!("{at} ({} ago)", span(now.since(at))),
        false => format!("{at} (in {})", span(at.since(now))),
    };
    let revision: String = goal.revision.chars().take(12).collect();
    let spent = format!(
        "{}, {}, {} of work",
        usd(task.usage.usd_micros),
        count(task.usage.tokens, "token"),
        span(Duration::from_millis(task.usage.work_ms))
    );
    let mut lines = vec![
        line("task", task.id().to_string()),
        line("status", ls::status(task)),
        line("workflow", format!("{} (revision {revision})", goal.workflow)),
        line("tenant", goal.tenant.to_string()),
        line("key", goal.key.clone()),
        line("accepted", when(task.accepted_at)),
        line("changed", when(task.changed_at)),
        line("deadline", when(task.deadline)),
        line("spent", spent),
    ];
    if let Some(user) = &goal.user {
        lines.insert(5, line("user", user.clone()));
    }
    let limit = workflow.map(|workflow| workflow.limits.steps_max);
    let limit = limit.into_iter().chain(goal.limits.steps_max).min();
    let limit = limit.map(|limit| limit.saturating_add(task.added.steps));
    let of = limit.map_or(String::new(), |limit| format!(" of at most {limit}"));
    lines.push(line("steps", format!("{} dispatched{of}", task.dispatches)));
    lines.extend(held(task).into_iter().map(|(name, text)| line(name, text)));
    lines
}

/// What is reserved and added, and what keeps the task from going on.
fn held(task: &Task) -> Vec<(&'static str, String)> {
    let Grant { usd_micros, tokens } = task.reserved;
    let reserved = (task.reserved != Grant::default())
        .then(|| format!("{}, {}", usd(usd_micros), count(tokens, "token")));
    let added = (!task.additions.is_empty()).then(|| timeline::added(task.added));
    let rows = [
        ("reserved", reserved),
        ("added", added),
        ("paused", task.paused.as_ref().map(|by| format!("by {by}, until it is resumed"))),
        ("held", task.held.as_ref().map(|it| format!("until the budget is larger: {it}"))),
        ("limit", task.limited.clone()),
    ];
    rows.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn print_steps(
    task: &Task,
    times: &BTreeMap<StepId, Times>,
    now: UnixMillis,
) -> anyhow::Result<()> {
    let time = |duration: Option<Duration>| duration.map_or("-".to_owned(), span);
    let row = |(id, step): (&StepId, &Step)| {
        let known = times.get(id).copied().unwrap_or_default();
        // A step that is out has been so until now.
        let open = matches!(step.state, StepState::Dispatched { .. });
        let out = open.then(|| format!("{}...", span(now.since(known.sent_at))));
        vec![
            id.to_string(),
            step.role.as_ref().map_or("-".to_owned(), ToString::to_string),
            state(task, id, step).to_owned(),
            step.attempt.to_string(),
            out.unwrap_or_else(|| time(known.queued)),
            time(known.running),
            brief(&reason(task, id, step), REASON_CHARS_MAX),
        ]
    };
    let rows: Vec<_> = in_order(task).into_iter().map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    output::data("")?;
    let header = ["step", "role", "state", "attempts", "queued", "running", "reason"];
    Ok(output::table(&header, &rows)?)
}

fn reason(task: &Task, id: &StepId, step: &Step) -> String {
    let text = state_reason(task, id, step);
    match &step.degraded {
        Some(why) if text.is_empty() => format!("degraded: {why}"),
        Some(why) => format!("{text}; degraded: {why}"),
        None => text,
    }
}

fn state_reason(task: &Task, id: &StepId, step: &Step) -> String {
    match &step.state {
        StepState::Failed(failure) => format!("{}: {}", failure.kind.as_str(), failure.message),
        StepState::Skipped(reason) => reason.clone(),
        StepState::Delayed { until, reason, .. } => format!("until {until}: {reason}"),
        StepState::Waiting { ask, votes } => {
            let hash = ask.hash(task.id(), id, step.attempt).to_string();
            let hash: String = hash.chars().take(HASH_CHARS).collect();
            let agreed = match ask.quorum {
                0 | 1 => String::new(),
                quorum => format!(", {} of {quorum} agreed", votes.len()),
            };
            format!("{} {hash}{agreed}: {}", ask.kind.as_str(), ask.question)
        }
        StepState::Completed { unsure: Some(doubt), .. } => format!("unsure: {doubt}"),
        StepState::Completed { confidence: Some(confidence), .. } => {
            format!("confidence {confidence:.2}")
        }
        StepState::Completed { unsure: None, confidence: None, .. }
        | StepState::Dispatched { .. }
        | StepState::Cancelled => String::new(),
    }
}

/// How it ended, without the result: that is what `task result` is for.
fn print_end(task: &Task) -> anyhow::Result<()> {
    let Some(answer) = task.answer() else { return Ok(()) };
    let mut document = answer.document.value().clone();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("result");
    }
    let style = Style::detect();
    output::data("")?;
    let width = output::width().map_or(100, usize::from);
    for line in answer::lines(&document, style, width) {
        output::data(&line)?;
    }
    let hint = format!("result: cadre task result {}", task.id());
    Ok(output::data(&style.paint(Look::Dim, &hint))?)
}

fn delayed_until(step: &Step) -> Option<String> {
    match &step.state {
        StepState::Delayed { until, .. } => Some(until.to_string()),
        StepState::Dispatched { .. }
        | StepState::Waiting { .. }
        | StepState::Completed { .. }
        | StepState::Failed(_)
        | StepState::Skipped(_)
        | StepState::Cancelled => None,
    }
}

/// What a person is asked, with what a decision must name and who has agreed.
fn asked(task: &Task, id: &StepId, step: &Step) -> Value {
    let StepState::Waiting { ask, votes } = &step.state else { return Value::Null };
    let mut document = document::ask(ask);
    if let Some(fields) = document.as_object_mut() {
        let hash = ask.hash(task.id(), id, step.attempt);
        fields.insert("hash".to_owned(), hash.to_string().into());
        fields.insert("votes".to_owned(), votes.clone().into());
    }
    document
}

fn page(task: &Task, times: &BTreeMap<StepId, Times>) -> Value {
    let goal = &task.goal;
    let step = |(id, step): (&StepId, &Step)| {
        let times = times.get(id).copied().unwrap_or_default();
        json!({
            "step": id.to_string(),
            "role": step.role.as_ref().map(|role| role.as_str()),
            "state": state(task, id, step),
            "attempts": step.attempt,
            "started_at": step.started_at.to_string(),
            "changed_at": step.changed_at.to_string(),
            "queued_ms": times.queued.map(document::millis),
            "running_ms": times.running.map(document::millis),
            "reason": reason(task, id, step),
            "grant": document::grant(step.grant),
            "degraded": step.degraded,
            "delayed_until": delayed_until(step),
            "ask": asked(task, id, step),
        })
    };
    json!({
        "task": task.id().as_str(),
        "status": task.status(),
        "waits_for": ls::waits_for(task),
        "tenant": goal.tenant.as_str(),
        "workflow": goal.workflow.as_str(),
        "revision": &*goal.revision,
        "key": goal.key,
        "user": goal.user,
        "rev": task.rev,
        "accepted_at": task.accepted_at.to_string(),
        "changed_at": task.changed_at.to_string(),
        "deadline": task.deadline.to_string(),
        "usage": document::usage(task.usage),
        "dispatched": task.dispatches,
        "reserved": document::grant(task.reserved),
        "added": document::budget(task.added),
        "paused": task.paused,
        "held": task.held,
        "limited": task.limited,
        "steps": in_order(task).into_iter().map(step).collect::<Vec<_>>(),
        "answer": task.answer().map(|answer| answer.document.value().clone()),
    })
}
