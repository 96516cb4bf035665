//! What the auditor needs of the bus: the port that the bus adapter implements.

use std::{future::Future, time::Duration};

use super::{Chain, Page, Seen, Source, Tip};
use crate::{
    ids::{Name, TaskId},
    ports::{BusError, Inbox},
};

/// The right to be the one auditor of the fleet, and how far the trail has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose it is.
    pub auditor: Name,
    /// Up to where everything of each stream is in the trail.
    pub seen: Seen,
}

/// Why a page was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Somebody else was faster: read the chain's end, begin anew.
    #[error("audit chain {0} has moved on")]
    Conflict(Chain),
    /// The bus did not answer, or refused. Whether the page was stored is open.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Where a chain ends on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Its last entry.
    pub tip: Tip,
    /// Sequence of the message that holds it; 0 for an empty chain.
    pub sequence: u64,
}

/// What the auditor needs of the bus.
pub trait AuditBus: Clone + Send + Sync + 'static {
    /// Everything that deeds are known from, as it is written.
    type Sources: Inbox<Source>;

    /// Takes the turn for `auditor` if nobody has it, or keeps it; says whose it is then. `seen` is how
    /// far the trail has come, known to whoever has the turn; `None` leaves what stands there.
    fn turn(
        &self,
        auditor: &Name,
        lasts: Duration,
        seen: Option<&Seen>,
    ) -> impl Future<Output = Result<Turn, BusError>> + Send;

    /// Follows all logs behind `seen`, each in its order. Its inbox fails when the bus is lost.
    fn sources(&self, seen: &Seen) -> impl Future<Output = Result<Self::Sources, BusError>> + Send;

    /// Whose task this is; `None` when its log does not say.
    fn tenant(&self, task: &TaskId) -> impl Future<Output = Result<Option<Name>, BusError>> + Send;

    /// Where a chain ends. Refused when its last entry is not as it was written.
    fn standing(&self, chain: &Chain) -> impl Future<Output = Result<Standing, BusError>> + Send;

    /// Appends a page behind the message at `after`; says where it stands.
    fn append(
        &self,
        chain: &Chain,
        page: &Page,
        after: u64,
    ) -> impl Future<Output = Result<u64, PageError>> + Send;
}
