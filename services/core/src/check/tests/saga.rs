//! Corruptions of compensations, races, retries and forks.

use serde_json::json;

use super::{
    fold::{completed, dispatched, failed, forged, found},
    kit::{self, name, payload, step, task},
    *,
};
use crate::{
    task::{EndStatus, Event, Fork, Usage},
    time::UnixMillis,
};

fn compensating() -> Event {
    let (status, reason, usage) = (EndStatus::Failed, "forged".to_owned(), Usage::default());
    let until = UnixMillis(kit::READ_DEADLINE + 60_000);
    Event::Compensating { status, reason, answer: None, usage, until }
}

fn begins(id: &str) -> Event {
    dispatched(id, 1, kit::READ_DEADLINE)
}

fn ended_as(status: EndStatus) -> Event {
    let (reason, usage) = ("forged".to_owned(), Usage::default());
    Event::Ended { status, reason, answer: None, usage }
}

#[test]
fn only_completed_steps_are_undone_and_the_last_one_first() {
    let cases = [
        ("what never began", vec![compensating(), begins("compensate_bad")]),
        ("what was stopped", vec![compensating(), begins("compensate_read")]),
        ("a step that undoes nothing", vec![compensating(), begins("bad")]),
    ];
    for (what, events) in cases {
        found(what, forged("open", events), Rule::Compensation);
    }
    let first_things_first = |it: &mut kit::History| {
        // It declares one compensation only.
        it.forget_pack();
        it.forge("open", vec![completed("read"), begins("bad")]);
        it.forge("open", vec![completed("bad")]);
        it.forge(
            "open",
            vec![
                compensating(),
                begins("compensate_read"),
                completed("compensate_read"),
                begins("compensate_bad"),
            ],
        );
    };
    found("first things first", first_things_first, Rule::Compensation);
}

#[test]
fn an_end_that_was_decided_stands() {
    let cases = [
        ("twice", vec![compensating(), compensating()]),
        ("another end", vec![compensating(), ended_as(EndStatus::Cancelled)]),
        (
            "two at once",
            vec![
                completed("read"),
                compensating(),
                begins("compensate_read"),
                begins("compensate_read"),
            ],
        ),
    ];
    for (what, events) in cases {
        found(what, forged("open", events), Rule::LegalFold);
    }
}

#[test]
fn impossible_races_retries_and_forks_are_found() {
    let joined = |winner: &str| Event::Joined {
        step: name("part"),
        winners: vec![step(winner)],
        stopped: Vec::new(),
        reason: "forged".to_owned(),
        usage: Usage::default(),
    };
    let retried =
        |id: &str| Event::Retried { step: step(id), by: "ann".to_owned(), freed: Vec::new() };
    let taken = Event::TakenOver {
        step: step("bad"),
        output: payload(json!({})),
        confidence: None,
        unsure: None,
        rev: 1,
    };
    let fork = Fork { task: task("done"), rev: 1, from: name("read") };
    let cases = [
        ("a winner that has not completed", vec![joined("read")]),
        ("decided twice", vec![completed("read"), joined("read"), joined("read")]),
        ("tried again while open", vec![retried("read")]),
        ("tried again once completed", vec![completed("read"), retried("read")]),
        ("failed and never tried again", vec![failed("read"), begins("read")]),
        ("taken over by no fork", vec![taken]),
        ("a fork that its goal knows nothing of", vec![Event::Forked { fork }]),
    ];
    for (what, events) in cases {
        found(what, forged("open", events), Rule::LegalFold);
    }
}
