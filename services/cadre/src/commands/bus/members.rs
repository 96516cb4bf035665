//! Which processes serve, and what runs in them.

use cadre_core::{
    fleet::{Actor, Member},
    time::UnixMillis,
};
use cadre_nats::{bus::JetStreamBus, fleet::Fleet};
use serde::Serialize;

use crate::{
    broker,
    exit::{Code, Failure},
    output::{self, Format, Listing, text::span},
    settings::Settings,
};

/// One actor of a process, or a process that says nothing of its actors.
#[derive(Debug, Serialize)]
struct Row {
    member: String,
    build: String,
    /// Since when the process serves, in milliseconds since 1970.
    since_ms: Option<u64>,
    up: String,
    depth: u8,
    actor: String,
    state: String,
    restarts: u32,
    error: String,
}

/// `cadre bus members`.
pub(super) async fn run(format: Format, settings: &Settings) -> anyhow::Result<()> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(Code::BusUnavailable, error.to_string());
    let (connection, _) = broker::connect_prepared(settings, "bus").await?;
    let bus = JetStreamBus::open(&connection).await.map_err(|error| failed(&error))?;
    let clock = bus.streams().clock.clone();
    let fleet = Fleet::open(&connection.js, clock.clone()).await.map_err(|error| failed(&error))?;
    let members = fleet.members().await.map_err(|error| failed(&error))?;
    let now = clock.now();
    let rows = members.iter().flat_map(|member| rows(member, now)).collect::<Vec<_>>();
    output::list(format, &rows, &listing())
}

fn rows(member: &Member, now: UnixMillis) -> Vec<Row> {
    let silent = [Actor {
        depth: 0,
        name: member.services.join(" "),
        state: "unknown".to_owned(),
        restarts: 0,
        error: None,
    }];
    let actors = if member.actors.rows.is_empty() { &silent[..] } else { &member.actors.rows };
    let row = |actor: &Actor| Row {
        member: member.id.to_string(),
        build: member.version.clone(),
        since_ms: member.since.map(|at| at.0),
        up: member.since.map(|at| span(now.since(at))).unwrap_or_default(),
        depth: actor.depth,
        actor: actor.name.clone(),
        state: actor.state.clone(),
        restarts: actor.restarts,
        error: actor.error.clone().unwrap_or_default(),
    };
    let more = (member.actors.left_out > 0).then(|| Actor {
        depth: 1,
        name: format!("and {} more", member.actors.left_out),
        state: "running".to_owned(),
        restarts: 0,
        error: None,
    });
    actors.iter().chain(more.iter()).map(row).collect()
}

fn listing() -> Listing<'static, Row> {
    Listing {
        header: &["process", "build", "up", "actor", "state", "restarts", "last error"],
        row: |row| {
            vec![
                row.member.clone(),
                row.build.clone(),
                row.up.clone(),
                format!("{}{}", "  ".repeat(row.depth.into()), row.actor),
                row.state.clone(),
                row.restarts.to_string(),
                row.error.clone(),
            ]
        },
        id: |row| format!("{}/{}", row.member, row.actor),
    }
}

#[cfg(test)]
mod tests {
    use cadre_core::{
        fleet::{Actors, Release},
        ids::Name,
    };

    use super::*;

    const BUILD: Release = Release { version: "1", reads: 2, writes: 2, features: &[] };

    #[test]
    fn each_actor_is_a_row_and_a_silent_process_too() {
        let silent = Member::new(Name::new("old").unwrap(), &BUILD, vec!["agent".to_owned()]);
        let actor = |depth, name: &str| Actor {
            depth,
            name: name.to_owned(),
            state: "running".to_owned(),
            restarts: u32::from(depth),
            error: None,
        };
        let telling = Member {
            since: Some(UnixMillis(1_000)),
            actors: Actors { rows: vec![actor(0, "agent"), actor(1, "rules")], left_out: 3 },
            ..silent.clone()
        };
        let table = |member: &Member| {
            let rows = rows(member, UnixMillis(61_000));
            rows.iter().map(|row| (listing().row)(row).join("|")).collect::<Vec<_>>()
        };
        assert_eq!(table(&silent), ["old|1||agent|unknown|0|"]);
        let told = table(&telling);
        assert_eq!(told[1], "old|1|1 min 0 s|  rules|running|1|");
        assert_eq!((told.len(), told[2].as_str()), (3, "old|1|1 min 0 s|  and 3 more|running|0|"));
    }
}
