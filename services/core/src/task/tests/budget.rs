//! Grants: what parallel attempts may spend is set aside before they begin.

use std::time::Duration;

use super::{
    kit::{self, DEADLINE_MS, T0, completed, failed},
    *,
};

fn usage(usd_micros: u64) -> Usage {
    Usage { usd_micros, tokens: 0, work_ms: 1 }
}

fn add(key: &str, budget: Budget) -> Input {
    let (by, reason) = ("ann".to_owned(), String::new());
    Input::Control(Control { by, reason, key: key.to_owned(), action: Action::AddBudget(budget) })
}

fn usd(usd_micros: u64) -> Budget {
    Budget { usd_micros, ..Budget::default() }
}

/// Five cents, calls of two: the third waits for what the others give back.
#[test]
fn parallel_attempts_cannot_overspend_together() {
    let flow = Flow::of(&[step("f").each("goal.items").parallel(3).grant(20_000, 0).keep(500)])
        .spending_max(50_000, 0);
    let mut run = flow.start(json!({"items": [1, 2, 3, 4]}));
    assert_eq!((run.open().len(), run.task().reserved.usd_micros), (2, 40_000));
    run.spend("f-0", completed(json!({})), usage(5_000));
    assert_eq!((run.open().len(), run.task().reserved.usd_micros), (2, 40_000), "45,000 are left");
    run.spend("f-1", completed(json!({})), usage(20_000));
    assert_eq!(run.open(), ["f-2"], "25,000 are left, 20,000 of them set aside");
    run.spend("f-2", completed(json!({})), usage(20_000));
    let limit = run.parts().limit.unwrap();
    assert_eq!(limit, "max_usd: 5000 of 50000 micro-USD are left, 20000 are needed");
    assert_eq!(run.task().usage.usd_micros, 45_000);
}

#[test]
fn a_failed_attempt_gives_back_what_it_did_not_spend() {
    let flow =
        Flow::of(&[step("a").grant(0, 80).retry(2), step("b").grant(0, 80)]).spending_max(0, 100);
    let mut run = flow.start(json!({}));
    assert_eq!(run.open(), ["a"], "b does not fit beside a");
    let failure = Outcome::Failed(Failure::new(FailureKind::Unavailable, "x"));
    run.spend("a", failure, Usage { tokens: 10, ..Usage::default() });
    assert_eq!(run.open(), ["b"]);
    run.now += 100;
    run.feed(&Input::Due);
    assert_eq!(run.open(), ["b"], "a waits for the budget");
    assert!(why(run.task(), None, UnixMillis(run.now)).contains("of the budget"));
    run.spend("b", completed(json!({})), Usage::default());
    run.now += 2_000;
    run.feed(&Input::Due);
    assert_eq!(run.open(), ["a"]);
}

#[test]
fn four_fifths_are_said_once() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"]), step("c").after(&["b"])])
        .spending_max(100, 0);
    let mut run = flow.start(json!({}));
    run.spend("a", completed(json!({})), usage(79));
    assert!(run.task().warned.is_empty());
    run.spend("b", completed(json!({})), usage(1));
    assert_eq!(run.task().warned, [Resource::Usd]);
    run.spend("c", completed(json!({})), usage(1));
    let said = run.records.iter().flat_map(|record| &record.events);
    let said: Vec<_> = said.filter(|e| matches!(e, Event::BudgetNear { .. })).collect();
    let text = "80 of 100 micro-USD are used".to_owned();
    assert_eq!(said, [&Event::BudgetNear { resource: Resource::Usd, text }]);
}

#[test]
fn four_fifths_of_the_time_are_said_while_a_step_hangs() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"]), step("c").after(&["b"])]);
    let mut run = flow.start(json!({}));
    let near_at = T0 + DEADLINE_MS / 5 * 4;
    run.now = near_at - 1_000;
    run.complete("a");
    assert_eq!(run.task().wake_at(), Some(UnixMillis(near_at)));
    run.now = near_at - 1;
    assert_eq!(run.feed(&Input::Due), Verdict::Ignore(Seen::Known), "not yet");
    run.now = near_at;
    run.feed(&Input::Due);
    assert_eq!(
        (run.open(), run.task().warned.as_slice()),
        (vec!["b".to_owned()], &[Resource::Time][..])
    );
    assert!(run.task().wake_at() > Some(UnixMillis(near_at)), "said once");
    run.complete("b");
    assert_eq!(run.task().orders_since(0).next().unwrap().near, [Resource::Time]);
    let time = Duration::from_millis(DEADLINE_MS);
    run.feed(&add("more", Budget { time, ..Budget::default() }));
    assert_eq!(run.task().warned, [], "with more it is not near any more");
    assert_eq!(run.task().time_near_at(), Some(UnixMillis(T0 + DEADLINE_MS / 5 * 8)));
}

