//! What a process is told: flags, environment and defaults, each value with its source.

use std::{ffi::OsString, path::PathBuf};

use cadre_core::ids::Name;

/// Everything that commands share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A URL to connect to, or the path of a server to spawn; `None` finds one.
    pub nats: Option<String>,
    /// `CADRE_NATS_SERVER`.
    pub server_path: Option<PathBuf>,
    /// `PATH`.
    pub search_path: Option<OsString>,
    /// Where fetched servers are kept.
    pub cache_dir: PathBuf,
    /// Never fetch anything.
    pub offline: bool,
    /// NATS credentials file.
    pub credentials: Option<PathBuf>,
    /// Whose goals and tasks.
    pub tenant: Name,
    /// OTLP endpoint for traces.
    pub otlp_endpoint: Option<String>,
    /// `RUST_LOG`-style filter.
    pub log: String,
}
