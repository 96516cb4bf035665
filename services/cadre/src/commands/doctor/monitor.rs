//! Asks a broker's monitoring port how it runs: a few lines of HTTP by hand instead of a client library.

use std::{io, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// The time the answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The largest answer that is read.
const ANSWER_MAX_BYTES: u64 = 1024 * 1024;

/// What we want of `/varz`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Varz {
    /// Which server it is.
    pub(super) server_id: String,
    #[serde(default)]
    jetstream: Jetstream,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Jetstream {
    #[serde(default)]
    config: Option<Config>,
}

/// How JetStream keeps its files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Config {
    /// Nanoseconds between syncs.
    #[serde(default)]
    pub(super) sync_interval: u64,
    /// Before each acknowledgement.
    #[serde(default)]
    pub(super) sync_always: bool,
}

impl Varz {
    /// How JetStream keeps its files; `None` when the server does not say.
    pub(super) fn config(&self) -> Option<&Config> {
        self.jetstream.config.as_ref()
    }
}

/// Reads `/varz` at `HOST:PORT`.
///
/// # Errors
/// Why it cannot be read, for people.
pub(super) async fn varz(address: &str) -> Result<Varz, String> {
    let answer = timeout(ANSWER_LIMIT, ask(address)).await;
    let answer = answer.map_err(|_| format!("no answer in {ANSWER_LIMIT:?}"))?;
    parse(&answer.map_err(|error| error.to_string())?)
}

async fn ask(address: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    // HTTP/1.0: the answer ends with the connection and is never chunked.
    let request = format!("GET /varz HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn parse(answer: &[u8]) -> Result<Varz, String> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
    let (head, body) = answer.split_at(end);
    if head.split(|byte| *byte == b' ').nth(1) != Some(b"200") {
        return Err("something else than a nats-server answers there".to_owned());
    }
    serde_json::from_slice(body.get(4..).unwrap_or_default())
        .map_err(|error| format!("the answer is no varz: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_or_refused() {
        let body =
            r#"{"server_id": "A", "jetstream": {"config": {"sync_interval": 120000000000}}}"#;
        let varz = parse(format!("HTTP/1.0 200 OK\r\n\r\n{body}").as_bytes()).unwrap();
        assert_eq!(varz.config().unwrap().sync_interval, 120_000_000_000);
        assert!(!varz.config().unwrap().sync_always);
        for bad in
            ["", "HTTP/1.0 404 Not Found\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n<html>", "SSH-2.0"]
        {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert_eq!(parse(b"HTTP/1.0 200 OK\r\n\r\n{\"server_id\": \"A\"}").unwrap().config(), None);
    }
}
