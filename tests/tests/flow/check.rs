//! `cadre check` on real streams: clean after a clean run, and each forgery is found by name.

use cadre_core::{
    check::{Rule, Verdict},
    ids::TaskId,
};
use cadre_tests::{bed::Bed, hand::Hand, packs, plain, verdict};
use serde_json::json;

/// A pipeline, a fan-out, and a step that nobody does.
const PACK: &str = r#"apiVersion: pack/v1
name: mixed
roles:
  copier: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
  nobody: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 5m, max_steps: 99, max_usd: 0.001, max_tokens: 100}
  when_limited: partial
  steps:
    first: {role: copier, with: "${ goal }"}
    copy:
      role: copier
      after: [first]
      each: {over: "${ goal.items }", as: item}
      with: "${ item }"
    never: {role: nobody, after: [copy], when: has(goal.slow), with: "${ goal }"}
  result:
    copies: {from: ["${ copy }"], required: false}
    never: {from: ["${ never }"], required: false}
"#;

const SLOW: &str = r#"{"items": [{"n": 1}], "slow": true}"#;

async fn bed() -> Bed {
    let bed = Bed::new().await;
    let answer = r#"{"type": "object", "properties": {"copies": {"type": "array"}, "never": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    bed.apply(&packs::pack(PACK, &contracts)).await;
    bed
}

fn rules(verdict: &Verdict) -> Vec<Rule> {
    let mut rules: Vec<_> = verdict.violations.iter().map(|violation| violation.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn slow() -> serde_json::Value {
    serde_json::from_str(SLOW).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_everything_is_clean() {
    let bed = bed().await;
    let stack = bed.stack().await;
    let items: Vec<_> = (0..40).map(|n| json!({ "n": n })).collect();
    let done = bed.publish("mixed", "done", &json!({ "items": items })).await;
    let cancelled = bed.publish("mixed", "cancelled", &slow()).await;
    let open = bed.publish("mixed", "open", &slow()).await;
    bed.answer(&done).await;
    let order = Hand::of(&bed, "nobody").await.order().await;
    let task = TaskId::parse(order.header("Cadre-Task")).expect("a task");
    let other = if task == cancelled { &open } else { &cancelled };
    bed.bus.cancel(other, "ada", "enough").await.expect("sent");
    bed.answer(other).await;
    for number in 0..20 {
        plain::publish(
            &bed,
            "goals.acme.mixed",
            plain::headers(&[]),
            format!("[{number}").as_bytes(),
        )
        .await;
    }
    plain::dead_letters(&bed, 20).await;

    // While it works, and one task is open.
    verdict::is_clean(&bed).await;
    let verdict = verdict::check_with(&bed, true, &[]).await;
    assert_eq!(rules(&verdict), [Rule::GoalEnded], "{:#?}", verdict.violations);

    order.complete(&json!({"n": 1})).await;
    bed.answer(&task).await;
    let verdict = verdict::is_clean_at_rest(&bed, &[done, cancelled, open]).await;
    let counts = verdict.counts;
    assert_eq!((counts.tasks, counts.open, counts.answers, counts.letters), (3, 0, 3, 20));
    stack.stop().await;
    verdict::is_clean(&bed).await;
}
