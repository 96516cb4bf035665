//! What one node of a cluster says while it does not hear the others.
//!
//! Cables are pulled only in `make chaos NODES=3`; elsewhere these say so and pass.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    ports::{LoadError, LogHead, OrchestratorBus as _},
    task::{Cause, Record},
    time::UnixMillis,
};
use cadre_nats::{
    bus::JetStreamBus,
    connect::{ConnectOptions, connect},
    server::Replicas,
};
use cadre_tests::{
    bed::Bed,
    rooms::{Cable, Rooms},
};

/// The disk of each node.
const DISK_MIB: u64 = 128;

#[tokio::test(flavor = "multi_thread")]
async fn cluster_log_is_not_believed_to_end_where_a_replica_is_behind() {
    let Some(rooms) = Rooms::build(Replicas::Three.count(), DISK_MIB) else {
        eprintln!("no namespaces here: no cable is pulled");
        return;
    };
    let bed = Bed::with(|options| {
        options.replicas = Replicas::Three;
        rooms.settle(options);
    })
    .await;
    let stream = bed.connection.js.get_stream("CADRE_LOG_0").await.expect("stream");
    let leader = stream.cached_info().cluster.as_ref().and_then(|cluster| cluster.leader.clone());
    let nodes = bed.server.nodes();
    let behind = nodes.iter().position(|node| Some(&node.name) != leader.as_ref()).expect("a node");
    let own = ConnectOptions::new(nodes[behind].url.clone(), "behind");
    let there = JetStreamBus::open(&connect(own).await.expect("connection")).await.expect("bus");

    let task = TaskId::derive(&Name::new("acme").expect("a name"), "behind");
    let first = bed.bus.append(&task, LogHead::default(), record(1), None).await.expect("stored");
    assert_eq!(there.load(&task).await.expect("a log").head, first);
    rooms.pull(behind, Cable::Routes);
    let second = bed.bus.append(&task, first, record(2), None).await.expect("stored by two");
    let meanwhile = there.load(&task).await;
    assert!(matches!(meanwhile, Err(LoadError::Bus(_))), "{meanwhile:?}");
    rooms.plug(behind, Cable::Routes);
    let found = loop {
        match there.load(&task).await {
            Ok(found) => break found.head,
            Err(LoadError::Bus(why)) => eprintln!("not yet: {why}"),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(found, second);
}

fn record(rev: u64) -> Arc<Record> {
    let (kind, source) = ("advance".to_owned(), String::new());
    let cause = Cause { kind, source, sequence: 0, waited: Duration::ZERO };
    let (decision, reason) = ("wait".to_owned(), "a test".to_owned());
    Arc::new(Record { rev, at: UnixMillis(1), cause, decision, reason, events: Vec::new() })
}
