//! Goals on their way from the intake to the partition that owns their task.

use std::sync::Arc;

use bytes::Bytes;
use cadre_core::{
    limits::KEY_BYTES_MAX,
    payload::BlobRef,
    task::{Fork, Goal},
    time::UnixMillis,
};

use crate::{
    Blobs, ContentType, DecodeError, EncodeError, MIN_READER, NEEDS_STEERING, Problem, SCHEMA,
    blobs,
    body::{self, Version},
    error::Fault,
    header,
    json::Json,
    parts::{document, hash, limits_to_core, limits_to_wire, name, task},
    v1,
};

/// Name of the message in errors.
const GOAL: &str = "goal";

/// Encodes a goal; a large input is written as a reference, so its blob must be stored before.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(goal: &Goal, content: ContentType) -> Result<Bytes, EncodeError> {
    let min_reader = if goal.fork.is_some() { NEEDS_STEERING } else { MIN_READER };
    let wire = v1::Goal { schema: SCHEMA, min_reader, ..to_wire(goal) };
    body::write(GOAL, content, &wire)
}

/// A goal whose input may still have to be fetched.
#[derive(Debug, Clone)]
pub struct Parsed {
    wire: v1::Goal,
    needed: Vec<BlobRef>,
}

/// Parses a goal.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no goal, or names a malformed reference.
pub fn parse(body: &Bytes, content: ContentType) -> Result<Parsed, DecodeError> {
    let version = |wire: &v1::Goal| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse(GOAL, content, body, version)?;
    let needed = blobs::needed([("input", &wire.input)]).map_err(|fault| fault.of(GOAL))?;
    Ok(Parsed { wire, needed })
}

impl Parsed {
    /// Documents to fetch for [`Self::into_core`]; mostly none.
    #[must_use]
    pub fn needed(&self) -> &[BlobRef] {
        &self.needed
    }

    /// Checks every field and makes the core goal.
    ///
    /// # Errors
    /// [`DecodeError::Field`] names the field; [`Problem::BlobMissing`] when `blobs` lacks one.
    pub fn into_core(self, blobs: &Blobs) -> Result<Goal, DecodeError> {
        let goal = to_core(self.wire, blobs).map_err(|fault| fault.of(GOAL))?;
        check(&goal).map_err(|fault| fault.of(GOAL))?;
        Ok(goal)
    }
}

/// What only the intake must hold to: a record that exists is read however long its key is.
fn check(goal: &Goal) -> Result<(), Fault> {
    if goal.key.is_empty() || goal.key.len() > KEY_BYTES_MAX {
        return Err(Fault::new("key", Problem::Range("must have 1 to 256 bytes")));
    }
    // Both travel on in the headers of every work order.
    for (field, text) in [("user", &goal.user), ("traceparent", &goal.trace)] {
        if text.as_ref().is_some_and(|text| !header::is_value(text)) {
            let problem = Problem::Range("must be 1 to 256 bytes of printable ASCII");
            return Err(Fault::new(field, problem));
        }
    }
    Ok(())
}

/// The goal inside another message: without a version of its own.
pub(crate) fn to_wire(goal: &Goal) -> v1::Goal {
    v1::Goal {
        schema: 0,
        min_reader: 0,
        task: goal.task.as_str().to_owned(),
        tenant: goal.tenant.as_str().to_owned(),
        workflow: goal.workflow.as_str().to_owned(),
        revision: goal.revision.as_ref().to_owned(),
        key: goal.key.clone(),
        digest: Bytes::copy_from_slice(&goal.digest.0),
        input: Some(Json::from(&goal.input)),
        deadline_unix_ms: goal.deadline.map(|deadline| deadline.0),
        limits: limits_to_wire(goal.limits),
        user: goal.user.clone(),
        traceparent: goal.trace.clone(),
        fork: goal.fork.as_ref().map(fork_to_wire),
    }
}

pub(crate) fn to_core(wire: v1::Goal, blobs: &Blobs) -> Result<Goal, Fault> {
    Ok(Goal {
        task: task(&wire.task)?,
        tenant: name("tenant", &wire.tenant)?,
        workflow: name("workflow", &wire.workflow)?,
        revision: Arc::from(wire.revision),
        key: wire.key,
        digest: hash("digest", &wire.digest)?,
        input: document("input", wire.input, blobs)?,
        deadline: wire.deadline_unix_ms.map(UnixMillis),
        limits: limits_to_core(wire.limits),
        user: wire.user,
        trace: wire.traceparent,
        fork: wire
            .fork
            .map(|fork| fork_to_core(&fork).map_err(|fault| fault.inside("fork")))
            .transpose()?,
    })
}

pub(crate) fn fork_to_wire(fork: &Fork) -> v1::Fork {
    let (task, from) = (fork.task.as_str().to_owned(), fork.from.as_str().to_owned());
    v1::Fork { task, rev: fork.rev, from }
}

pub(crate) fn fork_to_core(wire: &v1::Fork) -> Result<Fork, Fault> {
    if wire.rev == 0 {
        return Err(Fault::new("rev", Problem::Missing));
    }
    Ok(Fork { task: task(&wire.task)?, rev: wire.rev, from: name("from", &wire.from)? })
}
