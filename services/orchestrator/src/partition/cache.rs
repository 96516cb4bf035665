//! Tasks in memory, bounded: an idle task can be forgotten, its log brings it back.

use std::{collections::HashMap, sync::Arc};

use cadre_core::{
    ids::{Partition, TaskId},
    workflow::Workflow,
};

use super::{
    PartitionSnapshot,
    entry::{Entry, Slot},
};

/// Share of the bound that one sweep frees, so that sweeps are rare.
const SWEEP_SHARE: usize = 4;

/// The tasks of one partition that are in memory.
#[derive(Debug)]
pub(super) struct Cache<R> {
    entries: HashMap<TaskId, Entry<R>>,
    tasks_max: usize,
    turn: u64,
}

impl<R> Cache<R> {
    pub(super) fn new(tasks_max: usize) -> Self {
        Self { entries: HashMap::new(), tasks_max: tasks_max.max(1), turn: 0 }
    }

    /// The task's entry, marked as used now.
    pub(super) fn get(&mut self, task: &TaskId) -> Option<&mut Entry<R>> {
        self.turn += 1;
        let entry = self.entries.get_mut(task)?;
        entry.used = self.turn;
        Some(entry)
    }

    /// Adds a task that is not there yet, making room for it first.
    pub(super) fn insert(&mut self, task: TaskId, slot: Slot) -> &mut Entry<R> {
        if self.entries.len() >= self.tasks_max {
            self.sweep();
        }
        self.turn += 1;
        let turn = self.turn;
        let entry = self.entries.entry(task).or_insert_with(|| Entry::new(slot));
        entry.used = turn;
        entry
    }

    /// Forgets a task; its log brings it back when needed.
    pub(super) fn remove(&mut self, task: &TaskId) {
        self.entries.remove(task);
    }

    /// Forgets the least recently used idle tasks. Busy ones stay: the consumer bounds them.
    fn sweep(&mut self) {
        let mut idle: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.is_idle())
            .map(|(task, entry)| (entry.used, task.clone()))
            .collect();
        idle.sort_unstable();
        for (_, task) in idle.into_iter().take((self.tasks_max / SWEEP_SHARE).max(1)) {
            self.entries.remove(&task);
        }
    }

    pub(super) fn snapshot(&self, partition: Partition, appended: u64) -> PartitionSnapshot {
        let count = |wanted: fn(&Slot) -> bool| {
            self.entries.values().filter(|entry| wanted(&entry.slot)).count()
        };
        PartitionSnapshot {
            partition,
            cached: self.entries.len(),
            committing: count(|slot| matches!(slot, Slot::Committing(_))),
            loading: count(|slot| matches!(slot, Slot::Loading)),
            quarantined: count(|slot| matches!(slot, Slot::Quarantined(_))),
            queued: self.entries.values().map(|entry| entry.queue.len()).sum(),
            appended,
        }
    }
}

/// Pack revisions at hand, so that a new goal needs no wait.
#[derive(Debug, Default)]
pub(super) struct PackCache(HashMap<String, Arc<Workflow>>);

/// Revisions kept; live tasks of more revisions than this only cost a look-up.
const PACKS_MAX: usize = 64;

impl PackCache {
    pub(super) fn get(&self, revision: &str) -> Option<Arc<Workflow>> {
        self.0.get(revision).map(Arc::clone)
    }

    pub(super) fn keep(&mut self, workflow: &Arc<Workflow>) {
        if self.0.len() >= PACKS_MAX {
            self.0.clear();
        }
        self.0.insert(workflow.revision.clone(), Arc::clone(workflow));
    }
}
