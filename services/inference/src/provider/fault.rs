//! What went wrong at a provider, without a word of what was asked or answered.
//!
//! The texts of `genai` and of providers repeat prompts, answers and sometimes keys. They are looked at,
//! never passed on.

use std::{error::Error as _, time::Duration};

use cadre_core::{
    limits::GATEWAY_HOLD_MAX,
    model::{ProviderFailure, ProviderFailureKind as Kind},
};
use genai::{Error, webc};
use reqwest::header::HeaderMap;

/// What providers say of a prompt that is too long, in lower case.
const TOO_LONG: [&str; 6] = [
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "exceed_context_size",
];

/// What providers say of an account that time does not fill, in lower case.
const NO_MONEY: [&str; 3] = ["insufficient_quota", "credit balance is too low", "billing"];

/// A provider that hangs up before its answer is whole. It may have cost, so it is no mere unavailability.
pub(super) fn broke_off() -> ProviderFailure {
    failure(Kind::Malformed, "the provider broke off in mid-answer")
}

/// A provider that answers nothing.
pub(super) fn empty() -> ProviderFailure {
    failure(Kind::Malformed, "the provider's answer is empty")
}

/// What an error of the crate means.
pub(super) fn of(error: &Error) -> ProviderFailure {
    match error {
        Error::WebModelCall { webc_error, .. } | Error::WebAdapterCall { webc_error, .. } => {
            web(webc_error)
        }
        Error::HttpError { status, body, headers, .. } => http(status.as_u16(), body, headers),
        Error::WebStream { error, .. } => stream(error.as_ref()),
        Error::ChatResponse { body, .. } => event(&body.to_string()),
        Error::RequiresApiKey { .. }
        | Error::NoAuthResolver { .. }
        | Error::NoAuthData { .. }
        | Error::Resolver { .. } => failure(Kind::Credentials, "the provider's key is missing"),
        Error::NoChatResponse { .. }
        | Error::InvalidJsonResponseElement { .. }
        | Error::ChatResponseGeneration { .. }
        | Error::StreamParse { .. }
        | Error::JsonValueExt(_)
        | Error::SerdeJson(_) => failure(Kind::Malformed, "the provider's answer cannot be read"),
        // What is left is about the question: roles, content, options that this wire does not have.
        Error::ChatReqHasNoMessages { .. }
        | Error::LastChatMessageIsNotUser { .. }
        | Error::MessageRoleNotSupported { .. }
        | Error::MessageContentTypeNotSupported { .. }
        | Error::JsonModeWithoutInstruction
        | Error::VerbosityParsing { .. }
        | Error::ReasoningParsingError { .. }
        | Error::ServiceTierParsing { .. }
        | Error::PromptCacheRetentionParsing { .. }
        | Error::ModelMapperFailed { .. }
        | Error::AdapterNotSupported { .. }
        | Error::CacheBreakpointNoEligibleContent { .. }
        | Error::AdapterKindMismatch { .. }
        | Error::Internal(_)
        | Error::ClientBuildFail { .. } => {
            failure(Kind::Refused, "the question cannot be put to this provider")
        }
    }
}

fn web(error: &webc::Error) -> ProviderFailure {
    match error {
        webc::Error::ResponseFailedStatus { status, body, headers } => {
            http(status.as_u16(), body, headers)
        }
        webc::Error::ResponseFailedNotJson { .. }
        | webc::Error::ResponseFailedInvalidJson { .. }
        | webc::Error::JsonValueExt(_) => {
            failure(Kind::Malformed, "the provider's answer is no JSON")
        }
        webc::Error::Reqwest(error) => transport(error),
    }
}

fn stream(error: &(dyn std::error::Error + Send + Sync + 'static)) -> ProviderFailure {
    if let Some(error) = error.downcast_ref::<Error>() {
        return of(error);
    }
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return transport(error);
    }
    broke_off()
}

/// The connection, not the answer. Only what surely cost nothing counts as unavailable.
fn transport(error: &reqwest::Error) -> ProviderFailure {
    if error.is_connect() {
        return failure(Kind::Unavailable, "the provider cannot be reached");
    }
    if error.is_timeout() {
        return failure(Kind::Timeout, "the provider did not answer in time");
    }
    if error.is_builder() {
        return failure(Kind::Refused, "the question is no HTTP request");
    }
    // A connection that was closed before a byte of the answer came.
    let is_early = error.is_request() && error.source().is_some();
    if is_early {
        return failure(Kind::Unavailable, "the provider hung up");
    }
    broke_off()
}

