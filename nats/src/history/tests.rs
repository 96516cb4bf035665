//! The feed on a real server.

use cadre_core::ids::{Name, Partition, Partitions};

use super::*;
use crate::{
    connect::{ConnectOptions, Connection, connect},
    server::testing::server,
    topology::{Topology, apply},
};

/// What stands on the subjects: that it is no record does not matter to the feed.
async fn put(connection: &Connection, subject: String) {
    connection.js.publish(subject, "?".into()).await.expect("sent").await.expect("stored");
}

#[tokio::test]
async fn a_dead_letter_behind_the_last_record_is_nothing_that_waits() {
    let server = server().await;
    let options = ConnectOptions::new(server.urls().join(","), "test");
    let connection = connect(options).await.expect("connected");
    apply(&connection.js, &Topology::dev(Partitions::new(1)), false).await.expect("applied");
    let history = JetStreamHistory::new(&JetStreamBus::open(&connection).await.expect("opened"));
    let partition = Partitions::new(1).all().next().expect("one");
    let task = TaskId::derive(&Name::new("acme").expect("a name"), "one");
    let log = || subject::log(partition, &task);
    let dead = |partition: Partition| {
        subject::dead(partition, &Name::new("input").expect("a name"), "nobody")
    };
    put(&connection, dead(partition)).await;
    put(&connection, log()).await;
    put(&connection, log()).await;
    put(&connection, dead(partition)).await;

    let mut feed = history.feed(&Positions::new()).await.expect("a feed");
    let mut seen = Vec::new();
    while seen.last() != Some(&(3, 0)) {
        let items = feed.next().await.expect("read");
        seen.extend(items.iter().map(|item| (item.sequence, item.pending)));
    }
    // Each record in order; the last one perhaps twice, once it is known that nothing is behind it.
    let mut sequences: Vec<_> = seen.iter().map(|(sequence, _)| *sequence).collect();
    sequences.dedup();
    assert_eq!(sequences, [2, 3], "{seen:?}");

    // While it follows, too.
    put(&connection, log()).await;
    while seen.last() != Some(&(5, 0)) {
        let items = feed.next().await.expect("read");
        seen.extend(items.iter().map(|item| (item.sequence, item.pending)));
    }
    put(&connection, dead(partition)).await;
    let told = seen.len();
    while seen.len() == told {
        let items = feed.next().await.expect("read");
        seen.extend(items.iter().map(|item| (item.sequence, item.pending)));
    }
    assert_eq!(seen.last(), Some(&(5, 0)), "told again, changed in nothing: {seen:?}");
}
