//! `POST /v1/tasks/actions`: steers every task that a filter leaves.

use axum::{Json, extract::State};
use cadre_core::{
    access::Act,
    task::Action,
    wish::{Outcome, Want},
};
use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Identity, Problem,
    actions::{OutcomeBody, wish},
    extract::Body,
    goals::random_key,
    state::AppState,
    tasks::{TaskParams, cursor},
};
use crate::model::Status;

/// Wishes that are on their way at the same time.
const WISHES_MAX: usize = 16;

/// Tasks that one request steers at most; the next one takes the next ones.
const TASKS_MAX: u32 = 200;

/// What is wanted of many tasks.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BulkAction {
    /// They end, once what they have done is undone.
    Cancel,
    /// They end at once.
    Kill,
    /// Nothing new begins in them.
    Pause,
    /// They go on.
    Resume,
    /// Their failed steps are tried again.
    Retry,
}

/// What is wanted of which tasks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkBody {
    /// What.
    action: BulkAction,
    /// Which: as the parameters of the list of tasks, only open ones unless a status is named. `limit` is 1 to
    /// 200 here.
    #[serde(default)]
    filter: TaskParams,
    /// Only says how many it would be.
    #[serde(default)]
    dry_run: bool,
    /// Why; it stands in each task's log.
    reason: Option<String>,
}

/// What became of many tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkDocument {
    /// Tasks that the filter leaves, those of further pages included.
    matched: u64,
    /// False when there were so many that counting stopped.
    is_exact: bool,
    /// Whether nothing was changed.
    dry_run: bool,
    /// What became of each.
    results: Vec<OutcomeBody>,
    /// What to send as `cursor` for the next tasks.
    next: Option<String>,
}

/// Steers every task that a filter leaves, or says how many that would be.
#[utoipa::path(post, path = "/v1/tasks/actions", tag = "tasks", request_body = BulkBody,
    responses((status = 200, description = "What became of each.", body = BulkDocument)))]
pub(super) async fn act(
    State(app): State<AppState>,
    identity: Identity,
    Body(body): Body<BulkBody>,
) -> Result<Json<BulkDocument>, Problem> {
    identity.require(Act::Steer)?;
    let mut filter = body.filter.filter()?;
    if filter.statuses.is_empty() {
        let is_open = |status: &Status| {
            !status.is_end() && !matches!(status, Status::Quarantined | Status::TooNew)
        };
        filter.statuses = Status::ALL.into_iter().filter(is_open).collect();
    }
    let counts = app.model().counts(identity.scope(), &filter).await?;
    let matched = filter.statuses.iter().map(|status| counts.of(*status)).sum();
    let (is_exact, dry_run) = (counts.is_exact, body.dry_run);
    if dry_run {
        let (results, next) = (Vec::new(), None);
        return Ok(Json(BulkDocument { matched, is_exact, dry_run, results, next }));
    }
    let (limit, after) = (body.filter.limit()?, cursor(body.filter.cursor.as_deref())?);
    let limit = limit.min(TASKS_MAX);
    let page = app.model().tasks(identity.scope(), &filter, after, limit).await?;
    // Found out before the first task is touched.
    wish(&identity, want(body.action), String::new(), body.reason.clone())?;
    let (app, identity, body) = (&app, &identity, &body);
    let results = stream::iter(page.rows)
        .map(|row| async move {
            let outcome = one(app, identity, &row.task, body).await;
            let outcome = outcome.unwrap_or_else(|problem| failed(&problem));
            OutcomeBody::of(&row.task, &outcome)
        })
        .buffered(WISHES_MAX)
        .collect()
        .await;
    let next = page.next.map(|cursor| cursor.to_string());
    Ok(Json(BulkDocument { matched, is_exact, dry_run, results, next }))
}

fn want(action: BulkAction) -> Want {
    match action {
        BulkAction::Cancel => Want::Cancel,
        BulkAction::Kill => Want::Control(Action::Kill),
        BulkAction::Pause => Want::Control(Action::Pause),
        BulkAction::Resume => Want::Control(Action::Resume),
        BulkAction::Retry => Want::Control(Action::Retry(None)),
    }
}

async fn one(
    app: &AppState,
    identity: &Identity,
    id: &str,
    body: &BulkBody,
) -> Result<Outcome, Problem> {
    let task = app.task(identity, id).await?;
    let wish = wish(identity, want(body.action), random_key(), body.reason.clone())?;
    Ok(app.desk().steer(&task, wish).await?)
}

/// One task that could not be steered keeps no other one from it.
fn failed(problem: &Problem) -> Outcome {
    if problem.status().is_server_error() {
        return Outcome::Unknown(problem.detail().to_owned());
    }
    Outcome::Refused(problem.detail().to_owned())
}
