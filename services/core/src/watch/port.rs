//! What the watch needs of the bus: the port that the bus adapter implements.

use std::{future::Future, time::Duration};

use super::{Alert, Digest, Key, Survey, TimerState};
use crate::{
    ids::{Name, Partition, TaskId},
    ports::{BusError, Inbox, LoadError, Loaded},
    time::UnixMillis,
};

/// The right to be the one watch of the fleet, until it runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whose it is.
    pub watcher: Name,
    /// When somebody else may have it.
    pub until: UnixMillis,
}

/// Why an alert was not posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Somebody else has posted about the same: read what is there, begin anew.
    #[error("alert {0} has changed meanwhile")]
    Conflict(Key),
    /// The bus did not answer, or refused. Whether it was posted is open.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// An alert as it stands on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The alert.
    pub alert: Alert,
    /// Its place in the stream: what the next one of this name must follow.
    pub sequence: u64,
}

/// What the watch needs of the bus.
pub trait WatchBus: Clone + Send + Sync + 'static {
    /// The log, as it is written.
    type Records: Inbox<Digest>;

    /// The broker's time, as well as this process knows it.
    fn now(&self) -> UnixMillis;

    /// The partition that owns `task`.
    fn partition(&self, task: &TaskId) -> Partition;

    /// Takes the watch for `watcher`, or keeps it; says whose it is then. Also learns the broker's time.
    fn lead(
        &self,
        watcher: &Name,
        lasts: Duration,
    ) -> impl Future<Output = Result<Term, BusError>> + Send;

    /// Follows all logs, beginning with each task's last record. Its inbox fails when the bus is
    /// lost: open another one then, and begin anew.
    fn records(&self) -> impl Future<Output = Result<Self::Records, BusError>> + Send;

    /// Looks at queues, streams, breakers and dead letters.
    fn survey(&self) -> impl Future<Output = Result<Survey, BusError>> + Send;

    /// Reads a task's log.
    fn load(&self, task: &TaskId) -> impl Future<Output = Result<Loaded, LoadError>> + Send;

    /// Where the timer of `task` stands.
    fn timer(&self, task: &TaskId) -> impl Future<Output = Result<TimerState, BusError>> + Send;

    /// Every alert that is open.
    fn alerts(&self) -> impl Future<Output = Result<Vec<Posted>, BusError>> + Send;

    /// Posts an alert in place of the open one at `after`, or where none is open; says where it stands.
    fn post(
        &self,
        alert: &Alert,
        after: Option<u64>,
    ) -> impl Future<Output = Result<u64, PostError>> + Send;
}
