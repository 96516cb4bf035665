//! Compensation: what completed steps have done is undone before a task ends badly.

use super::{
    kit::{DEADLINE_MS, T0, TIMEOUT_MS, UNDO_MS, name},
    *,
};
use crate::workflow::Pattern;

fn cancel() -> Input {
    Input::Cancel(Cancel { by: "bob".to_owned(), reason: "no more".to_owned() })
}

fn control(action: Action) -> Input {
    let (by, reason, key) = ("ann".to_owned(), "why not".to_owned(), "k".to_owned());
    Input::Control(Control { by, reason, key, action })
}

/// `a`, then `b`, then `c`; the first two can be undone.
fn chain() -> Flow {
    Flow::of(&[
        step("a").undone(),
        step("b").after(&["a"]).undone(),
        step("c").after(&["b"]),
        step("d").undone(),
    ])
}

/// `a` and `b` have completed, `c` and `d` are out.
fn halfway(flow: &Flow) -> Run<'_> {
    let mut run = flow.start(json!({}));
    run.complete("a").complete("b");
    run
}

fn end(run: &Run<'_>) -> (EndStatus, String) {
    let end = run.task().ended().unwrap();
    (end.status, end.reason.clone())
}

fn undo(step: &str) -> Outcome {
    kit::completed(json!({"undone": step}))
}

#[test]
fn a_cancelled_task_undoes_what_it_has_done_last_things_first() {
    let flow = chain();
    let mut run = halfway(&flow);
    let rev = run.task().rev;
    run.feed(&cancel());
    assert_eq!((run.task().status(), run.open()), ("compensating", vec!["compensate_b".into()]));
    assert_eq!(run.input("compensate_b"), json!({"undo": {"ok": "b"}}), "its own output");
    let stops: Vec<_> = run.task().stops_since(rev).map(|stop| stop.step.to_string()).collect();
    assert_eq!(stops, ["c", "d"], "what was out is taken back");
    run.report("compensate_b", undo("b"));
    assert_eq!(run.open(), ["compensate_a"]);
    run.report("compensate_a", undo("a"));
    let (status, reason) = end(&run);
    assert_eq!(status, EndStatus::Cancelled);
    assert_eq!(
        reason,
        "cancelled by bob: no more; undone: a, b; stopped in the middle, outcome unknown: d"
    );
    assert_eq!(run.task().dispatches, 4, "compensations take nothing of the budget");
}

#[test]
fn what_is_said_while_steps_are_undone_changes_nothing() {
    let flow = chain();
    let mut run = halfway(&flow);
    run.feed(&cancel());
    let known = Verdict::Ignore(Seen::Known);
    assert_eq!(run.feed(&cancel()), known, "cancelling twice is harmless");
    assert_eq!(run.feed(&control(Action::Resume)), known);
    assert_eq!(run.feed(&Input::Due), known);
    let late = run.feed(&Input::Report(report("c", undo("c"))));
    assert!(matches!(late, Verdict::Ignore(Seen::Late(_))), "{late:?}");
    for action in [Action::Pause, Action::AddBudget(Budget::default()), Action::Retry(None)] {
        run.feed(&control(action));
        assert_eq!(run.last().0, "refuse");
    }
    assert_eq!(run.open(), ["compensate_b"]);
    run.report("compensate_b", undo("b")).report("compensate_a", undo("a"));
    run.check_log();
}

#[test]
fn what_a_crew_has_made_is_undone_once_and_no_turn_of_it() {
    let desk = step("desk").crew(Pattern::Network, &["one", "two"], 5).undone();
    let flow = Flow::of(&[desk, step("z").after(&["desk"])]);
    let mut run = flow.start(json!({}));
    let (to, reason) = (name("two"), "go on".to_owned());
    run.report("desk-0", Outcome::Handoff { to, reason, output: None });
    let mut early = run.clone();
    early.feed(&cancel());
    let reason = end(&early).1;
    assert!(reason.ends_with("outcome unknown: desk-1"), "nothing was made: {reason}");
    run.complete("desk-1");
    run.feed(&cancel());
    assert_eq!(run.open(), ["compensate_desk"]);
    assert_eq!(run.input("compensate_desk"), json!({"undo": {"ok": "desk-1"}}));
    run.report("compensate_desk", undo("desk"));
    assert_eq!(end(&run).1, "cancelled by bob: no more; undone: desk");
    run.check_log();
}

#[test]
fn a_paused_task_is_undone_when_it_is_cancelled() {
    let flow = chain();
    let mut run = halfway(&flow);
    run.feed(&control(Action::Pause));
    run.feed(&cancel());
    assert_eq!(run.open(), ["compensate_b"]);
}

