//! Settings files: the project's `cadre.yaml` and the user's `config.yaml`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Key, SettingsError, Source};

/// Bytes of a settings file.
const BYTES_MAX: u64 = 64 * 1024;

/// Name of a project's file.
const PROJECT_FILE: &str = "cadre.yaml";

/// One settings file.
#[derive(Debug, Clone, Default)]
pub struct SettingsFile {
    path: PathBuf,
    document: Document,
}

/// What may stand in a file; every key is optional.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    nats: Option<Spanned<String>>,
    nats_server: Option<Spanned<String>>,
    credentials: Option<Spanned<String>>,
    tenant: Option<Spanned<String>>,
    offline: Option<Spanned<bool>>,
    cache_dir: Option<Spanned<String>>,
    log: Option<Spanned<String>>,
    log_format: Option<Spanned<String>>,
    otlp_endpoint: Option<Spanned<String>>,
    metrics: Option<Spanned<String>>,
    trace_content: Option<Spanned<bool>>,
    output: Option<Spanned<String>>,
    http: Option<Spanned<String>>,
    http_auth: Option<Spanned<String>>,
}

/// The file of the project that `folder` is in: there or in a parent, up to the root of its repository.
pub(super) fn project(folder: Option<&Path>) -> Result<Option<SettingsFile>, SettingsError> {
    let Some(folder) = folder else { return Ok(None) };
    let root = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder);
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(root)) {
        if let Some(file) = open(folder.join(PROJECT_FILE))? {
            file.refuse_programs()?;
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// The user's file.
pub(super) fn user(config_dir: Option<&Path>) -> Result<Option<SettingsFile>, SettingsError> {
    config_dir.map_or(Ok(None), |folder| open(folder.join("cadre").join("config.yaml")))
}

fn open(path: PathBuf) -> Result<Option<SettingsFile>, SettingsError> {
    let size = match fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SettingsError::Read { path, source }),
    };
    if size > BYTES_MAX {
        let what = format!("has {size} bytes, allowed are {BYTES_MAX}");
        return Err(SettingsError::File { path, place: String::new(), what });
    }
    match fs::read_to_string(&path) {
        Ok(text) => SettingsFile::parse(path, &text).map(Some),
        Err(source) => Err(SettingsError::Read { path, source }),
    }
}

impl SettingsFile {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// [`SettingsError::File`] with line and column.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Result<Self, SettingsError> {
        let path = path.into();
        match serde_saphyr::from_str::<Option<Document>>(text) {
            Ok(document) => Ok(Self { path, document: document.unwrap_or_default() }),
            Err(error) => {
                let place = error.location().filter(|location| location.line() > 0);
                let place = place
                    .map(|location| format!(":{}:{}", location.line(), location.column()))
                    .unwrap_or_default();
                Err(SettingsError::File { path, place, what: message(&error) })
            }
        }
    }

    /// What the file says about a setting, and where. Paths are relative to the file.
    pub(super) fn get(&self, key: Key) -> Option<(Source, String)> {
        let document = &self.document;
        let (line, text) = match key {
            Key::Offline => {
                let spanned = document.offline.as_ref()?;
                (spanned.referenced.line(), spanned.value.to_string())
            }
            Key::TraceContent => {
                let spanned = document.trace_content.as_ref()?;
                (spanned.referenced.line(), spanned.value.to_string())
            }
            Key::Nats => self.read(document.nats.as_ref()?, is_path),
            Key::NatsServer => self.read(document.nats_server.as_ref()?, |_| true),
            Key::Credentials => self.read(document.credentials.as_ref()?, |_| true),
            Key::CacheDir => self.read(document.cache_dir.as_ref()?, |_| true),
            Key::Tenant => self.read(document.tenant.as_ref()?, |_| false),
            Key::Log => self.read(document.log.as_ref()?, |_| false),
            Key::LogFormat => self.read(document.log_format.as_ref()?, |_| false),
            Key::OtlpEndpoint => self.read(document.otlp_endpoint.as_ref()?, |_| false),
            Key::Metrics => self.read(document.metrics.as_ref()?, |_| false),
            Key::Output => self.read(document.output.as_ref()?, |_| false),
            Key::Http => self.read(document.http.as_ref()?, |_| false),
            Key::HttpAuth => self.read(document.http_auth.as_ref()?, |_| false),
        };
        Some((Source::File { path: self.path.clone(), line }, text))
    }

    fn read(&self, spanned: &Spanned<String>, is_path: fn(&str) -> bool) -> (u64, String) {
        let (line, text) = (spanned.referenced.line(), &spanned.value);
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let text = match is_path(text) {
            true => folder.join(text).display().to_string(),
            false => text.clone(),
        };
        (line, text)
    }

    /// A repository that somebody clones must not choose which program runs on their machine.
    fn refuse_programs(&self) -> Result<(), SettingsError> {
        let document = &self.document;
        let nats = document.nats.as_ref().filter(|nats| is_path(&nats.value));
        let Some(spanned) = document.nats_server.as_ref().or(nats) else { return Ok(()) };
        let at = spanned.referenced;
        Err(SettingsError::File {
            path: self.path.clone(),
            place: format!(":{}:{}", at.line(), at.column()),
            what: "a project file cannot name a program to run: use the user file, \
                   CADRE_NATS_SERVER or --nats"
                .to_owned(),
        })
    }
}

/// Whether the setting `nats` names a program rather than addresses.
fn is_path(text: &str) -> bool {
    text.contains('/') && !text.contains("://")
}

/// The error without its place and advice for programmers.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    line.split("; use from_").next().unwrap_or(line).chars().take(300).collect()
}
