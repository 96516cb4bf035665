//! Crews on the task machine: who is next, what a turn gets, and how it ends.

use proptest::prelude::*;

use super::{
    kit::{completed, failed, name, payload},
    *,
};
use crate::workflow::{Otherwise, Pattern};

fn network(turns: u32) -> Flow {
    let desk = step("desk").crew(Pattern::Network, &["read", "write", "edit"], turns);
    Flow::of(&[desk.otherwise(Otherwise::AskHuman), step("z").after(&["desk"])])
}

fn supervisor(turns: u32) -> Flow {
    let desk = step("desk").crew(Pattern::Supervisor, &["router", "bill", "tech"], turns);
    Flow::of(&[desk.otherwise(Otherwise::AskHuman), step("z").after(&["desk"])])
}

fn planner(turns: u32) -> Flow {
    let desk = step("desk").crew(Pattern::Planner, &["boss", "one", "two"], turns);
    Flow::of(&[desk, step("z").after(&["desk"])])
}

fn hand_off(to: &str, output: Option<Value>) -> Outcome {
    let (to, reason) = (name(to), format!("over to {to}"));
    Outcome::Handoff { to, reason, output: output.map(payload) }
}

fn role<'a>(run: &'a Run<'_>, step: &str) -> &'a str {
    run.step(step).role.as_ref().unwrap().as_str()
}

fn output(run: &Run<'_>, step: &str) -> Value {
    let StepState::Completed { output, .. } = &run.step(step).state else {
        panic!("{step}: {:?}", run.step(step).state)
    };
    output.value().clone()
}

#[test]
fn a_network_hands_the_work_on_until_somebody_completes() {
    let flow = network(8);
    let mut run = flow.start(json!({"topic": "buses"}));
    let input = json!({"from": {"topic": "buses"}});
    assert_eq!((run.open(), role(&run, "desk-0")), (vec!["desk-0".to_owned()], "read"));
    let nothing = json!({"input": input, "from": null, "reason": null, "previous": null});
    assert_eq!(run.input("desk-0"), nothing);

    run.report("desk-0", hand_off("write", Some(json!({"notes": [1]}))));
    assert_eq!(run.last(), ("hand_off", "step desk-0 hands off to write: over to write"));
    assert_eq!((run.state("desk-0"), role(&run, "desk-1")), ("completed", "write"));
    let noted = json!({"notes": [1]});
    let expected =
        json!({"input": input, "from": "read", "reason": "over to write", "previous": noted});
    assert_eq!(run.input("desk-1"), expected);

    // Without an output of its own the next one gets the last one that there was.
    run.report("desk-1", hand_off("edit", None));
    assert_eq!(run.input("desk-2")["previous"], noted);
    run.report("desk-2", completed(json!({"text": "done"})));
    assert_eq!(output(&run, "desk"), json!({"text": "done"}));
    assert_eq!((run.open(), run.task().dispatches), (vec!["z".to_owned()], 4));
    run.complete("z");
    assert_eq!(run.parts().gaps, []);
    run.answer().check_log();
}

#[test]
fn a_router_gets_the_work_back_and_sees_what_was_done() {
    let flow = supervisor(9);
    let mut run = flow.start(json!({}));
    assert_eq!(role(&run, "desk-0"), "router");
    assert_eq!(run.input("desk-0")["team"], json!(["bill", "tech"]));
    assert_eq!(run.input("desk-0")["turns_left"], 8);
    run.report("desk-0", hand_off("bill", None));
    assert!(run.input("desk-1").get("team").is_none(), "members see their own turn only");
    // What a member cannot do is for the router to know.
    run.fail("desk-1");
    assert_eq!(
        (role(&run, "desk-2"), run.input("desk-2")["reason"].clone()),
        ("router", json!("failed (error): boom"))
    );
    run.report("desk-2", hand_off("tech", None));
    run.report("desk-3", completed(json!({"fixed": true})));
    let seen = run.input("desk-4");
    assert_eq!(
        (seen["from"].clone(), seen["previous"].clone()),
        (json!("tech"), json!({"fixed": true}))
    );
    let results: Vec<_> =
        seen["turns"].as_array().unwrap().iter().map(|turn| turn["result"].clone()).collect();
    assert_eq!(
        results,
        ["handed off to bill", "failed (error)", "handed off to tech", "completed"]
    );
    assert_eq!(seen["turns"][3]["output"], json!({"fixed": true}));
    run.report("desk-4", completed(json!({"reply": "fixed"})));
    assert_eq!(output(&run, "desk"), json!({"reply": "fixed"}));
    run.complete("z");
    assert_eq!(run.parts().gaps, [], "a failed turn is no gap where the crew got over it");
    run.answer().check_log();
}

