//! Journals of steps: guarded appends and whole reads, each journal a subject of its own.

use async_nats::HeaderMap;
use cadre_core::{
    ids::TaskId,
    journal::{CallOutcome, Entry, Fact, History, JournalId},
    payload::Payload,
    ports::{BusError, JournalError, Pages},
    workflow::Grant,
};
use cadre_proto::{
    ContentType, journal,
    subject::{self, Subject},
};

use crate::{
    blobs::Blobs,
    bus::Streams,
    inbox::fetch,
    pages::{self, READ_BATCH, Stored},
    publish::{EXPECTED, Outgoing, Published},
};

/// Reader and writer of journals.
#[derive(Clone)]
pub(crate) struct RunJournal {
    streams: Streams,
    blobs: Blobs,
}

impl RunJournal {
    pub(crate) fn new(streams: Streams, blobs: Blobs) -> Self {
        Self { streams, blobs }
    }

    fn subject(&self, id: &JournalId) -> String {
        subject::run(self.streams.partition(&id.task), &id.role, &id.task, &id.step)
    }

    fn stream(&self, task: &TaskId) -> String {
        self.streams.name("CADRE_RUN", self.streams.partition(task))
    }

    /// Reads one journal.
    pub(crate) async fn read(&self, id: &JournalId) -> Result<Pages, JournalError> {
        let mut pages = Pages::default();
        for stored in self.stored(&id.task, &self.subject(id)).await? {
            pages.sequence = stored.sequence;
            pages.entries.push(self.decode(id, stored).await?);
        }
        Ok(pages)
    }

    /// What an attempt has spent; calls of it that are out cost what was set aside for them.
    pub(crate) async fn spent(&self, id: &JournalId, attempt: u32) -> Result<Grant, JournalError> {
        let mut history = History::default();
        for entry in &self.read(id).await?.entries {
            history.apply(entry).map_err(|error| JournalError::Damaged {
                task: id.task.clone(),
                step: id.step.clone(),
                what: error.to_string(),
            })?;
        }
        Ok(history.ledger(attempt, Grant::default()).used())
    }

    /// Reads every journal of a task, in order of the first call.
    pub(crate) async fn of_task(
        &self,
        task: &TaskId,
    ) -> Result<Vec<(JournalId, Pages)>, JournalError> {
        let partition = self.streams.partition(task);
        let mut journals: Vec<(JournalId, Pages)> = Vec::new();
        for stored in self.stored(task, &format!("cadre.{partition}.run.*.{task}.*")).await? {
            let Ok(Subject::Run { role, task, step, .. }) = Subject::parse(&stored.subject) else {
                continue;
            };
            let id = JournalId { role, task, step };
            let sequence = stored.sequence;
            let entry = self.decode(&id, stored).await?;
            let index = journals.iter().position(|(known, _)| *known == id);
            let index = index.unwrap_or_else(|| {
                journals.push((id, Pages::default()));
                journals.len() - 1
            });
            if let Some((_, pages)) = journals.get_mut(index) {
                pages.entries.push(entry);
                pages.sequence = sequence;
            }
        }
        Ok(journals)
    }

    async fn stored(&self, task: &TaskId, subject: &str) -> Result<Vec<Stored>, BusError> {
        let (stream, mut all, mut from) = (self.stream(task), Vec::new(), 1);
        loop {
            let batch = pages::read(&self.streams, (&stream, subject), from).await?;
            let is_last = (batch.len() as u64) < READ_BATCH;
            from = batch.last().map_or(from, |last| last.sequence + 1);
            all.extend(batch);
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn decode(&self, id: &JournalId, stored: Stored) -> Result<Entry, JournalError> {
        let damaged = |what: String| {
            let (task, step) = (id.task.clone(), id.step.clone());
            JournalError::Damaged { task, step, what }
        };
        let parsed = journal::parse(&stored.body, content(&stored.body));
        let parsed = parsed.map_err(|error| damaged(error.to_string()))?;
        let found = fetch(&self.blobs, parsed.needed()).await?.map_err(damaged)?;
        parsed.into_core(&found).map_err(|error| damaged(error.to_string()))
    }

    /// Appends an entry behind the message `expected`.
    pub(crate) async fn append(
        &self,
        id: &JournalId,
        expected: u64,
        entry: &Entry,
    ) -> Result<u64, JournalError> {
        if let Some(document) = document(entry)
            && document.blob().is_some()
        {
            Box::pin(self.blobs.put(document)).await?;
        }
        let subject = self.subject(id);
        let body = journal::encode(entry, ContentType::Protobuf)
            .map_err(|error| BusError::Refused(error.to_string()))?;
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", ContentType::Protobuf.as_str());
        headers.insert(EXPECTED, expected.to_string());
        let message = Outgoing { subject: subject.clone(), headers, body: body.clone() };
        match self.streams.publisher.publish(message).await? {
            Published::Stored(sequence) => Ok(sequence),
            // An earlier try of this very entry may have been stored: nobody else writes the same.
            Published::Refused { .. } => {
                let name = self.stream(&id.task);
                let stream = self.streams.js.get_stream_no_info(&name).await;
                let lost = |error: &dyn std::fmt::Display| {
                    BusError::Unavailable(format!("look at stream {name}: {error}"))
                };
                let stream = stream.map_err(|error| lost(&error))?;
                match pages::last(&stream, &subject).await? {
                    Some(last) if last.body == body => Ok(last.sequence),
                    Some(_) | None => {
                        let (task, step) = (id.task.clone(), id.step.clone());
                        Err(JournalError::Moved { task, step })
                    }
                }
            }
        }
    }
}

/// Workers in other languages may write JSON.
fn content(body: &[u8]) -> ContentType {
    if body.first() == Some(&b'{') { ContentType::Json } else { ContentType::Protobuf }
}

/// The document that an entry holds.
fn document(entry: &Entry) -> Option<&Payload> {
    match &entry.fact {
        Fact::Ended { outcome: CallOutcome::Done(result), .. } => Some(result),
        Fact::Ended { outcome: CallOutcome::Failed(failure), .. } => failure.refused.as_ref(),
        Fact::Claimed(_) | Fact::Begun { .. } => None,
    }
}
