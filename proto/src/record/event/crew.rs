//! Events of crews, as they are written and read.

use cadre_core::{
    ids::{Name, StepId},
    payload::Payload,
    task::Event,
    workflow::Pattern,
};

use crate::{
    Blobs, Problem,
    error::Fault,
    json::Json,
    parts::{document, name, step},
    v1::{self, crew_began, event::Kind},
};

pub(super) fn began(step: &Name, pattern: Pattern, turns_max: u32, input: &Payload) -> Kind {
    let pattern = match pattern {
        Pattern::Network => crew_began::Pattern::Network,
        Pattern::Supervisor => crew_began::Pattern::Supervisor,
        Pattern::Planner => crew_began::Pattern::Planner,
    };
    Kind::CrewBegan(v1::CrewBegan {
        step: step.to_string(),
        pattern: pattern as i32,
        turns_max,
        input: Some(Json::from(input)),
    })
}

pub(super) fn handed_off(step: &StepId, to: &Name, reason: &str) -> Kind {
    let (step, to, reason) = (step.to_string(), to.to_string(), reason.to_owned());
    Kind::HandedOff(v1::HandedOff { step, to, reason })
}

pub(super) fn loop_found(step: &Name, text: &str, evidence: &Payload) -> Kind {
    let evidence = Some(Json::from(evidence));
    Kind::LoopFound(v1::LoopFound { step: step.to_string(), text: text.to_owned(), evidence })
}

pub(super) fn to_began(wire: v1::CrewBegan, blobs: &Blobs) -> Result<Event, Fault> {
    let unknown = |_| Fault::new("pattern", Problem::UnknownValue(wire.pattern));
    let pattern = match crew_began::Pattern::try_from(wire.pattern).map_err(unknown)? {
        crew_began::Pattern::Unspecified => return Err(Fault::new("pattern", Problem::Missing)),
        crew_began::Pattern::Network => Pattern::Network,
        crew_began::Pattern::Supervisor => Pattern::Supervisor,
        crew_began::Pattern::Planner => Pattern::Planner,
    };
    Ok(Event::CrewBegan {
        step: name("step", &wire.step)?,
        pattern,
        turns_max: wire.turns_max,
        input: document("input", wire.input, blobs)?,
    })
}

pub(super) fn to_handed_off(wire: v1::HandedOff) -> Result<Event, Fault> {
    let (step, to) = (step(&wire.step)?, name("to", &wire.to)?);
    Ok(Event::HandedOff { step, to, reason: wire.reason })
}

pub(super) fn to_loop_found(wire: v1::LoopFound, blobs: &Blobs) -> Result<Event, Fault> {
    let evidence = document("evidence", wire.evidence, blobs)?;
    Ok(Event::LoopFound { step: name("step", &wire.step)?, text: wire.text, evidence })
}