#[test]
fn a_router_is_told_what_it_does_not_get() {
    let flow = supervisor(9);
    let mut run = flow.start(json!({}));
    for (turn, size) in [(0, 20_000), (2, 20_000)] {
        run.report(&format!("desk-{turn}"), hand_off("bill", None));
        let large = json!({"text": turn.to_string().repeat(size)});
        run.report(&format!("desk-{}", turn + 1), completed(large));
    }
    let turns = run.input("desk-4")["turns"].clone();
    assert_eq!(turns[1]["omitted_bytes"], 20_011, "the older one is left out: {}", turns[1]);
    assert!(turns[1].get("output").is_none() && turns[3].get("output").is_some());
}

#[test]
fn only_members_are_handed_the_work_and_only_by_those_who_may() {
    let rows = [
        (
            network(8),
            vec![("desk-0", hand_off("bill", None))],
            "handoff: turn 0 of role read: wanted to hand off to bill, which is not in the team (read, write, edit): over to bill",
        ),
        (
            supervisor(8),
            vec![("desk-0", hand_off("boss", None))],
            "handoff: turn 0 of role router: wanted to hand off to boss, which is not in the team (bill, tech): over to boss",
        ),
        (
            planner(8),
            vec![("desk-0", hand_off("one", None))],
            "handoff: turn 0 of role boss: wanted to hand off to one, but a planned step only completes: over to one",
        ),
        (
            network(8),
            vec![("desk-0", hand_off("write", Some(json!([1]))))],
            "invalid_output: turn 0 of role read: /: is not of type object",
        ),
    ];
    for (flow, reports, expected) in rows {
        let mut run = flow.start(json!({}));
        for (step, outcome) in reports {
            run.report(step, outcome);
        }
        assert_eq!(run.why_not("desk"), expected);
        assert!(run.why_not("z").starts_with("it comes after desk"), "{}", run.why_not("z"));
    }
    let flow = supervisor(8);
    let mut run = flow.start(json!({}));
    run.report("desk-0", hand_off("bill", None)).report("desk-1", hand_off("tech", None));
    assert_eq!(
        run.why_not("desk-1"),
        "handoff: wanted to hand off to tech, but here only router hands off: over to tech"
    );
    assert_eq!(role(&run, "desk-2"), "router");
}

/// Feeds hand-offs between two roles until nobody has an order.
fn circle(run: &mut Run<'_>) {
    for turn in 0..20 {
        let step = format!("desk-{turn}");
        if run.open() != [step.as_str()] {
            return;
        }
        let to = if role(run, &step) == "write" { "edit" } else { "write" };
        let output = json!({"draft": turn});
        run.report(&step, hand_off(to, Some(output)));
    }
}

