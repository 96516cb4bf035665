//! Conversions of the parts that several messages share.

use std::{str::FromStr, time::Duration};

use bytes::Bytes;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    limits::{KEY_BYTES_MAX, MODEL_USED_BYTES_MAX, MODEL_USES_MAX, PERSON_BYTES_MAX},
    payload::{Hash, Payload},
    task::{Budget, Failure, FailureKind, GoalLimits, ModelUse, Usage},
    workflow::Grant,
};

use crate::{
    Blobs, MIN_READER, NEEDS_STEERING,
    error::{Fault, Problem},
    json::Json,
    v1::{self, failure::Kind},
};

/// Longest `retry_after` that counts: a longer one is cut, since refusing the report for it would
/// turn a failure that time heals into one that it does not.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

pub(crate) fn name(field: &str, text: &str) -> Result<Name, Fault> {
    Name::from_str(text).map_err(|error| Fault::new(field, Problem::Name(error)))
}

pub(crate) fn task(text: &str) -> Result<TaskId, Fault> {
    TaskId::parse(text).map_err(|error| Fault::new("task", Problem::Task(error)))
}

pub(crate) fn step(text: &str) -> Result<StepId, Fault> {
    StepId::parse(text).map_err(|error| Fault::new("step", Problem::Step(error)))
}

pub(crate) fn attempt(number: u32) -> Result<u32, Fault> {
    if number == 0 {
        return Err(Fault::new("attempt", Problem::Range("must be 1 or more")));
    }
    Ok(number)
}

pub(crate) fn confidence(value: Option<f64>) -> Result<Option<f64>, Fault> {
    if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
        return Err(Fault::new("confidence", Problem::Range("must be a number from 0 to 1")));
    }
    Ok(value)
}

pub(crate) fn hash(field: &str, bytes: &Bytes) -> Result<Hash, Fault> {
    let bytes = <[u8; 32]>::try_from(bytes.as_ref());
    bytes.map(Hash).map_err(|_| Fault::new(field, Problem::Range("must have 32 bytes")))
}

/// Who wants or decides something.
pub(crate) fn person(field: &str, by: String) -> Result<String, Fault> {
    if by.is_empty() || by.len() > PERSON_BYTES_MAX || by.chars().any(char::is_control) {
        let problem = Problem::Range("must have 1 to 256 bytes without control characters");
        return Err(Fault::new(field, problem));
    }
    Ok(by)
}

pub(crate) fn key(key: String) -> Result<String, Fault> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Fault::new("key", Problem::Range("must have 1 to 256 bytes")));
    }
    Ok(key)
}

/// What protobuf must carry although the language lets it be absent.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::new(field, Problem::Missing))
}

pub(crate) fn document(field: &str, json: Option<Json>, blobs: &Blobs) -> Result<Payload, Fault> {
    required(field, json)?.into_payload(blobs).map_err(|problem| Fault::new(field, problem))
}

pub(crate) fn optional_document(
    field: &str,
    json: Option<Json>,
    blobs: &Blobs,
) -> Result<Option<Payload>, Fault> {
    json.map(|json| document(field, Some(json), blobs)).transpose()
}

pub(crate) fn optional_json(payload: Option<&Payload>) -> Option<Json> {
    payload.map(Json::from)
}

pub(crate) fn usage_to_wire(usage: Usage) -> Option<v1::Usage> {
    let Usage { usd_micros, tokens, work_ms } = usage;
    (usage != Usage::default()).then_some(v1::Usage { usd_micros, tokens, work_ms })
}

pub(crate) fn usage_to_core(usage: Option<v1::Usage>) -> Usage {
    usage.map_or_else(Usage::default, |v1::Usage { usd_micros, tokens, work_ms }| Usage {
        usd_micros,
        tokens,
        work_ms,
    })
}

pub(crate) fn uses_to_wire(uses: &[ModelUse]) -> Vec<v1::ModelUse> {
    let one = |one: &ModelUse| {
        let ModelUse { model, calls, usd_micros, tokens } = one.clone();
        v1::ModelUse { model, calls, usd_micros, tokens }
    };
    uses.iter().map(one).collect()
}

pub(crate) fn uses_to_core(field: &str, uses: Vec<v1::ModelUse>) -> Result<Vec<ModelUse>, Fault> {
    if uses.len() > MODEL_USES_MAX {
        return Err(Fault::new(field, Problem::Range("must have at most 16 entries")));
    }
    let one = |one: v1::ModelUse| {
        let v1::ModelUse { model, calls, usd_micros, tokens } = one;
        if model.is_empty()
            || model.len() > MODEL_USED_BYTES_MAX
            || model.chars().any(char::is_control)
        {
            let text = "must name a model with 1 to 256 bytes without control characters";
            return Err(Fault::new(field, Problem::Range(text)));
        }
        Ok(ModelUse { model, calls, usd_micros, tokens })
    };
    uses.into_iter().map(one).collect()
}

pub(crate) fn grant_to_wire(grant: Grant) -> Option<v1::Grant> {
    let Grant { usd_micros, tokens } = grant;
    (grant != Grant::default()).then_some(v1::Grant { usd_micros, tokens })
}

