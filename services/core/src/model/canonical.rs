//! One form for what is asked, to hash: the same question gives the same bytes in every process.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Manner, ToolSpec, Turn};
use crate::payload::{Hash, canonical};

/// Hashes parts so that no two lists of parts give the same bytes.
pub(super) fn hash<'p>(domain: &'p str, parts: impl IntoIterator<Item = &'p str>) -> Hash {
    let mut hash = Sha256::new();
    for part in std::iter::once(domain).chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Hash(hash.finalize().into())
}

/// Tools as JSON; keys of objects are sorted, whatever the library's features are.
pub(super) fn tools(tools: &[ToolSpec]) -> String {
    let tool = |tool: &ToolSpec| json!([tool.name.as_str(), tool.description, tool.parameters]);
    canonical(&Value::Array(tools.iter().map(tool).collect()))
}

/// Turns as JSON.
pub(super) fn turns(turns: &[Turn]) -> String {
    let turn = |turn: &Turn| match turn {
        Turn::User(text) => json!(["user", text]),
        Turn::Model { text, calls, thoughts: _ } => {
            let calls: Vec<_> =
                calls.iter().map(|call| json!([call.id, call.tool, call.arguments])).collect();
            json!(["model", text, calls])
        }
        Turn::Tool { call, name, result, is_error } => {
            json!(["tool", call, name, result, is_error])
        }
    };
    canonical(&Value::Array(turns.iter().map(turn).collect()))
}

/// A manner as JSON.
pub(super) fn manner(manner: &Manner) -> String {
    let Manner { returns, output_tokens_max, temperature_millis } = manner;
    canonical(&json!([returns.as_deref(), output_tokens_max, temperature_millis]))
}
