//! The log as it was written, behind core's port: all shards as one feed, or one task's records.
//!
//! The feed reads through ordered consumers, which take nothing from anybody and begin anew behind the last message
//! when something is lost. One task's records are read directly, by their exact subject. Called by the read model.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    Message,
    consumer::{DeliverPolicy, pull::OrderedConfig},
};
use bytes::Bytes;
use cadre_core::{
    ids::TaskId,
    payload::{BlobRef, Hash, Payload},
    ports::{
        BusError, History, Inbox, OrchestratorBus as _,
        history::{DocumentError, Linked, LogItem, Positions, Shard, Unreadable},
    },
    time::UnixMillis,
};
use cadre_proto::{
    DecodeError,
    record::{self, Parsed},
    subject::{self, Subject},
};
use futures::{
    FutureExt as _, StreamExt as _,
    stream::{self, BoxStream, SelectAll},
};
use tokio::task::unconstrained;

use crate::{
    blobs::{BlobError, Blobs},
    bus::JetStreamBus,
    connect::ride_out,
    pages::{self, Stored},
    tail::unix,
    topology::log_stream,
};

/// How long nothing may come before an empty batch says so.
const QUIET: Duration = Duration::from_secs(1);

/// Records handed over at once.
const BATCH_MAX: usize = 1_024;

/// Bytes of documents that one batch fetches, before it is handed over as it is.
const BATCH_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Documents fetched at once.
const FETCHES_MAX: usize = 16;

/// The log behind core's port. Cheap to clone.
#[derive(Clone)]
pub struct JetStreamHistory {
    bus: JetStreamBus,
}

impl JetStreamHistory {
    /// The log of this bus.
    #[must_use]
    pub fn new(bus: &JetStreamBus) -> Self {
        Self { bus: bus.clone() }
    }

    fn decoder(&self) -> Decoder {
        Decoder { bus: self.bus.clone() }
    }
}

impl History for JetStreamHistory {
    type Feed = LogFeed;

    fn now(&self) -> UnixMillis {
        self.bus.now()
    }

    async fn shards(&self) -> Result<Vec<Shard>, BusError> {
        let streams = self.bus.streams();
        let mut shards = Vec::new();
        for shard in streams.topology.all_shards() {
            let name = log_stream(shard);
            let info = ride_out(|| async {
                let stream = streams.js.get_stream(&name).await;
                stream.map_err(|error| unavailable(&format!("look at {name}"), &error))
            });
            let stream = info.await?;
            let info = stream.cached_info();
            let epoch = info.created.unix_timestamp_nanos().to_string();
            shards.push(Shard { shard, epoch, last: info.state.last_sequence });
        }
        Ok(shards)
    }

    async fn feed(&self, after: &Positions) -> Result<LogFeed, BusError> {
        let streams = self.bus.streams();
        let mut messages = SelectAll::new();
        for shard in streams.topology.all_shards() {
            let after = after.get(&shard).copied().unwrap_or_default();
            let name = log_stream(shard);
            let lost =
                |error: &dyn std::fmt::Display| unavailable(&format!("follow {name}"), error);
            let stream = streams.js.get_stream_no_info(&name).await;
            let stream = stream.map_err(|error| lost(&error))?;
            // Without a filter: looking for the next message that fits one cost the broker more than sending it.
            let config = OrderedConfig {
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
                ..OrderedConfig::default()
            };
            let consumer = stream.create_consumer(config).await.map_err(|error| lost(&error))?;
            let of_shard = consumer.messages().await.map_err(|error| lost(&error))?;
            let named = of_shard.map(move |message| match message {
                Ok(message) => Ok((shard, message)),
                Err(error) => Err(unavailable("follow the logs", &error)),
            });
            messages.push(named.boxed());
        }
        Ok(LogFeed { messages, decoder: self.decoder(), last: BTreeMap::new() })
    }

    async fn records(&self, task: &TaskId, after: u64) -> Result<Vec<LogItem>, BusError> {
        let streams = self.bus.streams();
        let partition = streams.partition(task);
        let (shard, subject) = (streams.shard(partition), subject::log(partition, task));
        let found = pages::read(streams, (&log_stream(shard), &subject), after + 1).await?;
        let decoder = self.decoder();
        let parse = |stored: Stored| {
            decoder.parse((shard, stored.sequence), (stored.at, 0), task.clone(), &stored.body)
        };
        decoder.decode(found.into_iter().map(parse).collect()).await
    }

    async fn document(&self, blob: BlobRef) -> Result<Payload, DocumentError> {
        self.bus.blobs().get(blob).await.map_err(|error| match error {
            BlobError::Bus(error) => DocumentError::Bus(error),
            other @ (BlobError::Missing(_)
            | BlobError::Damaged { .. }
            | BlobError::TooLarge { .. }
            | BlobError::Payload { .. }) => DocumentError::Lost(other.to_string()),
        })
    }
}

/// All logs, as they are written. Their streams hold dead letters too, which are passed over.
pub struct LogFeed {
    messages: SelectAll<BoxStream<'static, Result<(u16, Message), BusError>>>,
    decoder: Decoder,
    /// The last record of each shard.
    last: BTreeMap<u16, LogItem>,
}

impl LogFeed {
    /// Where the last message of a shard was none of a log, its last record is told again: nothing waits behind it.
    fn finish(&mut self, mut items: Vec<LogItem>, ends: &BTreeMap<u16, bool>) -> Vec<LogItem> {
        for (shard, is_end) in ends {
            if let Some(found) = items.iter_mut().rev().find(|item| item.shard == *shard) {
                found.pending = if *is_end { 0 } else { found.pending };
                self.last.insert(*shard, found.clone());
            } else if let Some(last) = self.last.get_mut(shard).filter(|_| *is_end) {
                last.pending = 0;
                items.push(last.clone());
            }
        }
        items
    }
}

