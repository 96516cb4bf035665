//! Journals in memory.

use cadre_core::{
    journal::{Entry, JournalId},
    ports::{BusError, JournalError, Journals, Pages},
};

use super::Memory;

impl Memory {
    /// Everything that a journal holds.
    #[must_use]
    pub fn journal(&self, id: &JournalId) -> Vec<Entry> {
        self.world().journals.get(id).cloned().unwrap_or_default()
    }

    /// A moment in which whoever waits may die.
    async fn moment(&self) {
        if self.world().flags.journal_yields {
            tokio::task::yield_now().await;
        }
    }

    fn append(&self, id: &JournalId, expected: u64, entry: &Entry) -> Result<u64, JournalError> {
        let mut world = self.world();
        let journal = world.journals.entry(id.clone()).or_default();
        let end = journal.len() as u64;
        if end == expected {
            journal.push(entry.clone());
            if world.flags.journal_unclear > 0 {
                world.flags.journal_unclear -= 1;
                return Err(
                    BusError::Unavailable("nobody knows whether it arrived".to_owned()).into()
                );
            }
            return Ok(end + 1);
        }
        if end == expected + 1 && journal.last() == Some(entry) {
            return Ok(end);
        }
        Err(JournalError::Moved { task: id.task.clone(), step: id.step.clone() })
    }

    /// Every journal.
    #[must_use]
    pub fn journals(&self) -> Vec<JournalId> {
        self.world().journals.keys().cloned().collect()
    }
}

impl Journals for Memory {
    async fn read_journal(&self, id: &JournalId) -> Result<Pages, JournalError> {
        self.moment().await;
        let entries = self.journal(id);
        self.moment().await;
        let sequence = entries.len() as u64;
        Ok(Pages { entries, sequence })
    }

    async fn append_journal(
        &self,
        id: &JournalId,
        expected: u64,
        entry: &Entry,
    ) -> Result<u64, JournalError> {
        self.moment().await;
        let appended = self.append(id, expected, entry);
        self.moment().await;
        appended
    }
}
