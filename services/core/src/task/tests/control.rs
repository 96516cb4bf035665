//! Pause, resume, kill, and wishes that come too late.

use super::{
    kit::{DEADLINE_MS, T0, TIMEOUT_MS},
    *,
};

fn control(action: Action) -> Input {
    let text = || "why not".to_owned();
    Input::Control(Control { by: "ann".to_owned(), reason: text(), key: "k".to_owned(), action })
}

#[test]
fn a_paused_task_begins_nothing_and_keeps_what_comes() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]);
    let mut run = flow.start(json!({}));
    run.feed(&control(Action::Pause));
    assert_eq!((run.last(), run.task().status()), (("pause", "paused by ann: why not"), "paused"));
    assert_eq!(run.feed(&control(Action::Pause)), Verdict::Ignore(Seen::Known));
    run.complete("a");
    assert_eq!((run.state("a"), run.state("b"), run.open().len()), ("completed", "none", 0));
    assert_eq!(run.task().wake_at().unwrap().0, T0 + DEADLINE_MS / 5 * 4, "its time is near then");
    assert!(why(run.task(), None, UnixMillis(T0)).contains("ann paused it"));
    run.feed(&control(Action::Resume));
    assert_eq!((run.open(), run.task().status()), (vec!["b".to_owned()], "running"));
    assert_eq!(run.feed(&control(Action::Resume)), Verdict::Ignore(Seen::Known));
}

#[test]
fn a_paused_task_still_meets_its_deadlines() {
    let flow = Flow::of(&[step("a").retry(2)]);
    let mut run = flow.start(json!({}));
    run.feed(&control(Action::Pause));
    run.due(TIMEOUT_MS);
    assert_eq!(run.state("a"), "delayed", "its next attempt waits for the resumption");
    assert_eq!(run.due(TIMEOUT_MS + 1_000), Verdict::Ignore(Seen::Known));
    run.feed(&control(Action::Resume));
    assert_eq!((run.open(), run.step("a").attempt), (vec!["a".to_owned()], 2));
    let mut run = flow.start(json!({}));
    run.feed(&control(Action::Pause));
    run.due(DEADLINE_MS);
    assert_eq!(run.state("a"), "failed");
    assert_eq!(run.open(), [AGGREGATE], "a pause does not outlive the task");
}

#[test]
fn a_kill_ends_at_once_and_twice_is_harmless() {
    let flow = Flow::of(&[step("a"), step("b")]);
    let mut run = flow.start(json!({}));
    run.feed(&control(Action::Kill));
    assert_eq!((run.task().status(), run.state("a")), ("cancelled", "cancelled"));
    assert_eq!(run.last(), ("kill", "killed by ann: why not"));
    assert_eq!(run.feed(&control(Action::Kill)), Verdict::Ignore(Seen::Known));
}

#[test]
fn a_wish_that_comes_too_late_is_refused_on_record() {
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.start(json!({}));
    run.complete("a");
    run.feed(&control(Action::Pause));
    assert_eq!(run.last(), ("refuse", "the task has all its parts already"));
    run.answer();
    let end = run.task().ended().cloned();
    run.feed(&control(Action::Resume));
    assert!(run.last().1.starts_with("the task ended as completed at "), "{:?}", run.last());
    assert_eq!(run.task().ended().cloned(), end, "its end stands");
    for _ in 0..200 {
        run.feed(&control(Action::Pause));
    }
    assert_eq!(run.task().refusals, crate::limits::REFUSALS_MAX, "refusals have an end");
}
