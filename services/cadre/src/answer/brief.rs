//! An answer for people in a hurry: each finding on one line, with its clause instead of its quote. Pure.
//!
//! Whoever wants to see every source reads the answer as JSON.

use serde_json::{Map, Value};

/// Levels that are looked into; contracts cannot nest deeper for people to read.
const DEPTH_MAX: usize = 16;

/// The answer with its result made short; everything else stays.
pub(super) fn of(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(result) = document.get_mut("result") {
        *result = short(result, DEPTH_MAX);
    }
    document
}

fn short(value: &Value, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return value.clone() };
    match value {
        Value::Array(items) => list(items, depth),
        Value::Object(fields) => object(fields, depth),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn list(items: &[Value], depth: usize) -> Value {
    let quote = |item: &Value| item.as_object().filter(|fields| is_quote(fields)).map(place);
    let places: Option<Vec<_>> = items.iter().map(quote).collect();
    match places {
        Some(places) if !places.is_empty() => Value::String(places.join("; ")),
        Some(_) | None => Value::Array(items.iter().map(|item| short(item, depth)).collect()),
    }
}

fn object(fields: &Map<String, Value>, depth: usize) -> Value {
    if let Some(value) = fields.get("value").filter(|_| is_finding(fields)) {
        return finding(&short(value, depth), fields);
    }
    if let (Some(Value::String(text)), true) = (fields.get("text"), is_passage(fields)) {
        return Value::String(text.clone());
    }
    if is_quote(fields) {
        return Value::String(place(fields));
    }
    let fields = fields.iter().map(|(name, value)| (name.clone(), short(value, depth)));
    Value::Object(fields.collect())
}

/// A value that somebody found, with how sure and where.
fn is_finding(fields: &Map<String, Value>) -> bool {
    fields.keys().all(|key| ["value", "confidence", "as_of", "source"].contains(&key.as_str()))
        && fields.len() > 1
}

/// A part of the document by its place in it.
fn is_passage(fields: &Map<String, Value>) -> bool {
    fields.contains_key("start") && fields.contains_key("end")
}

/// A part of the document to prove something by.
fn is_quote(fields: &Map<String, Value>) -> bool {
    fields.contains_key("quote") && is_passage(fields)
}

fn finding(value: &Value, fields: &Map<String, Value>) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        // Findings inside of findings say their own places.
        Value::Array(_) | Value::Object(_) => return value.clone(),
    };
    let clause = fields.get("source").and_then(|source| source.get("clause"));
    let notes = [
        clause.and_then(Value::as_str).map(|clause| format!("clause {clause}")),
        fields.get("as_of").and_then(Value::as_str).map(|date| format!("as of {date}")),
        fields.get("confidence").and_then(Value::as_f64).map(|number| format!("{number:.2}")),
    ];
    let notes: Vec<_> = notes.into_iter().flatten().collect();
    Value::String(if notes.is_empty() { text } else { format!("{text}  ({})", notes.join(", ")) })
}

fn place(fields: &Map<String, Value>) -> String {
    match (fields.get("clause").and_then(Value::as_str), fields.get("start")) {
        (Some(clause), _) => format!("clause {clause}"),
        (None, Some(start)) => format!("at {start}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: &Value, expected: &Value) {
        assert_eq!(of(&json!({"status": "completed", "result": value}))["result"], *expected);
    }

    #[test]
    fn findings_are_one_line_with_their_clause() {
        let source = json!({"start": 3, "end": 9, "quote": "a long text", "clause": "5.2"});
        let finding =
            json!({"value": 45, "confidence": 0.8, "as_of": "2026-03-01", "source": source});
        check(
            &json!({"days": finding}),
            &json!({"days": "45  (clause 5.2, as of 2026-03-01, 0.80)"}),
        );
        check(
            &json!({"issues": [{"code": "x", "sources": [source, source]}]}),
            &json!({"issues": [{"code": "x", "sources": "clause 5.2; clause 5.2"}]}),
        );
        check(&json!([{"start": 1, "end": 2, "text": "one"}]), &json!(["one"]));
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for value in [
            json!({"value": 1}),
            json!({"value": 1, "unit": "days", "confidence": 1}),
            json!({"text": "a"}),
            json!({"quote": "a"}),
            json!(null),
            json!([1, "a", true]),
        ] {
            check(&value, &value);
        }
    }
}
