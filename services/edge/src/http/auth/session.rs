//! Sessions of people at the pages: an API token in a cookie that only the server reads.
//!
//! Nothing is kept here: the cookie is the token, so that revoking it ends the session everywhere at once.
//! Forms of ours carry what follows from the cookie ([`Identity::csrf`]), which no other page can know.

use axum::{
    body::{Body, Bytes},
    extract::{Extension, Form, FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use cadre_core::access::Token;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Identity, Problem, by_token};
use crate::http::{extract::bytes, limit::Client, state::AppState};

/// The cookie's name.
const COOKIE: &str = "cadre_session";

/// How long a browser keeps it.
const LASTS_SECONDS: u32 = 12 * 3_600;

/// A form of ours: urlencoded, with the right `csrf` (or the header `X-Csrf-Token`), by somebody known.
#[derive(Debug)]
pub struct SafeForm<T>(pub Identity, pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for SafeForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let uri = request.uri().clone();
        let identity = request.extensions().get::<Identity>().cloned();
        let identity = identity.ok_or_else(|| to_login(&uri))?;
        let header = request.headers().get("x-csrf-token").cloned();
        let bytes = bytes(request, state).await.map_err(IntoResponse::into_response)?;
        let fields: Vec<(String, String)> = read(&bytes).await?;
        let field = fields.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.as_str());
        let given = header.as_ref().and_then(|value| value.to_str().ok()).or(field);
        if given != Some(identity.csrf()) {
            let detail = "this form is not ours, or from another session: load the page again";
            return Err(Problem::forbidden(detail).into_response());
        }
        Ok(Self(identity, read(&bytes).await?))
    }
}

async fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Response> {
    let form = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(bytes.clone()));
    let form = form.map_err(|error| Problem::malformed(error).into_response())?;
    let read = Form::<T>::from_request(form, &()).await;
    read.map(|Form(form)| form).map_err(|error| Problem::malformed(error).into_response())
}

/// What the login form sends.
#[derive(Debug, Deserialize)]
pub struct Login {
    token: String,
    #[serde(default)]
    next: String,
}

/// Begins a session: `POST /session` with `token` and `next`, the path to go on to.
///
/// # Errors
/// Back to the login page when the token is none that counts.
pub async fn begin(
    State(app): State<AppState>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    Form(Login { token, next }): Form<Login>,
) -> Response {
    let secret = token.trim();
    if let Err(problem) = app.tries().admit(client.map(|Extension(client)| client), secret) {
        return problem.into_response();
    }
    let found = match Token::hash_of(secret) {
        Some(hash) => by_token(&app, hash, secret).await,
        None => Err(Problem::unauthorized("this is no API token of Cadre's")),
    };
    match found {
        Ok(_) => redirect(local(&next), Some(set(secret, LASTS_SECONDS, &headers))),
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            redirect("/login?failed=1", None)
        }
        Err(problem) => problem.into_response(),
    }
}

/// Ends a session: `POST /session/end` with `csrf`.
pub async fn end(headers: HeaderMap, _form: SafeForm<Vec<(String, String)>>) -> Response {
    redirect("/login", Some(set("", 0, &headers)))
}

/// Where somebody unknown goes who wanted a page.
pub(super) fn to_login(uri: &Uri) -> Response {
    let next = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    let next = data_encoding::HEXLOWER.encode(next.as_bytes());
    redirect(format!("/login?next={next}"), None)
}

/// A path of this server, whatever somebody wrote into the form: in hexadecimal digits, as the login page was
/// given it, or plain.
fn local(next: &str) -> String {
    let decoded = data_encoding::HEXLOWER.decode(next.as_bytes()).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.unwrap_or_else(|| next.to_owned());
    let is_local = text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|c| c.is_ascii_graphic() && c != b'\\');
    if is_local { text } else { "/".to_owned() }
}

fn redirect(to: impl AsRef<str>, cookie: Option<String>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::from_str(to.as_ref()).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, to);
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn set(secret: &str, seconds: u32, headers: &HeaderMap) -> String {
    // Whoever ends TLS in front of us says so.
    let is_tls = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// The token in the session's cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE && !value.is_empty()).then(|| value.to_owned()))
}
