//! A recorded answer as a line of JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Question, Recorded};
use crate::{
    ids::Name,
    model::{Finish, Said, TokenUsage, ToolCall},
    payload::Hash,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    role: String,
    #[serde(default)]
    model: String,
    ask_sha256: String,
    parts: Parts,
    turn: u32,
    said: SaidLine,
    #[serde(default)]
    latency_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    system: String,
    tools: String,
    input: String,
    turns: String,
    manner: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidLine {
    #[serde(default)]
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<CallLine>,
    finish: FinishLine,
    usage: UsageLine,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallLine {
    id: String,
    tool: String,
    arguments: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FinishLine {
    Stop,
    Length,
    Tools,
    Filtered,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageLine {
    input: u64,
    #[serde(default)]
    cached: u64,
    #[serde(default)]
    cache_write: u64,
    output: u64,
}

/// Reads a line, or says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Recorded, String> {
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let role = Name::new(&line.role).map_err(|error| format!("role: {error}"))?;
    let hash = |key: &str, text: &str| {
        Hash::parse(text).ok_or_else(|| format!("{key} is no SHA-256: 64 hexadecimal digits"))
    };
    let question = Question {
        ask: hash("ask_sha256", &line.ask_sha256)?,
        system: hash("parts.system", &line.parts.system)?,
        tools: hash("parts.tools", &line.parts.tools)?,
        input: hash("parts.input", &line.parts.input)?,
        turns: hash("parts.turns", &line.parts.turns)?,
        manner: hash("parts.manner", &line.parts.manner)?,
    };
    let SaidLine { text, calls, finish, usage } = line.said;
    let calls =
        calls.into_iter().map(|CallLine { id, tool, arguments }| ToolCall { id, tool, arguments });
    let finish = match finish {
        FinishLine::Stop => Finish::Stop,
        FinishLine::Length => Finish::Length,
        FinishLine::Tools => Finish::Tools,
        FinishLine::Filtered => Finish::Filtered,
    };
    let UsageLine { input, cached, cache_write, output } = usage;
    let usage = TokenUsage { input, cached, cache_write, output };
    // Whoever plays it has no use for what a model thought.
    let said = Said { text, calls: calls.collect(), thoughts: None, finish, usage };
    let (model, turn, latency_ms) = (line.model, line.turn, line.latency_ms);
    Ok(Recorded { role, model, question, turn, said, latency_ms })
}

/// The line of an answer.
pub(super) fn print(recorded: &Recorded) -> String {
    let Recorded { role, model, question, turn, said, latency_ms } = recorded;
    let call = |call: &ToolCall| CallLine {
        id: call.id.clone(),
        tool: call.tool.clone(),
        arguments: call.arguments.clone(),
    };
    let TokenUsage { input, cached, cache_write, output } = said.usage;
    let line = Line {
        role: role.to_string(),
        model: model.clone(),
        ask_sha256: question.ask.to_string(),
        parts: Parts {
            system: question.system.to_string(),
            tools: question.tools.to_string(),
            input: question.input.to_string(),
            turns: question.turns.to_string(),
            manner: question.manner.to_string(),
        },
        turn: *turn,
        said: SaidLine {
            text: said.text.clone(),
            calls: said.calls.iter().map(call).collect(),
            finish: match said.finish {
                Finish::Stop => FinishLine::Stop,
                Finish::Length => FinishLine::Length,
                Finish::Tools => FinishLine::Tools,
                Finish::Filtered => FinishLine::Filtered,
            },
            usage: UsageLine { input, cached, cache_write, output },
        },
        latency_ms: *latency_ms,
    };
    serde_json::to_string(&line).unwrap_or_default()
}
