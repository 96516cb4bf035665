//! Who somebody is, and what that allows.
//!
//! ```text
//!  Authorization: Bearer cadre_…   ──► API token, looked up by its hash ──┐
//!  Authorization: Bearer <JWT>     ──► signature, issuer, audience, time ─┼─► Identity ─► may it? whose?
//!  Cookie: cadre_session=cadre_…   ──► as the first, for pages ───────────┤
//!  nothing, on a loopback address  ──► whoever sits at this machine ──────┘
//! ```
//!
//! A bearer is always checked, also where none is needed: whoever names one wants to be that one, and must hear of a
//! bad one before it matters.
//!
//! Tenant and user follow from the credential and from nothing else. Invariant: a handler that names no
//! [`Identity`] serves nothing of anybody's.

mod jwt;
mod session;
#[cfg(test)]
mod tests;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use cadre_core::{
    access::{Access, Act, Token},
    ids::Name,
    payload::Hash,
};

use super::{Problem, limit::Client, state::AppState};

pub use self::{
    jwt::{JwtError, JwtOptions, Jwts},
    session::{SafeForm, begin, end},
};

/// Bytes of a person's name that travel in a header of a goal.
const USER_BYTES_MAX: usize = 200;

/// A bearer that is nothing this process knows.
const NO_TOKEN: &str =
    "this is no API token of Cadre's, and no issuer of JWTs is named to this process";

/// Who may come in.
#[derive(Debug)]
pub enum Auth {
    /// Whoever reaches the address: for loopback alone.
    Open {
        /// Whose goals are published.
        tenant: Name,
        /// Who that is.
        user: String,
        /// What pages prove with that they are ours: random, for the life of this process.
        nonce: [u8; 32],
    },
    /// Whoever has a credential.
    Closed {
        /// JWTs of this issuer count as well.
        jwts: Option<Jwts>,
    },
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    user: String,
    tenant: Name,
    is_fleet: bool,
    access: Access,
    /// Names the credential for limits; `None` where none are kept.
    key: Option<String>,
    csrf: String,
}

impl Identity {
    /// What others call them: a token's name, or a JWT's subject.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whose goals they publish.
    #[must_use]
    pub fn tenant(&self) -> &Name {
        &self.tenant
    }

    /// What the read model is asked with: their tenant, or everything.
    #[must_use]
    pub fn scope(&self) -> Option<&Name> {
        (!self.is_fleet).then_some(&self.tenant)
    }

    /// Whether things of this tenant are there for them.
    #[must_use]
    pub fn sees(&self, tenant: &Name) -> bool {
        self.is_fleet || self.tenant == *tenant
    }

    /// How much they are allowed.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Whether they may do this; for showing buttons.
    #[must_use]
    pub fn may(&self, act: Act) -> bool {
        self.access.may(act)
    }

    /// Fails unless they may do this.
    ///
    /// # Errors
    /// A problem that says what it takes.
    pub fn require(&self, act: Act) -> Result<(), Problem> {
        if self.may(act) {
            return Ok(());
        }
        let (access, act) = (self.access.as_str(), act.as_str());
        Err(Problem::forbidden(format!("role {access} does not allow {act}")))
    }

    /// Fails unless they see every tenant: for what serves all of them.
    ///
    /// # Errors
    /// A problem that says so.
    pub fn require_fleet(&self) -> Result<(), Problem> {
        if self.is_fleet {
            return Ok(());
        }
        Err(Problem::forbidden(
            "this is of every tenant, and the credential of one: use one made with --all-tenants",
        ))
    }

    /// What a form of ours carries in its hidden field `csrf`: nobody else's page can know it.
    #[must_use]
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    fn of_token(token: &Token, secret: &str) -> Self {
        Self {
            user: printable(&token.name),
            tenant: token.tenant.clone(),
            is_fleet: token.is_fleet,
            access: token.access,
            key: Some(token.hash.to_string()),
            csrf: csrf(secret.as_bytes()),
        }
    }
}

/// A name as the header of a goal takes it.
fn printable(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(USER_BYTES_MAX).map(safe).collect()
}

