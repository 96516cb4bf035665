//! ProtoJSON of a document: the JSON value itself.
//!
//! `{"$blob": …}` is a reference and `{"$json": …}` an escaped document. Every document
//! whose only key is one of the two is escaped when written, so nobody can smuggle a
//! reference to a foreign document into a message by publishing one as data. Keys that
//! occur twice count once, as in readers that keep the last.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use cadre_core::payload::Hash;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
    ser::{self, SerializeMap},
};
use serde_json::value::RawValue;

use super::{Json, Kind};
use crate::v1;

/// Key of a reference.
const BLOB_KEY: &str = "$blob";

/// Key of an escaped document.
const JSON_KEY: &str = "$json";

/// What stands behind [`BLOB_KEY`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    /// 64 hexadecimal digits.
    sha256: String,
    /// Bytes.
    size: u64,
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(blob) = self.blob() {
            let hash = <[u8; 32]>::try_from(blob.sha256.as_ref()).map_err(ser::Error::custom)?;
            let reference = Reference { sha256: Hash(hash).to_string(), size: blob.size_bytes };
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(BLOB_KEY, &reference)?;
            return map.end();
        }
        let text = std::str::from_utf8(self.text()).map_err(ser::Error::custom)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(ser::Error::custom)?;
        if reserved(text).is_none() {
            return raw.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(JSON_KEY, raw)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let Some(reserved) = reserved(raw.get()) else {
            return Ok(Self(Kind::Text(Bytes::from(String::from(Box::<str>::from(raw))))));
        };
        if reserved.is_repeated {
            return Err(de::Error::custom("the keys $blob and $json must not be repeated"));
        }
        if !reserved.is_reference {
            let text = reserved.value.get().to_owned();
            return Ok(Self(Kind::Text(Bytes::from(text))));
        }
        let reference: Reference = serde_json::from_str(reserved.value.get())
            .map_err(|error| de::Error::custom(format!("$blob: {error}")))?;
        let hash = Hash::parse(&reference.sha256)
            .ok_or_else(|| de::Error::custom("$blob: sha256 is not 64 hexadecimal digits"))?;
        let sha256 = Bytes::copy_from_slice(&hash.0);
        Ok(Self(Kind::Blob(v1::Blob { sha256, size_bytes: reference.size })))
    }
}

/// An object whose only key is reserved.
struct Reserved<'a> {
    is_reference: bool,
    is_repeated: bool,
    value: &'a RawValue,
}

/// Looks whether `text` is such an object; cheap for every other one.
fn reserved(text: &str) -> Option<Reserved<'_>> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let key = text.trim_start_matches(blank).strip_prefix('{')?;
    let key = key.trim_start_matches(blank).strip_prefix('"')?;
    // The dollar may be written as an escape.
    if !key.starts_with(['$', '\\']) {
        return None;
    }
    serde_json::from_str::<OnlyKey<'_>>(text).ok()?.0
}

struct OnlyKey<'a>(Option<Reserved<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for OnlyKey<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnlyKeyVisitor).map(OnlyKey)
    }
}

struct OnlyKeyVisitor;

impl<'de> Visitor<'de> for OnlyKeyVisitor {
    type Value = Option<Reserved<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Option<Reserved<'de>> = None;
        let mut is_plain = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_reference = key == BLOB_KEY;
            let is_other = match &found {
                None => !is_reference && key != JSON_KEY,
                Some(first) => {
                    first.is_reference != is_reference || (!is_reference && key != JSON_KEY)
                }
            };
            if is_plain || is_other {
                is_plain = true;
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let (value, is_repeated) = (map.next_value::<&'de RawValue>()?, found.is_some());
            found = Some(Reserved { is_reference, is_repeated, value });
        }
        Ok(found.filter(|_| !is_plain))
    }
}
