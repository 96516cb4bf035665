//! Journals: what the workers of a step have called. The step is in the subject.

use bytes::Bytes;
use cadre_core::{
    journal::{CallKind, CallOutcome, Claim, Entry, Fact, Intent},
    payload::BlobRef,
    task::clip,
    workflow::Grant,
};

use crate::{
    Blobs, ContentType, DecodeError, EncodeError, NEEDS_STEERING, Problem, SCHEMA, blobs,
    body::{self, Version},
    error::Fault,
    json::Json,
    parts::{
        attempt, document, failure_to_core, failure_to_wire, grant_to_core, grant_to_wire, hash,
        person,
    },
    v1::{self, call_begun::Kind, call_ended::Outcome, journal_entry::Fact as Wire},
};

/// Name of the message in errors.
const ENTRY: &str = "journal entry";

/// Bytes of the name of a worker, a model or a tool.
const NAME_BYTES_MAX: usize = 256;

/// Encodes an entry; the blob of a large result must be stored before.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(entry: &Entry, content: ContentType) -> Result<Bytes, EncodeError> {
    let fact = match &entry.fact {
        Fact::Claimed(Claim { attempt, delivery, worker }) => Wire::Claimed(v1::Claimed {
            attempt: *attempt,
            delivery: *delivery,
            worker: worker.clone(),
        }),
        Fact::Begun { call, intent } => Wire::Begun(begun(*call, intent)),
        Fact::Ended { call, outcome, cost, ruled_by } => Wire::Ended(v1::CallEnded {
            call: *call,
            outcome: Some(outcome_to_wire(outcome)),
            cost: grant_to_wire(*cost),
            ruled_by: ruled_by.clone(),
        }),
    };
    let (schema, min_reader, rev) = (SCHEMA, NEEDS_STEERING, entry.rev);
    let wire = v1::JournalEntry { schema, min_reader, rev, fact: Some(fact) };
    body::write(ENTRY, content, &wire)
}

fn begun(call: u32, intent: &Intent) -> v1::CallBegun {
    let kind = match intent.kind {
        CallKind::Model => Kind::Model,
        CallKind::Tool => Kind::Tool,
    };
    v1::CallBegun {
        call,
        kind: kind as i32,
        target: intent.target.clone(),
        arguments_sha256: Bytes::copy_from_slice(&intent.arguments.0),
        description: intent.description.clone(),
        is_idempotent: intent.is_idempotent,
        reserved: grant_to_wire(intent.reserved),
    }
}

fn outcome_to_wire(outcome: &CallOutcome) -> Outcome {
    match outcome {
        CallOutcome::Done(result) => {
            Outcome::Done(v1::CallDone { result: Some(Json::from(result)) })
        }
        CallOutcome::Failed(failure) => Outcome::Failed(failure_to_wire(failure)),
    }
}

/// An entry whose result may still have to be fetched.
#[derive(Debug, Clone)]
pub struct Parsed {
    wire: v1::JournalEntry,
    needed: Vec<BlobRef>,
}

/// Parses an entry.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no entry, or names a malformed reference.
pub fn parse(body: &Bytes, content: ContentType) -> Result<Parsed, DecodeError> {
    let version =
        |wire: &v1::JournalEntry| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse(ENTRY, content, body, version)?;
    let document = match &wire.fact {
        Some(Wire::Ended(v1::CallEnded { outcome: Some(outcome), .. })) => match outcome {
            Outcome::Done(done) => Some(("ended.done.result", &done.result)),
            Outcome::Failed(failure) => Some(("ended.failed.refused", &failure.refused)),
        },
        Some(Wire::Claimed(_) | Wire::Begun(_) | Wire::Ended(_)) | None => None,
    };
    let needed = blobs::needed(document).map_err(|fault| fault.of(ENTRY))?;
    Ok(Parsed { wire, needed })
}

impl Parsed {
    /// Documents to fetch for [`Self::into_core`]; mostly none.
    #[must_use]
    pub fn needed(&self) -> &[BlobRef] {
        &self.needed
    }

    /// Checks every field and makes the core entry.
    ///
    /// # Errors
    /// [`DecodeError::Field`] names the field; [`Problem::BlobMissing`] when `blobs` lacks one.
    pub fn into_core(self, blobs: &Blobs) -> Result<Entry, DecodeError> {
        to_core(self.wire, blobs).map_err(|fault| fault.of(ENTRY))
    }
}

fn to_core(wire: v1::JournalEntry, blobs: &Blobs) -> Result<Entry, Fault> {
    if wire.rev == 0 {
        return Err(Fault::new("rev", Problem::Missing));
    }
    let fact = match wire.fact.ok_or_else(|| Fault::new("fact", Problem::UnknownKind))? {
        Wire::Claimed(claimed) => claim(claimed).map_err(|fault| fault.inside("claimed"))?,
        Wire::Begun(begun) => intent(begun).map_err(|fault| fault.inside("begun"))?,
        Wire::Ended(ended) => end(ended, blobs).map_err(|fault| fault.inside("ended"))?,
    };
    Ok(Entry { rev: wire.rev, fact })
}

fn claim(wire: v1::Claimed) -> Result<Fact, Fault> {
    let attempt = attempt(wire.attempt)?;
    let delivery = number("delivery", wire.delivery)?;
    Ok(Fact::Claimed(Claim { attempt, delivery, worker: short("worker", wire.worker)? }))
}

fn intent(wire: v1::CallBegun) -> Result<Fact, Fault> {
    let unknown = |_| Fault::new("kind", Problem::UnknownValue(wire.kind));
    let kind = match Kind::try_from(wire.kind).map_err(unknown)? {
        Kind::Unspecified => return Err(Fault::new("kind", Problem::Missing)),
        Kind::Model => CallKind::Model,
        Kind::Tool => CallKind::Tool,
    };
    let intent = Intent {
        kind,
        target: short("target", wire.target)?,
        arguments: hash("arguments_sha256", &wire.arguments_sha256)?,
        description: clip(&wire.description),
        is_idempotent: wire.is_idempotent,
        reserved: grant_to_core(wire.reserved),
    };
    Ok(Fact::Begun { call: number("call", wire.call)?, intent })
}

fn end(wire: v1::CallEnded, blobs: &Blobs) -> Result<Fact, Fault> {
    let outcome = wire.outcome.ok_or_else(|| Fault::new("outcome", Problem::UnknownKind))?;
    let outcome = match outcome {
        Outcome::Done(done) => CallOutcome::Done(
            document("result", done.result, blobs).map_err(|fault| fault.inside("done"))?,
        ),
        Outcome::Failed(failure) => CallOutcome::Failed(
            failure_to_core(failure, blobs).map_err(|fault| fault.inside("failed"))?,
        ),
    };
    let ruled_by = wire.ruled_by.map(|by| person("ruled_by", by)).transpose()?;
    let cost: Grant = grant_to_core(wire.cost);
    Ok(Fact::Ended { call: number("call", wire.call)?, outcome, cost, ruled_by })
}

fn number(field: &str, number: u32) -> Result<u32, Fault> {
    if number == 0 {
        return Err(Fault::new(field, Problem::Range("must be 1 or more")));
    }
    Ok(number)
}

fn short(field: &str, text: String) -> Result<String, Fault> {
    if text.len() > NAME_BYTES_MAX {
        return Err(Fault::new(field, Problem::Range("must have at most 256 bytes")));
    }
    Ok(text)
}
