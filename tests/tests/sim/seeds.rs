//! Storms by seed: whatever happens, every task ends, every rule holds, and a seed is one run.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    panic,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use cadre_runtime::task::panic_text;
use cadre_tests::sim::{Outcome, storm::weather};

/// Seeds of one run of the suite.
const SEEDS: u64 = 160;

/// What a storm must have met for its rules to mean something, and is not sure to meet in each seed.
const MEETS: [&str; 25] = [
    "BudgetAdded",
    "BudgetNear",
    "CallRuled",
    "Compensating",
    "CrewBegan",
    "Ended",
    "Expanded",
    "Forked",
    "HandedOff",
    "Joined",
    "LimitReached",
    "LoopFound",
    "Paused",
    "Refused",
    "Resumed",
    "Retried",
    "StepCompleted",
    "StepDelayed",
    "StepDispatched",
    "StepFailed",
    "StepSkipped",
    "StepWaiting",
    "Stopped",
    "TakenOver",
    "Voted",
];

/// A number of the environment: `CADRE_SIM_SEEDS`, `CADRE_SIM_FROM`.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a seed's run brings: what is wrong with it, if anything is, and its figures.
type Report = (u64, Option<String>, Figures);

/// Sums over runs.
#[derive(Default)]
struct Figures {
    sums: [u64; 6],
    happened: BTreeMap<String, u64>,
}

impl Figures {
    fn add(&mut self, other: Self) {
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, figure)| *sum += figure);
        for (kind, count) in other.happened {
            *self.happened.entry(kind).or_default() += count;
        }
    }
}

fn report(seed: u64) -> Report {
    match panic::catch_unwind(|| weather(seed)) {
        Ok(outcome) => {
            let Outcome { tasks, records, faults, took, happened, again, wrong, .. } = outcome;
            let (tasks, records, again) = (tasks as u64, records as u64, again as u64);
            let sums = [tasks, records, faults.0, faults.1, took.as_secs(), again];
            (seed, (!wrong.is_empty()).then(|| wrong.join("\n")), Figures { sums, happened })
        }
        Err(panic) => {
            let text = format!("it panicked: {}", panic_text(&*panic));
            (seed, Some(text), Figures::default())
        }
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
    let (begun, mut all, mut failed) = (Instant::now(), Figures::default(), Vec::new());
    for (seed, wrong, figures) in reports(from, count) {
        all.add(figures);
        failed.extend(wrong.map(|wrong| (seed, wrong)));
    }
    let [tasks, records, faults, strikes, seconds, again] = all.sums;
    let took = begun.elapsed();
    let figures = format!(
        "{count} seeds from {from} in {took:.1?}: {tasks} tasks, {records} records, {faults} faults, \
         {strikes} strikes, {seconds} virtual seconds, {again} orders behind their report"
    );
    eprintln!("{figures}\n{:?}", all.happened);
    drop(panic::take_hook());
    if failed.is_empty() {
        let unmet: Vec<_> = MEETS
            .iter()
            .filter(|kind| all.happened.get(**kind).copied().unwrap_or_default() == 0)
            .collect();
        assert!(count < SEEDS || unmet.is_empty(), "never met: {unmet:?}");
        return;
    }
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
