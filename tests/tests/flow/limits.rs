//! Every task ends: by its steps' deadlines, its own, its step limit, or because somebody says so.

use std::time::{Duration, Instant};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    task::{FailureKind, StepState},
};
use cadre_tests::{bed::Bed, hand::Hand, packs, plain, verdict};
use serde_json::json;

/// A step that nobody does, and one that the built-in echo does.
async fn bed(role_timeout: &str, limits: &str, when_limited: &str) -> Bed {
    let yaml = format!(
        r#"apiVersion: pack/v1
name: slow
roles:
  nobody: {{runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {{timeout: {role_timeout}}}}}
  copier: {{runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {{timeout: {role_timeout}}}}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {{{limits}, max_usd: 0.001, max_tokens: 100}}
  when_limited: {when_limited}
  steps:
    never: {{role: nobody, with: "${{ goal }}"}}
    quick: {{role: copier, with: "${{ goal }}"}}
    last: {{role: copier, after: [quick], with: "${{ quick }}"}}
  result:
    never: {{from: ["${{ never }}"], required: false}}
    quick: {{from: ["${{ quick }}"], required: false}}
    last: {{from: ["${{ last }}"], required: false}}
"#
    );
    let answer = r#"{"type": "object", "properties": {"never": {}, "quick": {}, "last": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    let bed = Bed::new().await;
    bed.apply(&packs::pack(&yaml, &contracts)).await;
    bed
}

const ROOMY: &str = "deadline: 5m, max_steps: 9";

async fn failure(bed: &Bed, task: &TaskId, step: &str) -> FailureKind {
    let task = bed.task(task).await;
    match &task.steps[&StepId::single(Name::new(step).expect("a name"))].state {
        StepState::Failed(failure) => failure.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_nobody_does_times_out() {
    let bed = bed("200ms", ROOMY, "partial").await;
    let stack = bed.stack().await;
    let began = Instant::now();
    let task = bed.publish("slow", "k", &json!({"n": 1})).await;
    let answer = bed.answer(&task).await;

    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(answer["status"], "partial", "{answer}");
    assert_eq!(answer["result"], json!({"quick": {"n": 1}, "last": {"n": 1}}));
    assert_eq!(failure(&bed, &task, "never").await, FailureKind::Timeout);
    // The order is still there, for a worker that comes too late.
    let order = Hand::of(&bed, "nobody").await.order().await;
    let rev = bed.task(&task).await.rev;
    order.complete(&json!({"n": 2})).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert_eq!(bed.task(&task).await.rev, rev, "a late report changes nothing");
    assert_eq!(bed.answer(&task).await, answer);
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_ends_at_its_deadline() {
    for (when_limited, status, is_kept) in
        [("partial", "partial", true), ("fail", "incomplete", false)]
    {
        let bed = bed("500ms", "deadline: 500ms, max_steps: 9", when_limited).await;
        let stack = bed.stack().await;
        let began = Instant::now();
        let task = bed.publish("slow", "k", &json!({"n": 1})).await;
        let answer = bed.answer(&task).await;

        assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
        assert_eq!(answer["status"], status, "{answer}");
        assert!(answer["reason"].as_str().unwrap_or("").contains("deadline"), "{answer}");
        assert_eq!(answer.pointer("/result/last").is_some(), is_kept, "{answer}");
        verdict::is_clean(&bed).await;
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_can_end_it_earlier_than_the_pack() {
    let bed = bed("60s", ROOMY, "partial").await;
    let stack = bed.stack().await;
    let began = Instant::now();
    let headers = plain::headers(&[("Nats-Msg-Id", "k"), ("Cadre-Timeout-Ms", "500")]);
    plain::publish(&bed, "goals.acme.slow", headers, b"{}").await;
    let task = TaskId::derive(&Name::new("acme").expect("a name"), "k");
    let answer = bed.answer(&task).await;
    assert!(began.elapsed() < Duration::from_millis(2_500), "{:?}", began.elapsed());
    assert_eq!(answer["status"], "partial", "{answer}");
    assert_eq!(failure(&bed, &task, "never").await, FailureKind::Limit);
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_step_too_many_is_begun() {
    for (when_limited, status) in [("partial", "partial"), ("fail", "failed")] {
        let bed = bed("500ms", ROOMY, when_limited).await;
        let stack = bed.stack().await;
        let headers = plain::headers(&[("Nats-Msg-Id", "k"), ("Cadre-Budget-Steps", "2")]);
        plain::publish(&bed, "goals.acme.slow", headers, b"{}").await;
        let answer = bed.answers(1).await.remove(0);
        assert_eq!(answer["status"], status, "{answer}");
        assert_eq!(answer["steps"], 2, "{answer}");
        assert!(answer["reason"].as_str().unwrap_or("").contains("max_steps: 2 of 2"), "{answer}");
        assert_eq!(answer.pointer("/result/last"), None, "{answer}");
        verdict::is_clean(&bed).await;
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spent_over_the_limit_stops_new_steps() {
    let bed = bed("60s", ROOMY, "fail").await;
    let stack = bed.stack().await;
    let task = bed.publish("slow", "k", &json!({"n": 1})).await;
    let order = Hand::of(&bed, "nobody").await.order().await;
    order.answer(json!({"completed": {"output": {}}, "usage": {"tokens": 101}})).await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["tokens"], 101, "{answer}");
    assert_eq!(answer["status"], "failed", "{answer}");
    assert!(answer["reason"].as_str().unwrap_or("").contains("max_tokens"), "{answer}");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_task_ends_once() {
    let bed = bed("60s", ROOMY, "partial").await;
    let stack = bed.stack().await;
    let task = bed.publish("slow", "k", &json!({"n": 1})).await;
    let order = Hand::of(&bed, "nobody").await.order().await;
    bed.bus.cancel(&task, "ada", "wrong document").await.expect("sent");
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "cancelled", "{answer}");
    assert_eq!(answer["reason"], "cancelled by ada: wrong document");

    plain::emptied(&bed, "CADRE_IN_0").await;
    let rev = bed.task(&task).await.rev;
    bed.bus.cancel(&task, "bob", "again").await.expect("sent");
    order.complete(&json!({"n": 2})).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert_eq!(bed.task(&task).await.rev, rev);
    assert_eq!(bed.answer(&task).await, answer);
    assert_eq!(plain::count(&bed, "CADRE_ANSWERS", "answers.>").await, 1);

    // Of a task that is not there a wish is kept, and no task comes of it.
    let absent = TaskId::derive(&Name::new("acme").expect("a name"), "absent");
    bed.bus.cancel(&absent, "ada", "whatever").await.expect("sent");
    let letter = plain::dead_letters(&bed, 1).await.remove(0);
    assert!(letter.reason.contains("there is no task"), "{letter:?}");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_told_which_limits_of_the_task_are_nearly_used() {
    const PACK: &str = r#"apiVersion: pack/v1
name: brief
roles:
  typist: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 100}
  when_limited: partial
  steps:
    first: {role: typist, with: "${ goal }"}
    second: {role: typist, after: [first], with: "${ first }"}
  result:
    second: "${ second }"
"#;
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let task = bed.publish("brief", "k", &json!({"n": 1})).await;
    let typist = Hand::of(&bed, "typist").await;
    let first = typist.order().await;
    assert_eq!((first.header("Cadre-Budget-Near"), first.body.get("budgetNear")), ("", None));
    first.answer(json!({"completed": {"output": {}}, "usage": {"tokens": 80}})).await;
    let second = typist.order().await;
    assert_eq!(second.header("Cadre-Budget-Near"), "tokens");
    assert_eq!(second.body["budgetNear"], json!(["tokens"]));
    second.complete(&json!({})).await;
    assert_eq!(bed.answer(&task).await["status"], "completed");
    verdict::is_clean_at_rest(&bed, &[task]).await;
    stack.stop().await;
}
