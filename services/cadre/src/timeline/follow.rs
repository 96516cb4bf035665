//! Reads a task's records from its log while they are written.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::{
    ids::TaskId,
    task::{Event, Record},
};
use cadre_nats::{
    blobs::{BlobError, Blobs},
    bus::JetStreamBus,
    tail::{Begin, TailError, TailOptions, tail},
};
use cadre_proto::{DecodeError, record, subject};
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};

/// Errors of the bus in a row after which a log is given up: each waits for the broker by itself.
const ERRORS_MAX: u32 = 20;

/// The pause after each of them.
const ERROR_PAUSE: Duration = Duration::from_millis(250);

/// The records of one task, oldest first; ends behind the one that ends the task.
pub type Records = BoxStream<'static, Result<Record, FollowError>>;

/// Why the log of a task cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The broker did not answer, or refused.
    #[error(transparent)]
    Tail(#[from] TailError),
    /// The broker stayed away.
    #[error(
        "read on the log of task {task}, for the broker stayed away: the task goes on without us; once the broker \
         is back, see `cadre task watch {task}`"
    )]
    Lost {
        /// The task.
        task: TaskId,
        /// What was said last; `None` when the connection was closed.
        source: Option<TailError>,
    },
    /// A record is not one that this build can read.
    #[error("read the log of task {task}")]
    Record {
        /// The task.
        task: TaskId,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A large document that a record names cannot be read.
    #[error("read a document of task {task}")]
    Blob {
        /// The task.
        task: TaskId,
        /// Why.
        source: BlobError,
    },
    /// A record is missing.
    #[error("read the log of task {task}: record {expected} is missing, {found} came instead")]
    Gap {
        /// The task.
        task: TaskId,
        /// The revision that should have come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
}

/// Reads all records of `task` from the first one on, and waits for more until the task ends.
///
/// A task that does not exist yet is waited for, and so is a broker that restarts. The reader takes
/// nothing from anybody.
///
/// # Errors
/// [`FollowError`] when the log cannot be opened; later ones come as items.
pub async fn follow(bus: &JetStreamBus, task: &TaskId) -> Result<Records, FollowError> {
    let streams = bus.streams();
    let filter = subject::log(streams.partition(task), task);
    let options =
        TailOptions { filter: Some(filter), from: Begin::All, follow: true, headers_only: false };
    let items = tail(&streams.js, &streams.topology, &options).await?;
    let (task, blobs) = (task.clone(), bus.blobs().clone());
    let decoded = items.map_err(FollowError::from).and_then({
        let task = task.clone();
        move |item| {
            let (task, blobs) = (task.clone(), blobs.clone());
            async move { decode(&task, &blobs, &item.body).await }
        }
    });
    let state = (decoded.boxed(), Some(1));
    Ok(stream::unfold(state, move |state| step((task.clone(), ERROR_PAUSE), state)).boxed())
}

/// Passes on the record that is next; `None` as next means that the last one was passed on.
async fn step(
    (task, pause): (TaskId, Duration),
    (mut records, next): (Records, Option<u64>),
) -> Option<(Result<Record, FollowError>, (Records, Option<u64>))> {
    let expected = next?;
    let mut errors = 0;
    loop {
        let record = match records.next().await {
            Some(Ok(record)) => record,
            None => return Some((Err(lost(&task, None)), (records, None))),
            // A restarted broker has forgotten the consumer; the reader makes a new one.
            Some(Err(FollowError::Tail(error))) if errors < ERRORS_MAX => {
                tracing::debug!(%task, %error, "log could not be read on, trying again");
                errors += 1;
                tokio::time::sleep(pause).await;
                continue;
            }
            Some(Err(FollowError::Tail(error))) => {
                return Some((Err(lost(&task, Some(error))), (records, None)));
            }
            Some(Err(error)) => return Some((Err(error), (records, None))),
        };
        let found = record.rev;
        // A consumer that was set up anew may repeat some.
        if found < expected {
            continue;
        }
        if found > expected {
            return Some((Err(FollowError::Gap { task, expected, found }), (records, None)));
        }
        let is_last = record.events.iter().any(|event| matches!(event, Event::Ended { .. }));
        return Some((Ok(record), (records, (!is_last).then_some(expected + 1))));
    }
}

fn lost(task: &TaskId, source: Option<TailError>) -> FollowError {
    FollowError::Lost { task: task.clone(), source }
}

async fn decode(task: &TaskId, blobs: &Blobs, body: &[u8]) -> Result<Record, FollowError> {
    let unreadable = |source| FollowError::Record { task: task.clone(), source };
    let parsed = record::parse(&body.to_vec().into()).map_err(unreadable)?;
    let mut found = BTreeMap::new();
    for blob in parsed.needed() {
        let lost = |source| FollowError::Blob { task: task.clone(), source };
        found.insert(blob.hash, blobs.get(*blob).await.map_err(lost)?);
    }
    Ok(parsed.into_core(&found).map_err(unreadable)?.record)
}

#[cfg(test)]
mod tests {
    use cadre_core::{
        task::{Cause, EndStatus, Usage},
        time::UnixMillis,
    };

    use super::*;
    use crate::exit::{Code, code_of};

    fn task() -> TaskId {
        TaskId::derive(&"acme".parse().unwrap(), "k")
    }

    fn away(times: u32) -> Vec<Result<Record, FollowError>> {
        let mut read = Vec::new();
        for _ in 0..times {
            let (stream, reason) = ("CADRE_LOG_0".to_owned(), "no answer".to_owned());
            read.push(Err(TailError::Bus { stream, reason }.into()));
        }
        read
    }

    fn ended(rev: u64) -> Record {
        let (reason, usage) = (String::new(), Usage::default());
        let end = Event::Ended { status: EndStatus::Completed, reason, answer: None, usage };
        let (kind, source) = ("report".to_owned(), String::new());
        Record {
            rev,
            at: UnixMillis(1),
            cause: Cause { kind, source, sequence: 1, waited: Duration::ZERO, models: Vec::new() },
            decision: "end".to_owned(),
            reason: String::new(),
            events: vec![end],
        }
    }

    fn reader(read: Vec<Result<Record, FollowError>>) -> Records {
        let state = (stream::iter(read).boxed(), Some(1));
        stream::unfold(state, |state| step((task(), Duration::ZERO), state)).boxed()
    }

    #[tokio::test]
    async fn a_broker_that_comes_back_in_time_is_waited_for() {
        let mut read = away(ERRORS_MAX);
        read.push(Ok(ended(1)));
        let records: Vec<_> = reader(read).collect().await;
        assert!(matches!(records.as_slice(), [Ok(record)] if record.rev == 1), "{records:?}");
    }

    #[tokio::test]
    async fn one_that_stays_away_is_an_error_with_a_code_and_the_next_step() {
        for (read, cause) in [(away(ERRORS_MAX + 1), Some("no answer")), (Vec::new(), None)] {
            let mut records = reader(read);
            let error = anyhow::Error::from(records.next().await.unwrap().unwrap_err());
            assert_eq!(code_of(&error), Code::BusUnavailable);
            let text = format!("{error:#}");
            assert!(text.contains(&format!("see `cadre task watch {}`", task())), "{text}");
            assert_eq!(text.contains("no answer"), cause.is_some(), "{text}");
            assert!(records.next().await.is_none(), "nothing is read behind it");
        }
    }
}
