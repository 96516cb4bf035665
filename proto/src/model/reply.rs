//! What the gateway answers.

use std::time::Duration;

use bytes::Bytes;
use cadre_core::model::{Choice, Finish, ModelAnswer, ModelFailure, Said, TokenUsage};
use prost::Message as _;

use super::{call_to_wire, calls_to_core, thoughts_to_core, thoughts_to_wire};
use crate::{
    Blobs, DecodeError, NEEDS_STEERING, Problem, Reader, SCHEMA,
    body::{self, Version},
    error::Fault,
    parts::{failure_to_core, failure_to_wire, grant_to_core, grant_to_wire, millis, required},
    v1::{self, model_reply::Outcome, model_said::Finish as WireFinish},
};

/// Name of the message in errors.
const REPLY: &str = "model reply";

/// Encodes what came of a question; the failure's refused document stays behind.
#[must_use]
pub fn encode_reply(outcome: &Result<ModelAnswer, ModelFailure>) -> Bytes {
    let outcome = match outcome {
        Ok(answer) => Outcome::Answer(answer_to_wire(answer)),
        Err(failure) => {
            let cause = v1::Failure { refused: None, ..failure_to_wire(&failure.failure) };
            Outcome::Failure(v1::ModelFailure {
                failure: Some(cause),
                cost: grant_to_wire(failure.cost),
                passed: passed_to_wire(&failure.passed),
            })
        }
    };
    let (schema, min_reader) = (SCHEMA, NEEDS_STEERING);
    let wire = v1::ModelReply { schema, min_reader, outcome: Some(outcome) };
    Bytes::from(wire.encode_to_vec())
}

/// Decodes what came of a question.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, or no reply.
pub fn decode_reply(body: &Bytes) -> Result<Result<ModelAnswer, ModelFailure>, DecodeError> {
    let version =
        |wire: &v1::ModelReply| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse_protobuf((REPLY, Reader::default()), body, version)?;
    to_core(wire).map_err(|fault| fault.of(REPLY))
}

fn to_core(wire: v1::ModelReply) -> Result<Result<ModelAnswer, ModelFailure>, Fault> {
    match wire.outcome.ok_or_else(|| Fault::new("outcome", Problem::UnknownKind))? {
        Outcome::Answer(answer) => {
            answer_to_core(answer).map(Ok).map_err(|fault| fault.inside("answer"))
        }
        Outcome::Failure(wire) => {
            let inside = |fault: Fault| fault.inside("failure");
            let failure = required("failure", wire.failure).map_err(inside)?;
            let failure = failure_to_core(failure, &Blobs::new()).map_err(inside)?;
            let (cost, passed) = (grant_to_core(wire.cost), passed_to_core(wire.passed));
            Ok(Err(ModelFailure { failure, cost, passed }))
        }
    }
}

fn answer_to_wire(answer: &ModelAnswer) -> v1::ModelAnswer {
    let Said { text, calls, thoughts, finish, usage } = &answer.said;
    let finish = match finish {
        Finish::Stop => WireFinish::Stop,
        Finish::Length => WireFinish::Length,
        Finish::Tools => WireFinish::Tools,
        Finish::Filtered => WireFinish::Filtered,
    };
    let TokenUsage { input, cached, cache_write, output } = *usage;
    let Choice { model, why, passed, is_degraded, is_cached } = &answer.choice;
    v1::ModelAnswer {
        said: Some(v1::ModelSaid {
            text: text.clone(),
            calls: calls.iter().map(call_to_wire).collect(),
            thoughts: thoughts.as_ref().map(thoughts_to_wire),
            finish: finish as i32,
            usage: Some(v1::ModelTokens { input, cached, cache_write, output }),
        }),
        cost: grant_to_wire(answer.cost),
        choice: Some(v1::ModelChoice {
            model: model.clone(),
            why: why.clone(),
            passed: passed_to_wire(passed),
            is_degraded: *is_degraded,
            is_cached: *is_cached,
        }),
        took_ms: millis(answer.took),
    }
}

fn answer_to_core(wire: v1::ModelAnswer) -> Result<ModelAnswer, Fault> {
    let said = required("said", wire.said)?;
    let choice = required("choice", wire.choice)?;
    let unknown = |_| Fault::new("said.finish", Problem::UnknownValue(said.finish));
    let finish = match WireFinish::try_from(said.finish).map_err(unknown)? {
        WireFinish::Unspecified => return Err(Fault::new("said.finish", Problem::Missing)),
        WireFinish::Stop => Finish::Stop,
        WireFinish::Length => Finish::Length,
        WireFinish::Tools => Finish::Tools,
        WireFinish::Filtered => Finish::Filtered,
    };
    let v1::ModelTokens { input, cached, cache_write, output } = said.usage.unwrap_or_default();
    let usage = TokenUsage { input, cached, cache_write, output };
    let v1::ModelChoice { model, why, passed, is_degraded, is_cached } = choice;
    Ok(ModelAnswer {
        said: Said {
            text: said.text,
            calls: calls_to_core(said.calls)?,
            thoughts: said.thoughts.map(thoughts_to_core).transpose()?,
            finish,
            usage,
        },
        cost: grant_to_core(wire.cost),
        choice: Choice { model, why, passed: passed_to_core(passed), is_degraded, is_cached },
        took: Duration::from_millis(wire.took_ms),
    })
}

fn passed_to_wire(passed: &[(String, String)]) -> Vec<v1::PassedOver> {
    let one =
        |(model, why): &(String, String)| v1::PassedOver { model: model.clone(), why: why.clone() };
    passed.iter().map(one).collect()
}

fn passed_to_core(passed: Vec<v1::PassedOver>) -> Vec<(String, String)> {
    passed.into_iter().map(|v1::PassedOver { model, why }| (model, why)).collect()
}
