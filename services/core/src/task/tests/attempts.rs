//! Retries, fallbacks and breakers.

use super::{
    kit::{DEADLINE_MS, T0, TIMEOUT_MS, completed, failed, name},
    *,
};
use crate::{limits::TIMEOUT_MIN, workflow::Otherwise};

fn unavailable() -> Outcome {
    Outcome::Failed(Failure::new(FailureKind::Unavailable, "no route"))
}

/// When a delayed step goes on, in milliseconds after the run's begin.
fn until(run: &Run<'_>, step: &str) -> u64 {
    let StepState::Delayed { until, .. } = &run.step(step).state else {
        panic!("{step} is {}", run.state(step))
    };
    until.0 - T0
}

#[test]
fn a_transient_failure_is_tried_again_after_a_wait_with_the_same_input() {
    let flow = Flow::of(&[step("a").retry(3), step("b").after(&["a"])]);
    let mut run = flow.start(json!({"n": 1}));
    let input = run.input("a");
    run.report("a", unavailable());
    assert_eq!(run.last().0, "retry");
    assert_eq!((run.state("a"), run.open().len(), run.task().status()), ("delayed", 0, "running"));
    let at = until(&run, "a");
    assert!(at <= 100, "{at}");
    assert_eq!(run.task().wake_at().unwrap().0, T0 + at);
    if at > 0 {
        assert_eq!(run.due(at - 1), Verdict::Ignore(Seen::Known), "not before its time");
    }
    run.due(at);
    assert_eq!((run.open(), run.input("a")), (vec!["a".to_owned()], input));
    assert_eq!((run.step("a").attempt, run.task().dispatches), (2, 2));
    run.complete("a");
    assert_eq!(run.open(), ["b"]);
}

#[test]
fn the_report_of_an_earlier_attempt_comes_too_late() {
    let flow = Flow::of(&[step("a").retry(2)]);
    let mut run = flow.start(json!({}));
    run.due(TIMEOUT_MS);
    assert_eq!((run.last().0, run.state("a")), ("expire", "delayed"));
    let late = Input::Report(report("a", completed(json!({}))));
    assert!(matches!(run.feed(&late), Verdict::Ignore(Seen::Late(_))), "while it waits");
    let at = until(&run, "a");
    run.due(at);
    assert!(matches!(run.feed(&late), Verdict::Ignore(Seen::Late(_))), "while the next is out");
    run.complete("a");
}

#[test]
fn tries_are_counted_and_then_the_step_fails() {
    let flow = Flow::of(&[step("a").retry(3)]);
    let mut run = flow.start(json!({}));
    for _ in 0..2 {
        run.report("a", unavailable());
        let at = until(&run, "a");
        run.due(at);
    }
    run.report("a", unavailable());
    assert_eq!((run.why_not("a").as_str(), run.task().dispatches), ("unavailable: no route", 3));
}

#[test]
fn only_transient_failures_are_tried_again() {
    let once = |outcome| {
        let flow = Flow::of(&[step("a").retry(3).returns(json!({"required": ["x"]}))]);
        let mut run = flow.start(json!({}));
        run.report("a", outcome);
        run.state("a")
    };
    for kind in [FailureKind::Unavailable, FailureKind::RateLimited, FailureKind::Timeout] {
        assert_eq!(once(Outcome::Failed(Failure::new(kind, "x"))), "delayed", "{kind:?}");
    }
    for kind in [FailureKind::Error, FailureKind::Panic, FailureKind::Undecodable] {
        assert_eq!(once(Outcome::Failed(Failure::new(kind, "x"))), "failed", "{kind:?}");
    }
    assert_eq!(once(completed(json!({}))), "failed", "invalid output");
}

#[test]
fn whoever_asks_for_patience_gets_it_inside_the_deadline() {
    let busy = |after| {
        let retry_after = Some(std::time::Duration::from_millis(after));
        Outcome::Failed(Failure { retry_after, ..Failure::new(FailureKind::RateLimited, "429") })
    };
    let flow = Flow::of(&[step("a").retry(3)]);
    let mut run = flow.start(json!({}));
    run.report("a", busy(7_000));
    assert_eq!(until(&run, "a"), 7_000);
    let mut run = flow.start(json!({}));
    run.report("a", busy(DEADLINE_MS - 1));
    assert_eq!(run.why_not("a"), "rate_limited: 429", "a wait that does not fit does not begin");
}

fn busy() -> Outcome {
    Outcome::Failed(Failure::new(FailureKind::RateLimited, "429"))
}

#[test]
fn who_asks_for_patience_is_waited_for_and_uses_up_no_try() {
    let flow = Flow::of(&[step("a").retry(2)]);
    let mut run = flow.start(json!({}));
    run.fleet.has_no_retries = true;
    for waits in 1..=5 {
        run.report("a", busy());
        assert_eq!((run.state("a"), run.step("a").tries), ("delayed", 0), "{waits}");
        assert_eq!(run.last().0, if waits == 1 { "retry" } else { "wait" });
        let at = until(&run, "a");
        run.due(at);
    }
    // What is a failure has all its tries.
    run.fleet.has_no_retries = false;
    run.report("a", unavailable());
    assert_eq!(run.last().0, "retry");
    let at = until(&run, "a");
    run.due(at);
    run.report("a", unavailable());
    assert_eq!(run.why_not("a"), "unavailable: no route");
}

