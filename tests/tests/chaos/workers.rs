//! Workers that die with steps in their hands.

use std::time::Instant;

use crate::arena::{Arena, ROUND, TASKS};

#[tokio::test(flavor = "multi_thread")]
async fn the_other_worker_goes_on_when_one_is_killed() {
    let mut arena = Arena::new(1, 2).await;
    let victim = arena.workers.remove(0);
    let (tasks, killed) = arena.kill_in_the_middle(victim).await;
    arena.finish(&tasks, ("one of two workers killed", killed)).await;
}

/// An echo is too quick to be met in the middle: the only worker is frozen while it holds orders,
/// and dies. A frozen process is handed orders only while its last pull request lives, a second at
/// most, so it may take some rounds.
#[tokio::test(flavor = "multi_thread")]
async fn steps_in_the_hands_of_a_killed_worker_are_done_by_another() {
    let mut arena = Arena::new(1, 1).await;
    let mut tasks = Vec::new();
    let mut is_caught = false;
    for round in (0..TASKS).step_by(ROUND) {
        arena.workers[0].freeze().await;
        tasks.extend(arena.publish(round..round + ROUND).await);
        is_caught = arena.holds("CADRE_WORK_0", "role-chaos-r1").await;
        if is_caught {
            break;
        }
        arena.workers[0].thaw().await;
    }
    assert!(is_caught, "never frozen with a pull request open");
    arena.workers.push(arena.start("agent,aggregator").await);
    arena.workers[0].kill().await;
    let killed = Instant::now();
    arena.finish(&tasks, ("a worker killed in mid-step", killed)).await;
}
