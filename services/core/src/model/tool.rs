//! Tools that a model can call, and the two that are built in: `clock` and `lookup`.
//!
//! Both only read. What they answer goes into the step's journal, so a takeover hears the same.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{ToolCall, ToolSpec, bm25::Library};
use crate::{
    ids::{Name, StepId, TaskId},
    limits::{LOOKUP_FOUND_MAX, TOOL_RESULT_BYTES_MAX},
    time::UnixMillis,
};

/// An agent calls a tool.
#[derive(Debug, Clone)]
pub struct ToolRequest {
    /// Whose task.
    pub tenant: Name,
    /// The task.
    pub task: TaskId,
    /// The step.
    pub step: StepId,
    /// Who calls.
    pub role: Name,
    /// The call's key, the same however often it is made: see [`crate::journal::JournalId::effect_key`].
    pub key: String,
    /// Which tool, with arguments that fit its schema.
    pub call: ToolCall,
    /// The documents that the pack grants to the role.
    pub documents: Arc<Library>,
}

/// What a tool answers; goes to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolAnswer {
    /// What came back.
    pub text: String,
    /// It went wrong; `text` says how.
    pub is_error: bool,
}

impl ToolAnswer {
    /// An answer; a longer text is cut, and says so.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: crate::task::clip_to(text, TOOL_RESULT_BYTES_MAX), is_error: false }
    }

    /// A failure that the model is told of.
    #[must_use]
    pub fn error(text: &str) -> Self {
        Self { is_error: true, ..Self::new(text) }
    }
}

/// What a model is told of a built-in tool; `None` when there is none of this name.
#[must_use]
pub fn built_in(name: &Name) -> Option<ToolSpec> {
    let (description, properties, required) = match name.as_str() {
        "clock" => ("Says what time it is, in UTC.", json!({}), json!([])),
        "lookup" => (
            "Searches the documents of this role and returns the passages that fit best, best first. \
             Ask with the words that the passage would use.",
            json!({
                "query": {"type": "string", "minLength": 1, "maxLength": 500},
                "max": {"type": "integer", "minimum": 1, "maximum": LOOKUP_FOUND_MAX}
            }),
            json!(["query"]),
        ),
        _ => return None,
    };
    let parameters = json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    });
    Some(ToolSpec { name: name.clone(), description: description.to_owned(), parameters })
}

/// Calls a built-in tool at the time `now`.
#[must_use]
pub fn call_built_in(call: &ToolCall, documents: &Library, now: UnixMillis) -> ToolAnswer {
    match call.tool.as_str() {
        "clock" => ToolAnswer::new(&json!({"now": now.to_string(), "unix_ms": now.0}).to_string()),
        "lookup" => lookup(&call.arguments, documents),
        other => ToolAnswer::error(&format!("there is no tool `{other}`")),
    }
}

fn lookup(arguments: &Value, documents: &Library) -> ToolAnswer {
    let Some(query) = arguments.get("query").and_then(Value::as_str) else {
        return ToolAnswer::error("`query` is missing: say what to search for");
    };
    let max = arguments.get("max").and_then(Value::as_u64);
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(LOOKUP_FOUND_MAX);
    let found = documents.search(query, max.min(LOOKUP_FOUND_MAX));
    let found: Vec<Value> = found
        .iter()
        .map(|found| {
            // Two digits are enough to compare by, and the same on every machine.
            let score = (found.score * 100.0).round() / 100.0;
            json!({
                "document": found.document, "from": found.from, "to": found.to,
                "score": score, "text": found.text,
            })
        })
        .collect();
    if found.is_empty() {
        return ToolAnswer::new("no passage has any of these words: try others");
    }
    ToolAnswer::new(&Value::Array(found).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contract::Contract, model::TOOLS_BUILT_IN};

    fn call(tool: &str, arguments: Value) -> ToolAnswer {
        let text: Arc<str> = "Fees are due in May.\n\nOffices open at nine.".into();
        let documents = Library::new(&[("documents/a.md".to_owned(), text)]);
        let call = ToolCall { id: "1".to_owned(), tool: tool.to_owned(), arguments };
        call_built_in(&call, &documents, UnixMillis(1_709_210_096_789))
    }

    #[test]
    fn every_built_in_tool_says_what_it_takes() {
        for name in TOOLS_BUILT_IN {
            let spec = built_in(&name.parse().unwrap()).unwrap();
            Contract::compile(name, 1, &spec.parameters).unwrap();
            assert!(!call(name, json!({"query": "fees"})).is_error, "{name}");
        }
        assert_eq!(built_in(&"mail".parse().unwrap()), None);
        assert!(call("mail", json!({})).is_error);
    }

    #[test]
    fn they_only_say_what_is() {
        let now = r#"{"now":"2024-02-29T12:34:56.789Z","unix_ms":1709210096789}"#;
        assert_eq!(call("clock", json!({})).text, now);
        let found: Value =
            serde_json::from_str(&call("lookup", json!({"query": "fees"})).text).unwrap();
        assert_eq!(found[0]["document"], "documents/a.md");
        assert_eq!((&found[0]["from"], &found[0]["to"]), (&json!(0), &json!(43)));
        assert!(call("lookup", json!({"query": "zebra"})).text.starts_with("no passage"));
        assert!(call("lookup", json!({})).is_error);
    }
}
