//! JSON documents on the wire: exact text in protobuf, the value itself in ProtoJSON.
//!
//! Written by hand, since no generated code can keep a document's text to the letter
//! in both encodings. Encoding copies a text once, straight from the core payload into
//! the message; decoding from `Bytes` does not copy it at all.

use std::{
    fmt,
    hash::{Hash as StdHash, Hasher},
};

use bytes::{Buf, BufMut, Bytes};
use cadre_core::{
    limits::PAYLOAD_BYTES_MAX,
    payload::{BlobRef, Hash, Payload, PayloadError},
};
use prost::{
    DecodeError,
    encoding::{self, DecodeContext, WireType},
};

use crate::{Blobs, Problem, v1};

mod value;

/// A JSON document inside a message, or a reference to it.
#[derive(Clone, Default)]
pub struct Json(Kind);

#[derive(Clone, Default)]
enum Kind {
    /// Present without content: a mistake of the writer.
    #[default]
    Empty,
    /// Ours, about to be written.
    Payload(Payload),
    /// As it was read, unchecked.
    Text(Bytes),
    /// A reference as it was read, unchecked.
    Blob(v1::Blob),
}

impl From<&Payload> for Json {
    /// The document itself, or a reference when it is too large to travel inside.
    fn from(payload: &Payload) -> Self {
        Self(match payload.blob() {
            None => Kind::Payload(payload.clone()),
            Some(blob) => Kind::Blob(v1::Blob {
                sha256: Bytes::copy_from_slice(&blob.hash.0),
                size_bytes: blob.size_bytes,
            }),
        })
    }
}

impl Json {
    /// Where the document is kept; `None` when it is in the message.
    pub(crate) fn reference(&self) -> Result<Option<BlobRef>, Problem> {
        let Kind::Blob(blob) = &self.0 else { return Ok(None) };
        let hash = <[u8; 32]>::try_from(blob.sha256.as_ref())
            .map_err(|_| Problem::Range("refers to a document by a hash that has not 32 bytes"))?;
        if blob.size_bytes > PAYLOAD_BYTES_MAX as u64 {
            let size = usize::try_from(blob.size_bytes).unwrap_or(usize::MAX);
            return Err(Problem::Document(PayloadError::TooLarge(size)));
        }
        Ok(Some(BlobRef { hash: Hash(hash), size_bytes: blob.size_bytes }))
    }

    /// The document, from the message or from what was fetched for it.
    pub(crate) fn into_payload(self, blobs: &Blobs) -> Result<Payload, Problem> {
        if let Some(blob) = self.reference()? {
            return fetched(blob, blobs);
        }
        match self.0 {
            Kind::Payload(payload) => Ok(payload),
            Kind::Text(text) => Payload::parse(&text).map_err(Problem::Document),
            Kind::Empty | Kind::Blob(_) => Err(Problem::Missing),
        }
    }

    /// The text that is in the message; empty for a reference.
    fn text(&self) -> &[u8] {
        match &self.0 {
            Kind::Payload(payload) => payload.text().as_bytes(),
            Kind::Text(text) => text,
            Kind::Empty | Kind::Blob(_) => &[],
        }
    }

    fn blob(&self) -> Option<&v1::Blob> {
        match &self.0 {
            Kind::Blob(blob) => Some(blob),
            Kind::Empty | Kind::Payload(_) | Kind::Text(_) => None,
        }
    }
}

fn fetched(blob: BlobRef, blobs: &Blobs) -> Result<Payload, Problem> {
    let payload = blobs.get(&blob.hash).ok_or(Problem::BlobMissing(blob.hash))?;
    // Large payloads know their hash already.
    let found = payload.blob().map_or_else(|| Hash::of(payload.text().as_bytes()), |own| own.hash);
    if found != blob.hash {
        return Err(Problem::BlobMismatch { expected: blob.hash, found });
    }
    if payload.text().len() as u64 != blob.size_bytes {
        return Err(Problem::Range("refers to a document by another size than it has"));
    }
    Ok(payload.clone())
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.blob() == other.blob()
    }
}

impl Eq for Json {}

impl StdHash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
        self.blob().hash(state);
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.blob() {
            Some(blob) => blob.fmt(f),
            None => f.write_str(&String::from_utf8_lossy(self.text())),
        }
    }
}

/// Tags of message `Json`.
const TEXT: u32 = 1;
const BLOB: u32 = 2;

impl prost::Message for Json {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        match self.blob() {
            Some(blob) => encoding::message::encode(BLOB, blob, buf),
            None if self.text().is_empty() => {}
            None => {
                encoding::encode_key(TEXT, WireType::LengthDelimited, buf);
                encoding::encode_varint(self.text().len() as u64, buf);
                buf.put_slice(self.text());
            }
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let named = |field: &'static str| {
            move |mut error: DecodeError| {
                error.push("Json", field);
                error
            }
        };
        match tag {
            TEXT => {
                let mut text = Bytes::new();
                encoding::bytes::merge(wire_type, &mut text, buf, context)
                    .map_err(named("text"))?;
                self.0 = Kind::Text(text);
            }
            BLOB => {
                let mut blob = v1::Blob::default();
                encoding::message::merge(wire_type, &mut blob, buf, context)
                    .map_err(named("blob"))?;
                self.0 = Kind::Blob(blob);
            }
            _ => encoding::skip_field(wire_type, tag, buf, context)?,
        }
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        let length = self.text().len();
        match self.blob() {
            Some(blob) => encoding::message::encoded_len(BLOB, blob),
            None if length == 0 => 0,
            None => encoding::key_len(TEXT) + encoding::encoded_len_varint(length as u64) + length,
        }
    }

    fn clear(&mut self) {
        self.0 = Kind::Empty;
    }
}

#[cfg(test)]
mod tests;
