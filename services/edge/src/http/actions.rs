//! `POST /v1/tasks/{id}/…`: steers tasks, one or many.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use cadre_core::{
    access::Act,
    ids::{Name, StepId},
    payload::Payload,
    task::{Action, Budget},
    wish::{ForkWish, Outcome, Want, Wish},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    Identity, Problem,
    extract::{Body, Segments},
    goals::{self, PublishedBody},
    state::AppState,
};

/// Bytes of a reason.
const REASON_BYTES_MAX: usize = cadre_core::limits::TEXT_BYTES_MAX;

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// Why; it stands in the task's log.
    reason: Option<String>,
}

/// What to try again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetryBody {
    /// A step, one item of a fan-out, or a fan-out; all that failed if it is left out.
    step: Option<String>,
    /// Why; it stands in the task's log.
    reason: Option<String>,
}

/// What limits grow by; at least one of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BudgetBody {
    /// Work orders.
    #[serde(default)]
    steps: u32,
    /// Millionths of a US dollar.
    #[serde(default)]
    cost_micros: u64,
    /// Model tokens.
    #[serde(default)]
    tokens: u64,
    /// Milliseconds until the task's deadline.
    #[serde(default)]
    time_ms: u64,
    /// Why; it stands in the task's log.
    reason: Option<String>,
}

/// Where a fork begins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForkBody {
    /// The first step that runs anew.
    from: String,
    /// The fork's input; the other task's if it is left out.
    #[schema(value_type = Option<Object>)]
    input: Option<Box<RawValue>>,
}

/// What became of a wish.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeBody {
    /// The task.
    pub(crate) task: String,
    /// `done`, `unchanged`, `refused`, or `unknown`: it is stored, and nobody has handled it yet.
    pub(crate) outcome: &'static str,
    /// The record that says so.
    pub(crate) rev: Option<u64>,
    /// What was decided, as one word.
    pub(crate) decision: Option<String>,
    /// In one sentence.
    pub(crate) reason: String,
}

impl OutcomeBody {
    pub(crate) fn of(task: &str, outcome: &Outcome) -> Self {
        let (rev, decision) = match outcome {
            Outcome::Done { rev, decision, .. } => (Some(*rev), Some(decision.clone())),
            Outcome::Unchanged(_) | Outcome::Refused(_) | Outcome::Unknown(_) => (None, None),
        };
        let (outcome, reason) = (outcome.as_str(), outcome.reason().to_owned());
        Self { task: task.to_owned(), outcome, rev, decision, reason }
    }
}

/// The answer to one wish: refused is a problem, and what is not known yet is no success.
pub(super) fn answer(task: &str, outcome: &Outcome) -> Result<Response, Problem> {
    let status = match outcome {
        Outcome::Done { .. } | Outcome::Unchanged(_) => StatusCode::OK,
        Outcome::Unknown(_) => StatusCode::ACCEPTED,
        Outcome::Refused(why) => return Err(Problem::refused(why)),
    };
    Ok((status, Json(OutcomeBody::of(task, outcome))).into_response())
}

/// A wish of this identity.
///
/// # Errors
/// When the reason is too long.
pub(crate) fn wish(
    identity: &Identity,
    want: Want,
    key: String,
    reason: Option<String>,
) -> Result<Wish, Problem> {
    let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
    if reason.len() > REASON_BYTES_MAX {
        let text = format!("it has at most {REASON_BYTES_MAX} bytes");
        return Err(Problem::at("/reason", text));
    }
    Ok(Wish { by: identity.user().to_owned(), reason, key, want })
}

async fn steer(
    app: &AppState,
    identity: &Identity,
    (id, key): (&str, String),
    (want, reason): (Want, Option<String>),
) -> Result<Response, Problem> {
    identity.require(Act::Steer)?;
    let task = app.task(identity, id).await?;
    let wish = wish(identity, want, key, reason)?;
    answer(id, &app.desk().steer(&task, wish).await?)
}

