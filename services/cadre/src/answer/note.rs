//! Findings as people read them: the value, and in brackets how sure, as of when, and where from.
//!
//! A finding is an object of `value`, `confidence`, `as_of` and `source`; a place is an object of
//! `clause`, `start`, `end`, and `quote` or `text`. Everything else is printed as it is.

use serde_json::{Map, Value};

/// A value without what is said about it.
pub(super) struct Noted<'a> {
    pub(super) value: &'a Value,
    pub(super) note: Option<String>,
}

/// Takes a finding or a place apart.
pub(super) fn of(value: &Value) -> Noted<'_> {
    let Some(fields) = value.as_object() else { return Noted { value, note: None } };
    let has_only =
        |keys: &[&str]| fields.len() > 1 && fields.keys().all(|key| keys.contains(&key.as_str()));
    if let Some(found) = fields.get("value")
        && has_only(&["value", "confidence", "as_of", "source"])
    {
        return Noted { value: found, note: Some(finding(fields)) };
    }
    let words = fields.get("quote").or_else(|| fields.get("text"));
    if let (Some(words), Some(place)) = (words, place(fields))
        && has_only(&["clause", "start", "end", "quote", "text"])
    {
        return Noted { value: words, note: Some(place) };
    }
    Noted { value, note: None }
}

fn finding(fields: &Map<String, Value>) -> String {
    let confidence = fields.get("confidence").and_then(Value::as_f64);
    let source = fields.get("source").and_then(Value::as_object).and_then(place);
    let parts = [
        confidence.map(|confidence| format!("{confidence:.2}")),
        fields.get("as_of").map(|as_of| format!("as of {}", plain(as_of))),
        source,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The clause, or else the characters.
fn place(fields: &Map<String, Value>) -> Option<String> {
    if let Some(clause) = fields.get("clause") {
        return Some(plain(clause));
    }
    let (start, end) = (fields.get("start")?, fields.get("end")?);
    Some(format!("{}-{}", plain(start), plain(end)))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
