//! The values whose bytes are golden. Never edit one: add another.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    task::{
        Ask, AskKind, Cancel, Cause, EndStatus, Event, Failure, FailureKind, Goal, GoalLimits,
        Order, Outcome, Record, Report, Usage,
    },
    time::UnixMillis,
    workflow::{Grant, WhenExpired},
};
use cadre_proto::order::Contracts;

pub(crate) const TXN: [u8; 16] = *b"0123456789abcdef";
pub(crate) const CONTRACTS: Contracts<'static> =
    Contracts { accepts: "chunk@1", returns: "terms@2" };
pub(crate) const USAGE: Usage = Usage { usd_micros: 1_250, tokens: 830, work_ms: 412 };
pub(crate) const DEADLINE: UnixMillis = UnixMillis(1_767_225_690_000);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::parse(text.as_bytes()).unwrap()
}

/// A document that travels by reference.
pub(crate) fn large() -> Payload {
    Payload::from_value("clause ".repeat(10_000).into()).unwrap()
}

pub(crate) fn goal() -> Goal {
    Goal {
        task: TaskId::derive(&name("acme"), "order-7"),
        tenant: name("acme"),
        workflow: name("contract-intake"),
        revision: Arc::from("5f1d".repeat(16)),
        key: "order-7".to_owned(),
        digest: Hash::of(b"order-7"),
        input: json(r#"{ "text": "1. Term. …", "pages": 3 }"#),
        deadline: Some(DEADLINE),
        limits: GoalLimits {
            steps_max: Some(60),
            usd_micros_max: Some(250_000),
            tokens_max: Some(200_000),
        },
        user: Some("ada".to_owned()),
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        fork: None,
    }
}

fn bare_goal() -> Goal {
    Goal {
        input: json("null"),
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        ..goal()
    }
}

pub(crate) fn goals() -> Vec<(&'static str, Goal)> {
    vec![("goal", goal()), ("goal_bare", bare_goal())]
}

pub(crate) fn order() -> Order {
    Order {
        goal: Arc::new(goal()),
        step: StepId::item(name("extract"), 3),
        attempt: 2,
        role: name("extractor"),
        input: json(r#"{"text":"1. Term.","kind":"msa"}"#),
        deadline: DEADLINE,
        grant: Grant::default(),
        ruled: None,
        near: Vec::new(),
        rev: 4,
    }
}

pub(crate) fn cancel() -> Cancel {
    Cancel { by: "ada".to_owned(), reason: "wrong document".to_owned() }
}

pub(crate) fn reports() -> Vec<(&'static str, Report)> {
    let outcomes = [
        (
            "report_completed",
            Outcome::Completed { output: json(r#"{"terms":[]}"#), confidence: Some(0.75) },
        ),
        ("report_completed_large", Outcome::Completed { output: large(), confidence: None }),
        (
            "report_unsure",
            Outcome::Unsure {
                output: Some(json(r#"{"terms":[1]}"#)),
                confidence: Some(0.0),
                reason: "the scan is bad".to_owned(),
            },
        ),
        ("report_failed", Outcome::Failed(Failure::new(FailureKind::Error, "the parser gave up"))),
        (
            "report_handoff",
            Outcome::Handoff { to: name("lawyer"), reason: "foreign law".to_owned(), output: None },
        ),
        ("report_needs_human", Outcome::NeedsHuman { question: "which page?".to_owned() }),
    ];
    let report = |outcome| Report {
        role: name("extractor"),
        step: StepId::item(name("extract"), 3),
        attempt: 2,
        outcome,
        usage: USAGE,
        models: Vec::new(),
        degraded: None,
        worker: "worker-1".to_owned(),
    };
    outcomes.into_iter().map(|(name, outcome)| (name, report(outcome))).collect()
}

pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let accepted = Event::Accepted { goal: Arc::new(goal()), deadline: DEADLINE };
    let mut records = vec![("record_accepted", record(1, vec![accepted]))];
    records.extend(later_events().into_iter().map(|(name, event)| (name, record(5, vec![event]))));
    let events = later_events().into_iter().map(|(_, event)| event).collect();
    records.push(("record_many", record(6, events)));
    records
}

pub(crate) fn record(rev: u64, events: Vec<Event>) -> Record {
    Record {
        rev,
        at: UnixMillis(1_767_225_600_123),
        cause: Cause {
            kind: "report".to_owned(),
            source: "extract-3#2".to_owned(),
            sequence: 77,
            waited: Duration::from_micros(1_234),
            models: Vec::new(),
        },
        decision: "accept".to_owned(),
        reason: "the report is valid".to_owned(),
        events,
    }
}

/// Every event but the acceptance.
fn later_events() -> Vec<(&'static str, Event)> {
    let mut events = step_events();
    events.extend(last_events());
    events
}

fn step_events() -> Vec<(&'static str, Event)> {
    let step = StepId::item(name("extract"), 3);
    let refused = Failure {
        kind: FailureKind::InvalidOutput,
        message: "/terms: is missing".to_owned(),
        refused: Some(json(r#"{"term":[]}"#)),
        retry_after: None,
    };
    vec![
        (
            "record_expanded",
            Event::Expanded { step: name("extract"), items: json(r#"["a", "b"]"#) },
        ),
        (
            "record_step_dispatched",
            Event::StepDispatched {
                step: step.clone(),
                attempt: 2,
                role: name("extractor"),
                input: json(r#"{"text":"1. Term."}"#),
                deadline: DEADLINE,
                grant: Grant::default(),
            },
        ),
        (
            "record_step_completed",
            Event::StepCompleted {
                step: step.clone(),
                output: json(r#"{"terms": [1.0]}"#),
                confidence: Some(0.75),
                unsure: Some("the scan is bad".to_owned()),
                degraded: None,
                usage: USAGE,
            },
        ),
        (
            "record_step_completed_large",
            Event::StepCompleted {
                step: StepId::single(name("classify")),
                output: large(),
                confidence: None,
                unsure: None,
                degraded: None,
                usage: Usage::default(),
            },
        ),
        (
            "record_step_failed",
            Event::StepFailed { step: step.clone(), failure: refused, usage: USAGE },
        ),
        (
            "record_step_skipped",
            Event::StepSkipped { step: name("extract"), reason: "not an msa".to_owned() },
        ),
        (
            "record_step_waiting",
            Event::StepWaiting { step, ask: Arc::new(plain_ask()), usage: USAGE },
        ),
    ]
}

/// What a worker could ask from the beginning.
pub(crate) fn plain_ask() -> Ask {
    Ask {
        kind: AskKind::Question,
        question: "which page?".to_owned(),
        content: Some(json("3")),
        expires: None,
        when_expired: WhenExpired::Fail,
        quorum: 1,
        four_eyes: false,
        editable: true,
    }
}

fn last_events() -> Vec<(&'static str, Event)> {
    vec![
        (
            "record_limit_reached",
            Event::LimitReached { limit: "steps_max 60".to_owned(), is_held: false },
        ),
        (
            "record_ended",
            Event::Ended {
                status: EndStatus::Partial,
                reason: "extract-3 failed".to_owned(),
                answer: Some(json(r#"{"result":{},"missing":[]}"#)),
                usage: USAGE,
            },
        ),
    ]
}
