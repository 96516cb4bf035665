//! The NATS server behind a command: one that runs, or a private one of our own.

use std::{sync::Arc, time::Duration};

use cadre_core::ids::Partitions;
use cadre_nats::{
    connect::{ConnectOptions, Connection, connect},
    server::{
        FindError, FindOptions, Found, NatsChoice, Replicas, Server, StartOptions, StoreDir,
        SyncMode, find,
    },
    topology::{Profile, Topology, apply},
};

use crate::{
    exit::{Code, Failure},
    output,
    settings::Settings,
};

/// What a private server is like.
#[derive(Debug, Clone)]
pub struct PrivateOptions {
    /// Where it keeps its streams.
    pub store: StoreDir,
    /// When it syncs to disk.
    pub sync: SyncMode,
    /// One server, or a cluster of three.
    pub replicas: Replicas,
    /// Partitions of the streams that are made.
    pub partitions: Partitions,
    /// A fixed client port; `None` takes a free one.
    pub port: Option<u16>,
}

impl Default for PrivateOptions {
    fn default() -> Self {
        Self {
            store: StoreDir::Temporary,
            sync: SyncMode::Default,
            replicas: Replicas::One,
            partitions: Partitions::new(8),
            port: None,
        }
    }
}

/// Finds or fetches a server binary.
///
/// # Errors
/// [`Code::NoServer`] lists each way that was tried, and what to do.
pub async fn find_server(settings: &Settings) -> anyhow::Result<Found> {
    let nats = settings.nats.as_deref().map(str::parse::<NatsChoice>).transpose()?;
    let options = FindOptions {
        nats,
        server_path: settings.server_path.clone(),
        search_path: settings.search_path.clone(),
        cache_dir: settings.cache_dir.clone(),
        offline: settings.offline,
        say: Arc::new(|line: &str| output::say(line)),
    };
    find(&options).await.map_err(|error| match &error {
        FindError::Nowhere { .. } => Failure::new(Code::NoServer, error.to_string()).into(),
        FindError::Running { .. } => Failure::new(Code::Usage, error.to_string()).into(),
    })
}

/// Starts a private server and makes its streams.
///
/// # Errors
/// As [`find_server`]; or the server did not become healthy.
pub async fn start_private(
    settings: &Settings,
    options: PrivateOptions,
) -> anyhow::Result<(Server, Connection)> {
    let found = find_server(settings).await?;
    let mut start = StartOptions::new(found.binary);
    start.store = options.store;
    start.sync = options.sync;
    start.replicas = options.replicas;
    start.port = options.port;
    let server = Server::start(start).await?;
    let connection = connect(ConnectOptions::new(server.urls().join(","), "cadre")).await?;
    let replicas = match options.replicas {
        Replicas::One => 1,
        Replicas::Three => 3,
    };
    let topology =
        Topology { partitions: options.partitions, shards: 1, replicas, profile: Profile::Dev };
    apply(&connection.js, &topology, false).await?;
    Ok((server, connection))
}

/// Connects to the server that `settings` name, or to the usual local one.
///
/// # Errors
/// [`Code::BusUnavailable`] when nobody answers.
pub async fn connect_to(settings: &Settings, name: &str) -> anyhow::Result<Connection> {
    let urls = match settings.nats.as_deref().map(str::parse::<NatsChoice>).transpose()? {
        Some(NatsChoice::Urls(urls)) => urls.join(","),
        Some(NatsChoice::Binary(path)) => {
            let text = format!("--nats {}: name a URL, this command spawns no server", path.display());
            return Err(Failure::new(Code::Usage, text).into());
        }
        None => "nats://127.0.0.1:4222".to_owned(),
    };
    let mut options = ConnectOptions::new(urls, name);
    options.credentials.clone_from(&settings.credentials);
    options.within = Duration::from_secs(5);
    connect(options)
        .await
        .map_err(|error| Failure::new(Code::BusUnavailable, format!("{error:#}")).into())
}
