//! The task log: guarded appends, whole-log reads, dense revisions and an unbroken hash chain.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::{HeaderMap, StatusCode};
use bytes::Bytes;
use cadre_core::{
    ids::{Partition, TaskId},
    limits::{BUS_GAP_MAX, MESSAGE_BYTES_MAX},
    payload::{Hash, Payload},
    ports::{AppendError, BusError, LoadError, Loaded, LogHead},
    task::{Event, Record},
};
use cadre_proto::{
    DecodeError,
    record::{self, Encoded, StoredRecord},
    subject,
};
use futures::StreamExt as _;
use serde_json::json;

use crate::{
    blobs::{BlobError, Blobs},
    bus::Streams,
    publish::{EXPECTED, Outgoing, Published},
};

/// Records asked for in one read.
const READ_BATCH: u64 = 1_000;

/// End of a direct batch get (ADR-31).
const END_OF_BATCH: u16 = 204;

/// Waits for the next message of one read.
const READ_GAP: Duration = Duration::from_secs(3);

/// The pause before a log is read again.
const READ_PAUSE: Duration = Duration::from_millis(50);

/// Reader and writer of task logs.
#[derive(Clone)]
pub(crate) struct TaskLog {
    streams: Streams,
    blobs: Blobs,
}

/// One stored message of a log.
struct Stored {
    sequence: u64,
    body: Bytes,
}

impl TaskLog {
    pub(crate) fn new(streams: Streams, blobs: Blobs) -> Self {
        Self { streams, blobs }
    }

    fn partition(&self, task: &TaskId) -> Partition {
        task.partition(self.streams.topology.partitions)
    }

