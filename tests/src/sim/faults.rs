//! How bad the simulated world is.

use super::chance::Chance;

/// What can go wrong, and how often in a thousand calls.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// A call takes up to this long, both ways.
    pub latency_ms_max: u64,
    /// A write is not done, and its writer is told that nobody knows.
    pub lost_permille: u64,
    /// A write is done, and its writer is told that nobody knows.
    pub unclear_permille: u64,
    /// A write is done after its writer was told that nobody knows.
    pub late_permille: u64,
    /// A write is done twice.
    pub twice_permille: u64,
    /// An acknowledgement does not arrive.
    pub ack_lost_permille: u64,
    /// A message is delivered again at once.
    pub again_permille: u64,
    /// A message takes up to `slow_ms_max`.
    pub slow_permille: u64,
    /// See there.
    pub slow_ms_max: u64,
    /// A read, or a subscription, breaks.
    pub broken_permille: u64,
    /// Timers fire up to this long after their time.
    pub timer_late_ms_max: u64,
    /// No call is answered before this time.
    pub away_until: u64,
    /// Everybody gets inputs before this time, whoever owns the partition.
    pub split_until: u64,
}

impl Faults {
    /// Nothing goes wrong, but everything takes a moment.
    #[must_use]
    pub fn calm() -> Self {
        Self { latency_ms_max: 2, timer_late_ms_max: 150, ..Self::default() }
    }

    /// A storm of its own for each seed: some faults are frequent, some do not happen.
    #[must_use]
    pub fn storm(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "faults");
        let mut often = |max: u64| if chance.hits(300) { 0 } else { chance.between(0, max) };
        Self {
            latency_ms_max: 1 + often(25),
            lost_permille: often(60),
            unclear_permille: often(60),
            late_permille: often(40),
            twice_permille: often(60),
            ack_lost_permille: often(200),
            again_permille: often(100),
            slow_permille: often(200),
            slow_ms_max: 1 + often(3_000),
            broken_permille: often(20),
            timer_late_ms_max: often(1_500),
            away_until: 0,
            split_until: 0,
        }
    }
}
