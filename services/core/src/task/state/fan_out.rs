//! How far a fan-out is.

use serde_json::Value;

use super::StepState;
use crate::payload::Payload;

/// A fan-out that knows its items.
#[derive(Debug, Clone, PartialEq)]
pub struct FanOut {
    /// The JSON list.
    pub items: Payload,
    /// Items whose work order was decided; the next index.
    pub begun: u32,
    /// Items that are dispatched, delayed or wait for a person.
    pub open: u32,
    /// Items that completed.
    pub completed: u32,
    /// Items that ended without an output.
    pub failed: u32,
    /// Why no more items begin and none is waited for; `None` while they do.
    pub closed: Option<String>,
}

impl FanOut {
    /// The list's length.
    #[must_use]
    pub fn total(&self) -> u32 {
        u32::try_from(self.values().len()).unwrap_or(u32::MAX)
    }

    /// The items.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        self.items.value().as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn of(items: &Payload) -> Self {
        let items = items.clone();
        Self { items, begun: 0, open: 0, completed: 0, failed: 0, closed: None }
    }

    pub(super) fn count(&mut self, before: &StepState, after: &StepState) {
        // `Cancelled` is also what a fresh entry holds: neither counts.
        if before.is_open() {
            self.open = self.open.saturating_sub(1);
        }
        // Tried again after it had failed.
        if matches!(before, StepState::Failed(_)) {
            self.failed = self.failed.saturating_sub(1);
        }
        match after {
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. } => self.open += 1,
            StepState::Completed { .. } => self.completed += 1,
            StepState::Failed(_) | StepState::Skipped(_) => self.failed += 1,
            StepState::Cancelled => {}
        }
    }
}
