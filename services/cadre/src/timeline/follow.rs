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
    Ok(stream::unfold(state, move |state| step(task.clone(), state)).boxed())
}

/// Passes on the record that is next; `None` as next means that the last one was passed on.
async fn step(
    task: TaskId,
    (mut records, next): (Records, Option<u64>),
) -> Option<(Result<Record, FollowError>, (Records, Option<u64>))> {
    let expected = next?;
    let mut errors = 0;
    loop {
        let record = match records.next().await? {
            Ok(record) => record,
            // A restarted broker has forgotten the consumer; the reader makes a new one.
            Err(FollowError::Tail(error)) if errors < ERRORS_MAX => {
                tracing::debug!(%task, %error, "log could not be read on, trying again");
                errors += 1;
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
            Err(error) => return Some((Err(error), (records, None))),
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
