//! `/v1/breakers`, `/v1/streams`, `/v1/members`, `/v1/alerts`: how the fleet is.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State};
use cadre_core::{
    access::Act,
    breaker::{ForcedTo, Target},
    fleet::{Actor, Member},
    ports::desk::{BreakerView, ConsumerView, Hold, StreamView},
    watch::Alert,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Identity, Problem,
    extract::{Body, Segments},
    state::AppState,
};
use crate::drain::Drain;

/// How long a breaker is held when nothing else is said.
const HOLD_DEFAULT: Duration = Duration::from_secs(300);

/// A circuit breaker, as a pod sees it that has no calls of its own.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BreakerRow {
    /// `role.NAME`, `tool.NAME` or `model.NAME`.
    #[schema(example = "role.extractor")]
    target: String,
    /// `open`, `half-open`, `closed`, `reported`, `forced open` or `forced closed`.
    state: &'static str,
    /// Since when; `None` while nothing holds it.
    since_ms: Option<u64>,
    /// Until when.
    until_ms: Option<u64>,
    /// Pods that report it.
    reporters: Vec<String>,
    /// Pod that may probe.
    probe: Option<String>,
    /// What led to it, or why somebody holds it.
    reason: Option<String>,
    /// Who holds it.
    forced_by: Option<String>,
}

/// How a breaker is to be held.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldBody {
    /// For how long; at most 7 days, default 5 minutes.
    #[schema(minimum = 1)]
    lasts_ms: Option<u64>,
    /// Why; everybody who meets the breaker reads it.
    reason: Option<String>,
}

/// A stream or a bucket.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StreamRow {
    /// Its name.
    name: String,
    /// Whether it is a bucket.
    is_bucket: bool,
    /// Messages in it.
    messages: u64,
    /// Bytes in it.
    bytes: u64,
    /// Its cap.
    max_bytes: Option<u64>,
    /// Age of its oldest message.
    first_age_ms: Option<u64>,
    /// Age of its newest message.
    last_age_ms: Option<u64>,
}

/// A durable consumer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsumerRow {
    /// The stream that it reads.
    stream: String,
    /// Its name.
    name: String,
    /// The role that it serves.
    role: Option<String>,
    /// Messages not yet delivered.
    pending: u64,
    /// Messages delivered and not yet acknowledged.
    ack_pending: u64,
    /// Its cap on those.
    max_ack_pending: u64,
    /// Messages of those that were delivered more than once.
    redelivered: u64,
    /// Pull requests that wait: roughly, how many processes are there.
    waiting: u64,
    /// How long until nothing waits any more, at the pace of the last minute, if nothing else comes. `None` when
    /// nothing is done about it, or it was not asked for at least twice, 2 s apart.
    drain_ms: Option<u64>,
    /// Age of the oldest message that is not dealt with.
    oldest_ms: Option<u64>,
    /// The client that owns it.
    pinned: Option<String>,
}

/// Streams and consumers at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StreamsDocument {
    /// Streams in the order of a task's life, then buckets.
    streams: Vec<StreamRow>,
    /// By stream and name.
    consumers: Vec<ConsumerRow>,
}

/// A process that serves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberRow {
    /// Its name.
    id: String,
    /// Version of its build.
    version: String,
    /// What it serves as.
    services: Vec<String>,
    /// The newest schema that it reads.
    reads: u32,
    /// Features that it knows.
    features: Vec<String>,
    /// Since when it serves; `None` when it does not say.
    since_ms: Option<u64>,
    /// What runs in it: each supervisor, followed by its children.
    actors: Vec<ActorRow>,
    /// Well actors that are not listed, for want of room.
    actors_left_out: u32,
}

/// A supervised actor, or a supervisor.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActorRow {
    /// 0 for the supervisor of a service, 1 for its children.
    depth: u8,
    /// Its name: of a service, a role, a partition, a job.
    name: String,
    /// `running`, `restarting`, `parked` (its restarts are spent) or `ended`.
    state: String,
    /// Restarts since its supervisor began; for a supervisor the sum of its children's.
    restarts: u32,
    /// Why it failed last.
    error: Option<String>,
}

/// Something that needs a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertRow {
    /// What is wrong.
    kind: &'static str,
    /// With what.
    subject: String,
    /// `warning` or `critical`.
    severity: &'static str,
    /// Why, as one word.
    cause: String,
    /// Since when.
    since_ms: u64,
    /// When this was last said.
    at_ms: u64,
    /// What is wrong and why.
    text: String,
    /// What to do next.
    next: String,
    /// Figures and names.
    evidence: BTreeMap<String, String>,
}

/// Rows without pages: there are never many.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rows<T> {
    /// All of them.
    pub(super) rows: Vec<T>,
}

fn breaker(view: BreakerView) -> BreakerRow {
    BreakerRow {
        target: view.target.to_string(),
        state: view.state,
        since_ms: view.since.map(|at| at.0),
        until_ms: view.until.map(|at| at.0),
        reporters: view.reporters.iter().map(ToString::to_string).collect(),
        probe: view.probe.map(|pod| pod.to_string()),
        reason: view.reason,
        forced_by: view.forced_by,
    }
}

