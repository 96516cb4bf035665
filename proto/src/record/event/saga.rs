//! Compensations, races, retries and forks, written and read.

use cadre_core::{
    ids::{Name, StepId},
    payload::Payload,
    task::{EndStatus, Event, Usage},
    time::UnixMillis,
};

use super::{core::status_to_core, wire::status_to_wire};
use crate::{
    Blobs, Problem,
    error::Fault,
    goal::{fork_to_core, fork_to_wire},
    json::Json,
    parts::{
        confidence, document, name, optional_document, optional_json, required, step,
        usage_to_core, usage_to_wire,
    },
    v1::{self, event::Kind},
};

pub(super) fn compensating(
    (status, until): (EndStatus, UnixMillis),
    reason: &str,
    answer: Option<&Payload>,
    usage: Usage,
) -> Kind {
    Kind::Compensating(v1::Compensating {
        status: status_to_wire(status) as i32,
        reason: reason.to_owned(),
        answer: optional_json(answer),
        usage: usage_to_wire(usage),
        until_unix_ms: until.0,
    })
}

pub(super) fn compensating_to_core(wire: v1::Compensating, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::Compensating {
        status: status_to_core(wire.status).map_err(|problem| Fault::new("status", problem))?,
        reason: wire.reason,
        answer: optional_document("answer", wire.answer, blobs)?,
        usage: usage_to_core(wire.usage),
        until: UnixMillis(wire.until_unix_ms),
    })
}

fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

fn names(field: &str, texts: &[String]) -> Result<Vec<Name>, Fault> {
    texts.iter().map(|text| name(field, text)).collect()
}

pub(super) fn joined(
    step: &Name,
    (winners, stopped): (&[StepId], &[Name]),
    reason: &str,
    usage: Usage,
) -> Kind {
    Kind::Joined(v1::Joined {
        step: step.as_str().to_owned(),
        winners: winners.iter().map(StepId::to_string).collect(),
        stopped: texts(stopped),
        reason: reason.to_owned(),
        usage: usage_to_wire(usage),
    })
}

pub(super) fn joined_to_core(wire: v1::Joined) -> Result<Event, Fault> {
    Ok(Event::Joined {
        step: name("step", &wire.step)?,
        winners: wire.winners.iter().map(|text| step(text)).collect::<Result<_, _>>()?,
        stopped: names("stopped", &wire.stopped)?,
        reason: wire.reason,
        usage: usage_to_core(wire.usage),
    })
}

pub(super) fn retried(step: &StepId, by: &str, freed: &[Name]) -> Kind {
    let (step, by) = (step.to_string(), by.to_owned());
    Kind::Retried(v1::Retried { step, by, freed: texts(freed) })
}

pub(super) fn retried_to_core(wire: v1::Retried) -> Result<Event, Fault> {
    let freed = names("freed", &wire.freed)?;
    Ok(Event::Retried { step: step(&wire.step)?, by: wire.by, freed })
}

pub(super) fn taken_over(
    step: &StepId,
    output: &Payload,
    (confidence, unsure): (Option<f64>, Option<&str>),
    rev: u64,
) -> Kind {
    Kind::TakenOver(v1::TakenOver {
        step: step.to_string(),
        output: Some(Json::from(output)),
        confidence,
        unsure: unsure.map(str::to_owned),
        rev,
    })
}

pub(super) fn taken_over_to_core(wire: v1::TakenOver, blobs: &Blobs) -> Result<Event, Fault> {
    if wire.rev == 0 {
        return Err(Fault::new("rev", Problem::Missing));
    }
    Ok(Event::TakenOver {
        step: step(&wire.step)?,
        output: document("output", wire.output, blobs)?,
        confidence: confidence(wire.confidence)?,
        unsure: wire.unsure,
        rev: wire.rev,
    })
}

pub(super) fn forked(fork: &cadre_core::task::Fork) -> Kind {
    Kind::Forked(v1::Forked { fork: Some(fork_to_wire(fork)) })
}

pub(super) fn forked_to_core(wire: v1::Forked) -> Result<Event, Fault> {
    let fork = required("fork", wire.fork)?;
    Ok(Event::Forked { fork: fork_to_core(&fork).map_err(|fault| fault.inside("fork"))? })
}
