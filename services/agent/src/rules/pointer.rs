//! JSON pointers into the input, with `*` for every item of an array.

use serde_json::Value;

use super::limits::SELECTED_MAX;

/// A parsed JSON pointer (RFC 6901) whose segment `*` means every item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Parses a pointer; None unless it is empty or starts with `/`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let segments = text.strip_prefix('/')?.split('/');
        Some(Self(segments.map(|part| part.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The values that the pointer reaches, in document order; null counts as absent.
    pub(super) fn select<'v>(&self, input: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![input];
        for segment in &self.0 {
            let next = found.into_iter().flat_map(|value| step(value, segment));
            found = next.take(SELECTED_MAX).collect();
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// The same as `select`, with arrays at the end opened into their items.
    pub(super) fn select_items<'v>(&self, input: &'v Value) -> Vec<&'v Value> {
        let opened = self.select(input).into_iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().collect(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => vec![value],
        });
        opened.filter(|value| !value.is_null()).take(SELECTED_MAX).collect()
    }
}

fn step<'v>(value: &'v Value, segment: &str) -> Vec<&'v Value> {
    match value {
        Value::Array(items) if segment == "*" => items.iter().collect(),
        Value::Array(items) => {
            segment.parse::<usize>().ok().and_then(|at| items.get(at)).into_iter().collect()
        }
        Value::Object(fields) => fields.get(segment).into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_reach_items_and_escaped_keys() {
        let input = json!({"a/b": [{"v": 1}, {"v": null}, {"v": [2, 3]}]});
        for (pointer, want) in [
            ("/a~1b/*/v", json!([1, 2, 3])),
            ("/a~1b/0/v", json!([1])),
            ("/a~1b/9/v", json!([])),
            ("/nothing", json!([])),
        ] {
            let found = Pointer::parse(pointer).expect(pointer).select_items(&input).into_iter();
            assert_eq!(Value::from_iter(found.cloned()), want, "{pointer}");
        }
        assert_eq!(Pointer::parse("a"), None);
    }
}