#[test]
fn a_circle_stops_and_a_person_is_asked_with_the_evidence_on_record() {
    let flow = network(20);
    let mut run = flow.start(json!({}));
    circle(&mut run);
    let StepState::Waiting { ask, .. } = &run.step("desk").state else {
        panic!("{:?}", run.task())
    };
    assert_eq!(
        ask.question,
        "write and edit handed the work to each other 6 times. \
         Answer with the output of step desk, or deny it."
    );
    assert_eq!(
        ask.content.as_ref().unwrap().value(),
        &json!({"draft": 6}),
        "the last draft is proposed"
    );
    let evidence = run.records.iter().flat_map(|record| &record.events).find_map(|event| {
        if let Event::LoopFound { evidence, .. } = event { Some(evidence.value()) } else { None }
    });
    let evidence = evidence.unwrap();
    assert_eq!(
        (&evidence["sign"], evidence["turns"].as_array().unwrap().len()),
        (&json!("ping_pong"), 7)
    );
    assert_eq!(evidence["turns"][1]["result"], "handed off to edit");

    let decision = |run: &Run<'_>, ruling| {
        let StepState::Waiting { ask, .. } = &run.step("desk").state else { unreachable!() };
        let step = crate::ids::StepId::parse("desk").unwrap();
        let hash = ask.hash(run.task().id(), &step, 0);
        Input::Decision(Decision { step, by: "ann".into(), hash, ruling, comment: String::new() })
    };
    let mut granted = run.clone();
    granted.feed(&decision(&run, Ruling::GrantWith(payload(json!({"final": 1})))));
    assert_eq!(output(&granted, "desk"), json!({"final": 1}));
    assert_eq!(granted.open(), ["z"]);
    run.feed(&decision(&run, Ruling::Deny));
    assert_eq!(
        run.why_not("desk"),
        "not_converging: write and edit handed the work to each other 6 times; ann denied it"
    );
    run.check_log();
}

#[test]
fn a_circle_ends_as_the_step_declares() {
    for (otherwise, expected) in
        [(Otherwise::Fail, "failed"), (Otherwise::AcceptUnsure, "completed")]
    {
        let desk = step("desk").crew(Pattern::Network, &["read", "write", "edit"], 20);
        let flow = Flow::of(&[desk.otherwise(otherwise)]);
        let mut run = flow.start(json!({}));
        circle(&mut run);
        assert_eq!(run.state("desk"), expected);
        if let StepState::Completed { unsure, .. } = &run.step("desk").state {
            assert!(unsure.as_ref().unwrap().starts_with("write and edit"), "{unsure:?}");
        }
    }
}

#[test]
fn a_crew_that_uses_up_its_turns_or_the_tasks_steps_ends() {
    let flow = network(2);
    let mut run = flow.start(json!({}));
    circle(&mut run);
    let StepState::Waiting { ask, .. } = &run.step("desk").state else { unreachable!() };
    assert!(ask.question.starts_with("all 2 turns are used and the work is not done"), "{ask:?}");

    let flow = network(20).steps_max(2);
    let mut run = flow.start(json!({}));
    circle(&mut run);
    assert_eq!(run.why_not("desk"), "limit: max_steps: 2 of 2 steps are used");
    assert_eq!(run.task().dispatches, 2);
}

#[test]
fn a_crew_answers_for_its_turns_deadline_and_retries() {
    let desk = step("desk").crew(Pattern::Network, &["read", "write"], 5).retry(2);
    let flow = Flow::of(&[desk]);
    let mut run = flow.start(json!({}));
    run.due(10_000);
    assert_eq!(run.state("desk-0"), "delayed", "a turn is tried again as any step is");
    run.due(12_000);
    assert_eq!((run.state("desk-0"), run.step("desk-0").attempt), ("dispatched", 2));
    run.due(60_000);
    assert!(run.why_not("desk").starts_with("limit: "), "{}", run.why_not("desk"));
}

#[test]
fn accept_if_judges_what_the_crew_has_made() {
    let desk = step("desk").crew(Pattern::Network, &["read", "write"], 5);
    let flow = Flow::of(&[desk.accept_if("desk.good", Otherwise::AskHuman)]);
    let mut run = flow.start(json!({}));
    run.report("desk-0", hand_off("write", Some(json!({"notes": 1}))));
    run.report("desk-1", completed(json!({"good": false})));
    let StepState::Waiting { ask, .. } = &run.step("desk").state else {
        panic!("{:?}", run.task())
    };
    assert_eq!(ask.content.as_ref().unwrap().value(), &json!({"good": false}));
}

