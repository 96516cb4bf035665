//! Work orders: one attempt at one step, for the role that does it.

use bytes::Bytes;
use cadre_core::{
    ids::Name,
    journal::Ruled,
    payload::{BlobRef, Payload},
    task::{Order, Resource},
    time::UnixMillis,
    workflow::Grant,
};

use crate::{
    Blobs, ContentType, DecodeError, EncodeError, MIN_READER, NEEDS_STEERING, Problem, SCHEMA,
    blobs,
    body::{self, Version},
    error::Fault,
    json::Json,
    parts::{attempt, document, grant_to_core, grant_to_wire, name, step, task},
    ruling,
    subject::Attempt,
    v1,
};

/// Name of the message in errors.
const ORDER: &str = "work order";

/// Ids of the contracts at both ends of a step, as `name@version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contracts<'a> {
    /// Contract of the input.
    pub accepts: &'a str,
    /// Contract of the output.
    pub returns: &'a str,
}

/// A work order as a worker gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkOrder {
    /// Which work it is; goes back in the report.
    pub attempt: Attempt,
    /// Whose task it is.
    pub tenant: Name,
    /// The workflow.
    pub workflow: Name,
    /// Pack revision that the task is pinned to.
    pub revision: String,
    /// Satisfies the contract `accepts`.
    pub input: Payload,
    /// When the attempt counts as timed out, on the broker's clock.
    pub deadline: UnixMillis,
    /// Key for side effects: the same on every delivery and attempt of the step.
    pub idempotency_key: String,
    /// Contract of the input, as `name@version`.
    pub accepts: String,
    /// Contract that the output must satisfy, as `name@version`.
    pub returns: String,
    /// Who asked for the task, when that is known.
    pub user: Option<String>,
    /// What the attempt may spend.
    pub grant: Grant,
    /// What a person knows about calls of former attempts.
    pub ruled: Option<Ruled>,
    /// Limits of the whole task of which four fifths are used.
    pub near: Vec<Resource>,
}

/// Encodes an order; a large input is written as a reference, so its blob must be stored before.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(
    order: &Order,
    contracts: Contracts<'_>,
    content: ContentType,
) -> Result<Bytes, EncodeError> {
    let wire = v1::WorkOrder {
        schema: SCHEMA,
        // A reader that does not know what a person said would ask again, or do it again.
        min_reader: if order.ruled.is_some() { NEEDS_STEERING } else { MIN_READER },
        task: order.goal.task.as_str().to_owned(),
        tenant: order.goal.tenant.as_str().to_owned(),
        workflow: order.goal.workflow.as_str().to_owned(),
        revision: order.goal.revision.as_ref().to_owned(),
        step: order.step.to_string(),
        attempt: order.attempt,
        role: order.role.as_str().to_owned(),
        input: Some(Json::from(&order.input)),
        deadline_unix_ms: order.deadline.0,
        idempotency_key: order.idempotency_key(),
        accepts: contracts.accepts.to_owned(),
        returns: contracts.returns.to_owned(),
        user: order.goal.user.clone(),
        grant: grant_to_wire(order.grant),
        ruled: order.ruled.as_ref().map(ruling::ruled_to_wire),
        budget_near: order.near.iter().map(|limit| limit.as_str().to_owned()).collect(),
    };
    body::write(ORDER, content, &wire)
}

/// A work order whose input may still have to be fetched.
#[derive(Debug, Clone)]
pub struct Parsed {
    wire: v1::WorkOrder,
    needed: Vec<BlobRef>,
}

/// Parses a work order.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no order, or names a malformed reference.
pub fn parse(body: &Bytes, content: ContentType) -> Result<Parsed, DecodeError> {
    let version =
        |wire: &v1::WorkOrder| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse(ORDER, content, body, version)?;
    let ruled = wire.ruled.as_ref();
    let ruled = ruled.and_then(|it| ruling::result("ruled.ruling.happened.result", &it.ruling));
    let needed = blobs::needed([("input", &wire.input)].into_iter().chain(ruled))
        .map_err(|fault| fault.of(ORDER))?;
    Ok(Parsed { wire, needed })
}

impl Parsed {
    /// Documents to fetch for [`Self::into_core`]; mostly none.
    #[must_use]
    pub fn needed(&self) -> &[BlobRef] {
        &self.needed
    }

    /// Checks every field and makes the work order.
    ///
    /// # Errors
    /// [`DecodeError::Field`] names the field; [`Problem::BlobMissing`] when `blobs` lacks one.
    pub fn into_core(self, blobs: &Blobs) -> Result<WorkOrder, DecodeError> {
        to_core(self.wire, blobs).map_err(|fault| fault.of(ORDER))
    }
}

fn to_core(wire: v1::WorkOrder, blobs: &Blobs) -> Result<WorkOrder, Fault> {
    for (field, text) in [
        ("idempotency_key", &wire.idempotency_key),
        ("accepts", &wire.accepts),
        ("returns", &wire.returns),
    ] {
        if text.is_empty() {
            return Err(Fault::new(field, Problem::Missing));
        }
    }
    Ok(WorkOrder {
        attempt: Attempt {
            role: name("role", &wire.role)?,
            task: task(&wire.task)?,
            step: step(&wire.step)?,
            number: attempt(wire.attempt)?,
        },
        tenant: name("tenant", &wire.tenant)?,
        workflow: name("workflow", &wire.workflow)?,
        revision: wire.revision,
        input: document("input", wire.input, blobs)?,
        deadline: UnixMillis(wire.deadline_unix_ms),
        idempotency_key: wire.idempotency_key,
        accepts: wire.accepts,
        returns: wire.returns,
        user: wire.user,
        grant: grant_to_core(wire.grant),
        ruled: wire.ruled.map(|ruled| ruling::ruled_to_core(ruled, blobs)).transpose()?,
        // Only advice: a limit that a newer build names is no reason to refuse the work.
        near: wire.budget_near.iter().filter_map(|limit| Resource::parse(limit)).collect(),
    })
}
