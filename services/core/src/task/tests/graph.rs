//! Pipelines, diamonds, conditions and joins.

use super::{kit::completed, *};

#[test]
fn a_pipeline_runs_in_order_and_passes_outputs_on() {
    let flow = Flow::of(&[
        step("a"),
        step("b").after(&["a"]).with(json!({"x": "${ a.ok }", "key": "${ task.key }"})),
    ]);
    let mut run = flow.start(json!({"n": 7}));
    assert_eq!(run.open(), ["a"]);
    assert_eq!(run.input("a"), json!({"from": {"n": 7}}));
    run.complete("a");
    assert_eq!(run.open(), ["b"]);
    assert_eq!(run.input("b"), json!({"x": "a", "key": "k"}));
    run.complete("b");
    assert_eq!(run.open(), [AGGREGATE]);
    let fields = run.parts().fields;
    assert_eq!(fields[1].candidates[0].value, json!({"ok": "b"}));
    run.report(AGGREGATE, completed(json!({"status": "completed", "result": {"a": 1}})));
    let document = run.task().answer().unwrap().document.value().clone();
    assert_eq!((&document["status"], &document["result"]), (&json!("completed"), &json!({"a": 1})));
    assert_eq!((&document["steps"], &document["missing"]), (&json!(2), &json!([])));
    assert_eq!(run.records.len(), 4, "one record per input");
}

#[test]
fn a_diamond_joins_when_both_sides_are_done() {
    let flow = Flow::of(&[
        step("a"),
        step("l").after(&["a"]),
        step("r").after(&["a"]),
        step("z").after(&["l", "r"]),
    ]);
    let mut run = flow.start(json!({}));
    run.complete("a");
    assert_eq!(run.open(), ["l", "r"]);
    run.complete("r");
    assert_eq!(run.state("z"), "none");
    run.complete("l");
    assert_eq!(run.open(), ["z"]);
}

#[test]
fn a_false_when_skips_and_what_comes_after_is_no_loss() {
    let flow = Flow::of(&[
        step("a"),
        step("b").after(&["a"]).when("goal.deep"),
        step("c").after(&["b"]),
        step("d").after(&["c"]),
    ]);
    let mut run = flow.start(json!({"deep": false}));
    run.complete("a");
    assert_eq!(run.why_not("b"), "when is false: goal.deep");
    let cascade = "it comes after b, which has no output: skipped: when is false: goal.deep";
    assert_eq!((run.why_not("c").as_str(), run.why_not("d").as_str()), (cascade, cascade));
    let parts = run.parts();
    assert_eq!(parts.gaps, []);
    assert_eq!(parts.fields[2].missing[0].step, "c");

    let mut run = flow.start(json!({"deep": true}));
    run.complete("a");
    assert_eq!(run.open(), ["b"]);
}

#[test]
fn a_failure_skips_what_comes_after_and_names_its_root() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"]), step("c").after(&["b"])]);
    let mut run = flow.start(json!({}));
    run.fail("a");
    let cascade = "it comes after a, which has no output: error: boom";
    assert_eq!((run.why_not("b").as_str(), run.why_not("c").as_str()), (cascade, cascade));
    let gaps: Vec<_> = run.parts().gaps.into_iter().map(|gap| gap.step).collect();
    assert_eq!(gaps, ["a", "b", "c"]);
}

#[test]
fn a_long_chain_of_skipped_steps_fits_into_bounded_records() {
    let names: Vec<String> = (0..256).map(|index| format!("s{index}")).collect();
    let mut steps = vec![step("s0")];
    steps.extend(names.windows(2).map(|pair| step(&pair[1]).after(&[&pair[0]])));
    let flow = Flow::of(&steps);
    let mut run = flow.start(json!({}));
    let failure = Failure { message: "x".repeat(100_000), ..Failure::new(FailureKind::Error, "") };
    run.report("s0", Outcome::Failed(failure));
    assert!(run.why_not("s0").len() <= crate::limits::TEXT_BYTES_MAX + "error: ".len());
    assert!(run.why_not("s255").starts_with("it comes after s0, which has no output: error: xx"));
    assert!(run.why_not("s255").len() <= 512);
    assert_eq!(run.open(), [AGGREGATE]);
    run.check_log();
}