fn csrf(secret: &[u8]) -> String {
    Hash::of(&[b"cadre.csrf.v1\0", secret].concat()).to_string()
}

/// Finds out who somebody is, and hands it on with the request. Nobody in particular is let through: most
/// handlers want an [`Identity`] and refuse then.
pub(super) async fn identify(
    State(app): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<Client>().copied();
    let found = match (app.auth(), request.headers().contains_key(header::AUTHORIZATION)) {
        (Auth::Open { tenant, user, nonce }, false) => Ok(Some(Identity {
            user: printable(user),
            tenant: tenant.clone(),
            is_fleet: true,
            access: Access::Admin,
            key: None,
            csrf: csrf(nonce),
        })),
        (Auth::Open { .. }, true) => by_bearer((&app, client), None, request.headers()).await,
        (Auth::Closed { jwts }, _) => {
            let asked = (request.method(), request.uri().path(), request.headers());
            closed((&app, client), jwts.as_ref(), asked).await
        }
    };
    let admitted = found.and_then(|found| {
        if let Some(key) = found.as_ref().and_then(|identity| identity.key.as_deref()) {
            app.limiter().admit(key)?;
        }
        Ok(found)
    });
    match admitted {
        Ok(Some(identity)) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn closed(
    (app, client): (&AppState, Option<Client>),
    jwts: Option<&Jwts>,
    (method, path, headers): (&Method, &str, &HeaderMap),
) -> Result<Option<Identity>, Problem> {
    if let Some(identity) = by_bearer((app, client), jwts, headers).await? {
        return Ok(Some(identity));
    }
    // A browser sends cookies along whoever made the request: programs say who they are themselves.
    if path.starts_with("/v1/") && !method.is_safe() {
        return Ok(None);
    }
    let Some(secret) = session::cookie(headers) else { return Ok(None) };
    let Some(hash) = Token::hash_of(&secret) else { return Ok(None) };
    app.tries().admit(client, &secret)?;
    match by_token(app, hash, &secret).await {
        Ok(identity) => {
            app.tries().was_good(&secret);
            Ok(Some(identity))
        }
        // Over, or revoked: whoever has it must come in anew.
        Err(problem) if problem.status() == axum::http::StatusCode::UNAUTHORIZED => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn by_bearer(
    (app, client): (&AppState, Option<Client>),
    jwts: Option<&Jwts>,
    headers: &HeaderMap,
) -> Result<Option<Identity>, Problem> {
    let Some(bearer) = bearer(headers)? else { return Ok(None) };
    app.tries().admit(client, bearer)?;
    let identity = match (Token::hash_of(bearer), jwts) {
        (Some(hash), _) => by_token(app, hash, bearer).await?,
        (None, Some(jwts)) => jwts.identity(bearer).await?,
        (None, None) => return Err(Problem::unauthorized(NO_TOKEN)),
    };
    app.tries().was_good(bearer);
    Ok(Some(identity))
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let (scheme, secret) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") || secret.trim().is_empty() {
        return Err(Problem::unauthorized("send Authorization: Bearer <token>"));
    }
    Ok(Some(secret.trim()))
}

async fn by_token(app: &AppState, hash: Hash, secret: &str) -> Result<Identity, Problem> {
    let token = app.desk().token(hash).await?;
    let token = token.ok_or_else(|| Problem::unauthorized("this token is unknown, or revoked"))?;
    if !token.is_live(app.desk().now()) {
        return Err(Problem::unauthorized("this token has expired"));
    }
    Ok(Identity::of_token(&token, secret))
}

impl FromRequestParts<AppState> for Identity {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Response> {
        if let Some(identity) = parts.extensions.get::<Self>() {
            return Ok(identity.clone());
        }
        let path = parts.uri.path();
        if path.starts_with("/v1/") || path == "/metrics" {
            let detail = "send Authorization: Bearer <token>; `cadre token create` makes one";
            return Err(Problem::unauthorized(detail).into_response());
        }
        Err(session::to_login(&parts.uri))
    }
}
