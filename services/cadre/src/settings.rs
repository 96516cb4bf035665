//! What a process is told: flags, environment, files and defaults, each value with its source.
//!
//! Precedence: flag > environment > project file > user file > selected `nats` CLI context >
//! default. [`Settings::load`] reads the outside world, once, in the two places `environment`
//! and `files`; everything after that is a function of [`Sources`].

mod context;
mod edge;
mod environment;
mod files;
mod flags;
mod key;
mod models;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use cadre_core::{fleet::Release, ids::Name};
use cadre_nats::server::NatsChoice;
use cadre_proto::RELEASE;
use cadre_runtime::telemetry::LogFormat;
use serde::Serialize;

use crate::output::Format;

pub use context::Context;
pub use edge::EdgeSettings;
pub use environment::Environment;
pub use files::SettingsFile;
pub use flags::Flags;
pub use key::Key;
pub use models::ModelSettings;

/// What is shown in place of a secret.
const SECRET: &str = "•••";

/// Everything that commands share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A URL to connect to, or the path of a server to spawn; `None` finds one.
    pub nats: Option<String>,
    /// The selected context of the `nats` CLI, for commands that connect while `nats` is `None`.
    pub context: Option<Context>,
    /// Path of a nats-server to spawn.
    pub server_path: Option<PathBuf>,
    /// `PATH`.
    pub search_path: Option<OsString>,
    /// Where fetched servers are kept.
    pub cache_dir: PathBuf,
    /// Where the user's programs keep data of ours; `None` without a home.
    pub data_dir: Option<PathBuf>,
    /// Never fetch anything.
    pub offline: bool,
    /// NATS credentials file.
    pub credentials: Option<PathBuf>,
    /// Whose goals and tasks.
    pub tenant: Name,
    /// OTLP endpoint for traces.
    pub otlp_endpoint: Option<String>,
    /// Where a process that serves shows its figures; `None` leaves it to the command.
    pub metrics: Option<SocketAddr>,
    /// Prompts and answers in traces, redacted.
    pub trace_content: bool,
    /// How data is printed when no flag says.
    pub output: Format,
    /// `RUST_LOG`-style filter.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Login name of the person at the keyboard, as far as the environment knows it.
    pub login: Option<String>,
    /// `service.name` of exported traces [env: OTEL_SERVICE_NAME]; `None` leaves it to the command.
    pub service_name: Option<String>,
    /// Providers of models and their keys, from the environment alone.
    pub models: ModelSettings,
    /// Where the HTTP side listens, and whose credentials count there.
    pub edge: EdgeSettings,
    /// What this build reads, writes and knows; no source can change it.
    pub release: Release,
    /// Where each value comes from.
    pub explained: Vec<Explained>,
}

/// Everything that settings are made of.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The command line.
    pub flags: Flags,
    /// The environment.
    pub environment: Environment,
    /// `cadre.yaml` of the project.
    pub project: Option<SettingsFile>,
    /// `config.yaml` of the user.
    pub user: Option<SettingsFile>,
    /// The selected context of the `nats` CLI.
    pub context: Option<Context>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// An environment variable.
    Env(&'static str),
    /// An environment variable whose name depends on others.
    Variable(String),
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// A context of the `nats` CLI.
    Context(String),
    /// Nobody said anything.
    Default,
}

/// One value and where it comes from; secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The setting.
    pub setting: &'static str,
    /// Its value; empty when there is none, which JSON shows as null.
    #[serde(serialize_with = "or_null")]
    pub value: String,
    /// Who said so.
    pub source: Source,
    /// Who else said something, in falling precedence.
    pub overrode: Vec<Overrode>,
}

fn or_null<S: serde::Serializer>(value: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_empty() { serializer.serialize_none() } else { serializer.serialize_str(value) }
}

/// A value that did not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overrode {
    /// What it would have been.
    pub value: String,
    /// Who said so.
    pub source: Source,
}

