//! Compensation, races and retries on a real broker.

use std::path::Path;

use cadre::{packs::read, stack::Stack};
use cadre_core::{
    ids::{Name, TaskId},
    pack::PackSource,
    task::EndStatus,
};
use cadre_tests::{
    bed::Bed,
    hand::Hand,
    packs::{ANYTHING, pack},
    payment::{Payment, state},
    plain, verdict,
};
use serde_json::{Value, json};

/// A broker with a pack, and everything that it runs on.
async fn with(source: &PackSource) -> Payment {
    let bed = Bed::new().await;
    bed.apply(source).await;
    let stack: Stack = bed.stack().await;
    Payment { bed, stack }
}

async fn wants(house: &Payment, workflow: &str, key: &str, input: &Value) -> TaskId {
    let headers = plain::headers(&[("Nats-Msg-Id", key)]);
    let subject = format!("goals.acme.{workflow}");
    plain::publish(&house.bed, &subject, headers, input.to_string().as_bytes()).await;
    TaskId::derive(&Name::new("acme").expect("a name"), key)
}

fn trips() -> PackSource {
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/packs/saga"))).expect("a pack")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_trip_is_undone_and_a_killed_one_is_not() {
    let house = with(&trips()).await;
    let trip = json!({"usd": 50, "to": "Rome"});
    let task = wants(&house, "trip", "one", &trip).await;
    house.until(&task, |task| state(task, "allow") == Some("waiting")).await;
    let id = task.as_str();
    house.ends(0, &["task", "cancel", id, "--reason", "rain"]).await;
    house.ends(0, &["task", "cancel", id]).await;
    let answer = house.bed.answer(&task).await;
    assert_eq!(answer["status"], "cancelled", "{answer:#}");
    let reason = answer["reason"].as_str().unwrap_or_default();
    assert!(reason.ends_with("rain; undone: pick, rooms-0, rooms-1"), "{reason}");
    let told = house.ends(0, &["task", "events", id]).await;
    assert!(told.text().contains("compensat"), "{}", told.text());

    let task = wants(&house, "trip", "two", &trip).await;
    house.until(&task, |task| state(task, "allow") == Some("waiting")).await;
    house.ends(0, &["task", "kill", task.as_str()]).await;
    let answer = house.bed.answer(&task).await;
    let reason = answer["reason"].as_str().unwrap_or_default();
    assert!(reason.ends_with("; not undone: pick, rooms-0, rooms-1"), "{reason}");
    verdict::is_clean(&house.bed).await;
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_trip_has_failed_and_is_undone() {
    let house = with(&trips()).await;
    let task = wants(&house, "trip", "one", &json!({"usd": 50, "to": "Rome"})).await;
    house.until(&task, |task| state(task, "allow") == Some("waiting")).await;
    house.ends(0, &["approval", "deny", task.as_str(), "--as", "ann"]).await;
    let answer = house.bed.answer(&task).await;
    assert_eq!(answer["status"], EndStatus::Failed.as_str(), "{answer:#}");
    let reason = answer["reason"].as_str().unwrap_or_default();
    assert!(reason.ends_with("; undone: pick, rooms-0, rooms-1"), "{reason}");
    verdict::is_clean(&house.bed).await;
    house.stack.stop().await;
}

/// Two remote roles race; `last` takes the first answer.
fn race() -> PackSource {
    let role = |name: &str| {
        format!(
            "  {name}: {{runtime: remote, accepts: contracts/any.v1.json, returns: \
             contracts/any.v1.json, limits: {{timeout: 60s}}}}\n"
        )
    };
    let roles: String = ["race-hare", "race-tortoise", "race-judge"].map(role).concat();
    let yaml = format!(
        "apiVersion: pack/v1\nname: race\nroles:\n{roles}workflow:\n  input: contracts/any.v1.json\n  \
         output: contracts/any.v1.json\n  limits: {{deadline: 5m, max_steps: 10, max_usd: 0, max_tokens: 0}}\n  \
         when_limited: partial\n  steps:\n    hare: {{role: race-hare, with: \"${{ goal }}\"}}\n    \
         tortoise: {{role: race-tortoise, with: \"${{ goal }}\"}}\n    last:\n      role: race-judge\n      \
         after: [hare, tortoise]\n      join: first\n      with: \"${{ task.winners.last[0] }}\"\n  \
         result:\n    won: \"${{ last.step }}\"\n"
    );
    pack(&yaml, &[("contracts/any.v1.json", ANYTHING)])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_wins_and_the_other_order_is_taken_back() {
    let house = with(&race()).await;
    let task = wants(&house, "race", "one", &json!({})).await;
    let hare = Hand::of(&house.bed, "race-hare").await.order().await;
    Hand::of(&house.bed, "race-tortoise")
        .await
        .order()
        .await
        .complete(&json!({"slow": true}))
        .await;
    let judge = Hand::of(&house.bed, "race-judge").await.order().await;
    let won = house.until(&task, |task| state(task, "hare") == Some("skipped")).await;
    assert_eq!(won.joined.values().next().expect("a winner").winners[0].to_string(), "tortoise");
    let late = hare.report(json!({"completed": {"output": {}}})).to_string();
    let stored = hare.send(&hare.report_subject(), "application/json", late).await;
    assert_eq!(stored, Ok(()), "it comes too late, and is no error of the worker's");
    judge.complete(&json!({"step": "tortoise"})).await;
    let answer = house.bed.answer(&task).await;
    assert_eq!(
        (&answer["status"], &answer["missing"]),
        (&json!("completed"), &json!([])),
        "{answer:#}"
    );
    verdict::is_clean(&house.bed).await;
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_failed_step_tried_again() {
    let house = with(&race()).await;
    let task = wants(&house, "race", "one", &json!({})).await;
    let id = task.as_str();
    let hares = Hand::of(&house.bed, "race-hare").await;
    let failed = json!({"failed": {"kind": "ERROR", "message": "it sleeps"}});
    hares.order().await.answer(failed).await;
    house.until(&task, |task| state(task, "hare") == Some("failed")).await;
    let refused = house.ends(14, &["task", "retry", id, "nobody"]).await;
    assert!(refused.talk.contains("has not begun"), "{}", refused.talk);
    house.ends(0, &["task", "retry", id, "hare", "--reason", "awake now"]).await;
    hares.order().await.complete(&json!({})).await;
    Hand::of(&house.bed, "race-judge").await.order().await.complete(&json!({"step": "hare"})).await;
    assert_eq!(house.bed.answer(&task).await["status"], "completed");
    let late = house.ends(14, &["task", "retry", id]).await;
    assert!(
        late.talk.contains("cadre task fork") || late.talk.contains("ended as"),
        "{}",
        late.talk
    );
    verdict::is_clean(&house.bed).await;
    house.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_takes_over_what_was_done_and_asks_anew() {
    let house = with(&trips()).await;
    let task = wants(&house, "trip", "one", &json!({"usd": 50, "to": "Rome"})).await;
    house.until(&task, |task| state(task, "allow") == Some("waiting")).await;
    house.ends(0, &["approval", "grant", task.as_str(), "--as", "ann"]).await;
    assert_eq!(house.bed.answer(&task).await["status"], "completed");
    let args =
        ["task", "fork", task.as_str(), "--from", "allow", "--key", "again", "-i", "to=Oslo"];
    let said = house.ends(0, &[&args[..], &["-o", "json"]].concat()).await.json();
    let fork = TaskId::derive(&Name::new("acme").expect("a name"), "again");
    assert_eq!((&said["task"], &said["decision"]), (&json!(fork.as_str()), &json!("fork")));
    let again = house.ends(0, &[&args[..], &["-o", "id"]].concat()).await;
    assert_eq!(again.text().trim(), fork.as_str(), "the same key is the same fork");
    house.until(&fork, |task| state(task, "allow") == Some("waiting")).await;
    let begun =
        house.ends(0, &["task", "replay", fork.as_str(), "--to", "1", "-o", "json"]).await.json();
    assert_eq!(begun["rev"], 1, "{begun:#}");
    house.ends(0, &["task", "cancel", fork.as_str()]).await;
    let answer = house.bed.answer(&fork).await;
    let reason = answer["reason"].as_str().unwrap_or_default();
    assert!(!reason.contains("undone"), "what it took over is not its own: {reason}");
    let nowhere = house.ends(3, &["task", "fork", task.as_str(), "--from", "nowhere"]).await;
    assert!(nowhere.talk.contains("has no step nowhere"), "{}", nowhere.talk);
    verdict::is_clean(&house.bed).await;
    house.stack.stop().await;
}
