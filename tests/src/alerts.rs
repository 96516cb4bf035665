//! Alerts as a test waits for them: read from their stream, from its beginning.

use std::time::Duration;

use async_nats::jetstream::consumer::{
    DeliverPolicy,
    pull::{Ordered, OrderedConfig},
};
use cadre::stack::{Stack, StackOptions};
use cadre_core::watch::{Alert, Settings};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use crate::bed::{Bed, PATIENCE};

/// A watch that speaks up within a second or two, so that no test waits long.
#[must_use]
pub fn hasty() -> Settings {
    let ms = Duration::from_millis;
    Settings {
        look_every: ms(100),
        term: ms(1_500),
        grace: ms(500),
        unserved_for: ms(300),
        hold: ms(300),
        ..Settings::default()
    }
}

/// Starts every service, with a hasty watch.
///
/// # Panics
/// When one does not start.
pub async fn watched(bed: &Bed) -> Stack {
    bed.stack_of(StackOptions { watch: hasty(), ..StackOptions::all() }).await
}

/// The messages of the alerts' stream.
pub struct Alerts(Ordered);

impl Alerts {
    /// All alerts on these subjects, from the first one on.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn on(bed: &Bed, subject: &str) -> Self {
        let stream = bed.connection.js.get_stream("CADRE_ALERTS").await.expect("stream");
        let (deliver_policy, filter_subject) = (DeliverPolicy::All, subject.to_owned());
        let config = OrderedConfig { deliver_policy, filter_subject, ..Default::default() };
        let consumer = stream.create_consumer(config).await.expect("consumer");
        Self(consumer.messages().await.expect("messages"))
    }

    async fn body(&mut self) -> Vec<u8> {
        let message = timeout(PATIENCE, self.0.next()).await.expect("an alert in time");
        message.expect("open").expect("a message").payload.to_vec()
    }

    /// The next one.
    ///
    /// # Panics
    /// When there is none in time, or it is no alert.
    pub async fn next(&mut self) -> Alert {
        Alert::decode(&self.body().await).expect("an alert")
    }

    /// The next one, which must end what was open.
    ///
    /// # Panics
    /// As [`Self::next`], or when it is open.
    pub async fn ended(&mut self) -> Alert {
        let alert = self.next().await;
        assert!(alert.ended_at.is_some(), "{alert:?}");
        alert
    }
}

/// Waits until a process other than `before` has watched for so many looks; its name.
///
/// # Panics
/// When none does in time.
pub async fn looks(bed: &Bed, before: &str, looks: usize) -> String {
    let mut terms = Alerts::on(bed, "alerts.watcher").await;
    let mut seen = 0;
    loop {
        let term: Value = serde_json::from_slice(&terms.body().await).expect("json");
        let watcher = term["watcher"].as_str().expect("a name").to_owned();
        if watcher != before {
            seen += 1;
        }
        if seen >= looks {
            return watcher;
        }
    }
}

/// How many messages lie on a subject of the alerts' stream.
///
/// # Panics
/// When the broker does not answer.
pub async fn count(bed: &Bed, subject: &str) -> u64 {
    let stream = bed.connection.js.get_stream("CADRE_ALERTS").await.expect("stream");
    let config = OrderedConfig { filter_subject: subject.to_owned(), ..Default::default() };
    stream.create_consumer(config).await.expect("consumer").cached_info().num_pending
}
