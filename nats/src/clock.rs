//! The broker's time as this process knows it: never ahead of the broker.
//!
//! Every delivered message carries the broker's timestamp, and so does what it says of a stream. The
//! latest one plus the monotonic time since then is a lower bound of the broker's
//! clock, whatever this machine's own clock says: nobody here reads that one.
//!
//! Messages alone are not enough. A process that starts behind a backlog sees only old ones, and would
//! work on what ran out of time long ago; the monotonic clock stands still while a machine sleeps. So the
//! broker is asked, too: before the first message, and now and then.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant, UNIX_EPOCH},
};

use async_nats::Client;
use bytes::Bytes;
use cadre_core::time::UnixMillis;
use serde::Deserialize;

/// How often the broker is asked for its time.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Says the broker's time beside much else; every deployment has it.
const ASK: &str = "$JS.API.STREAM.INFO.CADRE_LOG_0";

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

    /// Asks the broker for its time, now and then for as long as somebody has this clock.
    ///
    /// Returns after the first answer; one that does not come is made up for by messages.
    pub(crate) async fn keep(&self, client: &Client) {
        self.ask(client).await;
        let (clock, client) = (Arc::downgrade(&self.0), client.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(ASK_EVERY).await;
                let Some(clock) = Weak::upgrade(&clock) else { return };
                Self(clock).ask(&client).await;
            }
        });
    }

    async fn ask(&self, client: &Client) {
        // What was stamped before it travelled here is past: the clock stays behind the broker's.
        let answer = client.request(ASK, Bytes::new()).await;
        match answer.ok().and_then(|answer| stamp(&answer.payload)) {
            Some(stamp) => self.observe(stamp),
            None => tracing::debug!("the broker did not say its time"),
        }
    }

    /// The broker's time now, or a little earlier.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        let reading = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.project(Instant::now())
    }
}

/// The time at which the broker gave an answer of its management API.
fn stamp(answer: &[u8]) -> Option<UnixMillis> {
    #[derive(Deserialize)]
    struct Stamped {
        ts: String,
    }
    let Stamped { ts } = serde_json::from_slice(answer).ok()?;
    let since = humantime::parse_rfc3339(&ts).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(UnixMillis(0).after(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_when_it_was_given() {
        let answer = br#"{"type": "x", "ts": "2024-02-29T12:34:56.789123456Z"}"#;
        assert_eq!(stamp(answer), Some(UnixMillis(1_709_210_096_789)));
        for bad in [&b""[..], b"{}", br#"{"ts": 5}"#, br#"{"ts": "yesterday"}"#, b"\xff"] {
            assert_eq!(stamp(bad), None);
        }
    }

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
