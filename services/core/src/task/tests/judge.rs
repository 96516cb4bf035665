//! What becomes of a report: contracts, accept_if, otherwise.

use super::{
    kit::{completed, payload},
    *,
};
use crate::workflow::Otherwise;

fn sure(confidence: f64) -> Outcome {
    Outcome::Completed { output: payload(json!({"n": 1})), confidence: Some(confidence) }
}

fn judged(otherwise: Otherwise) -> Flow {
    Flow::of(&[step("a").accept_if("a.n == 1 && report.confidence >= 0.5", otherwise)])
}

#[test]
fn accept_if_sees_output_and_confidence() {
    let flow = judged(Otherwise::Fail);
    let mut run = flow.start(json!({}));
    run.report("a", sure(0.5));
    assert_eq!(run.state("a"), "completed");
    assert_eq!(run.parts().fields[0].candidates[0].confidence, Some(0.5));
}

#[test]
fn accept_if_sees_the_item_of_its_fan_out() {
    let accept = "f.n == item";
    let flow = Flow::of(&[step("f").each("goal.items").accept_if(accept, Otherwise::Fail)]);
    let mut run = flow.start(json!({"items": [5, 6]}));
    run.report("f-1", completed(json!({"n": 6}))).report("f-0", completed(json!({"n": 6})));
    assert_eq!((run.state("f-0"), run.state("f-1")), ("failed", "completed"));
}

#[test]
fn otherwise_fail_keeps_what_was_refused() {
    let flow = judged(Otherwise::Fail);
    let mut run = flow.start(json!({}));
    run.report("a", sure(0.4));
    let why = run.why_not("a");
    assert!(why.starts_with("not_accepted: accept_if does not hold: a.n == 1"), "{why}");
    let StepState::Failed(failure) = &run.task().steps.values().next().unwrap().state else {
        panic!("a did not fail")
    };
    assert_eq!(failure.refused.as_ref().unwrap().value(), &json!({"n": 1}));
}

#[test]
fn otherwise_accept_unsure_marks_the_output() {
    let flow = judged(Otherwise::AcceptUnsure);
    for outcome in [
        sure(0.4),
        Outcome::Unsure {
            output: Some(payload(json!({}))),
            confidence: None,
            reason: "a.n".into(),
        },
    ] {
        let mut run = flow.start(json!({}));
        run.report("a", outcome);
        let StepState::Completed { unsure, .. } = &run.task().steps.values().next().unwrap().state
        else {
            panic!("a did not complete")
        };
        assert!(unsure.as_ref().unwrap().contains("a.n"));
    }
    let mut run = flow.start(json!({}));
    run.report("a", Outcome::Unsure { output: None, confidence: None, reason: "dark".into() });
    assert_eq!(run.why_not("a"), "not_accepted: dark");
}

#[test]
fn otherwise_ask_human_waits_with_the_proposal() {
    let flow = judged(Otherwise::AskHuman);
    let mut run = flow.start(json!({}));
    run.report("a", sure(0.4));
    let task = run.task();
    let StepState::Waiting { ask, .. } = &task.steps.values().next().unwrap().state else {
        panic!("a does not wait")
    };
    assert!(ask.question.starts_with("accept_if does not hold"), "{}", ask.question);
    assert_eq!(ask.content.as_ref().unwrap().value(), &json!({"n": 1}));
    assert_eq!((task.status(), task.wake_at()), ("waiting", task.time_near_at()));
}

#[test]
fn an_invalid_output_never_goes_on() {
    let schema = json!({"type": "object", "required": ["n"]});
    let flow = Flow::of(&[
        step("a").returns(schema).otherwise(Otherwise::AcceptUnsure),
        step("b").after(&["a"]),
    ]);
    let unsure = Outcome::Unsure {
        output: Some(payload(json!({"x": 1}))),
        confidence: None,
        reason: "hm".to_owned(),
    };
    for outcome in [completed(json!({"x": 1})), unsure] {
        let mut run = flow.start(json!({}));
        run.report("a", outcome);
        assert!(run.why_not("a").starts_with("invalid_output: "), "{}", run.why_not("a"));
        assert_eq!(run.state("b"), "skipped");
    }
}

#[test]
fn an_accept_if_that_fails_on_the_data_fails_the_step() {
    let flow = Flow::of(&[step("a").accept_if("a.gone.deep", Otherwise::AcceptUnsure)]);
    let mut run = flow.start(json!({}));
    run.complete("a");
    assert!(run.why_not("a").starts_with("expression: accept_if: "), "{}", run.why_not("a"));
}

#[test]
fn a_hand_off_is_refused_and_named() {
    let flow = judged(Otherwise::Fail);
    let mut run = flow.start(json!({}));
    run.report(
        "a",
        Outcome::Handoff { to: kit::name("b"), reason: "not mine".to_owned(), output: None },
    );
    let text = "handoff: wanted to hand off to b, which the pack does not allow: not mine";
    assert_eq!(run.why_not("a"), text);
}

#[test]
fn a_confidence_that_is_no_share_is_drawn_to_one() {
    for (said, kept) in
        [(f64::NAN, None), (7.0, Some(1.0)), (-1.0, Some(0.0)), (f64::INFINITY, Some(1.0))]
    {
        let flow = Flow::of(&[step("a")]);
        let mut run = flow.start(json!({}));
        run.report("a", sure(said));
        assert_eq!(run.parts().fields[0].candidates[0].confidence, kept, "{said}");
    }
}

#[test]
fn long_texts_are_cut_once_and_say_so() {
    let flow = Flow::of(&[step("a")]);
    let mut run = flow.start(json!({}));
    let long = "ä".repeat(4_000);
    let failure = Failure { message: long.clone(), ..Failure::new(FailureKind::Error, "") };
    run.report("a", Outcome::Failed(failure));
    let StepState::Failed(failure) = &run.task().steps.values().next().unwrap().state else {
        panic!("a did not fail")
    };
    assert!(failure.message.len() <= crate::limits::TEXT_BYTES_MAX);
    assert!(failure.message.ends_with("bytes more)"), "{}", failure.message);
    assert_eq!(clip(&clip(&long)), clip(&long));
}
