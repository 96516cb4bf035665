//! Decisions: what a person says to what a task asks. The task is in the subject.

use bytes::Bytes;
use cadre_core::{
    payload::BlobRef,
    task::{Decision, Ruling, clip},
};

use crate::{
    Blobs, ContentType, DecodeError, EncodeError, NEEDS_STEERING, Problem, SCHEMA, blobs,
    body::{self, Version},
    error::Fault,
    json::Json,
    parts::{hash, optional_document, person, step},
    ruling,
    v1::{self, decision::Ruling as Wire},
};

/// Name of the message in errors.
const DECISION: &str = "decision";

/// Encodes a decision; the blob of a large content must be stored before.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(decision: &Decision, content: ContentType) -> Result<Bytes, EncodeError> {
    let wire = v1::Decision {
        schema: SCHEMA,
        min_reader: NEEDS_STEERING,
        step: decision.step.to_string(),
        by: decision.by.clone(),
        ask_sha256: Bytes::copy_from_slice(&decision.hash.0),
        comment: decision.comment.clone(),
        ruling: Some(ruling_to_wire(&decision.ruling)),
    };
    body::write(DECISION, content, &wire)
}

/// A decision whose content may still have to be fetched.
#[derive(Debug, Clone)]
pub struct Parsed {
    wire: v1::Decision,
    needed: Vec<BlobRef>,
}

/// Parses a decision.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no decision, or names a malformed reference.
pub fn parse(body: &Bytes, content: ContentType) -> Result<Parsed, DecodeError> {
    let version =
        |wire: &v1::Decision| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse(DECISION, content, body, version)?;
    let document = match &wire.ruling {
        Some(Wire::Granted(granted)) => Some(("granted.content", &granted.content)),
        Some(Wire::Call(call)) => ruling::inner("call.happened.result", call),
        Some(Wire::Denied(_)) | None => None,
    };
    let needed = blobs::needed(document).map_err(|fault| fault.of(DECISION))?;
    Ok(Parsed { wire, needed })
}

impl Parsed {
    /// Documents to fetch for [`Self::into_core`]; mostly none.
    #[must_use]
    pub fn needed(&self) -> &[BlobRef] {
        &self.needed
    }

    /// Checks every field and makes the core decision. A long comment is cut.
    ///
    /// # Errors
    /// [`DecodeError::Field`] names the field; [`Problem::BlobMissing`] when `blobs` lacks one.
    pub fn into_core(self, blobs: &Blobs) -> Result<Decision, DecodeError> {
        to_core(self.wire, blobs).map_err(|fault| fault.of(DECISION))
    }
}

fn to_core(wire: v1::Decision, blobs: &Blobs) -> Result<Decision, Fault> {
    let ruling = wire.ruling.ok_or_else(|| Fault::new("ruling", Problem::UnknownKind))?;
    Ok(Decision {
        step: step(&wire.step)?,
        by: person("by", wire.by)?,
        hash: hash("ask_sha256", &wire.ask_sha256)?,
        ruling: ruling_to_core(ruling, blobs)?,
        comment: clip(&wire.comment),
    })
}

fn ruling_to_wire(ruling: &Ruling) -> Wire {
    match ruling {
        Ruling::Grant => Wire::Granted(v1::Granted { content: None }),
        Ruling::GrantWith(content) => {
            Wire::Granted(v1::Granted { content: Some(Json::from(content)) })
        }
        Ruling::Deny => Wire::Denied(v1::Denied {}),
        Ruling::Call(call) => Wire::Call(ruling::to_wire(call)),
    }
}

fn ruling_to_core(wire: Wire, blobs: &Blobs) -> Result<Ruling, Fault> {
    match wire {
        Wire::Granted(granted) => {
            let content = optional_document("content", granted.content, blobs);
            let content = content.map_err(|fault| fault.inside("granted"))?;
            Ok(content.map_or(Ruling::Grant, Ruling::GrantWith))
        }
        Wire::Denied(v1::Denied {}) => Ok(Ruling::Deny),
        Wire::Call(call) => {
            let call = ruling::to_core(Some(call), blobs).map_err(|fault| fault.inside("call"))?;
            Ok(Ruling::Call(call))
        }
    }
}
