//! How a private server is to run, and the configuration file that says so to nats-server.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::server::ports::Ports;

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// Where the streams are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreDir {
    /// A new directory that is removed when the server is dropped, or by the guard when its owner is killed.
    Temporary,
    /// This directory, made if need be; one server at a time.
    Path(PathBuf),
}

/// When a written message is forced to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncMode {
    /// Every two minutes, the server's default: acknowledged writes survive a crash, not a power failure.
    Default,
    /// Before each acknowledgement.
    Always,
}

/// How many servers make up the private broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicas {
    /// One server.
    One,
    /// A cluster of three on this machine, each with a store of its own.
    Three,
}

/// Where one node lives when that is not 127.0.0.1: a network namespace of its own, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What is started in place of the program; it becomes the program (`exec`) in that place.
    pub launcher: PathBuf,
    /// Where clients and the monitoring reach the node.
    pub host: IpAddr,
    /// Where the other nodes reach it.
    pub route_host: IpAddr,
}

/// How a private server is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartOptions {
    /// The program, from [`crate::server::find`].
    pub binary: PathBuf,
    /// Default: [`StoreDir::Temporary`], because a private server is usually for one run.
    pub store: StoreDir,
    /// The clients' port of the first node; the next nodes take the next ports. Default `None`: any free one.
    pub port: Option<u16>,
    /// The monitoring port of the first node; the next nodes take the next ports. Default `None`: any free one.
    pub monitor_port: Option<u16>,
    /// Default: [`SyncMode::Default`].
    pub sync: SyncMode,
    /// Default: [`Replicas::One`].
    pub replicas: Replicas,
    /// The largest message. Default 1 MiB: Cadre's own hard limit is 256 KiB, batches and blobs need headroom.
    pub payload_max_bytes: u64,
    /// What memory streams may hold on each node. Default 1 GiB.
    pub memory_max_bytes: u64,
    /// What file streams may hold or reserve on each node. Default 256 GiB: stream caps reserve, disks are checked elsewhere.
    pub file_max_bytes: u64,
    /// The time to become healthy. Default `None`: 10 s for one server, which needs well under one; 30 s for a
    /// cluster, where electing a leader after a loss takes 4 to 9 s a round.
    pub healthy_within: Option<Duration>,
    /// One for each node that does not live on 127.0.0.1, in order. Default: none.
    pub places: Vec<Place>,
}

impl StartOptions {
    /// One server with a temporary store, on free ports, with the defaults above.
    pub fn new(binary: PathBuf) -> Self {
        Self {
            binary,
            store: StoreDir::Temporary,
            port: None,
            monitor_port: None,
            sync: SyncMode::Default,
            replicas: Replicas::One,
            payload_max_bytes: MIB,
            memory_max_bytes: GIB,
            file_max_bytes: 256 * GIB,
            healthy_within: None,
            places: Vec::new(),
        }
    }

    /// The time it has to become healthy.
    pub(crate) fn healthy_limit(&self) -> Duration {
        let usual = match self.replicas {
            Replicas::One => Duration::from_secs(10),
            Replicas::Three => Duration::from_secs(30),
        };
        self.healthy_within.unwrap_or(usual)
    }
}

impl Replicas {
    /// How many servers that is.
    pub fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Three => 3,
        }
    }
}

/// The configuration file of one node. `routes`: where the nodes of a cluster reach each other.
///
/// `None` when the store's path is not UTF-8.
pub(crate) fn configuration(
    options: &StartOptions,
    name: &str,
    store: &Path,
    ports: Ports,
    routes: &[SocketAddr],
) -> Option<String> {
    let store = quoted(store.to_str()?);
    let sync = match options.sync {
        SyncMode::Default => "",
        SyncMode::Always => "  sync_interval: always\n",
    };
    let cluster = ports.route_address().map(|own| cluster(own, routes)).unwrap_or_default();
    Some(format!(
        "# Written by cadre at every start; changes are lost.\n\
         server_name: {name}\n\
         listen: \"{client}\"\n\
         http: \"{monitor}\"\n\
         max_payload: {payload}\n\
         jetstream {{\n  store_dir: {store}\n  max_memory_store: {memory}\n  max_file_store: {file}\n{sync}}}\n\
         {cluster}",
        name = quoted(name),
        client = SocketAddr::new(ports.host, ports.client),
        monitor = SocketAddr::new(ports.host, ports.monitor),
        payload = options.payload_max_bytes,
        memory = options.memory_max_bytes,
        file = options.file_max_bytes,
    ))
}

fn cluster(own: SocketAddr, routes: &[SocketAddr]) -> String {
    let routes: Vec<String> = routes.iter().map(|one| format!("\"nats://{one}\"")).collect();
    format!(
        "cluster {{\n  name: \"cadre\"\n  listen: \"{own}\"\n  routes: [{routes}]\n}}\n",
        routes = routes.join(", ")
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_binds_loopback_only_and_escapes_the_path() {
        let mut options = StartOptions::new("nats-server".into());
        options.sync = SyncMode::Always;
        let ports = Ports { client: 1, monitor: 2, route: Some(3), ..Ports::NONE };
        let routes = [3, 4, 5].map(|port| SocketAddr::new(ports.route_host, port));
        let text =
            configuration(&options, "n1", Path::new("/a \"b\"\\c"), ports, &routes).expect("utf-8");
        for line in
            ["listen: \"127.0.0.1:1\"", "http: \"127.0.0.1:2\"", "  listen: \"127.0.0.1:3\""]
        {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert!(text.contains("store_dir: \"/a \\\"b\\\"\\\\c\""), "{text}");
        assert!(text.contains("sync_interval: always"));
        assert!(!text.contains("0.0.0.0"));
    }
}