    /// Appends `record` behind `head`.
    pub(crate) async fn append(
        &self,
        task: &TaskId,
        head: LogHead,
        record: Arc<Record>,
        trace: Option<String>,
    ) -> Result<LogHead, AppendError> {
        for payload in record.events.iter().flat_map(Event::payloads) {
            if payload.blob().is_some() {
                // Boxed, like every path that is seldom taken: it would double the size of all appends.
                Box::pin(self.blobs.put(payload)).await?;
            }
        }
        let txn: [u8; 16] = rand::random();
        let previous = (head.rev > 0).then_some(head.hash);
        let writer = self.streams.wire.writer();
        let Encoded { bytes: body, hash } = record::encode_by(writer, &record, txn, previous);
        if body.len() > MESSAGE_BYTES_MAX {
            return Err(AppendError::TooLarge { task: task.clone(), bytes: body.len() });
        }
        let subject = subject::log(self.partition(task), task);
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED, head.sequence.to_string());
        if let Some(trace) = trace {
            headers.insert("traceparent", trace);
        }
        let message = Outgoing { subject, headers, body };
        match self.streams.publisher.publish(message).await {
            Ok(Published::Stored(sequence)) => Ok(LogHead { rev: record.rev, sequence, hash }),
            Ok(Published::Refused { actual, repeated }) => {
                if actual.is_some_and(|actual| actual < head.sequence) {
                    return Err(regressed(task, head, actual.unwrap_or_default()));
                }
                if !repeated {
                    return Err(AppendError::Conflict(task.clone()));
                }
                Box::pin(self.read_back(task, head, (record.rev, txn, hash))).await
            }
            Err(BusError::Refused(why)) => Err(BusError::Refused(why).into()),
            Err(BusError::Unavailable(why)) => {
                match Box::pin(self.read_back(task, head, (record.rev, txn, hash))).await {
                    Err(AppendError::Conflict(_)) => Err(BusError::Unavailable(why).into()),
                    other => other,
                }
            }
        }
    }

    /// Asks the stream's leader whether an append with an unclear answer was ours.
    async fn read_back(
        &self,
        task: &TaskId,
        head: LogHead,
        (rev, txn, hash): (u64, [u8; 16], Hash),
    ) -> Result<LogHead, AppendError> {
        let last = self.last(task).await?;
        let Some(last) = last else {
            if head.sequence > 0 {
                return Err(regressed(task, head, 0));
            }
            return Err(AppendError::Conflict(task.clone()));
        };
        if last.sequence < head.sequence {
            return Err(regressed(task, head, last.sequence));
        }
        match record::parse_by(self.streams.wire.reader(), &last.body) {
            Ok(parsed) if parsed.wire().txn[..] == txn => {
                tracing::info!(%task, rev, "record without an answer was found in the log");
                Ok(LogHead { rev, sequence: last.sequence, hash })
            }
            Ok(_) | Err(_) => Err(AppendError::Conflict(task.clone())),
        }
    }

    async fn last(&self, task: &TaskId) -> Result<Option<Stored>, BusError> {
        let partition = self.partition(task);
        let stream = self.streams.log(partition)?;
        let subject = subject::log(partition, task);
        let begun = Instant::now();
        loop {
            use async_nats::jetstream::stream::LastRawMessageErrorKind as Kind;
            match stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => {
                    let (sequence, body) = (message.sequence, message.payload);
                    return Ok(Some(Stored { sequence, body }));
                }
                Err(error) if matches!(error.kind(), Kind::NoMessageFound) => return Ok(None),
                Err(error) if begun.elapsed() >= BUS_GAP_MAX => {
                    return Err(BusError::Unavailable(format!("read of {subject}: {error}")));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Reads and checks a task's whole log.
    ///
    /// Any replica answers a direct read, also one that is behind: its end is no end before it is the leader's.
    pub(crate) async fn load(&self, task: &TaskId) -> Result<Loaded, LoadError> {
        let end = match self.streams.topology.replicas {
            0 | 1 => 0,
            2.. => self.last(task).await?.map_or(0, |last| last.sequence),
        };
        let (mut loaded, begun) = (Loaded::default(), Instant::now());
        loop {
            let from = loaded.head.sequence + 1;
            let batch = self.read(task, from).await?;
            let is_last = (batch.len() as u64) < READ_BATCH;
            for stored in batch {
                self.take(task, &mut loaded, stored).await?;
            }
            if is_last && loaded.head.sequence >= end {
                return Ok(loaded);
            }
            if is_last && begun.elapsed() >= BUS_GAP_MAX {
                let (at, what) = (loaded.head.sequence, "the replica that answers is behind");
                let text = format!("read of task {task}: {what}: {at} of {end}");
                return Err(BusError::Unavailable(text).into());
            }
            if is_last {
                tracing::info!(%task, end, "replica is behind, log is read again");
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }

    async fn take(
        &self,
        task: &TaskId,
        loaded: &mut Loaded,
        stored: Stored,
    ) -> Result<(), LoadError> {
        let rev = loaded.head.rev + 1;
        let damaged = |what: String| LoadError::Damaged { task: task.clone(), rev, what };
        let parsed = record::parse_by(self.streams.wire.reader(), &stored.body);
        let parsed = parsed.map_err(|error| match error {
            DecodeError::TooNew { min_reader, .. } => {
                LoadError::TooNew { task: task.clone(), min_reader }
            }
            other @ (DecodeError::Protobuf { .. }
            | DecodeError::Json { .. }
            | DecodeError::Field { .. }) => damaged(other.to_string()),
        })?;
        let mut blobs: BTreeMap<Hash, Payload> = BTreeMap::new();
        for blob in parsed.needed() {
            let payload = self.blobs.get(*blob).await.map_err(|error| match error {
                BlobError::Bus(error) => LoadError::Bus(error),
                other @ (BlobError::Missing(_)
                | BlobError::Damaged { .. }
                | BlobError::TooLarge { .. }
                | BlobError::Payload { .. }) => damaged(other.to_string()),
            })?;
            blobs.insert(blob.hash, payload);
        }
        let StoredRecord { record, prev, hash, .. } =
            parsed.into_core(&blobs).map_err(|error| damaged(error.to_string()))?;
        if record.rev != rev {
            return Err(damaged(format!("the log continues with revision {}", record.rev)));
        }
        if prev != (rev > 1).then_some(loaded.head.hash) {
            return Err(damaged("it does not follow from the record before".to_owned()));
        }
        loaded.head = LogHead { rev, sequence: stored.sequence, hash };
        loaded.records.push(record);
        Ok(())
    }

    async fn read(&self, task: &TaskId, from: u64) -> Result<Vec<Stored>, BusError> {
        let begun = Instant::now();
        loop {
            match self.try_read(task, from).await {
                Ok(batch) => return Ok(batch),
                Err(why) if begun.elapsed() >= BUS_GAP_MAX => {
                    return Err(BusError::Unavailable(format!("read of task {task}: {why}")));
                }
                Err(why) => {
                    tracing::debug!(%task, %why, "read is tried again");
                    tokio::time::sleep(READ_PAUSE).await;
                }
            }
        }
    }

    /// One direct batch get (ADR-31): all records from `from` on, and the end marker.
    async fn try_read(&self, task: &TaskId, from: u64) -> Result<Vec<Stored>, String> {
        let partition = self.partition(task);
        let client = &self.streams.client;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(inbox.clone()).await.map_err(|e| e.to_string())?;
        let request = json!({
            "seq": from,
            "batch": READ_BATCH,
            "next_by_subj": subject::log(partition, task),
        });
        let api = format!("$JS.API.DIRECT.GET.{}", self.streams.name("CADRE_LOG", partition));
        let body = Bytes::from(request.to_string());
        client.publish_with_reply(api, inbox, body).await.map_err(|e| e.to_string())?;
        let mut batch = Vec::new();
        loop {
            let answer = tokio::time::timeout(READ_GAP, answers.next()).await;
            let answer = answer.map_err(|_| "no answer".to_owned())?.ok_or("connection closed")?;
            match answer.status {
                None => {}
                // End of batch, or nothing (any more) under this subject.
                Some(status) if status.as_u16() == END_OF_BATCH => return Ok(batch),
                Some(StatusCode::NOT_FOUND) => return Ok(batch),
                Some(status) => {
                    let text = answer.description.unwrap_or_default();
                    return Err(format!("{status} {text}"));
                }
            }
            let sequence = answer
                .headers
                .as_ref()
                .and_then(|headers| headers.get("Nats-Sequence"))
                .and_then(|sequence| sequence.as_str().parse().ok())
                .ok_or("answer without a sequence")?;
            batch.push(Stored { sequence, body: answer.payload });
        }
    }
}

fn regressed(task: &TaskId, head: LogHead, actual: u64) -> AppendError {
    AppendError::Regressed { task: task.clone(), expected: head.sequence, actual }
}
