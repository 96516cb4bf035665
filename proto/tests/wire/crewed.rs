//! The values of crews whose bytes are golden since schema 2. Never edit one: add another.

use cadre_core::{
    ids::StepId,
    task::{Event, Failure, FailureKind, Outcome, Record, Report, Usage},
    workflow::Pattern,
};

use crate::sample::{json, name, record, reports};

/// Each holds something that a reader of schema 1 does not know.
pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let step = || StepId::item(name("desk"), 2);
    let circle = "writer and editor handed the work to each other 6 times";
    let failure = Failure::new(FailureKind::NotConverging, circle);
    let evidence = json(r#"{"sign":"ping_pong","turns":[{"turn":0,"role":"writer"}]}"#);
    let events = [
        (
            "record_crew_began",
            Event::CrewBegan {
                step: name("desk"),
                pattern: Pattern::Supervisor,
                turns_max: 8,
                input: json(r#"{"text":"1. Term."}"#),
            },
        ),
        (
            "record_handed_off",
            Event::HandedOff {
                step: step(),
                to: name("editor"),
                reason: "the draft is done".to_owned(),
            },
        ),
        (
            "record_loop_found",
            Event::LoopFound { step: name("desk"), text: circle.to_owned(), evidence },
        ),
        (
            "record_step_failed_not_converging",
            Event::StepFailed { step: step(), failure, usage: Usage::default() },
        ),
    ];
    events.into_iter().map(|(name, event)| (name, record(7, vec![event]))).collect()
}

pub(crate) fn report() -> Report {
    let (_, like) = reports().remove(0);
    let (to, reason) = (name("lawyer"), "foreign law".to_owned());
    let output = Some(json(r#"{"terms":[1]}"#));
    Report { outcome: Outcome::Handoff { to, reason, output }, ..like }
}
