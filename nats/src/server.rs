//! The one way to get a private nats-server: find or fetch the program, run it, end it.
//!
//! `cadre demo`, `cadre dev`, `cadre bench` and every integration test come through here: first [`find`], then
//! [`Server::start`]. Nothing is read from the environment; the caller passes what it read.
//!
//! Invariants: a fetched program runs only after its sha256 matched a pin of this source tree; the server listens on
//! 127.0.0.1 only, unless it was given another [`Place`]; it is dead soon after its owner is, however the owner ended
//! (a small shell guard sees the pipe close); nobody gets a [`Server`] before it is healthy.

use std::{path::Path, time::Duration};

use crate::server::{health::wait_until_healthy, node::Node, store::Store};

mod cache;
mod fetch;
mod find;
mod health;
mod node;
mod options;
mod pins;
mod ports;
mod start;
mod store;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tool;
mod version;

pub use self::{
    cache::cache_dir,
    find::{
        FindError, FindOptions, Found, NatsChoice, NatsChoiceError, Tried, Way, WayError, find,
    },
    options::{Place, Replicas, StartOptions, StoreDir, SyncMode},
    pins::{VERSION_MIN, VERSION_PINNED},
    start::StartError,
    tool::ToolError,
    version::{Version, VersionError},
};

/// The time a server gets to end after a clean stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The time a drop waits for the killed servers, so that their directory can be removed.
const DROP_LIMIT: Duration = Duration::from_millis(500);

/// A private nats-server, or a private cluster of three.
///
/// Dropping it kills it (SIGKILL) and removes a temporary store. It belongs to the tokio runtime it was started in.
#[derive(Debug)]
pub struct Server {
    options: StartOptions,
    nodes: Vec<Node>,
    store: Store,
}

/// A server that ended without being told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its name, as in the list of [`Server::nodes`].
    pub node: String,
    /// Its exit code; 128 + the signal's number when a signal ended it, `None` when unknown.
    pub code: Option<i32>,
    /// The last lines of its log.
    pub log_tail: String,
}

/// What is known of one running or stopped node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// The server's name, stable over restarts.
    pub name: String,
    /// Where clients connect: `nats://127.0.0.1:PORT`.
    pub url: String,
    /// Where its monitoring answers: `http://127.0.0.1:PORT`.
    pub monitor_url: String,
    /// The pid of nats-server itself, not of its guard; `None` while it does not run.
    pub pid: Option<u32>,
}

/// Why a running server could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// There is no node of that index.
    #[error("find node {index} of a server with {count} nodes")]
    NoSuchNode {
        /// The index asked for, from 0.
        index: usize,
        /// How many nodes there are.
        count: usize,
    },
    /// The operating system refused.
    #[error("end nats-server {node}")]
    Io {
        /// The node's name.
        node: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It did not end after SIGKILL.
    #[error(
        "end nats-server {node}: it is still there {STOP_LIMIT:?} after SIGKILL; look at `ps` for a stuck disk"
    )]
    Stuck {
        /// The node's name.
        node: String,
    },
}

impl Server {
    /// Starts a server and returns when it is healthy.
    ///
    /// Cancellation: dropping the future kills what was started.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(options: StartOptions) -> Result<Self, StartError> {
        start::start(options).await
    }

    /// The address of the first node: `nats://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.nodes.first().map(Node::url).unwrap_or_default()
    }

    /// The addresses of all nodes, in order.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// The monitoring address of the first node: `http://127.0.0.1:PORT`.
    pub fn monitor_url(&self) -> String {
        self.nodes.first().map(Node::monitor_url).unwrap_or_default()
    }

    /// The pid of the first node's nats-server; `None` while it does not run.
    pub fn pid(&self) -> Option<u32> {
        self.nodes.first().and_then(Node::pid)
    }

    /// The directory that holds each node's store, configuration and log.
    pub fn store_dir(&self) -> &Path {
        self.store.root()
    }

    /// All nodes in order: one, or three of a cluster.
    pub fn nodes(&self) -> Vec<NodeView> {
        self.nodes.iter().map(Node::view).collect()
    }

    /// The last lines of the log of every node, for error texts.
    pub fn log_tail(&self) -> String {
        self.nodes.iter().map(Node::log_tail).collect::<Vec<_>>().join("\n")
    }

    /// Resolves when a node ends that nobody ended through this handle.
    ///
    /// Cancel safe. After [`Server::kill`] or [`Server::stop`] of all nodes it never resolves.
    pub async fn exited(&mut self) -> Exit {
        let waits = self.nodes.iter_mut().map(|node| Box::pin(node.exited()));
        futures::future::select_all(waits).await.0
    }

    /// Sends SIGKILL to every node and waits until they are gone. Idempotent.
    ///
    /// # Errors
    /// [`StopError`] when a node would not go.
    pub async fn kill(&mut self) -> Result<(), StopError> {
        for node in &mut self.nodes {
            node.kill(STOP_LIMIT).await?;
        }
        Ok(())
    }

    /// Sends SIGKILL to one node and waits until it is gone. Idempotent.
    ///
    /// # Errors
    /// [`StopError`] when there is no such node or it would not go.
    pub async fn kill_node(&mut self, index: usize) -> Result<(), StopError> {
        let count = self.nodes.len();
        let node = self.nodes.get_mut(index).ok_or(StopError::NoSuchNode { index, count })?;
        node.kill(STOP_LIMIT).await
    }

    /// Starts every node that does not run, on the same ports and store, and waits until all are healthy.
    ///
    /// For a restart of a running server call [`Server::stop`] or [`Server::kill`] first.
    ///
    /// # Errors
    /// [`StartError`]; nodes that did start keep running.
    pub async fn restart(&mut self) -> Result<(), StartError> {
        let limit = self.options.healthy_limit();
        for node in &mut self.nodes {
            if !node.is_running() {
                node.spawn(&self.options.binary, &self.store).await?;
            }
        }
        wait_until_healthy(&mut self.nodes, limit).await
    }

    /// Starts one node again, on the same ports and store, and waits until that node is healthy.
    ///
    /// # Errors
    /// [`StartError`]; the other nodes are left alone.
    pub async fn restart_node(&mut self, index: usize) -> Result<(), StartError> {
        let (limit, count) = (self.options.healthy_limit(), self.nodes.len());
        let node = self.nodes.get_mut(index).ok_or(StartError::NoSuchNode { index, count })?;
        if !node.is_running() {
            node.spawn(&self.options.binary, &self.store).await?;
        }
        wait_until_healthy(std::slice::from_mut(node), limit).await
    }

    /// Stops every node cleanly (SIGTERM) and waits; what does not end in ten seconds is killed. Idempotent.
    ///
    /// # Errors
    /// [`StopError`] when a node would not go.
    pub async fn stop(&mut self) -> Result<(), StopError> {
        let ends = self.nodes.iter_mut().map(|node| node.stop(STOP_LIMIT));
        futures::future::join_all(ends).await.into_iter().collect()
    }

    /// Kills every node on this thread and waits a little for its end.
    fn end_now(&mut self) {
        for node in &mut self.nodes {
            node.let_go();
        }
        for node in &mut self.nodes {
            node.wait_blocking(DROP_LIMIT);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_now();
    }
}
