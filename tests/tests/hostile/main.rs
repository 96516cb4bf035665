//! Bytes that mean harm, for every decoder: nothing panics, hangs, swells or changes its meaning.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use cadre_tests::{
    fuzz::{Mutator, TARGETS, Target},
    seed::number,
};

/// Longest that one input may take on a busy machine, unoptimised: far above what any does.
const SLOW: Duration = Duration::from_secs(10);

/// How much the process may grow over all targets. What one input needs is given back before the next.
const GROWTH_BYTES_MAX: u64 = 256 << 20;

fn check(target: &Target, name: &str, bytes: &[u8]) -> Duration {
    let began = Instant::now();
    let survived = catch_unwind(AssertUnwindSafe(|| target.try_on(bytes)));
    let took = began.elapsed();
    assert!(
        survived.is_ok() && took < SLOW,
        "{} fails on {name} after {took:?}; keep it as tests/corpus/{}/<what it is>:\n{}",
        target.name,
        target.name,
        bytes.escape_ascii()
    );
    took
}

#[test]
fn what_is_in_the_corpus_breaks_no_decoder() {
    // Whatever one decoder is asked to read, another one may be asked, too.
    let all: Vec<_> = TARGETS.iter().flat_map(Target::corpus).collect();
    for target in &TARGETS {
        let own = target.corpus();
        let few = all.iter().filter(|_| !matches!(target.name, "pack" | "rules" | "contract"));
        for (name, bytes) in own.iter().chain(few) {
            check(target, name, bytes);
        }
    }
}

#[test]
fn no_damage_breaks_a_decoder() {
    // More of it: CADRE_FUZZ_TIMES=100; other damage: CADRE_FUZZ_SEED=7.
    let (seed, times) = (number("CADRE_FUZZ_SEED", 1), number("CADRE_FUZZ_TIMES", 1));
    let before = resident();
    for target in &TARGETS {
        let (began, mut slowest) = (Instant::now(), Duration::ZERO);
        let corpus = target.corpus().into_iter().map(|(_, bytes)| bytes).collect();
        let mut mutator = Mutator::new(seed, corpus);
        let runs = u64::from(target.runs) * times;
        for run in 0..runs {
            let name = format!("seed {seed}, run {run}");
            slowest = slowest.max(check(target, &name, &mutator.mutant()));
        }
        eprintln!("{}: {runs} runs in {:?}, slowest {slowest:?}", target.name, began.elapsed());
    }
    let grown = resident().saturating_sub(before);
    eprintln!("grown by {} MB", grown >> 20);
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more than before");
}

/// Bytes of memory that the process holds; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
