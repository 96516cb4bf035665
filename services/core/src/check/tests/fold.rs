//! Corruptions of what the records say: forged with hashes and guards that fit.

use serde_json::{Value, json};

use super::{
    kit::{self, History, history, name, payload, step, task},
    *,
};
use crate::{
    ids::{Partition, StepId},
    task::{Ask, AskKind, EndStatus, Failure, FailureKind, Task, Usage},
    time::UnixMillis,
    workflow::{Grant, WhenExpired},
};

pub(super) fn found(what: &str, corrupt: impl FnOnce(&mut History), expected: Rule) {
    let mut history = history();
    corrupt(&mut history);
    history.rechain();
    let verdict = history.check();
    // What is forged owes things that nobody paid: only what the fold says counts here.
    let rules: Vec<_> = verdict.violations.iter().map(|it| it.rule).collect();
    assert_eq!(rules, [expected], "{what}: {:?}", verdict.violations);
}

pub(super) fn dispatched(id: &str, attempt: u32, deadline: u64) -> Event {
    let (role, input) = (name("reader"), payload(json!({})));
    let (deadline, grant) = (UnixMillis(deadline), Grant::default());
    Event::StepDispatched { step: step(id), attempt, role, input, deadline, grant }
}

pub(super) fn completed(id: &str) -> Event {
    let (output, usage) = (payload(json!({})), Usage::default());
    let (step, unsure, degraded) = (step(id), None, None);
    Event::StepCompleted { step, output, confidence: None, unsure, degraded, usage }
}

pub(super) fn failed(id: &str) -> Event {
    let failure = Failure::new(FailureKind::Error, "forged");
    Event::StepFailed { step: step(id), failure, usage: Usage::default() }
}

fn waiting(id: &str) -> Event {
    let ask = Ask {
        kind: AskKind::Question,
        question: "?".to_owned(),
        content: None,
        expires: None,
        when_expired: WhenExpired::Fail,
        quorum: 1,
        four_eyes: false,
        editable: true,
    };
    Event::StepWaiting { step: step(id), ask: ask.into(), usage: Usage::default() }
}

fn skipped(id: &str) -> Event {
    Event::StepSkipped { step: name(id), reason: "forged".to_owned() }
}

fn ended(answer: Option<Payload>) -> Event {
    let (status, reason) = (EndStatus::Failed, "forged".to_owned());
    Event::Ended { status, reason, answer, usage: Usage::default() }
}

pub(super) fn forged(key: &'static str, events: Vec<Event>) -> impl FnOnce(&mut History) {
    move |it| it.forge(key, events)
}

#[test]
fn each_impossible_event_is_found() {
    let late = u64::MAX;
    let cases = [
        ("after the end", "done", vec![ended(None)]),
        ("ended twice", "open", vec![ended(None), ended(None)]),
        ("an answer of nobody", "open", vec![ended(Some(payload(json!({}))))]),
        ("completed out of nothing", "open", vec![completed("part-0")]),
        ("asked about out of nothing", "open", vec![waiting("part-0")]),
        ("skipped while open", "open", vec![skipped("read")]),
        ("dispatched while open", "open", vec![dispatched("read", 2, late)]),
        (
            "the first attempt again",
            "open",
            vec![failed("read"), dispatched("read", 1, kit::READ_DEADLINE)],
        ),
        ("an attempt left out", "open", vec![failed("read"), dispatched("read", 3, late)]),
        ("begins with the second", "open", vec![dispatched("bad", 2, late)]),
        ("again after completion", "open", vec![completed("read"), dispatched("read", 2, late)]),
        ("an item of no list", "open", vec![dispatched("part-0", 1, late)]),
        ("aggregated too early", "open", vec![dispatched("aggregate", 1, late)]),
    ];
    for (what, key, events) in cases {
        found(what, forged(key, events), Rule::LegalFold);
    }
    let list = || Event::Expanded { step: name("part"), items: payload(json!([1, 2])) };
    found("expanded twice", forged("open", vec![list(), list()]), Rule::LegalFold);
    let beyond = vec![list(), dispatched("part-2", 1, late)];
    found("an item beyond the list", forged("open", beyond), Rule::LegalFold);
    let beside = vec![list(), dispatched("part", 1, late)];
    found("beside its items", forged("open", beside), Rule::LegalFold);
}

#[test]
fn a_refusal_after_the_end_is_no_news() {
    let refused = || Event::Refused { what: "decision".to_owned(), why: "it ended".to_owned() };
    let mut history = history();
    history.forge("done", vec![refused()]);
    history.rechain();
    let verdict = history.check();
    assert!(verdict.violations.is_empty(), "{:?}", verdict.violations);
    let with_more = vec![refused(), completed("read")];
    found("more than a refusal", forged("done", with_more), Rule::LegalFold);
}

