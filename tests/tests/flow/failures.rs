//! Steps that fail: tried again, given to the fallback, kept within their grants, taken back.

use std::time::{Duration, Instant};

use cadre_core::{
    ids::{Name, StepId},
    task::StepState,
};
use cadre_tests::{bed::Bed, hand::Hand, packs, plain, verdict};
use serde_json::json;

const ANY: &str = "accepts: contracts/any.v1.json, returns: contracts/any.v1.json";

/// One step `a` by the remote role `hand`; `role` and `step` add to them.
async fn bed(role: &str, step: &str, limits: &str) -> Bed {
    let yaml = format!(
        r#"apiVersion: pack/v1
name: frail
roles:
  hand: {{runtime: remote, {ANY}, {role}}}
  spare: {{runtime: echo, {ANY}, limits: {{timeout: 60s}}}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {{deadline: 60s, max_steps: 20, {limits}}}
  when_limited: partial
  steps:
    a: {{role: hand, with: "${{ goal }}", {step}}}
    b: {{role: spare, after: [a], with: "${{ a }}"}}
  result:
    b: {{from: ["${{ b }}"], required: false}}
"#
    );
    let answer = r#"{"type": "object", "properties": {"b": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    let bed = Bed::new().await;
    bed.apply(&packs::pack(&yaml, &contracts)).await;
    bed
}

const FREE: &str = "max_usd: 0, max_tokens: 0";

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_failure_is_tried_again_and_then_the_fallback_takes_over() {
    let role = "limits: {timeout: 30s}, retry: {attempts: 2, backoff: 50ms}";
    let bed = bed(role, "fallback: spare", FREE).await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    let task = bed.publish("frail", "k", &json!({"n": 1})).await;
    for attempt in 1..=2 {
        let order = hand.order().await;
        assert_eq!(
            (&order.body["attempt"], &order.body["input"]),
            (&json!(attempt), &json!({"n": 1}))
        );
        let failed = json!({"kind": "UNAVAILABLE", "message": "no route", "retry_after_ms": 20});
        order.answer(json!({"failed": failed})).await;
    }
    let answer = bed.answer(&task).await;
    assert_eq!(
        (&answer["status"], &answer["result"]),
        (&json!("completed"), &json!({"b": {"n": 1}}))
    );
    assert_eq!(answer["degraded"][0]["step"], "a", "{answer}");
    assert_eq!(answer["degraded"][0]["role"], "spare");
    assert_eq!(answer["steps"], 4, "two tries, the fallback, and b");
    verdict::is_clean_at_rest(&bed, &[task]).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_carries_its_grant_and_parallel_orders_fit_the_budget_together() {
    let role = "limits: {timeout: 30s, max_usd: 0.02, max_tokens: 50}";
    let each = "each: {over: \"${ goal.items }\", as: item, parallel: 3, keep_partial: 0.1}";
    let step = format!("{each}, optional: true");
    let bed = bed(role, &step, "max_usd: 0.05, max_tokens: 1000").await;
    let stack = bed.stack().await;
    let hand = Hand::of(&bed, "hand").await;
    let task = bed.publish("frail", "k", &json!({"items": [1, 2, 3]})).await;
    let (first, second) = (hand.order().await, hand.order().await);
    assert_eq!(first.header("Cadre-Grant-Usd-Micros"), "20000");
    assert_eq!(second.header("Cadre-Grant-Tokens"), "50");
    assert_eq!(bed.task(&task).await.reserved.usd_micros, 40_000, "the third does not fit");
    let usage = json!({"usd_micros": "20000", "tokens": "50"});
    for order in [first, second] {
        order.answer(json!({"completed": {"output": {"ok": 1}}, "usage": usage})).await;
    }
    let answer = bed.answer(&task).await;
    assert_eq!((&answer["status"], &answer["usd_micros"]), (&json!("partial"), &json!(40_000)));
    assert!(answer.to_string().contains("10000 of 50000 micro-USD are left, 20000 are needed"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_happen_twice_waits_for_a_person_after_a_timeout() {
    let role = "limits: {timeout: 200ms}, effects: once, retry: {attempts: 5}";
    let bed = bed(role, "fallback: spare", FREE).await;
    let stack = bed.stack().await;
    let task = bed.publish("frail", "k", &json!({"n": 1})).await;
    let order = Hand::of(&bed, "hand").await.order().await;
    assert_eq!(order.body["attempt"], 1);
    let id = StepId::single(Name::new("a").expect("a name"));
    let waits = async {
        loop {
            let state = bed.task(&task).await;
            if let Some(StepState::Waiting { ask, .. }) = state.steps.get(&id).map(|s| &s.state) {
                return (ask.question.clone(), state.steps[&id].attempt);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (question, attempt) =
        tokio::time::timeout(cadre_tests::bed::PATIENCE, waits).await.unwrap();
    assert!(question.contains("may have happened"), "{question}");
    assert_eq!(attempt, 1, "it is not repeated");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_task_takes_its_orders_back() {
    let bed = bed("limits: {timeout: 50s}", "optional: true", FREE).await;
    let stack = bed.stack().await;
    let mut stops = bed.connection.client.subscribe("cadre.*.stop.*").await.expect("subscribe");
    let task = bed.publish("frail", "k", &json!({"n": 1})).await;
    let order = Hand::of(&bed, "hand").await.order().await;
    assert_eq!(order.body["task"], task.as_str());
    let began = Instant::now();
    stack.bus.cancel(&task, "ann", "enough").await.expect("cancel");
    assert_eq!(bed.answer(&task).await["status"], "cancelled");
    plain::emptied(&bed, "CADRE_WORK_0").await;
    let told = futures::StreamExt::next(&mut stops).await.expect("a signal");
    assert!(told.subject.ends_with(task.as_str()));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    verdict::is_clean_at_rest(&bed, &[task]).await;
    stack.stop().await;
}
