//! Corruptions of what the pack revision declares: possible in themselves, but not in this workflow.

use serde_json::json;

use super::{
    fold::{completed, dispatched, forged, found},
    kit::{self, History, history, name, payload, step},
    *,
};
use crate::{
    task::{EndStatus, Event, Usage},
    workflow::Grant,
};

/// An order for the step `bad`, which may begin once `read` has completed.
fn ordered(change: impl FnOnce(&mut Event)) -> Vec<Event> {
    let mut event = dispatched("bad", 1, kit::READ_DEADLINE);
    change(&mut event);
    vec![completed("read"), event]
}

#[test]
fn an_order_that_the_pack_does_not_declare_is_found() {
    let order = ordered(|_| ());
    let mut good = history();
    good.forge("open", order);
    let rules = good.rules();
    assert!(!rules.contains(&Rule::AsDeclared), "the order itself is declared: {rules:?}");

    let stranger = vec![completed("read"), dispatched("ghost", 1, kit::READ_DEADLINE)];
    found("a step that is not there", forged("open", stranger), Rule::AsDeclared);
    let other_role = ordered(|event| {
        let Event::StepDispatched { role, .. } = event else { unreachable!() };
        *role = name("thief");
    });
    found("another role", forged("open", other_role), Rule::AsDeclared);
    let rich = ordered(|event| {
        let Event::StepDispatched { grant, .. } = event else { unreachable!() };
        *grant = Grant { usd_micros: 5, tokens: 0 };
    });
    found("a grant that nobody has", forged("open", rich), Rule::AsDeclared);
    let odd = ordered(|event| {
        let Event::StepDispatched { input, .. } = event else { unreachable!() };
        *input = payload(json!("no object"));
    });
    found("an input that breaks its contract", forged("open", odd), Rule::AsDeclared);
}

#[test]
fn events_of_steps_that_are_not_there_are_found() {
    let list = Event::Expanded { step: name("ghost"), items: payload(json!([1])) };
    let skipped = Event::StepSkipped { step: name("ghost"), reason: "forged".to_owned() };
    for (what, event) in [("expanded", list), ("skipped", skipped)] {
        found(what, forged("open", vec![event]), Rule::AsDeclared);
    }
}

#[test]
fn results_that_break_their_contract_are_found() {
    let usage = Usage::default();
    let odd = Event::StepCompleted {
        step: step("read"),
        output: payload(json!([1])),
        confidence: None,
        unsure: None,
        degraded: None,
        usage,
    };
    found("an output", forged("open", vec![odd]), Rule::AsDeclared);
    let end = |it: &mut History| {
        let (rev, index) = it.with("done", |event| matches!(event, Event::Ended { .. }));
        let event = &mut it.record("done", rev).record.events[index];
        let Event::Ended { status, answer, .. } = event else { unreachable!() };
        *status = EndStatus::Completed;
        *answer = Some(payload(json!({"status": "completed", "result": 7})));
    };
    found("an answer", end, Rule::AsDeclared);
}

#[test]
fn a_bad_end_that_undoes_nothing_is_found() {
    let ended = |reason: &str| Event::Ended {
        status: EndStatus::Failed,
        reason: reason.to_owned(),
        answer: None,
        usage: Usage::default(),
    };
    let silent = vec![completed("read"), ended("forged")];
    found("nothing is said of it", forged("open", silent), Rule::Compensation);
    let mut said = history();
    said.forge("open", vec![completed("read"), ended("killed; not undone: read")]);
    let rules = said.rules();
    assert!(!rules.contains(&Rule::Compensation), "it says so: {rules:?}");
}

#[test]
fn a_revision_that_is_not_there_is_noted_once() {
    let mut history = history();
    history.forget_pack();
    let verdict = history.check();
    assert_eq!(verdict.violations, []);
    assert_eq!(verdict.notes.len(), 1, "{:?}", verdict.notes);
    assert!(verdict.notes[0].text.contains("is not there"), "{:?}", verdict.notes);
}