#[test]
fn whoever_works_on_is_told_what_is_nearly_used() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]).spending_max(100, 100);
    let mut run = flow.start(json!({}));
    let near = |run: &kit::Run<'_>| run.task().orders_since(0).next().unwrap().near;
    assert_eq!(near(&run), []);
    run.spend("a", completed(json!({})), usage(80));
    assert_eq!((run.open(), near(&run)), (vec!["b".to_owned()], vec![Resource::Usd]));
    run.feed(&add("more", usd(1_000)));
    assert_eq!(near(&run), [], "with more it is not near any more");
}

#[test]
fn adding_nothing_is_refused_and_the_task_still_waits() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]).steps_max(1).asks_when_limited();
    let mut run = flow.start(json!({}));
    run.complete("a");
    let held = run.task().held.clone();
    let Verdict::Append(draft) = run.feed(&add("none", Budget::default())) else { panic!() };
    assert_eq!(draft.decision, "refuse");
    assert!(draft.reason.contains("adds nothing: name steps, money"), "{}", draft.reason);
    assert_eq!((&run.task().held, run.task().additions.len()), (&held, 0));
    run.feed(&add("none", Budget { steps: 1, ..Budget::default() }));
    assert_eq!(run.open(), ["b"], "the key is still free");
}

#[test]
fn a_task_at_its_limit_waits_for_a_person_and_goes_on_from_the_open_step() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]).steps_max(1).asks_when_limited();
    let mut run = flow.start(json!({}));
    run.complete("a");
    assert_eq!((run.state("b"), run.task().status()), ("none", "waiting"));
    assert_eq!(run.task().wake_at().unwrap().0, T0 + DEADLINE_MS / 5 * 4, "its time is near then");
    let text = why(run.task(), Some(flow.workflow()), UnixMillis(T0));
    assert!(text.contains("waits for a larger budget: max_steps: 1 of 1"), "{text}");
    run.feed(&add("k1", Budget { steps: 1, ..Budget::default() }));
    assert_eq!(run.open(), ["b"]);
    assert_eq!(
        run.feed(&add("k1", Budget { steps: 1, ..Budget::default() })),
        Verdict::Ignore(Seen::Known)
    );
    assert_eq!(run.task().added.steps, 1, "the same wish counts once");
    run.complete("b").answer();
    let orders = run.records.iter().flat_map(|record| &record.events);
    let orders = orders.filter(|event| matches!(event, Event::StepDispatched { .. })).count();
    assert_eq!(orders, 3, "a and b once, and the aggregator");
}

#[test]
fn too_little_is_met_again_and_said_again() {
    let flow = Flow::of(&[step("a").grant(50, 0)]).spending_max(10, 0).asks_when_limited();
    let mut run = flow.start(json!({}));
    assert!(
        run.task().held.as_ref().unwrap().contains("10 of 10 micro-USD are left, 50 are needed")
    );
    run.feed(&add("1", usd(20)));
    assert!(run.task().held.as_ref().unwrap().contains("30 of 30"));
    run.feed(&add("2", usd(20)));
    assert_eq!((run.open(), &run.task().held), (vec!["a".to_owned()], &None));
}

#[test]
fn a_held_task_ends_partial_at_its_deadline_and_more_time_moves_it() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]).steps_max(1).asks_when_limited();
    let mut run = flow.start(json!({}));
    run.complete("a");
    run.feed(&add("t", Budget { time: Duration::from_secs(60), ..Budget::default() }));
    assert_eq!(run.due(DEADLINE_MS), Verdict::Ignore(Seen::Known));
    run.due(DEADLINE_MS + 60_000);
    assert_eq!(run.open(), [AGGREGATE]);
    assert!(run.parts().limit.unwrap().contains("deadline"));
}

#[test]
fn a_delayed_step_fails_when_another_limit_ends_the_task() {
    let flow = Flow::of(&[step("a").retry(3), step("b")]).spending_max(10, 0);
    let mut run = flow.start(json!({}));
    run.report("a", Outcome::Failed(Failure::new(FailureKind::Unavailable, "x")));
    run.overspends = true;
    run.spend("b", failed(), usage(11));
    assert_eq!(run.why_not("a"), "limit: max_usd: spent 11 of 10 micro-USD");
    assert_eq!(run.open(), [AGGREGATE]);
}
