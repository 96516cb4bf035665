//! `/v1/tasks`: lists, one task, its steps, its answer.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cadre_core::{
    access::Act,
    ids::{Name, TaskId},
    task::Task,
    time::UnixMillis,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout_at};
use utoipa::{IntoParams, ToSchema};

use super::{
    Identity, Problem,
    events::news,
    extract::{Params, Segments},
    state::AppState,
};
use crate::model::{
    Cursor, Page, Status, TaskFilter,
    rows::{StepRow, TaskRow},
};

/// Rows of one page when nothing else is said.
const LIMIT_DEFAULT: u32 = 50;

/// Rows of one page at most.
const LIMIT_MAX: u32 = 1_000;

/// Longest wait for an answer, in seconds: below what proxies allow.
const WAIT_SECONDS_MAX: u64 = 30;

/// How long a task that has just begun is waited for in the read model.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// Which tasks. What is left out does not filter.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TaskParams {
    /// One of these, separated by commas: running, waiting, paused, aggregating, compensating, completed,
    /// partial, failed, cancelled, incomplete, quarantined, too_new.
    status: Option<String>,
    /// Of this workflow.
    workflow: Option<String>,
    /// This role has had an attempt in it.
    role: Option<String>,
    /// All of these words, or beginnings of words, stand in the goal's texts, its key, or its id.
    text: Option<String>,
    /// Accepted then or later, in milliseconds since 1970.
    since_ms: Option<u64>,
    /// Accepted before, in milliseconds since 1970.
    until_ms: Option<u64>,
    /// A step of it has failed.
    #[serde(default)]
    failed: bool,
    /// It should have gone on by itself for half a minute or more.
    #[serde(default)]
    stuck: bool,
    /// It has failed last in this way.
    fingerprint: Option<String>,
    /// Pinned to this pack revision; its first 12 digits are enough.
    revision: Option<String>,
    /// It is a fork of this task.
    parent: Option<String>,
    /// Behind this row: what the page before gave as `next`.
    pub(super) cursor: Option<String>,
    /// At most so many: 1 to 1000, default 50.
    #[param(minimum = 1, maximum = 1000)]
    #[schema(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

impl TaskParams {
    /// As the read model reads it.
    pub(super) fn filter(&self) -> Result<TaskFilter, Problem> {
        let name = |text: &Option<String>| {
            text.as_deref().map(Name::new).transpose().map_err(Problem::malformed)
        };
        let statuses = self.status.as_deref().unwrap_or_default().split(',');
        let statuses = statuses.map(str::trim).filter(|word| !word.is_empty());
        let statuses = statuses.map(str::parse::<Status>).collect::<Result<_, _>>();
        let parent = self.parent.as_deref().map(TaskId::parse).transpose();
        Ok(TaskFilter {
            statuses: statuses.map_err(Problem::malformed)?,
            workflow: name(&self.workflow)?,
            role: name(&self.role)?,
            text: self.text.clone(),
            since: self.since_ms.map(UnixMillis),
            until: self.until_ms.map(UnixMillis),
            has_failed: self.failed,
            is_stuck: self.stuck,
            fingerprint: self.fingerprint.clone(),
            revision: self.revision.clone(),
            parent: parent.map_err(Problem::malformed)?,
        })
    }

    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }
}

/// Rows of one page.
pub(super) fn limit(given: Option<u32>) -> Result<u32, Problem> {
    let limit = given.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::malformed(format!("limit is 1 to {LIMIT_MAX}")))
}

/// Where a page begins.
pub(super) fn cursor(given: Option<&str>) -> Result<Option<Cursor>, Problem> {
    given.map(str::parse).transpose().map_err(Problem::malformed)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ResultParams {
    /// Seconds to wait for the answer: 0 to 30, default 0.
    #[param(minimum = 0, maximum = 30)]
    wait: Option<u64>,
}

/// Where a task stands that has no answer yet.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Standing {
    /// The task.
    task: String,
    /// Where it stands.
    status: &'static str,
}

/// Why a task is where it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explained {
    /// The task.
    task: String,
    /// Where it is, what it waits for and what happens next.
    why: String,
}

