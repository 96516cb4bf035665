use std::sync::Arc;

use super::*;
use crate::{
    ids::{Name, Partition, StepId, TaskId},
    payload::{Hash, Payload},
    ports::LoadError,
    task::{
        Ask, AskKind, Cause, EndStatus, Event, Goal, GoalLimits, Record, Resource, Task, Usage,
    },
    workflow::{Grant, WhenExpired},
};

const PARTITION: Partition = Partition(3);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn id() -> TaskId {
    TaskId::derive(&name("acme"), "order-7")
}

fn nothing() -> Payload {
    Payload::from_value(serde_json::json!({})).unwrap()
}

fn accepted() -> Event {
    let goal = Goal {
        task: id(),
        tenant: name("acme"),
        workflow: name("order"),
        revision: "r".into(),
        key: "order-7".to_owned(),
        digest: Hash::default(),
        input: nothing(),
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        fork: None,
    };
    Event::Accepted { goal: Arc::new(goal), deadline: at(600) }
}

fn dispatched(step: &str, deadline: UnixMillis) -> Event {
    let (step, role) = (StepId::parse(step).unwrap(), name("reader"));
    let grant = Grant::default();
    Event::StepDispatched { step, attempt: 1, role, input: nothing(), deadline, grant }
}

fn waiting(expires: Option<UnixMillis>) -> Event {
    let ask = Ask {
        kind: AskKind::Approval,
        question: "pay it?".to_owned(),
        content: None,
        expires,
        when_expired: WhenExpired::Fail,
        quorum: 1,
        four_eyes: false,
        editable: false,
    };
    let step = StepId::parse("allow").unwrap();
    Event::StepWaiting { step, ask: Arc::new(ask), usage: Usage::default() }
}

fn ended() -> Event {
    let reason = "every part is there".to_owned();
    Event::Ended { status: EndStatus::Completed, reason, answer: None, usage: Usage::default() }
}

/// The task after these events, one record a second.
fn task(events: &[Event]) -> Task {
    let records: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(place, event)| Record {
            rev: place as u64 + 1,
            at: at(place as u64),
            cause: Cause {
                kind: "goal".to_owned(),
                source: String::new(),
                sequence: 1,
                waited: Duration::ZERO,
                models: Vec::new(),
            },
            decision: "go".to_owned(),
            reason: "as declared".to_owned(),
            events: vec![event.clone()],
        })
        .collect();
    Task::replay(&records).unwrap()
}

fn look(task: &Task, timer: Option<TimerState>, seconds: u64) -> Option<Examined> {
    let mut queues = Queues::default();
    let lonely =
        Queue { subject: "partition.9".to_owned(), pending: 1, held: 0, waiting: 0, moved: 0 };
    queues.take(&[lonely], at(seconds), &settings());
    examine((task, timer), PARTITION, &queues, (at(seconds), &settings()))
}

#[test]
fn a_task_is_stuck_when_its_own_time_has_passed_and_a_grace() {
    let open = task(&[accepted(), dispatched("read", at(60))]);
    let calm = look(&open, None, 89).unwrap();
    assert_eq!(calm, Examined { findings: Vec::new(), again_at: at(90), questions: 0 });
    let found = look(&open, Some(TimerState::Missing), 90).unwrap();
    assert_eq!(causes(&found.findings), [("stuck", id().as_str(), "timer_lost")]);
    let text = &found.findings[0].text;
    assert!(text.contains("should have gone on 30.0 s ago"), "{text}");
    assert!(text.contains("Step read waits for a report of role reader."), "{text}");
    let next = &found.findings[0].next;
    assert!(next.contains(&format!("nats pub cadre.3.in.timer.wake.{} ''", id())), "{next}");
    assert_eq!(found.again_at, at(120));
    let over = task(&[accepted(), dispatched("read", at(60)), ended()]);
    assert_eq!(look(&over, None, 999), None);
}