fn http(status: u16, body: &str, headers: &HeaderMap) -> ProviderFailure {
    let body = body.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    let wait = retry_after(headers);
    let is_short = matches!(status, 400 | 413 | 422) && says(&TOO_LONG);
    let (kind, text) = match status {
        402 => (Kind::Credentials, "the account has no money left"),
        429 | 400 if says(&NO_MONEY) => (Kind::Credentials, "the account has no money left"),
        429 => (Kind::RateLimited, "too many requests or tokens"),
        503 | 529 if wait.is_some() => (Kind::RateLimited, "it is overloaded"),
        401 | 403 => (Kind::Credentials, "its key is wrong or has no right to this model"),
        413 => (Kind::TooLong, "the prompt is too long"),
        _ if is_short => (Kind::TooLong, "the prompt is too long"),
        408 => (Kind::Timeout, "the request took too long"),
        500.. => (Kind::Unavailable, "it has an error of its own"),
        404 => (Kind::Refused, "it does not know this model"),
        _ => (Kind::Refused, "it does not take the question"),
    };
    let message = format!("the provider answers {status}: {text}");
    ProviderFailure { kind, message, retry_after: wait }
}

/// An error in the middle of a stream: its type is a word of the provider's, not of the prompt's.
fn event(body: &str) -> ProviderFailure {
    let body = body.to_lowercase();
    if body.contains("rate_limit") || body.contains("resource_exhausted") {
        return failure(Kind::RateLimited, "the provider broke off: too many requests or tokens");
    }
    if body.contains("overloaded") || body.contains("unavailable") {
        return failure(Kind::Unavailable, "the provider broke off: it is overloaded");
    }
    failure(Kind::Malformed, "the provider answers with an error in mid-answer")
}

/// Seconds, or milliseconds where a provider is so kind; a date is not understood.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(GATEWAY_HOLD_MAX))
}

fn failure(kind: Kind, text: &str) -> ProviderFailure {
    ProviderFailure { kind, message: text.to_owned(), retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str, headers: &[(&'static str, &'static str)]) -> ProviderFailure {
        let pairs = headers.iter().map(|(name, value)| {
            (name.parse::<reqwest::header::HeaderName>().unwrap(), value.parse().unwrap())
        });
        http(status, body, &pairs.collect())
    }

    #[test]
    fn statuses_have_one_meaning_each() {
        for (status, body, expected) in [
            (429, "", Kind::RateLimited),
            (429, r#"{"code":"insufficient_quota"}"#, Kind::Credentials),
            (401, "Incorrect API key provided: sk-planted", Kind::Credentials),
            (403, "", Kind::Credentials),
            (402, "", Kind::Credentials),
            (400, "This model's maximum context length is 8192", Kind::TooLong),
            (400, "unknown parameter", Kind::Refused),
            (404, "", Kind::Refused),
            (413, "", Kind::TooLong),
            (408, "", Kind::Timeout),
            (500, "", Kind::Unavailable),
            (503, "", Kind::Unavailable),
            (529, "", Kind::Unavailable),
        ] {
            let failure = kind(status, body, &[]);
            assert_eq!(failure.kind, expected, "{status} {body}");
            assert!(!failure.message.contains("sk-planted"), "{failure}");
        }
    }

    #[test]
    fn whoever_says_when_to_come_again_is_heard() {
        let wait = |headers: &[(&'static str, &'static str)]| kind(429, "", headers).retry_after;
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(wait(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        let both = [("retry-after", "7"), ("retry-after-ms", "20")];
        assert_eq!(wait(&both), Some(Duration::from_millis(20)));
        assert_eq!(wait(&[("retry-after", "999999999")]), Some(GATEWAY_HOLD_MAX));
        for bad in ["", "-1", "NaN", "inf", "Sat, 21 Nov 2026 17:00:00 GMT"] {
            assert_eq!(wait(&[("retry-after", bad)]), None, "{bad}");
        }
        assert_eq!(kind(503, "", &[("retry-after", "1")]).kind, Kind::RateLimited);
    }
}
