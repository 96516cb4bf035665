//! What every request goes through: a time limit, an address that is ours, and headers that keep pages safe.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use cadre_runtime::task::panic_text;
use futures::FutureExt as _;

use super::{Problem, auth::Auth, state::AppState};

/// What pages may load: their own files and nothing else, and no script or style inside of them.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const SAFE: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

pub(super) async fn guard(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let within = app.options().answer_within;
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let mut response = match ours(&app, request.method(), request.headers()) {
        Err(problem) => problem.into_response(),
        Ok(()) => {
            // What a handler borrows is only read, or behind the desk: a panic leaves nothing half done here.
            let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
            match tokio::time::timeout(within, answer).await {
                Ok(Ok(response)) => response,
                Ok(Err(panic)) => {
                    let reason = panic_text(&*panic);
                    tracing::error!(method, path, reason, "a request panicked");
                    Problem::broken("this request is more than the server can take").into_response()
                }
                Err(_) => Problem::late(within).into_response(),
            }
        }
    };
    let headers = response.headers_mut();
    for (name, value) in SAFE {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether the request was made for this server, by a page of this server or by no page.
///
/// Without credentials any page in a browser on this machine could speak to us, also one whose name was made
/// to point here: so the name must be one of this machine's.
fn ours(app: &AppState, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if matches!(app.auth(), Auth::Open { .. }) && !is_loopback(host) {
        let detail = format!("{host:?} is no name of this machine: use 127.0.0.1 or localhost");
        return Err(Problem::forbidden(detail));
    }
    if method.is_safe() {
        return Ok(());
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let is_foreign = origin.is_some_and(|origin| {
        origin.split_once("://").is_none_or(|(_, from)| !from.eq_ignore_ascii_case(host))
    });
    if is_foreign {
        return Err(Problem::forbidden("a page of another origin has made this request"));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for ours in ["127.0.0.1", "127.0.0.1:7700", "localhost:1", "[::1]:7700", "LOCALHOST"] {
            assert!(is_loopback(ours), "{ours}");
        }
        for others in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil:1", "10.0.0.1"]
        {
            assert!(!is_loopback(others), "{others}");
        }
    }
}
