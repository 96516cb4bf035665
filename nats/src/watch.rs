//! The bus as the watch sees it: logs as they are written, a look at everything else, alerts.
//!
//! Alerts lie on `alerts.<kind>.<subject…>` in `CADRE_ALERTS`, each written behind the one before it: of two
//! watches that both believe to lead, one is refused. The same holds for `alerts.watcher`, which says who
//! leads and until when. Called by the orchestrator's watch (as [`WatchBus`]) and by `cadre alert`.
//! Invariant: nothing here takes a message from anybody.

mod digest;
pub(crate) mod lease;
mod look;

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        consumer::{
            DeliverPolicy,
            pull::{Ordered, OrderedConfig},
        },
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use bytes::Bytes;
use cadre_core::{
    ids::{Name, Partition, TaskId},
    ports::{BusError, Inbox, LoadError, Loaded, OrchestratorBus as _},
    time::UnixMillis,
    watch::{
        Alert, Digest, Key, Survey, TimerState,
        port::{PostError, Posted, Term, WatchBus},
    },
};
use cadre_proto::subject::{self, alerts};
use futures::{FutureExt as _, StreamExt as _, stream::SelectAll};

use crate::{
    breakers::KvBreakers,
    bus::JetStreamBus,
    connect::{open_error, ride_out},
    delivery::Stamp,
    publish::{EXPECTED, Outgoing, Published},
    topology::{ALERTS_STREAM, log_stream},
};

/// How long nothing may come before an empty batch says so.
const QUIET: Duration = Duration::from_secs(2);

/// Records handed over at once.
const BATCH_MAX: usize = 512;

/// Every log, of all shards and partitions.
const LOGS: &str = "cadre.*.log.*";

/// The bus for the watch. Cheap to clone.
#[derive(Clone)]
pub struct JetStreamWatch {
    bus: JetStreamBus,
    alerts: Stream<()>,
    /// `None` where the bus has no board of breakers.
    breakers: Option<KvBreakers>,
}

impl JetStreamWatch {
    /// Opens the stream of alerts, and the board of breakers where there is one.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without our stream; else the broker does not answer.
    pub async fn open(bus: &JetStreamBus) -> Result<Self, BusError> {
        let js = &bus.streams().js;
        let found = ride_out(|| async {
            let found = js.get_stream(ALERTS_STREAM).await;
            found.map_err(|error| open_error(ALERTS_STREAM, &error))
        });
        found.await?;
        let alerts = js.get_stream_no_info(ALERTS_STREAM).await;
        let alerts = alerts.map_err(|error| unavailable(&"open the alerts", &error))?;
        let breakers = KvBreakers::open(js, bus.streams().clock.clone()).await.ok();
        Ok(Self { bus: bus.clone(), alerts, breakers })
    }

    /// The last alert of one name; `None` when there never was one, or it cannot be read.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when the broker does not answer.
    pub async fn alert(&self, key: &Key) -> Result<Option<Alert>, BusError> {
        let subject = alerts::alert(key.kind.as_str(), &key.subject);
        let found = self.last(&subject).await?;
        Ok(found.and_then(|(bytes, _, _)| Alert::decode(&bytes).ok()))
    }

    /// Alerts as they are posted from now on.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when the broker does not answer.
    pub async fn follow(
        &self,
    ) -> Result<impl futures::Stream<Item = Result<Posted, BusError>> + Unpin + use<>, BusError>
    {
        let messages = self.read(DeliverPolicy::New).await?;
        Ok(messages
            .filter_map(|message| async move {
                match message {
                    Ok(message) => posted(&message).map(Ok),
                    Err(error) => Some(Err(unavailable(&"follow the alerts", &error))),
                }
            })
            .boxed())
    }

    /// The last alert of each name, open and ended.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when the broker does not answer.
    pub async fn all(&self) -> Result<Vec<Posted>, BusError> {
        let filter_subject = alerts::ALL.to_owned();
        let deliver_policy = DeliverPolicy::LastPerSubject;
        let config = OrderedConfig { deliver_policy, filter_subject, ..OrderedConfig::default() };
        let lost = |error: &dyn std::fmt::Display| unavailable(&"read the alerts", error);
        let consumer = self.alerts.create_consumer(config).await.map_err(|error| lost(&error))?;
        let mut all = Vec::new();
        if consumer.cached_info().num_pending == 0 {
            return Ok(all);
        }
        let mut messages = consumer.messages().await.map_err(|error| lost(&error))?;
        loop {
            let message = tokio::time::timeout(QUIET, messages.next()).await;
            let message = message.map_err(|_| lost(&"no answer"))?;
            let message = message.ok_or_else(|| lost(&"it has ended"))?;
            let message = message.map_err(|error| lost(&error))?;
            let pending = message.info().map_or(0, |info| info.pending);
            all.extend(posted(&message));
            if pending == 0 {
                return Ok(all);
            }
        }
    }

    async fn read(&self, deliver_policy: DeliverPolicy) -> Result<Ordered, BusError> {
        let filter_subject = alerts::ALL.to_owned();
        let config = OrderedConfig { deliver_policy, filter_subject, ..OrderedConfig::default() };
        let consumer = self.alerts.create_consumer(config).await;
        let consumer = consumer.map_err(|error| unavailable(&"read the alerts", &error))?;
        consumer.messages().await.map_err(|error| unavailable(&"read the alerts", &error))
    }

    /// The last message of a subject of the alerts, its sequence and its time.
    async fn last(&self, subject: &str) -> Result<Option<(Bytes, u64, UnixMillis)>, BusError> {
        match self.alerts.get_last_raw_message_by_subject(subject).await {
            Ok(message) => {
                let at = crate::tail::unix(message.time);
                Ok(Some((message.payload, message.sequence, at)))
            }
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {
                Ok(None)
            }
            Err(error) => Err(unavailable(&format!("read {subject}"), &error)),
        }
    }

