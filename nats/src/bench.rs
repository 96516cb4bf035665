//! What benchmarks need of the raw bus: goals and answers in bulk, and the bus's own floor.

use std::{collections::VecDeque, time::Instant};

use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        consumer::{AckPolicy, DeliverPolicy, pull},
        context::PublishAckFuture,
        stream::{Config, RetentionPolicy},
    },
};
use bytes::Bytes;
use cadre_core::ports::BusError;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use crate::{
    bus::Streams,
    connect::Connection,
    delivery::{Receipt, Settlement},
    pull::Pull,
};

/// Stream of the floor; deleted afterwards.
const FLOOR: &str = "CADRE_BENCH_FLOOR";

fn unavailable(error: impl std::fmt::Display) -> BusError {
    BusError::Unavailable(error.to_string())
}

/// Publishes goals without waiting for each other.
#[derive(Clone)]
pub struct GoalPublisher {
    js: Context,
}

impl GoalPublisher {
    /// Publishes on `connection`.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { js: connection.js.clone() }
    }

    /// Publishes one goal on the public subject, as any NATS client would, and waits for the ack.
    ///
    /// # Errors
    /// [`BusError`] when the stream did not take it.
    pub async fn publish(
        &self,
        tenant: &str,
        workflow: &str,
        key: &str,
        body: Bytes,
    ) -> Result<(), BusError> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", key);
        let subject = format!("goals.{tenant}.{workflow}");
        let ack = self.js.publish_with_headers(subject, headers, body).await;
        ack.map_err(unavailable)?.await.map_err(unavailable)?;
        Ok(())
    }
}

/// Answers as they arrive, from now on.
pub struct Answers {
    messages: pull::Ordered,
}

impl Answers {
    /// Subscribes to every answer.
    ///
    /// # Errors
    /// [`BusError`] when there is no such stream.
    pub async fn open(connection: &Connection) -> Result<Self, BusError> {
        let stream = connection.js.get_stream("CADRE_ANSWERS").await.map_err(unavailable)?;
        let config = pull::OrderedConfig {
            deliver_policy: DeliverPolicy::New,
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(unavailable)?;
        Ok(Self { messages: consumer.messages().await.map_err(unavailable)? })
    }

    /// The next answer document.
    ///
    /// # Errors
    /// [`BusError`] when the subscription has ended.
    pub async fn next(&mut self) -> Result<Value, BusError> {
        let message = self.messages.next().await.ok_or_else(|| unavailable("stream ended"))?;
        let message = message.map_err(unavailable)?;
        serde_json::from_slice(&message.payload).map_err(unavailable)
    }
}

/// Messages ever stored in all streams of ours.
///
/// # Errors
/// [`BusError`] when the broker does not answer.
pub async fn persisted(connection: &Connection) -> Result<u64, BusError> {
    let streams: Vec<_> = connection.js.streams().try_collect().await.map_err(unavailable)?;
    let ours = streams.iter().filter(|info| info.config.name.starts_with("CADRE_"));
    Ok(ours.map(|info| info.state.last_sequence).sum())
}

/// Publishes, delivers and acknowledges `count` messages of `size_bytes`, with at most `in_flight`
/// publishes unconfirmed, on a work queue of its own, and returns messages per second.
///
/// # Errors
/// [`BusError`] when the broker does not answer.
pub async fn floor(
    publisher: &Connection,
    streams: &Streams,
    (count, in_flight, size_bytes, replicas): (usize, usize, usize, usize),
) -> Result<f64, BusError> {
    let config = Config {
        name: FLOOR.to_owned(),
        subjects: vec![format!("{FLOOR}.>")],
        retention: RetentionPolicy::WorkQueue,
        num_replicas: replicas,
        ..Config::default()
    };
    let stream = publisher.js.create_stream(config).await.map_err(unavailable)?;
    let consumer = pull::Config {
        durable_name: Some("floor".to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: 20_000,
        ..pull::Config::default()
    };
    stream.create_consumer(consumer).await.map_err(unavailable)?;
    let begun = Instant::now();
    let consumed = tokio::spawn(consume(streams.clone(), count));
    produce(&publisher.js, (count, in_flight, size_bytes)).await?;
    consumed.await.map_err(unavailable)??;
    let elapsed = begun.elapsed();
    publisher.js.delete_stream(FLOOR).await.map_err(unavailable)?;
    Ok(count as f64 / elapsed.as_secs_f64())
}

async fn produce(
    js: &Context,
    (count, in_flight, size_bytes): (usize, usize, usize),
) -> Result<(), BusError> {
    let body = Bytes::from(vec![b'x'; size_bytes]);
    let mut acks: VecDeque<PublishAckFuture> = VecDeque::new();
    for index in 0..count {
        if acks.len() >= in_flight
            && let Some(oldest) = acks.pop_front()
        {
            oldest.await.map_err(unavailable)?;
        }
        // As many subjects as tasks have, so that the server's subject index has the same work.
        let subject = format!("{FLOOR}.{}", index % 10_000);
        acks.push_back(js.publish(subject, body.clone()).await.map_err(unavailable)?);
    }
    for ack in acks {
        ack.await.map_err(unavailable)?;
    }
    Ok(())
}

async fn consume(streams: Streams, count: usize) -> Result<(), BusError> {
    let mut pull = Pull::open(&streams, FLOOR.to_owned(), "floor".to_owned(), None).await?;
    let mut seen = 0;
    while seen < count {
        for message in pull.next(1_024).await? {
            Receipt::new(message).settle(&streams.client, Settlement::Ack).await;
            seen += 1;
        }
    }
    Ok(())
}

/// Publishes messages in order, with at most `in_flight` of them unconfirmed.
///
/// # Errors
/// [`BusError`] when a stream did not take one.
pub async fn fill(
    publisher: &Connection,
    messages: impl Iterator<Item = (String, Bytes)>,
    in_flight: usize,
) -> Result<(), BusError> {
    let mut acks: VecDeque<PublishAckFuture> = VecDeque::new();
    for (subject, body) in messages {
        if acks.len() >= in_flight
            && let Some(oldest) = acks.pop_front()
        {
            oldest.await.map_err(unavailable)?;
        }
        acks.push_back(publisher.js.publish(subject, body).await.map_err(unavailable)?);
    }
    for ack in acks {
        ack.await.map_err(unavailable)?;
    }
    Ok(())
}
