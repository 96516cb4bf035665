//! Tests of the runtime as a whole: each hint, hostile schemas, properties, and the shipped pack.

mod hints;
mod pack;
mod properties;
mod refusals;

use serde_json::{Value, json};

use super::*;

/// A schema of one property with local definitions of findings.
fn schema(property: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {"x": property},
        "$defs": {
            "source": {
                "type": "object",
                "properties": {
                    "start": {"type": "integer"}, "end": {"type": "integer"},
                    "quote": {"type": "string"}, "clause": {"type": "string"},
                },
                "required": ["start", "end", "quote"],
                "additionalProperties": false,
            },
            "count": finding(&json!({"type": "integer"})),
            "text": finding(&json!({"type": "string"})),
        },
        "additionalProperties": false,
    })
}

fn finding(value: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "value": value,
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "as_of": {"type": "string", "format": "date"},
            "source": {"$ref": "#/$defs/source"},
        },
        "required": ["value", "confidence", "source"],
        "additionalProperties": false,
    })
}

/// Runs a schema and checks what every outcome must keep.
fn run(schema: &Value, input: &Value) -> Outcome {
    let rules = Rules::compile(schema).unwrap_or_else(|error| panic!("{error}"));
    let outcome = rules.run(input).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rules.run(input).as_ref(), Ok(&outcome), "two runs give the same");
    assert!((0.0..=1.0).contains(&outcome.confidence), "confidence {}", outcome.confidence);
    assert_kept(schema, input, &outcome);
    outcome
}

/// An outcome validates or is unsure, and every quote stands at its offsets.
fn assert_kept(schema: &Value, input: &Value, outcome: &Outcome) {
    let is_valid = jsonschema::is_valid(schema, &outcome.output);
    assert!(is_valid || outcome.unsure.is_some(), "invalid and sure: {}", outcome.output);
    let text: Vec<char> = input["text"].as_str().unwrap_or_default().chars().collect();
    let offset = input["offset"].as_u64().unwrap_or_default();
    assert_quotes(&outcome.output, &text, offset);
}

fn assert_quotes(value: &Value, text: &[char], offset: u64) {
    let place = |key| value.get(key).and_then(Value::as_u64);
    let quote = value.get("quote").or(value.get("text")).and_then(Value::as_str);
    if let (Some(start), Some(end), Some(quote)) = (place("start"), place("end"), quote) {
        let at = |place: u64| usize::try_from(place - offset).unwrap();
        assert_eq!(text[at(start)..at(end)].iter().collect::<String>(), quote);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| assert_quotes(item, text, offset)),
        Value::Object(fields) => fields.values().for_each(|v| assert_quotes(v, text, offset)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
