//! Asks a node's monitoring port whether it is healthy: a few lines of HTTP by hand instead of a client library.

use std::{
    io,
    time::{Duration, Instant},
};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::server::{node::Node, ports::Ports, start::StartError};

/// How often is asked; a start takes some 30 ms.
const PAUSE: Duration = Duration::from_millis(5);

/// The time one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The largest answer that is read.
const ANSWER_MAX_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Varz {
    server_name: String,
}

#[derive(Deserialize)]
struct Jsz {
    meta_cluster: Option<MetaCluster>,
}

#[derive(Deserialize)]
struct MetaCluster {
    leader: Option<String>,
    cluster_size: Option<usize>,
    #[serde(default)]
    replicas: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    #[serde(default)]
    current: bool,
    #[serde(default)]
    offline: bool,
}

/// Waits until every node answers as itself with JetStream enabled, and a cluster has a leader all others follow.
pub(crate) async fn wait_until_healthy(
    nodes: &mut [Node],
    limit: Duration,
) -> Result<(), StartError> {
    let give_up = Instant::now() + limit;
    loop {
        let mut unhealthy = None;
        for node in &mut *nodes {
            if let Some(exit) = node.exit_now() {
                return Err(StartError::Exited(exit));
            }
            if unhealthy.is_none()
                && let Err(last) = check_node(node).await
            {
                unhealthy = Some((node.name().to_owned(), last, node.log_tail()));
            }
        }
        if unhealthy.is_none()
            && nodes.len() > 1
            && let Err(last) = check_cluster(nodes).await
        {
            let node = nodes.first().map(|node| node.name().to_owned()).unwrap_or_default();
            unhealthy = Some((node, last, String::new()));
        }
        let Some((node, last, log_tail)) = unhealthy else { return Ok(()) };
        if Instant::now() > give_up {
            return Err(StartError::Unhealthy { node, limit, last, log_tail });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn check_node(node: &Node) -> Result<(), String> {
    let is_member = node.ports().route.is_some();
    get(
        node,
        if is_member { "/healthz?js-meta-only=true" } else { "/healthz?js-enabled-only=true" },
    )
    .await?;
    // A foreign server may hold the port while ours is about to fail on it.
    let varz: Varz = get_json(node, "/varz").await?;
    if varz.server_name == node.name() {
        Ok(())
    } else {
        Err(format!("the port belongs to {}", varz.server_name))
    }
}

async fn check_cluster(nodes: &[Node]) -> Result<(), String> {
    for node in nodes {
        let jsz: Jsz = get_json(node, "/jsz").await?;
        let Some(meta) = jsz.meta_cluster else {
            return Err("no JetStream cluster yet".to_owned());
        };
        if meta.leader.as_deref() != Some(node.name()) {
            continue;
        }
        let followers = meta.replicas.iter().filter(|peer| peer.current && !peer.offline).count();
        let is_whole = meta.cluster_size == Some(nodes.len()) && followers + 1 == nodes.len();
        return if is_whole {
            Ok(())
        } else {
            Err(format!("the leader has {followers} current followers"))
        };
    }
    Err("the JetStream cluster has no leader yet".to_owned())
}

async fn get_json<T: for<'de> Deserialize<'de>>(node: &Node, path: &str) -> Result<T, String> {
    let body = get(node, path).await?;
    serde_json::from_slice(&body)
        .map_err(|error| format!("{path} answered something else: {error}"))
}

/// The body of a 200 answer; anything else as text.
async fn get(node: &Node, path: &str) -> Result<Vec<u8>, String> {
    let asked = tokio::time::timeout(ANSWER_LIMIT, ask(node.ports(), path)).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(format!("{path}: {error}")),
        Err(_) => return Err(format!("{path}: no answer in {ANSWER_LIMIT:?}")),
    };
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, body) = answer.split_at(end);
    let body = body.get(4..).unwrap_or_default();
    if head.split(|byte| *byte == b' ').nth(1) == Some(b"200") {
        return Ok(body.to_owned());
    }
    Err(format!("{path}: {}", String::from_utf8_lossy(body).trim()))
}

async fn ask(ports: Ports, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((ports.host, ports.monitor)).await?;
    // HTTP/1.0: the answer ends with the connection and is never chunked.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await?;
    Ok(answer)
}
