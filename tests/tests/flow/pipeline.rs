//! A goal goes in on the bus and a validated answer comes out.

use cadre_tests::{bed::Bed, packs, verdict};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_goes_in_and_a_validated_answer_comes_out() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 4)).await;
    let stack = bed.stack().await;

    let task = bed.publish("echoes", "first", &json!({"hello": "world"})).await;
    let answer = bed.answer(&task).await;

    assert_eq!(answer["status"], "completed", "{answer}");
    assert_eq!(answer["result"], json!({"echo": {"hello": "world"}}));
    assert_eq!(answer["steps"], 4);
    let state = bed.task(&task).await;
    assert_eq!(state.status(), "completed");
    assert_eq!(state.rev, 6, "accepted, four reports, the aggregator's");
    verdict::is_clean_at_rest(&bed, &[task]).await;
    stack.stop().await;
}
