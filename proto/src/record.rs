//! Log records: one transition of one task, always protobuf.
//!
//! prost drops fields that it does not know: never re-encode a record you did not
//! write. Its hash is over the exact bytes that stand in the log.

use std::time::Duration;

use bytes::Bytes;
use cadre_core::{
    payload::{BlobRef, Hash},
    task::{Cause, Record},
    time::UnixMillis,
};
use prost::Message;

use crate::{
    Blobs, DecodeError, MIN_READER, Problem, Reader, Writer,
    body::{self, Version},
    error::Fault,
    parts::{hash, required, uses_to_core, uses_to_wire},
    v1,
};

mod event;

/// Name of the message in errors.
const RECORD: &str = "record";

/// A record ready to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The message.
    pub bytes: Bytes,
    /// SHA-256 of `bytes`: what the next record names as its predecessor.
    pub hash: Hash,
}

/// A record as it was read from the log.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// The transition.
    pub record: Record,
    /// Unique: how a writer recognises its own append.
    pub txn: [u8; 16],
    /// Hash of the previous record; `None` exactly for rev 1.
    pub prev: Option<Hash>,
    /// Hash of this record.
    pub hash: Hash,
    /// Schema of its writer.
    pub schema: u32,
    /// Oldest schema whose reader understands it.
    pub min_reader: u32,
}

/// Encodes a record; payloads that know a blob are written as references.
///
/// Those blobs must be in the object store before the record is appended. `prev` is
/// the hash of the task's last record, `None` exactly for rev 1. Time waited is kept
/// in whole microseconds.
#[must_use]
pub fn encode(record: &Record, txn: [u8; 16], prev: Option<Hash>) -> Encoded {
    encode_by(Writer::default(), record, txn, prev)
}

/// As [`encode`], by a writer of any schema.
#[must_use]
pub fn encode_by(
    writer: Writer<'_>,
    record: &Record,
    txn: [u8; 16],
    prev: Option<Hash>,
) -> Encoded {
    let events = record.events.iter().map(event::min_reader).max().unwrap_or(MIN_READER);
    let wire = v1::Record {
        schema: writer.schema,
        min_reader: events.max(writer.min_reader()),
        rev: record.rev,
        txn: Bytes::copy_from_slice(&txn),
        prev_sha256: prev.map_or_else(Bytes::new, |hash| Bytes::copy_from_slice(&hash.0)),
        at_unix_ms: record.at.0,
        cause: Some(v1::Cause {
            kind: record.cause.kind.clone(),
            source: record.cause.source.clone(),
            sequence: record.cause.sequence,
            waited_us: u64::try_from(record.cause.waited.as_micros()).unwrap_or(u64::MAX),
            models: uses_to_wire(&record.cause.models),
        }),
        decision: record.decision.clone(),
        reason: record.reason.clone(),
        events: record.events.iter().map(event::to_wire).collect(),
        writer: if writer.names_itself() { writer.build.to_owned() } else { String::new() },
    };
    let bytes = Bytes::from(wire.encode_to_vec());
    Encoded { hash: Hash::of(&bytes), bytes }
}

/// A record whose referenced documents may still have to be fetched.
#[derive(Debug, Clone)]
pub struct Parsed {
    wire: v1::Record,
    hash: Hash,
    needed: Vec<BlobRef>,
}

/// Parses a record from the log.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no record, or names a malformed reference.
pub fn parse(bytes: &Bytes) -> Result<Parsed, DecodeError> {
    parse_by(Reader::default(), bytes)
}

/// As [`parse`], by a reader of any schema.
///
/// # Errors
/// As [`parse`].
pub fn parse_by(reader: Reader, bytes: &Bytes) -> Result<Parsed, DecodeError> {
    let version = |wire: &v1::Record| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse_protobuf((RECORD, reader), bytes, version)?;
    let mut needed = Vec::new();
    for (index, event) in wire.events.iter().enumerate() {
        let fault = |fault: Fault| fault.inside(&format!("events[{index}]")).of(RECORD);
        needed.extend(event::needed(event).map_err(fault)?);
    }
    Ok(Parsed { wire, hash: Hash::of(bytes), needed })
}

/// Decodes a record from the log with the documents that it refers to.
///
/// # Errors
/// As [`parse`] and [`Parsed::into_core`].
pub fn decode(bytes: &Bytes, blobs: &Blobs) -> Result<StoredRecord, DecodeError> {
    parse(bytes)?.into_core(blobs)
}

impl Parsed {
    /// Documents to fetch for [`Self::into_core`]; mostly none.
    #[must_use]
    pub fn needed(&self) -> &[BlobRef] {
        &self.needed
    }

    /// The message as it was parsed, for printing it; never to be encoded again.
    #[must_use]
    pub fn wire(&self) -> &v1::Record {
        &self.wire
    }

    /// Checks every field and makes the core record.
    ///
    /// # Errors
    /// [`DecodeError::Field`] names the field; [`Problem::BlobMissing`] when `blobs` lacks one.
    pub fn into_core(self, blobs: &Blobs) -> Result<StoredRecord, DecodeError> {
        into_core(self.wire, self.hash, blobs).map_err(|fault| fault.of(RECORD))
    }
}

fn into_core(wire: v1::Record, own: Hash, blobs: &Blobs) -> Result<StoredRecord, Fault> {
    for (field, number) in [("schema", wire.schema), ("min_reader", wire.min_reader)] {
        if number == 0 {
            return Err(Fault::new(field, Problem::Missing));
        }
    }
    if wire.rev == 0 {
        return Err(Fault::new("rev", Problem::Missing));
    }
    let txn = <[u8; 16]>::try_from(wire.txn.as_ref())
        .map_err(|_| Fault::new("txn", Problem::Range("must have 16 bytes")))?;
    let cause = required("cause", wire.cause)?;
    let mut events = Vec::with_capacity(wire.events.len());
    for (index, event) in wire.events.into_iter().enumerate() {
        let fault = |fault: Fault| fault.inside(&format!("events[{index}]"));
        events.push(event::to_core(event, blobs).map_err(fault)?);
    }
    let record = Record {
        rev: wire.rev,
        at: UnixMillis(wire.at_unix_ms),
        cause: Cause {
            kind: cause.kind,
            source: cause.source,
            sequence: cause.sequence,
            waited: Duration::from_micros(cause.waited_us),
            models: uses_to_core("cause.models", cause.models)?,
        },
        decision: wire.decision,
        reason: wire.reason,
        events,
    };
    let prev = previous(wire.rev, &wire.prev_sha256)?;
    let (schema, min_reader) = (wire.schema, wire.min_reader);
    Ok(StoredRecord { record, txn, prev, hash: own, schema, min_reader })
}

fn previous(rev: u64, bytes: &Bytes) -> Result<Option<Hash>, Fault> {
    if rev > 1 {
        return hash("prev_sha256", bytes).map(Some);
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    Err(Fault::new("prev_sha256", Problem::Range("must be empty for rev 1")))
}
