//! Whether the node that this process is connected to still speaks for its cluster.
//!
//! A node that lost the others keeps its clients: their connections are fine, and nobody answers.
//! A pull request gets a sign every half second from whoever leads its consumer. When none of a
//! process's requests gets any for [`SILENT_MAX`], the connection is made anew, likely to another node.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Longer than an election takes, which is silence everywhere; shorter than callers wait (`BUS_GAP_MAX`).
const SILENT_MAX: Duration = Duration::from_secs(8);

/// When the silence began. Cheap to clone; all clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Signs(Arc<State>);

#[derive(Debug)]
struct State {
    epoch: Instant,
    /// Milliseconds from the epoch to the first request without a sign, plus one; 0 for none.
    silent_since: AtomicU64,
}

impl Signs {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State { epoch: Instant::now(), silent_since: AtomicU64::new(0) }))
    }

    /// A leader has answered.
    pub(crate) fn seen(&self) {
        self.0.silent_since.store(0, Ordering::Relaxed);
    }

    /// Nobody has, until `now`; true when that is so for too long. Then the silence begins anew.
    pub(crate) fn missed(&self, now: Instant) -> bool {
        let since_epoch = now.saturating_duration_since(self.0.epoch).as_millis();
        let now_ms = u64::try_from(since_epoch).unwrap_or(u64::MAX - 1) + 1;
        let first =
            self.0.silent_since.compare_exchange(0, now_ms, Ordering::Relaxed, Ordering::Relaxed);
        let Err(since) = first else { return false };
        let is_too_long = Duration::from_millis(now_ms.saturating_sub(since)) >= SILENT_MAX;
        if is_too_long {
            self.seen();
        }
        is_too_long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unbroken_silence_is_too_long_and_only_once() {
        let signs = Signs::new();
        let at = |seconds| signs.0.epoch + Duration::from_secs(seconds);
        // A first request without a sign proves nothing, however long nobody has asked.
        assert!(!signs.missed(at(100)));
        assert!(!signs.missed(at(107)));
        signs.seen();
        assert!(!signs.missed(at(109)));
        assert!(!signs.missed(at(116)));
        assert!(signs.missed(at(117)));
        assert!(!signs.missed(at(118)));
        assert!(signs.missed(at(126)));
    }
}
