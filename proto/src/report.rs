//! Reports: a worker's typed answer to one work order.

use bytes::Bytes;
use cadre_core::{
    ids::TaskId,
    payload::BlobRef,
    task::{Outcome, Report},
};

use crate::{
    Blobs, ContentType, DecodeError, EncodeError, MIN_READER, NEEDS_STEERING, Problem, SCHEMA,
    blobs,
    body::{self, Version},
    error::Fault,
    json::Json,
    parts::{
        attempt, confidence, document, failure_min_reader, failure_to_core, failure_to_wire, name,
        optional_document, optional_json, step, task, usage_to_core, usage_to_wire, uses_to_core,
        uses_to_wire,
    },
    subject::Attempt,
    v1::{self, report::Outcome as Wire},
};

/// Name of the message in errors.
const REPORT: &str = "report";

/// Bytes of the worker's name: it is only shown.
const WORKER_BYTES_MAX: usize = 256;

/// A report as it was received, with the task that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The task that the worker means.
    pub task: TaskId,
    /// The report itself.
    pub report: Report,
}

/// A report that answers other work than its subject says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("report: {field} is {body:?} in the body and {subject:?} in the subject")]
pub struct Mismatch {
    /// The field.
    pub field: &'static str,
    /// What the body says.
    pub body: String,
    /// What the subject says.
    pub subject: String,
}

impl Received {
    /// Checks that the body answers the work of the subject that it arrived on.
    ///
    /// # Errors
    /// [`Mismatch`] names the first field that differs.
    pub fn check(&self, subject: &Attempt) -> Result<(), Mismatch> {
        let Report { role, step, attempt, .. } = &self.report;
        let mismatch = |field, body: String, subject: String| Mismatch { field, body, subject };
        if *role != subject.role {
            return Err(mismatch("role", role.to_string(), subject.role.to_string()));
        }
        if self.task != subject.task {
            return Err(mismatch("task", self.task.to_string(), subject.task.to_string()));
        }
        if *step != subject.step {
            return Err(mismatch("step", step.to_string(), subject.step.to_string()));
        }
        if *attempt != subject.number {
            return Err(mismatch("attempt", attempt.to_string(), subject.number.to_string()));
        }
        Ok(())
    }
}

/// Encodes a report on a step of `task`; blobs of large outputs must be stored before.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(task: &TaskId, report: &Report, content: ContentType) -> Result<Bytes, EncodeError> {
    let wire = v1::Report {
        schema: SCHEMA,
        min_reader: min_reader(&report.outcome),
        task: task.as_str().to_owned(),
        step: report.step.to_string(),
        attempt: report.attempt,
        role: report.role.as_str().to_owned(),
        outcome: Some(outcome_to_wire(&report.outcome)),
        usage: usage_to_wire(report.usage),
        degraded: report.degraded.clone(),
        models: uses_to_wire(&report.models),
        worker: report.worker.clone(),
    };
    body::write(REPORT, content, &wire)
}

/// Oldest schema whose readers understand an outcome.
fn min_reader(outcome: &Outcome) -> u32 {
    match outcome {
        Outcome::Failed(failure) => failure_min_reader(failure),
        // An older one would hand on nothing.
        Outcome::Handoff { output: Some(_), .. } => NEEDS_STEERING,
        Outcome::Completed { .. }
        | Outcome::Unsure { .. }
        | Outcome::Handoff { output: None, .. }
        | Outcome::NeedsHuman { .. } => MIN_READER,
    }
}

/// A report whose documents may still have to be fetched.
#[derive(Debug, Clone)]
pub struct Parsed {
    wire: v1::Report,
    needed: Vec<BlobRef>,
}

/// Parses a report.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no report, or names a malformed reference.
pub fn parse(body: &Bytes, content: ContentType) -> Result<Parsed, DecodeError> {
    let version = |wire: &v1::Report| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire = body::parse(REPORT, content, body, version)?;
    let document = match &wire.outcome {
        Some(Wire::Completed(completed)) => Some(("completed.output", &completed.output)),
        Some(Wire::Unsure(unsure)) => Some(("unsure.output", &unsure.output)),
        Some(Wire::Failed(failure)) => Some(("failed.refused", &failure.refused)),
        Some(Wire::Handoff(handoff)) => Some(("handoff.output", &handoff.output)),
        Some(Wire::NeedsHuman(_)) | None => None,
    };
    let needed = blobs::needed(document).map_err(|fault| fault.of(REPORT))?;
    Ok(Parsed { wire, needed })
}

