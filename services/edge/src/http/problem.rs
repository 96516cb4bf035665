//! What is answered when something cannot be: problem documents by RFC 9457.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cadre_core::{
    ports::{BusError, desk::DeskError},
    wish::Unfit,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::ModelError;

/// How soon somebody may come again when the bus is away or full.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Why a request was not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, for programs; it stays the same between releases.
    #[serde(rename = "type")]
    #[schema(example = "urn:cadre:problem:not-found")]
    kind: String,
    /// The kind, for people.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What is wrong this time, and what to do.
    detail: String,
    /// Where a document breaks its contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Place>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<Duration>,
}

/// One place where a document is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// JSON pointer into the document.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Problem {
    #[expect(clippy::needless_pass_by_value, reason = "texts and errors come as they are")]
    fn new(status: StatusCode, code: &str, title: &'static str, detail: impl ToString) -> Self {
        Self {
            kind: format!("urn:cadre:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: detail.to_string(),
            violations: Vec::new(),
            retry_after: None,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong this time, and what to do.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The request is not one that could be read.
    pub(crate) fn malformed(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", detail)
    }

    /// It can be read, and asks for what cannot be.
    pub(crate) fn invalid(detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid", detail)
    }

    /// A document is wrong at one place.
    #[expect(clippy::needless_pass_by_value, reason = "texts and errors come as they are")]
    pub(crate) fn at(path: &str, message: impl ToString) -> Self {
        let place = Place { path: path.to_owned(), message: message.to_string() };
        let problem = Self::invalid(format!("{path}: {}", place.message));
        Self { violations: vec![place], ..problem }
    }

    /// Nobody has said who they are, or not so that it counts.
    pub(crate) fn unauthorized(detail: impl ToString) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Say who you are", detail)
    }

    /// Not with this credential.
    pub(crate) fn forbidden(detail: impl ToString) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "This credential does not allow it", detail)
    }

    /// There is no such thing, or not for this credential.
    pub(crate) fn not_found(detail: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// The address is one, but takes another method.
    pub(crate) fn method() -> Self {
        let detail = "see /v1/openapi.json for what this address takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Not with this method", detail)
    }

    /// It contradicts how things stand.
    pub(crate) fn refused(detail: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", "It contradicts how things stand", detail)
    }

    /// The body is larger than any that is taken.
    pub(crate) fn too_large(detail: impl ToString) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    /// The body is of another kind than the one that is taken.
    pub(crate) fn media_type() -> Self {
        let detail = "send Content-Type: application/json";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "media-type", "The body is of another kind", detail)
    }

    /// Too many requests by one credential, or too many followers.
    pub(crate) fn limited(detail: impl ToString, again: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let problem = Self::new(status, "rate-limited", "Too many requests", detail);
        Self { retry_after: Some(again), ..problem }
    }

    /// Something that is needed does not answer.
    pub(crate) fn unavailable(detail: impl ToString) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::new(status, "unavailable", "Come again in a moment", detail);
        Self { retry_after: Some(AGAIN_AFTER), ..problem }
    }

    /// The time of the request is over.
    pub(crate) fn late(within: Duration) -> Self {
        let detail = format!("no answer within {within:?}; a wish may have been stored");
        Self::new(StatusCode::GATEWAY_TIMEOUT, "late", "It took too long", detail)
    }

    /// Something is broken that no caller can mend.
    pub(crate) fn broken(detail: impl ToString) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "broken", "Something is broken here", detail)
    }
}

impl From<Unfit> for Problem {
    fn from(error: Unfit) -> Self {
        match error {
            Unfit::NotFound(what) => Self::not_found(what),
            Unfit::Invalid(what) => Self::invalid(what),
            Unfit::Refused(what) => Self::refused(what),
            Unfit::Input { contract, violations } => {
                let detail = format!("the input breaks contract {contract}: {violations}");
                let place = |one: cadre_core::contract::Violation| Place {
                    path: one.path,
                    message: one.message,
                };
                let violations = violations.0.into_iter().map(place).collect();
                Self { violations, ..Self::invalid(detail) }
            }
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Unfit(error) => error.into(),
            DeskError::Full(what) => Self::unavailable(what),
            DeskError::Bus(error) => error.into(),
            DeskError::Damaged(what) => {
                tracing::warn!(error = what, "a request met something damaged");
                Self::broken(what)
            }
        }
    }
}

impl From<BusError> for Problem {
    fn from(error: BusError) -> Self {
        tracing::warn!(%error, "a request was not fulfilled");
        Self::unavailable(error)
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        match &error {
            ModelError::NotReady | ModelError::Stopped => Self::unavailable(&error),
            ModelError::Store(cause) => {
                tracing::warn!(%cause, "the read model gave no answer");
                Self::unavailable("the read model gives no answer, and is perhaps being built anew")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, again) = (self.status(), self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"cadre\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(again) = again {
            // Whole seconds, and never too early.
            let seconds = again.as_secs() + u64::from(again.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
