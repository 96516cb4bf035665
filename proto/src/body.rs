//! Bodies: which encoding they are in, and how to read and write it.

use bytes::Bytes;
use prost::Message;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{DecodeError, EncodeError, Reader, error::Fault, error::Problem};

/// How a body is encoded; the header `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`: ProtoJSON; reads camelCase and snake_case names, writes camelCase.
    Json,
    /// `application/protobuf` or `application/x-protobuf`.
    Protobuf,
}

/// A body whose encoding is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentTypeError {
    /// A type that Cadre does not speak.
    #[error("content type {0:?} is unknown: use application/json or application/protobuf")]
    Unknown(String),
    /// No header, and the body does not look like JSON.
    #[error("there is no Content-Type header and the body is no JSON object: send the header")]
    Missing,
}

impl ContentType {
    /// Finds the encoding of `body`: from the header, or JSON when the body begins with `{`.
    ///
    /// # Errors
    /// [`ContentTypeError`] when the header is unknown, or missing with another body.
    pub fn of(header: Option<&str>, body: &[u8]) -> Result<Self, ContentTypeError> {
        match header {
            Some(header) => Self::parse(header),
            None if body.first() == Some(&b'{') => Ok(Self::Json),
            None => Err(ContentTypeError::Missing),
        }
    }

    /// Reads the value of the header; parameters other than `charset=utf-8` are refused.
    ///
    /// # Errors
    /// [`ContentTypeError::Unknown`] for every other type.
    pub fn parse(header: &str) -> Result<Self, ContentTypeError> {
        let unknown = || ContentTypeError::Unknown(header.chars().take(80).collect());
        let (kind, parameter) = match header.split_once(';') {
            Some((kind, parameter)) => (kind.trim(), Some(parameter.trim())),
            None => (header.trim(), None),
        };
        let is_utf8 = parameter.is_none_or(|text| {
            text.eq_ignore_ascii_case("charset=utf-8")
                || text.eq_ignore_ascii_case("charset=\"utf-8\"")
        });
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        if is("application/json") && is_utf8 {
            return Ok(Self::Json);
        }
        if (is("application/protobuf") || is("application/x-protobuf")) && parameter.is_none() {
            return Ok(Self::Protobuf);
        }
        Err(unknown())
    }

    /// The value of the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/protobuf",
        }
    }
}

/// Schema and oldest reader of a message, at the same place in every one.
#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
pub(crate) struct Version {
    /// Schema of the writer.
    #[prost(uint32, tag = "1")]
    #[serde(default)]
    pub(crate) schema: u32,
    /// Oldest schema whose reader understands the message.
    #[prost(uint32, tag = "2")]
    #[serde(default, rename = "minReader", alias = "min_reader")]
    pub(crate) min_reader: u32,
}

impl Version {
    /// Refuses messages for newer readers, and versions that cannot be.
    fn check(self, message: &'static str, Reader(reads): Reader) -> Result<(), DecodeError> {
        let min_reader = self.min_reader;
        if min_reader > reads {
            return Err(DecodeError::TooNew { message, min_reader, reads });
        }
        if self.min_reader > self.schema.max(1) {
            let problem = Problem::Range("is above schema");
            return Err(Fault::new("min_reader", problem).of(message));
        }
        Ok(())
    }
}

/// A message of [`crate::v1`] as it stands, of any version and unchecked: to be shown, never acted on.
///
/// # Errors
/// What the parser says.
pub fn peek<M: Message + Default + DeserializeOwned>(
    content: ContentType,
    body: &Bytes,
) -> Result<M, String> {
    match content {
        ContentType::Protobuf => M::decode(body.clone()).map_err(|error| error.to_string()),
        ContentType::Json => serde_json::from_slice(body).map_err(|error| error.to_string()),
    }
}

