//! Fan-outs: parallel limit, keep_partial, sizes.

use super::{
    kit::{DEADLINE_MS, TIMEOUT_MS, completed},
    *,
};

fn items(count: usize) -> Value {
    json!({"items": (0..count).collect::<Vec<_>>()})
}

fn each(parallel: u32, keep_permille: u16) -> Flow {
    Flow::of(&[
        step("f").each("goal.items").parallel(parallel).keep(keep_permille),
        step("z").after(&["f"]).with(json!({"all": "${ f }"})),
    ])
}

#[test]
fn items_run_up_to_the_parallel_limit_and_keep_their_order() {
    let flow = each(2, 1000);
    let mut run = flow.start(items(3));
    assert_eq!(run.open(), ["f-0", "f-1"]);
    assert_eq!(run.input("f-1"), json!({"item": 1}));
    run.complete("f-1");
    assert_eq!(run.open(), ["f-0", "f-2"]);
    run.complete("f-2").complete("f-0");
    assert_eq!(run.input("z"), json!({"all": [{"ok": "f-0"}, {"ok": "f-1"}, {"ok": "f-2"}]}));
}

#[test]
fn enough_items_are_enough() {
    let flow = each(5, 600);
    let mut run = flow.start(items(5));
    run.fail("f-0").fail("f-3").complete("f-1").complete("f-2");
    assert_eq!(run.state("z"), "none", "an item is still open");
    run.complete("f-4");
    assert_eq!(run.input("z")["all"].as_array().unwrap().len(), 3);
    run.complete("z");
    let gaps: Vec<_> = run.parts().gaps.into_iter().map(|gap| gap.step).collect();
    assert_eq!(gaps, ["f-0", "f-3"]);
}

#[test]
fn a_hopeless_fan_out_begins_no_further_items() {
    let flow = each(1, 600);
    let mut run = flow.start(items(5));
    run.fail("f-0").fail("f-1");
    assert_eq!(run.open(), ["f-2"], "three of five can still be met");
    run.fail("f-2");
    assert_eq!(run.why_not("z"), "it comes after f, which has no output: 0 of 5 items completed");
    let gaps = run.parts().gaps;
    let found: Vec<_> = gaps.iter().map(|gap| gap.step.as_str()).collect();
    assert_eq!(found, ["f-0", "f-1", "f-2", "f", "z"]);
    assert_eq!(gaps[3].cause, "2 of 5 items never began");
}

#[test]
fn a_hopeless_fan_out_waits_for_its_open_items() {
    let flow = each(2, 1000);
    let mut run = flow.start(items(4));
    run.fail("f-0");
    assert_eq!(run.open(), ["f-1"]);
    run.complete("f-1");
    assert_eq!(run.state("f-2"), "none");
    assert_eq!(run.open(), [AGGREGATE]);
}

#[test]
fn an_empty_list_is_done_at_once() {
    let flow = each(2, 1000);
    let run = flow.start(items(0));
    assert_eq!(run.input("z"), json!({"all": []}));
}

#[test]
fn keep_nothing_still_is_an_output() {
    let flow = each(3, 0);
    let mut run = flow.start(items(2));
    run.fail("f-0").fail("f-1");
    assert_eq!(run.input("z"), json!({"all": []}));
}

#[test]
fn a_list_that_is_too_long_fails_the_step() {
    let flow = each(2, 1000);
    let run = flow.start(items(10_001));
    assert_eq!(run.why_not("f"), "expression: each.over has 10001 items, over 10000");
    assert_eq!(run.open(), [AGGREGATE]);
    assert_eq!(flow.start(items(10_000)).open().len(), 2);
}

#[test]
fn a_thousand_items_go_out_in_bounded_records() {
    let flow = each(1_000, 1000);
    let mut run = flow.start(items(1_000));
    assert_eq!(run.open().len(), 1_000);
    assert_eq!(run.records.len(), 8, "127 and the list, then 128 a record");
    for item in 0..1_000 {
        run.feed_once(&Input::Report(report(&format!("f-{item}"), completed(json!({"ok": item})))));
    }
    assert_eq!(run.input("z")["all"].as_array().unwrap().len(), 1_000);
    run.complete("z").answer();
    assert_eq!(run.task().dispatches, 1_001);
    run.check_log();
}

#[test]
fn a_crash_between_two_full_records_is_made_good_by_the_next_input() {
    let flow = each(300, 1000);
    let mut run = flow.idle();
    let verdict = run.feed_once(&Input::Goal(kit::goal(items(300)).into()));
    assert!(matches!(verdict, Verdict::Append(draft) if draft.more));
    assert_eq!(run.open().len(), 127);
    run.more = false;
    run.complete("f-0");
    assert_eq!(run.open().len(), 299);
}

#[test]
fn items_that_cannot_be_sent_take_several_records_too() {
    let schema = json!({"properties": {"item": {"type": "string", "maxLength": 1}}});
    let flow = Flow::of(&[step("f").each("goal.items").keep(0).parallel(9).accepts(schema)]);
    let long = "x".repeat(2_000);
    let mut run = flow.idle();
    let list = vec![long; 1_000];
    run.feed_once(&Input::Goal(kit::goal(json!({"items": list})).into()));
    assert!(run.more);
    assert_eq!(run.open(), [""; 0], "nothing is out that could move it");
    assert_eq!(run.task().wake_at(), Some(run.task().changed_at), "so it is looked at at once");
    run.feed(&Input::Due);
    assert_eq!(run.open(), [AGGREGATE]);
    assert_eq!(run.parts().gaps.len(), 1_000);
    run.check_log();
}

#[test]
fn several_long_lists_take_several_records() {
    let lists = ["a", "b", "c", "d", "e", "f"];
    let steps = lists.map(|name| step(name).each(&format!("goal.{name}")).parallel(1));
    let flow = Flow::of(&steps);
    let list = vec!["x".repeat(900); 60];
    let goal: serde_json::Map<_, _> =
        lists.iter().map(|name| ((*name).to_owned(), json!(list))).collect();
    let run = flow.start(Value::Object(goal));
    assert_eq!(run.open().len(), 6);
    assert_eq!(run.records.len(), 6, "each record has room for one list of 54 KB");
}

#[test]
fn thousands_of_overdue_items_fail_over_several_records() {
    for ms in [TIMEOUT_MS, DEADLINE_MS] {
        let flow = each(5_000, 0);
        let mut run = flow.start(items(2_000));
        let before = run.records.len();
        run.due(ms);
        assert!(run.records.len() >= before + 15, "{} records", run.records.len() - before);
        assert_eq!(run.task().fan_outs.values().next().unwrap().failed, 2_000);
        run.check_log();
    }
}

#[test]
fn an_item_that_waits_for_a_person_keeps_its_place() {
    let flow = each(1, 1000);
    let mut run = flow.start(items(2));
    run.report("f-0", Outcome::NeedsHuman { question: "which?".to_owned() });
    assert_eq!(run.open(), [""; 0]);
    assert_eq!(run.task().status(), "waiting");
    run.due(DEADLINE_MS);
    assert_eq!(run.open(), [AGGREGATE]);
    assert_eq!(
        run.why_not("f-0"),
        "limit: the task's deadline 2027-01-15T08:01:00.000Z has passed"
    );
}
