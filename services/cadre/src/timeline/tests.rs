use std::sync::Arc;

use cadre_core::{
    ids::TaskId,
    payload::{Hash, Payload},
    task::{
        Ask, AskKind, Budget, Cause, EndStatus, Failure, FailureKind, Goal, GoalLimits, Resource,
    },
    workflow::{Grant, WhenExpired},
};
use serde_json::json;

use super::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn goal() -> Goal {
    Goal {
        task: TaskId::derive(&name("acme"), "order-7"),
        tenant: name("acme"),
        workflow: name("intake"),
        revision: "r".into(),
        key: "order-7".to_owned(),
        digest: Hash::of(b""),
        input: Payload::null(),
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        fork: None,
    }
}

fn record(rev: u64, ms: u64, events: Vec<Event>) -> Record {
    let cause = Cause {
        kind: "report".to_owned(),
        source: String::new(),
        sequence: 0,
        waited: Duration::ZERO,
        models: Vec::new(),
    };
    let (decision, reason) = ("go".to_owned(), "because".to_owned());
    Record { rev, at: UnixMillis(1_000 + ms), cause, decision, reason, events }
}

fn started(step: &StepId, attempt: u32) -> Event {
    Event::StepDispatched {
        step: step.clone(),
        attempt,
        role: name("extractor"),
        input: Payload::null(),
        deadline: UnixMillis(9_000),
        grant: Grant::default(),
    }
}

fn ended(step: &StepId, unsure: Option<&str>, usd_micros: u64) -> Event {
    Event::StepCompleted {
        step: step.clone(),
        output: Payload::null(),
        confidence: unsure.is_none().then_some(0.9),
        unsure: unsure.map(str::to_owned),
        degraded: None,
        usage: Usage { usd_micros, ..Usage::default() },
    }
}

fn ask(question: &str) -> Ask {
    Ask {
        kind: AskKind::Question,
        question: question.to_owned(),
        content: None,
        expires: None,
        when_expired: WhenExpired::Fail,
        quorum: 1,
        four_eyes: false,
        editable: true,
    }
}

fn story() -> Vec<Record> {
    let (a, b) = (StepId::item(name("extract"), 0), StepId::item(name("extract"), 1));
    let items = Payload::from_value(json!([1, 2])).unwrap();
    let failure = Failure::new(FailureKind::Timeout, "no report\u{1b}[2J in 10 s");
    let failed = Event::StepFailed { step: b.clone(), failure, usage: Usage::default() };
    let ask = Arc::new(ask("pay \u{7}now?"));
    let waiting = Event::StepWaiting { step: b.clone(), ask, usage: Usage::default() };
    let skipped = Event::StepSkipped { step: name("brief"), reason: "no need".to_owned() };
    let limit = Event::LimitReached { limit: "steps 60".to_owned(), is_held: false };
    let end = Event::Ended {
        status: EndStatus::Partial,
        reason: "1 part is missing".to_owned(),
        answer: None,
        usage: Usage::default(),
    };
    vec![
        record(
            1,
            0,
            vec![
                Event::Accepted { goal: Arc::new(goal()), deadline: UnixMillis(91_000) },
                Event::Expanded { step: name("extract"), items },
                started(&a, 1),
                started(&b, 2),
            ],
        ),
        record(2, 8, vec![ended(&a, None, 1_200)]),
        record(3, 12, vec![failed]),
        record(4, 20, vec![started(&b, 3)]),
        record(5, 30, vec![ended(&b, Some("two dates"), 0), waiting]),
        record(6, 40, vec![skipped, limit]),
        record(7, 61_234, vec![end]),
    ]
}

fn lines(style: Style) -> Vec<String> {
    let mut timeline = Timeline::new(style);
    story().iter().flat_map(|record| timeline.lines(record)).collect()
}

