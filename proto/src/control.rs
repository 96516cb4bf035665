//! Controls: a wish to steer a task. The task is in the subject.

use bytes::Bytes;
use cadre_core::{
    ids::StepId,
    task::{Action, Control, clip},
};

use crate::{
    ContentType, DecodeError, EncodeError, NEEDS_STEERING, Problem, SCHEMA,
    body::{self, Version},
    error::Fault,
    parts::{budget_to_core, budget_to_wire, key, person, step},
    v1::{self, control::Action as Wire},
};

/// Name of the message in errors.
const CONTROL: &str = "control";

/// Encodes a control.
///
/// # Errors
/// [`EncodeError`] never for protobuf, and for JSON only when a writer fails.
pub fn encode(control: &Control, content: ContentType) -> Result<Bytes, EncodeError> {
    let wire = v1::Control {
        schema: SCHEMA,
        min_reader: NEEDS_STEERING,
        by: control.by.clone(),
        reason: control.reason.clone(),
        key: control.key.clone(),
        action: Some(action_to_wire(&control.action)),
    };
    body::write(CONTROL, content, &wire)
}

/// Decodes a control; it refers to no documents. A long reason is cut.
///
/// # Errors
/// [`DecodeError`] when it is for newer readers, no control, or does not say who wants what.
pub fn decode(body: &Bytes, content: ContentType) -> Result<Control, DecodeError> {
    let version = |wire: &v1::Control| Version { schema: wire.schema, min_reader: wire.min_reader };
    let wire: v1::Control = body::parse(CONTROL, content, body, version)?;
    to_core(wire).map_err(|fault| fault.of(CONTROL))
}

fn to_core(wire: v1::Control) -> Result<Control, Fault> {
    let action = wire.action.ok_or_else(|| Fault::new("action", Problem::UnknownKind))?;
    Ok(Control {
        by: person("by", wire.by)?,
        reason: clip(&wire.reason),
        key: key(wire.key)?,
        action: action_to_core(action)?,
    })
}

fn action_to_wire(action: &Action) -> Wire {
    match action {
        Action::Pause => Wire::Pause(v1::Pause {}),
        Action::Resume => Wire::Resume(v1::Resume {}),
        Action::Kill => Wire::Kill(v1::Kill {}),
        Action::AddBudget(budget) => Wire::AddBudget(budget_to_wire(*budget)),
        Action::Retry(step) => {
            Wire::Retry(v1::Retry { step: step.as_ref().map(StepId::to_string) })
        }
    }
}

fn action_to_core(wire: Wire) -> Result<Action, Fault> {
    Ok(match wire {
        Wire::Pause(v1::Pause {}) => Action::Pause,
        Wire::Resume(v1::Resume {}) => Action::Resume,
        Wire::Kill(v1::Kill {}) => Action::Kill,
        Wire::AddBudget(budget) => Action::AddBudget(budget_to_core(budget)),
        Wire::Retry(retry) => Action::Retry(retry.step.as_deref().map(step).transpose()?),
    })
}
