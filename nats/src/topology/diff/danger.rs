//! What a change would lose, in words. Pure.

use serde_json::Value;

use crate::topology::{
    declaration::VERSION,
    fields::{FieldChange, Fields, metadata_number, texts},
    found::{FoundStream, is_sharded},
    render::DECLARATION_KEY,
    units::show_size,
};

use super::Action;

/// What is lost with a whole stream.
pub(super) fn lost(found: &FoundStream) -> String {
    let (messages, consumers) = (found.messages, found.consumers.len());
    format!("its {messages} messages and {consumers} consumers are lost")
}

/// What a change of a stream loses.
pub(super) fn of_stream(
    action: Action,
    wanted: &Fields,
    found: &FoundStream,
    fields: &[FieldChange],
) -> Vec<String> {
    // With the stream goes everything, so its single fields need no words, but for why.
    let counts = |field: &&FieldChange| match field.field.as_str() {
        "metadata.cadre.partitions" | "metadata.cadre.shards" => is_sharded(name(wanted)),
        "retention" | "storage" => true,
        _ => action != Action::Recreate,
    };
    let mut dangers: Vec<String> =
        fields.iter().filter(counts).filter_map(|field| of_field(field, wanted, found)).collect();
    if action == Action::Recreate {
        dangers.push(lost(found));
    }
    dangers.extend(newer(&found.config));
    dangers
}

/// What a change of a consumer loses.
pub(super) fn of_consumer(action: Action, found: &Fields) -> Vec<String> {
    let mut dangers = Vec::new();
    if action == Action::Recreate {
        dangers.push("its progress is lost".to_owned());
    }
    dangers.extend(newer(found));
    dangers
}

fn name(fields: &Fields) -> &str {
    fields.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn of_field(field: &FieldChange, wanted: &Fields, found: &FoundStream) -> Option<String> {
    let number = |fields: &Fields, key: &str| fields.get(key).and_then(Value::as_i64).unwrap_or(-1);
    let FieldChange { field: key, old, new } = field;
    match key.as_str() {
        "metadata.cadre.partitions" if old != "unset" => Some(format!(
            "with {new} partitions instead of {old} open tasks are looked for in other partitions"
        )),
        "metadata.cadre.shards" if old != "unset" => {
            Some(format!("with {new} shards instead of {old} partitions move to other streams"))
        }
        "retention" => Some(format!("retention cannot change from {old} to {new}")),
        "storage" => Some(format!("storage cannot change from {old} to {new}")),
        "max_bytes" => {
            let cap = u64::try_from(number(wanted, key)).unwrap_or(u64::MAX);
            let used = found.bytes;
            (cap < used).then(|| format!("{new} is less than the {} in use", show_size(used)))
        }
        "subjects" => {
            let kept = texts(wanted, key);
            let is_lost = |one: &String| !kept.iter().any(|pattern| covers(pattern, one));
            let removed: Vec<String> =
                texts(&found.config, key).into_iter().filter(is_lost).collect();
            (!removed.is_empty()).then(|| format!("it stops taking {}", removed.join(", ")))
        }
        "max_age" | "max_msgs_per_subject" => {
            let (now, then) = (number(&found.config, key), number(wanted, key));
            let shrinks = then > 0 && (now <= 0 || then < now);
            shrinks.then(|| format!("messages beyond {key} {new} are dropped"))
        }
        "discard" => (new == "old").then(|| "old messages are dropped when it is full".to_owned()),
        _ => None,
    }
}

/// Whether every subject that fits `one` fits `pattern`.
fn covers(pattern: &str, one: &str) -> bool {
    let (mut wide, mut narrow) = (pattern.split('.'), one.split('.'));
    loop {
        match (wide.next(), narrow.next()) {
            (None, None) | (Some(">"), Some(_)) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(a), Some(b)) if a == b => {}
            (Some(_) | None, Some(_)) | (Some(_), None) => return false,
        }
    }
}

/// An older build must not quietly undo what a newer one declared.
fn newer(found: &Fields) -> Option<String> {
    let version = metadata_number(found, DECLARATION_KEY).filter(|version| *version > VERSION)?;
    Some(format!("a newer build declared it (version {version}, this one knows {VERSION})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_fits_it_whatever_it_is() {
        for (pattern, one, expected) in [
            ("goals.>", "goals.*.*", true),
            ("goals.>", "goals.acme", true),
            ("goals.>", "goals", false),
            ("goals.>", "goals.>", true),
            ("goals.*.*", "goals.acme.order", true),
            ("goals.*.*", "goals.>", false),
            ("goals.*", "goals.*.*", false),
            ("goals.acme.*", "goals.*.*", false),
            (">", "cadre.1.in.>", true),
        ] {
            assert_eq!(covers(pattern, one), expected, "{pattern} {one}");
        }
    }
}
