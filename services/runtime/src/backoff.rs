//! Pauses between tries: exponential with full jitter, so that a herd does not stay one.
//!
//! "Full jitter" draws each pause evenly from zero to the exponential bound (AWS
//! Architecture Blog, "Exponential Backoff and Jitter"). `backon` adds its jitter on top
//! of the bound instead, so the same schedule without jitter is taken off again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

/// An endless row of pauses; the owner decides when to give up.
#[derive(Debug)]
pub struct Backoff {
    bounds: ExponentialBackoff,
    jittered: ExponentialBackoff,
    last: Duration,
}

impl Backoff {
    /// Starts a row whose bounds double from `first` to `max`.
    #[must_use]
    pub fn new(first: Duration, max: Duration) -> Self {
        Self::build(ExponentialBuilder::new().with_min_delay(first).with_max_delay(max), max)
    }

    /// As [`Self::new`], with pauses that follow from `seed`.
    #[must_use]
    pub fn seeded(first: Duration, max: Duration, seed: u64) -> Self {
        let builder = ExponentialBuilder::new().with_min_delay(first).with_max_delay(max);
        Self::build(builder.with_jitter_seed(seed), max)
    }

    fn build(builder: ExponentialBuilder, max: Duration) -> Self {
        let endless = builder.without_max_times();
        Self { bounds: endless.build(), jittered: endless.with_jitter().build(), last: max }
    }

    /// The next pause.
    #[must_use]
    pub fn next_pause(&mut self) -> Duration {
        match (self.bounds.next(), self.jittered.next()) {
            (Some(bound), Some(jittered)) => jittered.saturating_sub(bound),
            // Neither row ends; the type does not say so.
            (Some(_) | None, None) | (None, Some(_)) => self.last,
        }
    }

    /// Sleeps for the next pause.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }

    /// Sleeps for the next pause if it ends before `deadline`; false, at once, if it does not.
    #[must_use]
    pub async fn pause_before(&mut self, deadline: Instant) -> bool {
        let end = Instant::now() + self.next_pause();
        if end >= deadline {
            return false;
        }
        tokio::time::sleep_until(end).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(2);

    #[test]
    fn pauses_stay_below_doubling_bounds_and_use_their_whole_range() {
        let rows: Vec<Vec<Duration>> = (0..200)
            .map(|seed| {
                let mut row = Backoff::seeded(FIRST, MAX, seed);
                (0..10).map(|_| row.next_pause()).collect()
            })
            .collect();
        for index in 0..10_u32 {
            let bound = (FIRST * 2_u32.pow(index)).min(MAX);
            let column: Vec<Duration> = rows.iter().map(|row| row[index as usize]).collect();
            assert!(column.iter().all(|pause| *pause <= bound), "{index}: {column:?}");
            assert!(column.iter().any(|pause| *pause < bound / 5), "{index}: low end unused");
            assert!(column.iter().any(|pause| *pause > bound / 5 * 4), "{index}: high end unused");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_outlasts_the_deadline() {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut row = Backoff::seeded(FIRST, MAX, 7);
        while row.pause_before(deadline).await {}
        assert!(Instant::now() < deadline);
    }
}
