//! How often one credential may come.

use std::num::NonZeroU32;

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use super::Problem;

/// Credentials that are kept in mind before those that have been quiet are forgotten.
const KEPT_MAX: usize = 10_000;

/// Counts requests by credential.
pub(super) struct Limiter {
    clock: DefaultClock,
    limiter: DefaultKeyedRateLimiter<String>,
}

impl Limiter {
    pub(super) fn new(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate).allow_burst(rate.saturating_mul(nonzero_two()));
        Self { clock: DefaultClock::default(), limiter: RateLimiter::keyed(quota) }
    }

    /// Lets one request in.
    ///
    /// # Errors
    /// A problem that says when to come again.
    pub(super) fn admit(&self, key: &str) -> Result<(), Problem> {
        if self.limiter.len() > KEPT_MAX {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&key.to_owned()).map_err(|until| {
            let again = until.wait_time_from(self.clock.now());
            let detail = "this credential has sent more requests than it may at once";
            Problem::limited(detail, again)
        })
    }
}

fn nonzero_two() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(1)
}