#[test]
fn a_story_is_told_line_by_line() {
    let expected = "  +0.000s  goal   goal            intake          task TASK, within 1 min 30 s
  +0.000s  split  extract                         2 items
  +0.000s  start  extract-0       extractor
  +0.000s  start  extract-1       extractor       attempt 2
  +0.008s  done   extract-0       extractor       8 ms  confidence 0.90  $0.0012
  +0.012s  fail   extract-1       extractor       timeout: no report [2J in 10 s  12 ms
  +0.020s  start  extract-1       extractor       attempt 3
  +0.030s  maybe  extract-1       extractor       10 ms  unsure: two dates
  +0.030s  ask    extract-1       extractor       waits for a person: pay  now?
  +0.040s  skip   brief                           no need
  +0.040s  limit  limit                           steps 60
 +61.234s  end    task            partial         1 part is missing";
    let expected = expected.replace("TASK", goal().task.as_str());
    assert_eq!(lines(Style::plain()).join("\n"), expected);
}

fn delayed(step: &StepId, role: &str, until: u64, degraded: Option<&str>) -> Event {
    Event::StepDelayed {
        step: step.clone(),
        role: name(role),
        degraded: degraded.map(str::to_owned),
        input: Payload::null(),
        until: UnixMillis(1_000 + until),
        reason: "attempt 1 failed (timeout): no report".to_owned(),
        failure: None,
        usage: Usage::default(),
    }
}

/// A task that waits, falls back, asks, spends, and is steered.
fn steered() -> Vec<Record> {
    let (step, pay) = (StepId::single(name("extract")), StepId::single(name("pay")));
    let approval = Ask {
        kind: AskKind::Approval,
        quorum: 2,
        expires: Some(UnixMillis(61_040)),
        ..ask("pay?")
    };
    let asked =
        Event::StepWaiting { step: pay.clone(), ask: approval.into(), usage: Usage::default() };
    let (by, limit) = ("ada".to_owned(), "max_usd: 0 of 5 are left".to_owned());
    let budget = Budget { steps: 1, usd_micros: 50_000, ..Budget::default() };
    let (resource, text) = (Resource::Steps, "48 of 60 steps are used".to_owned());
    let (what, why) = ("pause".to_owned(), "too late".to_owned());
    let accepted = Event::Accepted { goal: Arc::new(goal()), deadline: UnixMillis(91_000) };
    vec![
        record(1, 0, vec![accepted, started(&step, 1)]),
        record(2, 10, vec![delayed(&step, "extractor", 1_210, None)]),
        record(3, 20, vec![delayed(&step, "spare", 20, Some("it is down"))]),
        record(4, 30, vec![ended(&step, None, 0)]),
        record(5, 40, vec![asked]),
        record(6, 50, vec![Event::Voted { step: pay, by: by.clone() }]),
        record(7, 60, vec![Event::BudgetNear { resource, text }]),
        record(8, 70, vec![Event::LimitReached { limit, is_held: true }]),
        record(9, 80, vec![Event::BudgetAdded { by: by.clone(), key: "k".to_owned(), budget }]),
        record(10, 90, vec![Event::Paused { by: by.clone() }, Event::Resumed { by }]),
        record(11, 99, vec![Event::Refused { what, why }]),
    ]
}

#[test]
fn waits_and_wishes_are_told_too() {
    let mut timeline = Timeline::new(Style::plain());
    let lines: Vec<_> =
        steered().iter().flat_map(|record| timeline.lines(record)).skip(2).collect();
    let expected = "  +0.010s  later  extract         extractor       \
                    waits 1.2 s: attempt 1 failed (timeout): no report
  +0.020s  later  extract         spare           \
                    goes to role spare (degraded): attempt 1 failed (timeout): no report
  +0.030s  done   extract         spare           10 ms  confidence 0.90  degraded
  +0.040s  ask    pay                             \
                    waits for approval: pay?  2 must agree  within 1 min 0 s
  +0.050s  vote   pay                             ada agrees (1 of 2)
  +0.060s  limit  budget                          48 of 60 steps are used
  +0.070s  limit  budget                          \
                    waits for a larger budget: max_usd: 0 of 5 are left
  +0.080s  add    budget                          ada added 1 step, $0.05
  +0.090s  pause  task                            paused by ada
  +0.090s  go     task                            resumed by ada
  +0.099s  no     task                            pause refused: too late";
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn a_terminal_gets_glyphs_and_colours() {
    let all = lines(Style { has_color: true, has_glyphs: true }).join("\n");
    assert!(all.contains('✓') && all.contains("\u{1b}[32m"), "{all}");
    let glyphs = lines(Style { has_color: false, has_glyphs: true }).join("\n");
    assert!(glyphs.contains('✗') && !glyphs.contains('\u{1b}'), "{glyphs}");
    assert!(lines(Style::plain()).iter().all(|line| line.is_ascii()));
}

#[test]
fn the_timeline_knows_where_the_task_stands() {
    let mut timeline = Timeline::new(Style::plain());
    assert!(timeline.task().is_none());
    for record in story() {
        timeline.lines(&record);
    }
    assert_eq!(timeline.task().unwrap().status(), "partial");
}
