//! The one way to reach a broker: options, version check, reconnection, what is logged of it.
//!
//! Every process opens one connection here and shares it. Nothing on the broker is needed yet: whether the
//! streams exist is asked separately, by [`Connection::discover`], so that `bus apply` works on an empty server.
//! Invariant: nobody holds a [`Connection`] to a server that is too old.

use std::{
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, ConnectErrorKind, Event, ServerAddr,
    jetstream::{Context, context::ContextBuilder},
};
use rand::Rng;
use tokio::time::Instant;

use cadre_core::{fleet::Release, limits::BUS_GAP_MAX, ports::BusError};
use cadre_proto::RELEASE;

use crate::{
    Wire,
    server::{VERSION_MIN, Version},
    topology::{DiscoverError, Topology, discover},
};

/// The time one request to the broker may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// The time the broker has to confirm one publication.
const ACK_LIMIT: Duration = Duration::from_secs(3);

/// Publications that wait for their confirmation; the next one waits for room.
const ACKS_IN_FLIGHT_MAX: usize = 16_384;

/// Commands that wait to be written; senders wait beyond that.
const CLIENT_CAPACITY: usize = 32_768;

/// Messages that wait in one subscription: a full pull batch of every partition fits.
const SUBSCRIPTION_CAPACITY: usize = 131_072;

/// The pause before the first reconnection; it doubles up to [`RECONNECT_PAUSE_MAX`].
const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(10);

/// Short, because every task waits while the broker is away, and brokers refuse cheaply.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_millis(500);

/// Three pings without an answer end a connection: a server that fell silent is left for another one
/// well within [`BUS_GAP_MAX`].
const PING_EVERY: Duration = Duration::from_secs(2);

/// The pause between attempts of the first connection.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The pause between attempts of what is repeated while the bus is away.
const RIDE_PAUSE: Duration = Duration::from_millis(100);

/// Where and as whom to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Addresses separated by commas: `nats://one:4222,nats://two:4222`.
    pub urls: String,
    /// What this process is, such as `orchestrator`; the broker shows it as `cadre-<name>`.
    pub name: String,
    /// A NATS credentials file. Default `None`: as the address says, or nobody.
    pub credentials: Option<PathBuf>,
    /// How long to try while nobody answers. Default 5 s: a broker that starts at the same moment is ready by then.
    pub within: Duration,
    /// What this process reads and writes. Default: [`RELEASE`].
    pub release: Release,
}

impl ConnectOptions {
    /// Connects as `name` to `urls`, with the defaults above.
    pub fn new(urls: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            urls: urls.into(),
            name: name.into(),
            credentials: None,
            within: Duration::from_secs(5),
            release: RELEASE,
        }
    }
}

/// An open connection that reconnects for ever. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Plain NATS.
    pub client: Client,
    /// JetStream, with bounded publications in flight.
    pub js: Context,
    /// What the broker that answered first is.
    pub server: Version,
    /// What is read and written over it.
    pub wire: Wire,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address is none; the caller must correct it.
    #[error("connect to {url:?}: {reason}; write nats://host:port, several separated by commas")]
    Address {
        /// The address as given, without its password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The credentials file cannot be used.
    #[error("read the credentials file {path:?}")]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nobody answered in time; the broker is down or elsewhere.
    #[error(
        "could not reach a nats-server at {urls} within {within:?}: start one with `cadre dev`, or name one with --nats URL"
    )]
    Unreachable {
        /// Where, without passwords.
        urls: String,
        /// How long it was tried.
        within: Duration,
        /// The last failure.
        source: async_nats::ConnectError,
    },
    /// The broker or its certificate does not let us in; trying again will not help.
    #[error("could not be let in by the nats-server at {urls}; check credentials and certificates")]
    Refused {
        /// Where, without passwords.
        urls: String,
        /// What it said.
        source: async_nats::ConnectError,
    },
    /// The broker is too old.
    #[error(
        "nats-server {found} is too old: cadre needs {VERSION_MIN} or newer (scheduled messages); upgrade the server"
    )]
    TooOld {
        /// What the broker says it is.
        found: String,
    },
    /// The broker runs without JetStream.
    #[error("use the nats-server at {urls}: it runs without JetStream; start it with `-js`")]
    NoJetStream {
        /// Where, without passwords.
        urls: String,
    },
}

impl Connection {
    /// What the streams of this broker were made for.
    ///
    /// # Errors
    /// [`DiscoverError::NotPrepared`] on a server without our streams.
    pub async fn discover(&self) -> Result<Topology, DiscoverError> {
        discover(&self.js).await
    }
}

