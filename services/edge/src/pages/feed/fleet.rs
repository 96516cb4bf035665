//! Roles and breakers: what the bus says now, beside what the read model has seen.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use cadre_core::{
    access::Act,
    breaker::{ForcedTo, Target},
    fleet::Member as Process,
    ports::desk::{BreakerView, BusView, ConsumerView, Hold},
};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit, after, or_empty};
use crate::{
    http::{AppState, Identity, Problem, SafeForm},
    model::sums::RoleRow as Known,
    pages::{
        agents::{self, Agents, Member, RoleRow},
        breakers::{self, BreakerRow, Breakers},
    },
};

/// How far back attempts are counted.
const WINDOW: Duration = Duration::from_secs(3_600);

/// How long somebody holds a breaker who does not say for how long.
const HOLD: Duration = Duration::from_secs(3_600);

fn millis(age: Option<Duration>) -> Option<u64> {
    age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

pub(super) async fn agents(visit: Visit) -> Result<Response, Oops> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    let since = cadre_core::time::UnixMillis(
        visit.now_ms().saturating_sub(millis(Some(WINDOW)).unwrap_or(0)),
    );
    let rows = model.agents(scope, since).await.or_oops(&visit)?;
    let desk = visit.app.desk();
    // What the bus says is beside what is known: without it the columns are empty.
    let (bus, breakers) = (visit.app.bus().await.ok(), desk.breakers().await.unwrap_or_default());
    let members = desk.members().await.unwrap_or_default();
    let roles = roles_of(rows, bus.as_ref(), (&breakers, &members));
    let members = members.into_iter().map(member).collect();
    let view = Agents { roles, members };
    visit.show(&agents::page(&visit.chrome(), &view)).await
}

/// Roles by name: what the read model knows of them, and beside it what the bus, breakers and processes say now.
#[must_use]
pub fn roles_of(
    rows: Vec<Known>,
    bus: Option<&BusView>,
    (breakers, members): (&[BreakerView], &[Process]),
) -> Vec<RoleRow> {
    let mut roles: BTreeMap<String, RoleRow> = BTreeMap::new();
    for row in rows {
        let known = RoleRow {
            name: row.role.clone(),
            in_flight: row.in_flight,
            p50_ms: row.p50_ms,
            p95_ms: row.p95_ms,
            attempts: row.attempts,
            errors: row.errors,
            ..RoleRow::default()
        };
        roles.insert(row.role, known);
    }
    for consumer in bus.into_iter().flat_map(|bus| &bus.consumers) {
        let Some(name) = &consumer.role else { continue };
        let role = roles
            .entry(name.clone())
            .or_insert_with(|| RoleRow { name: name.clone(), ..RoleRow::default() });
        serve(role, consumer);
    }
    for role in roles.values_mut() {
        let is_of = |view: &&BreakerView| {
            view.target.kind() == "role" && view.target.name().as_str() == role.name
        };
        let state = breakers.iter().find(is_of).map_or("closed", |view| view.state);
        role.breaker = state.to_owned();
    }
    for role in roles.values_mut() {
        let restarts = members.iter().map(|member| member.actors.restarts_of(&role.name));
        role.restarts = restarts.map(u64::from).sum();
    }
    roles.into_values().collect()
}

/// A role may have a consumer in each of several streams.
fn serve(role: &mut RoleRow, consumer: &ConsumerView) {
    role.queued = Some(role.queued.unwrap_or(0) + consumer.pending);
    role.free = Some(role.free.unwrap_or(0) + consumer.waiting);
    role.concurrency += consumer.max_ack_pending;
}

fn member(process: Process) -> Member {
    let version = match process.version.as_str() {
        "" => "unknown build".to_owned(),
        version => format!("build {version}"),
    };
    Member {
        name: process.id.to_string(),
        version,
        services: process.services,
        since_ms: process.since.map_or(0, |at| at.0),
        actors: process.actors,
    }
}

pub(super) async fn breakers(visit: Visit) -> Result<Response, Oops> {
    let mut rows: Vec<BreakerRow> =
        visit.app.desk().breakers().await.or_oops(&visit)?.into_iter().map(breaker).collect();
    rows.sort_by(|a, b| (a.state == "closed", &a.target).cmp(&(b.state == "closed", &b.target)));
    let can_steer = visit.may(Act::Steer) && visit.identity.scope().is_none();
    visit.show(&breakers::page(&visit.chrome(), &Breakers { rows, can_steer })).await
}

fn breaker(view: BreakerView) -> BreakerRow {
    BreakerRow {
        target: view.target.to_string(),
        state: view.state.to_owned(),
        since_ms: view.since.map(|at| at.0),
        until_ms: view.until.map(|at| at.0),
        reporters: view.reporters.iter().map(ToString::to_string).collect(),
        probe: view.probe.map(|pod| pod.to_string()).unwrap_or_default(),
        reason: or_empty(view.reason),
        forced_by: or_empty(view.forced_by),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct HoldForm {
    wish: String,
}

pub(super) async fn hold(
    State(app): State<AppState>,
    Path(target): Path<String>,
    headers: HeaderMap,
    SafeForm(identity, form): SafeForm<HoldForm>,
) -> Response {
    let outcome = held(&app, &identity, (&target, &form.wish)).await;
    after(&headers, "/breakers", outcome)
}

async fn held(
    app: &AppState,
    identity: &Identity,
    (target, wish): (&str, &str),
) -> Result<String, Problem> {
    identity.require(Act::Steer)?;
    identity.require_fleet()?;
    let target: Target = target.parse().map_err(Problem::not_found)?;
    let to = match wish {
        "open" => Some(ForcedTo::Open),
        "close" => Some(ForcedTo::Closed),
        "reset" => None,
        other => return Err(Problem::malformed(format!("{other:?} is no open, close or reset"))),
    };
    let (by, reason) = (identity.user().to_owned(), "from the dashboard".to_owned());
    let view = app.desk().hold(&target, Hold { to, lasts: HOLD, by, reason }).await?;
    Ok(format!("Breaker {target} is {}.", view.state))
}
