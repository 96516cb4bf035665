//! One step for every item of a list: in order, bounded, and what happens when some of them fail.

use cadre_core::{ids::TaskId, task::Event};
use cadre_tests::{bed::Bed, packs, verdict};
use serde_json::{Value, json};

/// Copies every item of `goal.items`; those that say `{"bad": true}` are not accepted.
async fn bed(each: &str, max_steps: u32) -> Bed {
    let yaml = format!(
        r#"apiVersion: pack/v1
name: spread
roles:
  copier: {{runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {{timeout: 60s}}, concurrency: 4096}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {{deadline: 5m, max_steps: {max_steps}, max_usd: 0, max_tokens: 0}}
  when_limited: partial
  steps:
    copy:
      role: copier
      each: {{over: "${{ goal.items }}", as: item{each}}}
      with: "${{ item }}"
      accept_if: "${{ !has(item.bad) }}"
  result:
    copies: {{from: ["${{ copy }}"], required: false}}
    name: "${{ goal.name }}"
"#
    );
    let answer = r#"{"type": "object", "properties": {"copies": {"type": "array"}, "name": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    let bed = Bed::new().await;
    bed.apply(&packs::pack(&yaml, &contracts)).await;
    bed
}

async fn run(bed: &Bed, items: &[Value]) -> (TaskId, Value) {
    let stack = bed.stack().await;
    let task = bed.publish("spread", "k", &json!({"name": "n", "items": items})).await;
    let answer = bed.answer(&task).await;
    verdict::is_clean_at_rest(bed, std::slice::from_ref(&task)).await;
    stack.stop().await;
    (task, answer)
}

fn items(count: usize, is_bad: impl Fn(usize) -> bool) -> Vec<Value> {
    let item = |n| if is_bad(n) { json!({"n": n, "bad": true}) } else { json!({"n": n}) };
    (0..count).map(item).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_items_come_back_in_order_and_never_more_than_allowed_are_out() {
    let bed = bed(", parallel: 50", 1_000).await;
    let items = items(1_000, |_| false);
    let (task, answer) = run(&bed, &items).await;

    assert_eq!(answer["status"], "completed", "{}", answer["reason"]);
    assert_eq!(answer["result"]["copies"], json!(items));
    assert_eq!(answer["steps"], 1_000);
    let log = bed.bus.read_log(&task).await.expect("a whole log");
    let (mut out, mut most, mut completed) = (0_i32, 0, 0);
    for event in log.records.iter().flat_map(|record| &record.events) {
        if matches!(event, Event::StepDispatched { step, .. } if step.item.is_some()) {
            out += 1;
        } else if matches!(event, Event::StepCompleted { .. }) {
            (out, completed) = (out - 1, completed + 1);
        }
        most = most.max(out);
    }
    assert_eq!((completed, most), (1_000, 50), "each once, and the limit is used");
}

#[tokio::test(flavor = "multi_thread")]
async fn enough_items_are_a_partial_answer_that_names_the_lost_ones() {
    let bed = bed(", parallel: 8, keep_partial: 0.8", 20).await;
    let items = items(20, |n| n % 5 == 3);
    let (_, answer) = run(&bed, &items).await;

    assert_eq!(answer["status"], "partial", "{answer}");
    let kept: Vec<_> = items.iter().filter(|item| item.get("bad").is_none()).collect();
    assert_eq!(answer["result"]["copies"], json!(kept));
    let missing = answer["missing"].as_array().expect("a list");
    let steps: Vec<_> = missing.iter().map(|missing| missing["step"].as_str()).collect();
    assert_eq!(steps, [Some("copy-3"), Some("copy-8"), Some("copy-13"), Some("copy-18")]);
    for missing in missing {
        assert!(missing["cause"].as_str().unwrap_or("").contains("not_accepted"), "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_items_leave_the_step_without_an_output() {
    let bed = bed(", parallel: 8, keep_partial: 0.8", 20).await;
    let (_, answer) = run(&bed, &items(20, |n| n % 4 == 0)).await;

    assert_eq!(answer["status"], "partial", "{answer}");
    assert_eq!(answer["result"], json!({"name": "n"}));
    let missing = answer["missing"].as_array().expect("a list");
    let of_field = missing.iter().find(|missing| missing["field"] == "copies").expect("the field");
    assert!(of_field["cause"].as_str().unwrap_or("").contains("of 20 items"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_items_is_done_at_once() {
    let bed = bed("", 1).await;
    let (_, answer) = run(&bed, &[]).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    assert_eq!(answer["result"], json!({"copies": [], "name": "n"}));
    assert_eq!(answer["steps"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_beyond_the_step_limit_never_begin() {
    let bed = bed(", parallel: 4, keep_partial: 0.5", 10).await;
    let items = items(20, |_| false);
    let (_, answer) = run(&bed, &items).await;
    assert_eq!(answer["status"], "partial", "{answer}");
    assert_eq!(answer["steps"], 10);
    assert!(answer["reason"].as_str().unwrap_or("").contains("max_steps: 10 of 10"), "{answer}");
    assert_eq!(answer["result"]["copies"], json!(items[..10]));
    let cause = answer["missing"][0]["cause"].as_str().unwrap_or("");
    assert_eq!(cause, "10 of 20 items never began");
}
