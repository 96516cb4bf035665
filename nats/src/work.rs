//! Work orders of one role, never more than the worker can hold.

use std::{sync::Arc, time::Duration};

use async_nats::Message;
use cadre_core::{
    ids::{Name, Partition},
    ports::{BusError, DeadLetter, Inbox, Malformed, WorkItem},
    time::UnixMillis,
};
use cadre_proto::{
    header,
    order::{self, WorkOrder},
    subject::Subject,
};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;

use crate::{
    blobs::Blobs,
    bus::{Streams, header as header_of, pairs},
    delivery::{Receipt, Stamp},
    inbox::{fetch, parsed},
    pull::Pull,
};

/// A third of the role consumers' ack wait of 2 s.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(600);

/// Waits for room when the worker is full.
const FULL_PAUSE: Duration = Duration::from_secs(1);

type Item = Result<WorkItem<Receipt>, Box<Malformed<Receipt>>>;

/// Work orders of one role, from every shard.
pub struct WorkInbox {
    shards: Vec<Pull>,
    room: Arc<Semaphore>,
    blobs: Blobs,
    streams: Streams,
}

impl WorkInbox {
    pub(crate) async fn open(
        streams: &Streams,
        blobs: &Blobs,
        role: &Name,
        in_flight: usize,
    ) -> Result<Self, BusError> {
        let mut shards = Vec::new();
        for shard in 0..streams.topology.shards.max(1) {
            let (stream, consumer) = (format!("CADRE_WORK_{shard}"), format!("role-{role}"));
            shards.push(Pull::open(streams, stream, consumer, None).await?.of_queue());
        }
        let room = Arc::new(Semaphore::new(in_flight.max(1)));
        Ok(Self { shards, room, blobs: blobs.clone(), streams: streams.clone() })
    }
}

impl Inbox<Item> for WorkInbox {
    async fn next(&mut self) -> Result<Vec<Item>, BusError> {
        if self.room.available_permits() == 0 {
            // Waits for one free place, but never long: the caller has other things to do.
            let _ = tokio::time::timeout(FULL_PAUSE, self.room.acquire()).await;
        }
        let share = (self.room.available_permits() / self.shards.len().max(1)).max(1);
        let mut pulls: FuturesUnordered<_> =
            self.shards.iter_mut().map(|pull| pull.next(share)).collect();
        let mut messages = Vec::new();
        // Whichever shard has something: the others' requests stay open for the next turn.
        while let Some(batch) = pulls.next().await {
            messages.extend(batch?);
            if !messages.is_empty() {
                break;
            }
        }
        drop(pulls);
        let mut items = Vec::with_capacity(messages.len());
        for message in messages {
            // More than there is room for is left to be delivered again, here or elsewhere.
            let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else { continue };
            items.extend(self.read(message, room).await);
        }
        Ok(items)
    }
}

impl WorkInbox {
    async fn read(
        &self,
        message: Message,
        room: tokio::sync::OwnedSemaphorePermit,
    ) -> Option<Item> {
        let Stamp { sequence, stored_at, deliveries, .. } = Stamp::of(&message)?;
        self.streams.clock.observe(stored_at);
        match decode(&self.blobs, &message).await {
            Ok(Ok(order)) => {
                let timeout =
                    header_of(&message, header::TIMEOUT_MS).and_then(|ms| ms.parse().ok());
                let terms = (order.deadline, timeout.map(Duration::from_millis));
                let time_left = time_left(terms, stored_at, self.streams.clock.now());
                let trace = header_of(&message, "traceparent").map(str::to_owned);
                Some(Ok(WorkItem {
                    task: order.attempt.task,
                    tenant: order.tenant,
                    workflow: order.workflow,
                    revision: order.revision,
                    step: order.attempt.step,
                    attempt: order.attempt.number,
                    role: order.attempt.role,
                    input: order.input,
                    time_left,
                    grant: order.grant,
                    idempotency_key: order.idempotency_key,
                    ruled: order.ruled,
                    near: order.near,
                    trace,
                    deliveries,
                    receipt: Arc::new(Receipt::held(message, room)),
                }))
            }
            Ok(Err(reason)) => {
                let letter = DeadLetter {
                    partition: partition_of(&message),
                    kind: "work",
                    source: format!("work.{sequence}"),
                    reason,
                    deliveries,
                    subject: message.subject.to_string(),
                    headers: pairs(message.headers.as_ref()),
                    body: message.payload.to_vec(),
                };
                let receipt = Receipt::held(message, room);
                Some(Err(Box::new(Malformed { letter, receipt })))
            }
            Err(error) => {
                tracing::warn!(subject = %message.subject, %error, "work order was not read");
                None
            }
        }
    }
}

async fn decode(blobs: &Blobs, message: &Message) -> Result<Result<WorkOrder, String>, BusError> {
    let parsed = match parsed(message, order::parse)? {
        Ok(parsed) => parsed,
        Err(why) => return Ok(Err(why)),
    };
    match fetch(blobs, parsed.needed()).await? {
        Ok(found) => Ok(parsed
            .into_core(&found)
            .map_err(|error| error.to_string())
            .and_then(|order| of_its_subject(order, &message.subject))),
        Err(why) => Ok(Err(why)),
    }
}

/// A report goes where the body says; it must not end another attempt than the one that was ordered.
fn of_its_subject(order: WorkOrder, subject: &str) -> Result<WorkOrder, String> {
    match Subject::parse(subject) {
        Ok(Subject::Work(_, attempt)) if attempt == order.attempt => Ok(order),
        Ok(_) | Err(_) => Err(format!("work order: its body is about {}", order.attempt)),
    }
}

/// The lower of what the deadline and the relative timeout leave, after the time in the stream.
fn time_left(
    (deadline, timeout): (UnixMillis, Option<Duration>),
    stored_at: UnixMillis,
    now: UnixMillis,
) -> Duration {
    let by_deadline = deadline.since(now);
    let by_timeout = timeout.map(|timeout| timeout.saturating_sub(now.since(stored_at)));
    by_timeout.map_or(by_deadline, |left| left.min(by_deadline))
}

/// Where a dead work order is filed: under its own partition if its subject names one.
fn partition_of(message: &Message) -> Partition {
    match Subject::parse(&message.subject) {
        Ok(Subject::Work(partition, _)) => partition,
        Ok(_) | Err(_) => Partition(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_the_stream_is_charged_and_the_lower_of_both_terms_counts() {
        let (stored, seconds) = (UnixMillis(1_000_000), Duration::from_secs);
        let deadline = stored.after(seconds(60));
        for (timeout, waited, left) in [
            (None, 0, 60),
            (None, 59, 1),
            (None, 61, 0),
            (Some(20), 0, 20),
            (Some(20), 15, 5),
            (Some(20), 21, 0),
            // A timeout cannot make a deadline later.
            (Some(600), 0, 60),
            (Some(600), 50, 10),
        ] {
            let now = stored.after(seconds(waited));
            let found = time_left((deadline, timeout.map(seconds)), stored, now);
            assert_eq!(found, seconds(left), "{timeout:?} after {waited} s");
        }
        // Whose clock is behind gets no more than there was.
        let early = UnixMillis(stored.0 - 300_000);
        assert_eq!(time_left((deadline, Some(seconds(20))), stored, early), seconds(20));
    }
}
