//! `/metrics` over HTTP: one page, for a scraper.
//!
//! hyper and nothing above it: axum belongs to the edge, and a pod that runs no edge must be scraped too.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::text;
use crate::task::{self, Linked};

/// What a page of figures is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Connections at the same time; scrapers are few.
const CONNECTIONS_MAX: usize = 16;

/// How long a connection may last: a scrape takes milliseconds, and is made anew every some seconds.
const CONNECTION_MAX: Duration = Duration::from_secs(300);

/// How long a request's head may take.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// Pause after a connection that could not be accepted, mostly for lack of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The page; gone when dropped.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    _serving: Linked,
}

impl Page {
    /// Opens it at `address`; port 0 is any free one.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, _serving: Linked::spawn("metrics", serve(listener)) })
    }

    /// Its address, for people.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}

async fn serve(listener: TcpListener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Never closed; whoever comes when it is full waits in the listener's queue.
        let Ok(seat) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, _)) => drop(task::spawn("metrics connection", async move {
                // One that breaks or dawdles is the scraper's to notice.
                let _ = timeout(CONNECTION_MAX, converse(socket)).await;
                drop(seat);
            })),
            Err(error) => {
                tracing::debug!(%error, "scraper was not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(socket: TcpStream) -> hyper::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    let answer = |request| async move { Ok::<_, Infallible>(answer(&request)) };
    http.serve_connection(TokioIo::new(socket), service_fn(answer)).await
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, body) = match (request.uri().path(), text()) {
        ("/metrics", Some(text)) if is_read => (StatusCode::OK, text),
        ("/metrics", _) if !is_read => (StatusCode::METHOD_NOT_ALLOWED, "GET only\n".to_owned()),
        ("/metrics", _) => (StatusCode::SERVICE_UNAVAILABLE, "nothing is counted\n".to_owned()),
        (_, _) => (StatusCode::NOT_FOUND, "figures are at /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
