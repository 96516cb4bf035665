//! The NATS server behind a command: one that runs, or a private one of our own.

use std::{
    error::Error as _,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cadre_core::{ids::Partitions, time::UnixMillis};
use cadre_nats::{
    connect::{ConnectError, ConnectOptions, Connection, connect},
    packs::KvPacks,
    server::{
        FindError, FindOptions, Found, NatsChoice, Replicas, Server, StartError, StartOptions,
        StoreDir, SyncMode, find,
    },
    topology::{DiscoverError, Profile, Topology, apply},
};

use crate::{
    exit::{Code, Failure},
    output,
    settings::Settings,
};

/// Where a local server is by custom.
const URL_DEFAULT: &str = "nats://127.0.0.1:4222";

/// How long a command tries to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

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
    /// A fixed monitoring port; `None` takes a free one.
    pub monitor_port: Option<u16>,
}

impl Default for PrivateOptions {
    fn default() -> Self {
        Self {
            store: StoreDir::Temporary,
            sync: SyncMode::Default,
            replicas: Replicas::One,
            partitions: Partitions::new(8),
            port: None,
            monitor_port: None,
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

/// Starts a private server and makes its streams, or brings those it has up to date.
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
    start.monitor_port = options.monitor_port;
    let server = Server::start(start).await.map_err(|error| not_started(&error))?;
    let mut own = ConnectOptions::new(server.urls().join(","), "cadre");
    own.release = settings.release;
    let connection = connect(own).await?;
    let replicas = match options.replicas {
        Replicas::One => 1,
        Replicas::Three => 3,
    };
    let new =
        Topology { partitions: options.partitions, shards: 1, replicas, profile: Profile::Dev };
    // A store from before keeps what it was made for: partitions say where a task lives.
    let topology = discover(&connection).await?.unwrap_or(new);
    apply(&connection.js, &topology, false).await?;
    Ok((server, connection))
}

/// The port or the folder is somebody else's: whoever named it can name another.
pub(crate) fn not_started(error: &StartError) -> Failure {
    let code = match error {
        StartError::PortTaken { .. }
        | StartError::StoreInUse { .. }
        | StartError::PathNotText { .. } => Code::Usage,
        StartError::Ports { .. }
        | StartError::Exited(_)
        | StartError::NoSuchNode { .. }
        | StartError::Io { .. }
        | StartError::Guard { .. }
        | StartError::Unhealthy { .. } => Code::Error,
    };
    let cause = error.source().map(|cause| format!(": {cause}"));
    Failure::new(code, format!("{error}{}", cause.unwrap_or_default()))
}

/// A broker for a process that runs everything: a private one, or one that runs already.
pub struct Ground {
    /// Ours to end; `None` for one that ran before.
    pub server: Option<Server>,
    /// The connection to it.
    pub connection: Connection,
    /// Where it is, for other commands.
    pub url: String,
}

impl Ground {
    /// Resolves with what to say when our broker ends by itself; never for a foreign one.
    pub async fn failed(&mut self) -> anyhow::Error {
        let Some(server) = &mut self.server else { return std::future::pending().await };
        let exit = server.exited().await;
        let text =
            format!("nats-server {} ended; the end of its log:\n{}", exit.node, exit.log_tail);
        Failure::new(Code::BusUnavailable, text).into()
    }

    /// Ends the connection, and the broker if it is ours.
    pub async fn close(self) {
        close(self.server, &[&self.connection]).await;
    }
}

/// Ends connections, then the broker that they lead to: a client would try to find it again, and say so.
pub(crate) async fn close(server: Option<Server>, connections: &[&Connection]) {
    for connection in connections {
        if let Err(error) = connection.client.drain().await {
            tracing::debug!(%error, "connection was closed already");
        }
    }
    let Some(mut server) = server else { return };
    if let Err(error) = server.stop().await {
        output::say(&format!("warning: {:#}", anyhow::Error::from(error)));
    }
}

/// Connects to the broker that `--nats` names, else starts a private one.
///
/// A broker without our streams gets them; one that has them is left as it is.
///
/// # Errors
/// As [`start_private`] and [`connect_to`].
pub async fn ground(
    settings: &Settings,
    options: PrivateOptions,
    name: &str,
) -> anyhow::Result<Ground> {
    let choice = settings.nats.as_deref().map(str::parse::<NatsChoice>).transpose()?;
    let Some(NatsChoice::Urls(urls)) = choice else {
        let (server, connection) = start_private(settings, options).await?;
        let url = server.urls().join(",");
        return Ok(Ground { server: Some(server), connection, url });
    };
    let connection = connect_to(settings, name).await?;
    if discover(&connection).await?.is_none() {
        output::say("the broker has no streams of ours: making them for development");
        apply(&connection.js, &Topology::dev(options.partitions), false).await?;
    }
    Ok(Ground { server: None, connection, url: urls.join(",") })
}

/// What the streams of this broker were made for; `None` when it has none of ours.
///
/// # Errors
/// [`Code::BusUnavailable`] when it does not answer or its streams are somebody else's.
pub async fn discover(connection: &Connection) -> anyhow::Result<Option<Topology>> {
    match connection.discover().await {
        Ok(topology) => Ok(Some(topology)),
        Err(DiscoverError::NotPrepared) => Ok(None),
        Err(error @ (DiscoverError::Foreign { .. } | DiscoverError::Api(_))) => {
            Err(Failure::new(Code::BusUnavailable, error.to_string()).into())
        }
    }
}

/// Connects to a broker that has our streams.
///
/// # Errors
/// [`Code::BusUnavailable`] when nobody answers, or the streams are not there.
pub async fn connect_prepared(
    settings: &Settings,
    name: &str,
) -> anyhow::Result<(Connection, Topology)> {
    let connection = connect_to(settings, name).await?;
    let topology = discover(&connection).await?;
    let unprepared = || Failure::new(Code::BusUnavailable, DiscoverError::NotPrepared.to_string());
    Ok((connection, topology.ok_or_else(unprepared)?))
}

/// The packs of the broker that `settings` name.
///
/// # Errors
/// As [`connect_prepared`].
pub async fn open_packs(settings: &Settings, name: &str) -> anyhow::Result<KvPacks> {
    let (connection, _) = connect_prepared(settings, name).await?;
    packs_on(&connection).await
}

/// The packs of a broker that has our streams.
///
/// # Errors
/// [`Code::BusUnavailable`] when it has not, or does not answer.
pub async fn packs_on(connection: &Connection) -> anyhow::Result<KvPacks> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(Code::BusUnavailable, error.to_string());
    let topology = connection.discover().await.map_err(|error| failed(&error))?;
    let packs = KvPacks::open(connection.js.clone(), topology).await;
    Ok(packs.map_err(|error| failed(&error))?)
}

/// This machine's clock, for ages that people read; never for decisions.
#[must_use]
pub fn local_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Connects to the server that `settings` name, or to the usual local one.
///
/// # Errors
/// [`Code::BusUnavailable`] when nobody answers, [`Code::Usage`] when it cannot even be asked.
pub async fn connect_to(settings: &Settings, name: &str) -> anyhow::Result<Connection> {
    let connected = try_connect(settings, name).await?;
    connected.map_err(|error| {
        let code = match &error {
            ConnectError::Address { .. } | ConnectError::Credentials { .. } => Code::Usage,
            ConnectError::Unreachable { .. }
            | ConnectError::Refused { .. }
            | ConnectError::TooOld { .. }
            | ConnectError::NoJetStream { .. } => Code::BusUnavailable,
        };
        Failure::new(code, said(&error)).into()
    })
}

/// Why there is no connection, with its cause; the causes below that only say it again.
#[must_use]
pub fn said(error: &ConnectError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// As [`connect_to`], and says why there is no connection.
///
/// # Errors
/// [`Code::Usage`] when the settings name no server that could be connected to.
pub async fn try_connect(
    settings: &Settings,
    name: &str,
) -> anyhow::Result<Result<Connection, ConnectError>> {
    let usage = |text: String| Failure::new(Code::Usage, text);
    let mut credentials = settings.credentials.clone();
    let urls = match settings.nats.as_deref().map(str::parse::<NatsChoice>).transpose()? {
        Some(NatsChoice::Urls(urls)) => urls.join(","),
        Some(NatsChoice::Binary(path)) => {
            let text =
                format!("--nats {}: name a URL, this command spawns no server", path.display());
            return Err(usage(text).into());
        }
        None => match &settings.context {
            Some(context) => {
                if let Some(problem) = &context.problem {
                    return Err(usage(problem.clone()).into());
                }
                credentials = credentials.or_else(|| context.credentials.clone());
                context.url.clone()
            }
            None => URL_DEFAULT.to_owned(),
        },
    };
    let mut options = ConnectOptions::new(urls, name);
    options.credentials = credentials;
    options.within = CONNECT_WITHIN;
    options.release = settings.release;
    Ok(connect(options).await)
}
