//! Orchestrators that share the work, die, and come back from the dead.

use std::time::Instant;

use cadre_tests::{
    bed::Bed,
    hand::Hand,
    packs,
    process::Process,
    tools::{figure, free_port, page},
};
use serde_json::json;

use crate::arena::{Arena, FIRST, ROUND, TASKS};

/// Two steps by hand, one behind the other.
pub(crate) const PACK: &str = r#"
apiVersion: pack/v1
name: relay
roles:
  relay-one: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5m}}
  relay-two: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 10m, max_steps: 8, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    one: {role: relay-one, with: {}}
    two: {role: relay-two, after: [one], with: {}}
  result: {echo: two}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_orchestrators_and_two_workers_share_the_work() {
    let mut arena = Arena::new(0, 2).await;
    let figures = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let since = Instant::now();
    let mut tasks = Vec::new();
    for (address, keys) in figures.iter().zip([0..TASKS / 2, TASKS / 2..TASKS]) {
        let orchestrator = arena.start_with("orchestrator", &["--metrics", address]).await;
        arena.orchestrators.push(orchestrator);
        if arena.orchestrators.len() == 2 {
            // Whoever was alone has owned all partitions, and leaves the other one its share.
            arena.orchestrators[0].says("let go of a partition").await;
        }
        tasks.extend(arena.publish(keys).await);
        arena.bed.answers(tasks.len()).await;
    }
    arena.finish(&tasks, ("two of each, nobody killed", since)).await;
    let mut sum = 0;
    for address in &figures {
        let (_, page) = page(&format!("http://{address}/metrics"), None).await.expect("a page");
        let records = figure(&page, "cadre_records_total", "");
        assert!(records > 0, "one of two orchestrators made no record:\n{page}");
        eprintln!("{records} records by one of two orchestrators");
        sum += records;
    }
    let stored = arena.messages("CADRE_LOG_0").await;
    assert_eq!(usize::try_from(sum).expect("few"), stored, "each record is somebody's");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_orchestrator_takes_over_from_a_killed_one() {
    let mut arena = Arena::new(2, 1).await;
    let victim = arena.orchestrators.remove(0);
    let (tasks, killed) = arena.kill_in_the_middle(victim).await;
    arena.finish(&tasks, ("one of two orchestrators killed", killed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_orchestrator_goes_on_where_the_only_one_was_killed() {
    let mut arena = Arena::new(1, 1).await;
    let victim = arena.orchestrators.remove(0);
    let (tasks, killed) = arena.kill_in_the_middle(victim).await;
    arena.orchestrators.push(arena.start("orchestrator").await);
    arena.finish(&tasks, ("the only orchestrator killed, a new one started", killed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goals_in_the_hands_of_a_killed_orchestrator_are_taken_in_by_a_new_one() {
    let mut arena = Arena::new(1, 1).await;
    // A frozen process is handed goals only while its last pull request lives: a second at most.
    let mut tasks = Vec::new();
    let mut is_caught = false;
    for round in (0..TASKS).step_by(ROUND) {
        arena.orchestrators[0].freeze().await;
        tasks.extend(arena.publish(round..round + ROUND).await);
        is_caught = arena.holds("CADRE_GOALS", "intake").await;
        if is_caught {
            break;
        }
        arena.orchestrators[0].thaw().await;
    }
    assert!(is_caught, "never frozen with a pull request open");
    arena.orchestrators[0].kill().await;
    let killed = Instant::now();
    arena.orchestrators.push(arena.start("orchestrator").await);
    arena.finish(&tasks, ("the only orchestrator killed with new goals in hand", killed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_that_wakes_up_after_its_replacement_does_no_harm() {
    let arena = Arena::new(2, 1).await;
    let freeze = async {
        arena.bed.answers(FIRST).await;
        arena.orchestrators[0].freeze().await;
        let frozen = Instant::now();
        arena.is_in_the_middle().await;
        frozen
    };
    let (mut tasks, frozen) = tokio::join!(arena.publish(0..TASKS), freeze);
    arena.finish(&tasks, ("one of two orchestrators frozen", frozen)).await;
    // It still holds the inputs that it was frozen with, and believes that it owns their tasks.
    arena.orchestrators[0].thaw().await;
    let thawed = Instant::now();
    tasks.extend(arena.publish(TASKS..2 * TASKS).await);
    arena.finish(&tasks, ("the frozen orchestrator thawed", thawed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_that_owns_a_task_again_believes_the_log_and_not_its_memory() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", r#"{"type": "object"}"#)])).await;
    let url = bed.server.urls().join(",");
    let _aggregator = Process::serve(&url, &["--role", "aggregator"]).await;
    let first = Process::serve(&url, &["--role", "orchestrator"]).await;
    let task = bed.publish("relay", "again", &json!({})).await;
    let one = Hand::of(&bed, "relay-one").await.order().await;
    first.freeze().await;
    let mut second = Process::serve(&url, &["--role", "orchestrator"]).await;
    one.complete(&json!({})).await;
    let two = Hand::of(&bed, "relay-two").await.order().await;
    second.kill().await;
    first.thaw().await;
    // What it remembers has no such step.
    two.complete(&json!({})).await;
    assert_eq!(bed.answer(&task).await["status"], "completed");
}
