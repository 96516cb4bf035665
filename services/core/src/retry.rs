//! A retry budget: retries are a tenth of the calls, so that they cannot become the storm.
//!
//! One bucket per role. Calls put in, retries take out; a trickle lets a quiet role retry
//! too. The idea is Finagle's `RetryBudget`, and the tenth is from the SRE book, chapter 22.

use crate::time::UnixMillis;

/// Thousandths of a retry that one call allows.
const PER_CALL: u64 = 100;
/// Thousandths of a retry that one millisecond allows: one retry a second.
const PER_MS: u64 = 1;
/// Thousandths of a retry that can be saved up: a hundred retries.
const SAVED_MAX: u64 = 100_000;
/// Thousandths of a retry that a new bucket holds: ten retries.
const AT_FIRST: u64 = 10_000;

/// How many retries a role has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    saved: u64,
    at: UnixMillis,
}

impl RetryBudget {
    /// A bucket that allows ten retries at once.
    #[must_use]
    pub fn new(now: UnixMillis) -> Self {
        Self { saved: AT_FIRST, at: now }
    }

    /// Counts a call.
    pub fn call(&mut self, now: UnixMillis) {
        self.trickle(now);
        self.save(PER_CALL);
    }

    /// Takes one retry; `false` when there is none left.
    pub fn retry(&mut self, now: UnixMillis) -> bool {
        self.trickle(now);
        match self.saved.checked_sub(1_000) {
            Some(rest) => {
                self.saved = rest;
                true
            }
            None => false,
        }
    }

    fn trickle(&mut self, now: UnixMillis) {
        let ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        self.save(ms.saturating_mul(PER_MS));
    }

    fn save(&mut self, more: u64) {
        self.saved = self.saved.saturating_add(more).min(SAVED_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(budget: &mut RetryBudget, at: u64) -> usize {
        (0..1_000).take_while(|_| budget.retry(UnixMillis(at))).count()
    }

    #[test]
    fn a_tenth_of_the_calls_may_be_retries() {
        let mut budget = RetryBudget::new(UnixMillis(0));
        assert_eq!(retries(&mut budget, 0), 10, "a new one");
        (0..200).for_each(|_| budget.call(UnixMillis(0)));
        assert_eq!(retries(&mut budget, 0), 20);
        (0..100_000).for_each(|_| budget.call(UnixMillis(0)));
        assert_eq!(retries(&mut budget, 0), 100, "what is saved has an end");
    }

    #[test]
    fn a_quiet_role_gets_one_a_second_and_a_clock_that_goes_back_gives_nothing() {
        let mut budget = RetryBudget::new(UnixMillis(10_000));
        retries(&mut budget, 10_000);
        assert_eq!(retries(&mut budget, 13_500), 3);
        assert_eq!(retries(&mut budget, 2_000), 0);
        assert_eq!(retries(&mut budget, 13_999), 0);
        assert_eq!(retries(&mut budget, 14_000), 1);
    }
}
