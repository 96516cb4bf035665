//! Questions to models, their answers, and what gateways say besides. On plain NATS, in no stream.
//!
//! Documents inside (schemas, arguments) are JSON text: nothing here travels by reference, so a message
//! that is too long is refused where it is written.

mod reply;
mod word;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use cadre_core::{
    ids::Name,
    limits::TOOLS_MAX,
    model::{Manner, ModelRequest, Prompt, Thoughts, ToolCall, ToolSpec, Turn},
    payload::canonical,
};
use prost::Message as _;
use serde_json::Value;

pub use self::{
    reply::{decode_reply, encode_reply},
    word::{decode_part, decode_word, encode_part, encode_word},
};
use crate::{
    DecodeError, NEEDS_STEERING, Problem, Reader, SCHEMA,
    body::{self, Version},
    error::Fault,
    parts::{grant_to_core, grant_to_wire, key, name, required, step, task},
    v1::{self, model_turn::Turn as WireTurn},
};

/// Name of the message in errors.
const ASK: &str = "model ask";

/// Hexadecimal digits of a pack's revision.
const REVISION_BYTES: usize = 64;

/// What a question has outside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// From the subject.
    pub tenant: Name,
    /// From the header.
    pub time_left: Duration,
    /// From the header.
    pub trace: Option<String>,
}

/// Encodes a question, without what [`Envelope`] has.
#[must_use]
pub fn encode_ask(request: &ModelRequest) -> Bytes {
    let wire = v1::ModelAsk {
        schema: SCHEMA,
        min_reader: NEEDS_STEERING,
        task: request.task.to_string(),
        step: request.step.to_string(),
        role: request.role.to_string(),
        workflow: request.workflow.to_string(),
        revision: request.revision.clone(),
        alias: request.alias.to_string(),
        key: request.key.clone(),
        prompt: Some(prompt_to_wire(&request.prompt)),
        manner: Some(manner_to_wire(&request.manner)),
        grant: grant_to_wire(request.grant),
        is_followed: request.is_followed,
    };
    Bytes::from(wire.encode_to_vec())
}

/// Decodes a question.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, or no question.
pub fn decode_ask(body: &Bytes, envelope: Envelope) -> Result<ModelRequest, DecodeError> {
    let version =
        |wire: &v1::ModelAsk| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse_protobuf((ASK, Reader::default()), body, version)?;
    to_core(wire, envelope).map_err(|fault| fault.of(ASK))
}

fn to_core(wire: v1::ModelAsk, envelope: Envelope) -> Result<ModelRequest, Fault> {
    let Envelope { tenant, time_left, trace } = envelope;
    let is_revision = wire.revision.len() <= REVISION_BYTES
        && wire.revision.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_revision {
        return Err(Fault::new("revision", Problem::Range("must be a pack's content hash")));
    }
    let prompt = required("prompt", wire.prompt)?;
    let manner = required("manner", wire.manner)?;
    Ok(ModelRequest {
        tenant,
        task: task(&wire.task)?,
        step: step(&wire.step)?,
        role: name("role", &wire.role)?,
        workflow: name("workflow", &wire.workflow)?,
        revision: wire.revision,
        alias: name("alias", &wire.alias)?,
        key: key(wire.key)?,
        prompt: prompt_to_core(prompt).map_err(|fault| fault.inside("prompt"))?,
        manner: manner_to_core(manner).map_err(|fault| fault.inside("manner"))?,
        grant: grant_to_core(wire.grant),
        time_left,
        is_followed: wire.is_followed,
        trace,
    })
}

fn prompt_to_wire(prompt: &Prompt) -> v1::ModelPrompt {
    let tool = |tool: &ToolSpec| v1::ModelTool {
        name: tool.name.to_string(),
        description: tool.description.clone(),
        parameters: canonical(&tool.parameters),
    };
    let turn = |turn: &Turn| {
        let turn = match turn {
            Turn::User(text) => WireTurn::User(text.clone()),
            Turn::Model { text, calls, thoughts } => WireTurn::Model(v1::ModelSpoke {
                text: text.clone(),
                calls: calls.iter().map(call_to_wire).collect(),
                thoughts: thoughts.as_ref().map(thoughts_to_wire),
            }),
            Turn::Tool { call, name, result, is_error } => WireTurn::Tool(v1::ToolAnswered {
                call: call.clone(),
                name: name.clone(),
                result: result.clone(),
                is_error: *is_error,
            }),
        };
        v1::ModelTurn { turn: Some(turn) }
    };
    v1::ModelPrompt {
        system: prompt.system.clone(),
        tools: prompt.tools.iter().map(tool).collect(),
        turns: prompt.turns.iter().map(turn).collect(),
    }
}