/// Lists breakers that the fleet knows something about.
#[utoipa::path(get, path = "/v1/breakers", tag = "fleet",
    responses((status = 200, description = "Breakers.", body = Rows<BreakerRow>)))]
pub(super) async fn breakers(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<Rows<BreakerRow>>, Problem> {
    identity.require(Act::Read)?;
    let rows = app.desk().breakers().await?.into_iter().map(breaker).collect();
    Ok(Json(Rows { rows }))
}

/// Holds a breaker open or closed for a while, or lets the calls decide again.
#[utoipa::path(post, path = "/v1/breakers/{target}/{action}", tag = "fleet", request_body = HoldBody,
    params(("target" = String, Path, description = "role.NAME, tool.NAME or model.NAME"),
        ("action" = String, Path, description = "open, close or reset")),
    responses((status = 200, description = "The breaker as it is now.", body = BreakerRow)))]
pub(super) async fn hold(
    State(app): State<AppState>,
    identity: Identity,
    Segments((target, action)): Segments<(String, String)>,
    Body(body): Body<HoldBody>,
) -> Result<Json<BreakerRow>, Problem> {
    identity.require(Act::Steer)?;
    identity.require_fleet()?;
    let target: Target = target.parse().map_err(Problem::not_found)?;
    let to = match action.as_str() {
        "open" => Some(ForcedTo::Open),
        "close" => Some(ForcedTo::Closed),
        "reset" => None,
        other => return Err(Problem::not_found(format!("{other:?} is no open, close or reset"))),
    };
    let hold = Hold {
        to,
        lasts: body.lasts_ms.map_or(HOLD_DEFAULT, Duration::from_millis),
        by: identity.user().to_owned(),
        reason: body.reason.unwrap_or_else(|| "no reason given".to_owned()),
    };
    Ok(Json(breaker(app.desk().hold(&target, hold).await?)))
}

fn millis(age: Option<Duration>) -> Option<u64> {
    age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

fn stream(view: StreamView) -> StreamRow {
    StreamRow {
        name: view.name,
        is_bucket: view.is_bucket,
        messages: view.messages,
        bytes: view.bytes,
        max_bytes: view.max_bytes,
        first_age_ms: millis(view.first_age),
        last_age_ms: millis(view.last_age),
    }
}

fn consumer((view, drain): (ConsumerView, Drain)) -> ConsumerRow {
    ConsumerRow {
        drain_ms: match drain {
            Drain::Unknown | Drain::Never => None,
            Drain::Empty => Some(0),
            Drain::In(time) => millis(Some(time)),
        },
        stream: view.stream,
        name: view.name,
        role: view.role,
        pending: view.pending,
        ack_pending: view.ack_pending,
        max_ack_pending: view.max_ack_pending,
        redelivered: view.redelivered,
        waiting: view.waiting,
        oldest_ms: millis(view.oldest),
        pinned: view.pinned,
    }
}

/// Shows how full streams are and how far behind consumers are.
#[utoipa::path(get, path = "/v1/streams", tag = "fleet",
    responses((status = 200, description = "Streams and consumers.", body = StreamsDocument)))]
pub(super) async fn streams(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<StreamsDocument>, Problem> {
    identity.require(Act::Read)?;
    let view = app.desk().bus().await?;
    let drains = app.drains(&view.consumers);
    Ok(Json(StreamsDocument {
        streams: view.streams.into_iter().map(stream).collect(),
        consumers: view.consumers.into_iter().zip(drains).map(consumer).collect(),
    }))
}

fn member(member: Member) -> MemberRow {
    MemberRow {
        id: member.id.to_string(),
        version: member.version,
        services: member.services,
        reads: member.reads,
        features: member.features.into_iter().collect(),
        since_ms: member.since.map(|at| at.0),
        actors_left_out: member.actors.left_out,
        actors: member.actors.rows.into_iter().map(actor).collect(),
    }
}

fn actor(actor: Actor) -> ActorRow {
    let Actor { depth, name, state, restarts, error } = actor;
    ActorRow { depth, name, state, restarts, error }
}

/// Lists the processes that serve.
#[utoipa::path(get, path = "/v1/members", tag = "fleet",
    responses((status = 200, description = "Processes.", body = Rows<MemberRow>)))]
pub(super) async fn members(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<Rows<MemberRow>>, Problem> {
    identity.require(Act::Read)?;
    let rows = app.desk().members().await?.into_iter().map(member).collect();
    Ok(Json(Rows { rows }))
}

fn alert(alert: Alert) -> AlertRow {
    AlertRow {
        kind: alert.key.kind.as_str(),
        subject: alert.key.subject,
        severity: alert.severity.as_str(),
        cause: alert.cause,
        since_ms: alert.since.0,
        at_ms: alert.at.0,
        text: alert.text,
        next: alert.next,
        evidence: alert.evidence,
    }
}

/// Lists open alerts, the ones that need somebody now first; they tell of every tenant's tasks.
#[utoipa::path(get, path = "/v1/alerts", tag = "fleet",
    responses((status = 200, description = "Alerts.", body = Rows<AlertRow>)))]
pub(super) async fn alerts(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<Rows<AlertRow>>, Problem> {
    identity.require(Act::Read)?;
    identity.require_fleet()?;
    let rows = app.desk().alerts().await?.into_iter().map(alert).collect();
    Ok(Json(Rows { rows }))
}