/// Parses a body and checks its version; `version` reads it from the parsed message.
pub(crate) fn parse<M: Message + Default + DeserializeOwned>(
    message: &'static str,
    content: ContentType,
    body: &Bytes,
    version: fn(&M) -> Version,
) -> Result<M, DecodeError> {
    match content {
        ContentType::Protobuf => parse_protobuf((message, Reader::default()), body, version),
        ContentType::Json => parse_json(message, body, version),
    }
}

/// As [`parse`], for one encoding and any reader.
pub(crate) fn parse_protobuf<M: Message + Default>(
    (message, reader): (&'static str, Reader),
    body: &Bytes,
    version: fn(&M) -> Version,
) -> Result<M, DecodeError> {
    // A clone of `Bytes` is a reference: the parsed fields point into the body.
    let parsed = M::decode(body.clone()).map_err(|error| {
        let cause = error.to_string();
        let cause = cause.trim_start_matches("failed to decode Protobuf message: ");
        DecodeError::Protobuf { message, cause: cause.to_owned() }
    });
    checked((message, reader), parsed, version, || Version::decode(body.as_ref()).ok())
}

fn parse_json<M: DeserializeOwned>(
    message: &'static str,
    body: &[u8],
    version: fn(&M) -> Version,
) -> Result<M, DecodeError> {
    let parsed = serde_json::from_slice(body)
        .map_err(|error| DecodeError::Json { message, cause: json_cause::<M>(body, &error) });
    let who = (message, Reader::default());
    checked(who, parsed, version, || serde_json::from_slice(body).ok())
}

/// The cause with the field's path, for which the body is parsed once more.
fn json_cause<M: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> String {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let cause = match serde_path_to_error::deserialize::<_, M>(&mut reader) {
        Err(error) => error.to_string(),
        Ok(_) => error.to_string(),
    };
    // What pbjson's numbers say of themselves.
    let number = "data did not match any variant of untagged enum Content";
    cause.replace(number, "not a number that this field can hold")
}

/// What a newer writer sent may not even parse: its version counts before its syntax.
fn checked<M>(
    (message, reader): (&'static str, Reader),
    parsed: Result<M, DecodeError>,
    version: fn(&M) -> Version,
    peek: impl FnOnce() -> Option<Version>,
) -> Result<M, DecodeError> {
    match parsed {
        Ok(parsed) => version(&parsed).check(message, reader).map(|()| parsed),
        Err(error) => match peek() {
            Some(Version { min_reader, .. }) if min_reader > reader.0 => {
                Err(DecodeError::TooNew { message, min_reader, reads: reader.0 })
            }
            Some(_) | None => Err(error),
        },
    }
}

/// Writes a body.
pub(crate) fn write<M: Message + Serialize>(
    message: &'static str,
    content: ContentType,
    wire: &M,
) -> Result<Bytes, EncodeError> {
    match content {
        ContentType::Protobuf => Ok(Bytes::from(wire.encode_to_vec())),
        ContentType::Json => serde_json::to_vec(wire)
            .map(Bytes::from)
            .map_err(|error| EncodeError { message, cause: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_found() {
        for header in ["application/json", "Application/JSON; charset=UTF-8"] {
            assert_eq!(ContentType::of(Some(header), b""), Ok(ContentType::Json), "{header}");
        }
        for header in ["application/protobuf", "application/x-protobuf"] {
            assert_eq!(ContentType::of(Some(header), b"{"), Ok(ContentType::Protobuf));
        }
        for header in ["", "text/plain", "application/json; charset=latin1", "application/jsonx"] {
            let unknown = Err(ContentTypeError::Unknown(header.to_owned()));
            assert_eq!(ContentType::of(Some(header), b"{}"), unknown);
        }
        assert_eq!(ContentType::of(None, b"{}"), Ok(ContentType::Json));
        assert_eq!(ContentType::of(None, b"\x08\x01"), Err(ContentTypeError::Missing));
        assert_eq!(ContentType::of(None, b""), Err(ContentTypeError::Missing));
    }
}