/// One possible value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    source: Source,
    text: String,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("read settings from {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is no settings file.
    #[error("{path}{place}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// `:line:column`, as far as it is known.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// A value is not what its setting holds.
    #[error("{setting} is {text:?} by {source_name}: {what}")]
    Value {
        /// The setting.
        setting: &'static str,
        /// What was said, masked.
        text: String,
        /// Who said it.
        source_name: Source,
        /// What it should be.
        what: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Context(name) => write!(f, "nats context {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Settings {
    /// Reads the environment, the files and the selected `nats` context.
    ///
    /// # Errors
    /// [`SettingsError`] names file, line and key, or the flag or variable.
    pub fn load(flags: Flags) -> Result<Self, SettingsError> {
        let environment = Environment::read();
        let project = files::project(environment.folder())?;
        let user = files::user(environment.config_dir().as_deref())?;
        let context = context::selected(&environment);
        Self::resolve(&Sources { flags, environment, project, user, context })
    }

    /// Decides which source counts, setting by setting.
    ///
    /// # Errors
    /// [`SettingsError::Value`] when the value that counts is not what its setting holds.
    pub fn resolve(sources: &Sources) -> Result<Self, SettingsError> {
        let choices = Choices::of(sources);
        let offline = choices.read(Key::Offline, boolean)?.unwrap_or_default();
        let nats = choices.read(Key::Nats, nats)?;
        let has_context = choices.is_by_context(Key::Nats);
        let of_context = |key| has_context && choices.is_by_context(key);
        let credentials = choices.read(Key::Credentials, path)?;
        Ok(Self {
            nats: nats.filter(|_| !has_context),
            context: sources.context.clone().filter(|_| has_context),
            credentials: credentials.filter(|_| !of_context(Key::Credentials)),
            server_path: choices.read(Key::NatsServer, path)?,
            search_path: sources.environment.search_path(),
            cache_dir: choices.read(Key::CacheDir, path)?.unwrap_or_else(fallback_cache),
            data_dir: sources.environment.data_dir(),
            offline,
            tenant: choices.read(Key::Tenant, tenant)?.unwrap_or_else(Name::nobody),
            otlp_endpoint: choices.read(Key::OtlpEndpoint, text)?,
            metrics: choices.read(Key::Metrics, address)?,
            trace_content: choices.read(Key::TraceContent, boolean)?.unwrap_or_default(),
            output: choices.read(Key::Output, format)?.unwrap_or_default(),
            log: choices.read(Key::Log, text)?.unwrap_or_default(),
            log_format: choices.read(Key::LogFormat, log_format)?.unwrap_or_default(),
            login: sources.environment.login(),
            service_name: sources.environment.service_name(),
            models: ModelSettings::of(&sources.environment)?,
            edge: EdgeSettings {
                address: choices.read(Key::Http, address)?,
                is_closed: choices.read(Key::HttpAuth, boolean)?,
                oidc: edge::oidc(&sources.environment),
                webhooks: sources.environment.text(edge::WEBHOOKS),
                trusted_proxies: sources.environment.text(edge::TRUSTED_PROXIES),
            },
            release: RELEASE,
            explained: choices.explained(),
        })
    }
}

impl Explained {
    /// Puts another value in front of the one that counted so far.
    pub fn overrule(&mut self, source: Source, value: &str) {
        let value = std::mem::replace(&mut self.value, value.to_owned());
        let source = std::mem::replace(&mut self.source, source);
        if source != Source::Default {
            self.overrode.insert(0, Overrode { value, source });
        }
    }
}

/// Every candidate of every setting, the one that counts first.
struct Choices(Vec<(Key, Vec<Candidate>)>);

impl Choices {
    fn of(sources: &Sources) -> Self {
        Self(Key::ALL.into_iter().map(|key| (key, candidates(sources, key))).collect())
    }

    fn get(&self, key: Key) -> Option<&Candidate> {
        let (_, candidates) = self.0.iter().find(|(known, _)| *known == key)?;
        candidates.first().filter(|candidate| !candidate.text.is_empty())
    }

    fn is_by_context(&self, key: Key) -> bool {
        self.get(key).is_some_and(|chosen| matches!(chosen.source, Source::Context(_)))
    }

    fn read<T>(
        &self,
        key: Key,
        parse: fn(&Candidate) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(chosen) = self.get(key) else { return Ok(None) };
        // What a context says is judged when it is used.
        parse(chosen).map(Some).map_err(|what| SettingsError::Value {
            setting: key.name(),
            text: key.shown(&chosen.text),
            source_name: chosen.source.clone(),
            what,
        })
    }

    fn explained(&self) -> Vec<Explained> {
        let explain = |(key, candidates): &(Key, Vec<Candidate>)| {
            let mut all = candidates.iter().map(|candidate| {
                let (value, source) = (key.shown(&candidate.text), candidate.source.clone());
                Overrode { value, source }
            });
            let first = all.next()?;
            let overrode = all.filter(|other| other.source != Source::Default).collect();
            let (value, source) = (first.value, first.source);
            Some(Explained { setting: key.name(), value, source, overrode })
        };
        self.0.iter().filter_map(explain).collect()
    }
}

/// What each source says about one setting, in falling precedence; the default is last.
fn candidates(sources: &Sources, key: Key) -> Vec<Candidate> {
    let flag = sources.flags.get(key).map(|(name, text)| (Source::Flag(name), text));
    let env = sources.environment.get(key).map(|(name, text)| (Source::Env(name), text));
    let files = [&sources.project, &sources.user].into_iter().flatten();
    let files = files.filter_map(|file| file.get(key));
    let own: Vec<_> = flag.into_iter().chain(env).chain(files).collect();
    let context = sources.context.as_ref().and_then(|context| match key {
        Key::Nats => Some((context, context.url.clone())),
        Key::Credentials => {
            // Credentials of a context are for its server alone.
            let is_elsewhere = candidates(sources, Key::Nats)
                .first()
                .is_some_and(|chosen| !matches!(chosen.source, Source::Context(_)));
            let path = context.credentials.as_ref().filter(|_| !is_elsewhere)?;
            Some((context, path.display().to_string()))
        }
        Key::NatsServer
        | Key::Tenant
        | Key::Offline
        | Key::CacheDir
        | Key::Log
        | Key::LogFormat
        | Key::OtlpEndpoint
        | Key::Metrics
        | Key::TraceContent
        | Key::Output
        | Key::Http
        | Key::HttpAuth => None,
    });
    let context = context.map(|(context, text)| (Source::Context(context.name.clone()), text));
    let default = (Source::Default, default_text(sources, key));
    own.into_iter()
        .chain(context)
        .chain([default])
        .map(|(source, text)| Candidate { source, text })
        .collect()
}

fn default_text(sources: &Sources, key: Key) -> String {
    match key {
        Key::Tenant => "default".to_owned(),
        Key::Offline | Key::TraceContent => "false".to_owned(),
        Key::Log => "warn".to_owned(),
        Key::LogFormat => "text".to_owned(),
        Key::Output => "table".to_owned(),
        Key::CacheDir => {
            let found = sources.environment.cache_dir().unwrap_or_else(fallback_cache);
            found.display().to_string()
        }
        Key::Nats
        | Key::NatsServer
        | Key::Credentials
        | Key::OtlpEndpoint
        | Key::Metrics
        | Key::Http
        | Key::HttpAuth => String::new(),
    }
}

/// For systems without a home.
fn fallback_cache() -> PathBuf {
    Path::new("/tmp").join("cadre-cache")
}

fn text(candidate: &Candidate) -> Result<String, String> {
    Ok(candidate.text.clone())
}

fn path(candidate: &Candidate) -> Result<PathBuf, String> {
    Ok(PathBuf::from(&candidate.text))
}

fn nats(candidate: &Candidate) -> Result<String, String> {
    match (&candidate.source, candidate.text.parse::<NatsChoice>()) {
        // What a context says is judged when it is used.
        (Source::Context(_), _) | (_, Ok(_)) => Ok(candidate.text.clone()),
        (_, Err(_)) => {
            let what = "write nats://HOST:PORT, tls://HOST:PORT, HOST:PORT or a path with a slash";
            Err(what.to_owned())
        }
    }
}

fn tenant(candidate: &Candidate) -> Result<Name, String> {
    Name::new(&candidate.text).map_err(|error| error.to_string())
}

fn address(candidate: &Candidate) -> Result<SocketAddr, String> {
    candidate.text.parse().map_err(|_| "write ADDRESS:PORT, such as 127.0.0.1:7700".to_owned())
}

fn boolean(candidate: &Candidate) -> Result<bool, String> {
    match candidate.text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

fn format(candidate: &Candidate) -> Result<Format, String> {
    clap::ValueEnum::from_str(&candidate.text, false)
        .map_err(|_| "write table, json, ndjson or id".to_owned())
}

fn log_format(candidate: &Candidate) -> Result<LogFormat, String> {
    match candidate.text.as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("write text or json".to_owned()),
    }
}
