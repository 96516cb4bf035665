//! What a partition keeps of one task while it works on it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use cadre_core::{
    ports::LogHead,
    task::{Input, Task},
    time::UnixMillis,
    workflow::Workflow,
};

use super::account::Spent;

/// One input that waits for its turn.
#[derive(Debug)]
pub(crate) struct Pending<R> {
    pub(super) input: Input,
    pub(super) trace: Option<String>,
    pub(super) sequence: u64,
    pub(super) stored_at: UnixMillis,
    /// 0 for inputs that we made ourselves.
    pub(super) deliveries: u32,
    /// `None` for inputs that we made ourselves.
    pub(super) receipt: Option<R>,
    /// It changed nothing, and the log was read since: it may be settled as such.
    pub(super) is_checked: bool,
    /// What attempts have spent that it ends, once their journals were read.
    pub(super) spent: Option<Spent>,
}

impl<R> Pending<R> {
    /// An input of our own: go on where the last record was full.
    pub(super) fn advance(now: UnixMillis, trace: Option<String>) -> Self {
        let (sequence, deliveries, receipt) = (0, 0, None);
        let (input, stored_at, is_checked, spent) = (Input::Advance, now, false, None);
        Self { input, trace, sequence, stored_at, deliveries, receipt, is_checked, spent }
    }
}

/// A task's state together with where its log ends.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// `None` while the log is empty, or assumed to be.
    pub(super) task: Option<Arc<Task>>,
    pub(super) head: LogHead,
    pub(super) workflow: Arc<Workflow>,
    /// When the durable timer fires, as far as we set it; `None` when we don't know.
    pub(super) armed_at: Option<UnixMillis>,
}

/// What the partition is doing about a task.
#[derive(Debug)]
pub(super) enum Slot {
    /// Its log or its pack is being read.
    Loading,
    /// Ready for the next input.
    Idle(Known),
    /// A record is on its way; at most one per task.
    Committing(Known),
    /// Damaged: nothing may go on from here.
    Quarantined(String),
}

/// One task in the cache.
#[derive(Debug)]
pub(super) struct Entry<R> {
    pub(super) slot: Slot,
    pub(super) queue: VecDeque<Pending<R>>,
    /// Turn counter of its last use, for eviction.
    pub(super) used: u64,
    /// Loads that failed in a row.
    pub(super) failures: u32,
    /// Payments on their way: until they arrive, no input may be settled as known.
    pub(super) unpaid: Unpaid,
    /// A debt was not paid while the log was being read.
    pub(super) is_broken: bool,
}

/// Counts payments that are on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpaid(Arc<AtomicUsize>);

impl Unpaid {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn remove(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn is_clear(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

impl<R> Entry<R> {
    pub(super) fn new(slot: Slot) -> Self {
        let unpaid = Unpaid::default();
        Self { slot, queue: VecDeque::new(), used: 0, failures: 0, unpaid, is_broken: false }
    }

    /// Adds an input behind the others; one that came again takes its own place.
    pub(super) fn enqueue(&mut self, pending: Pending<R>) {
        let is_same = |waiting: &&mut Pending<R>| waiting.sequence == pending.sequence;
        let again = pending.deliveries > 1;
        match again.then(|| self.queue.iter_mut().find(is_same)).flatten() {
            Some(waiting) => *waiting = pending,
            None => self.queue.push_back(pending),
        }
    }

    /// Gives the goal that waits first the task that it goes on from.
    pub(super) fn knows(&mut self, source: Option<Arc<Task>>) {
        let (Some(first), Some(source)) = (self.queue.front_mut(), source) else { return };
        if let Input::Goal(goal) | Input::Fork(goal, _) = &first.input {
            first.input = Input::Fork(Arc::clone(goal), source);
        }
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.unpaid.is_clear()
            && matches!(self.slot, Slot::Idle(_) | Slot::Quarantined(_))
    }
}
