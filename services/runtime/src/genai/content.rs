//! Prompts and answers as the conventions write them: JSON in one attribute, each text cut to its limit.

use cadre_core::model::{Prompt, Said, ToolCall, Turn};
use serde_json::{Value, json};

/// Bytes of one text; a span is read by people.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// The text, cut where a letter ends.
pub(super) fn clip(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len())
}

/// The instructions.
pub(super) fn system(prompt: &Prompt) -> String {
    json!([part(&prompt.system)]).to_string()
}

/// What was said before.
pub(super) fn input(prompt: &Prompt) -> String {
    Value::Array(prompt.turns.iter().map(turn).collect()).to_string()
}

/// Tools on offer.
pub(super) fn tools(prompt: &Prompt) -> String {
    let tools = prompt.tools.iter().map(|tool| {
        json!({
            "type": "function", "name": tool.name.as_str(), "description": clip(&tool.description),
            "parameters": tool.parameters,
        })
    });
    Value::Array(tools.collect()).to_string()
}

/// What the model said.
pub(super) fn output(said: &Said) -> String {
    let parts = parts(&said.text, &said.calls);
    json!([{"role": "assistant", "parts": parts, "finish_reason": said.finish.as_str()}])
        .to_string()
}

fn turn(turn: &Turn) -> Value {
    match turn {
        Turn::User(text) => json!({"role": "user", "parts": [part(text)]}),
        Turn::Model { text, calls, thoughts: _ } => {
            json!({"role": "assistant", "parts": parts(text, calls)})
        }
        Turn::Tool { call, result, .. } => json!({
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": call, "response": clip(result)}],
        }),
    }
}

fn parts(text: &str, calls: &[ToolCall]) -> Vec<Value> {
    let said = Some(text).filter(|text| !text.is_empty()).map(part);
    let calls = calls.iter().map(|call| {
        json!({
            "type": "tool_call", "id": call.id, "name": call.tool, "arguments": call.arguments,
        })
    });
    said.into_iter().chain(calls).collect()
}

fn part(text: &str) -> Value {
    json!({"type": "text", "content": clip(text)})
}
