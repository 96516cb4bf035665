//! `/healthz`, `/readyz`, `/metrics`: whether this process is alive, whether it can answer, and its figures.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use cadre_core::access::Act;
use cadre_runtime::metrics;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Identity, Problem, state::AppState};

/// That a process is there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// That a process can answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `ready`.
    status: &'static str,
    /// The read model has seen the log's end since the process began; before, lists are not whole.
    is_caught_up: bool,
    /// Records that are written and not yet in the read model, about.
    records_behind: u64,
}

/// Says that the process is alive; nothing else is looked at.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, description = "It is.", body = Health)))]
pub(super) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Says that the process can answer: the broker does, and the read model was read once.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "It can.", body = Readiness)))]
pub(super) async fn ready(State(app): State<AppState>) -> Result<Json<Readiness>, Problem> {
    app.desk().ready().await?;
    let lag = app.model().lag();
    if !lag.is_caught_up {
        let text = format!("the read model is being built, {} records are left", lag.records);
        return Err(Problem::unavailable(text));
    }
    let (is_caught_up, records_behind) = (lag.is_caught_up, lag.records);
    Ok(Json(Readiness { status: "ready", is_caught_up, records_behind }))
}

/// The figures of this process, for Prometheus; they are of every tenant.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "In the text format.", body = String, content_type = "text/plain")))]
pub(super) async fn figures(identity: Identity) -> Result<Response, Problem> {
    identity.require(Act::Read)?;
    identity.require_fleet()?;
    let Some(text) = metrics::text() else {
        let text = "this process keeps no figures: start it with --metrics".to_owned();
        return Err(Problem::unavailable(text));
    };
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
