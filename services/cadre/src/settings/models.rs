//! Providers of models, as the environment names them. Keys are only in the environment, or in files that
//! it names: never in a settings file, and never shown.

use std::{collections::BTreeMap, fmt, fs, str::FromStr};

use cadre_inference::{ProviderSetup, RateTable, SIMULATED, Secret, SimulatedOptions, Wire};

use super::{Environment, SettingsError, Source};

/// Providers beside the known ones, or other addresses of known ones: `name=url,name=url`.
pub(super) const PROVIDERS: &str = "CADRE_PROVIDERS";

/// How the simulated provider behaves.
pub(super) const SIMULATED_OPTIONS: &str = "CADRE_SIMULATED";

/// How fast models may be asked by the whole fleet: `provider/model=50rpm:40000tpm,provider=90rpm,tenant:acme=9rpm`.
pub(super) const RATES: &str = "CADRE_MODEL_RATES";

/// Keys of the known providers, as their own programs call them.
const OWN_KEYS: [(&str, &str); 4] = [
    ("anthropic", "ANTHROPIC_API_KEY"),
    ("openai", "OPENAI_API_KEY"),
    ("openai-responses", "OPENAI_API_KEY"),
    ("gemini", "GEMINI_API_KEY"),
];

/// What begins the name of a variable that holds a provider's key, or names the file that does.
const KEY_PREFIX: &str = "CADRE_PROVIDER_";

/// Variables about models, whose values nobody prints.
#[derive(Clone, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// Those that are about models; an empty one counts as one that is not set.
    pub(super) fn of(all: impl Iterator<Item = (String, String)>) -> Self {
        let is_ours = |name: &str| {
            [PROVIDERS, SIMULATED_OPTIONS, RATES].contains(&name)
                || OWN_KEYS.iter().any(|(_, own)| *own == name)
                || name.starts_with(KEY_PREFIX)
        };
        Self(all.filter(|(name, value)| is_ours(name) && !value.is_empty()).collect())
    }
}

/// Providers of models, and how the simulated one behaves.
#[derive(Debug, Clone, Default)]
pub struct ModelSettings {
    /// Every provider that has a name, whether it can be asked or not.
    pub providers: Vec<ProviderSetup>,
    /// The one that needs neither key nor network.
    pub simulated: SimulatedOptions,
    /// How fast models may be asked; the same for every gateway of the fleet.
    pub rates: RateTable,
}

impl ModelSettings {
    /// Reads what the environment says, and the files of keys that it names.
    pub(super) fn of(environment: &Environment) -> Result<Self, SettingsError> {
        let Variables(variables) = &environment.models;
        let mut setups: BTreeMap<String, (Wire, Option<String>)> =
            Wire::KNOWN.into_iter().map(|(name, wire)| (name.to_owned(), (wire, None))).collect();
        for (name, url) in listed(variables)? {
            let wire = setups.get(&name).map_or(Wire::OpenAi, |(wire, _)| *wire);
            setups.insert(name, (wire, Some(url)));
        }
        for variable in variables.keys().filter(|name| name.starts_with(KEY_PREFIX)) {
            let is_known =
                setups.keys().any(|name| own_variables(name).iter().any(|own| own == variable));
            if !is_known {
                return Err(wrong(variable, "it names no provider: list it in CADRE_PROVIDERS"));
            }
        }
        let providers = setups.into_iter().map(|(name, (wire, base_url))| {
            let key = key(&name, variables)?;
            Ok(ProviderSetup { name, wire, base_url, key })
        });
        Ok(Self {
            providers: providers.collect::<Result<_, SettingsError>>()?,
            simulated: parsed(variables, SIMULATED_OPTIONS)?,
            rates: parsed(variables, RATES)?,
        })
    }
}

/// What a variable holds; the default when it is not set.
fn parsed<T>(variables: &BTreeMap<String, String>, name: &str) -> Result<T, SettingsError>
where
    T: FromStr<Err: fmt::Display> + Default,
{
    let value = variables.get(name).map(|text| text.parse());
    let value = value.transpose().map_err(|error: T::Err| wrong(name, &error.to_string()))?;
    Ok(value.unwrap_or_default())
}