#[test]
fn the_cause_is_where_its_timer_is() {
    let open = task(&[accepted(), dispatched("read", at(60))]);
    for (timer, expected) in [
        (TimerState::Missing, "timer_lost"),
        (TimerState::Set, "not_fired"),
        (TimerState::Fired, "not_forwarded"),
        (TimerState::Queued, "not_taken"),
    ] {
        let found = look(&open, Some(timer), 100).unwrap();
        assert_eq!(found.findings[0].cause, expected);
        assert!(!found.findings[0].next.is_empty());
    }
    let mut queues = Queues::default();
    let (subject, now) = ("partition.3".to_owned(), at(100));
    let lonely = Queue { subject, pending: 1, held: 0, waiting: 0, moved: 0 };
    queues.take(&[lonely], now, &settings());
    let timer = Some(TimerState::Queued);
    let found = examine((&open, timer), PARTITION, &queues, (now, &settings())).unwrap();
    assert_eq!(found.findings[0].cause, "no_owner");
}

#[test]
fn a_task_with_nothing_out_and_nothing_due_is_stuck() {
    let open = task(&[accepted()]);
    assert!(look(&open, None, 29).unwrap().findings.is_empty());
    let found = look(&open, Some(TimerState::Missing), 30).unwrap();
    assert!(found.findings[0].text.ends_with("Nothing of it is out."), "{found:?}");
}

#[test]
fn who_waits_as_it_should_is_no_alert() {
    let paused = Event::Paused { by: "ann".to_owned() };
    let long = task(&[accepted(), paused]);
    assert_eq!(look(&long, None, 500).unwrap().findings, []);
    let asked = task(&[accepted(), waiting(None)]);
    assert_eq!(look(&asked, None, 500).unwrap().findings, []);
}

#[test]
fn a_question_is_an_alert_shortly_before_it_expires() {
    let asked = task(&[accepted(), waiting(Some(at(401)))]);
    let calm = look(&asked, None, 300).unwrap();
    assert_eq!((calm.findings.len(), calm.again_at), (0, at(301)), "a quarter of 400 s before");
    let found = look(&asked, None, 301).unwrap();
    assert_eq!(causes(&found.findings), [("question_expiring", id().as_str(), "expiring")]);
    assert!(found.findings[0].text.ends_with("pay it?"), "{found:?}");
}

#[test]
fn budgets_are_near_then_over() {
    let near = Event::BudgetNear { resource: Resource::Usd, text: "8 of 10".to_owned() };
    let limit = |is_held| Event::LimitReached { limit: "max_usd: spent".to_owned(), is_held };
    let work = dispatched("read", at(60));
    for (events, expected) in [
        (vec![near.clone()], ("budget_near", "near", Severity::Warning)),
        (vec![near.clone(), limit(true)], ("budget_over", "held", Severity::Critical)),
        (vec![near, limit(false)], ("budget_over", "limited", Severity::Warning)),
    ] {
        let open = task(&[&[accepted(), work.clone()], &events[..]].concat());
        let found = look(&open, None, 10).unwrap().findings;
        let found: Vec<_> =
            found.iter().map(|it| (it.key.kind.as_str(), it.cause, it.severity)).collect();
        assert_eq!(found, [expected]);
    }
}

#[test]
fn a_log_that_cannot_be_read_is_stuck_and_a_silent_bus_is_not() {
    let damaged = LoadError::Damaged { task: id(), rev: 3, what: "a hole".to_owned() };
    let too_new = LoadError::TooNew { task: id(), min_reader: 9 };
    let away = LoadError::Bus(crate::ports::BusError::Unavailable("away".to_owned()));
    for (error, expected) in
        [(damaged, Some("damaged_log")), (too_new, Some("too_new")), (away, None)]
    {
        let found = examine::unreadable(&id(), &error, at(0));
        assert_eq!(found.map(|it| it.cause), expected);
    }
}

fn digest(rev: u64, seconds: u64) -> Digest {
    let steps = Vec::new();
    let (task, at) = (id(), at(seconds));
    Digest { task, rev, at, is_ended: false, due: None, is_notable: false, steps }
}

fn is_suspect(tracker: &Tracker, seconds: u64) -> bool {
    !tracker.suspects(at(seconds), 9).is_empty()
}

#[test]
fn a_task_is_looked_at_when_it_is_overdue_and_has_not_changed() {
    let mut tracker = Tracker::default();
    tracker.take(Digest { due: Some(at(60)), ..digest(1, 0) }, &settings());
    assert!(!is_suspect(&tracker, 89) && is_suspect(&tracker, 90));
    // It goes on: whatever was due is over, or met by the next look.
    tracker.take(Digest { due: Some(at(95)), ..digest(2, 85) }, &settings());
    assert!(!is_suspect(&tracker, 114) && is_suspect(&tracker, 115));
    tracker.take(Digest { is_ended: true, ..digest(3, 116) }, &settings());
    assert!(!is_suspect(&tracker, 9_999));
    assert_eq!((tracker.open_tasks(), tracker.records()), (0, 3));
}

