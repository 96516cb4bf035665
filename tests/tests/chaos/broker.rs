//! The broker itself dies and comes back with its store.

use std::time::Instant;

use crate::arena::{Arena, FIRST, TASKS};

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
