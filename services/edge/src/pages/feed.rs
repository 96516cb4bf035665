//! From requests to pages: reads the model and the desk, fills the views, renders.
//!
//! What somebody may see follows from their [`Identity`] alone: every query is asked with its scope, every
//! task that is steered is found by [`AppState::task`]. A request by htmx gets the page without its frame.

mod audit;
mod bulk;
mod bus;
mod calls;
mod fleet;
mod letters;
mod live;
mod overview;
mod packs;
mod peek;
mod publish;
mod questions;
mod ran;
mod spend;
mod steer;
mod steps;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod webhooks;

use axum::{
    Router,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use cadre_core::access::Act;
use maud::{Markup, html};
use serde::Deserialize;

pub use self::{
    fleet::roles_of,
    overview::{figures_of, needs_of},
};
use super::{
    assets,
    chrome::{self, Chrome, Page},
    gate,
};
use crate::{
    http::{AppState, Identity, Problem},
    model::ModelError,
};

/// Every page, its actions and its files.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(overview::show))
        .route("/tasks", get(tasks::list))
        .route("/tasks/bulk", post(bulk::act))
        .route("/tasks/{id}", get(task::show))
        .route("/tasks/{id}/{act}", post(steer::act))
        .route("/approvals", get(questions::list))
        .route("/approvals/{task}/{step}", post(questions::decide))
        .route("/agents", get(fleet::agents))
        .route("/breakers", get(fleet::breakers))
        .route("/breakers/{target}", post(fleet::hold))
        .route("/bus", get(bus::show))
        .route("/bus/{stream}", get(peek::show))
        .route("/dlq", get(letters::list))
        .route("/dlq/{id}", post(letters::act))
        .route("/spend", get(spend::show))
        .route("/packs", get(packs::list))
        .route("/publish", get(publish::form).post(publish::publish))
        .route("/audit", get(audit::list))
        .route("/webhooks", get(webhooks::list))
        .route("/webhooks/{id}", post(webhooks::act))
        .route("/login", get(login))
        .route("/live", get(live::follow))
        .route("/assets/{name}", get(assets::serve))
}

/// Who looks, how, and at what.
struct Visit {
    app: AppState,
    identity: Identity,
    theme: Option<&'static str>,
    /// By htmx: the frame is there already.
    is_part: bool,
    /// There is a session to leave.
    has_session: bool,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Response> {
        let identity = Identity::from_request_parts(parts, app).await?;
        let visit = Self {
            app: app.clone(),
            identity,
            theme: theme(&parts.headers),
            has_session: has_session(&parts.headers),
            is_part: parts.headers.contains_key("hx-request"),
        };
        visit
            .identity
            .require(Act::Read)
            .map_err(|problem| Oops::of(&visit, problem).into_response())?;
        Ok(visit)
    }
}

impl Visit {
    fn now_ms(&self) -> u64 {
        self.app.model().now().0
    }

    fn may(&self, act: Act) -> bool {
        self.identity.may(act)
    }

    fn chrome(&self) -> Chrome {
        let (has_session, theme) = (self.has_session, self.theme);
        Chrome { has_session, theme, ..framed(&self.app, &self.identity) }
    }

    /// The answer to a request for a page.
    async fn show(&self, page: &Page) -> Result<Response, Oops> {
        if self.is_part {
            return Ok(Html(chrome::content(&self.chrome(), page).into_string()).into_response());
        }
        let open = self.app.model().questions_open(self.identity.scope(), BADGE_MAX).await;
        // A badge that cannot be counted is left out; the page itself counts more.
        let questions = open.unwrap_or(0);
        let chrome = Chrome { questions, ..self.chrome() };
        Ok(Html(chrome::document(&chrome, page).into_string()).into_response())
    }

    /// A part of a page, or a passing note.
    fn part(part: &Markup) -> Response {
        Html(part.clone().into_string()).into_response()
    }
}

/// The frame of a page that answers a form.
fn chrome_of(app: &AppState, identity: &Identity, headers: &HeaderMap) -> Chrome {
    let (has_session, theme) = (has_session(headers), theme(headers));
    Chrome { has_session, theme, ..framed(app, identity) }
}

