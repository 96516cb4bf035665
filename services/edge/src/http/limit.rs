//! How often one credential may come, and how many of them one client may try.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use cadre_core::payload::Hash;
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

/// How long a credential that was good need not be counted as a try.
const GOOD_FOR: Duration = Duration::from_secs(600);

/// Where a request comes from, as far as it can be limited: an address, or the network that one customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    /// The client at this address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            ip @ IpAddr::V4(_) => ip,
        })
    }
}

/// Counts credentials that clients try. One that was good lately is let through whoever else is at the same
/// address, so that nobody can lock out others who come through the same proxy.
pub(super) struct Tries {
    clock: DefaultClock,
    limiter: DefaultKeyedRateLimiter<Client>,
    good: Mutex<HashMap<Hash, Instant>>,
}

impl Tries {
    pub(super) fn new(per_minute: u32) -> Self {
        let rate = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::keyed(Quota::per_minute(rate));
        Self { clock: DefaultClock::default(), limiter, good: Mutex::default() }
    }

    /// Lets one credential be looked up. A request without an address comes from this process.
    ///
    /// # Errors
    /// A problem that says when to come again.
    pub(super) fn admit(&self, client: Option<Client>, credential: &str) -> Result<(), Problem> {
        let Some(client) = client else { return Ok(()) };
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let at = good.get(&Hash::of(credential.as_bytes())).copied();
        drop(good);
        if at.is_some_and(|at| at.elapsed() < GOOD_FOR) {
            return Ok(());
        }
        if self.limiter.len() > KEPT_MAX {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&client).map_err(|until| {
            let again = until.wait_time_from(self.clock.now());
            Problem::limited("too many credentials were tried from this address", again)
        })
    }

    /// Remembers that a credential was good.
    pub(super) fn was_good(&self, credential: &str) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= KEPT_MAX {
            good.retain(|_, at| at.elapsed() < GOOD_FOR);
        }
        if good.len() >= KEPT_MAX {
            good.clear();
        }
        good.insert(Hash::of(credential.as_bytes()), Instant::now());
    }
}

fn nonzero_two() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Option<Client> {
        Some(Client::of(text.parse().unwrap()))
    }

    #[test]
    fn a_client_may_try_so_many_and_nobody_else_pays_for_it() {
        let tries = Tries::new(3);
        let (bad, other) = (client("10.0.0.1"), client("10.0.0.2"));
        tries.was_good("good");
        for number in 0..3 {
            assert!(tries.admit(bad, &number.to_string()).is_ok(), "{number}");
        }
        let refused = tries.admit(bad, "3").unwrap_err();
        assert_eq!(refused.status().as_u16(), 429);
        assert!(tries.admit(bad, "good").is_ok(), "it was good a moment ago");
        assert!(tries.admit(other, "3").is_ok() && tries.admit(None, "3").is_ok());
    }

    #[test]
    fn a_customers_network_is_one_client() {
        assert_eq!(client("2a00:1:2:3::1"), client("2a00:1:2:3:ffff::9"));
        assert_ne!(client("2a00:1:2:3::1"), client("2a00:1:2:4::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
        assert_ne!(client("10.0.0.1"), client("10.0.0.2"));
    }
}
