//! The task log: guarded appends, whole-log reads, dense revisions and an unbroken hash chain.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::HeaderMap;
use cadre_core::{
    ids::{Partition, TaskId},
    limits::{BUS_GAP_MAX, MESSAGE_BYTES_MAX},
    payload::{Hash, Payload},
    ports::{AppendError, BusError, LoadError, Loaded, LogHead},
    task::{Cause, Event, Record},
};
use cadre_proto::{
    DecodeError,
    record::{self, Encoded, StoredRecord},
    subject::{self, Attempt},
};

use crate::{
    blobs::{BlobError, Blobs},
    bus::Streams,
    pages::{self, READ_BATCH, Stored},
    publish::{EXPECTED, Outgoing, Published},
};

/// The pause before a log is read again.
const READ_PAUSE: Duration = Duration::from_millis(50);

/// Reader and writer of task logs.
#[derive(Clone)]
pub(crate) struct TaskLog {
    streams: Streams,
    blobs: Blobs,
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
        pages::last(stream, &subject::log(partition, task)).await
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
            let partition = self.partition(task);
            let place = (self.streams.name("CADRE_LOG", partition), subject::log(partition, task));
            let batch = pages::read(&self.streams, (&place.0, &place.1), from).await?;
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

    /// Whether the log tells what came of the report of this attempt.
    pub(crate) async fn tells(&self, attempt: &Attempt) -> Result<bool, BusError> {
        let Attempt { task, step, number, .. } = attempt;
        let partition = self.partition(task);
        let place = (self.streams.name("CADRE_LOG", partition), subject::log(partition, task));
        let mut from = 1;
        loop {
            let batch = pages::read(&self.streams, (&place.0, &place.1), from).await?;
            let source = Cause::attempt(step, *number);
            for stored in &batch {
                from = stored.sequence + 1;
                // A record that cannot be read is the orchestrator's to complain of.
                let parsed = record::parse_by(self.streams.wire.reader(), &stored.body).ok();
                let cause = parsed.as_ref().and_then(|parsed| parsed.wire().cause.as_ref());
                if cause.is_some_and(|cause| cause.kind == "report" && cause.source == source) {
                    return Ok(true);
                }
            }
            if (batch.len() as u64) < READ_BATCH {
                return Ok(false);
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
}

fn regressed(task: &TaskId, head: LogHead, actual: u64) -> AppendError {
    AppendError::Regressed { task: task.clone(), expected: head.sequence, actual }
}