#[test]
fn a_log_that_begins_or_goes_back_is_found() {
    found(
        "no acceptance",
        |it| drop(it.record("asked", 1).record.events.remove(0)),
        Rule::LegalFold,
    );
    found(
        "accepted twice",
        |it| {
            let event = it.record("asked", 1).record.events[0].clone();
            it.record("asked", 2).record.events.push(event);
        },
        Rule::LegalFold,
    );
    found("time goes back", |it| it.record("asked", 2).record.at = UnixMillis(1), Rule::LegalFold);
}

#[test]
fn an_attempt_that_ends_twice_is_found() {
    for (what, events) in [
        ("failed twice", vec![failed("read"), failed("read")]),
        ("failed after completion", vec![completed("read"), failed("read")]),
        ("completed after failure", vec![failed("read"), completed("read")]),
        ("asked about after failure", vec![failed("read"), waiting("read")]),
        ("asked about twice", vec![waiting("read"), waiting("read")]),
    ] {
        found(what, forged("open", events), Rule::AttemptOnce);
    }
    let twice = vec![completed("read"), completed("read")];
    found("two results", forged("open", twice), Rule::OneResult);
}

#[test]
fn a_task_in_the_wrong_place_is_found() {
    fn accepted(it: &mut History) -> &mut crate::task::Goal {
        let Event::Accepted { goal, .. } = &mut it.record("asked", 1).record.events[0] else {
            panic!("a log begins so")
        };
        std::sync::Arc::make_mut(goal)
    }
    found("another key", |it| accepted(it).key = "other".to_owned(), Rule::TaskOfKey);
    found("another tenant", |it| accepted(it).tenant = name("globex"), Rule::TaskOfKey);
    found("another task", |it| accepted(it).task = task("open"), Rule::TaskOfKey);
    found(
        "another partition",
        |it| it.record("asked", 1).partition = Partition(999),
        Rule::TaskOfKey,
    );
}

#[test]
fn an_order_at_a_limit_or_beyond_the_deadline_is_found() {
    let limit = || Event::LimitReached { limit: "max_usd".to_owned(), is_held: false };
    found(
        "after a limit",
        forged("open", vec![limit(), dispatched("bad", 1, 2)]),
        Rule::NoLateOrder,
    );
    found(
        "it outlives the task",
        forged("open", vec![dispatched("bad", 1, u64::MAX)]),
        Rule::NoLateOrder,
    );
    found(
        "after the deadline",
        |it| {
            it.forge("open", vec![dispatched("bad", 1, 2)]);
            it.record("open", 2).record.at = UnixMillis(u64::MAX);
        },
        Rule::NoLateOrder,
    );
}

#[test]
fn what_expires_before_its_time_is_found() {
    found(
        "at once",
        |it| {
            it.forge("open", vec![failed("read")]);
            let record = &mut it.record("open", 2).record;
            (record.cause.kind, record.decision) = ("timer".to_owned(), "expire".to_owned());
        },
        Rule::TimerNotEarly,
    );
}

/// The aggregator's input, changed.
fn parts(it: &mut History, change: impl FnOnce(&mut Value)) {
    let is_it = |event: &Event| matches!(event, Event::StepDispatched { step, .. } if *step == StepId::single(name("aggregate")));
    let (rev, index) = it.with("done", is_it);
    let Event::StepDispatched { input, .. } = &mut it.record("done", rev).record.events[index]
    else {
        panic!("found above")
    };
    let mut parts = input.value().clone();
    change(&mut parts);
    *input = payload(parts);
}

#[test]
fn an_aggregation_of_other_parts_is_found() {
    let change = |change: fn(&mut Value)| move |it: &mut History| parts(it, change);
    let rule = Rule::AggregateParts;
    found("no gaps", change(|it| it["gaps"] = json!([])), rule);
    found("a gap that is none", change(|it| it["gaps"][0]["step"] = json!("read")), rule);
    found(
        "a gap of nothing",
        change(|it| {
            let gaps = it["gaps"].as_array_mut().unwrap();
            gaps.push(json!({"step": "other", "cause": "x"}));
        }),
        rule,
    );
    found(
        "a part of a failed step",
        change(|it| {
            it["fields"][2]["candidates"] =
                json!([{"value": 1, "from": "bad.x", "confidence": null}]);
        }),
        rule,
    );
    found("no request", change(|it| *it = json!([])), rule);
}

#[test]
fn a_state_that_depends_on_more_than_the_log_is_found() {
    let mut history = history();
    let records: Vec<_> = [1, 2].map(|rev| history.record("asked", rev).record.clone()).into();
    let task = Task::replay(&records).unwrap();
    let mut other = task.clone();
    other.dispatches += 1;
    let same = |one, two| tasks::same_state(&task, Some(one), Some(two));
    assert_eq!(same(&task, &task), Ok(()));
    assert!(same(&task, &other).is_err() && same(&other, &task).is_err());
    assert!(tasks::same_state(&other, Some(&task), Some(&task)).is_err());
    assert!(tasks::same_state(&task, None, Some(&task)).is_err());
}
