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

/// What OpenAI says of thoughts that it does not show, in lower case.
const THOUGHTS: [&str; 2] = ["encrypted content", "reasoning"];

/// What is left of a limit, and when it is full again.
const USED_UP: [(&str, &str); 2] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
];

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

/// Whether a question was refused for what it asks to know of the model's thoughts: not every model of OpenAI's
/// responses has some to show, nor may every account see them.
pub(super) fn is_about_thoughts(error: &Error) -> bool {
    if let Error::WebStream { error, .. } = error {
        return error.downcast_ref::<Error>().is_some_and(is_about_thoughts);
    }
    let answered = if let Error::HttpError { status, body, .. } = error {
        Some((*status, body))
    } else if let Error::WebModelCall { webc_error, .. } = error
        && let webc::Error::ResponseFailedStatus { status, body, .. } = webc_error
    {
        Some((*status, body))
    } else {
        None
    };
    answered.is_some_and(|(status, body)| {
        let body = body.to_lowercase();
        status.as_u16() == 400 && THOUGHTS.iter().any(|word| body.contains(word))
    })
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
        // A model that was taken away; another route may still be there.
        404 => (Kind::Credentials, "it does not know this model, or not for this key"),
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

/// Seconds, or milliseconds where a provider is so kind; else when what is used up comes back. A date is not
/// understood.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let seconds =
        number("retry-after-ms").map(|millis| millis / 1_000.0).or_else(|| number("retry-after"));
    let wait = match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => USED_UP
            .iter()
            .filter(|(left, _)| number(left).is_some_and(|left| left < 1.0))
            .filter_map(|(_, reset)| reset_of(text(reset)?))
            .max(),
    };
    wait.map(|wait| wait.min(GATEWAY_HOLD_MAX))
}

/// Such as `6m0s`, `1.5s` or `20ms`: how OpenAI, and who speaks like it, says when a limit is full again.
fn reset_of(text: &str) -> Option<Duration> {
    let (mut rest, mut all) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|it| it.is_ascii_digit() || *it == b'.').count();
        let (number, behind) = rest.split_at_checked(digits)?;
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at_checked(letters)?;
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        all = all.checked_add(part)?;
        rest = behind;
    }
    (!all.is_zero()).then_some(all)
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
            (404, "", Kind::Credentials),
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

    #[test]
    fn who_says_which_limit_is_used_up_says_when_to_come_again() {
        let wait = |requests: &'static str, reset: &'static str, tokens: &'static str| {
            let headers = [
                ("x-ratelimit-remaining-requests", requests),
                ("x-ratelimit-reset-requests", reset),
                ("x-ratelimit-remaining-tokens", tokens),
                ("x-ratelimit-reset-tokens", "1m0.5s"),
            ];
            kind(429, "", &headers).retry_after.map(|wait| wait.as_millis())
        };
        assert_eq!(wait("0", "20ms", "100"), Some(20));
        assert_eq!(wait("0", "6m0s", "0"), Some(360_000), "both must be full again");
        assert_eq!(wait("7", "6m0s", "0"), Some(60_500));
        assert_eq!(wait("7", "6m0s", "100"), None, "neither is used up");
        for bad in ["", "s", "5", "5d", "-5s", "1e9h", "NaNs", "0s"] {
            assert_eq!(wait("0", bad, "100"), None, "{bad}");
        }
        let both = [
            ("retry-after", "2"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "9s"),
        ];
        assert_eq!(kind(429, "", &both).retry_after, Some(Duration::from_secs(2)));
    }
}
