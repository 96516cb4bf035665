//! What gateways say besides: parts of an answer as they come, and to each other who wants to be left alone.

use std::time::Duration;

use bytes::Bytes;
use cadre_core::{
    limits::GATEWAY_HOLDS_MAX,
    model::gateway::{LearntLimit, Part, Word},
};
use prost::Message as _;

use crate::{
    ContentType, DecodeError, EncodeError, NEEDS_STEERING, Problem, Reader, SCHEMA,
    body::{self, Version},
    error::Fault,
    parts::{key, millis, name},
    v1,
};

/// Name of the messages in errors.
const PART: &str = "model part";
const WORD: &str = "gateway word";

/// Encodes a part as ProtoJSON; task and step are in the subject.
///
/// # Errors
/// [`EncodeError`] only when a writer fails.
pub fn encode_part(part: &Part) -> Result<Bytes, EncodeError> {
    let Part { key, offset, text, is_end, .. } = part.clone();
    let (schema, min_reader) = (SCHEMA, NEEDS_STEERING);
    let wire = v1::ModelPart { schema, min_reader, key, offset, text, is_end };
    body::write(PART, ContentType::Json, &wire)
}

/// Decodes a part: its key, its offset, its text, and whether it ends the answer.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, or no part.
pub fn decode_part(body: &Bytes) -> Result<(String, u64, String, bool), DecodeError> {
    let version =
        |wire: &v1::ModelPart| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse(PART, ContentType::Json, body, version)?;
    let key = key(wire.key).map_err(|fault| fault.of(PART))?;
    Ok((key, wire.offset, wire.text, wire.is_end))
}

/// Encodes what a gateway tells the others.
#[must_use]
pub fn encode_word(word: &Word) -> Bytes {
    let hold = |(model, wait): &(String, Duration)| v1::GatewayHold {
        model: model.clone(),
        for_ms: millis(*wait),
    };
    let wire = v1::GatewayWord {
        schema: SCHEMA,
        min_reader: NEEDS_STEERING,
        pod: word.pod.to_string(),
        holds: word.holds.iter().take(GATEWAY_HOLDS_MAX).map(hold).collect(),
        is_leaving: word.is_leaving,
        limits: word.limits.iter().take(GATEWAY_HOLDS_MAX).map(limit_to_wire).collect(),
    };
    Bytes::from(wire.encode_to_vec())
}

/// Decodes what a gateway tells the others.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, or no word.
pub fn decode_word(body: &Bytes) -> Result<Word, DecodeError> {
    let version =
        |wire: &v1::GatewayWord| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse_protobuf((WORD, Reader::default()), body, version)?;
    for (field, count) in [("holds", wire.holds.len()), ("limits", wire.limits.len())] {
        if count > GATEWAY_HOLDS_MAX {
            return Err(Fault::new(field, Problem::Range("must be at most 256")).of(WORD));
        }
    }
    let pod = name("pod", &wire.pod).map_err(|fault| fault.of(WORD))?;
    let holds = wire.holds.into_iter();
    let holds = holds.map(|hold| (hold.model, Duration::from_millis(hold.for_ms))).collect();
    let limits = wire.limits.into_iter().map(limit_to_core).collect();
    Ok(Word { pod, holds, limits, is_leaving: wire.is_leaving })
}

fn limit_to_wire(limit: &LearntLimit) -> v1::GatewayLimit {
    let LearntLimit { model, per_minute, age } = limit;
    v1::GatewayLimit { model: model.clone(), per_minute: *per_minute, age_ms: millis(*age) }
}

fn limit_to_core(wire: v1::GatewayLimit) -> LearntLimit {
    let v1::GatewayLimit { model, per_minute, age_ms } = wire;
    LearntLimit { model, per_minute, age: Duration::from_millis(age_ms) }
}
