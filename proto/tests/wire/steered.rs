//! The values whose bytes are golden since schema 2. Never edit one: add another.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::Hash,
    task::{
        Action, Ask, AskKind, Budget, Cause, Control, Decision, EndStatus, Event, Failure,
        FailureKind, Fork, ModelUse, Order, Outcome, Record, Report, Resource, Ruling, Usage,
    },
    workflow::{Grant, WhenExpired},
};

use crate::{
    called,
    sample::{DEADLINE, USAGE, json, large, name, order, plain_ask, record, reports},
};

pub(crate) const GRANT: Grant = Grant { usd_micros: 20_000, tokens: 8_000 };
const BUDGET: Budget =
    Budget { steps: 10, usd_micros: 50_000, tokens: 1_000, time: Duration::from_millis(1_500) };

pub(crate) fn step() -> StepId {
    StepId::item(name("extract"), 3)
}

fn by() -> String {
    "Ada Löwe".to_owned()
}

fn limited() -> Failure {
    Failure {
        refused: Some(json(r#"{"status": 429}"#)),
        retry_after: Some(Duration::from_millis(2_500)),
        ..Failure::new(FailureKind::RateLimited, "the model asks for patience")
    }
}

/// Why an output is degraded, as a report and a record have it.
const DEGRADED: &str = "model second/b answered, not first/a: its breaker is open";

fn degraded_event() -> Event {
    Event::StepCompleted {
        step: step(),
        output: json(r#"{"terms":[]}"#),
        confidence: None,
        unsure: None,
        degraded: Some(DEGRADED.to_owned()),
        usage: USAGE,
    }
}

/// Each holds something that a reader of schema 1 does not know.
pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let mut events = waiting_events();
    events.extend(budget_events());
    let all = events.iter().map(|(_, event)| event.clone()).collect();
    let mut records: Vec<_> =
        events.into_iter().map(|(name, event)| (name, record(7, vec![event]))).collect();
    records.push(("record_steered", record(8, all)));
    records.push(("record_step_completed_degraded", record(9, vec![degraded_event()])));
    records.push(("record_step_completed_models", modelled()));
    records.extend(saga().into_iter().map(|(name, event)| (name, record(9, vec![event]))));
    let called = called::events().into_iter();
    records.extend(called.map(|(name, event)| (name, record(7, vec![event]))));
    records
}

fn waiting_events() -> Vec<(&'static str, Event)> {
    let approval = Ask {
        kind: AskKind::Approval,
        question: "pay?".to_owned(),
        expires: Some(DEADLINE),
        when_expired: WhenExpired::Accept,
        quorum: 2,
        four_eyes: true,
        editable: false,
        ..plain_ask()
    };
    let denied = Failure::new(FailureKind::Denied, "ada denied it");
    let (input, usage) = (json("null"), Usage::default());
    vec![
        (
            "record_step_dispatched_grant",
            Event::StepDispatched {
                step: step(),
                attempt: 1,
                role: name("extractor"),
                input,
                deadline: DEADLINE,
                grant: GRANT,
            },
        ),
        ("record_step_delayed", delayed(None, name("extractor"), Some(limited()))),
        (
            "record_step_delayed_degraded",
            delayed(Some("role extractor failed (timeout)"), name("spare"), None),
        ),
        ("record_step_failed_denied", Event::StepFailed { step: step(), failure: denied, usage }),
        (
            "record_step_waiting_approval",
            Event::StepWaiting { step: step(), ask: Arc::new(approval), usage },
        ),
        ("record_voted", Event::Voted { step: step(), by: by() }),
    ]
}

fn delayed(degraded: Option<&str>, role: Name, failure: Option<Failure>) -> Event {
    Event::StepDelayed {
        step: step(),
        role,
        degraded: degraded.map(str::to_owned),
        input: json(r#"{"text":"1. Term."}"#),
        until: DEADLINE,
        reason: "attempt 1 failed (rate_limited): the model asks for patience".to_owned(),
        failure,
        usage: USAGE,
    }
}

fn budget_events() -> Vec<(&'static str, Event)> {
    let limit = "max_usd: 0 of 250000 micro-USD are left, 20000 are needed".to_owned();
    let text = "201000 of 250000 micro-USD are used".to_owned();
    let why = "the task has all its parts already".to_owned();
    vec![
        ("record_limit_reached_held", Event::LimitReached { limit, is_held: true }),
        ("record_budget_near", Event::BudgetNear { resource: Resource::Usd, text }),
        (
            "record_budget_added",
            Event::BudgetAdded { by: by(), key: "more-1".to_owned(), budget: BUDGET },
        ),
        ("record_paused", Event::Paused { by: by() }),
        ("record_resumed", Event::Resumed { by: by() }),
        ("record_refused", Event::Refused { what: "pause".to_owned(), why }),
    ]
}

fn fork() -> Fork {
    let task = TaskId::derive(&name("acme"), "order-7");
    Fork { task, rev: 12, from: name("draft") }
}

fn saga() -> Vec<(&'static str, Event)> {
    let reason = || "cancelled by Ada Löwe: the client withdrew".to_owned();
    let (status, answer, usage) = (EndStatus::Cancelled, Some(json("{}")), USAGE);
    let winners = vec![step(), StepId::single(name("draft"))];
    let (output, unsure) = (json(r#"{"term": 12}"#), Some("the page is torn".to_owned()));
    vec![
        (
            "record_compensating",
            Event::Compensating { status, reason: reason(), answer, usage, until: DEADLINE },
        ),
        (
            "record_joined",
            Event::Joined {
                step: name("merge"),
                winners: winners.clone(),
                stopped: vec![name("slow")],
                reason: "2 of 3 were enough, and these were first".to_owned(),
                usage: Usage::default(),
            },
        ),
        (
            "record_joined_paid",
            Event::Joined {
                step: name("merge"),
                winners,
                stopped: vec![name("slow")],
                reason: "2 of 3 were enough, and these were first".to_owned(),
                usage: USAGE,
            },
        ),
        ("record_retried", Event::Retried { step: step(), by: by(), freed: vec![name("merge")] }),
        (
            "record_taken_over",
            Event::TakenOver { step: step(), output, confidence: Some(0.75), unsure, rev: 5 },
        ),
        ("record_forked", Event::Forked { fork: fork() }),
    ]
}

pub(crate) fn near_order() -> Order {
    Order { near: vec![Resource::Usd, Resource::Tokens], ..order() }
}

pub(crate) fn granted_order() -> Order {
    Order { grant: GRANT, ..order() }
}

pub(crate) fn report() -> Report {
    let (_, like) = reports().remove(0);
    Report { outcome: Outcome::Failed(limited()), ..like }
}

pub(crate) fn degraded_report() -> Report {
    let (_, like) = reports().remove(0);
    Report { degraded: Some(DEGRADED.to_owned()), ..like }
}

/// A report whose worker says who answered.
fn modelled() -> Record {
    let like = record(9, vec![degraded_event()]);
    Record { cause: Cause { models: models(), ..like.cause }, ..like }
}

fn models() -> Vec<ModelUse> {
    let of = |model: &str, calls, usd_micros, tokens| ModelUse {
        model: model.to_owned(),
        calls,
        usd_micros,
        tokens,
    };
    vec![of("openai/gpt-5-mini", 2, 1_200, 3_000), of("anthropic/claude", 1, 34, 456)]
}

pub(crate) fn models_report() -> Report {
    let (_, like) = reports().remove(0);
    Report { models: models(), ..like }
}

pub(crate) fn controls() -> Vec<(&'static str, Control)> {
    let control = |action| Control {
        by: by(),
        reason: "the client called".to_owned(),
        key: "wish-1".to_owned(),
        action,
    };
    vec![
        ("control_pause", control(Action::Pause)),
        ("control_resume", control(Action::Resume)),
        ("control_kill", control(Action::Kill)),
        ("control_add_budget", control(Action::AddBudget(BUDGET))),
        ("control_retry", control(Action::Retry(Some(step())))),
        ("control_retry_all", control(Action::Retry(None))),
    ]
}

pub(crate) fn decisions() -> Vec<(&'static str, Decision)> {
    let decision = |ruling| Decision {
        step: step(),
        by: by(),
        hash: Hash::of(b"what was shown"),
        ruling,
        comment: "as agreed".to_owned(),
    };
    vec![
        ("decision_grant", decision(Ruling::Grant)),
        ("decision_grant_with", decision(Ruling::GrantWith(json(r#"{"total": 1.50}"#)))),
        ("decision_grant_with_null", decision(Ruling::GrantWith(json("null")))),
        ("decision_grant_with_large", decision(Ruling::GrantWith(large()))),
        ("decision_deny", decision(Ruling::Deny)),
    ]
    .into_iter()
    .chain(called::rulings().into_iter().map(|(name, ruling)| (name, decision(ruling))))
    .collect()
}
