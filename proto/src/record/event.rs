//! Events inside a record.

use std::sync::Arc;

use cadre_core::{
    payload::BlobRef,
    task::{EndStatus, Event},
    time::UnixMillis,
};

use crate::{
    Blobs, Problem, blobs,
    error::Fault,
    goal,
    json::Json,
    parts::{
        attempt, confidence, document, failure_to_core, failure_to_wire, name, optional_document,
        optional_json, required, step, usage_to_core, usage_to_wire,
    },
    v1::{self, ended::Status, event::Kind},
};

pub(super) fn to_wire(event: &Event) -> v1::Event {
    let kind = match event {
        Event::Accepted { goal, deadline } => Kind::Accepted(v1::Accepted {
            goal: Some(goal::to_wire(goal)),
            deadline_unix_ms: deadline.0,
        }),
        Event::Expanded { step, items } => Kind::Expanded(v1::Expanded {
            step: step.as_str().to_owned(),
            items: Some(Json::from(items)),
        }),
        Event::StepDispatched { step, attempt, role, input, deadline } => {
            Kind::StepDispatched(v1::StepDispatched {
                step: step.to_string(),
                attempt: *attempt,
                role: role.as_str().to_owned(),
                input: Some(Json::from(input)),
                deadline_unix_ms: deadline.0,
            })
        }
        Event::StepCompleted { step, output, confidence, unsure, usage } => {
            Kind::StepCompleted(v1::StepCompleted {
                step: step.to_string(),
                output: Some(Json::from(output)),
                confidence: *confidence,
                unsure: unsure.clone(),
                usage: usage_to_wire(*usage),
            })
        }
        Event::StepFailed { step, failure, usage } => Kind::StepFailed(v1::StepFailed {
            step: step.to_string(),
            failure: Some(failure_to_wire(failure)),
            usage: usage_to_wire(*usage),
        }),
        Event::StepSkipped { step, reason } => Kind::StepSkipped(v1::StepSkipped {
            step: step.as_str().to_owned(),
            reason: reason.clone(),
        }),
        Event::StepWaiting { step, question, proposal, usage } => {
            Kind::StepWaiting(v1::StepWaiting {
                step: step.to_string(),
                question: question.clone(),
                proposal: optional_json(proposal.as_ref()),
                usage: usage_to_wire(*usage),
            })
        }
        Event::LimitReached { limit } => {
            Kind::LimitReached(v1::LimitReached { limit: limit.clone() })
        }
        Event::Ended { status, reason, answer, usage } => Kind::Ended(v1::Ended {
            status: status_to_wire(*status) as i32,
            reason: reason.clone(),
            answer: optional_json(answer.as_ref()),
            usage: usage_to_wire(*usage),
        }),
    };
    v1::Event { kind: Some(kind) }
}

/// The document that an event refers to.
pub(super) fn needed(event: &v1::Event) -> Result<Vec<BlobRef>, Fault> {
    let document = match &event.kind {
        Some(Kind::Accepted(e)) => {
            let input = e.goal.as_ref().map(|goal| ("accepted.goal.input", &goal.input));
            return blobs::needed(input);
        }
        Some(Kind::Expanded(e)) => ("expanded.items", &e.items),
        Some(Kind::StepDispatched(e)) => ("step_dispatched.input", &e.input),
        Some(Kind::StepCompleted(e)) => ("step_completed.output", &e.output),
        Some(Kind::StepFailed(e)) => {
            let refused = |f| ("step_failed.failure.refused", f);
            return blobs::needed(e.failure.as_ref().map(|failure| refused(&failure.refused)));
        }
        Some(Kind::StepWaiting(e)) => ("step_waiting.proposal", &e.proposal),
        Some(Kind::Ended(e)) => ("ended.answer", &e.answer),
        Some(Kind::StepSkipped(_) | Kind::LimitReached(_)) | None => return Ok(Vec::new()),
    };
    blobs::needed([document])
}