impl Inbox<LogItem> for LogFeed {
    async fn next(&mut self) -> Result<Vec<LogItem>, BusError> {
        let Ok(mut next) = tokio::time::timeout(QUIET, self.messages.next()).await else {
            return Ok(Vec::new());
        };
        let (mut raw, mut bytes, mut ends) = (Vec::new(), 0, BTreeMap::new());
        loop {
            let next_one = next.ok_or_else(|| unavailable("follow the logs", &"they have ended"));
            let (shard, message) = next_one??;
            if let Some(one) = self.decoder.raw(shard, &message) {
                bytes += one.size_bytes();
                raw.push(one);
                ends.insert(shard, false);
            } else if message.info().is_ok_and(|info| info.pending == 0) {
                ends.insert(shard, true);
            }
            if raw.len() >= BATCH_MAX || bytes >= BATCH_BYTES_MAX {
                break;
            }
            // What else is there already, all of it: the runtime would have a task yield after some dozen.
            match unconstrained(self.messages.next()).now_or_never() {
                Some(more) => next = more,
                // Not a word yet: an empty batch would say that nothing waits.
                None if raw.is_empty() && ends.is_empty() => {
                    match tokio::time::timeout(QUIET, self.messages.next()).await {
                        Ok(more) => next = more,
                        Err(_) => return Ok(Vec::new()),
                    }
                }
                None => break,
            }
        }
        let items = self.decoder.decode(raw).await?;
        Ok(self.finish(items, &ends))
    }
}

/// A record without the documents that it refers to.
struct Raw {
    shard: u16,
    sequence: u64,
    at: UnixMillis,
    pending: u64,
    task: TaskId,
    body_bytes: u64,
    parsed: Result<Parsed, DecodeError>,
}

impl Raw {
    fn needed(&self) -> &[BlobRef] {
        self.parsed.as_ref().map_or(&[], Parsed::needed)
    }

    /// With the documents that it refers to.
    fn size_bytes(&self) -> u64 {
        self.body_bytes + self.needed().iter().map(|blob| blob.size_bytes).sum::<u64>()
    }
}

/// Turns messages into items.
struct Decoder {
    bus: JetStreamBus,
}

impl Decoder {
    /// `None` for what is on no log's subject.
    fn raw(&self, shard: u16, message: &Message) -> Option<Raw> {
        let Ok(Subject::Log(_, task)) = Subject::parse(&message.subject) else { return None };
        let info = message.info().ok()?;
        let (sequence, at, pending) = (info.stream_sequence, unix(info.published), info.pending);
        self.bus.streams().clock.observe(at);
        Some(self.parse((shard, sequence), (at, pending), task, &message.payload))
    }

    fn parse(
        &self,
        (shard, sequence): (u16, u64),
        (at, pending): (UnixMillis, u64),
        task: TaskId,
        body: &Bytes,
    ) -> Raw {
        let parsed = record::parse_by(self.bus.streams().wire.reader(), body);
        let body_bytes = body.len() as u64;
        Raw { shard, sequence, at, pending, task, body_bytes, parsed }
    }

    /// Fetches what records refer to, and makes items of them in order.
    async fn decode(&self, all: Vec<Raw>) -> Result<Vec<LogItem>, BusError> {
        let needed = all.iter().flat_map(Raw::needed).map(|blob| (blob.hash, *blob)).collect();
        let documents = fetch(self.bus.blobs(), needed).await?;
        Ok(all.into_iter().map(|raw| item(raw, &documents)).collect())
    }
}

/// Documents by hash; one that cannot be read has its reason.
type Documents = BTreeMap<Hash, Result<Payload, String>>;

async fn fetch(blobs: &Blobs, needed: BTreeMap<Hash, BlobRef>) -> Result<Documents, BusError> {
    let fetches = needed.into_values().map(|blob| async move {
        match blobs.get(blob).await {
            Ok(payload) => Ok((blob.hash, Ok(payload))),
            Err(BlobError::Bus(error)) => Err(error),
            Err(error) => Ok((blob.hash, Err(error.to_string()))),
        }
    });
    let mut found = stream::iter(fetches).buffer_unordered(FETCHES_MAX);
    let mut documents = Documents::new();
    while let Some(one) = found.next().await {
        let (hash, document) = one?;
        documents.insert(hash, document);
    }
    Ok(documents)
}

fn item(raw: Raw, documents: &Documents) -> LogItem {
    let size_bytes = raw.size_bytes();
    let Raw { shard, sequence, at: stored_at, pending, task, parsed, .. } = raw;
    let content = parsed.map_err(unreadable).and_then(|parsed| {
        let mut own = BTreeMap::new();
        for blob in parsed.needed() {
            match documents.get(&blob.hash) {
                Some(Ok(payload)) => own.insert(blob.hash, payload.clone()),
                Some(Err(why)) => return Err(Unreadable::Damaged(why.clone())),
                None => None,
            };
        }
        let stored = parsed.into_core(&own).map_err(unreadable)?;
        Ok(Linked { record: stored.record, prev: stored.prev, hash: stored.hash })
    });
    LogItem { shard, sequence, stored_at, task, size_bytes, pending, content }
}

fn unreadable(error: DecodeError) -> Unreadable {
    match error {
        DecodeError::TooNew { min_reader, .. } => Unreadable::TooNew(min_reader),
        other @ (DecodeError::Protobuf { .. }
        | DecodeError::Json { .. }
        | DecodeError::Field { .. }) => Unreadable::Damaged(other.to_string()),
    }
}

fn unavailable(what: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Unavailable(format!("{what}: {error}"))
}
