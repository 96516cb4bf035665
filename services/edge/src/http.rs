//! The HTTP API and what serves it: listener, credentials, problems, routes.
//!
//! ```text
//!  request ─► guard (time, origin, headers) ─► identify (who, how often) ─► handler ─► desk: wishes
//!                                                                              └─────► read model: lists
//! ```
//!
//! [`router`] puts it together, [`crate::service`] listens. Handlers say what they take and give in a form of
//! which `/v1/openapi.json` is made. Invariant: what is of one tenant is reached only through
//! [`AppState::task`] or a query with [`Identity::scope`].

mod actions;
mod approvals;
mod audit;
pub mod auth;
mod bulk;
mod events;
mod extract;
mod fleet;
mod goals;
mod guard;
mod health;
mod letters;
mod limit;
mod openapi;
mod packs;
mod peek;
mod problem;
mod proxy;
pub mod state;
mod sums;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;
mod webhooks;

use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state, routing::post};

pub(crate) use self::{
    actions::wish,
    audit::chain as audit_chain,
    goals::random_key,
    webhooks::{
        one as webhook, rotated as rotated_webhook, seen as webhooks_seen, tried as try_webhook,
    },
};
pub use self::{
    auth::{Auth, Identity, JwtOptions, Jwts, SafeForm},
    limit::Client,
    problem::{Place, Problem},
    proxy::{Proxies, ProxyError},
    state::{AppState, HttpOptions},
};

/// Everything that one process serves: the API, sessions, and `pages`.
pub fn router(state: AppState, pages: Router<AppState>) -> Router {
    let (api, _) = openapi::routes();
    let sessions =
        Router::new().route("/session", post(auth::begin)).route("/session/end", post(auth::end));
    api.merge(sessions)
        .merge(pages)
        .fallback(|| async { Problem::not_found("nothing has this address") })
        .method_not_allowed_fallback(|| async { Problem::method() })
        .layer(DefaultBodyLimit::max(state.options().body_bytes_max))
        .layer(from_fn_with_state(state.clone(), auth::identify))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// The description of the API, as `/v1/openapi.json` gives it.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    openapi::routes().1
}
