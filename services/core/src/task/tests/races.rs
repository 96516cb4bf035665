//! Races: some are enough, the others are stopped; and steps that are tried again.

use super::{
    kit::{Step, completed},
    *,
};
use crate::workflow::Pattern;

/// `a`, `b`, a third step, and what comes after.
fn with(third: Step, join: Step) -> Flow {
    Flow::of(&[step("a"), step("b"), third, join])
}

fn skipped(run: &Run<'_>, step: &str) -> bool {
    run.state(step) == "skipped" && run.why_not(step).starts_with("not needed: pick has what")
}

#[test]
fn the_first_one_wins_and_the_others_are_stopped() {
    let pick = step("pick")
        .after(&["a", "b", "c"])
        .quorum(1)
        .with(json!({"won": "${ task.winners.pick[0].output.ok }"}));
    let flow = with(step("c").grant(10, 0), pick);
    let mut run = flow.start(json!({}));
    let rev = run.task().rev;
    run.complete("b");
    assert_eq!(run.open(), ["pick"]);
    assert_eq!(run.input("pick"), json!({"won": "b"}));
    assert!(skipped(&run, "a") && skipped(&run, "c"));
    assert_eq!(run.task().reserved.usd_micros, 0, "what the losers had comes back");
    let stops: Vec<_> = run.task().stops_since(rev).map(|stop| stop.step.to_string()).collect();
    assert_eq!(stops, ["a", "c"]);
    let late = run.feed(&Input::Report(report("a", completed(json!({})))));
    assert!(matches!(late, Verdict::Ignore(Seen::Late(_))));
    run.complete("pick");
    assert_eq!(run.parts().gaps, [], "what was not needed is no loss");
    run.check_log();
}

#[test]
fn a_crew_that_loses_is_stopped_with_its_turn() {
    let crew = step("c").crew(Pattern::Network, &["one", "two"], 5);
    let flow = with(crew, step("pick").after(&["a", "b", "c"]).quorum(1));
    let mut run = flow.start(json!({}));
    assert_eq!(run.open(), ["a", "b", "c-0"]);
    let rev = run.task().rev;
    run.complete("a");
    assert_eq!(run.open(), ["pick"]);
    assert!(skipped(&run, "c") && skipped(&run, "c-0"));
    let stops: Vec<_> = run.task().stops_since(rev).map(|stop| stop.step.to_string()).collect();
    assert_eq!(stops, ["b", "c-0"]);
    run.complete("pick");
    assert_eq!((run.open(), run.parts().gaps), (vec![AGGREGATE.to_owned()], Vec::new()));
    run.check_log();
}

#[test]
fn a_quorum_waits_for_enough_and_gives_up_without() {
    let flow = with(step("c"), step("pick").after(&["a", "b", "c"]).quorum(2));
    let mut run = flow.start(json!({}));
    run.fail("a");
    assert_eq!(run.state("pick"), "none");
    run.complete("c");
    assert_eq!(run.state("pick"), "none");
    run.complete("b");
    let winners: Vec<_> = run.task().joined.values().flat_map(|j| &j.winners).collect();
    assert_eq!(winners.iter().map(ToString::to_string).collect::<Vec<_>>(), ["c", "b"]);
    let mut run = flow.start(json!({}));
    run.fail("a").fail("c");
    assert_eq!(run.state("pick"), "skipped");
    assert!(run.why_not("pick").starts_with("0 of the 2 that it wants completed"));
    assert_eq!(run.state("b"), "dispatched", "nobody told it to stop");
}

#[test]
fn the_best_one_wins_by_its_score() {
    let flow = with(step("c"), step("pick").after(&["a", "b", "c"]).best("output.score"));
    let mut run = flow.start(json!({}));
    run.report("a", completed(json!({"score": 2}))).report("b", completed(json!({"score": 7})));
    assert_eq!(run.state("pick"), "none", "all must have ended");
    run.report("c", completed(json!({"score": "high"})));
    let joined = run.task().joined.values().next().unwrap();
    assert_eq!(joined.winners[0].to_string(), "b");
    assert_eq!(joined.reason, "best by output.score: a 2, b 7");
}

