//! Providers of models by name, behind one door.
//!
//! Made once from [`ProviderSetup`]s, which whoever reads the environment hands over: nothing here reads
//! it. Invariant: a key is shown to nobody but its provider; [`Secret`] has no text to print.

mod convert;
mod fault;
mod http;
#[cfg(test)]
mod tests;
mod thoughts;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use cadre_core::{
    model::{ProviderCall, ProviderFailure, ProviderFailureKind, Said},
    ports::Provider,
};
use futures::{FutureExt as _, future::BoxFuture};

use self::http::HttpProvider;

/// The provider whose answers are in the pack; needs no key and no network.
pub const SIMULATED: &str = "simulated";

/// How long reaching a provider may take: beyond it the next route is better.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Idle connections that are kept to one provider: a new one costs a TLS handshake.
const IDLE_CONNECTIONS: usize = 64;

/// A key that cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key, without the white space around it; `None` when there is nothing else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The key, for its provider only.
    fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(•••)")
    }
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// OpenAI's chat completions: also llama.cpp, vLLM, LiteLLM and most others.
    OpenAi,
    /// OpenAI's responses.
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
    /// Ollama, by its door for OpenAI's chat completions.
    Ollama,
}

impl Wire {
    /// The providers that have a name without being configured.
    pub const KNOWN: [(&'static str, Self); 5] = [
        ("anthropic", Self::Anthropic),
        ("openai", Self::OpenAi),
        ("openai-responses", Self::OpenAiResponses),
        ("gemini", Self::Gemini),
        ("ollama", Self::Ollama),
    ];

    /// Where it is when nobody says otherwise.
    #[must_use]
    pub fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi | Self::OpenAiResponses => "https://api.openai.com/v1/",
            Self::Anthropic => "https://api.anthropic.com/v1/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
            Self::Ollama => "http://localhost:11434/",
        }
    }
}

/// One provider as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSetup {
    /// What packs call it.
    pub name: String,
    /// How it is spoken to.
    pub wire: Wire,
    /// Where it is; `None` is the provider's own address.
    pub base_url: Option<String>,
    /// Its key; `None` for one that wants none.
    pub key: Option<Secret>,
}

impl ProviderSetup {
    /// Whether it can be asked: the public ones want a key, one's own servers may not.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.key.is_some() || self.base_url.is_some() || self.wire == Wire::Ollama
    }
}

/// Why the providers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Not an address.
    #[error("provider {name} has the address {url:?}: write http://host:port/v1")]
    Address {
        /// The provider.
        name: String,
        /// As given.
        url: String,
    },
    /// No HTTP client: the system's certificates, mostly.
    #[error("HTTP client for providers was not made: {0}")]
    Client(String),
}

/// [`Provider`] of any kind: the gateway need not know which.
pub(crate) trait Door: Send + Sync {
    fn complete<'a>(
        &'a self,
        call: ProviderCall,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Said, ProviderFailure>>;
}

impl<P: Provider> Door for P {
    fn complete<'a>(
        &'a self,
        call: ProviderCall,
        heard: &'a (dyn Fn(&str) + Send + Sync),
    ) -> BoxFuture<'a, Result<Said, ProviderFailure>> {
        Provider::complete(self, call, move |part: &str| heard(part)).boxed()
    }
}

/// The providers that can be asked. Cheap to clone.
#[derive(Clone, Default)]
pub struct Providers {
    doors: BTreeMap<String, Arc<dyn Door>>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.doors.keys()).finish()
    }
}

impl Providers {
    /// Opens the doors of those that can be asked; the others are passed over when a call is routed.
    ///
    /// # Errors
    /// [`ProviderError`] names the one that is configured wrongly.
    pub fn open(setups: &[ProviderSetup]) -> Result<Self, ProviderError> {
        let web = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| ProviderError::Client(error.to_string()))?;
        let client = genai::Client::builder().with_reqwest(web).build();
        let client = client.map_err(|_| ProviderError::Client("not built".to_owned()))?;
        let mut providers = Self::default();
        for setup in setups.iter().filter(|setup| setup.is_usable()) {
            let http = HttpProvider::new(setup, client.clone())?;
            providers = providers.with(&setup.name, http);
        }
        Ok(providers)
    }

    /// The same, and one more that packs call `name`.
    #[must_use]
    pub fn with(mut self, name: &str, provider: impl Provider) -> Self {
        self.doors.insert(name.to_owned(), Arc::new(provider));
        self
    }

    /// Makes one call of the provider that packs call `name`, without a gateway before it.
    ///
    /// # Errors
    /// [`ProviderFailure`] as the provider's; `credentials` when there is none of that name.
    pub async fn call(&self, name: &str, call: ProviderCall) -> Result<Said, ProviderFailure> {
        let unknown = || ProviderFailure {
            kind: ProviderFailureKind::Credentials,
            message: format!("provider {name} is not configured here"),
            retry_after: None,
        };
        self.get(name).ok_or_else(unknown)?.complete(call, &|_| {}).await
    }

    /// The door to the one that packs call `name`.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<dyn Door>> {
        self.doors.get(name).cloned()
    }
}
