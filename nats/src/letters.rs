//! Dead letters for people: found, read, published again, removed.
//!
//! A letter lies on `cadre.<p>.dead.<kind>.<source>` in the log stream until somebody decides. It is
//! removed only by name: after its message is on the bus again, or because a person says so. Both
//! take the right to delete single messages of the log, which no service has or needs.

mod again;
mod head;
#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeMap, fmt, str::FromStr, time::Duration};

use async_nats::jetstream::{
    message::StreamMessage,
    stream::{RawMessageErrorKind, Stream},
};
use bytes::Bytes;
use cadre_core::{
    payload::{BlobRef, Hash},
    ports::BusError,
};
use futures::TryStreamExt as _;

pub use self::{
    again::Unrepeatable,
    head::{Head, Query},
};
use crate::{
    blobs::{BlobError, Blobs},
    bus::Streams,
    connect::ride_out,
    publish::{Outgoing, Published},
    tail::{Begin, TailError, TailOptions, tail},
    topology::log_stream,
};

/// Where letters lie.
const FILTER: &str = "cadre.*.dead.>";

/// Names one letter: its log stream, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId {
    /// The shard whose log stream holds it.
    pub shard: u16,
    /// Its sequence in that stream.
    pub sequence: u64,
}

/// A text that names no letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no dead letter: an id is like 0-17, see `cadre dlq ls`")]
pub struct LetterIdError(String);

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.shard, self.sequence)
    }
}

impl FromStr for LetterId {
    type Err = LetterIdError;

    fn from_str(text: &str) -> Result<Self, LetterIdError> {
        let read = || {
            let (shard, sequence) = text.split_once('-')?;
            Some(Self { shard: shard.parse().ok()?, sequence: sequence.parse().ok()? })
        };
        // One letter has one spelling.
        read()
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| LetterIdError(text.chars().take(80).collect()))
    }
}

/// A letter as it lies in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What is known without its body.
    pub head: Head,
    /// Headers of the message, as far as there was room for them.
    pub headers: Vec<(String, String)>,
    /// Its body; of one beyond every limit, its beginning.
    pub body: Bytes,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The newest ones, newest first.
    pub letters: Vec<Head>,
    /// How many older ones there are.
    pub more: u64,
}

