//! Forks: a new task begins with what another one has done.

use std::sync::Arc;

use super::{
    kit::{completed, goal, name, payload},
    *,
};
use crate::{ids::TaskId, workflow::Pattern};

/// A run whose task goes on from `source` at `from`.
fn fork<'w>(flow: &'w Flow, source: &Run<'_>, from: &str, input: Value) -> Run<'w> {
    let (task, rev) = (source.task().id().clone(), source.task().rev);
    let fork = Fork { task, rev, from: name(from) };
    let goal =
        Goal { task: TaskId::derive(&name("acme"), "k2"), key: "k2".to_owned(), ..goal(input) };
    let goal = Arc::new(Goal { fork: Some(fork), ..goal });
    let mut run = flow.idle();
    let input = Input::Fork(Arc::clone(&goal), Arc::new(source.task().clone()));
    run.feed(&input);
    assert_eq!(run.feed(&input), Verdict::Ignore(Seen::Known), "twice is once");
    assert_eq!(run.feed(&Input::Goal(goal)), Verdict::Ignore(Seen::Known));
    run.check_log();
    run
}

fn chain() -> Flow {
    Flow::of(&[
        step("a").undone(),
        step("b").after(&["a"]),
        step("c").after(&["b"]).with(json!({"b": "${ b.ok }", "all": "${ goal }"})),
        step("x"),
    ])
}

#[test]
fn what_had_ended_before_the_step_is_taken_over_and_the_rest_runs_anew() {
    let flow = chain();
    let mut source = flow.start(json!({}));
    source.complete("a").complete("b").complete("x").fail("c").answer();
    let mut run = fork(&flow, &source, "c", json!({"new": 1}));
    assert_eq!((run.last().0, run.open()), ("fork", vec!["c".to_owned()]));
    assert_eq!(run.input("c"), json!({"b": "b", "all": {"new": 1}}), "old outputs, new input");
    assert_eq!((run.task().dispatches, run.step("a").attempt), (1, 0), "its limits are its own");
    run.complete("c");
    assert_eq!(run.open(), [AGGREGATE]);
    let run = fork(&flow, &source, "b", json!({}));
    assert_eq!(
        (run.open(), run.state("a"), run.state("x")),
        (vec!["b".into()], "completed", "completed")
    );
}

#[test]
fn an_open_task_can_be_forked_and_its_open_steps_run_anew() {
    let flow = chain();
    let mut source = flow.start(json!({}));
    source.complete("a");
    let run = fork(&flow, &source, "c", json!({}));
    assert_eq!(run.open(), ["b", "x"]);
}

#[test]
fn what_is_taken_over_is_not_undone_and_what_was_undone_is_not_taken_over() {
    let flow = chain();
    let mut source = flow.start(json!({}));
    source.complete("a");
    let mut run = fork(&flow, &source, "c", json!({}));
    run.feed(&Input::Cancel(Cancel { by: "bob".to_owned(), reason: "no".to_owned() }));
    assert_eq!(run.task().status(), "cancelled", "{:?}", run.task().ended());
    source.feed(&Input::Cancel(Cancel { by: "bob".to_owned(), reason: "no".to_owned() }));
    source.report("compensate_a", completed(json!({})));
    let run = fork(&flow, &source, "c", json!({}));
    assert_eq!((run.open(), run.step("a").attempt), (vec!["a".to_owned(), "x".to_owned()], 1));
}

#[test]
fn fan_outs_and_races_are_taken_over_as_they_ended() {
    let flow = Flow::of(&[
        step("f").each("goal.items").parallel(4).keep(500),
        step("r").each("goal.items").take("1"),
        step("p").after(&["f", "r"]).best("output[0].n"),
        step("z").after(&["p"]),
    ]);
    let mut source = flow.start(json!({"items": [1, 2]}));
    source.fail("f-0").report("f-1", completed(json!({"n": 3}))).complete("r-1");
    source.complete("p").fail("z").answer();
    let run = fork(&flow, &source, "z", json!({"items": [7]}));
    assert_eq!(run.open(), ["z"]);
    assert_eq!(
        (run.state("f-0"), run.state("f-1"), run.state("r-1")),
        ("failed", "completed", "completed")
    );
    assert_eq!(run.task().joined.len(), 2);
}