    /// Publishes behind the message at `after`; `None` when another one stands there.
    async fn publish(
        &self,
        subject: String,
        body: String,
        after: u64,
    ) -> Result<Option<u64>, BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED, after.to_string());
        headers.insert("Content-Type", "application/json");
        let message = Outgoing { subject, headers, body: body.into() };
        match self.bus.streams().publisher.publish(message).await? {
            Published::Stored(sequence) => Ok(Some(sequence)),
            Published::Refused { .. } => Ok(None),
        }
    }
}

impl WatchBus for JetStreamWatch {
    type Records = LogWatch;

    fn now(&self) -> UnixMillis {
        self.bus.now()
    }

    fn partition(&self, task: &TaskId) -> Partition {
        self.bus.streams().partition(task)
    }

    async fn lead(&self, watcher: &Name, lasts: Duration) -> Result<Term, BusError> {
        let led = lease::lead(self, (alerts::WATCHER, watcher), lasts, None).await;
        led.map(|(term, _)| term)
    }

    async fn records(&self) -> Result<LogWatch, BusError> {
        let streams = self.bus.streams();
        let mut messages = SelectAll::new();
        for shard in streams.topology.all_shards() {
            let name = log_stream(shard);
            let lost =
                |error: &dyn std::fmt::Display| unavailable(&format!("follow {name}"), error);
            let stream = streams.js.get_stream_no_info(&name).await;
            let stream = stream.map_err(|error| lost(&error))?;
            let config = OrderedConfig {
                deliver_policy: DeliverPolicy::LastPerSubject,
                filter_subject: LOGS.to_owned(),
                ..OrderedConfig::default()
            };
            let consumer = stream.create_consumer(config).await.map_err(|error| lost(&error))?;
            messages.push(consumer.messages().await.map_err(|error| lost(&error))?);
        }
        Ok(LogWatch { messages, bus: self.bus.clone() })
    }

    async fn survey(&self) -> Result<Survey, BusError> {
        look::survey(&self.bus, self.breakers.as_ref()).await
    }

    async fn load(&self, task: &TaskId) -> Result<Loaded, LoadError> {
        self.bus.read_log(task).await
    }

    async fn timer(&self, task: &TaskId) -> Result<TimerState, BusError> {
        let partition = self.partition(task);
        for (family, subject, state) in [
            // The way of a timer, against its direction: one that moves meanwhile is not missed.
            ("CADRE_TIMER", subject::timer(partition, task), TimerState::Set),
            ("CADRE_TIMER", subject::due(partition, task), TimerState::Fired),
            ("CADRE_IN", subject::in_timer(partition, task), TimerState::Queued),
        ] {
            if self.bus.holds(family, partition, &subject).await? {
                return Ok(state);
            }
        }
        Ok(TimerState::Missing)
    }

    async fn alerts(&self) -> Result<Vec<Posted>, BusError> {
        let mut all = self.all().await?;
        all.retain(|posted| posted.alert.ended_at.is_none());
        Ok(all)
    }

    async fn post(&self, alert: &Alert, after: Option<u64>) -> Result<u64, PostError> {
        let subject = alerts::alert(alert.key.kind.as_str(), &alert.key.subject);
        let conflict = || PostError::Conflict(alert.key.clone());
        let after = match after {
            Some(after) => after,
            None => match self.last(&subject).await? {
                None => 0,
                // Behind one that is open, or that only a newer build can read, is no place for another.
                Some((bytes, sequence, _)) => match Alert::decode(&bytes) {
                    Ok(last) if last.ended_at.is_some() => sequence,
                    Ok(_) | Err(_) => return Err(conflict()),
                },
            },
        };
        self.publish(subject, alert.encode(), after).await?.ok_or_else(conflict)
    }
}

/// An alert of a newer build is left alone: its name is taken, and posting over it is refused.
fn posted(message: &async_nats::jetstream::Message) -> Option<Posted> {
    let sequence = Stamp::of(&message.message)?.sequence;
    match Alert::decode(&message.payload) {
        Ok(alert) => Some(Posted { alert, sequence }),
        Err(error) => {
            tracing::warn!(subject = %message.subject, %error, "an alert was left aside");
            None
        }
    }
}

/// All logs, as they are written.
pub struct LogWatch {
    messages: SelectAll<Ordered>,
    bus: JetStreamBus,
}

impl Inbox<Digest> for LogWatch {
    async fn next(&mut self) -> Result<Vec<Digest>, BusError> {
        let mut batch = Vec::new();
        let Ok(mut next) = tokio::time::timeout(QUIET, self.messages.next()).await else {
            return Ok(batch);
        };
        loop {
            let message =
                next.ok_or_else(|| unavailable(&"follow the logs", &"they have ended"))?;
            let message = message.map_err(|error| unavailable(&"follow the logs", &error))?;
            if let Some(stamp) = Stamp::of(&message.message) {
                self.bus.streams().clock.observe(stamp.stored_at);
                batch.extend(digest::digest(&message.message, stamp.stored_at));
            }
            if batch.len() >= BATCH_MAX {
                return Ok(batch);
            }
            // What else is there already.
            match self.messages.next().now_or_never() {
                Some(more) => next = more,
                None => return Ok(batch),
            }
        }
    }
}

fn unavailable(what: &dyn std::fmt::Display, error: &dyn std::fmt::Display) -> BusError {
    BusError::Unavailable(format!("{what}: {error}"))
}