#[test]
fn a_failed_compensation_is_tried_again_and_then_named_in_the_end() {
    let flow = chain();
    let mut run = halfway(&flow);
    run.feed(&cancel());
    let gone = || Outcome::Failed(Failure::new(FailureKind::Unavailable, "gone"));
    run.report("compensate_b", gone());
    assert_eq!(run.state("compensate_b"), "delayed", "its role has a retry");
    run.now += 1_000;
    run.feed(&Input::Due);
    assert_eq!(run.step("compensate_b").attempt, 2);
    run.report("compensate_b", gone());
    assert_eq!(run.open(), ["compensate_a"], "the others still run");
    run.report("compensate_a", undo("a"));
    let reason = end(&run).1;
    assert!(reason.contains("not undone: b (unavailable: gone); undone: a"), "{reason}");
    run.check_log();
}

#[test]
fn compensations_have_their_own_time_past_the_deadline() {
    let flow = chain().fails_when_limited();
    let mut run = halfway(&flow);
    run.due(DEADLINE_MS);
    assert_eq!((run.task().status(), run.open()), ("compensating", vec!["compensate_b".into()]));
    assert_eq!(run.task().ends_at().0, T0 + DEADLINE_MS + UNDO_MS);
    // Nobody answers, twice; the second step's turn does not come before the time is over.
    run.due(DEADLINE_MS + TIMEOUT_MS);
    run.due(DEADLINE_MS + TIMEOUT_MS + 1_000);
    run.due(DEADLINE_MS + 2 * TIMEOUT_MS + 1_000);
    assert_eq!(run.open(), ["compensate_a"]);
    run.due(DEADLINE_MS + UNDO_MS);
    let (status, reason) = end(&run);
    assert_eq!(status, EndStatus::Incomplete);
    for part in ["a (", "b (timeout: no report", "unknown: d"] {
        assert!(reason.contains(part), "{part} in {reason}");
    }
}

#[test]
fn a_failed_answer_is_undone_and_a_good_one_is_not() {
    let flow = chain();
    for (status, phase) in
        [("failed", "compensating"), ("partial", "partial"), ("completed", "completed")]
    {
        let mut run = halfway(&flow);
        run.complete("c").complete("d");
        run.report(AGGREGATE, kit::completed(json!({"status": status, "result": {}})));
        assert_eq!(run.task().status(), phase);
        if phase == "compensating" {
            assert_eq!(run.open(), ["compensate_d"], "the last one first");
            for step in ["d", "b", "a"] {
                run.report(&format!("compensate_{step}"), undo(step));
            }
            let (ended, reason) = end(&run);
            assert_eq!(ended, EndStatus::Failed);
            assert!(reason.ends_with("; undone: a, b, d"), "{reason}");
            assert!(run.task().ended().unwrap().answer.is_some(), "the answer is kept");
        }
    }
}

#[test]
fn a_partial_answer_undoes_only_where_the_pack_wants_it() {
    let partial = || kit::completed(json!({"status": "partial", "result": {}}));
    for (flow, wanted) in [(chain(), "partial"), (chain().undoes_partial(), "compensating")] {
        let mut run = halfway(&flow);
        run.fail("c").complete("d").report(AGGREGATE, partial());
        assert_eq!(run.task().status(), wanted);
    }
}

#[test]
fn a_kill_undoes_nothing_and_says_so() {
    let flow = chain();
    let mut run = halfway(&flow);
    run.feed(&control(Action::Kill));
    let expected =
        "killed by ann: why not; not undone: a, b; stopped in the middle, outcome unknown: d";
    assert_eq!(end(&run), (EndStatus::Cancelled, expected.to_owned()));
    let mut run = halfway(&flow);
    run.feed(&cancel());
    run.feed(&control(Action::Kill));
    let reason = end(&run).1;
    let left = "killed by ann: why not; not undone: b, a (not begun)";
    assert!(reason.contains(left), "b was in the middle of it: {reason}");
    assert_eq!(
        run.task().stops_since(0).filter(|stop| stop.step.name == name("compensate_b")).count(),
        1
    );
}

#[test]
fn each_completed_item_of_a_fan_out_is_undone() {
    let flow = Flow::of(&[step("f").each("goal.items").undone(), step("z").after(&["f"])]);
    let mut run = flow.start(json!({"items": [1, 2, 3]}));
    run.complete("f-1").complete("f-0");
    run.feed(&cancel());
    assert_eq!(run.input("compensate_f-0"), json!({"undo": {"ok": "f-0"}}));
    run.report("compensate_f-0", undo("0"));
    assert_eq!(run.open(), ["compensate_f-1"]);
    run.report("compensate_f-1", undo("1"));
    assert!(end(&run).1.contains("undone: f-0, f-1; stopped in the middle, outcome unknown: f-2"));
}

#[test]
fn a_limit_does_not_keep_steps_from_being_undone() {
    let flow = chain().steps_max(2).fails_when_limited();
    let mut run = flow.start(json!({}));
    // `a` and `d` are all that the budget allows.
    run.complete("a");
    assert_eq!(run.task().status(), "compensating");
    run.report("compensate_a", undo("a"));
    assert_eq!(end(&run).0, EndStatus::Failed);
}
