//! A log in memory, behind the port of read models.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    ids::TaskId,
    payload::{BlobRef, Hash, Payload},
    ports::{
        BusError, History, Inbox,
        history::{DocumentError, Linked, LogItem, Positions, Shard, Unreadable},
    },
    task::Record,
    time::UnixMillis,
};
use tokio::sync::Notify;

/// How long a feed waits before it says that nothing came.
const QUIET: Duration = Duration::from_millis(50);

/// A log in memory. Cheap to clone; clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    items: Vec<LogItem>,
    heads: BTreeMap<TaskId, Hash>,
    now: UnixMillis,
    epoch: u32,
    batch_max: usize,
    repeats: usize,
    is_down: bool,
    reads: u64,
}

impl MemoryLog {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the next record of a task, in one of two shards; the time is the record's.
    pub fn append(&self, task: &TaskId, record: Record) {
        let (rev, at) = (record.rev, record.at);
        let hash = Hash::of(format!("{task} {rev}").as_bytes());
        let prev = self.state().heads.insert(task.clone(), hash);
        self.put(task, at, Ok(Linked { record, prev, hash }));
    }

    /// Writes something that cannot be read.
    pub fn append_unreadable(&self, task: &TaskId, at: UnixMillis, why: Unreadable) {
        self.put(task, at, Err(why));
    }

    fn put(&self, task: &TaskId, at: UnixMillis, content: Result<Linked, Unreadable>) {
        let mut state = self.state();
        let shard = u16::from(task.as_str().as_bytes().first().is_some_and(|byte| byte % 2 == 0));
        let sequence = state.items.iter().filter(|item| item.shard == shard).count() as u64 + 1;
        let (stored_at, task) = (at, task.clone());
        let (size_bytes, pending) = (1_000, 0);
        state.items.push(LogItem {
            shard,
            sequence,
            stored_at,
            task,
            size_bytes,
            pending,
            content,
        });
        state.now = state.now.max(at);
        drop(state);
        self.0.news.notify_waiters();
    }

    /// Puts something in the place of record `rev` of a task.
    pub fn replace(&self, task: &TaskId, rev: u64, content: Result<Linked, Unreadable>) {
        let mut state = self.state();
        let mut own = state.items.iter_mut().filter(|item| item.task == *task);
        let place = usize::try_from(rev.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(item) = own.nth(place) {
            item.content = content;
        }
    }

    /// Everything that was written, in order.
    #[must_use]
    pub fn items(&self) -> Vec<LogItem> {
        self.state().items.clone()
    }

    /// The broker's time from now on.
    pub fn set_now(&self, now: UnixMillis) {
        self.state().now = now;
    }

    /// Feeds hand over so many at once, and the last `repeats` of them again.
    pub fn deliver(&self, batch_max: usize, repeats: usize) {
        let mut state = self.state();
        (state.batch_max, state.repeats) = (batch_max, repeats);
    }

    /// Whether the broker is away.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
        self.0.news.notify_waiters();
    }

    /// Makes it another log, with nothing in it.
    pub fn begin_anew(&self) {
        let mut state = self.state();
        let epoch = state.epoch + 1;
        let (now, batch_max, repeats) = (state.now, state.batch_max, state.repeats);
        *state = State { epoch, now, batch_max, repeats, ..State::default() };
    }

    /// How often the log of one task was read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    fn check(&self) -> Result<(), BusError> {
        match self.state().is_down {
            true => Err(BusError::Unavailable("it is down".to_owned())),
            false => Ok(()),
        }
    }
}

impl History for MemoryLog {
    type Feed = MemoryFeed;

    fn now(&self) -> UnixMillis {
        self.state().now
    }

    async fn shards(&self) -> Result<Vec<Shard>, BusError> {
        self.check()?;
        let state = self.state();
        let last = |shard| state.items.iter().filter(|item| item.shard == shard).count() as u64;
        let epoch = state.epoch.to_string();
        Ok([0, 1].map(|shard| Shard { shard, epoch: epoch.clone(), last: last(shard) }).into())
    }

    async fn feed(&self, after: &Positions) -> Result<MemoryFeed, BusError> {
        self.check()?;
        let epoch = self.state().epoch;
        Ok(MemoryFeed { log: self.clone(), after: after.clone(), epoch })
    }

    async fn records(&self, task: &TaskId, after: u64) -> Result<Vec<LogItem>, BusError> {
        self.check()?;
        let mut state = self.state();
        state.reads += 1;
        let own = state.items.iter().filter(|item| item.task == *task && item.sequence > after);
        Ok(own.take(3).cloned().collect())
    }

    async fn document(&self, blob: BlobRef) -> Result<Payload, DocumentError> {
        Err(DocumentError::Lost(format!("there is no document {}", blob.hash)))
    }
}

/// What is written to a [`MemoryLog`], in order of writing.
#[derive(Debug)]
pub struct MemoryFeed {
    log: MemoryLog,
    after: Positions,
    epoch: u32,
}

impl MemoryFeed {
    fn look(&mut self) -> Result<Vec<LogItem>, BusError> {
        self.log.check()?;
        let state = self.log.state();
        if state.epoch != self.epoch {
            return Err(BusError::Unavailable("the log is another one".to_owned()));
        }
        let after = |shard: u16| self.after.get(&shard).copied().unwrap_or_default();
        let new = state.items.iter().filter(|item| item.sequence > after(item.shard));
        let max = if state.batch_max == 0 { usize::MAX } else { state.batch_max };
        let last = |shard| state.items.iter().filter(|item| item.shard == shard).count() as u64;
        let lasts = [last(0), last(1)];
        let mut found: Vec<_> = new.take(max).cloned().collect();
        for item in &mut found {
            let last = lasts.get(usize::from(item.shard)).copied().unwrap_or_default();
            item.pending = last.saturating_sub(item.sequence);
        }
        let again: Vec<_> = found.iter().rev().take(state.repeats).cloned().collect();
        drop(state);
        for item in &found {
            self.after.insert(item.shard, item.sequence);
        }
        found.extend(again.into_iter().rev());
        Ok(found)
    }
}

impl Inbox<LogItem> for MemoryFeed {
    async fn next(&mut self) -> Result<Vec<LogItem>, BusError> {
        let log = self.log.clone();
        let news = log.0.news.notified();
        let found = self.look()?;
        if !found.is_empty() || tokio::time::timeout(QUIET, news).await.is_err() {
            return Ok(found);
        }
        self.look()
    }
}
