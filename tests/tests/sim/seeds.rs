//! Storms by seed: whatever happens, every task ends, every rule holds, and a seed is one run.

use std::{
    fmt::Write as _,
    panic,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use cadre_runtime::task::panic_text;
use cadre_tests::sim::{Outcome, storm::weather};

/// Seeds of one run of the suite.
const SEEDS: u64 = 200;

/// A number of the environment: `CADRE_SIM_SEEDS`, `CADRE_SIM_FROM`.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a seed's run brings: what is wrong with it, if anything is, and its figures.
type Report = (u64, Option<String>, [u64; 5]);

fn report(seed: u64) -> Report {
    match panic::catch_unwind(|| weather(seed)) {
        Ok(outcome) => {
            let Outcome { tasks, records, faults, took, wrong, .. } = outcome;
            let figures = [tasks as u64, records as u64, faults.0, faults.1, took.as_secs()];
            (seed, (!wrong.is_empty()).then(|| wrong.join("\n")), figures)
        }
        Err(panic) => (seed, Some(format!("it panicked: {}", panic_text(&*panic))), [0; 5]),
    }
}

/// Runs seeds on all cores; each run has one thread.
fn reports(from: u64, count: u64) -> Vec<Report> {
    let next = AtomicU64::new(from);
    let work = || {
        let mut done = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count {
                return done;
            }
            done.push(report(seed));
        }
    };
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
    let mut all: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("reports")).collect()
    });
    all.sort_unstable_by_key(|(seed, ..)| *seed);
    all
}

fn quiet() {
    // Scripted panics are part of the play; what matters of them is in the logs.
    panic::set_hook(Box::new(|_| ()));
}

#[test]
fn every_storm_leaves_every_rule_standing() {
    quiet();
    let (from, count) = (number("CADRE_SIM_FROM", 1), number("CADRE_SIM_SEEDS", SEEDS));
    let (begun, mut sums, mut failed) = (Instant::now(), [0_u64; 5], Vec::new());
    for (seed, wrong, figures) in reports(from, count) {
        sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        failed.extend(wrong.map(|wrong| (seed, wrong)));
    }
    let [tasks, records, faults, strikes, seconds] = sums;
    let took = begun.elapsed();
    let figures = format!(
        "{count} seeds from {from} in {took:.1?}: {tasks} tasks, {records} records, {faults} faults, \
         {strikes} strikes, {seconds} virtual seconds"
    );
    eprintln!("{figures}");
    if failed.is_empty() {
        return;
    }
    drop(panic::take_hook());
    let mut text = format!("{figures}; {} seeds failed\n", failed.len());
    for (seed, wrong) in failed.iter().take(3) {
        let shown: String = wrong.chars().take(4_000).collect();
        let _ = write!(
            text,
            "seed {seed}, alone: CADRE_SIM_FROM={seed} CADRE_SIM_SEEDS=1 cargo test -p cadre-tests \
             --test sim every_storm\n{shown}\n"
        );
    }
    let all: Vec<_> = failed.iter().map(|(seed, _)| seed).collect();
    panic!("{text}all that failed: {all:?}");
}

#[test]
fn a_seed_is_one_run_byte_for_byte() {
    quiet();
    let from = number("CADRE_SIM_FROM", 1);
    for seed in from..from + 10 {
        let run = || std::thread::spawn(move || weather(seed).print).join();
        let (first, second) = (run().expect("a run"), run().expect("a run"));
        assert_eq!(first, second, "seed {seed}");
    }
}