#[test]
fn a_task_of_which_little_is_known_is_looked_at_once() {
    let mut tracker = Tracker::default();
    tracker.take(digest(7, 0), &settings());
    assert!(!is_suspect(&tracker, 299) && is_suspect(&tracker, 300));
    let calm = Examined { findings: Vec::new(), again_at: at(5_000), questions: 0 };
    tracker.examined(&id(), 7, Some(calm));
    assert!(!is_suspect(&tracker, 4_999) && is_suspect(&tracker, 5_000));
    tracker.examined(&id(), 8, None);
    assert_eq!(tracker.open_tasks(), 0);
}

#[test]
fn what_only_a_replay_explains_is_looked_at_at_once() {
    for second in [
        Digest { is_notable: true, ..digest(2, 1) },
        digest(3, 1), // revision 2 is missing
        Digest { is_notable: true, ..digest(0, 1) },
    ] {
        let mut tracker = Tracker::default();
        tracker.take(digest(1, 0), &settings());
        tracker.take(second.clone(), &settings());
        assert!(is_suspect(&tracker, 1), "{second:?}");
    }
    let mut tracker = Tracker::default();
    tracker.take(digest(2, 0), &settings());
    tracker.take(Digest { is_notable: true, ..digest(2, 0) }, &settings());
    assert!(!is_suspect(&tracker, 1), "a record that comes twice says nothing new");
}

#[test]
fn questions_are_counted_until_a_replay_finds_fewer() {
    let mut tracker = Tracker::default();
    tracker.take(digest(1, 0), &settings());
    let asks = |questions| Some(Examined { questions, again_at: at(5_000), ..Examined::default() });
    tracker.examined(&id(), 1, asks(2));
    assert_eq!((tracker.questions(), is_suspect(&tracker, 1)), (2, false));
    tracker.take(digest(2, 2), &settings());
    assert!(is_suspect(&tracker, 2), "one may have been answered");
    tracker.examined(&id(), 2, asks(0));
    assert_eq!(tracker.questions(), 0);
}

#[test]
fn what_was_found_stays_until_a_replay_finds_otherwise() {
    let mut tracker = Tracker::default();
    tracker.take(digest(1, 0), &settings());
    let found = vec![finding(Kind::BudgetNear, id().as_str(), "near")];
    tracker.examined(
        &id(),
        1,
        Some(Examined { findings: found.clone(), again_at: at(5_000), questions: 0 }),
    );
    assert_eq!(tracker.findings(at(1), &settings()), found);
    tracker.take(digest(2, 2), &settings());
    assert_eq!(tracker.findings(at(2), &settings()), found);
    assert!(is_suspect(&tracker, 2));
}

#[test]
fn a_role_fails_when_half_of_its_attempts_do() {
    let settings = settings();
    let step = |number: u64, news| Digest {
        task: TaskId::derive(&name("acme"), &number.to_string()),
        steps: vec![(step_key_of(number), news)],
        ..digest(number, number)
    };
    let failed = || StepNews::Failed("no answer".to_owned());
    for (good, bad, expected) in [(0, 4, 0), (0, 5, 1), (5, 5, 1), (6, 5, 0)] {
        let mut tracker = Tracker::default();
        let news = (0..good).map(|_| StepNews::Completed).chain((0..bad).map(|_| failed()));
        for (number, news) in news.enumerate() {
            let number = number as u64;
            let out = StepNews::Dispatched(name("reader"));
            tracker.take(Digest { rev: 1, ..step(number, out) }, &settings);
            tracker.take(Digest { rev: 2, ..step(number, news) }, &settings);
        }
        let found = tracker.findings(at(20), &settings);
        assert_eq!(found.len(), expected, "{good} {bad}: {found:?}");
        if expected == 1 {
            assert_eq!(causes(&found), [("errors", "role.reader", "failing")]);
            assert!(found[0].text.contains(&format!("failed {bad} of {}", good + bad)));
        }
        assert!(tracker.findings(at(200), &settings).is_empty(), "forgotten with the window");
    }
}

fn step_key_of(number: u64) -> u64 {
    tracker::step_key(&format!("read-{number}"))
}