#[test]
fn a_plan_is_done_in_the_order_of_what_its_steps_need() {
    let flow = planner(6);
    let mut run = flow.start(json!({"q": 7}));
    assert_eq!(run.input("desk-0")["team"], json!(["one", "two"]));
    assert_eq!(run.input("desk-0")["steps_max"], 5);
    let plan = json!({"steps": [
        {"id": "sum", "role": "two", "input": {"a": {"$from": "left.n"}, "b": {"$from": "right"}}},
        {"id": "left", "role": "one", "input": {"q": {"$from": "input.from.q"}}},
        {"id": "right", "role": "one", "input": {}},
    ]});
    run.report("desk-0", completed(plan));
    assert_eq!(run.open(), ["desk-2", "desk-3"], "what needs nothing begins at once");
    assert_eq!(run.input("desk-2"), json!({"q": 7}));
    run.report("desk-2", completed(json!({"n": 1}))).report("desk-3", completed(json!({"m": 2})));
    assert_eq!(run.input("desk-1"), json!({"a": 1, "b": {"m": 2}}));
    run.complete("desk-1");
    let expected = json!({"left": {"n": 1}, "right": {"m": 2}, "sum": {"ok": "desk-1"}});
    assert_eq!(output(&run, "desk"), expected);
    run.complete("z").answer().check_log();
}

#[test]
fn a_refused_plan_is_made_once_more_with_the_reasons() {
    let flow = planner(6);
    let mut run = flow.start(json!({}));
    let bad = json!({"steps": [{"id": "a", "role": "boss", "input": {}}]});
    run.report("desk-0", completed(bad.clone()));
    let reason = "step a: role boss is not in the team (one, two)";
    assert_eq!((run.last().0, run.step("desk-0").attempt), ("replan", 2));
    assert_eq!(run.input("desk-0")["problems"], reason);
    let kept = run.records.iter().flat_map(|record| &record.events).find_map(|event| {
        let Event::StepDelayed { failure, .. } = event else { return None };
        failure.as_ref()?.refused.clone()
    });
    assert_eq!(kept.unwrap().value(), &bad, "the refused plan is kept");
    run.report("desk-0", completed(bad));
    assert_eq!(run.why_not("desk"), format!("invalid_output: turn 0 of role boss: {reason}"));
}

#[test]
fn a_planned_step_that_fails_ends_the_crew_once_the_others_are_over() {
    let flow = planner(6);
    let mut run = flow.start(json!({}));
    let plan = json!({"steps": [
        {"id": "a", "role": "one", "input": {}}, {"id": "b", "role": "one", "input": {}},
        {"id": "c", "role": "two", "input": {"x": {"$from": "b.gone"}}},
    ]});
    run.report("desk-0", completed(plan.clone()));
    run.fail("desk-1");
    assert_eq!((run.state("desk"), run.open()), ("none", vec!["desk-2".to_owned()]));
    run.complete("desk-2");
    assert_eq!(run.why_not("desk"), "error: planned step a: boom");

    let mut run = flow.start(json!({}));
    run.report("desk-0", completed(plan)).complete("desk-2");
    assert_eq!(run.open(), ["desk-1"]);
    run.complete("desk-1");
    assert_eq!(
        run.why_not("desk"),
        "invalid_input: planned step c: $from b.gone: there is no such value"
    );
}

fn outcome() -> impl Strategy<Value = (u8, u8)> {
    (0..8_u8, 0..4_u8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_hand_offs_takes_more_turns_than_it_may(
        is_network in any::<bool>(),
        turns_max in 1..12_u32,
        outcomes in prop::collection::vec(outcome(), 40),
    ) {
        let flow = if is_network { network(turns_max) } else { supervisor(turns_max) };
        let mut run = flow.start(json!({}));
        let team = if is_network { ["read", "write", "edit"] } else { ["bill", "tech", "bill"] };
        for (kind, what) in outcomes {
            let Some(step) = run.open().first().filter(|step| step.starts_with("desk")).cloned() else { break };
            let made = Some(json!({"n": what}));
            let outcome = match kind {
                0 => failed(),
                1 => completed(json!({"n": what})),
                2 => hand_off("nobody", None),
                3 => hand_off(team[usize::from(what) % 3], made),
                _ => hand_off(team[usize::from(what) % 3], None),
            };
            run.report(&step, outcome);
            run.check_log();
            prop_assert!(run.task().dispatches <= turns_max + 1, "and step z");
        }
        prop_assert!(!run.open().iter().any(|step| step.starts_with("desk")), "it came to an end");
        prop_assert!(run.state("desk") != "none");
    }
}
