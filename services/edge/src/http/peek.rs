//! `/v1/streams/{stream}/messages`: what lies in one stream, without taking anything.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use cadre_core::{
    access::Act,
    ports::desk::{PeekQuery, Peeked},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Identity, Problem,
    extract::{Params, Segments},
    state::AppState,
};

/// Messages of one list when nothing else is said.
const LIMIT_DEFAULT: usize = 20;

/// Messages of one list at most.
const LIMIT_MAX: usize = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PeekParams {
    /// Begins with the first message at or behind this sequence; default: the newest ones.
    from: Option<u64>,
    /// At most so many: 1 to 100, default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// Messages of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessagePage {
    /// Messages in the stream.
    total: u64,
    /// Sequence of its oldest message.
    first: u64,
    /// Sequence of its newest message.
    last: u64,
    /// The oldest first.
    rows: Vec<MessageRow>,
}

/// A message as it lies in a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageRow {
    /// Its place.
    sequence: u64,
    /// When it was stored.
    at_ms: u64,
    /// Its subject.
    subject: String,
    /// What it is, as one word.
    kind: String,
    /// What it says, in short.
    text: String,
    /// It cannot be read as what its subject says.
    is_bad: bool,
    /// Headers by name; of several of one name the last.
    headers: BTreeMap<String, String>,
    /// Size of its body.
    size_bytes: u64,
    /// Its body as text, or the beginning of it; `None` when it is none.
    document: Option<String>,
    /// Whether that is only its beginning.
    is_cut: bool,
}

fn row(peeked: Peeked) -> MessageRow {
    MessageRow {
        sequence: peeked.sequence,
        at_ms: peeked.at.0,
        subject: peeked.subject,
        kind: peeked.kind,
        text: peeked.text,
        is_bad: peeked.is_bad,
        headers: peeked.headers.into_iter().collect(),
        size_bytes: peeked.size_bytes,
        document: peeked.document,
        is_cut: peeked.is_cut,
    }
}

/// Shows messages of a stream; they are of every tenant, so only for the whole fleet.
#[utoipa::path(get, path = "/v1/streams/{stream}/messages", tag = "fleet",
    params(("stream" = String, Path, description = "Name of the stream."), PeekParams),
    responses((status = 200, description = "Messages.", body = MessagePage)))]
pub(super) async fn messages(
    State(app): State<AppState>,
    identity: Identity,
    Segments(stream): Segments<String>,
    Params(params): Params<PeekParams>,
) -> Result<Json<MessagePage>, Problem> {
    identity.require(Act::Read)?;
    identity.require_fleet()?;
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT);
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::malformed(format!("limit is 1 to {LIMIT_MAX}")));
    }
    let found = app.desk().peek(PeekQuery { stream, from: params.from, limit }).await?;
    let rows = found.messages.into_iter().map(row).collect();
    Ok(Json(MessagePage { total: found.total, first: found.first, last: found.last, rows }))
}
