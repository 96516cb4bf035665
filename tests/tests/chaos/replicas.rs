//! What one node of a cluster says while it does not hear the others.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    ports::{Inbox as _, LoadError, LogHead, OrchestratorBus as _},
    task::{Cause, Record},
    time::UnixMillis,
};
use cadre_nats::{
    bus::JetStreamBus,
    connect::{ConnectOptions, connect},
    server::{NodeView, Replicas},
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    cables::Cables,
};
use tokio::time::timeout;

/// Three nodes, and a client of one of them that leads nothing that is asked here.
struct Lonely {
    bed: Bed,
    node: usize,
    there: JetStreamBus,
    /// A client of the stream's leader.
    elsewhere: JetStreamBus,
    // Last: who is reached by them ends first.
    cables: Cables,
}

impl Lonely {
    async fn new(stream: &str) -> Self {
        let cables = Cables::lay(Replicas::Three.count());
        let bed = Bed::with(|options| {
            options.replicas = Replicas::Three;
            cables.settle(options);
        })
        .await;
        let stream = bed.connection.js.get_stream(stream).await.expect("stream");
        let cluster = stream.cached_info().cluster.as_ref();
        let leader = cluster.and_then(|cluster| cluster.leader.clone());
        let nodes = bed.server.nodes();
        let is_other = |node: &NodeView| Some(&node.name) != leader.as_ref();
        let node = nodes.iter().position(is_other).expect("a node");
        let leader = nodes.iter().position(|node| !is_other(node)).expect("a leader");
        let (there, elsewhere) = (bus(&nodes[node]).await, bus(&nodes[leader]).await);
        Self { bed, node, there, elsewhere, cables }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_not_believed_to_end_where_a_replica_is_behind() {
    let lonely = Lonely::new("CADRE_LOG_0").await;
    let Lonely { node, there, elsewhere, cables, .. } = &lonely;
    let task = TaskId::derive(&Name::new("acme").expect("a name"), "behind");
    let first = elsewhere.append(&task, LogHead::default(), record(1), None).await.expect("stored");
    assert_eq!(there.load(&task).await.expect("a log").head, first);
    cables.pull(*node);
    let second = elsewhere.append(&task, first, record(2), None).await.expect("stored by two");
    let meanwhile = there.load(&task).await;
    assert!(matches!(meanwhile, Err(LoadError::Bus(_))), "{meanwhile:?}");
    cables.plug(*node);
    let found = loop {
        match there.load(&task).await {
            Ok(found) => break found.head,
            Err(LoadError::Bus(why)) => eprintln!("not yet: {why}"),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(found, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_leaves_a_node_that_lost_the_others() {
    let lonely = Lonely::new("CADRE_GOALS").await;
    let Lonely { bed, node, there, elsewhere, cables } = &lonely;
    let mut goals = there.goals().await.expect("an inbox");
    cables.pull(*node);
    let look = async {
        loop {
            let sent = elsewhere.streams().js.publish("goals.acme.any", "{}".into()).await;
            if let Ok(sent) = sent {
                // Not confirmed before there is a leader again.
                let _ = sent.await;
            }
            if goals.next().await.is_ok_and(|goals| !goals.is_empty()) {
                return;
            }
        }
    };
    timeout(PATIENCE, look).await.expect("a goal while the cable is out");
    let now_at = there.streams().client.server_info().server_name;
    assert_ne!(now_at, bed.server.nodes()[*node].name);
}

async fn bus(node: &NodeView) -> JetStreamBus {
    let options = ConnectOptions::new(node.url.clone(), "test");
    let connection = connect(options).await.expect("connection");
    JetStreamBus::open(&connection).await.expect("bus")
}

fn record(rev: u64) -> Arc<Record> {
    let (kind, source) = ("advance".to_owned(), String::new());
    let cause = Cause { kind, source, sequence: 0, waited: Duration::ZERO, models: Vec::new() };
    let (decision, reason) = ("wait".to_owned(), "a test".to_owned());
    Arc::new(Record { rev, at: UnixMillis(1), cause, decision, reason, events: Vec::new() })
}
