//! Who lets go of what; on a real server, that the other one gets it.

use std::collections::BTreeMap;

use cadre_core::{
    fleet::Release,
    ids::{Name, Partition, Partitions},
    ports::{Inbox as _, OrchestratorBus as _, Settle as _},
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::*;
use crate::{
    bus::JetStreamBus,
    connect::{ConnectOptions, connect},
    server::{Server, testing::server},
    topology::{Topology, apply},
};

#[test]
fn who_has_too_many_lets_go_of_as_many_and_no_sooner_than_they_are_old() {
    let (shares, begun) = (Shares::default(), Instant::now());
    let mut titles: Vec<_> = (0..8).map(|_| Title::new(&shares)).collect();
    titles.iter_mut().for_each(|title| title.pinned(true, begun));
    let mut gone = |after: Duration, owners: usize| {
        shares.divide(8, owners);
        titles.iter_mut().filter_map(|title| title.lets_go(begun + after).then_some(())).count()
    };
    assert_eq!(gone(KEEP, 1), 0, "alone it keeps all");
    assert_eq!(gone(KEEP / 2, 2), 0, "what has just come is kept");
    assert_eq!(gone(KEEP, 3), 5, "eight by three is three, rounded up");
    assert_eq!(gone(KEEP, 3), 0);
    assert_eq!(gone(KEEP, 2), 0, "fewer than its share");
    let rests = titles.iter_mut().filter_map(|title| title.rest(begun + KEEP)).count();
    assert_eq!(rests, 5, "and asks for none of them");
    let later = begun + KEEP + REST;
    assert!(titles.iter_mut().all(|title| title.rest(later).is_none()), "for a moment");
    titles.iter_mut().for_each(|title| title.pinned(true, later));
    assert_eq!(shares.0.owned.load(Ordering::Relaxed), 8);
    assert!(!titles.iter_mut().take(5).any(|title| title.lets_go(later)), "what comes back stays");
    drop(titles);
    assert_eq!(shares.0.owned.load(Ordering::Relaxed), 0);
}

#[test]
fn only_orchestrators_that_have_settled_count() {
    let release = Release { version: "1", reads: 1, writes: 1, features: &[] };
    let member = |id: &str, service: &str, since: Option<u64>| {
        let id = Name::new(id).unwrap();
        let since = since.map(UnixMillis);
        Member { since, ..Member::new(id, &release, vec![service.to_owned()]) }
    };
    let members = [
        member("a", ORCHESTRATOR, Some(0)),
        member("b", ORCHESTRATOR, Some(7_000)),
        member("c", ORCHESTRATOR, Some(7_001)),
        member("d", "agent", Some(0)),
        member("e", ORCHESTRATOR, None),
    ];
    assert_eq!(owners(&members, UnixMillis(10_000)), 2);
}

const PARTITIONS: u16 = 4;

/// Who got an input of which partition.
type Heard = mpsc::UnboundedSender<(&'static str, Partition)>;

async fn orchestrator(server: &Server) -> JetStreamBus {
    let options = ConnectOptions::new(server.urls().join(","), "test");
    let connection = connect(options).await.expect("connected");
    apply(&connection.js, &Topology::dev(Partitions::new(PARTITIONS)), false)
        .await
        .expect("applied");
    let mut bus = JetStreamBus::open(&connection).await.expect("ours");
    bus.streams_mut().shares = Shares::new(Duration::ZERO);
    bus
}

/// Takes every input of every partition that it can get, for as long as the result lives.
async fn pulls(name: &'static str, bus: &JetStreamBus, heard: &Heard) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for partition in Partitions::new(PARTITIONS).all() {
        let mut inputs = bus.inputs(partition).await.expect("inputs");
        let (bus, heard) = (bus.clone(), heard.clone());
        all.spawn(async move {
            loop {
                for input in inputs.next().await.expect("a bus") {
                    bus.ack(input.receipt).await;
                    heard.send((name, partition)).expect("a test");
                }
            }
        });
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_gets_its_share_of_the_partitions() {
    let server = server().await;
    let (first, second) = (orchestrator(&server).await, orchestrator(&server).await);
    let (sender, mut heard) = mpsc::unbounded_channel();
    let mut owners: BTreeMap<Partition, &str> = BTreeMap::new();
    let mut inputs = 0_u32;
    // One input of each partition, one after the other, until `enough` says so.
    let mut play = async |enough: &dyn Fn(&BTreeMap<Partition, &str>) -> bool| {
        while !enough(&owners) {
            for partition in Partitions::new(PARTITIONS).all() {
                inputs += 1;
                assert!(inputs < 100_000, "the partitions stay where they are: {owners:?}");
                let subject = format!("cadre.{partition}.in.goal.none.{inputs}");
                let js = &first.streams().js;
                js.publish(subject, "{}".into()).await.expect("sent").await.expect("stored");
                let who = timeout(Duration::from_secs(30), heard.recv()).await;
                let (name, partition) = who.expect("somebody owns it").expect("a test");
                owners.insert(partition, name);
            }
        }
    };
    let of = |owners: &BTreeMap<Partition, &str>, name: &str| {
        owners.values().filter(|owner| **owner == name).count()
    };
    let _first = pulls("first", &first, &sender).await;
    play(&|owners| of(owners, "first") == 4).await;
    let _second = pulls("second", &second, &sender).await;
    for bus in [&first, &second] {
        bus.streams().shares.divide(PARTITIONS.into(), 2);
    }
    play(&|owners| of(owners, "second") == 2).await;
    for (name, bus) in [("first", &first), ("second", &second)] {
        assert_eq!(bus.streams().shares.0.owned.load(Ordering::Relaxed), 2, "{name}");
    }
}
