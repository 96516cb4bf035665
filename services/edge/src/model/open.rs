//! States of tasks that the projector has at hand, up to a limit.

use std::collections::HashMap;

use cadre_core::{ids::TaskId, payload::Hash, task::Task};

use super::write::Written;

/// A task in memory.
#[derive(Debug, Clone)]
pub(super) struct OpenTask {
    /// Its row.
    pub(super) no: i64,
    /// Its state as of the last record that was taken.
    pub(super) task: Task,
    /// Hash of that record.
    pub(super) hash: Hash,
    /// What it takes in memory, about.
    pub(super) bytes: u64,
    /// What it waited for when its row was written last, and since when.
    pub(super) waits: Option<(String, u64)>,
    /// What its row counts as; `None` while it has none.
    pub(super) written: Option<Written>,
}

/// The tasks in memory; the ones that were not touched for longest go first.
#[derive(Debug, Default)]
pub(super) struct OpenTasks {
    tasks: HashMap<TaskId, (u64, OpenTask)>,
    touches: u64,
    bytes: u64,
}

impl OpenTasks {
    /// Takes it out, to be changed.
    pub(super) fn take(&mut self, id: &TaskId) -> Option<OpenTask> {
        let (_, open) = self.tasks.remove(id)?;
        self.bytes = self.bytes.saturating_sub(open.bytes);
        Some(open)
    }

    /// Puts it back, as the one that was touched last.
    pub(super) fn put(&mut self, id: TaskId, open: OpenTask) {
        self.touches += 1;
        self.bytes += open.bytes;
        if let Some((_, old)) = self.tasks.insert(id, (self.touches, open)) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
    }

    /// Lets go of the oldest ones until no more than three quarters of `bytes_max` are held, if there are more.
    pub(super) fn shrink(&mut self, bytes_max: u64) {
        if self.bytes <= bytes_max {
            return;
        }
        let mut ages: Vec<_> =
            self.tasks.iter().map(|(id, (touched, _))| (*touched, id.clone())).collect();
        ages.sort_unstable();
        for (_, id) in ages {
            if self.bytes <= bytes_max / 4 * 3 {
                return;
            }
            self.take(&id);
        }
    }
}
