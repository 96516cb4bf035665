//! One task.

use std::time::Duration;

use axum::{
    extract::{Path, Query},
    response::Response,
};
use cadre_core::{
    access,
    ids::{Name, TaskId},
    task::{End, Event},
};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::{
    Oops, OrOops as _, Visit, calls, found, or_empty, packs, questions::task_id, ran::ran, steps,
};
use crate::{
    http::Problem,
    model::rows::{EventRow as Record, StepRow, TaskRow},
    pages::task::{Act, EventRow, Node, SpendRow, Tab, Task, Timeline, page},
};

/// Records of one page.
const EVENTS: u32 = 200;

/// Steps whose cost is listed.
const SPEND_SHOWN: usize = 200;

/// How long a task that was just published is waited for in the read model.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Default, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    tab: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    fold: String,
    #[serde(default)]
    failed: String,
    #[serde(default)]
    after: u64,
}

pub(super) async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Result<Response, Oops> {
    let task = task_id(&id).or_oops(&visit)?;
    let row = row(&visit, &task).await.or_oops(&visit)?;
    let scope = visit.identity.scope();
    let rows = found(visit.app.model().steps(scope, &task).await, &id).or_oops(&visit)?;
    let tab = Tab::parse(&params.tab);
    let mut view = head(row, tab);
    view.selected = params.step;
    view.timeline = Timeline {
        lanes: steps::lanes(&rows),
        is_folded: !params.fold.is_empty(),
        is_failed_only: !params.failed.is_empty(),
    };
    if visit.may(access::Act::Steer) {
        view.acts = Act::fitting(&view.status);
    }
    part(&visit, &task, &rows, params.after, &mut view).await.or_oops(&visit)?;
    if let Some(row) = rows.iter().find(|row| row.step == view.selected) {
        view.step = Some(steps::one(&visit, &task, row).await.or_oops(&visit)?);
    }
    visit.show(&page(&visit.chrome(), &view)).await
}

/// A task that was published a moment ago may not be in the read model yet.
async fn row(visit: &Visit, task: &TaskId) -> Result<TaskRow, Problem> {
    let until = Instant::now() + SHOWN_WITHIN;
    loop {
        let row = visit.app.model().task(visit.identity.scope(), task).await?;
        if let Some(row) = row {
            return Ok(row);
        }
        // Whoever may not see it learns as much as if it were not there.
        visit.app.task(&visit.identity, task.as_str()).await?;
        if Instant::now() >= until {
            return Err(Problem::unavailable("the read model has not reached this task's log yet"));
        }
        sleep(LOOK_EVERY).await;
    }
}

fn head(row: TaskRow, tab: Tab) -> Task {
    let goal = if row.excerpt.is_empty() { row.key.clone() } else { row.excerpt };
    let why = match (&row.problem, &row.reason, &row.waits_text) {
        (Some(problem), ..) => problem.clone(),
        (None, Some(reason), _) => reason.clone(),
        (None, None, Some(waits)) => format!("It waits: {waits}"),
        (None, None, None) => String::new(),
    };
    Task {
        id: row.task,
        status: row.status.as_str().to_owned(),
        goal,
        workflow: row.workflow,
        revision: row.revision,
        tenant: row.tenant,
        key: row.key,
        by: or_empty(row.user),
        accepted_ms: row.accepted_at_ms,
        ended_ms: row.ended_at_ms,
        deadline_ms: row.deadline_at_ms,
        why,
        is_stuck: row.is_stuck,
        parent: row.parent,
        steps_used: row.dispatches.into(),
        steps_limit: row.dispatches_max.unwrap_or(0).into(),
        tokens: row.tokens,
        tokens_limit: row.tokens_max.unwrap_or(0),
        cost_micros: row.cost_micros,
        cost_limit_micros: row.cost_max_micros.unwrap_or(0),
        retries: row.retries.into(),
        fallbacks: row.fallbacks.into(),
        tab,
        ..Task::default()
    }
}

