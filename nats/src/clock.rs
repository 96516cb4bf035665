//! The broker's time as this process knows it: never ahead of the broker.
//!
//! Every delivered message and every API answer carries the broker's timestamp. The
//! latest one plus the monotonic time since then is a lower bound of the broker's
//! clock, whatever this machine's own clock says.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use cadre_core::time::UnixMillis;

/// Cheap to clone; all clones share one reading.
#[derive(Debug, Clone)]
pub struct BrokerClock(Arc<Mutex<Reading>>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    broker: UnixMillis,
    read_at: Instant,
}

impl Reading {
    fn project(self, now: Instant) -> UnixMillis {
        self.broker.after(now.saturating_duration_since(self.read_at))
    }
}

impl BrokerClock {
    /// Starts from one timestamp of the broker.
    #[must_use]
    pub fn new(broker: UnixMillis) -> Self {
        Self(Arc::new(Mutex::new(Reading { broker, read_at: Instant::now() })))
    }

    /// Takes note of a timestamp that the broker made; an old one teaches nothing.
    pub fn observe(&self, broker: UnixMillis) {
        let now = Instant::now();
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if broker > reading.project(now) {
            *reading = Reading { broker, read_at: now };
        }
    }

    /// The broker's time now, or a little earlier.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        let reading = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.project(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_moves_the_clock_and_never_back() {
        let clock = BrokerClock::new(UnixMillis(1_000_000));
        clock.observe(UnixMillis(500));
        assert!(clock.now() >= UnixMillis(1_000_000));
        clock.observe(UnixMillis(9_000_000));
        assert!(clock.now() >= UnixMillis(9_000_000));
        assert!(clock.now() < UnixMillis(9_060_000), "it runs with the monotonic clock");
    }
}
