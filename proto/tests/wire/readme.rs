//! The README speaks of what exists.

use std::fs;

use cadre_core::{
    task::{Action, Ruling},
    watch::{Alert, Kind},
};
use cadre_proto::{ContentType, decision, header, journal, order, report};

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

#[test]
fn every_header_is_explained() {
    let text = readme();
    for name in [
        header::TASK,
        header::STEP,
        header::ATTEMPT,
        header::ROLE,
        header::USER,
        header::CONTRACT_IN,
        header::CONTRACT_OUT,
        header::DEADLINE,
        header::TIMEOUT_MS,
        header::GRANT_TOKENS,
        header::GRANT_USD_MICROS,
        header::GRANT_STEPS,
        header::HOP,
        header::IDEMPOTENCY_KEY,
        header::SCHEMA,
        header::BUDGET_USD,
        header::BUDGET_TOKENS,
        header::BUDGET_STEPS,
        header::CONTENT_TYPE,
        header::TRACEPARENT,
        header::TRACESTATE,
        header::MSG_ID,
        header::EXPECTED_LAST_SUBJECT_SEQUENCE,
    ] {
        assert!(text.contains(&format!("`{name}")), "{name} is not explained");
    }
}

#[test]
fn every_subject_and_every_action_is_explained() {
    let text = readme();
    for kind in [
        "log",
        "timer",
        "due",
        "dead",
        "stop",
        "work",
        "run",
        "said",
        "in.goal",
        "in.report",
        "in.timer",
        "in.cancel",
        "in.control",
        "in.decision",
    ] {
        assert!(text.contains(&format!("`cadre.<p>.{kind}.")), "{kind} is not explained");
    }
    for action in ["pause", "resume", "kill", "retry", "addBudget"] {
        assert!(text.contains(&format!("`{action}`")), "{action} is not explained");
    }
}

#[test]
fn the_examples_are_read() {
    let text = readme();
    let examples: Vec<bytes::Bytes> = text
        .split("```json\n")
        .skip(1)
        .map(|part| part.split("```").next().unwrap().trim().to_owned().into())
        .collect();
    let [order, report, failed, cancel, control, decision, entry] = examples.as_slice() else {
        panic!("seven examples")
    };
    let none = cadre_proto::Blobs::new();
    let content = ContentType::Json;
    let order = order::parse(order, content).unwrap().into_core(&none).unwrap();
    let report = report::parse(report, content).unwrap().into_core(&none).unwrap();
    assert_eq!(report.check(&order.attempt), Ok(()));
    let entry = journal::parse(entry, content).unwrap().into_core(&none).unwrap();
    assert_eq!(entry.rev, 2);
    let failed = report::parse(failed, content).unwrap().into_core(&none).unwrap();
    assert_eq!(failed.check(&order.attempt), Ok(()));
    assert_eq!(cadre_proto::cancel::decode(cancel, content).unwrap().by, "ada");
    let control = cadre_proto::control::decode(control, content).unwrap();
    assert!(matches!(control.action, Action::AddBudget(_)), "{control:?}");
    let decision = decision::parse(decision, content).unwrap().into_core(&none).unwrap();
    assert!(matches!(decision.ruling, Ruling::GrantWith(_)), "{decision:?}");
}

#[test]
fn alerts_are_explained_by_an_example_that_is_read_and_every_kind() {
    let text = readme();
    let example = text.split("```json alert\n").nth(1).unwrap().split("```").next().unwrap();
    let alert = Alert::decode(example.as_bytes()).unwrap();
    assert_eq!((alert.key.kind, alert.state()), (Kind::Unserved, "open"));
    for kind in Kind::ALL {
        assert!(text.contains(&format!("`{kind}`")), "{kind} is not explained");
    }
}