fn prompt_to_core(wire: v1::ModelPrompt) -> Result<Prompt, Fault> {
    if wire.tools.len() > TOOLS_MAX {
        return Err(Fault::new("tools", Problem::Range("must be at most 128")));
    }
    let tool = |tool: v1::ModelTool| {
        Ok(ToolSpec {
            name: name("tools.name", &tool.name)?,
            description: tool.description,
            parameters: json("tools.parameters", &tool.parameters)?,
        })
    };
    let tools = wire.tools.into_iter().map(tool).collect::<Result<_, Fault>>()?;
    let turn = |turn: v1::ModelTurn| {
        let turn = turn.turn.ok_or_else(|| Fault::new("turns", Problem::UnknownKind))?;
        Ok(match turn {
            WireTurn::User(text) => Turn::User(text),
            WireTurn::Model(v1::ModelSpoke { text, calls, thoughts }) => {
                let thoughts = thoughts.map(thoughts_to_core).transpose()?;
                Turn::Model { text, calls: calls_to_core(calls)?, thoughts }
            }
            WireTurn::Tool(v1::ToolAnswered { call, name, result, is_error }) => {
                Turn::Tool { call, name, result, is_error }
            }
        })
    };
    let turns = wire.turns.into_iter().map(turn).collect::<Result<_, Fault>>()?;
    Ok(Prompt { system: wire.system, tools, turns })
}

fn manner_to_wire(manner: &Manner) -> v1::ModelManner {
    v1::ModelManner {
        returns: manner.returns.as_deref().map(canonical),
        output_tokens_max: manner.output_tokens_max,
        temperature_millis: manner.temperature_millis.map(u32::from),
    }
}

fn manner_to_core(wire: v1::ModelManner) -> Result<Manner, Fault> {
    let returns = wire.returns.map(|text| json("returns", &text)).transpose()?;
    let temperature = wire.temperature_millis.map(|millis| {
        let millis = u16::try_from(millis).ok().filter(|millis| *millis <= 2_000);
        let range = Problem::Range("must be 0 to 2,000");
        millis.ok_or_else(|| Fault::new("temperature_millis", range))
    });
    Ok(Manner {
        returns: returns.map(Arc::new),
        output_tokens_max: wire.output_tokens_max,
        temperature_millis: temperature.transpose()?,
    })
}

fn call_to_wire(call: &ToolCall) -> v1::ModelToolCall {
    let (id, tool, arguments) = (call.id.clone(), call.tool.clone(), canonical(&call.arguments));
    v1::ModelToolCall { id, tool, arguments }
}

fn calls_to_core(calls: Vec<v1::ModelToolCall>) -> Result<Vec<ToolCall>, Fault> {
    let call = |wire: v1::ModelToolCall| {
        let arguments = json("calls.arguments", &wire.arguments)?;
        Ok(ToolCall { id: wire.id, tool: wire.tool, arguments })
    };
    calls.into_iter().map(call).collect()
}

fn thoughts_to_wire(thoughts: &Thoughts) -> v1::ModelThoughts {
    v1::ModelThoughts { model: thoughts.model.clone(), parts: canonical(&thoughts.parts) }
}

fn thoughts_to_core(wire: v1::ModelThoughts) -> Result<Thoughts, Fault> {
    Ok(Thoughts { parts: json("thoughts.parts", &wire.parts)?, model: wire.model })
}

/// serde_json's own limit of depth stands between a document and the stack.
fn json(field: &str, text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text)
        .map_err(|_| Fault::new(field, Problem::Range("must be a JSON document")))
}