/// Ends a task, once what it has done is undone where the pack says how.
#[utoipa::path(post, path = "/v1/tasks/{id}/cancel", tag = "tasks", request_body = ReasonBody,
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "It is done, or was so.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn cancel(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    steer(&app, &identity, (&id, goals::random_key()), (Want::Cancel, body.reason)).await
}

/// Ends a task at once, without undoing what it has done.
#[utoipa::path(post, path = "/v1/tasks/{id}/kill", tag = "tasks", request_body = ReasonBody,
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "It is done, or was so.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn kill(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    let want = Want::Control(Action::Kill);
    steer(&app, &identity, (&id, goals::random_key()), (want, body.reason)).await
}

/// Lets nothing new begin in a task.
#[utoipa::path(post, path = "/v1/tasks/{id}/pause", tag = "tasks", request_body = ReasonBody,
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "It is done, or was so.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn pause(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    let want = Want::Control(Action::Pause);
    steer(&app, &identity, (&id, goals::random_key()), (want, body.reason)).await
}

/// Lets a paused task go on.
#[utoipa::path(post, path = "/v1/tasks/{id}/resume", tag = "tasks", request_body = ReasonBody,
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "It is done, or was so.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn resume(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Body(body): Body<ReasonBody>,
) -> Result<Response, Problem> {
    let want = Want::Control(Action::Resume);
    steer(&app, &identity, (&id, goals::random_key()), (want, body.reason)).await
}

/// Has failed steps of an open task tried again.
#[utoipa::path(post, path = "/v1/tasks/{id}/retry", tag = "tasks", request_body = RetryBody,
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, description = "It is done, or there is nothing to try.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn retry(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Body(body): Body<RetryBody>,
) -> Result<Response, Problem> {
    let step = body.step.as_deref().map(StepId::parse).transpose();
    let step = step.map_err(|error| Problem::at("/step", error))?;
    let want = Want::Control(Action::Retry(step));
    steer(&app, &identity, (&id, goals::random_key()), (want, body.reason)).await
}

/// Lets a task spend more; the same Idempotency-Key counts once.
#[utoipa::path(post, path = "/v1/tasks/{id}/budget", tag = "tasks", request_body = BudgetBody,
    params(("id" = String, Path, description = "The task"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the wish, so that it counts once")),
    responses((status = 200, description = "It is done, or has counted before.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn budget(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    Body(body): Body<BudgetBody>,
) -> Result<Response, Problem> {
    let budget = Budget {
        steps: body.steps,
        usd_micros: body.cost_micros,
        tokens: body.tokens,
        time: Duration::from_millis(body.time_ms),
    };
    if budget == Budget::default() {
        return Err(Problem::invalid("name what to add: steps, cost_micros, tokens or time_ms"));
    }
    let want = Want::Control(Action::AddBudget(budget));
    steer(&app, &identity, (&id, goals::key(&headers)?), (want, body.reason)).await
}

/// Begins a new task with what another one has done before a step.
#[utoipa::path(post, path = "/v1/tasks/{id}/fork", tag = "tasks", request_body = ForkBody,
    params(("id" = String, Path, description = "The task to go on from; open or ended"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is the same fork")),
    responses((status = 202, description = "The fork is stored.", body = PublishedBody,
        headers(("Location" = String, description = "The new task")))))]
pub(super) async fn fork(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    Body(body): Body<ForkBody>,
) -> Result<Response, Problem> {
    identity.require(Act::Steer)?;
    let task = app.task(&identity, &id).await?;
    let input = body.input.map(|input| Payload::parse_unique(input.get().as_bytes()));
    let wish = ForkWish {
        from: Name::new(&body.from).map_err(|error| Problem::at("/from", error))?,
        key: goals::key(&headers)?,
        input: input.transpose().map_err(|error| Problem::at("/input", error))?,
        user: Some(identity.user().to_owned()).filter(|user| !user.is_empty()),
        trace: goals::trace(&headers),
    };
    let key = wish.key.clone();
    let published = app.desk().fork(&task, wish).await?;
    Ok(goals::accepted(&published, key))
}