#[test]
fn a_fallback_is_asked_before_patience_and_waited_for_like_anybody() {
    let flow = Flow::of(&[step("a").fallback("spare")]);
    let mut run = flow.start(json!({}));
    run.report("a", busy());
    assert_eq!((run.last().0, run.step("a").role.clone()), ("fall_back", Some(name("spare"))));
    run.report("a", busy());
    assert_eq!((run.last().0, run.state("a")), ("wait", "delayed"));
    let at = until(&run, "a");
    run.due(at);
    run.complete("a").answer();
    let answer = run.task().answer().unwrap();
    assert_eq!(answer.document.value()["degraded"][0]["role"], "spare");
}

#[test]
fn what_fits_no_contract_goes_to_the_fallback_and_then_to_a_person() {
    let wrong = || completed(json!({"y": 1}));
    let needs = |step: &str| super::step(step).returns(json!({"required": ["x"]}));
    let flow = Flow::of(&[needs("a").fallback("spare").otherwise(Otherwise::AskHuman)]);
    let mut run = flow.start(json!({}));
    run.report("a", wrong());
    assert_eq!(run.last().0, "fall_back");
    run.report("a", wrong());
    assert_eq!((run.last().0, run.state("a")), ("ask", "waiting"));
    let StepState::Waiting { ask, .. } = &run.step("a").state else { unreachable!() };
    assert_eq!((ask.kind, ask.content.is_none()), (AskKind::Question, true));
    let (question, sent) = ask.question.split_once(" What was sent: ").unwrap();
    assert!(question.starts_with("attempt 2 of role spare: "), "{question}");
    assert_eq!(sent, r#"{"y":1}"#);

    let flow = Flow::of(&[needs("a").fallback("spare")]);
    let mut run = flow.start(json!({}));
    run.report("a", wrong()).report("a", wrong());
    assert_eq!(run.state("a"), "failed", "nobody said that a person is to be asked");
}

#[test]
fn an_empty_retry_budget_stops_retries() {
    let flow = Flow::of(&[step("a").retry(3)]);
    let mut run = flow.start(json!({}));
    run.fleet.has_no_retries = true;
    run.report("a", unavailable());
    assert_eq!(run.state("a"), "failed");
}

#[test]
fn retries_count_as_steps() {
    let flow = Flow::of(&[step("a").retry(9)]).steps_max(2);
    let mut run = flow.start(json!({}));
    for _ in 0..2 {
        run.report("a", unavailable());
        let at = until(&run, "a");
        run.due(at);
    }
    assert_eq!(run.why_not("a"), "limit: max_steps: 2 of 2 steps are used");
    assert_eq!(run.open(), [AGGREGATE]);
}

#[test]
fn the_fallback_takes_over_and_the_answer_says_so() {
    for outcome in [failed(), unavailable(), completed(json!([]))] {
        let flow = Flow::of(&[step("a").fallback("spare"), step("b").after(&["a"])]);
        let mut run = flow.start(json!({"n": 1}));
        let input = run.input("a");
        run.report("a", outcome);
        assert_eq!(run.last().0, "fall_back");
        assert_eq!((run.open(), run.input("a")), (vec!["a".to_owned()], input));
        let spare = run.step("a");
        assert_eq!((spare.role.clone(), spare.attempt, spare.tries), (Some(name("spare")), 2, 1));
        run.complete("a").complete("b").answer();
        let answer = run.task().answer().unwrap();
        let degraded = &answer.document.value()["degraded"];
        assert_eq!((&degraded[0]["step"], &degraded[0]["role"]), (&json!("a"), &json!("spare")));
        assert!(degraded[0]["reason"].as_str().unwrap().starts_with("role a_role failed"));
        assert_eq!(degraded.as_array().unwrap().len(), 1);
    }
}

#[test]
fn retries_come_before_the_fallback_and_the_fallback_has_no_fallback() {
    let flow = Flow::of(&[step("a").retry(2).fallback("spare")]);
    let mut run = flow.start(json!({}));
    run.report("a", unavailable());
    assert_eq!(run.step("a").role, Some(name("a_role")));
    let at = until(&run, "a");
    run.due(at);
    run.report("a", unavailable());
    assert_eq!(run.step("a").role, Some(name("spare")));
    run.report("a", failed());
    assert_eq!(run.why_not("a"), "error: boom");
}

#[test]
fn an_open_breaker_delays_without_an_attempt() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]);
    let mut run = flow.start(json!({}));
    run.fleet.broken.insert(name("b_role"), T0 + 3_000);
    run.complete("a");
    assert_eq!((run.state("b"), until(&run, "b"), run.step("b").attempt), ("delayed", 3_000, 0));
    assert!(why(run.task(), None, UnixMillis(T0)).contains("breaker of role b_role is open"));
    run.fleet.broken.insert(name("b_role"), T0 + 9_000);
    run.due(3_000);
    assert_eq!(until(&run, "b"), 9_000, "still open");
    run.fleet.broken.clear();
    run.due(9_000);
    assert_eq!((run.open(), run.step("b").attempt), (vec!["b".to_owned()], 1));
}

