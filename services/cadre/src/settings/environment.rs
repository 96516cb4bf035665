//! The environment of this process; read here and nowhere else.

use std::{collections::BTreeMap, env, ffi::OsString, path::PathBuf};

use super::{Key, edge, models::Variables};

/// Variables beside those of the settings.
const OTHERS: [&str; 17] = [
    "PATH",
    "HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "NATS_CONTEXT",
    "OTEL_SERVICE_NAME",
    "USER",
    "LOGNAME",
    edge::OIDC_ISSUER,
    edge::OIDC_AUDIENCE,
    edge::OIDC_JWKS_URL,
    edge::OIDC_TENANT_CLAIM,
    edge::OIDC_ROLE_CLAIM,
    edge::OIDC_FLEET_CLAIM,
    edge::WEBHOOKS,
    edge::TRUSTED_PROXIES,
];

/// The variables that mean something to us, as they were when the process began.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<&'static str, OsString>,
    folder: Option<PathBuf>,
    /// Providers of models and their keys.
    pub(super) models: Variables,
}

impl Environment {
    /// Reads this process's environment.
    #[must_use]
    pub fn read() -> Self {
        let settings = Key::ALL.into_iter().flat_map(Key::variables).copied();
        let mut variables: BTreeMap<_, _> =
            settings.chain(OTHERS).filter_map(|name| Some((name, env::var_os(name)?))).collect();
        // Two people without a name would else be one to whoever counts eyes.
        let is_named = |name| variables.get(name).is_some_and(|value: &OsString| !value.is_empty());
        if !is_named("USER")
            && !is_named("LOGNAME")
            && let Some(user) = user_number()
        {
            variables.insert("USER", user.into());
        }
        let text = |text: OsString| text.to_string_lossy().into_owned();
        let models = Variables::of(env::vars_os().map(|(name, value)| (text(name), text(value))));
        Self { variables, folder: env::current_dir().ok(), models }
    }

    /// An environment of these variables, for tests.
    #[must_use]
    pub fn of(variables: &[(&'static str, &str)]) -> Self {
        let owned = |text: &str| text.to_owned();
        let models = variables.iter().map(|(name, value)| (owned(name), owned(value)));
        let models = Variables::of(models);
        let variables = variables.iter().map(|(name, value)| (*name, OsString::from(value)));
        Self { variables: variables.collect(), folder: None, models }
    }

    /// An empty variable counts as one that is not set.
    fn os(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        Some(self.os(name)?.to_string_lossy().into_owned())
    }

    /// The variable that says something about a setting, and what it says.
    pub(super) fn get(&self, key: Key) -> Option<(&'static str, String)> {
        key.variables().iter().find_map(|name| Some((*name, self.text(name)?)))
    }

    /// The current folder.
    pub(super) fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_deref()
    }

    pub(super) fn search_path(&self) -> Option<OsString> {
        self.os("PATH")
    }

    pub(super) fn login(&self) -> Option<String> {
        self.text("USER").or_else(|| self.text("LOGNAME"))
    }

    /// What OpenTelemetry's own variable calls this process.
    pub(super) fn service_name(&self) -> Option<String> {
        self.text("OTEL_SERVICE_NAME")
    }

    /// The context that the `nats` CLI would use because of its variable.
    pub(super) fn nats_context(&self) -> Option<String> {
        self.text("NATS_CONTEXT")
    }

    /// Where programs keep their configuration.
    pub(super) fn config_dir(&self) -> Option<PathBuf> {
        self.user_dir("XDG_CONFIG_HOME", ".config")
    }

    /// Where we keep what cannot be made again.
    pub(super) fn data_dir(&self) -> Option<PathBuf> {
        self.user_dir("XDG_DATA_HOME", ".local/share").map(|dir| dir.join("cadre"))
    }

    /// A folder by its variable, or else below the home; relative paths mean nothing here.
    fn user_dir(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let path = |name: &str| self.os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        path(variable).or_else(|| path("HOME").map(|home| home.join(below_home)))
    }

    /// Where we keep what can be fetched again.
    pub(super) fn cache_dir(&self) -> Option<PathBuf> {
        cadre_nats::server::cache_dir(self.os("XDG_CACHE_HOME"), self.os("HOME"))
    }
}

/// Who runs this process, by number; `None` where the system does not say.
fn user_number() -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let process = std::fs::metadata("/proc/self").ok()?;
    Some(format!("uid-{}", process.uid()))
}
