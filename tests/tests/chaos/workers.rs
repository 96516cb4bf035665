//! Workers that die with steps in their hands.

use std::time::Instant;

use crate::arena::{Arena, IN_FLIGHT, TASKS};

#[tokio::test(flavor = "multi_thread")]
async fn the_other_worker_goes_on_when_one_is_killed() {
    let mut arena = Arena::new(1, 2).await;
    let victim = arena.workers.remove(0);
    let (tasks, killed) = arena.kill_in_the_middle(victim).await;
    arena.finish(&tasks, ("one of two workers killed", killed)).await;
}

/// An echo is too quick to be met in the middle: both workers are frozen until the broker has
/// handed out more orders than one of them can hold. So each holds some, and then one dies.
#[tokio::test(flavor = "multi_thread")]
async fn steps_in_the_hands_of_a_killed_worker_are_done_by_the_other() {
    let mut arena = Arena::new(1, 2).await;
    for worker in &arena.workers {
        worker.freeze().await;
    }
    let tasks = arena.publish(0..TASKS).await;
    let held = arena.handed_out("CADRE_WORK_0", "role-chaos-r1", IN_FLIGHT + 1).await;
    assert!(held <= 2 * IN_FLIGHT, "{held}");
    arena.workers[0].kill().await;
    let killed = Instant::now();
    arena.workers[1].thaw().await;
    arena.finish(&tasks, ("one of two workers killed in mid-step", killed)).await;
}