#[test]
fn where_a_race_is_run_again_everybody_runs_and_else_nobody() {
    let flow = Flow::of(&[
        step("a"),
        step("b"),
        step("f").each("goal.items").parallel(4),
        step("p").after(&["a", "b", "f"]).quorum(1),
        step("z").after(&["p"]),
    ]);
    let items = || json!({"items": [1, 2]});
    let mut source = flow.start(items());
    source.complete("f-0").complete("a").complete("p").fail("z").answer();
    assert_eq!((source.state("b"), source.state("f-1")), ("skipped", "skipped"));
    let run = fork(&flow, &source, "z", items());
    assert_eq!(run.open(), ["z"], "what has lost stays so");
    assert_eq!((run.state("b"), run.state("f-1")), ("skipped", "none"));
    let run = fork(&flow, &source, "a", items());
    assert_eq!(run.open(), ["a", "b", "f-0", "f-1"], "whoever lost may win now");
    let run = fork(&flow, &source, "p", items());
    assert_eq!(run.open(), ["p"], "who has won stays so as well");
    assert_eq!(run.task().joined[&name("p")].winners, source.task().joined[&name("p")].winners);
}

#[test]
fn of_a_crew_only_what_it_has_made_is_taken_over() {
    let desk = step("desk").crew(Pattern::Network, &["one", "two"], 5);
    let flow = Flow::of(&[desk, step("a"), step("z").after(&["desk", "a"])]);
    let mut source = flow.start(json!({}));
    let (to, reason, output) = (name("two"), "go on".to_owned(), Some(payload(json!({"n": 1}))));
    source.report("desk-0", Outcome::Handoff { to, reason, output });
    assert_eq!(source.open(), ["a", "desk-1"]);
    let mut run = fork(&flow, &source, "a", json!({}));
    assert_eq!((run.open(), run.step("desk-0").attempt), (vec!["a".into(), "desk-0".into()], 1));
    run.report("desk-0", completed(json!({"n": 2})));
    assert_eq!(run.state("desk"), "completed", "its own turn ends it");
    source.complete("desk-1");
    let run = fork(&flow, &source, "a", json!({}));
    assert_eq!((run.open(), run.state("desk")), (vec!["a".to_owned()], "completed"));
    assert_eq!(run.state("desk-0"), "none");
}

#[test]
fn a_fork_that_cannot_be_fails_with_the_reason() {
    let flow = chain();
    let mut source = flow.start(json!({}));
    source.complete("a");
    let run = fork(&flow, &source, "nobody", json!({}));
    let reason = &run.task().ended().unwrap().reason;
    assert!(reason.ends_with("the workflow has no step nobody"), "{reason}");
    let mut older = source.clone();
    older.complete("b");
    let (task, rev) = (older.task().id().clone(), older.task().rev + 1);
    let ahead = Fork { task, rev, from: name("c") };
    let mut run = flow.idle();
    let ahead = Arc::new(Goal { fork: Some(ahead), ..goal(json!({})) });
    run.feed(&Input::Fork(ahead, Arc::new(older.task().clone())));
    let reason = &run.task().ended().unwrap().reason;
    assert!(reason.contains("it has 3 records, not 4"), "{reason}");
    let large = json!({"ok": "x".repeat(60_000)});
    source.report("b", completed(large.clone())).report("x", completed(large));
    let run = fork(&flow, &source, "c", json!({}));
    let reason = &run.task().ended().unwrap().reason;
    assert!(reason.contains("fork from an earlier step"), "{reason}");
    let goal = goal(json!({}));
    let fork = Fork { task: TaskId::derive(&name("acme"), "none"), rev: 1, from: name("a") };
    let mut run = flow.idle();
    run.feed(&Input::Goal(Arc::new(Goal { fork: Some(fork), ..goal })));
    let reason = &run.task().ended().unwrap().reason;
    assert!(reason.contains("there is no such task"), "{reason}");
}
