//! The board on which pods leave each other hints: the port that the bus adapter implements.

use std::future::Future;

use super::{Hint, Target, WireError};
use crate::{
    ids::Name,
    ports::{BusError, Inbox},
    time::UnixMillis,
};

/// What the board has about one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The hint; `None` when there is none, an error when this build cannot read it.
    pub hint: Result<Option<Hint>, WireError>,
    /// Counts changes; 0 when there never was one. Restarts when the board is made anew.
    pub revision: u64,
}

/// Something new on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A target's hint as it is now.
    Hint(Target, Box<Posted>),
    /// A pod was alive then.
    Pod(Name, UnixMillis),
}

/// Why a hint was not posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Somebody was faster: read, change that, post again.
    #[error("hint of breaker {0} has changed meanwhile")]
    Conflict(Target),
    /// The bus did not answer, or refused. Whether it was posted is open; posting again is harmless.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Where hints are kept. Unlike other ports it gives up within a second or two: a breaker
/// that waits for its board is worse than one that decides alone.
pub trait BreakerBoard: Clone + Send + Sync + 'static {
    /// News from now on, and before them everything that is on the board.
    type Watch: Inbox<News>;

    /// The broker's time, as well as this process knows it.
    fn now(&self) -> UnixMillis;

    /// Reads one hint from where it is written: older than no watch.
    fn read(&self, target: &Target) -> impl Future<Output = Result<Posted, BusError>> + Send;

    /// Posts a hint in place of the one at `revision` (0: of none); says the new revision.
    fn post(
        &self,
        hint: &Hint,
        revision: u64,
    ) -> impl Future<Output = Result<u64, PostError>> + Send;

    /// Tells the others that `pod` is alive.
    fn beat(&self, pod: &Name) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Follows the board. Its inbox fails when the watch breaks: open another one then.
    fn watch(&self) -> impl Future<Output = Result<Self::Watch, BusError>> + Send;
}