pub(super) fn to_core(event: v1::Event, blobs: &Blobs) -> Result<Event, Fault> {
    let kind = event.kind.ok_or_else(|| Fault::new("kind", Problem::UnknownKind))?;
    match kind {
        Kind::Accepted(e) => accepted(e, blobs).map_err(|f| f.inside("accepted")),
        Kind::Expanded(e) => expanded(e, blobs).map_err(|f| f.inside("expanded")),
        Kind::StepDispatched(e) => dispatched(e, blobs).map_err(|f| f.inside("step_dispatched")),
        Kind::StepCompleted(e) => completed(e, blobs).map_err(|f| f.inside("step_completed")),
        Kind::StepFailed(e) => failed(e, blobs).map_err(|f| f.inside("step_failed")),
        Kind::StepSkipped(e) => {
            let step = name("step", &e.step).map_err(|f| f.inside("step_skipped"))?;
            Ok(Event::StepSkipped { step, reason: e.reason })
        }
        Kind::StepWaiting(e) => waiting(e, blobs).map_err(|f| f.inside("step_waiting")),
        Kind::LimitReached(e) => Ok(Event::LimitReached { limit: e.limit }),
        Kind::Ended(e) => ended(e, blobs).map_err(|f| f.inside("ended")),
    }
}

fn accepted(wire: v1::Accepted, blobs: &Blobs) -> Result<Event, Fault> {
    let goal = required("goal", wire.goal)?;
    let goal = goal::to_core(goal, blobs).map_err(|fault| fault.inside("goal"))?;
    Ok(Event::Accepted { goal: Arc::new(goal), deadline: UnixMillis(wire.deadline_unix_ms) })
}

fn expanded(wire: v1::Expanded, blobs: &Blobs) -> Result<Event, Fault> {
    let items = document("items", wire.items, blobs)?;
    if !items.value().is_array() {
        return Err(Fault::new("items", Problem::Range("must be a list")));
    }
    Ok(Event::Expanded { step: name("step", &wire.step)?, items })
}

fn dispatched(wire: v1::StepDispatched, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::StepDispatched {
        step: step(&wire.step)?,
        attempt: attempt(wire.attempt)?,
        role: name("role", &wire.role)?,
        input: document("input", wire.input, blobs)?,
        deadline: UnixMillis(wire.deadline_unix_ms),
    })
}

fn completed(wire: v1::StepCompleted, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::StepCompleted {
        step: step(&wire.step)?,
        output: document("output", wire.output, blobs)?,
        confidence: confidence(wire.confidence)?,
        unsure: wire.unsure,
        usage: usage_to_core(wire.usage),
    })
}

fn failed(wire: v1::StepFailed, blobs: &Blobs) -> Result<Event, Fault> {
    let failure = required("failure", wire.failure)?;
    let failure = failure_to_core(failure, blobs).map_err(|fault| fault.inside("failure"))?;
    Ok(Event::StepFailed { step: step(&wire.step)?, failure, usage: usage_to_core(wire.usage) })
}

fn waiting(wire: v1::StepWaiting, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::StepWaiting {
        step: step(&wire.step)?,
        question: wire.question,
        proposal: optional_document("proposal", wire.proposal, blobs)?,
        usage: usage_to_core(wire.usage),
    })
}

fn ended(wire: v1::Ended, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::Ended {
        status: status_to_core(wire.status).map_err(|problem| Fault::new("status", problem))?,
        reason: wire.reason,
        answer: optional_document("answer", wire.answer, blobs)?,
        usage: usage_to_core(wire.usage),
    })
}

fn status_to_wire(status: EndStatus) -> Status {
    match status {
        EndStatus::Completed => Status::Completed,
        EndStatus::Partial => Status::Partial,
        EndStatus::Failed => Status::Failed,
        EndStatus::Cancelled => Status::Cancelled,
        EndStatus::Incomplete => Status::Incomplete,
    }
}

fn status_to_core(number: i32) -> Result<EndStatus, Problem> {
    match Status::try_from(number).map_err(|_| Problem::UnknownValue(number))? {
        Status::Unspecified => Err(Problem::Missing),
        Status::Completed => Ok(EndStatus::Completed),
        Status::Partial => Ok(EndStatus::Partial),
        Status::Failed => Ok(EndStatus::Failed),
        Status::Cancelled => Ok(EndStatus::Cancelled),
        Status::Incomplete => Ok(EndStatus::Incomplete),
    }
}
