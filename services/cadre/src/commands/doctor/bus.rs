//! Asks the broker; the verdicts stand in [`super::check`].

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use cadre_core::{
    ids::Name,
    pack::compile,
    ports::WorkerBus as _,
    workflow::{Role, Workflow},
};
use cadre_nats::{
    bus::JetStreamBus,
    connect::{ConnectError, Connection},
    packs::KvPacks,
    topology::{Topology, diff, role_ack_wait, status},
};
use serde::Deserialize;

use super::{
    check::{self, Check},
    monitor::{self, Varz},
};
use crate::{broker, output::text::span};

/// Where nats-server's monitoring is by custom.
const MONITOR_DEFAULT: &str = "127.0.0.1:8222";

/// Nobody there, or nobody that we can use.
pub(super) fn unreachable(error: &ConnectError) -> Check {
    let text = broker::said(error);
    match error {
        ConnectError::Unreachable { .. } | ConnectError::Address { .. } => {
            Check::red("reachable", text)
                .advise("start one with `cadre dev`, or name one with --nats URL")
        }
        ConnectError::Credentials { .. } | ConnectError::Refused { .. } => {
            Check::red("reachable", text).advise("check --credentials and the broker's accounts")
        }
        ConnectError::TooOld { .. } => Check::red("version", text)
            .advise(format!("upgrade nats-server to {} or newer", check::VERSION_PREFERRED)),
        ConnectError::NoJetStream { .. } => Check::red("jetstream", text)
            .advise("start the broker with -js, or enable it for this account"),
    }
}

/// What the connection itself proves.
pub(super) fn server(connection: &Connection) -> Vec<Check> {
    let info = connection.client.server_info();
    let at = format!("{} at {}:{}", info.server_name, info.host, info.port);
    vec![
        Check::green("reachable", at),
        check::version(connection.server),
        Check::green("jetstream", "on"),
    ]
}

/// When the broker syncs, as far as it can be known.
pub(super) async fn sync(connection: &Connection, monitor: Option<&str>) -> Check {
    let address = monitor.unwrap_or(MONITOR_DEFAULT);
    let address = address.trim_start_matches("http://").trim_end_matches('/');
    let unknown = |why: String| {
        Check::yellow("sync", format!("unknown: {why}"))
            .advise("name the broker's monitoring address with --monitor HOST:PORT")
    };
    let varz: Varz = match monitor::varz(address).await {
        Ok(varz) => varz,
        Err(error) => {
            return unknown(format!("its monitoring at {address} cannot be read: {error}"));
        }
    };
    if varz.server_id != connection.client.server_info().server_id {
        return unknown(format!("the server at {address} is another one"));
    }
    let Some(config) = varz.config() else {
        return unknown(format!("the server at {address} does not say"));
    };
    let replicas = connection.discover().await.map_or(1, |topology| topology.replicas);
    check::sync(config.sync_always, &span(Duration::from_nanos(config.sync_interval)), replicas)
}

/// Whether everything is as declared.
pub(super) async fn declared(connection: &Connection, topology: &Topology) -> Check {
    match diff(&connection.js, topology).await {
        Ok(changes) => check::declared(&changes),
        Err(error) => Check::red("streams", error.to_string()).advise("cadre bus diff"),
    }
}

/// What we want of the answer to a question about a stream.
#[derive(Deserialize)]
struct Stamped {
    ts: String,
}

/// How far the clocks are apart: the broker stamps its answers.
pub(super) async fn clock(connection: &Connection) -> Check {
    let (began, asked) = (SystemTime::now(), Instant::now());
    let answer = connection.client.request("$JS.API.STREAM.INFO.CADRE_LOG_0", "".into()).await;
    let trip = asked.elapsed();
    let stamp = answer.ok().and_then(|answer| {
        let Stamped { ts } = serde_json::from_slice(&answer.payload).ok()?;
        humantime::parse_rfc3339(&ts).ok()
    });
    let Some(stamp) = stamp else {
        return Check::yellow("clock", "unknown: the broker does not stamp its answers");
    };
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let offset = since(stamp).abs_diff(since(began) + trip / 2);
    check::clock(offset, trip / 2)
}

/// Room, owners, workers.
pub(super) async fn streams_and_roles(connection: &Connection, topology: Topology) -> Vec<Check> {
    let status = match status(&connection.js, &topology).await {
        Ok(status) => status,
        Err(error) => return vec![Check::red("consumers", error.to_string())],
    };
    let mut checks = vec![check::space(&status), check::orchestrator(&topology, &status.consumers)];
    checks.push(check::aggregator(&topology, &status.consumers));
    match packs(connection, topology).await {
        Ok((workflows, broken)) => {
            checks.extend(broken);
            let roles: BTreeMap<&Name, &Role> = workflows
                .iter()
                .flat_map(|workflow| {
                    workflow.roles.iter().map(|(name, role)| (name, role.as_ref()))
                })
                .collect();
            checks.extend(patience(connection, roles.values().copied()).await);
            checks
                .extend(roles.values().map(|role| check::role(role, &topology, &status.consumers)));
        }
        Err(error) => checks.push(Check::red("packs", format!("{error:#}"))),
    }
    checks
}

/// Every current pack that this build can run, and those that it cannot.
async fn packs(
    connection: &Connection,
    topology: Topology,
) -> anyhow::Result<(Vec<Workflow>, Vec<Check>)> {
    let packs = KvPacks::open(connection.js.clone(), topology).await?;
    let (mut workflows, mut checks) = (Vec::new(), Vec::new());
    let entries = packs.ls().await?;
    if entries.is_empty() {
        checks.push(
            Check::yellow("packs", "there is none, so every goal is rejected")
                .advise("cadre pack apply DIR"),
        );
    }
    for entry in entries {
        let name = format!("pack {}", entry.workflow);
        match packs.get(&entry.revision).await {
            Ok(Some(source)) => match compile(&source) {
                Ok(workflow) => workflows.push(workflow),
                Err(errors) => {
                    let first = errors.0.first().map(ToString::to_string).unwrap_or_default();
                    checks.push(Check::red(name, format!("this build cannot run it: {first}")));
                }
            },
            Ok(None) => checks.push(
                Check::red(name, "its current revision is not stored")
                    .advise("cadre pack apply DIR"),
            ),
            Err(error) => {
                checks.push(Check::red(name, error.to_string()).advise("cadre pack apply DIR"))
            }
        }
    }
    Ok((workflows, checks))
}

async fn patience<'a>(
    connection: &Connection,
    roles: impl Iterator<Item = &'a Role>,
) -> Option<Check> {
    let bus = JetStreamBus::open(connection).await.ok()?;
    Some(check::patience(role_ack_wait().ok()?, bus.heartbeat(), roles))
}
