//! Starts one server or a cluster of three, picking other ports when somebody was faster.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use sha2::{Digest, Sha256};

use crate::server::{
    Exit, Server,
    health::wait_until_healthy,
    node::Node,
    options::{StartOptions, configuration},
    ports::{self, Ports},
    store::Store,
};

/// How often other ports are picked after a lost race for one.
const PORT_TRIES: u32 = 5;

/// What nats-server logs when a port is taken.
const PORT_TAKEN: &str = "address already in use";

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no node of that index.
    #[error("find node {index} of a server with {count} nodes")]
    NoSuchNode {
        /// The index asked for, from 0.
        index: usize,
        /// How many nodes there are.
        count: usize,
    },
    /// Another server lives in that directory.
    #[error(
        "the store {folder} is in use by another server: stop that one (perhaps another `cadre dev`), or name \
         another directory"
    )]
    StoreInUse {
        /// The store.
        folder: PathBuf,
    },
    /// The path cannot be written into a configuration file.
    #[error("use {path} as a store: its name is not UTF-8; name another directory")]
    PathNotText {
        /// The directory.
        path: PathBuf,
    },
    /// A file could not be made or read.
    #[error("use {path}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There were no ports to listen on.
    #[error("pick ports on 127.0.0.1")]
    Ports {
        /// What the system said.
        source: io::Error,
    },
    /// The guard that starts the server and ends it with its owner did not start.
    #[error("start nats-server {node} through /bin/sh")]
    Guard {
        /// The node's name.
        node: String,
        /// What the system said.
        source: io::Error,
    },
    /// A port that was asked for is in use.
    #[error(
        "listen on 127.0.0.1:{port} or 127.0.0.1:{monitor_port}: one of them is in use; choose another port"
    )]
    PortTaken {
        /// The clients' port.
        port: u16,
        /// The monitoring port.
        monitor_port: u16,
    },
    /// The server ended at once.
    #[error("start nats-server {}: it ended with code {}; the end of its log:\n{}", .0.node, code(.0), .0.log_tail)]
    Exited(Exit),
    /// The server runs but does not become healthy.
    #[error(
        "see nats-server {node} healthy within {limit:?}: {last}; the end of its log:\n{log_tail}"
    )]
    Unhealthy {
        /// The node's name.
        node: String,
        /// The time it had.
        limit: Duration,
        /// What its health check said last.
        last: String,
        /// The last lines of its log.
        log_tail: String,
    },
}

/// Starts what the options say and waits until it is healthy.
pub(crate) async fn start(options: StartOptions) -> Result<Server, StartError> {
    let store = Store::open(&options.store).await?;
    // Built before anything runs: when this future is dropped or fails, dropping the server kills what was started.
    let mut server = Server { options, nodes: Vec::new(), store };
    let mut tries = 0;
    loop {
        tries += 1;
        match try_ports(&mut server).await {
            Err((StartError::Exited(exit), ports)) if exit.log_tail.contains(PORT_TAKEN) => {
                let options = &server.options;
                let is_fixed = options.port.is_some() || options.monitor_port.is_some();
                if is_fixed || tries >= PORT_TRIES {
                    return Err(StartError::PortTaken {
                        port: ports.client,
                        monitor_port: ports.monitor,
                    });
                }
                server.end_now();
            }
            Err((error, _)) => return Err(error),
            Ok(()) => return Ok(server),
        }
    }
}

async fn try_ports(server: &mut Server) -> Result<(), (StartError, Ports)> {
    let options = &server.options;
    let picked = ports::pick(options.replicas.count(), options.port, options.monitor_port);
    let picked = picked.map_err(|source| (StartError::Ports { source }, Ports::NONE))?;
    let first = picked.first().copied().unwrap_or(Ports::NONE);
    server.nodes = make_nodes(options, &server.store, &picked).map_err(|error| (error, first))?;
    for node in &mut server.nodes {
        node.spawn(&options.binary, &server.store).await.map_err(|error| (error, node.ports()))?;
    }
    let healthy = wait_until_healthy(&mut server.nodes, options.healthy_limit()).await;
    healthy.map_err(|error| {
        let name = if let StartError::Exited(exit) = &error { exit.node.as_str() } else { "" };
        let node = server.nodes.iter().find(|node| node.name() == name);
        let ports = node.map_or(first, Node::ports);
        (error, ports)
    })
}

fn make_nodes(
    options: &StartOptions,
    store: &Store,
    picked: &[Ports],
) -> Result<Vec<Node>, StartError> {
    let place = |(index, ports): (usize, &Ports)| match options.places.get(index) {
        Some(place) => Ports { host: place.host, route_host: place.route_host, ..*ports },
        None => *ports,
    };
    let placed: Vec<Ports> = picked.iter().enumerate().map(place).collect();
    let routes: Vec<SocketAddr> = placed.iter().filter_map(Ports::route_address).collect();
    // Names follow from the store, so that they are stable over restarts (a cluster member's identity is its name)
    // and no other live server has them (which is how a health check knows whom it asked).
    let digest = hex::encode(Sha256::digest(store.root().as_os_str().as_encoded_bytes()));
    let token = digest.get(..8).unwrap_or_default();
    let mut nodes = Vec::new();
    for (index, ports) in placed.into_iter().enumerate() {
        let number = index + 1;
        let name = format!("cadre-{token}-{number}");
        let folder = store.root().join(format!("node-{number}"));
        let text = configuration(options, &name, &folder.join("jetstream"), ports, &routes);
        let text = text.ok_or_else(|| StartError::PathNotText { path: folder.clone() })?;
        let launcher = options.places.get(index).map(|place| place.launcher.clone());
        nodes.push(Node::new(name, folder, ports, text).launched_by(launcher));
    }
    Ok(nodes)
}

fn code(exit: &Exit) -> String {
    exit.code.map_or_else(|| "unknown".to_owned(), |code| code.to_string())
}
