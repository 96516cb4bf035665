//! JWTs of one issuer: signature, issuer, audience and time are checked; keys are fetched and kept.

use std::{
    str::FromStr as _,
    time::{Duration, Instant},
};

use cadre_core::{access::Access, ids::Name};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Identity, Problem, csrf, printable};

/// How long fetching the keys may take.
const FETCH_WITHIN: Duration = Duration::from_secs(5);

/// How long fetched keys are kept without looking for newer ones.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Between two looks for a key that is not there: a forged name must not make us ask all the time.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Bytes of a document of keys: some hundred fit in.
const KEYS_BYTES_MAX: usize = 256 * 1024;

/// How far the issuer's clock may be away from ours, in seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Signatures that count: nothing that is made with a shared secret.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Whose JWTs count, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtOptions {
    /// What `iss` must be; also where the keys are found when `jwks_url` is not given.
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// Where the issuer's keys are. Default `None`: by the issuer's `/.well-known/openid-configuration`.
    pub jwks_url: Option<String>,
    /// The claim that names the tenant. Default `tenant`.
    pub tenant_claim: String,
    /// The claim that names the role, a text or a list of them. Default `cadre_role`.
    pub role_claim: String,
    /// The claim that, when it is `true`, lets its holder see every tenant. Default `None`: no JWT does.
    pub fleet_claim: Option<String>,
}

/// Why JWTs cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// An address is none, or could be read and changed on its way.
    #[error(
        "use {0:?} as an OIDC address: it must begin with https://, or http:// and a loopback address"
    )]
    Address(String),
    /// No client for HTTPS.
    #[error("make a client for the keys of the OIDC issuer")]
    Client(#[from] reqwest::Error),
}

/// Checks JWTs of one issuer.
#[derive(Debug)]
pub struct Jwts {
    options: JwtOptions,
    client: reqwest::Client,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    set: Option<JwkSet>,
    /// When they were fetched, or it was tried.
    at: Option<Instant>,
}

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

impl Jwts {
    /// Nothing is fetched before the first JWT comes.
    ///
    /// # Errors
    /// [`JwtError`].
    pub fn new(options: JwtOptions) -> Result<Self, JwtError> {
        for address in [Some(&options.issuer), options.jwks_url.as_ref()].into_iter().flatten() {
            check(address)?;
        }
        let client = reqwest::Client::builder()
            .timeout(FETCH_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { options, client, keys: Mutex::default() })
    }

    /// Who the holder of this JWT is.
    pub(super) async fn identity(&self, jwt: &str) -> Result<Identity, Problem> {
        let refused = |why: &dyn std::fmt::Display| {
            Problem::unauthorized(format!("this JWT does not count: {why}"))
        };
        let header = decode_header(jwt).map_err(|error| refused(&error))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(refused(&format_args!("{:?} is no signature that we take", header.alg)));
        }
        let key = self.key(header.kid.as_deref()).await?;
        let key = DecodingKey::from_jwk(&key).map_err(|error| refused(&error))?;
        let mut rules = Validation::new(header.alg);
        rules.leeway = LEEWAY_SECONDS;
        rules.validate_nbf = true;
        rules.set_issuer(&[&self.options.issuer]);
        rules.set_audience(&[&self.options.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = decode::<Value>(jwt, &key, &rules).map_err(|error| refused(&error))?.claims;
        self.read(&claims, jwt).map_err(|why| refused(&why))
    }

    fn read(&self, claims: &Value, jwt: &str) -> Result<Identity, String> {
        let JwtOptions { issuer, tenant_claim, role_claim, fleet_claim, .. } = &self.options;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub").unwrap_or_default();
        let tenant =
            text(tenant_claim).ok_or_else(|| format!("claim {tenant_claim} is missing"))?;
        let tenant = Name::new(tenant).map_err(|error| format!("{tenant_claim}: {error}"))?;
        let access = access(claims.get(role_claim))
            .ok_or_else(|| format!("claim {role_claim} names no role of Cadre's"))?;
        let is_true = |claim: &String| claims.get(claim).and_then(Value::as_bool) == Some(true);
        Ok(Identity {
            user: printable(subject),
            tenant,
            is_fleet: fleet_claim.as_ref().is_some_and(is_true),
            access,
            key: Some(format!("{issuer} {subject}")),
            csrf: csrf(jwt.as_bytes()),
        })
    }

    async fn key(&self, kid: Option<&str>) -> Result<Jwk, Problem> {
        let mut keys = self.keys.lock().await;
        let age = keys.at.map(|at| at.elapsed());
        let found = keys.set.as_ref().and_then(|set| find(set, kid));
        let is_due = match (&found, age) {
            (_, None) => true,
            (Some(_), Some(age)) => age > KEPT_FOR,
            (None, Some(age)) => age > LOOK_EVERY,
        };
        if is_due {
            keys.at = Some(Instant::now());
            match self.fetch().await {
                Ok(set) => keys.set = Some(set),
                Err(error) => tracing::warn!(error, "keys of the OIDC issuer were not fetched"),
            }
        }
        if keys.set.is_none() {
            return Err(Problem::unavailable("the keys of the OIDC issuer cannot be had"));
        }
        let found = keys.set.as_ref().and_then(|set| find(set, kid));
        found.ok_or_else(|| Problem::unauthorized("this JWT is signed by a key that is not known"))
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let url = match &self.options.jwks_url {
            Some(url) => url.clone(),
            None => {
                let issuer = self.options.issuer.trim_end_matches('/');
                let address = format!("{issuer}/.well-known/openid-configuration");
                let Discovery { jwks_uri } = self.get(&address).await?;
                check(&jwks_uri).map_err(|error| error.to_string())?;
                jwks_uri
            }
        };
        self.get(&url).await
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{url}: {error}");
        let sent = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut parts = sent.map_err(|error| failed(&error))?;
        let mut body = Vec::new();
        while let Some(part) = parts.chunk().await.map_err(|error| failed(&error))? {
            body.extend_from_slice(&part);
            if body.len() > KEYS_BYTES_MAX {
                return Err(failed(&"it is larger than any document of keys"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| failed(&error))
    }
}

/// The key of this name; without a name the only one.
fn find(set: &JwkSet, kid: Option<&str>) -> Option<Jwk> {
    match (kid, set.keys.as_slice()) {
        (Some(kid), _) => set.find(kid).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

/// One role, or the most of a list.
fn access(claim: Option<&Value>) -> Option<Access> {
    let texts: Vec<&str> = match claim? {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    texts.into_iter().filter_map(|text| Access::from_str(text).ok()).max()
}

fn check(address: &str) -> Result<(), JwtError> {
    let host = address.strip_prefix("http://").unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if address.starts_with("https://") || matches!(host, "127.0.0.1" | "localhost") {
        return Ok(());
    }
    Err(JwtError::Address(address.chars().take(200).collect()))
}
