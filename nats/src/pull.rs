//! The pull protocol (ADR-13, ADR-42) with exact control over what is asked for.
//!
//! The client library's own stream asks ahead of its caller; messages would wait
//! unseen in its buffer while their ack wait runs out. Here nothing is asked for that
//! the caller cannot hold. One subscription for all requests; a request that a broker
//! forgot (restart, leader change) is noticed by its missing heartbeats and repeated.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use cadre_core::ports::BusError;
use futures::{FutureExt as _, StreamExt as _};
use serde_json::json;

use crate::{
    bus::{Streams, header},
    delivery::Stamp,
    mend::{Heal, mend},
    shares::Title,
    signs::SIGN_MAX,
    topology::OWNER_GROUP,
};

/// Life of one pull request; far below the 3 s after which a silent owner loses its partition.
const EXPIRES: Duration = Duration::from_millis(1_000);

/// The broker shows at this pace that it still knows the request.
const IDLE_HEARTBEAT: Duration = Duration::from_millis(500);

/// Waits after an answer that a repeated request would only get again.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Messages handed over at once.
const BATCH_MAX: usize = 512;

/// A durable pull consumer, and what is asked of it.
#[derive(Debug)]
pub(crate) struct Pull {
    streams: Streams,
    stream: String,
    consumer: String,
    group: Option<&'static str>,
    pin: Option<String>,
    /// Of a consumer that pins its owner.
    title: Option<Title>,
    inbox: String,
    subscriber: Subscriber,
    asked: usize,
    /// Connections so far when the last request was made.
    connects: u64,
    /// Looks for what the consumer has passed over.
    heal: Option<Heal>,
}

/// How many times this process was connected.
fn connects(streams: &Streams) -> u64 {
    streams.client.statistics().connects.load(Ordering::Relaxed)
}

impl Pull {
    /// Subscribes; `group` is the consumer's priority group, if it has one.
    pub(crate) async fn open(
        streams: &Streams,
        stream: String,
        consumer: String,
        group: Option<&'static str>,
    ) -> Result<Self, BusError> {
        let inbox = streams.client.new_inbox();
        let subscriber =
            streams.client.subscribe(inbox.clone()).await.map_err(|error| {
                BusError::Unavailable(format!("subscribe for {stream}: {error}"))
            })?;
        let (streams, connects) = (streams.clone(), connects(streams));
        let (pin, asked, heal) = (None, 0, None);
        let title = group.map(|_| Title::new(&streams.shares));
        Ok(Self {
            streams,
            stream,
            consumer,
            group,
            pin,
            title,
            inbox,
            subscriber,
            asked,
            connects,
            heal,
        })
    }

    /// The same on a work queue, where nothing may be left behind the consumer.
    pub(crate) fn of_queue(self) -> Self {
        Self { heal: Some(Heal::new()), ..self }
    }

    /// Waits for messages, at most `room` and at most about a second; empty when none came.
    ///
    /// Cancellation: messages that were received are lost to this process and come again.
    pub(crate) async fn next(&mut self, room: usize) -> Result<Vec<Message>, BusError> {
        if room == 0 {
            return Ok(Vec::new());
        }
        let connects = connects(&self.streams);
        if connects != self.connects {
            // What came last may be what ended the connection.
            mend(&self.streams, &self.stream, &self.consumer).await;
            self.connects = connects;
            self.streams.signs.seen();
            self.heal.iter_mut().for_each(Heal::soon);
        }
        if let Some(heal) = &mut self.heal {
            heal.look(&self.streams, &self.stream, &self.consumer).await;
        }
        if self.title.as_mut().is_some_and(|title| title.lets_go(Instant::now())) {
            self.let_go().await;
        }
        let rest = self.title.as_mut().and_then(|title| title.rest(Instant::now()));
        let room = room.min(BATCH_MAX * 2);
        if rest.is_none() && (self.asked == 0 || self.asked < room / 2) {
            self.ask(room - self.asked).await?;
        }
        let mut batch = Vec::new();
        match tokio::time::timeout(rest.unwrap_or(SIGN_MAX), self.subscriber.next()).await {
            Err(_) if rest.is_some() => {}
            Err(_) => {
                self.asked = 0;
                self.streams.signs.doubt(&self.streams.client).await;
            }
            Ok(None) => return Err(BusError::Unavailable("connection was closed".to_owned())),
            Ok(Some(message)) => self.take(message, &mut batch).await?,
        }
        while batch.len() < BATCH_MAX {
            match self.subscriber.next().now_or_never() {
                Some(Some(message)) => self.take(message, &mut batch).await?,
                Some(None) | None => break,
            }
        }
        Ok(batch)
    }

