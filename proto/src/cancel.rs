//! Cancels: a wish to end a task now. The task is in the subject.

use bytes::Bytes;
use cadre_core::task::Cancel;

use crate::{
    ContentType, DecodeError, EncodeError, MIN_READER, Problem, SCHEMA,
    body::{self, Version},
    error::Fault,
    v1,
};

/// Name of the message in errors.
const CANCEL: &str = "cancel";

/// Encodes a cancel.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(cancel: &Cancel, content: ContentType) -> Result<Bytes, EncodeError> {
    let wire = v1::Cancel {
        schema: SCHEMA,
        min_reader: MIN_READER,
        by: cancel.by.clone(),
        reason: cancel.reason.clone(),
    };
    body::write(CANCEL, content, &wire)
}

/// Decodes a cancel; it refers to no documents.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no cancel, or does not say who wants it.
pub fn decode(body: &Bytes, content: ContentType) -> Result<Cancel, DecodeError> {
    let version = |wire: &v1::Cancel| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire: v1::Cancel = body::parse(CANCEL, content, body, version)?;
    if wire.by.is_empty() {
        return Err(Fault::new("by", Problem::Missing).of(CANCEL));
    }
    Ok(Cancel { by: wire.by, reason: wire.reason })
}
