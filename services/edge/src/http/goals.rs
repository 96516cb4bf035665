//! `POST /v1/goals`: asks for something to be done.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cadre_core::{
    access::Act, ids::Name, payload::Payload, ports::desk::Published, task::GoalLimits,
    time::UnixMillis, wish::GoalWish,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{Identity, Problem, extract::Body, state::AppState};

/// What is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GoalBody {
    /// The workflow that does it.
    #[schema(example = "contract-intake")]
    workflow: String,
    /// What the workflow gets: a document that satisfies its input contract.
    #[schema(value_type = Object)]
    input: Box<RawValue>,
    /// Milliseconds until nobody cares any more.
    #[schema(minimum = 1)]
    timeout_ms: Option<u64>,
    /// When nobody cares any more, in milliseconds since 1970.
    deadline_at_ms: Option<u64>,
    /// Narrower limits than the pack's.
    #[serde(default)]
    limits: LimitsBody,
}

/// Narrower limits; what is left out stays as the pack has it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    /// Work orders.
    #[schema(minimum = 1)]
    steps: Option<u32>,
    /// Millionths of a US dollar.
    cost_micros: Option<u64>,
    /// Model tokens, in and out.
    tokens: Option<u64>,
}

/// A goal that was published.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PublishedBody {
    /// Its task.
    #[schema(example = "vs3tl6e2t2bmylf5r7pg2ndlxn")]
    task: String,
    /// `accepted`: the task exists; `stored`: it will as soon as an orchestrator has room for it.
    status: &'static str,
    /// The same goal was published under this key before.
    is_known: bool,
    /// The idempotency key.
    key: String,
}

/// Publishes a goal.
///
/// The same key is the same task: publishing a goal again is harmless, another goal under its key is refused.
#[utoipa::path(
    post, path = "/v1/goals", tag = "goals", request_body = GoalBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 256 bytes of printable ASCII; a random one if there is none")),
    responses((status = 202, description = "It is stored.", body = PublishedBody,
        headers(("Location" = String, description = "The task")))),
)]
pub(super) async fn publish(
    State(app): State<AppState>,
    identity: Identity,
    headers: HeaderMap,
    Body(body): Body<GoalBody>,
) -> Result<Response, Problem> {
    identity.require(Act::Steer)?;
    let wish = GoalWish {
        tenant: identity.tenant().clone(),
        workflow: Name::new(&body.workflow).map_err(|error| Problem::at("/workflow", error))?,
        key: key(&headers)?,
        input: Payload::parse_unique(body.input.get().as_bytes())
            .map_err(|error| Problem::at("/input", error))?,
        deadline: deadline(&body, app.desk().now())?,
        limits: GoalLimits {
            steps_max: body.limits.steps,
            usd_micros_max: body.limits.cost_micros,
            tokens_max: body.limits.tokens,
        },
        user: Some(identity.user().to_owned()).filter(|user| !user.is_empty()),
        trace: trace(&headers),
    };
    let key = wish.key.clone();
    let published = app.desk().publish(wish).await?;
    Ok(accepted(&published, key))
}

/// The answer to a goal or a fork that was published.
pub(super) fn accepted(published: &Published, key: String) -> Response {
    let Published { task, is_accepted, is_known } = published;
    let status = if *is_accepted { "accepted" } else { "stored" };
    let location = format!("/v1/tasks/{task}");
    let body = PublishedBody { task: task.to_string(), status, is_known: *is_known, key };
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The caller's key, or a random one.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut given = headers.get_all("idempotency-key").into_iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(random_key()),
        (Some(key), None) => {
            let key = key.to_str().map_err(|_| {
                Problem::malformed("the header Idempotency-Key must be printable ASCII")
            })?;
            cadre_core::wish::check_key(key).map_err(Problem::malformed)?;
            Ok(key.to_owned())
        }
        (Some(_), Some(_)) => Err(Problem::malformed("send one header Idempotency-Key")),
    }
}

/// Names a wish that nobody has named.
pub(super) fn random_key() -> String {
    data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>())
}

/// The caller's trace, if it is one.
pub(super) fn trace(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    Some(text.to_owned())
}

fn deadline(body: &GoalBody, now: UnixMillis) -> Result<Option<UnixMillis>, Problem> {
    match (body.timeout_ms, body.deadline_at_ms) {
        (Some(_), Some(_)) => Err(Problem::invalid("send timeout_ms or deadline_at_ms, not both")),
        (Some(0), None) => Err(Problem::at("/timeout_ms", "it must be at least 1")),
        (Some(timeout), None) => Ok(Some(now.after(Duration::from_millis(timeout)))),
        (None, at) => Ok(at.map(UnixMillis)),
    }
}
