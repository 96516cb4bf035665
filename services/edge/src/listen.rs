//! Accepts connections and serves them, with limits that axum's own loop does not have.
//!
//! A connection is one of [`HttpOptions::connections_max`]; whoever comes when all are taken waits in the listener's
//! queue. A request's head must come within [`HttpOptions::head_within`], and so must the next one on a connection
//! that is kept: an idle one costs nothing for longer. Whoever does not read an answer for
//! [`HttpOptions::read_within`] loses the connection. HTTP/1 alone; TLS ends in front of us.

mod patient;

use std::{sync::Arc, time::Duration};

use axum::Router;
use cadre_runtime::task;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::sleep,
};
use tower::ServiceExt as _;

use self::patient::Patient;
use crate::http::HttpOptions;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Headers of a request.
const HEADERS_MAX: usize = 100;

/// Pause after a connection that could not be accepted, mostly for lack of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `closing` is true and every connection has ended its last request.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    options: &HttpOptions,
    closing: watch::Receiver<bool>,
) {
    let seats = u32::try_from(options.connections_max).unwrap_or(u32::MAX);
    let room = Arc::new(Semaphore::new(options.connections_max));
    let options = Arc::new(options.clone());
    let mut closed = closing.clone();
    // The service is gone: that is an end too.
    let closed = async move { drop(closed.wait_for(|is_closing| *is_closing).await) };
    tokio::pin!(closed);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(options.head_within);
    http.max_headers(HEADERS_MAX).max_header_size(HEAD_BYTES_MAX).max_buf_size(HEAD_BYTES_MAX);
    loop {
        let next = async {
            // Never closed.
            let seat = Arc::clone(&room).acquire_owned().await.ok();
            (seat, listener.accept().await)
        };
        let (seat, accepted) = tokio::select! {
            next = next => next,
            () = &mut closed => break,
        };
        match accepted {
            Ok((socket, _)) => {
                let (http, app, closing) = (http.clone(), app.clone(), closing.clone());
                let options = Arc::clone(&options);
                drop(task::spawn("http connection", async move {
                    converse((&http, &options), socket, app, closing).await;
                    drop(seat);
                }));
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    // Whoever stops us waits only for a while.
    let _ = room.acquire_many(seats).await;
}

async fn converse(
    (http, options): (&http1::Builder, &Arc<HttpOptions>),
    socket: TcpStream,
    app: Router,
    mut closing: watch::Receiver<bool>,
) {
    let peer = socket.peer_addr().ok().map(|address| address.ip());
    // Small answers are not to wait for each other.
    let _ = socket.set_nodelay(true);
    let (proxies, socket) = (options.proxies.clone(), Patient::new(socket, options.read_within));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(peer) = peer {
            let client = proxies.client(peer, request.headers());
            request.extensions_mut().insert(client);
        }
        app.clone().oneshot(request)
    });
    let connection = http.serve_connection(TokioIo::new(socket), service);
    tokio::pin!(connection);
    let closed = async move { drop(closing.wait_for(|is_closing| *is_closing).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // Broken by its client, or silent for too long: nobody is woken.
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was broken");
    }
}
