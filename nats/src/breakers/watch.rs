//! The board's news, in the order in which they were written.

use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Watch};
use futures::{FutureExt, StreamExt};
use tokio::time::timeout;

use cadre_core::{
    breaker::{Target, port::News},
    ports::{BusError, Inbox},
};

use super::{POD_PREFIX, posted, unix_millis};
use crate::clock::BrokerClock;

/// How long nothing may come before an empty batch says so.
const QUIET: Duration = Duration::from_secs(5);

/// News handed over at once.
const BATCH_MAX: usize = 256;

/// A watch of the board, at first with everything that is on it.
pub struct BreakerWatch {
    entries: Watch,
    clock: BrokerClock,
}

impl BreakerWatch {
    pub(super) fn new(entries: Watch, clock: BrokerClock) -> Self {
        Self { entries, clock }
    }

    fn news(&self, entry: &Entry) -> Option<News> {
        let at = unix_millis(entry.created);
        self.clock.observe(at);
        if let Some(pod) = entry.key.strip_prefix(POD_PREFIX) {
            return Some(News::Pod(pod.parse().ok()?, at));
        }
        let target: Target = entry.key.parse().ok()?;
        let posted = posted(&target, &entry.value, entry.revision);
        Some(News::Hint(target, Box::new(posted)))
    }
}

impl Inbox<News> for BreakerWatch {
    async fn next(&mut self) -> Result<Vec<News>, BusError> {
        let broken = |what: &dyn std::fmt::Display| {
            BusError::Unavailable(format!("watch the breakers: {what}"))
        };
        let mut news = Vec::new();
        let Ok(mut next) = timeout(QUIET, self.entries.next()).await else { return Ok(news) };
        loop {
            let entry = match next {
                Some(Ok(entry)) => entry,
                Some(Err(error)) => return Err(broken(&error)),
                None => return Err(broken(&"it has ended")),
            };
            news.extend(self.news(&entry));
            if news.len() >= BATCH_MAX {
                return Ok(news);
            }
            // What else is there already.
            match self.entries.next().now_or_never() {
                Some(more) => next = more,
                None => return Ok(news),
            }
        }
    }
}
