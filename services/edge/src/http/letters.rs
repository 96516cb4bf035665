//! `/v1/dead-letters`: messages that nothing could be made of.

use axum::{Json, extract::State};
use cadre_core::{
    access::Act,
    ids::TaskId,
    ports::desk::{Letter, LetterHead, LetterQuery},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Identity, Problem,
    extract::{Params, Segments},
    state::AppState,
};

/// Letters of one list when nothing else is said.
const LIMIT_DEFAULT: usize = 50;

/// Letters of one list at most.
const LIMIT_MAX: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LetterParams {
    /// Only of this kind: goal, input or work.
    kind: Option<String>,
    /// Only about this task.
    task: Option<String>,
    /// Only what was given up within so many milliseconds.
    since_ms: Option<u64>,
    /// At most so many, the newest ones: 1 to 1000, default 50.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A dead letter without its body.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LetterRow {
    /// Names it.
    #[schema(example = "0-17")]
    id: String,
    /// What its message was meant as: `goal`, `input` or `work`.
    kind: String,
    /// When it was given up.
    at_ms: u64,
    /// Why.
    reason: String,
    /// Subject that the message came on.
    subject: String,
    /// Whose message it was, as far as that is known.
    tenant: Option<String>,
    /// The task that it was about, as far as that is known.
    task: Option<String>,
    /// How often it was delivered.
    deliveries: Option<u32>,
    /// Size of the message's body.
    size_bytes: u64,
    /// What of the message is not kept; it cannot be replayed then.
    lost: Option<String>,
}

/// The newest letters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LetterPage {
    /// The newest first.
    rows: Vec<LetterRow>,
    /// How many older ones there are.
    more: u64,
}

/// A dead letter whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LetterDocument {
    /// What is known without its body.
    letter: LetterRow,
    /// Headers of the message, name and value.
    headers: Vec<[String; 2]>,
    /// Its body as text; `None` when it is none.
    text: Option<String>,
    /// Its body.
    body_base64: String,
}

/// A letter whose message was published once more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replayed {
    /// The letter, which is gone.
    id: String,
    /// Where its message went.
    subject: String,
}

fn row(head: LetterHead) -> LetterRow {
    LetterRow {
        id: head.id,
        kind: head.kind,
        at_ms: head.at.0,
        reason: head.reason,
        subject: head.subject,
        tenant: head.tenant.map(|tenant| tenant.to_string()),
        task: head.task.map(|task| task.to_string()),
        deliveries: head.deliveries,
        size_bytes: head.size_bytes,
        lost: head.lost,
    }
}

/// Lists dead letters, the newest first; of other tenants, and of nobody known, only for the whole fleet.
#[utoipa::path(get, path = "/v1/dead-letters", tag = "fleet", params(LetterParams),
    responses((status = 200, description = "Letters.", body = LetterPage)))]
pub(super) async fn list(
    State(app): State<AppState>,
    identity: Identity,
    Params(params): Params<LetterParams>,
) -> Result<Json<LetterPage>, Problem> {
    identity.require(Act::Read)?;
    if params.kind.as_deref().is_some_and(|kind| !["goal", "input", "work"].contains(&kind)) {
        return Err(Problem::malformed("kind is goal, input or work"));
    }
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT);
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::malformed(format!("limit is 1 to {LIMIT_MAX}")));
    }
    let task = params.task.as_deref().map(TaskId::parse).transpose();
    let query = LetterQuery {
        kind: params.kind,
        tenant: identity.scope().cloned(),
        task: task.map_err(Problem::malformed)?,
        since: params.since_ms.map(std::time::Duration::from_millis),
        limit,
    };
    let found = app.desk().letters(query).await?;
    Ok(Json(LetterPage { rows: found.letters.into_iter().map(row).collect(), more: found.more }))
}

async fn seen(app: &AppState, identity: &Identity, id: &str) -> Result<Letter, Problem> {
    let letter = app.desk().letter(id).await?;
    let tenant = letter.head.tenant.as_ref();
    let is_seen = match identity.scope() {
        None => true,
        Some(own) => tenant == Some(own),
    };
    if is_seen {
        Ok(letter)
    } else {
        Err(Problem::not_found(format!("there is no dead letter {id}")))
    }
}

/// Shows one letter whole.
#[utoipa::path(get, path = "/v1/dead-letters/{id}", tag = "fleet",
    params(("id" = String, Path, description = "Its name, such as 0-17")),
    responses((status = 200, description = "The letter.", body = LetterDocument)))]
pub(super) async fn show(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<LetterDocument>, Problem> {
    identity.require(Act::Read)?;
    let letter = seen(&app, &identity, &id).await?;
    Ok(Json(LetterDocument {
        headers: letter.headers.into_iter().map(|(name, value)| [name, value]).collect(),
        text: String::from_utf8(letter.body.clone()).ok(),
        body_base64: data_encoding::BASE64.encode(&letter.body),
        letter: row(letter.head),
    }))
}

/// Publishes a letter's message once more, where it came from, and removes the letter.
#[utoipa::path(post, path = "/v1/dead-letters/{id}/replay", tag = "fleet",
    params(("id" = String, Path, description = "Its name, such as 0-17")),
    responses((status = 200, description = "It is on the bus again.", body = Replayed)))]
pub(super) async fn replay(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<Replayed>, Problem> {
    identity.require(Act::Steer)?;
    seen(&app, &identity, &id).await?;
    let subject = app.desk().replay(&id, identity.user()).await?;
    Ok(Json(Replayed { id, subject }))
}

/// Removes a letter for good.
#[utoipa::path(delete, path = "/v1/dead-letters/{id}", tag = "fleet",
    params(("id" = String, Path, description = "Its name, such as 0-17")),
    responses((status = 204, description = "It is gone.")))]
pub(super) async fn discard(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<axum::http::StatusCode, Problem> {
    identity.require(Act::Steer)?;
    seen(&app, &identity, &id).await?;
    app.desk().discard(&id, identity.user()).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