/// What of the frame follows from who looks.
fn framed(app: &AppState, identity: &Identity) -> Chrome {
    Chrome {
        now_ms: app.model().now().0,
        user: identity.user().to_owned(),
        tenant: identity.scope().map(ToString::to_string).unwrap_or_default(),
        role: identity.access().as_str().to_owned(),
        csrf: identity.csrf().to_owned(),
        lag_ms: app.model().lag().behind_ms,
        ..Chrome::default()
    }
}

fn has_session(headers: &HeaderMap) -> bool {
    cookie(headers, "cadre_session").is_some()
}

/// Questions that the badge counts at most.
const BADGE_MAX: u32 = 100;

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies =
        headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

fn theme(headers: &HeaderMap) -> Option<&'static str> {
    let value = cookie(headers, "cadre_theme")?;
    ["light", "dark"].into_iter().find(|theme| *theme == value)
}

/// Something went wrong on the way to a page.
struct Oops {
    problem: Box<Problem>,
    theme: Option<&'static str>,
    is_part: bool,
}

impl Oops {
    fn of(visit: &Visit, problem: impl Into<Problem>) -> Self {
        Self { problem: Box::new(problem.into()), theme: visit.theme, is_part: visit.is_part }
    }
}

/// Adds to an error how its page is to look.
trait OrOops<T> {
    fn or_oops(self, visit: &Visit) -> Result<T, Oops>;
}

impl<T, E: Into<Problem>> OrOops<T> for Result<T, E> {
    fn or_oops(self, visit: &Visit) -> Result<T, Oops> {
        self.map_err(|error| Oops::of(visit, error))
    }
}

impl IntoResponse for Oops {
    fn into_response(self) -> Response {
        let status = self.problem.status();
        let title = match status {
            StatusCode::NOT_FOUND => "Not here",
            StatusCode::FORBIDDEN => "Not with this credential",
            StatusCode::SERVICE_UNAVAILABLE => "Not yet",
            _ => "That did not work",
        };
        let next = match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                html! { "The read model is opened or the broker does not answer. Load the page again in a moment; " code { "cadre doctor" } " says more." }
            }
            StatusCode::NOT_FOUND => html! { "It may be another tenant's, or never have been." },
            _ => html! {},
        };
        let chrome = Chrome { theme: self.theme, ..Chrome::default() };
        let page = if self.is_part {
            super::tasks::toast(false, self.problem.detail())
        } else {
            gate::error(&chrome, title, self.problem.detail(), &next)
        };
        (status, Html(page.into_string())).into_response()
    }
}

/// What htmx shows as a passing note: it swaps nothing that is answered as an error.
fn note(outcome: Result<String, Problem>) -> Response {
    match outcome {
        Ok(said) => Visit::part(&super::tasks::toast(true, &said)),
        Err(problem) => Visit::part(&super::tasks::toast(false, problem.detail())),
    }
}

/// After a form: a note for htmx, otherwise back to a page.
fn after(headers: &HeaderMap, back: &str, outcome: Result<String, Problem>) -> Response {
    if headers.contains_key("hx-request") {
        return note(outcome);
    }
    match outcome {
        Ok(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, back.to_owned())]).into_response(),
        Err(problem) => Oops { problem: Box::new(problem), theme: theme(headers), is_part: false }
            .into_response(),
    }
}

#[derive(Debug, Deserialize)]
struct LoginParams {
    #[serde(default)]
    next: String,
    #[serde(default)]
    failed: String,
}

async fn login(
    State(app): State<AppState>,
    headers: HeaderMap,
    Query(params): Query<LoginParams>,
) -> Html<String> {
    let chrome = Chrome { theme: theme(&headers), now_ms: app.desk().now().0, ..Chrome::default() };
    let refused =
        if params.failed.is_empty() { "" } else { "This token is unknown, revoked or over." };
    Html(gate::login(&chrome, refused, &params.next).into_string())
}

/// What a row's optional text is when there is none.
fn or_empty(text: Option<String>) -> String {
    text.unwrap_or_default()
}

/// Reads the model; a task that is not there is not found.
fn found<T>(row: Result<Option<T>, ModelError>, id: &str) -> Result<T, Problem> {
    row?.ok_or_else(|| Problem::not_found(format!("there is no task {id}")))
}