/// What only the chosen part needs.
async fn part(
    visit: &Visit,
    task: &TaskId,
    rows: &[StepRow],
    after: u64,
    view: &mut Task,
) -> Result<(), Problem> {
    match view.tab {
        Tab::Timeline => {
            // The sentence of `cadre task why` says more than a row; without the bus the row must do.
            if view.ended_ms.is_none()
                && let Ok(state) = visit.app.task(&visit.identity, task.as_str()).await
                && let Ok(why) = visit.app.desk().why(&state).await
            {
                view.why = why;
            }
        }
        Tab::Graph => (view.nodes, view.ran) = graph(visit, rows, view).await,
        Tab::Events => {
            let scope = visit.identity.scope();
            let events =
                found(visit.app.model().events(scope, task, after, EVENTS).await, task.as_str())?;
            let is_full = u32::try_from(events.len()).is_ok_and(|count| count == EVENTS);
            view.events_after = events.last().map(|event| event.rev).filter(|_| is_full);
            view.events = events.into_iter().map(event).collect();
        }
        Tab::Calls => {
            view.calls = calls::of_task(&visit.app.desk().calls(task).await?);
        }
        Tab::Result => {
            if let Some(end) = end(visit, task).await? {
                view.answer = Some(answer(visit, &end, rows).await);
            }
        }
        Tab::Spend => {
            view.spend = spend(rows);
            view.spend_left_out = view.spend.len().saturating_sub(SPEND_SHOWN) as u64;
            view.spend.truncate(SPEND_SHOWN);
        }
    }
    Ok(())
}

/// How a task ended and with which answer. Its last record tells: to replay a large log takes long.
async fn end(visit: &Visit, task: &TaskId) -> Result<Option<End>, Problem> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    if let Some(last) = model.last_event(scope, task).await? {
        let items = model.records(task, last.sequence.saturating_sub(1)).await?;
        for linked in items.iter().filter_map(|item| item.content.as_ref().ok()) {
            for event in &linked.record.events {
                if let Event::Ended { status, reason, answer, .. } = event {
                    let (status, reason, answer) = (*status, reason.clone(), answer.clone());
                    return Ok(Some(End { status, reason, answer, at: linked.record.at }));
                }
            }
        }
    }
    // It has not ended, or something came behind its end.
    Ok(visit.app.task(&visit.identity, task.as_str()).await?.ended().cloned())
}

async fn answer(visit: &Visit, end: &End, rows: &[StepRow]) -> crate::pages::task::Answer {
    let degraded = rows.iter().filter(|row| row.degraded.is_some());
    let degraded = degraded.map(|row| row.step.clone()).collect();
    let document = match &end.answer {
        Some(payload) => Some(steps::whole(visit, payload).await),
        None => None,
    };
    steps::answer(end.status.as_str(), &end.reason, document.as_ref(), degraded)
}

fn event(record: Record) -> EventRow {
    let state = match record.decision.as_str() {
        "dispatch" | "advance" => "running",
        "complete" => "completed",
        "fail" | "quarantine" => "failed",
        "cancel" => "cancelled",
        "wait" | "ask" => "waiting",
        _ => "",
    };
    let caused = match record.source.as_str() {
        "" => record.cause,
        source => format!("{} {source}", record.cause),
    };
    EventRow {
        rev: record.rev,
        at_ms: record.at_ms,
        text: record.text,
        reason: format!("{}: {} · by {caused}", record.decision, record.reason),
        state: state.to_owned(),
    }
}

/// The plan with what has become of each step, and what ran; without the pack there is no plan.
async fn graph(visit: &Visit, rows: &[StepRow], view: &Task) -> (Vec<Node>, Vec<Node>) {
    let pack = match Name::new(&view.workflow) {
        Ok(name) => visit.app.desk().pack(&name, Some(&view.revision)).await.ok(),
        Err(_) => None,
    };
    let plan = pack.as_ref().map(|pack| &*pack.workflow);
    let mut nodes = plan.map(packs::planned).unwrap_or_default();
    let address = format!("/tasks/{}?tab=graph&step=", view.id);
    for node in &mut nodes {
        steps::mark(node, rows);
        node.address = format!("{address}{}", node.name);
    }
    (nodes, ran(plan, rows, &address))
}

fn spend(rows: &[StepRow]) -> Vec<SpendRow> {
    let rows = rows.iter().filter(|row| row.cost_micros > 0 || row.tokens > 0);
    let mut spend: Vec<SpendRow> = rows
        .map(|row| SpendRow {
            name: row.step.clone(),
            role: or_empty(row.role.clone()),
            tokens: row.tokens,
            cost_micros: row.cost_micros,
        })
        .collect();
    spend.sort_by_key(|row| std::cmp::Reverse((row.cost_micros, row.tokens)));
    spend
}