impl Parsed {
    /// Documents to fetch for [`Self::into_core`]; mostly none.
    #[must_use]
    pub fn needed(&self) -> &[BlobRef] {
        &self.needed
    }

    /// Checks every field and makes the core report.
    ///
    /// # Errors
    /// [`DecodeError::Field`] names the field; [`Problem::BlobMissing`] when `blobs` lacks one.
    pub fn into_core(self, blobs: &Blobs) -> Result<Received, DecodeError> {
        to_core(self.wire, blobs).map_err(|fault| fault.of(REPORT))
    }
}

fn to_core(wire: v1::Report, blobs: &Blobs) -> Result<Received, Fault> {
    if wire.worker.len() > WORKER_BYTES_MAX {
        return Err(Fault::new("worker", Problem::Range("must have at most 256 bytes")));
    }
    let outcome = wire.outcome.ok_or_else(|| Fault::new("outcome", Problem::UnknownKind))?;
    let report = Report {
        role: name("role", &wire.role)?,
        step: step(&wire.step)?,
        attempt: attempt(wire.attempt)?,
        outcome: outcome_to_core(outcome, blobs)?,
        usage: usage_to_core(wire.usage),
        models: uses_to_core("models", wire.models)?,
        degraded: wire.degraded,
        worker: wire.worker,
    };
    Ok(Received { task: task(&wire.task)?, report })
}

fn outcome_to_wire(outcome: &Outcome) -> Wire {
    match outcome {
        Outcome::Completed { output, confidence } => Wire::Completed(v1::Completed {
            output: Some(Json::from(output)),
            confidence: *confidence,
        }),
        Outcome::Unsure { output, confidence, reason } => Wire::Unsure(v1::Unsure {
            output: optional_json(output.as_ref()),
            confidence: *confidence,
            reason: reason.clone(),
        }),
        Outcome::Failed(failure) => Wire::Failed(failure_to_wire(failure)),
        Outcome::Handoff { to, reason, output } => Wire::Handoff(v1::Handoff {
            to: to.as_str().to_owned(),
            reason: reason.clone(),
            output: optional_json(output.as_ref()),
        }),
        Outcome::NeedsHuman { question } => {
            Wire::NeedsHuman(v1::NeedsHuman { question: question.clone() })
        }
    }
}

fn outcome_to_core(wire: Wire, blobs: &Blobs) -> Result<Outcome, Fault> {
    match wire {
        Wire::Completed(wire) => completed(wire, blobs).map_err(|f| f.inside("completed")),
        Wire::Unsure(wire) => unsure(wire, blobs).map_err(|f| f.inside("unsure")),
        Wire::Failed(wire) => {
            let failure = failure_to_core(wire, blobs).map_err(|f| f.inside("failed"))?;
            Ok(Outcome::Failed(failure))
        }
        Wire::Handoff(wire) => handoff(wire, blobs).map_err(|f| f.inside("handoff")),
        Wire::NeedsHuman(wire) => Ok(Outcome::NeedsHuman { question: wire.question }),
    }
}

fn completed(wire: v1::Completed, blobs: &Blobs) -> Result<Outcome, Fault> {
    let output = document("output", wire.output, blobs)?;
    Ok(Outcome::Completed { output, confidence: confidence(wire.confidence)? })
}

fn handoff(wire: v1::Handoff, blobs: &Blobs) -> Result<Outcome, Fault> {
    let output = optional_document("output", wire.output, blobs)?;
    Ok(Outcome::Handoff { to: name("to", &wire.to)?, reason: wire.reason, output })
}

fn unsure(wire: v1::Unsure, blobs: &Blobs) -> Result<Outcome, Fault> {
    Ok(Outcome::Unsure {
        output: optional_document("output", wire.output, blobs)?,
        confidence: confidence(wire.confidence)?,
        reason: wire.reason,
    })
}