/// Lists tasks, the newest first.
#[utoipa::path(get, path = "/v1/tasks", tag = "tasks", params(TaskParams),
    responses((status = 200, description = "Tasks.", body = Page<TaskRow>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    identity: Identity,
    Params(params): Params<TaskParams>,
) -> Result<Json<Page<TaskRow>>, Problem> {
    identity.require(Act::Read)?;
    let (filter, limit) = (params.filter()?, params.limit()?);
    let after = cursor(params.cursor.as_deref())?;
    Ok(Json(app.model().tasks(identity.scope(), &filter, after, limit).await?))
}

/// Shows one task.
#[utoipa::path(get, path = "/v1/tasks/{id}", tag = "tasks",
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "The task.", body = TaskRow)))]
pub(super) async fn show(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<TaskRow>, Problem> {
    identity.require(Act::Read)?;
    shown(&app, &identity, &id).await.map(Json)
}

/// A task in the read model; one that has just begun is waited for.
async fn shown(app: &AppState, identity: &Identity, id: &str) -> Result<TaskRow, Problem> {
    let task = TaskId::parse(id).map_err(Problem::not_found)?;
    if let Some(row) = app.model().task(identity.scope(), &task).await? {
        return Ok(row);
    }
    let mut changes = app.model().changes();
    // It is in the log, and theirs, or there is none.
    app.task(identity, id).await?;
    let end = Instant::now() + SHOWN_WITHIN;
    loop {
        if let Some(row) = app.model().task(identity.scope(), &task).await? {
            return Ok(row);
        }
        if timeout_at(end, news(&mut changes, &task)).await.is_err() {
            return Err(Problem::unavailable(format!("task {id} is not in the read model yet")));
        }
    }
}

/// Lists the steps of a task, with their attempts, questions, and where their time went.
#[utoipa::path(get, path = "/v1/tasks/{id}/steps", tag = "tasks",
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "Steps in the order in which they began.", body = super::fleet::Rows<StepRow>)))]
pub(super) async fn steps(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<super::fleet::Rows<StepRow>>, Problem> {
    identity.require(Act::Read)?;
    shown(&app, &identity, &id).await?;
    let task = TaskId::parse(&id).map_err(Problem::not_found)?;
    let rows = app.model().steps(identity.scope(), &task).await?.unwrap_or_default();
    Ok(Json(super::fleet::Rows { rows }))
}

/// Says where a task is, what it waits for and what happens next.
#[utoipa::path(get, path = "/v1/tasks/{id}/why", tag = "tasks",
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "In a few sentences.", body = Explained)))]
pub(super) async fn why(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<Explained>, Problem> {
    identity.require(Act::Read)?;
    let task = app.task(&identity, &id).await?;
    let why = app.desk().why(&task).await?;
    Ok(Json(Explained { task: id, why }))
}

/// Gives the answer of a task, or says that it has none yet.
#[utoipa::path(get, path = "/v1/tasks/{id}/result", tag = "tasks",
    params(("id" = String, Path, description = "The task"), ResultParams),
    responses((status = 200, description = "The answer: `status`, `result`, conflicts, what is missing.", body = Object),
        (status = 202, description = "It has not ended.", body = Standing)))]
pub(super) async fn result(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Params(params): Params<ResultParams>,
) -> Result<Response, Problem> {
    identity.require(Act::Read)?;
    let wait = params.wait.unwrap_or_default();
    if wait > WAIT_SECONDS_MAX {
        return Err(Problem::malformed(format!("wait is 0 to {WAIT_SECONDS_MAX} seconds")));
    }
    let mut changes = app.model().changes();
    let mut task = app.task(&identity, &id).await?;
    let end = Instant::now() + Duration::from_secs(wait);
    while task.ended().is_none() && Instant::now() < end {
        tokio::select! {
            () = news(&mut changes, task.id()) => {}
            () = sleep(Duration::from_secs(1).min(end - Instant::now())) => {}
        }
        task = app.task(&identity, &id).await?;
    }
    Ok(answer(&task))
}

fn answer(task: &Task) -> Response {
    let Some(answer) = task.answer() else {
        let (task, status) = (task.id().to_string(), task.status());
        return (StatusCode::ACCEPTED, Json(Standing { task, status })).into_response();
    };
    // The document as it is, with its numbers as they were written.
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], answer.document.text().to_owned()).into_response()
}
