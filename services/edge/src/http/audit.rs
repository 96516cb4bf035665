//! `/v1/audit`: who did what, the newest first.

use axum::{Json, extract::State};
use cadre_core::{
    access::Act,
    audit::{Chain, Entry, Query},
    ids::TaskId,
    time::UnixMillis,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Identity, Problem, extract::Params, state::AppState, tasks::limit};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditParams {
    /// Only of this chain: `tenant.NAME`, or `fleet` for what concerns all tenants.
    chain: Option<String>,
    /// Only about this task.
    task: Option<String>,
    /// Only of this person or program.
    actor: Option<String>,
    /// Only of this kind, as it is listed.
    action: Option<String>,
    /// Done then or later, in milliseconds since 1970.
    since_ms: Option<u64>,
    /// Done before, in milliseconds since 1970.
    until_ms: Option<u64>,
    /// Behind this row: what the page before gave as `next`.
    cursor: Option<String>,
    /// At most so many: 1 to 1000, default 50.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// One entry of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditRow {
    /// The chain that it is of.
    #[schema(example = "tenant.acme")]
    chain: String,
    /// Its place there: 1, 2, 3…
    number: u64,
    /// When it was done.
    at_ms: u64,
    /// Who.
    actor: String,
    /// What.
    #[schema(example = "question_granted")]
    action: String,
    /// To what.
    object: String,
    /// Why.
    reason: String,
    /// The message that it is known from; `None` for what was noted before it was done.
    source: Option<AuditSource>,
    /// Its hash, which the next entry of its chain holds.
    hash: String,
}

/// The message that an entry is known from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditSource {
    stream: String,
    sequence: u64,
}

/// Entries, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditPage {
    /// The newest first.
    rows: Vec<AuditRow>,
    /// Where the next page begins; `None` on the last one. There may be one behind few or no rows.
    next: Option<String>,
    /// Lines that cannot be read: `cadre audit verify` says more.
    unread: u64,
}

fn row(entry: Entry) -> AuditRow {
    AuditRow {
        chain: entry.chain,
        number: entry.number,
        at_ms: entry.at.0,
        actor: entry.actor,
        action: entry.action,
        object: entry.object,
        reason: entry.reason,
        source: entry.source.map(|(stream, sequence)| AuditSource { stream, sequence }),
        hash: entry.hash.to_string(),
    }
}

/// The chain that somebody may look at: their own tenant's, or any.
///
/// # Errors
/// When they want another one.
pub(crate) fn chain(identity: &Identity, wanted: Option<Chain>) -> Result<Option<Chain>, Problem> {
    identity.require(Act::Audit)?;
    let own = identity.scope().cloned().map(Chain::Tenant);
    if wanted.is_some() && wanted != own {
        identity.require_fleet()?;
    }
    Ok(wanted.or(own))
}

/// Lists who did what, the newest first; of other tenants, and of nobody in particular, only for the whole fleet.
#[utoipa::path(get, path = "/v1/audit", tag = "fleet", params(AuditParams),
    responses((status = 200, description = "Entries.", body = AuditPage)))]
pub(super) async fn list(
    State(app): State<AppState>,
    identity: Identity,
    Params(params): Params<AuditParams>,
) -> Result<Json<AuditPage>, Problem> {
    let wanted = params.chain.as_deref().map(str::parse::<Chain>).transpose();
    let before = params.cursor.as_deref().map(str::parse).transpose();
    let limit = usize::try_from(limit(params.limit)?).unwrap_or(usize::MAX);
    let query = Query {
        chain: chain(&identity, wanted.map_err(Problem::malformed)?)?,
        task: params.task.as_deref().map(TaskId::parse).transpose().map_err(Problem::malformed)?,
        actor: params.actor,
        action: params.action,
        since: params.since_ms.map(UnixMillis),
        until: params.until_ms.map(UnixMillis),
        before: before.map_err(Problem::malformed)?,
        limit,
    };
    let found = app.desk().audit(query).await?;
    Ok(Json(AuditPage {
        rows: found.entries.into_iter().map(|(_, entry)| row(entry)).collect(),
        next: found.next.map(|spot| spot.to_string()),
        unread: found.unread,
    }))
}
