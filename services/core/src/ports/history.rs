//! The port to the log as it was written: for read models, and for whoever follows a task.
//!
//! Reading takes nothing from anybody. The log of a shard is in order, and so is the log of a task;
//! records of different shards come in no order that means anything.

use std::{collections::BTreeMap, future::Future};

use super::{BusError, Inbox};
use crate::{
    ids::TaskId,
    payload::{BlobRef, Hash, Payload},
    task::Record,
    time::UnixMillis,
};

/// How far the log of each shard was read: the sequence of its last record that counts.
pub type Positions = BTreeMap<u16, u64>;

/// One record where it stands in the log.
#[derive(Debug, Clone)]
pub struct LogItem {
    /// Which part of the log.
    pub shard: u16,
    /// Its place there; also the order within one task.
    pub sequence: u64,
    /// When the broker stored it.
    pub stored_at: UnixMillis,
    /// Whose record.
    pub task: TaskId,
    /// What it takes in memory, about: the message and the documents that it refers to.
    pub size_bytes: u64,
    /// Messages behind it in its shard when it was handed over, about.
    pub pending: u64,
    /// What it says.
    pub content: Result<Linked, Unreadable>,
}

/// A record with its place in the hash chain.
#[derive(Debug, Clone)]
pub struct Linked {
    /// The record.
    pub record: Record,
    /// Hash of the record before; `None` exactly for the first one.
    pub prev: Option<Hash>,
    /// Hash of this one.
    pub hash: Hash,
}

/// Why a record says nothing to this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A newer build wrote it.
    #[error("a newer build wrote it, for readers of version {0}: update this process")]
    TooNew(u32),
    /// It is no record, or a document that it refers to is gone.
    #[error("it cannot be read: {0}")]
    Damaged(String),
}

/// One part of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Which.
    pub shard: u16,
    /// Names this life of it: positions of another life mean nothing.
    pub epoch: String,
    /// Sequence of its last message; 0 for none.
    pub last: u64,
}

/// Why a document is not there to look at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is gone, or not what was stored.
    #[error("{0}")]
    Lost(String),
    /// The bus did not answer; try again.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// The log as it was written.
pub trait History: Clone + Send + Sync + 'static {
    /// All shards as one feed.
    type Feed: Inbox<LogItem>;

    /// The broker's time, as well as this process knows it: never ahead of the broker.
    fn now(&self) -> UnixMillis;

    /// Every part of the log, and how far it goes.
    fn shards(&self) -> impl Future<Output = Result<Vec<Shard>, BusError>> + Send;

    /// Reads on behind these positions, and waits for more; a shard that is not named is read from its
    /// beginning. The feed fails when the bus is lost: open another one then. It may repeat records.
    fn feed(&self, after: &Positions) -> impl Future<Output = Result<Self::Feed, BusError>> + Send;

    /// Records of one task behind the sequence `after`, oldest first, so many as one read brings; none
    /// means that there are no more yet. Reading on behind the last one leaves none out.
    fn records(
        &self,
        task: &TaskId,
        after: u64,
    ) -> impl Future<Output = Result<Vec<LogItem>, BusError>> + Send;

    /// A large document that a record refers to.
    fn document(
        &self,
        blob: BlobRef,
    ) -> impl Future<Output = Result<Payload, DocumentError>> + Send;
}