#[test]
fn a_fan_out_takes_the_first_items_or_the_best_one() {
    let each = |take: &str| {
        let f = step("f").each("goal.items").parallel(2).take(take);
        Flow::of(&[f, step("z").after(&["f"]).with(json!({"all": "${ f }"}))])
    };
    let flow = each("2");
    let mut run = flow.start(json!({"items": [1, 2, 3, 4]}));
    run.fail("f-0").complete("f-2");
    assert_eq!(run.open(), ["f-1", "f-3"]);
    run.complete("f-3");
    assert_eq!(run.open(), ["z"], "f-1 is stopped");
    assert_eq!(run.input("z"), json!({"all": [{"ok": "f-2"}, {"ok": "f-3"}]}));
    run.complete("z");
    assert_eq!(run.parts().gaps, []);
    let flow = each("output.n + item");
    let mut run = flow.start(json!({"items": [1, 9]}));
    run.report("f-0", completed(json!({"n": 5}))).report("f-1", completed(json!({"n": 0})));
    assert_eq!(run.input("z"), json!({"all": [{"n": 0}]}));
    let flow = each("3");
    let mut run = flow.start(json!({"items": [1, 2, 3]}));
    run.fail("f-0").complete("f-1");
    assert_eq!(
        (run.open().len(), run.state("z")),
        (1, "skipped"),
        "three cannot complete any more"
    );
}

fn retry(step: Option<&str>) -> Input {
    let step = step.map(|step| crate::ids::StepId::parse(step).unwrap());
    let (by, key) = ("ann".to_owned(), "k".to_owned());
    Input::Control(Control { by, reason: String::new(), key, action: Action::Retry(step) })
}

#[test]
fn an_item_that_nobody_needs_any_more_is_not_tried_again() {
    let flow = Flow::of(&[
        step("f").each("goal.items").take("1"),
        step("x"),
        step("z").after(&["f", "x"]),
    ]);
    let mut run = flow.start(json!({"items": [1, 2]}));
    run.fail("f-0").complete("f-1");
    assert_eq!(run.open(), ["x"]);
    assert_eq!(run.feed(&retry(None)), Verdict::Ignore(Seen::Known), "of all that failed");
    run.feed(&retry(Some("f-0")));
    let (decision, reason) = run.last();
    assert!(
        decision == "refuse" && reason.contains("others of the fan-out are enough"),
        "{reason}"
    );
    run.complete("x").complete("z");
    assert_eq!(run.open(), [AGGREGATE]);
    run.check_log();
}

#[test]
fn a_failed_step_is_tried_again_with_what_waited_for_it() {
    let flow = Flow::of(&[
        step("a").retry(2),
        step("b").after(&["a"]),
        step("c").after(&["b"]),
        step("x"),
    ]);
    let mut run = flow.start(json!({}));
    run.fail("a");
    assert_eq!((run.state("b"), run.state("c")), ("skipped", "skipped"));
    assert_eq!(run.feed(&retry(Some("x"))), Verdict::Ignore(Seen::Known), "it is open");
    run.feed(&retry(Some("a")));
    assert_eq!(run.last(), ("retry", "ann wants a tried again"));
    assert_eq!((run.open(), run.step("a").attempt), (vec!["a".to_owned(), "x".to_owned()], 2));
    assert_eq!(run.step("a").tries, 1, "its attempts begin anew");
    assert_eq!((run.state("b"), run.state("c")), ("none", "none"));
    assert_eq!(run.feed(&retry(Some("a"))), Verdict::Ignore(Seen::Known), "twice is once");
    run.complete("a");
    assert_eq!(run.open(), ["b", "x"]);
    run.check_log();
}

#[test]
fn failed_items_are_tried_again_together() {
    let flow =
        Flow::of(&[step("f").each("goal.items").parallel(4), step("z").after(&["f"]), step("x")]);
    let mut run = flow.start(json!({"items": [1, 2, 3]}));
    run.fail("f-0").complete("f-1").fail("f-2");
    assert_eq!(run.state("z"), "skipped");
    run.feed(&retry(Some("f")));
    assert_eq!(run.open(), ["f-0", "f-2", "x"]);
    run.complete("f-0").complete("f-2");
    assert_eq!(run.open(), ["x", "z"]);
    run.check_log();
}

#[test]
fn what_cannot_be_tried_again_is_refused_with_the_reason() {
    let flow = Flow::of(&[
        step("a").optional(),
        step("b").after(&["a"]),
        step("bad").with(json!({"x": "${ goal.none }"})),
        step("done"),
    ]);
    let mut run = flow.start(json!({}));
    run.fail("a").complete("done");
    for (step, why) in [
        ("a", "a later step has begun without it"),
        ("bad", "it had no attempt"),
        ("done", "has not failed: it is completed"),
        ("nobody", "has not begun"),
    ] {
        run.feed(&retry(Some(step)));
        assert!(run.last().0 == "refuse" && run.last().1.contains(why), "{step}: {:?}", run.last());
    }
    run.complete("b").answer();
    run.feed(&retry(Some("a")));
    assert!(run.last().1.contains("`cadre task fork` goes on"), "{:?}", run.last());
}
