//! Any JSON as indented lines, much like YAML, with long texts wrapped.

use serde_json::Value;

use super::note::{self, Noted};
use crate::output::text::{clean, wrap};

/// Deeper values are printed on one line.
const DEPTH_MAX: usize = 12;

/// A line of at least so many characters goes on in the next one: its break is only layout.
const LAYOUT_CHARS_MIN: usize = 50;

/// A value as lines that begin `indent` characters in.
pub(super) fn lines(value: &Value, indent: usize, width: usize) -> Vec<String> {
    let mut tree = Tree { lines: Vec::new(), width };
    tree.block(value, indent, 0);
    tree.lines
}

struct Tree {
    lines: Vec<String>,
    width: usize,
}

impl Tree {
    /// What stands below a key, a dash, or a heading.
    fn block(&mut self, value: &Value, indent: usize, depth: usize) {
        match value {
            Value::Object(fields) if !fields.is_empty() && depth < DEPTH_MAX => {
                for (key, field) in fields {
                    self.entry(&format!("{}:", clean(key)), field, indent, depth);
                }
            }
            Value::Array(items) if !items.is_empty() && depth < DEPTH_MAX => {
                for item in items {
                    self.entry("-", item, indent, depth);
                }
            }
            Value::String(text) => {
                let gap = " ".repeat(indent);
                let width = self.width.saturating_sub(indent).max(20);
                let wrapped = wrap(&reflow(text), width).into_iter();
                self.lines.extend(wrapped.map(|line| format!("{gap}{line}").trim_end().to_owned()));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => self.lines.push(format!("{}{value}", " ".repeat(indent))),
        }
    }

    /// One key or dash with what belongs to it: on the same line when that is short.
    fn entry(&mut self, head: &str, value: &Value, indent: usize, depth: usize) {
        let gap = " ".repeat(indent);
        let Noted { value, note } = note::of(value);
        let note = note.map_or(String::new(), |note| format!("  ({})", clean(&note)));
        let taken = indent + head.chars().count() + 1 + note.chars().count();
        if let Some(short) = self.short(value, taken) {
            self.lines.push(format!("{gap}{head} {short}{note}"));
            return;
        }
        if !note.is_empty() {
            self.lines.push(format!("{gap}{head} {}", note.trim_start()));
            self.block(value, indent + 2, depth + 1);
            return;
        }
        if head != "-" {
            self.lines.push(format!("{gap}{head}"));
            self.block(value, indent + 2, depth + 1);
            return;
        }
        let begin = self.lines.len();
        self.block(value, indent + 2, depth + 1);
        // The first line of an item stands behind its dash.
        if let Some(first) = self.lines.get_mut(begin) {
            *first = format!("{gap}- {}", first.trim_start());
        }
    }

    fn short(&self, value: &Value, taken: usize) -> Option<String> {
        let text = match value {
            Value::String(text) if text.is_empty() => "\"\"".to_owned(),
            Value::String(text) => match reflow(text) {
                text if text.contains('\n') => return None,
                text => clean(&text),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(items) if items.is_empty() => "[]".to_owned(),
            Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
            Value::Array(_) | Value::Object(_) => return None,
        };
        let is_scalar = !value.is_string();
        (is_scalar || taken + text.chars().count() <= self.width).then_some(text)
    }
}

/// Joins lines that were broken only to fit a page; empty lines and short ones stay.
fn reflow(text: &str) -> String {
    let mut joined = String::new();
    let mut is_open = false;
    for line in text.lines() {
        if !joined.is_empty() {
            joined.push(if is_open && !line.trim().is_empty() { ' ' } else { '\n' });
        }
        joined.push_str(line.trim_end());
        is_open = line.chars().count() >= LAYOUT_CHARS_MIN;
    }
    joined
}
