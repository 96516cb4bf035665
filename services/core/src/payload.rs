//! JSON documents that travel: kept as they came, parsed once, by reference when large.

mod unique;

use std::{fmt, sync::Arc};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::limits::{INLINE_BYTES_MAX, JSON_DEPTH_MAX, PAYLOAD_BYTES_MAX};

/// SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first 12 hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }

    /// Reads 64 hexadecimal digits; `None` when it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A JSON document with its exact text. Cheap to clone; equal when the texts are equal.
#[derive(Clone)]
pub struct Payload(Arc<Inner>);

struct Inner {
    text: Box<str>,
    value: Value,
    /// Known only for documents too large to travel inside a message.
    blob: Option<BlobRef>,
}

/// Where a large document is kept: the object store, under its content's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobRef {
    /// SHA-256 of the document's text.
    pub hash: Hash,
    /// Length of the document's text.
    pub size_bytes: u64,
}

/// Bytes that are no acceptable JSON document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not UTF-8, or not one JSON value.
    #[error("not valid JSON: {0}")]
    Syntax(String),
    /// An object has a key twice; its JSON pointer.
    #[error("key {0} is given twice: which one counts?")]
    Twice(String),
    /// Longer than [`PAYLOAD_BYTES_MAX`].
    #[error("document of {0} bytes is over the limit of {PAYLOAD_BYTES_MAX} bytes")]
    TooLarge(usize),
    /// Nested deeper than [`JSON_DEPTH_MAX`].
    #[error("document is nested deeper than {JSON_DEPTH_MAX} levels")]
    TooDeep,
}

impl Payload {
    /// Parses a document and keeps its text.
    ///
    /// # Errors
    /// [`PayloadError`] says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, PayloadError> {
        let value = |text: &str| {
            serde_json::from_str(text).map_err(|e| PayloadError::Syntax(e.to_string()))
        };
        Self::parse_with(text, value)
    }

    /// As [`Self::parse`], for a document that comes from outside: no object may have a key twice.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`PayloadError::Twice`].
    pub fn parse_unique(text: &[u8]) -> Result<Self, PayloadError> {
        Self::parse_with(text, unique::parse)
    }

    fn parse_with(
        text: &[u8],
        read: impl FnOnce(&str) -> Result<Value, PayloadError>,
    ) -> Result<Self, PayloadError> {
        if text.len() > PAYLOAD_BYTES_MAX {
            return Err(PayloadError::TooLarge(text.len()));
        }
        let text = std::str::from_utf8(text).map_err(|e| PayloadError::Syntax(e.to_string()))?;
        let value = read(text)?;
        if depth_exceeds(&value, JSON_DEPTH_MAX) {
            return Err(PayloadError::TooDeep);
        }
        Ok(Self::from_parts(text.into(), value))
    }

    /// Makes a document of a value that we built ourselves.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`] or [`PayloadError::TooDeep`].
    pub fn from_value(value: Value) -> Result<Self, PayloadError> {
        if depth_exceeds(&value, JSON_DEPTH_MAX) {
            return Err(PayloadError::TooDeep);
        }
        // Keys in order: what is decided again from the same state must be the same bytes.
        let text = canonical(&value);
        if text.len() > PAYLOAD_BYTES_MAX {
            return Err(PayloadError::TooLarge(text.len()));
        }
        Ok(Self::from_parts(text.into(), value))
    }

    /// The document `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::from_parts("null".into(), Value::Null)
    }

    fn from_parts(text: Box<str>, value: Value) -> Self {
        let blob = (text.len() > INLINE_BYTES_MAX)
            .then(|| BlobRef { hash: Hash::of(text.as_bytes()), size_bytes: text.len() as u64 });
        Self(Arc::new(Inner { text, value, blob }))
    }

    /// The document's exact text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The parsed document.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// Where the document must be kept before a message may name it; `None` when it travels inside.
    #[must_use]
    pub fn blob(&self) -> Option<BlobRef> {
        self.0.blob
    }

    /// Bytes that this document takes inside a message.
    #[must_use]
    pub fn inline_bytes(&self) -> usize {
        if self.0.blob.is_some() { 64 } else { self.0.text.len() }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// The document's text with object keys in order: equal for documents that mean the same.
///
/// Numbers keep their spelling: `1` and `1.0` differ.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(&mut text, value);
    text
}

fn write_canonical(text: &mut String, value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write_canonical(text, item);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let sorted: std::collections::BTreeMap<_, _> = fields.iter().collect();
            text.push('{');
            for (index, (key, field)) in sorted.into_iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(text, field);
            }
            text.push('}');
        }
    }
}

fn depth_exceeds(value: &Value, left: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => {
            left == 0 || items.iter().any(|item| depth_exceeds(item, left.saturating_sub(1)))
        }
        Value::Object(fields) => {
            left == 0 || fields.values().any(|field| depth_exceeds(field, left.saturating_sub(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_kept_to_the_letter() {
        let text = r#"{ "b": 1.0, "a": 12345678901234567890 }"#;
        assert_eq!(Payload::parse(text.as_bytes()).unwrap().text(), text);
    }

    #[test]
    fn documents_that_mean_the_same_have_one_canonical_text() {
        let value = |text: &str| Payload::parse(text.as_bytes()).unwrap().value().clone();
        let text = canonical(&value(r#"{"b": [1, {"z": null, "a": "\n"}], "a": true}"#));
        assert_eq!(text, r#"{"a":true,"b":[1,{"a":"\n","z":null}]}"#);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let nested = "[".repeat(100) + &"]".repeat(100);
        assert_eq!(Payload::parse(nested.as_bytes()), Err(PayloadError::TooDeep));
        let bottomless = "[".repeat(1_000_000);
        assert!(matches!(Payload::parse(bottomless.as_bytes()), Err(PayloadError::Syntax(_))));
        assert!(matches!(Payload::parse(b"\xff"), Err(PayloadError::Syntax(_))));
        assert!(matches!(Payload::parse(b"{} {}"), Err(PayloadError::Syntax(_))));
    }

    #[test]
    fn only_large_documents_are_kept_by_reference() {
        let document = |size: usize| Payload::from_value("x".repeat(size - 2).into()).unwrap();
        assert_eq!(document(INLINE_BYTES_MAX).blob(), None);
        let large = document(INLINE_BYTES_MAX + 1);
        let blob = large.blob().unwrap();
        assert_eq!(blob.hash, Hash::of(large.text().as_bytes()));
        assert_eq!(blob.size_bytes, 65_537);
    }
}