/// Connects, and checks that the broker is one that can carry Cadre.
///
/// Cancellation: dropping the future closes what was opened.
///
/// # Errors
/// [`ConnectError`] says who can help.
pub async fn connect(options: ConnectOptions) -> Result<Connection, ConnectError> {
    let addresses = addresses(&options.urls)?;
    let urls = shown(&addresses);
    let client = first_connection(&options, &addresses, &urls).await?;
    let info = client.server_info();
    let server = match info.version.parse::<Version>() {
        Ok(version) if version >= VERSION_MIN => version,
        Ok(_) | Err(_) => return Err(ConnectError::TooOld { found: info.version }),
    };
    if !info.jetstream {
        return Err(ConnectError::NoJetStream { urls });
    }
    let js = ContextBuilder::new()
        .timeout(REQUEST_LIMIT)
        .ack_timeout(ACK_LIMIT)
        .max_ack_inflight(ACKS_IN_FLIGHT_MAX)
        .backpressure_on_inflight(true)
        .build(client.clone());
    Ok(Connection { client, js, server, wire: Wire::new(options.release) })
}

/// Repeats what is harmless to repeat while the bus is unavailable, for as long as a gap is ridden out.
pub(crate) async fn ride_out<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, BusError>
where
    F: Future<Output = Result<T, BusError>>,
{
    let end = Instant::now() + BUS_GAP_MAX;
    loop {
        match attempt().await {
            Err(BusError::Unavailable(_)) if Instant::now() + RIDE_PAUSE < end => {
                tokio::time::sleep(RIDE_PAUSE).await;
            }
            outcome @ (Ok(_) | Err(BusError::Unavailable(_) | BusError::Refused(_))) => {
                return outcome;
            }
        }
    }
}

/// What it means that a stream of ours could not be opened.
pub(crate) fn open_error(
    what: &str,
    error: &async_nats::jetstream::context::GetStreamError,
) -> BusError {
    use async_nats::jetstream::{ErrorCode, context::GetStreamErrorKind};
    match error.kind() {
        GetStreamErrorKind::JetStream(error)
            if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
        {
            BusError::Refused(format!("{what} does not exist: run `cadre bus apply`"))
        }
        GetStreamErrorKind::EmptyName
        | GetStreamErrorKind::Request
        | GetStreamErrorKind::InvalidStreamName
        | GetStreamErrorKind::JetStream(_) => {
            BusError::Unavailable(format!("open {what}: {error}"))
        }
    }
}

fn addresses(urls: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    let parts: Vec<&str> = urls.split(',').map(str::trim).filter(|url| !url.is_empty()).collect();
    if parts.is_empty() {
        return Err(ConnectError::Address {
            url: urls.to_owned(),
            reason: "no address".to_owned(),
        });
    }
    let parse = |url: &&str| {
        url.parse::<ServerAddr>().map_err(|error| ConnectError::Address {
            // Whatever stands before the last @ may be a password.
            url: url.rsplit('@').next().unwrap_or_default().to_owned(),
            reason: error.to_string(),
        })
    };
    parts.iter().map(parse).collect()
}

/// The addresses for error texts: scheme, host and port, never a password.
fn shown(addresses: &[ServerAddr]) -> String {
    let show = |address: &ServerAddr| {
        format!("{}://{}:{}", address.scheme(), address.host(), address.port())
    };
    addresses.iter().map(show).collect::<Vec<_>>().join(",")
}

async fn first_connection(
    options: &ConnectOptions,
    addresses: &[ServerAddr],
    urls: &str,
) -> Result<Client, ConnectError> {
    let end = Instant::now() + options.within;
    loop {
        let attempt = client_options(options, addresses).await?.connect(addresses).await;
        let source = match attempt {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        match source.kind() {
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Authentication
            | ConnectErrorKind::AuthorizationViolation
            | ConnectErrorKind::Tls => {
                return Err(ConnectError::Refused { urls: urls.to_owned(), source });
            }
            ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {}
        }
        if Instant::now() + FIRST_PAUSE >= end {
            let within = options.within;
            return Err(ConnectError::Unreachable { urls: urls.to_owned(), within, source });
        }
        tokio::time::sleep(FIRST_PAUSE).await;
    }
}

async fn client_options(
    options: &ConnectOptions,
    addresses: &[ServerAddr],
) -> Result<async_nats::ConnectOptions, ConnectError> {
    let base = async_nats::ConnectOptions::new();
    let base = match &options.credentials {
        None => with_login(base, addresses),
        Some(path) => {
            let error = |source| ConnectError::Credentials { path: path.clone(), source };
            let text = tokio::fs::read_to_string(path).await.map_err(error)?;
            base.credentials(&text).map_err(error)?
        }
    };
    let is_away = Arc::new(AtomicBool::new(false));
    Ok(base
        .name(format!("cadre-{}", options.name))
        .max_reconnects(None)
        .reconnect_delay_callback(reconnect_pause)
        .connection_timeout(Duration::from_secs(2))
        .ping_interval(PING_EVERY)
        .request_timeout(Some(REQUEST_LIMIT))
        .client_capacity(CLIENT_CAPACITY)
        .subscription_capacity(SUBSCRIPTION_CAPACITY)
        .event_callback(move |event| {
            let is_away = Arc::clone(&is_away);
            async move { log(&event, &is_away) }
        }))
}

/// Takes the login of the first address that has one: `user:password@` or `token@`.
fn with_login(
    base: async_nats::ConnectOptions,
    addresses: &[ServerAddr],
) -> async_nats::ConnectOptions {
    let mut logins = addresses.iter().map(|address| (address.username(), address.password()));
    match logins.find(|(user, _)| user.is_some_and(|user| !user.is_empty())) {
        Some((Some(user), Some(password))) => {
            base.user_and_password(decoded(user), decoded(password))
        }
        Some((Some(token), None)) => base.token(decoded(token)),
        Some((None, _)) | None => base,
    }
}

/// Undoes percent-encoding; bytes that make no text are left as they are.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
            }
            (byte, _, _) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Full jitter over a doubling bound, so that a fleet does not come back in step.
