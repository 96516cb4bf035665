//! A JSON document in which no object has a key twice, checked while it is parsed.
//!
//! What a repeated key means is left open by RFC 8259: two readers may see two documents. Whoever
//! hands one in hears of it; what is stored already is read as it always was.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::PayloadError;

/// Parses one document.
///
/// # Errors
/// [`PayloadError::Twice`] names the first key that its object had before; [`PayloadError::Syntax`].
pub(super) fn parse(text: &str) -> Result<Value, PayloadError> {
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Place { found: &found, at: &At::Root }.deserialize(&mut reader);
    let read = read.and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| match found.take() {
        Some(path) => PayloadError::Twice(path),
        None => PayloadError::Syntax(error.to_string()),
    })
}

/// Where in the document the reader is.
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    /// As a JSON pointer (RFC 6901).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(of, key) => write!(f, "{of}/{}", key.replace('~', "~0").replace('/', "~1")),
            Self::Item(of, index) => write!(f, "{of}/{index}"),
        }
    }
}

/// One value that is about to be read.
#[derive(Clone, Copy)]
struct Place<'a> {
    found: &'a RefCell<Option<String>>,
    at: &'a At<'a>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        loop {
            let at = At::Item(self.at, read.len());
            match items.next_element_seed(Place { at: &at, ..self })? {
                Some(item) => read.push(item),
                None => return Ok(Value::Array(read)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let at = At::Key(self.at, &key);
            if read.contains_key(&key) {
                self.found.replace(Some(at.to_string()));
                return Err(A::Error::custom("a key is given twice"));
            }
            let value = fields.next_value_seed(Place { at: &at, ..self })?;
            read.insert(key, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_named_with_its_place() {
        for (text, path) in [
            (r#"{"a": 1, "a": 1}"#, "/a"),
            (r#"{"a": {"b": [0, {"c": 1, "d": {}, "c": 2}]}}"#, "/a/b/1/c"),
            (r#"[{"": 1, "": 2}]"#, "/0/"),
            (r#"{"x/y~": 1, "\u0078/y~": 2}"#, "/x~1y~0"),
            (r#"{"a": {"a": {"a": 1}}, "b": 1, "b": nonsense}"#, "/b"),
        ] {
            assert_eq!(parse(text), Err(PayloadError::Twice(path.to_owned())), "{text}");
        }
    }

    #[test]
    fn everything_else_is_read_as_ever() {
        for text in [
            "null",
            "true",
            "[]",
            "{}",
            r#""\u00e4\ud83d\ude00\n""#,
            r#"{"b": 1.0, "a": 12345678901234567890, "c": -9223372036854775808}"#,
            "[0, -0, -0.0, 1e3, 1E-7, 123456789012345678901234567890, 0.1]",
            r#"{"a": {"a": [{"a": 1}, {"a": 2}]}}"#,
            r#"{"$serde_json::private::Number": "1"}"#,
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        let deep = "[".repeat(1_000_000);
        let syntax =
            ["", "{", "1 2", "{} {}", "{\"a\":1,}", "1e999", "\"\\ud800\"", "\u{0}", &deep];
        for text in syntax {
            let expected = serde_json::from_str::<Value>(text).unwrap_err().to_string();
            assert_eq!(parse(text), Err(PayloadError::Syntax(expected)), "{text:.20}");
        }
    }
}
