//! The router behind a real listener: what its limits do.

use std::{net::SocketAddr, time::Duration};

use axum::http::StatusCode;
use cadre_core::access::Access;
use cadre_runtime::task::Linked;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    time::timeout,
};

use super::kit::House;
use crate::{
    http::{Auth, HttpOptions},
    listen,
};

/// Only a failure is ever that slow.
const PATIENCE: Duration = Duration::from_secs(60);

struct Door {
    house: House,
    address: SocketAddr,
    closing: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    _serving: Linked,
}

async fn door(options: HttpOptions) -> Door {
    door_with(options, |house| house).await
}

async fn door_with(options: HttpOptions, change: impl FnOnce(House) -> House) -> Door {
    let house = change(House::with(Auth::Closed { jwts: None }, options.clone(), &[]).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (closing, closed) = watch::channel(false);
    let app = house.app.clone();
    let (end, ended) = oneshot::channel();
    let serving = async move {
        listen::serve(listener, app, &options, closed).await;
        let _ = end.send(());
    };
    Door { house, address, closing, ended, _serving: Linked::spawn("door", serving) }
}

impl Door {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Asks once on a connection of its own: status, and what `Retry-After` says.
    async fn ask(&self, secret: &str) -> (StatusCode, Option<u64>) {
        let url = format!("http://{}/v1/tasks", self.address);
        let asked = reqwest::Client::new().get(url).bearer_auth(secret);
        let answer = asked.send().await.unwrap();
        let again =
            answer.headers().get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok());
        (answer.status(), again)
    }
}

/// What comes until the other side closes.
async fn heard(mut socket: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, socket.read_to_end(&mut text)).await.expect("closed in time");
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn whoever_is_slow_with_a_head_or_idle_loses_the_connection() {
    let head_within = Duration::from_millis(200);
    let door = door(HttpOptions { head_within, ..HttpOptions::default() }).await;
    let mut slow = door.connect().await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    assert!(!heard(slow).await.contains("200 OK"));
    assert_eq!(heard(door.connect().await).await, "", "whoever says nothing at all");
    let mut idle = door.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let said = heard(idle).await;
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.matches("HTTP/1.1").count() == 1, "{said}");
}

#[tokio::test]
async fn beyond_so_many_connections_others_wait() {
    let head_within = Duration::from_millis(300);
    let options = HttpOptions { head_within, connections_max: 1, ..HttpOptions::default() };
    let door = door(options).await;
    let first = door.connect().await;
    let mut second = door.connect().await;
    second
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(heard(second).await.starts_with("HTTP/1.1 200 OK"), "once the first is given up");
    assert_eq!(heard(first).await, "");
}

#[tokio::test]
async fn heads_have_limits() {
    let door = door(HttpOptions::default()).await;
    for head in ["x: y\r\n".repeat(200), format!("x: {}\r\n", "y".repeat(100_000))] {
        let mut socket = door.connect().await;
        // It may be cut off before all was sent.
        let _ = socket.write_all(format!("GET / HTTP/1.1\r\n{head}\r\n").as_bytes()).await;
        let said = heard(socket).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    }
}

#[tokio::test]
async fn an_address_may_try_so_many_credentials_and_good_ones_still_work() {
    let options = HttpOptions { credentials_per_minute: 1, ..HttpOptions::default() };
    let door = door(options).await;
    let good = door.house.token("acme", Access::Viewer);
    let late = door.house.token("acme", Access::Viewer);
    assert_eq!(door.ask(&good).await.0, StatusCode::OK);
    for secret in ["nonsense", &late] {
        let (status, again) = door.ask(secret).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{secret}");
        assert!(again.is_some_and(|seconds| (1..=60).contains(&seconds)), "{again:?}");
    }
    assert_eq!(door.ask(&good).await.0, StatusCode::OK, "it was good a moment ago");
}

#[tokio::test]
async fn closing_ends_idle_connections_and_then_itself() {
    let door = door(HttpOptions::default()).await;
    let idle = door.connect().await;
    assert_eq!(door.ask("nonsense").await.0, StatusCode::UNAUTHORIZED);
    door.closing.send_replace(true);
    assert_eq!(heard(idle).await, "");
    timeout(PATIENCE, door.ended).await.expect("in time").expect("it ended by itself");
}

/// An answer that has no end.
async fn endless() -> axum::response::Response {
    let part = || std::future::ready(Some((Ok::<_, std::io::Error>("x".repeat(65_536)), ())));
    let stream = futures::stream::unfold((), move |()| part());
    axum::response::IntoResponse::into_response(axum::body::Body::from_stream(stream))
}

#[tokio::test]
async fn whoever_does_not_read_an_answer_loses_the_connection() {
    let read_within = Duration::from_millis(300);
    let options = HttpOptions { read_within, connections_max: 1, ..HttpOptions::default() };
    let door = door_with(options, |house| {
        house.with_pages(axum::Router::new().route("/endless", axum::routing::get(endless)))
    });
    let door = door.await;
    let mut deaf = door.connect().await;
    deaf.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // There is one seat: whoever comes next gets it once the first has lost it.
    let secret = door.house.token("acme", Access::Viewer);
    let asked = timeout(PATIENCE, door.ask(&secret)).await.expect("in time");
    assert_eq!(asked.0, StatusCode::OK);
    assert!(!heard(deaf).await.is_empty(), "it was answered before it was cut off");
}

#[tokio::test]
async fn a_proxy_that_is_trusted_says_who_tries_credentials() {
    let tries = |proxies: &str| {
        let proxies = proxies.parse().unwrap();
        let options = HttpOptions { credentials_per_minute: 1, proxies, ..HttpOptions::default() };
        async move {
            let door = door(options).await;
            let mut said = Vec::new();
            for client in ["203.0.113.1", "203.0.113.1", "203.0.113.2"] {
                let url = format!("http://{}/v1/tasks", door.address);
                let asked = reqwest::Client::new().get(url).bearer_auth(format!("bad {client}"));
                let asked = asked.header("x-forwarded-for", client).send().await.unwrap();
                said.push(asked.status().as_u16());
            }
            said
        }
    };
    assert_eq!(tries("127.0.0.0/8").await, [401, 429, 401], "each client counts for itself");
    assert_eq!(tries("").await, [401, 429, 429], "nobody can say to be somebody else");
}
