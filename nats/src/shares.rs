//! How many partitions an orchestrator keeps when others are there to take some.
//!
//! A pinned consumer stays with its owner for as long as that one pulls: whoever starts later would own nothing until
//! somebody dies. So an owner of more than its share lets go of a partition: it ends its pin and does not ask for a
//! moment, in which the broker pins whoever waits. What is in flight then is as at any takeover: appends of the slower
//! one are refused. Who let go keeps what comes back, and what has just come, until the dead are forgotten by the
//! fleet: otherwise the heir of a dead orchestrator would offer its partitions to it. Called by the pull of a partition.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use cadre_core::{fleet::Member, time::UnixMillis};

/// How long what was let go is not asked for.
const REST: Duration = Duration::from_secs(2);

/// How long a partition that has come is kept at least: longer than the fleet remembers the dead
/// (`nats/buckets/members.yaml`).
const KEEP: Duration = Duration::from_secs(20);

/// How long a member serves before it counts: until then it may not wait for inputs yet.
const SETTLED: Duration = Duration::from_secs(3);

/// The service that owns partitions.
const ORCHESTRATOR: &str = "orchestrator";

/// What all partitions of one process know of each other. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shares(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    owned: AtomicUsize,
    most: AtomicUsize,
    keep: Duration,
}

impl Default for Shares {
    fn default() -> Self {
        Self::new(KEEP)
    }
}

impl Shares {
    /// Nobody else is known yet.
    pub(crate) fn new(keep: Duration) -> Self {
        let (owned, most) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        Self(Arc::new(Counts { owned, most, keep }))
    }

    /// Keeps `partitions` divided by `owners` from now on, rounded up.
    pub(crate) fn divide(&self, partitions: usize, owners: usize) {
        self.0.most.store(partitions.div_ceil(owners.max(1)), Ordering::Relaxed);
    }

    /// A partition has come.
    fn gain(&self) {
        self.0.owned.fetch_add(1, Ordering::Relaxed);
    }

    /// A partition has gone.
    fn lose(&self) {
        self.0.owned.fetch_sub(1, Ordering::Relaxed);
    }

    /// Gives one away, if there is one too many; of several who ask, as many as are too many.
    fn give(&self) -> bool {
        let most = self.0.most.load(Ordering::Relaxed);
        let less = |owned: usize| (owned > most).then(|| owned - 1);
        self.0.owned.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// Orchestrators of the fleet that wait for inputs by now.
pub(crate) fn owners(members: &[Member], now: UnixMillis) -> usize {
    let serves = |member: &&Member| member.services.iter().any(|service| service == ORCHESTRATOR);
    let is_settled =
        |member: &&Member| member.since.is_some_and(|since| now.since(since) >= SETTLED);
    members.iter().filter(serves).filter(is_settled).count()
}

/// One partition, as this process has it.
#[derive(Debug)]
pub(crate) struct Title {
    shares: Shares,
    /// Since when it is ours.
    owned_since: Option<Instant>,
    rests_until: Option<Instant>,
}

impl Title {
    /// Somebody else's so far.
    pub(crate) fn new(shares: &Shares) -> Self {
        Self { shares: shares.clone(), owned_since: None, rests_until: None }
    }

    /// The broker has pinned us, or no longer does.
    pub(crate) fn pinned(&mut self, is_ours: bool, now: Instant) {
        match (self.owned_since, is_ours) {
            (None, true) => {
                self.shares.gain();
                self.owned_since = Some(now);
            }
            (Some(_), false) => {
                self.shares.lose();
                self.owned_since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// Whether to let go of it now; it counts as gone then, and is not to be asked for.
    pub(crate) fn lets_go(&mut self, now: Instant) -> bool {
        let keep = self.shares.0.keep;
        let is_old = self.owned_since.is_some_and(|since| now.duration_since(since) >= keep);
        if !is_old || !self.shares.give() {
            return false;
        }
        (self.owned_since, self.rests_until) = (None, Some(now + REST));
        true
    }

    /// How long it is not to be asked for; `None` when it may be.
    pub(crate) fn rest(&mut self, now: Instant) -> Option<Duration> {
        let left = self.rests_until?.checked_duration_since(now).filter(|left| !left.is_zero());
        if left.is_none() {
            self.rests_until = None;
        }
        left
    }
}

impl Drop for Title {
    fn drop(&mut self) {
        self.pinned(false, Instant::now());
    }
}