#[test]
fn an_optional_step_may_fail() {
    let flow =
        Flow::of(&[step("a").optional(), step("b").after(&["a"]).with(json!({"a": "${ a }"}))]);
    let mut run = flow.start(json!({}));
    run.fail("a");
    assert_eq!(run.input("b"), json!({"a": null}));
    run.complete("b");
    assert_eq!(run.parts().gaps[0].cause, "error: boom");
}

#[test]
fn a_settled_join_waits_for_ends_of_any_kind() {
    let flow = Flow::of(&[
        step("a"),
        step("b"),
        step("c").when("false"),
        step("z").after(&["a", "b", "c"]).settled(),
    ]);
    let mut run = flow.start(json!({}));
    run.fail("a");
    assert_eq!(run.state("z"), "none");
    run.complete("b");
    assert_eq!(run.open(), ["z"]);
}

#[test]
fn an_expression_that_fails_on_the_data_fails_its_step() {
    let flow = Flow::of(&[
        step("a").when("goal.nothing.here"),
        step("b").with(json!({"x": "${ goal.nothing.here }"})),
        step("c").each("goal.nothing.here"),
        step("d").each("goal.text"),
        step("e").when("goal.text"),
    ]);
    let run = flow.start(json!({"text": "t"}));
    for (step, start) in [("a", "when: "), ("b", "with: "), ("c", "each.over: "), ("e", "when: ")] {
        let why = run.why_not(step);
        assert!(why.starts_with(&format!("expression: {start}")), "{why}");
    }
    assert_eq!(run.why_not("d"), "expression: each.over is not a list");
    assert_eq!(run.open(), [AGGREGATE]);
    assert_eq!(run.task().dispatches, 0);
}

#[test]
fn an_input_that_breaks_its_contract_is_never_sent() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "integer"}}});
    let flow = Flow::of(&[step("a").with(json!({"x": "${ goal.x }"})).accepts(schema)]);
    let run = flow.start(json!({"x": "seven"}));
    let why = run.why_not("a");
    assert!(why.starts_with("invalid_input: breaks contract any@1: "), "{why}");
    let StepState::Failed(failure) = &run.task().steps.values().next().unwrap().state else {
        panic!("a did not fail")
    };
    assert_eq!(failure.refused.as_ref().unwrap().value(), &json!({"x": "seven"}));
    assert_eq!(run.task().dispatches, 0);
}

#[test]
fn large_documents_travel_by_reference() {
    let large = "x".repeat(100_000);
    let flow = Flow::of(&[step("a"), step("b").after(&["a"]).with(json!({"a": "${ a }"}))]);
    let mut run = flow.start(json!({"text": large}));
    let order = run.task().orders_since(0).next().unwrap();
    assert!(order.input.blob().is_some());
    run.report("a", completed(json!({"text": large})));
    let order = run.task().orders_since(1).next().unwrap();
    assert_eq!(order.input.blob().unwrap().size_bytes as usize, order.input.text().len());
    run.complete("b");
    run.report(AGGREGATE, completed(json!({"status": "completed", "result": {"a": large}})));
    let document = run.task().answer().unwrap().document;
    assert_eq!(document.value()["result"]["a"], large);
}

#[test]
fn an_answer_that_cannot_be_published_whole_still_ends_the_wait() {
    let large = "x".repeat(crate::limits::PAYLOAD_BYTES_MAX - 100);
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.start(json!({}));
    run.complete("a");
    run.report(AGGREGATE, completed(json!({"status": "completed", "result": {"a": large}})));
    let document = run.task().answer().unwrap().document;
    assert_eq!(document.value()["result"], Value::Null);
    let reason = document.value()["reason"].as_str().unwrap();
    assert!(reason.contains("its parts are left out: document of 8388"), "{reason}");
}

#[test]
fn several_large_inputs_take_several_records() {
    let half = "x".repeat(50_000);
    let flow = Flow::of(&[step("a"), step("b"), step("c"), step("d")]);
    let run = flow.start(json!({"text": half}));
    assert_eq!(run.open(), ["a", "b", "c", "d"]);
    assert_eq!(run.records.len(), 4, "each record has room for one");
    assert_eq!(run.records[1].decision, "advance");
}
