//! Durable timers: one scheduled message per task (ADR-51), fired into its partition's inputs.
//!
//! A timer's subject is its identity: setting it again replaces it. The broker turns
//! `timer` into `due` at the given second; [`forward`] moves it to the partition's
//! input stream, where it waits its turn like every other input.

use async_nats::HeaderMap;
use bytes::Bytes;
use cadre_core::{ids::TaskId, ports::BusError, time::UnixMillis};
use cadre_proto::subject::{self, Subject};

use crate::{
    bus::Streams,
    delivery::{Receipt, Settlement},
    publish::Outgoing,
    pull::Pull,
};

/// How long a fired timer waits for somebody to take it; without a limit they would pile up.
const FIRED_KEPT: &str = "720h";

/// Timers that are forwarded at once.
const ROOM: usize = 256;

/// Sets the task's timer.
pub(crate) async fn set(streams: &Streams, task: &TaskId, at: UnixMillis) -> Result<(), BusError> {
    let partition = streams.partition(task);
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Schedule", format!("@at {at}"));
    headers.insert("Nats-Schedule-Target", subject::due(partition, task));
    headers.insert("Nats-Schedule-TTL", FIRED_KEPT);
    let subject = subject::timer(partition, task);
    streams.publisher.publish(Outgoing { subject, headers, body: Bytes::new() }).await.map(|_| ())
}

/// Removes the task's timer, if the broker takes the time for it.
pub(crate) async fn forget(streams: &Streams, task: &TaskId) {
    let partition = streams.partition(task);
    let api = format!("$JS.API.STREAM.PURGE.{}", streams.name("CADRE_TIMER", partition));
    let request = serde_json::json!({"filter": subject::timer(partition, task)}).to_string();
    // No answer is wanted: a timer that stays only wakes a task that has ended.
    if let Err(error) = streams.client.publish(api, Bytes::from(request)).await {
        tracing::debug!(%task, %error, "timer was not removed");
    }
}

/// Moves fired timers into the inputs of their partitions until the bus breaks for good.
pub(crate) async fn forward(streams: &Streams) -> Result<(), BusError> {
    let shards = (0..streams.topology.shards.max(1)).map(|shard| forward_shard(streams, shard));
    futures::future::try_join_all(shards).await.map(|_| ())
}

async fn forward_shard(streams: &Streams, shard: u16) -> Result<(), BusError> {
    let mut pull =
        Pull::open(streams, format!("CADRE_TIMER_{shard}"), "due".to_owned(), None).await?;
    loop {
        let moves = pull.next(ROOM).await?.into_iter().map(|message| async move {
            let Ok(Subject::Due(partition, task)) = Subject::parse(&message.subject) else {
                tracing::warn!(subject = %message.subject, "fired timer has an unknown subject");
                return Receipt::new(message).settle(&streams.client, Settlement::Ack).await;
            };
            let subject = subject::in_timer(partition, &task);
            let moved = Outgoing { subject, headers: HeaderMap::new(), body: Bytes::new() };
            // A failure leaves it to be delivered again.
            if streams.publisher.publish(moved).await.is_ok() {
                Receipt::new(message).settle(&streams.client, Settlement::Ack).await;
            }
        });
        futures::future::join_all(moves).await;
    }
}
