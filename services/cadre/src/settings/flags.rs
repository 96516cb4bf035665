//! Flags that every command has.

use super::Key;

/// Flags that every command has.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// URL of a broker, or path of a nats-server to spawn [env: CADRE_NATS].
    #[arg(long, global = true, value_name = "URL|PATH", help_heading = "Global options")]
    pub nats: Option<String>,
    /// NATS credentials file [env: CADRE_CREDENTIALS].
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub credentials: Option<String>,
    /// Whose goals and tasks; default: `default` [env: CADRE_TENANT].
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    pub tenant: Option<String>,
    /// Never fetch anything [env: CADRE_OFFLINE].
    #[arg(
        long,
        global = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub offline: Option<bool>,
    /// What is logged: `warn`, `info,cadre_nats=debug`; default: `warn` [env: CADRE_LOG].
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Global options")]
    pub log: Option<String>,
    /// How log lines look: `text` or `json` [env: CADRE_LOG_FORMAT].
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Global options")]
    pub log_format: Option<String>,
}

impl Flags {
    /// The flag that says something about a setting, and what it says.
    pub(super) fn get(&self, key: Key) -> Option<(&'static str, String)> {
        match key {
            Key::Nats => Some(("--nats", self.nats.clone()?)),
            Key::Credentials => Some(("--credentials", self.credentials.clone()?)),
            Key::Tenant => Some(("--tenant", self.tenant.clone()?)),
            Key::Offline => Some(("--offline", self.offline?.to_string())),
            Key::Log => Some(("--log", self.log.clone()?)),
            Key::LogFormat => Some(("--log-format", self.log_format.clone()?)),
            Key::NatsServer
            | Key::CacheDir
            | Key::OtlpEndpoint
            | Key::Metrics
            | Key::TraceContent
            | Key::Output
            | Key::Http
            | Key::HttpAuth => None,
        }
    }
}
