//! The values whose bytes are golden since journals of calls. Never edit one: add another.

use std::sync::Arc;

use cadre_core::{
    journal::{CallKind, CallOutcome, CallRuling, Claim, Entry, Fact, Intent, Ruled},
    payload::Hash,
    task::{Ask, AskKind, Event, Failure, FailureKind, Order, Outcome, Report, Ruling, Usage},
    workflow::Grant,
};

use crate::{
    sample::{json, large, order, plain_ask, reports},
    steered::{GRANT, step},
};

fn happened() -> CallRuling {
    CallRuling::Happened(json(r#"{"receipt":"A-17"}"#))
}

fn by() -> String {
    "ada".to_owned()
}

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let evidence = json(r#"{"calls":[{"call":1,"target":"pay"}]}"#);
    let doubt = Ask { kind: AskKind::Doubt, content: Some(evidence), ..plain_ask() };
    let (step, usage) = (step(), Usage::default());
    let ruled = |ruling| Event::CallRuled { step: step.clone(), by: by(), ruling };
    vec![
        ("record_call_ruled", ruled(happened())),
        ("record_call_ruled_did_not", ruled(CallRuling::DidNot)),
        (
            "record_step_waiting_doubt",
            Event::StepWaiting { step: step.clone(), ask: Arc::new(doubt), usage },
        ),
    ]
}

pub(crate) fn rulings() -> Vec<(&'static str, Ruling)> {
    vec![
        ("decision_call_happened", Ruling::Call(happened())),
        ("decision_call_did_not", Ruling::Call(CallRuling::DidNot)),
    ]
}

pub(crate) fn ruled_order() -> Order {
    let ruled = Ruled { attempt: 1, by: by(), ruling: happened() };
    Order { ruled: Some(ruled), ..order() }
}

pub(crate) fn report() -> Report {
    let (_, like) = reports().remove(0);
    let text = "call 1 (pay: pay 30 EUR) was begun by w1 and has no outcome";
    let failure = Failure::new(FailureKind::OutcomeUnknown, text);
    Report { outcome: Outcome::Failed(failure), ..like }
}

pub(crate) fn entries() -> Vec<(&'static str, Entry)> {
    let intent = Intent {
        kind: CallKind::Tool,
        target: "pay".to_owned(),
        arguments: Hash::of(b"30 EUR"),
        description: "pay 30 EUR to Ada".to_owned(),
        is_idempotent: false,
        reserved: GRANT,
    };
    let asked = Intent { kind: CallKind::Model, is_idempotent: true, ..intent.clone() };
    let cost = Grant { usd_micros: 1_200, tokens: 900 };
    let failed = CallOutcome::Failed(Failure::new(FailureKind::Unavailable, "no answer"));
    let ended = |outcome, cost, ruled_by| Fact::Ended { call: 1, outcome, cost, ruled_by };
    let facts = [
        (
            "journal_claimed",
            Fact::Claimed(Claim { attempt: 2, delivery: 3, worker: "w1".to_owned() }),
        ),
        ("journal_begun", Fact::Begun { call: 1, intent }),
        ("journal_begun_model", Fact::Begun { call: 2, intent: asked }),
        ("journal_done", ended(CallOutcome::Done(json(r#"{"receipt":"A-17"}"#)), cost, None)),
        ("journal_done_large", ended(CallOutcome::Done(large()), cost, None)),
        ("journal_failed", ended(failed.clone(), Grant::default(), None)),
        ("journal_ruled", ended(failed, Grant::default(), Some(by()))),
    ];
    let entry = |(name, fact)| (name, Entry { rev: 5, fact });
    facts.into_iter().map(entry).collect()
}
