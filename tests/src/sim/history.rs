//! The log of a world that is over, for read models.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    payload::{BlobRef, Payload},
    ports::{
        BusError, History, Inbox, Packs,
        history::{DocumentError, Linked, LogItem, Positions, Shard, Unreadable},
    },
    task::Task,
    time::UnixMillis,
    workflow::Workflow,
};
use cadre_proto::record;
use tokio::time::sleep;

use super::{
    PackSet,
    world::{Append, Logged, World},
};

/// Items handed over at once.
const BATCH: usize = 7;

/// What a world has written, and how its tasks stand. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WorldLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    items: Vec<LogItem>,
    last: u64,
    now: UnixMillis,
    packs: PackSet,
    tasks: Vec<Task>,
}

impl WorldLog {
    /// The log of `world` as it is now.
    #[must_use]
    pub fn of(world: &World, packs: &PackSet) -> Self {
        let item = |(sequence, append, at): (u64, &Append, u64)| {
            let content = match record::decode(&append.body, &world.blobs) {
                Ok(stored) => {
                    Ok(Linked { record: stored.record, prev: stored.prev, hash: stored.hash })
                }
                Err(error) => Err(Unreadable::Damaged(error.to_string())),
            };
            let (task, size_bytes) = (append.task.clone(), append.body.len() as u64);
            let (stored_at, pending) = (UnixMillis(at), world.log.len() as u64 - sequence);
            LogItem { shard: 0, sequence, stored_at, task, size_bytes, pending, content }
        };
        let records =
            world.log.iter().zip(1..).filter_map(|(entry, sequence)| match &entry.content {
                Logged::Record(append) => Some((sequence, append, entry.at)),
                Logged::Letter(_) => None,
            });
        Self(Arc::new(Inner {
            items: records.map(item).collect(),
            last: world.log.len() as u64,
            now: UnixMillis(world.now()),
            packs: Arc::clone(packs),
            tasks: world.tasks.values().cloned().collect(),
        }))
    }

    /// Records in it.
    #[must_use]
    pub fn records(&self) -> usize {
        self.0.items.len()
    }

    /// Each task as its log says.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.0.tasks
    }
}

impl History for WorldLog {
    type Feed = WorldFeed;

    fn now(&self) -> UnixMillis {
        self.0.now
    }

    async fn shards(&self) -> Result<Vec<Shard>, BusError> {
        Ok(vec![Shard { shard: 0, epoch: "world".to_owned(), last: self.0.last }])
    }

    async fn feed(&self, after: &Positions) -> Result<WorldFeed, BusError> {
        let after = after.get(&0).copied().unwrap_or_default();
        let next = self.0.items.partition_point(|item| item.sequence <= after);
        Ok(WorldFeed { log: self.clone(), next })
    }

    async fn records(&self, task: &TaskId, after: u64) -> Result<Vec<LogItem>, BusError> {
        let own = self.0.items.iter().filter(|item| item.task == *task && item.sequence > after);
        Ok(own.cloned().collect())
    }

    async fn document(&self, blob: BlobRef) -> Result<Payload, DocumentError> {
        Err(DocumentError::Lost(blob.hash.to_string()))
    }
}

impl Packs for WorldLog {
    async fn current(&self, _workflow: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(None)
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        Ok(Vec::new())
    }

    async fn revisions(&self, _limit: usize) -> Result<Vec<String>, BusError> {
        Ok(self.0.packs.keys().cloned().collect())
    }

    async fn revision(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(self.0.packs.get(revision).cloned())
    }
}

/// The log, a few records at a time.
#[derive(Debug)]
pub struct WorldFeed {
    log: WorldLog,
    next: usize,
}

impl Inbox<LogItem> for WorldFeed {
    async fn next(&mut self) -> Result<Vec<LogItem>, BusError> {
        let found: Vec<_> = self.log.0.items.iter().skip(self.next).take(BATCH).cloned().collect();
        self.next += found.len();
        if found.is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(found)
    }
}