fn listed(variables: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, SettingsError> {
    let Some(text) = variables.get(PROVIDERS) else { return Ok(Vec::new()) };
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, url) = pair.split_once('=').unwrap_or((pair, ""));
        let is_name = cadre_core::ids::Name::new(name).is_ok() && name != SIMULATED;
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        if !is_name || !is_url {
            return Err(wrong(PROVIDERS, "write name=http://host:port/v1, several with commas"));
        }
        if url.contains('@') {
            return Err(wrong(PROVIDERS, "an address holds no key: use CADRE_PROVIDER_<NAME>_KEY"));
        }
        Ok((name.to_owned(), url.to_owned()))
    };
    pairs.map(pair).collect()
}

/// `CADRE_PROVIDER_<NAME>_KEY` and `CADRE_PROVIDER_<NAME>_KEY_FILE`.
fn own_variables(provider: &str) -> [String; 2] {
    let name = provider.to_ascii_uppercase().replace('-', "_");
    [format!("{KEY_PREFIX}{name}_KEY"), format!("{KEY_PREFIX}{name}_KEY_FILE")]
}

fn key(
    provider: &str,
    variables: &BTreeMap<String, String>,
) -> Result<Option<Secret>, SettingsError> {
    let [direct, file] = own_variables(provider);
    if let Some(key) = variables.get(&direct) {
        return Ok(Secret::new(key));
    }
    if let Some(path) = variables.get(&file) {
        let source = |source| SettingsError::Read { path: path.into(), source };
        return Ok(Secret::new(&fs::read_to_string(path).map_err(source)?));
    }
    let own = OWN_KEYS.iter().find(|(name, _)| *name == provider);
    Ok(own.and_then(|(_, variable)| Secret::new(variables.get(*variable)?)))
}

/// What is wrong with a variable; its value is never repeated.
fn wrong(variable: &str, what: &str) -> SettingsError {
    SettingsError::Value {
        setting: "providers",
        text: super::SECRET.to_owned(),
        source_name: Source::Variable(variable.to_owned()),
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&'static str, &str)]) -> Result<ModelSettings, SettingsError> {
        ModelSettings::of(&Environment::of(variables))
    }

    fn usable(settings: &ModelSettings) -> Vec<&str> {
        let usable = settings.providers.iter().filter(|setup| setup.is_usable());
        usable.map(|setup| setup.name.as_str()).collect()
    }

    #[test]
    fn keys_make_providers_usable_and_are_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "sk-planted-in-a-file\n").unwrap();
        let settings = of(&[
            ("OPENAI_API_KEY", "sk-planted"),
            ("CADRE_PROVIDER_ANTHROPIC_KEY_FILE", file.to_str().unwrap()),
            ("CADRE_PROVIDERS", "local=http://127.0.0.1:8080/v1, gemini=http://127.0.0.1:1/"),
        ])
        .unwrap();
        let expected = ["anthropic", "gemini", "local", "ollama", "openai", "openai-responses"];
        assert_eq!(usable(&settings), expected);
        let anthropic = settings.providers.iter().find(|it| it.name == "anthropic").unwrap();
        assert_eq!(anthropic.key, Secret::new("sk-planted-in-a-file"));
        let gemini = settings.providers.iter().find(|it| it.name == "gemini").unwrap();
        assert_eq!(gemini.wire, Wire::Gemini, "another address of a known provider");
        assert!(!format!("{settings:?}").contains("planted"));
        assert_eq!(usable(&of(&[]).unwrap()), ["ollama"]);
    }

    #[test]
    fn what_is_wrong_is_named_and_its_value_is_not() {
        for (name, value) in [
            ("CADRE_PROVIDERS", "planted"),
            ("CADRE_PROVIDERS", "a=ftp://planted"),
            ("CADRE_PROVIDERS", "a=http://user:planted@host/"),
            ("CADRE_PROVIDERS", "simulated=http://planted"),
            ("CADRE_PROVIDER_NOBODY_KEY", "planted"),
            ("CADRE_SIMULATED", "planted=1"),
            ("CADRE_MODEL_RATES", "planted"),
        ] {
            let error = of(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("planted"), "{error}");
        }
    }
}
