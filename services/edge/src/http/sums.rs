//! `/v1/overview`, `/v1/spend`, `/v1/roles`, `/v1/approvals`: lists and sums out of the read model.

use std::time::Duration;

use axum::{Json, extract::State};
use cadre_core::{
    access::Act,
    ids::{Name, TaskId},
    time::UnixMillis,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Identity, Problem,
    extract::Params,
    fleet::Rows,
    state::AppState,
    tasks::{cursor, limit},
};
use crate::model::{
    Page, QuestionFilter, SpendBy,
    rows::QuestionRow,
    sums::{Overview, RoleRow, SpendRow},
};

/// How far spend is looked back when nothing else is said.
const SPEND_DEFAULT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How far roles are looked back when nothing else is said.
const ROLES_DEFAULT: Duration = Duration::from_secs(3_600);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SpendParams {
    /// From then on, in milliseconds since 1970; default: 7 days ago.
    since_ms: Option<u64>,
    /// Until before then; default: now.
    until_ms: Option<u64>,
    /// Added up by these, separated by commas: hour, day, tenant, workflow, role, model. Default: day.
    by: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RoleParams {
    /// Times and errors of attempts that ended since then, in milliseconds since 1970; default: an hour ago.
    since_ms: Option<u64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct QuestionParams {
    /// Also those that were decided, the newest first.
    #[serde(default)]
    all: bool,
    /// Of this workflow.
    workflow: Option<String>,
    /// Of this task.
    task: Option<String>,
    /// Behind this row: what the page before gave as `next`.
    cursor: Option<String>,
    /// At most so many: 1 to 1000, default 50.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Shows what needs a person first, and how the last hour was.
#[utoipa::path(get, path = "/v1/overview", tag = "fleet",
    responses((status = 200, description = "At a glance.", body = Overview)))]
pub(super) async fn overview(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<Overview>, Problem> {
    identity.require(Act::Read)?;
    Ok(Json(app.model().overview(identity.scope()).await?))
}

/// Adds up what was spent.
#[utoipa::path(get, path = "/v1/spend", tag = "fleet", params(SpendParams),
    responses((status = 200, description = "By time first and in order, else the most expensive first.", body = Rows<SpendRow>)))]
pub(super) async fn spend(
    State(app): State<AppState>,
    identity: Identity,
    Params(params): Params<SpendParams>,
) -> Result<Json<Rows<SpendRow>>, Problem> {
    identity.require(Act::Read)?;
    let now = app.desk().now();
    let since = params.since_ms.map_or_else(|| ago(now, SPEND_DEFAULT), UnixMillis);
    let until = params.until_ms.map_or(UnixMillis(now.0.saturating_add(1)), UnixMillis);
    let by = params.by.as_deref().unwrap_or("day").split(',').map(str::trim);
    let by = by.filter(|word| !word.is_empty()).map(str::parse::<SpendBy>);
    let by: Vec<_> = by.collect::<Result<_, _>>().map_err(Problem::malformed)?;
    let rows = app.model().spend(identity.scope(), (since, until), &by).await?;
    Ok(Json(Rows { rows }))
}

/// Lists roles: what is in flight, how long it takes, what fails.
#[utoipa::path(get, path = "/v1/roles", tag = "fleet", params(RoleParams),
    responses((status = 200, description = "Roles by name.", body = Rows<RoleRow>)))]
pub(super) async fn roles(
    State(app): State<AppState>,
    identity: Identity,
    Params(params): Params<RoleParams>,
) -> Result<Json<Rows<RoleRow>>, Problem> {
    identity.require(Act::Read)?;
    let since = params.since_ms.map_or_else(|| ago(app.desk().now(), ROLES_DEFAULT), UnixMillis);
    Ok(Json(Rows { rows: app.model().agents(identity.scope(), since).await? }))
}

/// Lists what tasks ask people, the most urgent question first.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals", params(QuestionParams),
    responses((status = 200, description = "Questions.", body = Page<QuestionRow>)))]
pub(super) async fn questions(
    State(app): State<AppState>,
    identity: Identity,
    Params(params): Params<QuestionParams>,
) -> Result<Json<Page<QuestionRow>>, Problem> {
    identity.require(Act::Read)?;
    let workflow = params.workflow.as_deref().map(Name::new).transpose();
    let task = params.task.as_deref().map(TaskId::parse).transpose();
    let filter = QuestionFilter {
        is_open: !params.all,
        workflow: workflow.map_err(Problem::malformed)?,
        task: task.map_err(Problem::malformed)?,
    };
    let (after, limit) = (cursor(params.cursor.as_deref())?, limit(params.limit)?);
    Ok(Json(app.model().questions(identity.scope(), &filter, after, limit).await?))
}

fn ago(now: UnixMillis, time: Duration) -> UnixMillis {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    UnixMillis(now.0.saturating_sub(millis))
}
