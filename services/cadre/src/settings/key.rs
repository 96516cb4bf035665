//! The settings by name.

use super::SECRET;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Address of a broker, or path of a server to spawn.
    Nats,
    /// Path of a server to spawn.
    NatsServer,
    /// NATS credentials file.
    Credentials,
    /// Whose goals and tasks.
    Tenant,
    /// Never fetch anything.
    Offline,
    /// Where fetched servers are kept.
    CacheDir,
    /// Log filter.
    Log,
    /// How log lines look.
    LogFormat,
    /// OTLP receiver.
    OtlpEndpoint,
    /// Address of the page with figures.
    Metrics,
    /// Prompts and answers in traces.
    TraceContent,
    /// How data is printed.
    Output,
    /// Where the HTTP side listens.
    Http,
    /// Whether everybody must say there who they are.
    HttpAuth,
}

impl Key {
    /// All of them, in the order in which they are explained.
    pub const ALL: [Self; 14] = [
        Self::Nats,
        Self::NatsServer,
        Self::Credentials,
        Self::Tenant,
        Self::Offline,
        Self::CacheDir,
        Self::Log,
        Self::LogFormat,
        Self::OtlpEndpoint,
        Self::Metrics,
        Self::TraceContent,
        Self::Output,
        Self::Http,
        Self::HttpAuth,
    ];

    /// As in a settings file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::NatsServer => "nats_server",
            Self::Credentials => "credentials",
            Self::Tenant => "tenant",
            Self::Offline => "offline",
            Self::CacheDir => "cache_dir",
            Self::Log => "log",
            Self::LogFormat => "log_format",
            Self::OtlpEndpoint => "otlp_endpoint",
            Self::Metrics => "metrics",
            Self::TraceContent => "trace_content",
            Self::Output => "output",
            Self::Http => "http",
            Self::HttpAuth => "http_auth",
        }
    }

    /// Environment variables, the first one that is set counts.
    #[must_use]
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Nats => &["CADRE_NATS"],
            Self::NatsServer => &["CADRE_NATS_SERVER"],
            Self::Credentials => &["CADRE_CREDENTIALS"],
            Self::Tenant => &["CADRE_TENANT"],
            Self::Offline => &["CADRE_OFFLINE"],
            Self::CacheDir => &["CADRE_CACHE_DIR"],
            Self::Log => &["CADRE_LOG"],
            Self::LogFormat => &["CADRE_LOG_FORMAT"],
            Self::OtlpEndpoint => &["CADRE_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"],
            Self::Metrics => &["CADRE_METRICS"],
            Self::TraceContent => &["CADRE_TRACE_CONTENT"],
            Self::Output => &["CADRE_OUTPUT"],
            Self::Http => &["CADRE_HTTP"],
            Self::HttpAuth => &["CADRE_HTTP_AUTH"],
        }
    }

    /// A value as people may see it: without who logs in, and how.
    #[must_use]
    pub fn shown(self, text: &str) -> String {
        match self {
            Self::Nats | Self::OtlpEndpoint => {
                text.split(',').map(without_login).collect::<Vec<_>>().join(",")
            }
            Self::NatsServer
            | Self::Credentials
            | Self::Tenant
            | Self::Offline
            | Self::CacheDir
            | Self::Log
            | Self::LogFormat
            | Self::Metrics
            | Self::TraceContent
            | Self::Output
            | Self::Http
            | Self::HttpAuth => text.to_owned(),
        }
    }
}

fn without_login(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let separator = if scheme.is_empty() { "" } else { "://" };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{separator}{SECRET}@{host}"),
        None => url.to_owned(),
    }
}
