//! Members and flags on a real server.

use cadre_core::{
    fleet::{Actor, Actors, Feature, Release},
    ids::Partitions,
};
use cadre_proto::RELEASE;

use super::*;
use crate::{
    Wire,
    connect::{ConnectOptions, Connection, connect},
    server::{Server, testing::server},
    topology::{Topology, apply},
};

const NEXT: Release = Release {
    version: "next",
    reads: 3,
    features: &[Feature { name: "third", writes: 3 }],
    ..RELEASE
};

async fn prepared() -> (Server, Connection, Fleet) {
    let server = server().await;
    let options = ConnectOptions::new(server.urls().join(","), "test");
    let connection = connect(options).await.expect("connected");
    apply(&connection.js, &Topology::dev(Partitions::new(2)), false).await.expect("applied");
    let fleet = Fleet::open(&connection.js, BrokerClock::new(UnixMillis(0))).await.expect("opened");
    (server, connection, fleet)
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

async fn join(fleet: &Fleet, id: &str, release: Release) -> Result<(Membership, Wire), JoinError> {
    let member = Member::new(name(id), &release, vec!["orchestrator".to_owned()]);
    let wire = Wire::new(release);
    Ok((fleet.join(member, wire.clone()).await?, wire))
}

#[tokio::test]
async fn a_feature_is_turned_on_only_when_every_member_knows_it() {
    let (_server, _connection, fleet) = prepared().await;
    let third = name("third");
    assert_eq!(fleet.enable(&third, "ada").await, Err(EnableError::Nobody));
    let (new, wire) = join(&fleet, "new", NEXT).await.expect("joined");
    let (old, old_wire) = join(&fleet, "old", RELEASE).await.expect("joined");
    let refused = fleet.enable(&third, "ada").await.expect_err("refused").to_string();
    assert!(refused.contains("not known by old (orchestrator"), "{refused}");
    assert!(fleet.flags().await.expect("flags").is_empty(), "not even proposed");
    assert_eq!(wire.writer().schema, 2);

    old.leave().await;
    let members = fleet.members().await.expect("members");
    assert_eq!(members.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["new"]);
    let flag = fleet.enable(&third, "ada").await.expect("enabled");
    assert_eq!((flag.stage, flag.by.as_str()), (Stage::On, "ada"));
    assert_eq!(fleet.enable(&third, "bob").await.expect("again").by, "ada");
    while wire.writer().schema != 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(old_wire.writer().schema, 2);

    let refused = join(&fleet, "old", RELEASE).await.map(|_| ()).expect_err("refused");
    assert!(matches!(refused, JoinError::Lacks { stage: "on", .. }), "{refused}");
    assert_eq!(fleet.members().await.expect("members").len(), 1, "it is no member");
    let (_newer, wire) = join(&fleet, "newer", NEXT).await.expect("joined");
    assert_eq!(wire.writer().schema, 3, "from the first record on");
    new.leave().await;
}

#[tokio::test]
async fn a_member_tells_at_once_what_runs_in_it() {
    let (_server, _connection, fleet) = prepared().await;
    let (member, _) = join(&fleet, "pod", RELEASE).await.expect("joined");
    let known = fleet.members().await.expect("members");
    assert!(known[0].since.is_some() && known[0].actors.rows.is_empty(), "{known:?}");
    let actor = |depth, name: &str, restarts| Actor {
        depth,
        name: name.to_owned(),
        state: "running".to_owned(),
        restarts,
        error: (restarts > 0).then(|| "lost the bus".to_owned()),
    };
    let actors = Actors::bounded(vec![actor(0, "agent", 2), actor(1, "rules", 2)]);
    member.tell(actors.clone());
    // A beat is five seconds away.
    while fleet.members().await.expect("members")[0].actors != actors {
        tokio::task::yield_now().await;
    }
    assert_eq!(fleet.members().await.expect("members")[0].since, known[0].since);
    member.leave().await;
}

#[tokio::test]
async fn a_proposal_keeps_others_out_and_a_member_that_was_missed_is_expelled() {
    let (_server, _connection, fleet) = prepared().await;
    let third = name("third");
    let revision = fleet.set(&third, (Stage::Proposed, "ada"), 0).await.expect("proposed");
    let refused = join(&fleet, "old", RELEASE).await.map(|_| ()).expect_err("refused");
    assert!(matches!(refused, JoinError::Lacks { stage: "proposed", .. }), "{refused}");
    assert_eq!(fleet.enable(&third, "bob").await, Err(EnableError::Nobody));

    let revision = fleet.set(&third, (Stage::Off, "ada"), revision).await.expect("withdrawn");
    let (old, _) = join(&fleet, "old", RELEASE).await.expect("joined");
    let stale = fleet.set(&third, (Stage::On, "ada"), revision - 1).await;
    assert_eq!(stale, Err(EnableError::Conflict(third.clone())));
    // As after a pause in which the member's entry expired.
    fleet.set(&third, (Stage::On, "ada"), revision).await.expect("on");
    let why = old.expelled().await;
    assert!(matches!(why, JoinError::Lacks { stage: "on", .. }), "{why}");
}
