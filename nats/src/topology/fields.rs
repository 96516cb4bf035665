//! Configurations as the broker's JSON, compared key by key.
//!
//! Working on the JSON keeps what this build does not know: a key that is not ours survives an update untouched.

use std::time::Duration;

use cadre_core::payload;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::topology::units::show_size;

/// A configuration as the broker states it.
pub(super) type Fields = Map<String, Value>;

/// Keys of a stream that the declarations decide.
pub(super) const STREAM_KEYS: &[&str] = &[
    "description",
    "subjects",
    "retention",
    "storage",
    "discard",
    "max_bytes",
    "max_msg_size",
    "max_msgs_per_subject",
    "max_age",
    "num_replicas",
    "duplicate_window",
    "allow_direct",
    "allow_rollup_hdrs",
    "allow_msg_schedules",
    "allow_msg_ttl",
    "allow_atomic",
    "deny_delete",
    "deny_purge",
];

/// Keys of a consumer that the declarations decide.
pub(super) const CONSUMER_KEYS: &[&str] = &[
    "description",
    "filter_subject",
    "filter_subjects",
    "deliver_policy",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "priority_policy",
    "priority_groups",
    "priority_timeout",
];

/// Keys that say nothing a person decided.
const NEVER_FOREIGN: &[&str] = &["name", "durable_name", "metadata", "max_waiting"];

const OURS: &str = "cadre.";

/// One key whose value is not as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The broker's name of it.
    pub field: String,
    /// What the broker has.
    pub old: String,
    /// What is declared.
    pub new: String,
}

/// A configuration as JSON; what cannot be written is empty, which the comparison shows.
pub(super) fn fields(config: &impl Serialize) -> Fields {
    match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Fields::new(),
    }
}

/// The keys among `keys`, and our metadata, whose values differ.
pub(super) fn differences(keys: &[&str], declared: &Fields, found: &Fields) -> Vec<FieldChange> {
    let plain = keys.iter().filter_map(|key| {
        let (old, new) = (found.get(*key), declared.get(*key));
        change((*key).to_owned(), key, old, new)
    });
    let mut tags: Vec<_> = ours(declared).collect();
    tags.sort_by_key(|(key, _)| *key);
    let metadata = tags.into_iter().filter_map(|(key, new)| {
        change(format!("metadata.{key}"), "", metadata(found, key), Some(new))
    });
    plain.chain(metadata).collect()
}

/// What somebody set by hand beside what is declared.
pub(super) fn foreign(keys: &[&str], declared: &Fields, found: &Fields) -> Vec<FieldChange> {
    let decided = |key: &str| keys.contains(&key) || NEVER_FOREIGN.contains(&key);
    let others = found.iter().filter(|(key, _)| !decided(key));
    let change = |(key, old): (&String, _)| change(key.clone(), key, Some(old), declared.get(key));
    let mut changes: Vec<_> = others.filter_map(change).collect();
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    changes
}

/// What is found, with every declared key as declared.
pub(super) fn overlay(keys: &[&str], declared: &Fields, found: &Fields) -> Fields {
    let mut merged = found.clone();
    for key in keys {
        match declared.get(*key) {
            Some(value) => merged.insert((*key).to_owned(), value.clone()),
            None => merged.remove(*key),
        };
    }
    let mut tags = found.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    // The server writes these itself, and refuses them from others.
    tags.retain(|key, _| !key.starts_with("_nats"));
    tags.extend(ours(declared).map(|(key, value)| (key.clone(), value.clone())));
    merged.insert("metadata".to_owned(), Value::Object(tags));
    merged
}

/// One value of the metadata.
pub(super) fn metadata<'a>(fields: &'a Fields, key: &str) -> Option<&'a Value> {
    fields.get("metadata")?.get(key)
}

/// A text that is a value of the metadata and a number.
pub(super) fn metadata_number(fields: &Fields, key: &str) -> Option<u32> {
    metadata(fields, key)?.as_str()?.parse().ok()
}

/// The texts of a list.
pub(super) fn texts(fields: &Fields, key: &str) -> Vec<String> {
    let list = fields.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn ours(fields: &Fields) -> impl Iterator<Item = (&String, &Value)> {
    let tags = fields.get("metadata").and_then(Value::as_object).into_iter().flatten();
    tags.filter(|(key, _)| key.starts_with(OURS))
}

fn change(
    field: String,
    key: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<FieldChange> {
    let (old, new) = (canonical(old), canonical(new));
    (old != new).then(|| FieldChange { field, old: show(key, &old), new: show(key, &new) })
}

/// One value for everything that means the same: unset, zero and unlimited; lists in any order.
fn canonical(value: Option<&Value>) -> Value {
    match value {
        None => Value::Null,
        Some(value) if is_blank(value) => Value::Null,
        Some(Value::Array(items)) => {
            let mut items = items.clone();
            items.sort_by_key(payload::canonical);
            Value::Array(items)
        }
        Some(value) => value.clone(),
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_set) => !is_set,
        Value::Number(number) => matches!(number.as_i64(), Some(-1 | 0)),
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_blank),
    }
}

fn show(key: &str, value: &Value) -> String {
    match (key, value) {
        (_, Value::Null) => "unset".to_owned(),
        ("max_age" | "duplicate_window" | "ack_wait" | "priority_timeout", Value::Number(n)) => {
            let nanos = n.as_u64().unwrap_or_default();
            humantime::format_duration(Duration::from_nanos(nanos)).to_string()
        }
        ("max_bytes" | "max_msg_size", Value::Number(n)) => {
            show_size(n.as_u64().unwrap_or_default())
        }
        (_, Value::String(text)) => text.clone(),
        (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            payload::canonical(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Fields {
        let Value::Object(fields) = value else { panic!("{value} is no object") };
        fields
    }

    #[test]
    fn unset_zero_and_unlimited_are_the_same() {
        let declared =
            object(json!({"max_age": 0, "max_msgs_per_subject": -1, "subjects": ["a", "b"]}));
        let found = object(
            json!({"max_msgs_per_subject": 0, "subjects": ["b", "a"], "consumer_limits": {}}),
        );
        assert_eq!(differences(STREAM_KEYS, &declared, &found), []);
        assert_eq!(foreign(STREAM_KEYS, &declared, &found), []);
    }

    #[test]
    fn an_update_keeps_what_is_not_ours() {
        let declared = object(json!({"max_bytes": 1024, "metadata": {"cadre.shards": "1"}}));
        let found = object(json!({
            "max_bytes": 2048, "allow_atomic": true, "republish": {"src": ">"}, "from_the_future": 7,
            "metadata": {"team": "a", "_nats.ver": "2.15.1", "cadre.shards": "2"},
        }));
        assert_eq!(
            Value::Object(overlay(STREAM_KEYS, &declared, &found)),
            json!({
                "max_bytes": 1024, "republish": {"src": ">"}, "from_the_future": 7,
                "metadata": {"team": "a", "cadre.shards": "1"},
            })
        );
        let named: Vec<String> =
            foreign(STREAM_KEYS, &declared, &found).into_iter().map(|one| one.field).collect();
        assert_eq!(named, ["from_the_future", "republish"]);
        let changes = differences(STREAM_KEYS, &declared, &found);
        let shown: Vec<String> =
            changes.iter().map(|one| format!("{} {} {}", one.field, one.old, one.new)).collect();
        assert_eq!(
            shown,
            ["max_bytes 2KiB 1KiB", "allow_atomic true unset", "metadata.cadre.shards 2 1"]
        );
    }
}