/// Why nothing became of a letter.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// Somebody removed it, or it never was.
    #[error("find dead letter {0}: there is none, see `cadre dlq ls`")]
    NoLetter(LetterId),
    /// Its message cannot be published again.
    #[error("replay dead letter {id}: {why}")]
    Unrepeatable {
        /// The letter.
        id: LetterId,
        /// What stands in the way.
        why: Unrepeatable,
    },
    /// Its body is kept apart and cannot be had.
    #[error("read the body of dead letter {id}")]
    Body {
        /// The letter.
        id: LetterId,
        /// What is wrong with the blob.
        source: BlobError,
    },
    /// Letters cannot be listed.
    #[error(transparent)]
    Tail(#[from] TailError),
    /// The broker did not answer, or refused.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// The letters of one bus.
#[derive(Debug, Clone)]
pub struct Letters {
    streams: Streams,
    blobs: Blobs,
}

impl Letters {
    pub(crate) fn new(streams: Streams, blobs: Blobs) -> Self {
        Self { streams, blobs }
    }

    /// The newest `limit` letters that `query` wants.
    ///
    /// Reads the headers of every letter of the last `since`, some 100,000 a second, and keeps no
    /// more than `limit` of them.
    ///
    /// # Errors
    /// [`LetterError::Tail`] when the broker does not answer.
    pub async fn find(
        &self,
        query: &Query,
        since: Option<Duration>,
        limit: usize,
    ) -> Result<Found, LetterError> {
        let options = TailOptions {
            filter: Some(FILTER.to_owned()),
            from: since.map_or(Begin::All, Begin::Since),
            follow: false,
            headers_only: true,
        };
        let mut items = tail(&self.streams.js, &self.streams.topology, &options).await?;
        let mut newest = BTreeMap::new();
        let mut more = 0;
        while let Some(item) = items.try_next().await? {
            let Some(head) = Head::read(&item).filter(|head| query.wants(head)) else { continue };
            newest.insert((head.at, head.id), head);
            if newest.len() > limit {
                newest.pop_first();
                more += 1;
            }
        }
        let mut letters: Vec<_> = newest.into_values().collect();
        letters.sort_by_key(|head| Reverse((head.at, head.id)));
        Ok(Found { letters, more })
    }

    /// Reads one letter whole.
    ///
    /// # Errors
    /// [`LetterError::NoLetter`]; [`LetterError::Body`] when its large body is gone.
    pub async fn get(&self, id: LetterId) -> Result<Letter, LetterError> {
        let Some(stored) = self.stored(id).await? else { return Err(LetterError::NoLetter(id)) };
        let sequence = stored.sequence;
        let item = crate::tail::stored(&log_stream(id.shard), stored);
        debug_assert_eq!(sequence, id.sequence, "asked for by its sequence");
        let Some(head) = Head::read(&item) else { return Err(LetterError::NoLetter(id)) };
        let body = match &head.blob {
            None => item.body.clone(),
            Some(hash) => self.large(id, *hash, head.size_bytes).await?,
        };
        Ok(Letter { headers: head::own(&item), body, head })
    }

    async fn large(&self, id: LetterId, hash: Hash, size: u64) -> Result<Bytes, LetterError> {
        let blob = BlobRef { hash, size_bytes: size };
        self.blobs.get_bytes(blob).await.map_err(|source| LetterError::Body { id, source })
    }

    /// Says on which subject [`Self::replay`] would publish, and changes nothing.
    ///
    /// # Errors
    /// [`LetterError::Unrepeatable`].
    pub fn rehearse(&self, letter: &Letter) -> Result<String, LetterError> {
        let again = again::again(letter);
        let again = again.map_err(|why| LetterError::Unrepeatable { id: letter.head.id, why })?;
        Ok(again.subject)
    }

    /// Publishes the letter's message again, and removes the letter once its stream has it.
    ///
    /// A crash between the two leaves both: every kind of message is idempotent, so replaying the
    /// letter once more is harmless. Returns the subject and the sequence there.
    ///
    /// # Errors
    /// [`LetterError::Unrepeatable`] changes nothing; after any other the letter is still there,
    /// and the message perhaps as well.
    pub async fn replay(&self, letter: &Letter) -> Result<(String, u64), LetterError> {
        let id = letter.head.id;
        let again = again::again(letter).map_err(|why| LetterError::Unrepeatable { id, why })?;
        let (subject, headers, body) = (again.subject, again.headers, letter.body.clone());
        let message = Outgoing { subject: subject.clone(), headers, body };
        let sequence = match self.streams.publisher.publish(message).await? {
            Published::Stored(sequence) => sequence,
            // It carries no guard.
            Published::Refused { .. } => {
                let why = format!("the stream of {subject} refused a message without a guard");
                return Err(BusError::Refused(why).into());
            }
        };
        self.discard(id).await?;
        Ok((subject, sequence))
    }

    /// Removes a letter for good. Idempotent.
    ///
    /// # Errors
    /// [`LetterError::NoLetter`] when what lies there is something else; [`LetterError::Bus`].
    pub async fn discard(&self, id: LetterId) -> Result<(), LetterError> {
        let stream = self.stream(id.shard).await?;
        let Some(stored) = self.stored(id).await? else { return Ok(()) };
        if Head::read(&crate::tail::stored(&log_stream(id.shard), stored)).is_none() {
            return Err(LetterError::NoLetter(id));
        }
        let deleted = stream.delete_message(id.sequence).await;
        match deleted {
            Ok(_) => Ok(()),
            // Perhaps somebody else was faster, or only the answer was lost.
            Err(error) => match self.stored(id).await? {
                None => Ok(()),
                Some(_) => {
                    let text = format!("delete of dead letter {id}: {error}");
                    Err(BusError::Refused(text).into())
                }
            },
        }
    }

    async fn stream(&self, shard: u16) -> Result<Stream<()>, BusError> {
        let name = log_stream(shard);
        let stream = self.streams.js.get_stream_no_info(&name).await;
        stream.map_err(|error| BusError::Unavailable(format!("open {name}: {error}")))
    }

    /// What lies at this place, from the stream's leader; `None` for nothing, or no such stream.
    async fn stored(&self, id: LetterId) -> Result<Option<StreamMessage>, BusError> {
        if id.shard >= self.streams.topology.shards.max(1) || id.sequence == 0 {
            return Ok(None);
        }
        let stream = self.stream(id.shard).await?;
        ride_out(|| async {
            match stream.get_raw_message(id.sequence).await {
                Ok(message) => Ok(Some(message)),
                Err(error) => match error.kind() {
                    RawMessageErrorKind::NoMessageFound => Ok(None),
                    RawMessageErrorKind::InvalidSubject
                    | RawMessageErrorKind::JetStream(_)
                    | RawMessageErrorKind::Other => {
                        Err(BusError::Unavailable(format!("read dead letter {id}: {error}")))
                    }
                },
            }
        })
        .await
    }
}