fn reconnect_pause(attempt: usize) -> Duration {
    if attempt == 0 {
        return Duration::ZERO;
    }
    let doublings = u32::try_from(attempt - 1).unwrap_or(u32::MAX).min(16);
    let bound = RECONNECT_PAUSE_MIN.saturating_mul(1 << doublings).min(RECONNECT_PAUSE_MAX);
    bound.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// Says what happens to the connection. Of an outage its beginning and its end are enough: each try in
/// between fails like the one before.
fn log(event: &Event, is_away: &AtomicBool) {
    match event {
        Event::Connected if is_away.swap(false, Ordering::Relaxed) => {
            tracing::warn!("connected to the bus again");
        }
        Event::Connected => tracing::info!("connected to the bus"),
        Event::Disconnected => {
            is_away.store(true, Ordering::Relaxed);
            tracing::warn!("lost the connection to the bus; reconnecting");
        }
        Event::LameDuckMode => tracing::info!("bus server is about to shut down"),
        Event::Draining => tracing::debug!("draining the bus connection"),
        Event::Closed => tracing::debug!("closed the bus connection"),
        Event::SlowConsumer(subscription) => {
            tracing::warn!(subscription, "dropped messages of a slow subscription");
        }
        Event::ServerError(error) => tracing::warn!(%error, "bus server reported an error"),
        Event::ClientError(error) if is_away.load(Ordering::Relaxed) => {
            tracing::debug!(%error, "could not reach the bus");
        }
        Event::ClientError(error) => tracing::warn!(%error, "bus client met an error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::testing::server;

    #[test]
    fn pauses_grow_to_a_cap_and_are_not_in_step() {
        assert_eq!(reconnect_pause(0), Duration::ZERO);
        for attempt in 1..200 {
            let pause = reconnect_pause(attempt);
            assert!(pause >= RECONNECT_PAUSE_MIN / 2 && pause <= RECONNECT_PAUSE_MAX, "{pause:?}");
        }
        assert!(reconnect_pause(usize::MAX) >= RECONNECT_PAUSE_MAX / 2);
    }

    #[test]
    fn error_texts_hold_no_password() {
        let list = addresses("nats://user:secret@one:4222, two:4223").expect("addresses");
        assert_eq!(shown(&list), "nats://one:4222,nats://two:4223");
        let error = addresses("http://user:secret@one:port").expect_err("no address");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(addresses(" , ").is_err());
    }

    #[tokio::test]
    async fn a_connection_knows_its_server() {
        let server = server().await;
        let connection =
            connect(ConnectOptions::new(server.urls().join(","), "test")).await.expect("open");
        assert!(connection.server >= VERSION_MIN);
        assert!(matches!(connection.discover().await, Err(DiscoverError::NotPrepared)));
    }

    #[tokio::test]
    async fn nobody_there_is_said_in_time() {
        let mut options = ConnectOptions::new("nats://127.0.0.1:1", "test");
        options.within = Duration::from_millis(150);
        let error = connect(options).await.expect_err("nobody");
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains("nats://127.0.0.1:1"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_credentials_file_is_named() {
        let mut options = ConnectOptions::new("nats://127.0.0.1:1", "test");
        options.credentials = Some("/nowhere/a.creds".into());
        let error = connect(options).await.expect_err("no file");
        assert!(error.to_string().contains("/nowhere/a.creds"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_is_too_old_is_named_with_what_is_needed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let old = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut socket, _) = listener.accept().await.expect("a client");
            let info = r#"INFO {"server_id":"X","version":"2.9.10","max_payload":1048576,"headers":true,"jetstream":true}"#;
            socket.write_all(format!("{info}\r\n").as_bytes()).await.expect("sent");
            let mut seen = Vec::new();
            while !seen.ends_with(b"PING\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).await.expect("a command");
                seen.push(byte[0]);
            }
            socket.write_all(b"PONG\r\n").await.expect("sent");
            socket
        });
        let error =
            connect(ConnectOptions::new(address.to_string(), "test")).await.expect_err("old");
        assert!(
            error.to_string().contains("2.9.10") && error.to_string().contains("2.14.5"),
            "{error}"
        );
        old.await.expect("served");
    }
}
