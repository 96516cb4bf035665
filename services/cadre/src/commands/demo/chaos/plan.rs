//! What is broken when, and what the goals are like: everything that comes from the seed. Pure.

use std::{ops::Range, time::Duration};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

/// One round of faults; longer runs have several.
const ROUND: Duration = Duration::from_secs(60);

/// Every so many goals, one asks for a person.
const ASKS_EVERY: usize = 10;

/// Parts of one goal.
const PARTS: Range<usize> = 1..5;

/// What is done to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// A role says `unavailable` for a while.
    BreakRole {
        /// For how long.
        lasts: Duration,
    },
    /// A worker is gone in mid-step, at once and for good; a new one comes later.
    KillWorker {
        /// Which one, in a circle.
        index: usize,
    },
    /// A worker stands still and then goes on as if nothing had been.
    FreezeWorker {
        /// Which one, in a circle.
        index: usize,
        /// For how long.
        lasts: Duration,
    },
    /// The broker is gone at once, and comes back with what it had stored.
    RestartBroker,
}

/// When each fault is due, from the beginning; never two at once.
pub(super) fn faults(seed: u64, length: Duration) -> Vec<(Duration, Fault)> {
    let mut random = StdRng::seed_from_u64(seed);
    let rounds = u32::try_from(length.as_secs() / ROUND.as_secs()).unwrap_or(u32::MAX).max(1);
    let round = length / rounds;
    let mut faults = Vec::new();
    for number in 0..rounds {
        let mut at =
            |share: f64| round.mul_f64(f64::from(number) + share + random.random_range(0.0..0.03));
        let due = [at(0.06), at(0.47), at(0.58), at(0.78)];
        let index = random.random_range(0..64);
        let kinds = [
            Fault::BreakRole { lasts: (round / 3).min(Duration::from_secs(20)) },
            Fault::KillWorker { index },
            Fault::FreezeWorker {
                index: index + 1,
                lasts: (round / 10).min(Duration::from_secs(6)),
            },
            Fault::RestartBroker,
        ];
        faults.extend(due.into_iter().zip(kinds));
    }
    faults
}

/// One goal that is published.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    /// Its idempotency key.
    pub(super) key: String,
    /// Its document.
    pub(super) input: Value,
    /// Calls that an undisturbed run makes for it: read, weigh each part, close.
    pub(super) calls: usize,
    /// It asks for a person, who comes in time or does not.
    pub(super) asks: Option<Person>,
}

/// What the person does who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// Says yes.
    Grants,
    /// Does nothing.
    Sleeps,
}

/// The goals of a run.
pub(super) fn orders(seed: u64, count: usize) -> Vec<Order> {
    let mut random = StdRng::seed_from_u64(seed.rotate_left(32));
    let mut order = |number: usize| {
        let parts: Vec<_> = (0..random.random_range(PARTS)).collect();
        let person = match number / ASKS_EVERY % 2 {
            0 => Person::Sleeps,
            _ => Person::Grants,
        };
        let asks = (number % ASKS_EVERY == 2).then_some(person);
        Order {
            key: format!("chaos-{seed}-{number}"),
            calls: parts.len() + 2,
            input: json!({"number": number, "parts": parts, "asks": asks.is_some()}),
            asks,
        }
    };
    (0..count).map(&mut order).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything_and_another_one_something_else() {
        let minute = Duration::from_secs(60);
        assert_eq!(faults(7, minute), faults(7, minute));
        assert_ne!(faults(7, minute), faults(8, minute));
        assert_eq!(orders(7, 40), orders(7, 40));
        assert_ne!(orders(7, 40), orders(8, 40));
    }

    #[test]
    fn each_round_has_every_fault_and_none_while_another_lasts() {
        for (seed, seconds) in (0..200).flat_map(|seed| [(seed, 20), (seed, 60), (seed, 200)]) {
            let length = Duration::from_secs(seconds);
            let faults = faults(seed, length);
            assert_eq!(faults.len() as u64, 4 * (seconds / 60).max(1));
            let mut free_at = Duration::ZERO;
            for (at, fault) in faults {
                assert!(at >= free_at, "{fault:?} at {at:?}, seed {seed}");
                let lasts = match fault {
                    Fault::BreakRole { lasts } | Fault::FreezeWorker { lasts, .. } => lasts,
                    Fault::KillWorker { .. } | Fault::RestartBroker => Duration::ZERO,
                };
                free_at = at + lasts;
            }
            assert!(free_at < length, "the last one is watched, too");
        }
    }

    #[test]
    fn people_come_and_do_not() {
        let orders = orders(1, 40);
        let count = |person| orders.iter().filter(|order| order.asks == Some(person)).count();
        assert_eq!((count(Person::Sleeps), count(Person::Grants)), (2, 2));
    }
}
