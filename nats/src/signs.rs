//! Whether the node that this process is connected to still speaks for its cluster.
//!
//! A node that lost the others keeps its clients: their connections are fine, and nobody answers.
//! A pull request gets a sign every half second from whoever leads its consumer, a publication its answer
//! from whoever leads its stream. When nothing of a process gets any for [`SILENT_MAX`], the connection is made
//! anew, likely to another node.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::{Client, connection::State};

/// What gets no sign for this long has missed one.
pub(crate) const SIGN_MAX: Duration = Duration::from_millis(1_250);

/// Longer than an election takes, which is silence everywhere; shorter than callers wait (`BUS_GAP_MAX`).
const SILENT_MAX: Duration = Duration::from_secs(8);

/// When the silence began. Cheap to clone; all clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Signs(Arc<Silence>);

#[derive(Debug)]
struct Silence {
    epoch: Instant,
    /// Milliseconds from the epoch to the first request without a sign, plus one; 0 for none.
    silent_since: AtomicU64,
    /// How long it may last.
    max: Duration,
}

impl Signs {
    pub(crate) fn new() -> Self {
        Self::within(SILENT_MAX)
    }

    fn within(max: Duration) -> Self {
        Self(Arc::new(Silence { epoch: Instant::now(), silent_since: AtomicU64::new(0), max }))
    }

    /// Looks for another node when nobody answers through this one.
    pub(crate) async fn doubt(&self, client: &Client) {
        // While it is not connected, the client library is looking already.
        if client.connection_state() == State::Connected && self.missed(Instant::now()) {
            let node = client.server_info().server_name;
            tracing::warn!(node, "nobody answers through this bus server; connecting anew");
            if let Err(error) = client.force_reconnect().await {
                tracing::warn!(%error, "connection was not made anew");
            }
        }
    }

    /// A leader has answered.
    pub(crate) fn seen(&self) {
        self.0.silent_since.store(0, Ordering::Relaxed);
    }

    /// Nobody has, until `now`; true when that is so for too long. Then the silence begins anew.
    fn missed(&self, now: Instant) -> bool {
        let since_epoch = now.saturating_duration_since(self.0.epoch).as_millis();
        let now_ms = u64::try_from(since_epoch).unwrap_or(u64::MAX - 1) + 1;
        let first =
            self.0.silent_since.compare_exchange(0, now_ms, Ordering::Relaxed, Ordering::Relaxed);
        let Err(since) = first else { return false };
        let is_too_long = Duration::from_millis(now_ms.saturating_sub(since)) >= self.0.max;
        if is_too_long {
            self.seen();
        }
        is_too_long
    }
}

#[cfg(test)]
mod tests {
    use async_nats::{ConnectOptions, HeaderMap, ServerAddr, jetstream};
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        publish::{Grouping, Outgoing, Published, Publisher},
        server::testing::server,
    };

    /// A node that lets one client in, and answers nothing but its pings.
    async fn lonely() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("nats://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.expect("a client");
            drop(listener);
            let (read, mut write) = socket.into_split();
            let info =
                r#"INFO {"server_id":"X","version":"2.15.1","max_payload":1048576,"headers":true}"#;
            write.write_all(format!("{info}\r\n").as_bytes()).await.expect("sent");
            let mut lines = BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "PING" && write.write_all(b"PONG\r\n").await.is_err() {
                    return;
                }
            }
        });
        url
    }

    #[tokio::test]
    async fn who_only_publishes_leaves_a_node_through_which_nobody_answers() {
        let (server, lonely) = (server().await, lonely().await);
        let there = async_nats::connect(server.url()).await.expect("connected");
        let subjects = vec!["s.*".to_owned()];
        let config = jetstream::stream::Config { name: "S".into(), subjects, ..Default::default() };
        jetstream::new(there).create_stream(config).await.expect("a stream");

        let options = ConnectOptions::new().retain_servers_order();
        let urls = [lonely, server.url()].map(|url| url.parse::<ServerAddr>().expect("a url"));
        let client = options.connect(urls.to_vec()).await.expect("connected");
        let signs = Signs::within(Duration::from_millis(500));
        let publisher = Publisher::start(&client, 1, Grouping::Off, &signs).await.expect("up");
        let (subject, headers) = ("s.a".to_owned(), HeaderMap::new());
        let sent = publisher.publish(Outgoing { subject, headers, body: "x".into() }).await;
        assert_eq!(sent, Ok(Published::Stored(1)));
    }

    #[test]
    fn only_an_unbroken_silence_is_too_long_and_only_once() {
        let signs = Signs::new();
        let at = |seconds| signs.0.epoch + Duration::from_secs(seconds);
        // A first request without a sign proves nothing, however long nobody has asked.
        assert!(!signs.missed(at(100)));
        assert!(!signs.missed(at(107)));
        signs.seen();
        assert!(!signs.missed(at(109)));
        assert!(!signs.missed(at(116)));
        assert!(signs.missed(at(117)));
        assert!(!signs.missed(at(118)));
        assert!(signs.missed(at(126)));
    }
}
