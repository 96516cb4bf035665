//! What the streams of a bed hold, as somebody sees it who may change anything: read whole, edited
//! with hashes and guards that fit, and written anew message by message.

use async_nats::{HeaderMap, jetstream::stream::Config};
use bytes::Bytes;
use cadre_core::{
    ids::TaskId,
    payload::Hash,
    task::{Event, Record},
};
use cadre_proto::{
    Blobs,
    record::{self, StoredRecord},
};

use crate::{bed::Bed, plain};

/// The header that names the sequence which a subject must end with.
const GUARD: &str = "Nats-Expected-Last-Subject-Sequence";

/// Streams that are written anew: what is in the others is on its way to somebody.
const STREAMS: [&str; 3] = ["CADRE_LOG_0", "CADRE_RUN_0", "CADRE_ANSWERS"];

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its subject.
    pub subject: String,
    /// Its headers, guards among them.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What is kept of tasks: position 0 of each list is sequence 1 of its stream.
#[derive(Debug, Clone)]
pub struct Books {
    /// Records and dead letters.
    pub log: Vec<Message>,
    /// Journals.
    pub run: Vec<Message>,
    /// Answers.
    pub answers: Vec<Message>,
    /// Positions in the log that are deleted once all is written.
    pub torn_out: Vec<usize>,
}

impl Books {
    /// Reads them whole.
    ///
    /// # Panics
    /// When a message is missing already.
    pub async fn read(bed: &Bed) -> Self {
        let [log, run, answers] = STREAMS.map(|name| messages(bed, name));
        let (log, run, answers) = (log.await, run.await, answers.await);
        Self { log, run, answers, torn_out: Vec::new() }
    }

    /// Makes the streams anew, with this content; sequences begin at 1 again.
    ///
    /// # Panics
    /// When the broker refuses a message: a guard does not fit.
    pub async fn write(&self, bed: &Bed) {
        for (name, messages) in STREAMS.into_iter().zip([&self.log, &self.run, &self.answers]) {
            let js = &bed.connection.js;
            let config = js.get_stream(name).await.expect("stream").cached_info().config.clone();
            js.delete_stream(name).await.expect("deleted");
            js.create_stream(Config { name: name.to_owned(), ..config }).await.expect("made");
            for Message { subject, headers, body } in messages {
                plain::publish(bed, subject, headers.clone(), body).await;
            }
        }
        let log = bed.connection.js.get_stream(STREAMS[0]).await.expect("stream");
        for position in &self.torn_out {
            assert!(log.delete_message(*position as u64 + 1).await.expect("deleted"));
        }
    }

    /// Where the records of a task stand in the log.
    #[must_use]
    pub fn records(&self, task: &TaskId) -> Vec<usize> {
        let is_of = |message: &Message| message.subject.ends_with(&format!(".log.{task}"));
        (0..self.log.len()).filter(|position| is_of(&self.log[*position])).collect()
    }

    /// Changes the record of a revision; those behind it get hashes that fit.
    ///
    /// # Panics
    /// When there is none, or one has a large document.
    pub fn revise(&mut self, task: &TaskId, rev: u64, change: impl Fn(&mut StoredRecord)) {
        let (mut prev, mut is_found) = (None, false);
        for position in self.records(task) {
            let mut stored = self.decoded(position);
            stored.prev = prev;
            if stored.record.rev == rev {
                change(&mut stored);
                is_found = true;
            }
            let encoded = record::encode(&stored.record, stored.txn, stored.prev);
            prev = Some(encoded.hash);
            self.log[position].body = encoded.bytes;
        }
        assert!(is_found, "task {task} has no record {rev}");
    }

    /// The revision and the index of a task's first event of a kind.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn with(&self, task: &TaskId, wanted: impl Fn(&Event) -> bool) -> (u64, usize) {
        let found = self.records(task).into_iter().find_map(|position| {
            let record = self.decoded(position).record;
            record.events.iter().position(&wanted).map(|index| (record.rev, index))
        });
        found.expect("such an event")
    }

    /// Puts a record behind a task's last one, with the hash and the guard that fit, and returns its
    /// revision.
    ///
    /// # Panics
    /// When the task has no record.
    pub fn forge(&mut self, task: &TaskId, events: Vec<Event>) -> u64 {
        let last = *self.records(task).last().expect("a record");
        let stored = self.decoded(last);
        let rev = stored.record.rev + 1;
        let record = Record { rev, events, ..stored.record };
        let body = record::encode(&record, [0xf0; 16], Some(Hash::of(&self.log[last].body))).bytes;
        self.push(task, body);
        rev
    }

    /// Puts any bytes behind a task's last record, with the guard that fits.
    ///
    /// # Panics
    /// When the task has no record.
    pub fn push(&mut self, task: &TaskId, body: impl Into<Bytes>) {
        let last = *self.records(task).last().expect("a record");
        let subject = self.log[last].subject.clone();
        let headers = plain::headers(&[(GUARD, &(last + 1).to_string())]);
        self.log.push(Message { subject, headers, body: body.into() });
    }

    /// Writes an entry of a journal behind the last one of its subject.
    pub fn note(&mut self, subject: &str, body: Bytes) {
        let before = self.run.iter().rposition(|message| message.subject == subject);
        let guard = before.map_or(0, |position| position + 1).to_string();
        let headers = plain::headers(&[(GUARD, &guard), ("Content-Type", "application/protobuf")]);
        self.run.push(Message { subject: subject.to_owned(), headers, body });
    }

    fn decoded(&self, position: usize) -> StoredRecord {
        record::decode(&self.log[position].body, &Blobs::new()).expect("a record")
    }
}

/// Takes the guard off a message.
pub fn unguarded(message: &mut Message) {
    let kept = message.headers.iter().filter(|(name, _)| name.as_ref() as &str != GUARD);
    let mut headers = HeaderMap::new();
    for (name, values) in kept {
        values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
    }
    message.headers = headers;
}

async fn messages(bed: &Bed, name: &str) -> Vec<Message> {
    let stream = bed.connection.js.get_stream(name).await.expect("stream");
    let mut messages = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let stored = stream.get_raw_message(sequence).await.expect("a message");
        messages.push(Message {
            subject: stored.subject.to_string(),
            headers: stored.headers,
            body: stored.payload,
        });
    }
    messages
}
