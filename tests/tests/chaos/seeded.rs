//! Everything at once, for a while: processes are killed and frozen, the broker is restarted, goals
//! and reports come twice, reports are not valid. At the end every goal has its answer and the
//! check finds nothing.
//!
//! Every choice follows from the seed, which is printed. `CADRE_CHAOS_SEED` and
//! `CADRE_CHAOS_SECONDS` make it another run, or a longer one: `make chaos SECONDS=600`. With
//! `CADRE_CHAOS_NODES=3` the broker is a cluster, and its nodes and cables break, too.

use std::time::Duration;

use cadre_tests::{
    bed::PATIENCE,
    process::Process,
    seed::{Seed, number},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    arena::Arena,
    cluster,
    storm::{Fault, Over, Storm, Weather, now_ms},
};

/// How long things are broken.
const SECONDS: u64 = 120;

/// The seed of the suite; `make chaos` takes others.
const SEED: u64 = 20_261_121;

/// From one goal to the next.
const GOAL_EVERY: Duration = Duration::from_millis(120);

/// What is broken.
const KINDS: [&str; 5] = [
    "worker killed",
    "orchestrator killed",
    "worker frozen",
    "orchestrator frozen",
    "broker restarted",
];

/// Milliseconds from one fault to the next, at least and beyond that at most.
const FAULT_EVERY_MS: (u64, u64) = (900, 1_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_storm_loses_nothing_and_does_nothing_twice() {
    let (seed, seconds) = (Seed::or(SEED), number("CADRE_CHAOS_SECONDS", SECONDS));
    let nodes = number("CADRE_CHAOS_NODES", 1);
    eprintln!(
        "chaos: seed {seed}, {seconds} s, nodes {nodes} (CADRE_CHAOS_SEED, _SECONDS, _NODES)"
    );
    match nodes {
        1 => one_broker(seed, seconds).await,
        3 => cluster::storm(seed, seconds).await,
        other => panic!("CADRE_CHAOS_NODES={other}: use 1 or 3"),
    }
}

async fn one_broker(seed: Seed, seconds: u64) {
    let weather = Weather { seed, seconds, goal_every: GOAL_EVERY, patience: PATIENCE };
    let mut arena = Arena::new(2, 2).await;
    let storm = Storm::begin(&arena, weather).await;
    let faults = disturb(&mut arena, seed, storm.until).await;
    let over = storm.end(&arena).await;
    over.tell(&faults);
    if seconds >= SECONDS {
        over.was_rough(&faults, &KINDS);
    }
    over.tell_recovery(&faults, ("until all it met had ended", Over::until_met_ended));
}

/// Does one fault after another; returns each with its time.
async fn disturb(arena: &mut Arena, seed: Seed, until: Instant) -> Vec<Fault> {
    let (mut faults, mut due) = (Vec::new(), Instant::now());
    for number in 0_u64.. {
        let (least, more) = FAULT_EVERY_MS;
        let pause = least + seed.below(more, &format!("pause {number}"));
        due = due.max(Instant::now()) + Duration::from_millis(pause);
        if due >= until {
            break;
        }
        sleep_until(due).await;
        let at_ms = now_ms();
        let name = fault(arena, seed, number).await;
        eprintln!("chaos: {name} at {at_ms}");
        faults.push(Fault { name, at_ms });
    }
    faults
}

async fn fault(arena: &mut Arena, seed: Seed, number: u64) -> &'static str {
    let index = usize::try_from(seed.below(2, &format!("who {number}"))).expect("few");
    let lasts = Duration::from_millis(500 + seed.below(4_000, &format!("frozen {number}")));
    match seed.below(10, &format!("fault {number}")) {
        0..=2 => {
            arena.workers[index].kill().await;
            arena.workers[index] = arena.start("agent,aggregator").await;
            "worker killed"
        }
        3..=4 => {
            arena.orchestrators[index].kill().await;
            arena.orchestrators[index] = arena.start("orchestrator").await;
            "orchestrator killed"
        }
        5..=6 => {
            freeze(&arena.workers[index], lasts).await;
            "worker frozen"
        }
        7 => {
            freeze(&arena.orchestrators[index], lasts).await;
            "orchestrator frozen"
        }
        _ => {
            arena.bed.server.kill().await.expect("killed");
            arena.bed.server.restart().await.expect("restarted");
            "broker restarted"
        }
    }
}

/// Stops a process for a while.
pub(crate) async fn freeze(process: &Process, lasts: Duration) {
    process.freeze().await;
    sleep(lasts).await;
    process.thaw().await;
}
