//! The broker itself dies and comes back with its store.

use std::time::Instant;

use cadre::timeline::follow;
use cadre_core::task::Event;
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;
use tokio::time::timeout;

use crate::arena::{Arena, FIRST, TASKS};

/// A task that waits until somebody ends it.
const PACK: &str = r#"apiVersion: pack/v1
name: idle
roles:
  nobody: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    wait: {role: nobody, with: "${ goal }"}
  result:
    wait: "${ wait }"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_survives_a_killed_broker() {
    let mut arena = Arena::new(2, 2).await;
    let (mut tasks, _) = tokio::join!(arena.publish(0..TASKS), arena.bed.answers(FIRST));
    arena.bed.server.kill().await.expect("killed");
    let killed = Instant::now();
    arena.bed.server.restart().await.expect("restarted");
    eprintln!("broker was away for {:?}", killed.elapsed());
    // Whatever the kill met: these have their whole life after it.
    tasks.extend(arena.publish(TASKS..TASKS + FIRST).await);
    arena.finish(&tasks, ("broker killed and restarted", killed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_task_sees_its_end_behind_a_restart() {
    let mut bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let task = bed.publish("idle", "k", &json!({})).await;
    let mut records = follow(&bed.bus, &task).await.expect("a log");
    records.next().await.expect("accepted").expect("a record");

    // Whoever reads on asks for a consumer that nobody knows any more.
    bed.server.kill().await.expect("killed");
    bed.server.restart().await.expect("restarted");
    bed.bus.cancel(&task, "ann", "enough").await.expect("stored");

    let rest = timeout(PATIENCE, records.try_collect::<Vec<_>>()).await.expect("in time");
    let rest = rest.expect("each record");
    let last = rest.last().and_then(|record| record.events.last());
    assert!(matches!(last, Some(Event::Ended { .. })), "{rest:?}");
    stack.stop().await;
}
