//! What benchmarks need of the HTTP side: pages as a browser fetches them, and streams as a tab follows them.
//!
//! Called by `cadre bench edge`, over the loopback, so that what is measured is what the server does.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longest wait for one page, or for the next word of a stream.
const WITHIN: Duration = Duration::from_secs(30);

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The server did not answer in time, or cut the line.
    #[error("ask {path}")]
    Http {
        /// What was asked.
        path: String,
        /// Why.
        source: reqwest::Error,
    },
    /// It answered with something else.
    #[error("ask {path}: status {status}")]
    Status {
        /// What was asked.
        path: String,
        /// As the server says.
        status: u16,
    },
}

/// One page.
#[derive(Debug, Clone, Copy)]
pub struct Fetched {
    /// From the request to the last byte.
    pub took: Duration,
    /// Size of what came.
    pub bytes: usize,
}

/// Somebody who fetches pages and follows streams. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Browser {
    client: reqwest::Client,
    base: String,
}

/// A stream of events that is followed.
#[derive(Debug)]
pub struct Followed {
    response: reqwest::Response,
    path: String,
    rest: String,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// Its name.
    pub event: String,
    /// What it says.
    pub data: String,
}

impl Browser {
    /// Somebody at this address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { client: reqwest::Client::new(), base: format!("http://{address}") }
    }

    /// Fetches a page whole.
    ///
    /// # Errors
    /// [`BenchError`] when it is not there.
    pub async fn fetch(&self, path: &str) -> Result<Fetched, BenchError> {
        let begun = Instant::now();
        let response = self.ask(path, "text/html").await?;
        let failed = |source| BenchError::Http { path: path.to_owned(), source };
        let bytes = response.bytes().await.map_err(failed)?.len();
        Ok(Fetched { took: begun.elapsed(), bytes })
    }

    /// Follows a stream of events; `None` when there is nothing there (any more, or yet).
    ///
    /// # Errors
    /// [`BenchError`] when the server fails.
    pub async fn follow(&self, path: &str) -> Result<Option<Followed>, BenchError> {
        match self.ask(path, "text/event-stream").await {
            Ok(response) => {
                Ok(Some(Followed { response, path: path.to_owned(), rest: String::new() }))
            }
            Err(BenchError::Status { status: 204 | 404 | 503, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, path: &str, accept: &str) -> Result<reqwest::Response, BenchError> {
        let failed = |source| BenchError::Http { path: path.to_owned(), source };
        let request = self.client.get(format!("{}{path}", self.base)).header("accept", accept);
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(BenchError::Status { path: path.to_owned(), status });
        }
        Ok(response)
    }
}

impl Followed {
    /// The next event; `None` when the server has ended the stream, or nothing came for long.
    ///
    /// # Errors
    /// [`BenchError`] when the line is cut.
    pub async fn next(&mut self) -> Result<Option<Heard>, BenchError> {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let heard = heard(event);
                self.rest = rest.to_owned();
                // Comments are signs of life.
                if heard != Heard::default() {
                    return Ok(Some(heard));
                }
            }
            let Ok(more) = tokio::time::timeout(WITHIN, self.response.chunk()).await else {
                return Ok(None);
            };
            let failed = |source| BenchError::Http { path: self.path.clone(), source };
            let Some(more) = more.map_err(failed)? else { return Ok(None) };
            self.rest += &String::from_utf8_lossy(&more);
        }
    }
}

impl Heard {
    /// What it says as a document.
    #[must_use]
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

fn heard(text: &str) -> Heard {
    let mut heard = Heard::default();
    for line in text.lines() {
        if let Some(event) = line.strip_prefix("event: ") {
            event.clone_into(&mut heard.event);
        }
        if let Some(data) = line.strip_prefix("data: ") {
            heard.data += data;
        }
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_name_and_says_something() {
        let record = heard("event: record\nid: 7\ndata: {\"rev\": 3}");
        assert_eq!((record.event.as_str(), record.document()["rev"].as_u64()), ("record", Some(3)));
        assert_eq!(heard(": alive"), Heard::default());
    }
}
