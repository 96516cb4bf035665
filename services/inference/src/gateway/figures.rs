//! What of the gateway's calls is counted and traced.

use std::time::Duration;

use cadre_core::{
    model::{
        Choice, ModelRequest, Prompt, ProviderFailure, ProviderFailureKind, Said, TokenUsage,
        price::Price,
    },
    workflow::{Grant, Route},
};
use cadre_runtime::{genai, metrics::table};
use tracing::Span;

/// The span of one try of a model.
pub(super) fn span((request, route): (&ModelRequest, &Route), prompt: &Prompt) -> Span {
    genai::chat(genai::Chat {
        task: &request.task,
        role: &request.role,
        provider: route.provider.as_str(),
        model: &route.model,
        prompt,
        manner: &request.manner,
    })
}

/// One try of a model has ended.
pub(super) fn tried(
    (route, span): (&Route, &Span),
    said: &Result<Said, ProviderFailure>,
    took: Duration,
) {
    let outcome = match said {
        Ok(said) => {
            genai::said(span, &route.model, said);
            "answered"
        }
        Err(failure) => {
            genai::unsaid(span, word(failure.kind), &failure.message);
            word(failure.kind)
        }
    };
    let model = route.name();
    table::MODEL_CALLS.add(&[&model, outcome], 1);
    table::MODEL_CALL_DURATION.measure(&[&model], took);
}

/// A call has its answer.
pub(super) fn answered(
    (request, choice): (&ModelRequest, &Choice),
    (price, cost): (Price, Grant),
    usage: TokenUsage,
) {
    let model = choice.model.as_str();
    for (kind, tokens) in [
        ("input", usage.input),
        ("cached", usage.cached),
        ("cache_write", usage.cache_write),
        ("output", usage.output),
    ] {
        table::MODEL_TOKENS.add(&[model, kind], tokens);
    }
    table::MODEL_COST.add(&[model, request.role.as_str()], cost.usd_micros);
    table::MODEL_SAVED.add(&[model, "prompt"], price.saved(usage));
    if choice.is_degraded {
        table::MODEL_FALLBACKS.add(&[model], 1);
    }
}

/// A call was answered by what is kept, which would have cost this.
pub(super) fn reused(model: &str, cost: Grant) {
    table::ANSWERS_REUSED.add(&[model], 1);
    table::MODEL_SAVED.add(&[model, "answer"], cost.usd_micros);
}

/// How a try failed, as one word.
fn word(kind: ProviderFailureKind) -> &'static str {
    match kind {
        ProviderFailureKind::RateLimited => "rate_limited",
        ProviderFailureKind::Unavailable => "unavailable",
        ProviderFailureKind::Timeout => "timeout",
        ProviderFailureKind::Refused => "refused",
        ProviderFailureKind::TooLong => "too_long",
        ProviderFailureKind::Credentials => "credentials",
        ProviderFailureKind::Malformed => "malformed",
    }
}