#[test]
fn an_open_breaker_turns_to_the_fallback_at_once() {
    let flow = Flow::of(&[step("a").fallback("spare")]);
    let mut run = flow.idle();
    run.fleet.broken.insert(name("a_role"), T0 + 3_000);
    run.feed(&Input::Goal(kit::goal(json!({})).into()));
    let step = run.step("a");
    assert_eq!((step.role.clone(), step.attempt), (Some(name("spare")), 1));
    assert_eq!(
        step.degraded.as_deref().unwrap(),
        "breaker of role a_role is open: too many timeouts"
    );
    run.complete("a");
}

#[test]
fn a_breaker_that_stays_open_beyond_the_deadline_fails_the_step_at_once() {
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.idle();
    run.fleet.broken.insert(name("a_role"), T0 + DEADLINE_MS);
    run.feed(&Input::Goal(kit::goal(json!({})).into()));
    assert!(run.why_not("a").starts_with("unavailable: breaker of role a_role is open"));
}

#[test]
fn a_breaker_that_says_now_is_not_asked_in_a_circle() {
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.idle();
    run.fleet.broken.insert(name("a_role"), T0);
    run.feed(&Input::Goal(kit::goal(json!({})).into()));
    assert_eq!(u128::from(until(&run, "a")), TIMEOUT_MIN.as_millis());
}

#[test]
fn what_must_not_happen_twice_goes_to_a_person_when_nobody_knows() {
    let flow = Flow::of(&[step("a").once().retry(5).fallback("spare")]);
    let mut run = flow.start(json!({}));
    run.due(TIMEOUT_MS);
    assert_eq!((run.state("a"), run.task().dispatches), ("waiting", 1));
    let StepState::Waiting { ask, .. } = &run.step("a").state else { unreachable!() };
    assert!(ask.question.contains("may have happened"), "{}", ask.question);
    // Where nothing has happened, trying again is safe.
    let mut run = flow.start(json!({}));
    run.report("a", unavailable());
    assert_eq!(run.state("a"), "delayed");
}

#[test]
fn items_of_a_fan_out_retry_by_themselves() {
    let flow = Flow::of(&[step("f").each("goal.items").parallel(2).retry(2)]);
    let mut run = flow.start(json!({"items": [1, 2, 3]}));
    run.report("f-0", unavailable());
    assert_eq!(run.open(), ["f-1"], "a delayed item keeps its place");
    run.complete("f-1");
    assert_eq!(run.open(), ["f-2"]);
    let at = until(&run, "f-0");
    run.due(at);
    run.complete("f-2").complete("f-0");
    assert_eq!(run.parts().fields[0].candidates[0].value.as_array().unwrap().len(), 3);
}

#[test]
fn an_output_of_another_model_is_marked_with_the_reason_wherever_it_is_shown() {
    let flow = Flow::of(&[step("a").fallback("spare"), step("b"), step("c")]);
    let mut run = flow.start(json!({}));
    let said = "model b answered, not a: its breaker is open";
    let by_another = |report: Report| Report { degraded: Some(said.to_owned()), ..report };
    run.feed(&Input::Report(by_another(report("b", completed(json!({}))))));
    assert_eq!(run.step("b").degraded.as_deref(), Some(said));
    // What fails is no output: the next attempt may well be the first choice's.
    run.feed(&Input::Report(by_another(report("a", failed()))));
    let role = run.step("a").degraded.clone().expect("the fallback role has it");
    assert!(!role.contains(said), "{role}");
    let spare = Report { role: name("spare"), attempt: 2, ..report("a", completed(json!({}))) };
    run.feed(&Input::Report(by_another(spare)));
    assert_eq!(run.step("a").degraded.as_deref(), Some(format!("{role}; {said}").as_str()));
    run.complete("c").answer();
    let answer = run.task().answer().expect("it has ended").document;
    let steps: Vec<_> = answer.value()["degraded"].as_array().expect("a list").clone();
    let shown: Vec<_> = steps.iter().map(|one| (&one["step"], &one["role"])).collect();
    assert_eq!(shown, [(&json!("a"), &json!("spare")), (&json!("b"), &json!("b_role"))]);
    assert_eq!(steps[1]["reason"], said);
    let text = why(run.task(), None, UnixMillis(T0));
    assert!(text.contains(&format!("Step b is degraded: {said}.")), "{text}");
}

#[test]
fn a_person_is_told_whose_answer_they_grant() {
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.start(json!({}));
    let question = "which year?".to_owned();
    let asked = Report {
        degraded: Some("model b answered, not a: no key".to_owned()),
        ..report("a", Outcome::NeedsHuman { question })
    };
    run.feed(&Input::Report(asked));
    let StepState::Waiting { ask, .. } = &run.step("a").state else { panic!() };
    assert_eq!(ask.question, "which year? (model b answered, not a: no key)");
}