/// Absent means nothing, never infinite.
pub(crate) fn grant_to_core(grant: Option<v1::Grant>) -> Grant {
    grant.map_or_else(Grant::default, |v1::Grant { usd_micros, tokens }| Grant {
        usd_micros,
        tokens,
    })
}

pub(crate) fn budget_to_wire(budget: Budget) -> v1::Budget {
    let Budget { steps, usd_micros, tokens, time } = budget;
    v1::Budget { steps, usd_micros, tokens, time_ms: millis(time) }
}

pub(crate) fn budget_to_core(wire: v1::Budget) -> Budget {
    let v1::Budget { steps, usd_micros, tokens, time_ms } = wire;
    Budget { steps, usd_micros, tokens, time: Duration::from_millis(time_ms) }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn limits_to_wire(limits: GoalLimits) -> Option<v1::GoalLimits> {
    let GoalLimits { steps_max, usd_micros_max, tokens_max } = limits;
    let wire = v1::GoalLimits { steps_max, usd_micros_max, tokens_max };
    (limits != GoalLimits::default()).then_some(wire)
}

pub(crate) fn limits_to_core(limits: Option<v1::GoalLimits>) -> GoalLimits {
    limits.map_or_else(GoalLimits::default, |limits| {
        let v1::GoalLimits { steps_max, usd_micros_max, tokens_max } = limits;
        GoalLimits { steps_max, usd_micros_max, tokens_max }
    })
}

pub(crate) fn failure_to_wire(failure: &Failure) -> v1::Failure {
    v1::Failure {
        kind: kind_to_wire(failure.kind) as i32,
        message: failure.message.clone(),
        refused: optional_json(failure.refused.as_ref()),
        retry_after_ms: failure.retry_after.map(|wait| millis(wait.min(RETRY_AFTER_MAX))),
    }
}

pub(crate) fn failure_to_core(wire: v1::Failure, blobs: &Blobs) -> Result<Failure, Fault> {
    Ok(Failure {
        kind: kind_to_core(wire.kind).map_err(|problem| Fault::new("kind", problem))?,
        message: wire.message,
        refused: optional_document("refused", wire.refused, blobs)?,
        retry_after: wire.retry_after_ms.map(|ms| Duration::from_millis(ms).min(RETRY_AFTER_MAX)),
    })
}

/// Oldest schema whose readers know the kind of a failure.
pub(crate) fn failure_min_reader(failure: &Failure) -> u32 {
    match failure.kind {
        FailureKind::Unavailable
        | FailureKind::RateLimited
        | FailureKind::Denied
        | FailureKind::Expired
        | FailureKind::NotConverging
        | FailureKind::OutcomeUnknown => NEEDS_STEERING,
        FailureKind::Error
        | FailureKind::Panic
        | FailureKind::Timeout
        | FailureKind::InvalidInput
        | FailureKind::InvalidOutput
        | FailureKind::Undecodable
        | FailureKind::NotAccepted
        | FailureKind::Expression
        | FailureKind::Handoff
        | FailureKind::Limit => MIN_READER,
    }
}

fn kind_to_wire(kind: FailureKind) -> Kind {
    match kind {
        FailureKind::Error => Kind::Error,
        FailureKind::Panic => Kind::Panic,
        FailureKind::Timeout => Kind::Timeout,
        FailureKind::InvalidInput => Kind::InvalidInput,
        FailureKind::InvalidOutput => Kind::InvalidOutput,
        FailureKind::Undecodable => Kind::Undecodable,
        FailureKind::NotAccepted => Kind::NotAccepted,
        FailureKind::Expression => Kind::Expression,
        FailureKind::Handoff => Kind::Handoff,
        FailureKind::Limit => Kind::Limit,
        FailureKind::Unavailable => Kind::Unavailable,
        FailureKind::RateLimited => Kind::RateLimited,
        FailureKind::Denied => Kind::Denied,
        FailureKind::Expired => Kind::Expired,
        FailureKind::NotConverging => Kind::NotConverging,
        FailureKind::OutcomeUnknown => Kind::OutcomeUnknown,
    }
}

fn kind_to_core(number: i32) -> Result<FailureKind, Problem> {
    match Kind::try_from(number).map_err(|_| Problem::UnknownValue(number))? {
        Kind::Unspecified => Err(Problem::Missing),
        Kind::Error => Ok(FailureKind::Error),
        Kind::Panic => Ok(FailureKind::Panic),
        Kind::Timeout => Ok(FailureKind::Timeout),
        Kind::InvalidInput => Ok(FailureKind::InvalidInput),
        Kind::InvalidOutput => Ok(FailureKind::InvalidOutput),
        Kind::Undecodable => Ok(FailureKind::Undecodable),
        Kind::NotAccepted => Ok(FailureKind::NotAccepted),
        Kind::Expression => Ok(FailureKind::Expression),
        Kind::Handoff => Ok(FailureKind::Handoff),
        Kind::Limit => Ok(FailureKind::Limit),
        Kind::Unavailable => Ok(FailureKind::Unavailable),
        Kind::RateLimited => Ok(FailureKind::RateLimited),
        Kind::Denied => Ok(FailureKind::Denied),
        Kind::Expired => Ok(FailureKind::Expired),
        Kind::NotConverging => Ok(FailureKind::NotConverging),
        Kind::OutcomeUnknown => Ok(FailureKind::OutcomeUnknown),
    }
}
