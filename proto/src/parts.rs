//! Conversions of the parts that several messages share.

use std::str::FromStr;

use bytes::Bytes;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    task::{Failure, FailureKind, GoalLimits, Usage},
};

use crate::{
    Blobs,
    error::{Fault, Problem},
    json::Json,
    v1::{self, failure::Kind},
};

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
    }
}

pub(crate) fn failure_to_core(wire: v1::Failure, blobs: &Blobs) -> Result<Failure, Fault> {
    Ok(Failure {
        kind: kind_to_core(wire.kind).map_err(|problem| Fault::new("kind", problem))?,
        message: wire.message,
        refused: optional_document("refused", wire.refused, blobs)?,
    })
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
    }
}
