//! A letter as people and programs read it. Pure and total: its message may be anything.

use cadre_core::text::size;
use cadre_nats::{
    letters::Letter,
    tail::{Decoded, TailItem, TailKind, decode},
};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::output::text::{clean, count};

/// Bytes of a body that the page shows; `--body` prints all of it.
const SHOWN_BYTES_MAX: usize = 4 * 1024;

/// Bytes on one line of a hex dump.
const HEX_COLUMNS: usize = 16;

/// What the letter's message says, read by its own subject and headers.
fn decoded(letter: &Letter) -> Decoded {
    decode(&TailItem {
        stream: String::new(),
        subject: letter.head.subject.clone(),
        sequence: letter.head.id.sequence,
        at: letter.head.at,
        kind: TailKind::Other,
        headers: letter.headers.clone(),
        body: letter.body.clone(),
    })
}

/// Everything, for programs.
pub(super) fn document(letter: &Letter) -> Value {
    let head = &letter.head;
    let decoded = decoded(letter);
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in &letter.headers {
        let values = headers.entry(name.clone()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(json!(value));
        }
    }
    json!({
        "id": head.id.to_string(),
        "kind": head.kind,
        "at": head.at.to_string(),
        "reason": head.reason,
        "deliveries": head.deliveries,
        "subject": head.subject,
        "tenant": head.tenant.as_ref().map(ToString::to_string),
        "task": head.task.as_ref().map(ToString::to_string),
        "size_bytes": head.size_bytes,
        "lost": head.lost(),
        "headers": headers,
        "message": decoded.message,
        "error": decoded.error,
        "body_base64": BASE64.encode(&letter.body),
    })
}

/// One page, for people.
pub(super) fn lines(letter: &Letter) -> Vec<String> {
    let head = &letter.head;
    let text = |known: Option<String>| known.unwrap_or_else(|| "unknown".to_owned());
    let deliveries = head.deliveries.map(|times| match times {
        1 => ", delivered once".to_owned(),
        _ => format!(", delivered {times} times"),
    });
    let given_up = format!("{}{}", head.at, deliveries.unwrap_or_default());
    let mut lines = vec![format!("dead letter {}  ({})", head.id, clean(&head.kind))];
    for (name, value) in [
        ("given up", given_up),
        ("reason", clean(&head.reason)),
        ("subject", clean(&head.subject)),
        ("tenant", text(head.tenant.as_ref().map(ToString::to_string))),
        ("task", text(head.task.as_ref().map(ToString::to_string))),
        ("size", size(head.size_bytes)),
    ] {
        lines.push(format!("  {name:<9} {value}"));
    }
    if let Some(lost) = head.lost() {
        lines.push(format!("  not kept  {lost}"));
    }
    if !letter.headers.is_empty() {
        lines.extend([String::new(), "headers".to_owned()]);
        let header = |(name, value): &(String, String)| format!("  {name}: {}", clean(value));
        lines.extend(letter.headers.iter().map(header));
    }
    body(letter, &mut lines);
    lines
}

fn body(letter: &Letter, lines: &mut Vec<String>) {
    let decoded = decoded(letter);
    lines.extend([String::new(), format!("body ({})", decoded.kind)]);
    if let Some(message) = decoded.message.filter(|message| !message.is_null()) {
        let text = serde_json::to_string_pretty(&message).unwrap_or_default();
        return shown(&text, lines);
    }
    if let Some(error) = decoded.error {
        lines.push(format!("  {}", clean(&error)));
    }
    match std::str::from_utf8(&letter.body) {
        Ok(text) => shown(text, lines),
        Err(_) => {
            let kept = letter.body.get(..SHOWN_BYTES_MAX).unwrap_or(&letter.body);
            lines.extend(kept.chunks(HEX_COLUMNS).enumerate().map(hex_line));
            rest(letter.body.len(), lines);
        }
    }
}

fn shown(text: &str, lines: &mut Vec<String>) {
    let end = text.floor_char_boundary(SHOWN_BYTES_MAX);
    let kept = text.get(..end).unwrap_or_default();
    lines.extend(kept.lines().map(|line| format!("  {}", clean(line))));
    rest(text.len(), lines);
}

fn rest(length: usize, lines: &mut Vec<String>) {
    let left = length.saturating_sub(SHOWN_BYTES_MAX);
    if left > 0 {
        lines.push(format!("  and {} more: --body prints it all", count(left as u64, "byte")));
    }
}

fn hex_line((number, bytes): (usize, &[u8])) -> String {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let readable = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
    let text: String = bytes.iter().map(readable).collect();
    let (offset, width) = (number * HEX_COLUMNS, HEX_COLUMNS * 3);
    format!("  {offset:06x}  {:<width$} {text}", hex.join(" "))
}