    /// Ends our pin: the broker gives it to whoever waits, and ours is no longer asked with.
    async fn let_go(&mut self) {
        let (stream, consumer) = (&self.stream, &self.consumer);
        tracing::info!(stream, consumer, "let go of a partition, others have too few");
        let ended = match self.streams.js.get_stream_no_info(stream).await {
            Ok(found) => {
                found.unpin_consumer(consumer, OWNER_GROUP).await.map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = ended {
            // Then it ends by itself, since nobody asks with it.
            tracing::info!(stream, consumer, error, "its owner could not be changed at once");
        }
        (self.pin, self.asked) = (None, 0);
    }

    fn set_pin(&mut self, pin: Option<&str>) {
        if self.pin.as_deref() == pin {
            return;
        }
        let now = Instant::now();
        if let Some(title) = &mut self.title {
            if title.rest(now).is_some() {
                // What arrives while it rests was sent before.
                return;
            }
            title.pinned(pin.is_some(), now);
        }
        self.pin = pin.map(str::to_owned);
    }

    async fn ask(&mut self, count: usize) -> Result<(), BusError> {
        let mut request = json!({
            "batch": count,
            "expires": u64::try_from(EXPIRES.as_nanos()).unwrap_or_default(),
            "idle_heartbeat": u64::try_from(IDLE_HEARTBEAT.as_nanos()).unwrap_or_default(),
        });
        if let (Some(group), Some(fields)) = (self.group, request.as_object_mut()) {
            fields.insert("group".to_owned(), group.into());
            if let Some(pin) = &self.pin {
                fields.insert("id".to_owned(), pin.as_str().into());
            }
        }
        let api = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, self.consumer);
        let body = Bytes::from(request.to_string());
        self.asked += count;
        self.streams
            .client
            .publish_with_reply(api, self.inbox.clone(), body)
            .await
            .map_err(|error| BusError::Unavailable(format!("pull from {}: {error}", self.stream)))
    }

    async fn take(&mut self, message: Message, batch: &mut Vec<Message>) -> Result<(), BusError> {
        // A stranger can write a status into a message; what has a place in a stream is no signal.
        let is_signal = Stamp::of(&message).is_none();
        let status = message.status.filter(|status| *status != StatusCode::OK && is_signal);
        if status == Some(StatusCode::NO_RESPONDERS) {
            self.asked = 0;
            self.streams.signs.doubt(&self.streams.client).await;
            tokio::time::sleep(REFUSED_PAUSE).await;
            return Ok(());
        }
        self.streams.signs.seen();
        let Some(status) = status else {
            self.asked = self.asked.saturating_sub(1);
            if self.group.is_some()
                && let Some(pin) = header(&message, "Nats-Pin-Id")
            {
                self.set_pin(Some(pin));
            }
            batch.push(message);
            return Ok(());
        };
        let text = message.description.as_deref().unwrap_or_default();
        match status {
            StatusCode::IDLE_HEARTBEAT => {}
            StatusCode::PIN_ID_MISMATCH => {
                self.set_pin(None);
                self.asked = 0;
            }
            _ if text == "Consumer Deleted" || text == "Consumer is push based" => {
                let (stream, consumer) = (&self.stream, &self.consumer);
                return Err(BusError::Refused(format!("{stream}/{consumer}: {text}")));
            }
            StatusCode::TIMEOUT | StatusCode::NOT_FOUND => self.forget(&message),
            // Conflicts of passing nature: leadership change, shutdown, too many waiting pulls.
            _ => {
                self.forget(&message);
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
        Ok(())
    }

    /// A request has ended with this many messages still owed to it.
    fn forget(&mut self, message: &Message) {
        let owed = header(message, "Nats-Pending-Messages").and_then(|owed| owed.parse().ok());
        self.asked = owed.map_or(0, |owed: usize| self.asked.saturating_sub(owed));
    }
}
