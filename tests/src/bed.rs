//! One test's own world: a broker, a connection, the services.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_nats::jetstream::consumer::{DeliverPolicy, pull::OrderedConfig};
use cadre::stack::{Stack, StackOptions};
use cadre_core::{
    ids::{Name, Partitions, TaskId},
    pack::PackSource,
    task::Task,
};
use cadre_nats::{
    bus::JetStreamBus,
    connect::{ConnectOptions, Connection, connect},
    packs::KvPacks,
    server::{FindOptions, Server, StartOptions, cache_dir, find},
    topology::{Topology, apply},
};
use futures::StreamExt as _;
use serde_json::Value;

/// Longest wait for anything in a test; only a failure is ever that slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A broker with streams, and whatever runs on it.
pub struct Bed {
    /// The broker.
    pub server: Server,
    /// A connection to it.
    pub connection: Connection,
    /// Streams for looking.
    pub bus: JetStreamBus,
    /// Packs for applying.
    pub packs: KvPacks,
}

/// Finds nats-server as the command line does, or fails the test with the ways to get it.
///
/// # Panics
/// When there is none: a test without a broker proves nothing.
pub async fn server_binary() -> PathBuf {
    let variable = std::env::var_os;
    let options = FindOptions {
        nats: None,
        server_path: variable("CADRE_NATS_SERVER").map(PathBuf::from),
        search_path: variable("PATH"),
        cache_dir: cache_dir(variable("XDG_CACHE_HOME"), variable("HOME")).expect("HOME is set"),
        offline: false,
        say: Arc::new(|line| eprintln!("{line}")),
    };
    match find(&options).await {
        Ok(found) => found.binary,
        Err(error) => panic!("{error}"),
    }
}

impl Bed {
    /// Starts a broker of its own and makes the streams.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with a broker that `change` makes differ from the default.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn with(change: impl FnOnce(&mut StartOptions)) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(std::env::var("CADRE_LOG").unwrap_or_else(|_| "warn".into()))
            .with_test_writer()
            .try_init();
        let mut options = StartOptions::new(server_binary().await);
        change(&mut options);
        let replicas = u8::try_from(options.replicas.count()).expect("few");
        let server = Server::start(options).await.expect("server");
        let options = ConnectOptions::new(server.urls().join(","), "test");
        let connection = connect(options).await.expect("connection");
        let topology = Topology { replicas, ..Topology::dev(Partitions::new(4)) };
        apply(&connection.js, &topology, false).await.expect("streams");
        let bus = JetStreamBus::open(&connection).await.expect("bus");
        let packs = KvPacks::open(connection.js.clone(), topology).await.expect("packs");
        Self { server, connection, bus, packs }
    }

    /// Applies a pack.
    ///
    /// # Panics
    /// When it is not valid.
    pub async fn apply(&self, pack: &PackSource) {
        if let Err(error) = self.packs.apply(pack).await {
            panic!("{error:#}");
        }
    }

    /// Starts every service in this process, on a connection of its own.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn stack(&self) -> Stack {
        self.stack_of(StackOptions::all()).await
    }

    /// Starts some services in this process.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn stack_of(&self, options: StackOptions) -> Stack {
        let own = ConnectOptions::new(self.server.urls().join(","), "stack");
        let connection = connect(own).await.expect("connection");
        Stack::start(&connection, options).await.expect("stack")
    }

    /// Publishes a goal under `key` as any NATS client would, and returns its task.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn publish(&self, workflow: &str, key: &str, input: &Value) -> TaskId {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", key);
        let subject = format!("goals.acme.{workflow}");
        let body = input.to_string().into();
        let js = &self.connection.js;
        js.publish_with_headers(subject, headers, body).await.expect("sent").await.expect("stored");
        TaskId::derive(&Name::new("acme").expect("a name"), key)
    }

    /// Waits for `count` answers and returns them in order of arrival.
    ///
    /// # Panics
    /// When they do not come in time.
    pub async fn answers(&self, count: usize) -> Vec<Value> {
        let stream = self.connection.js.get_stream("CADRE_ANSWERS").await.expect("stream");
        let config = OrderedConfig { deliver_policy: DeliverPolicy::All, ..Default::default() };
        let consumer = stream.create_consumer(config).await.expect("consumer");
        let messages = consumer.messages().await.expect("messages");
        let read = messages.take(count).map(|message| {
            serde_json::from_slice(&message.expect("message").payload).expect("json")
        });
        tokio::time::timeout(PATIENCE, read.collect()).await.expect("answers in time")
    }

    /// Waits for the answer of one task.
    ///
    /// # Panics
    /// When it does not come in time.
    pub async fn answer(&self, task: &TaskId) -> Value {
        let stream = self.connection.js.get_stream("CADRE_ANSWERS").await.expect("stream");
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::All,
            filter_subject: format!("answers.*.*.{task}"),
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.expect("consumer");
        let mut messages = consumer.messages().await.expect("messages");
        let message = tokio::time::timeout(PATIENCE, messages.next()).await;
        let message = message.expect("an answer in time").expect("open").expect("message");
        serde_json::from_slice(&message.payload).expect("json")
    }

    /// The task as its log tells it.
    ///
    /// # Panics
    /// When it has none, or a damaged one.
    pub async fn task(&self, task: &TaskId) -> Task {
        let loaded = self.bus.read_log(task).await.expect("a whole log");
        Task::replay(&loaded.records).expect("a task")
    }
}
