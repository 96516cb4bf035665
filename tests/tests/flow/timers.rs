//! A timer that has acted is set again for whatever is due next.

use cadre_tests::{bed::Bed, packs, plain, verdict};
use serde_json::json;

const PACK: &str = r#"apiVersion: pack/v1
name: twice
roles:
  quick: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 300ms}}
  slow: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 1500ms}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    first: {role: quick, with: "${ goal }"}
    second: {role: slow, with: "${ goal }"}
  result:
    first: {from: ["${ first }"], required: false}
    second: {from: ["${ second }"], required: false}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_due_after_another_one_times_out_too() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let task = bed.publish("twice", "k", &json!({"n": 1})).await;
    // Once the first timer has acted, another one waits.
    while bed.bus.read_log(&task).await.expect("a whole log").head.rev < 2 {
        tokio::task::yield_now().await;
    }
    plain::emptied(&bed, "CADRE_IN_0").await;
    verdict::is_clean(&bed).await;
    let answer = bed.answer(&task).await;
    let missing = answer["missing"].as_array().expect("a list");
    assert_eq!(missing.len(), 2, "{answer}");
    verdict::is_clean_at_rest(&bed, &[task]).await;
    stack.stop().await;
}
