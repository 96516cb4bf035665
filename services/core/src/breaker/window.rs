//! The calls of the last while, counted in buckets.

use std::time::Duration;

use super::{Call, CallOutcome, Settings};
use crate::time::UnixMillis;

/// Buckets of a window: what leaves it at once is a tenth.
const BUCKETS: u64 = 10;

/// Counts of the last [`Settings::window`]; older ones are forgotten bucket by bucket.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    buckets: [Bucket; BUCKETS as usize],
}

/// A part of a window, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bucket {
    /// Which tenth of a window since 1970.
    number: u64,
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
    pub(super) usd_micros: u64,
}

impl Window {
    /// Counts a call. What came long before the newest call of its bucket is forgotten already.
    pub(super) fn count(&mut self, call: Call, settings: &Settings, now: UnixMillis) {
        let is_failure = match call.outcome {
            CallOutcome::Success => false,
            CallOutcome::InfrastructureFailure => true,
            CallOutcome::Ignored => return,
        };
        let number = number(settings.window, now);
        let place = usize::try_from(number % BUCKETS).unwrap_or_default();
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        if bucket.number > number {
            return;
        }
        if bucket.number < number {
            *bucket = Bucket { number, ..Bucket::default() };
        }
        let is_slow = settings.slow_after.is_some_and(|slow| call.took >= slow);
        bucket.add(Bucket {
            number,
            calls: 1,
            failures: u64::from(is_failure),
            slow: u64::from(is_slow),
            usd_micros: call.usd_micros,
        });
    }

    /// Everything that counts at `now`.
    pub(super) fn total(&self, window: Duration, now: UnixMillis) -> Bucket {
        let newest = number(window, now);
        let oldest = newest.saturating_sub(BUCKETS - 1);
        let mut total = Bucket { number: newest, ..Bucket::default() };
        let counts = |bucket: &&Bucket| (oldest..=newest).contains(&bucket.number);
        self.buckets.iter().filter(counts).for_each(|bucket| total.add(*bucket));
        total
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Bucket {
    fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failures = self.failures.saturating_add(other.failures);
        self.slow = self.slow.saturating_add(other.slow);
        self.usd_micros = self.usd_micros.saturating_add(other.usd_micros);
    }

    /// Why these counts open a breaker; `None` when they do not.
    pub(super) fn verdict(&self, settings: &Settings) -> Option<String> {
        let reaches = |part: u64, permille: u32| {
            part.saturating_mul(1_000) >= self.calls.saturating_mul(u64::from(permille.max(1)))
        };
        let (calls, within) = (self.calls, settings.window.as_secs());
        if calls > 0 && calls >= u64::from(settings.calls_min) {
            if self.failures > 0 && reaches(self.failures, settings.failure_permille) {
                let failures = self.failures;
                return Some(format!("{failures} of {calls} calls failed within {within} s"));
            }
            if self.slow > 0 && reaches(self.slow, settings.slow_permille) {
                let (slow, limit) = (self.slow, settings.slow_after.unwrap_or_default());
                return Some(format!(
                    "{slow} of {calls} calls took {limit:?} or longer within {within} s"
                ));
            }
        }
        let limit = settings.usd_micros_per_minute_max?;
        let window_ms = settings.window.as_millis().max(1);
        let per_minute = u128::from(self.usd_micros).saturating_mul(60_000) / window_ms;
        (per_minute > u128::from(limit)).then(|| {
            format!("calls cost {per_minute} micro-USD a minute, over the limit of {limit}")
        })
    }
}

fn number(window: Duration, now: UnixMillis) -> u64 {
    let bucket_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX) / BUCKETS;
    now.0 / bucket_ms.max(1)
}
