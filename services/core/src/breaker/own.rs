//! What one process has seen itself of a target.

use std::sync::Arc;

use super::{Call, Opening, Settings, window::Window};
use crate::time::UnixMillis;

/// The process's own calls, and the opening that they led to.
#[derive(Debug, Clone)]
pub(super) struct Own {
    window: Window,
    /// Stays until a probe, a person or the fleet closes it; half-open once its time is over.
    opening: Option<Opening>,
    /// Openings so far without a quiet window between them.
    row: u32,
    closed_at: UnixMillis,
}

impl Own {
    pub(super) fn new() -> Self {
        Self { window: Window::default(), opening: None, row: 0, closed_at: UnixMillis(0) }
    }

    pub(super) fn opening(&self) -> Option<&Opening> {
        self.opening.as_ref()
    }

    /// Counts a call while closed; the opening that it led to.
    pub(super) fn count(
        &mut self,
        call: Call,
        settings: &Settings,
        now: UnixMillis,
    ) -> Option<Opening> {
        self.window.count(call, settings, now);
        if self.opening.is_some() {
            return None;
        }
        let reason = self.window.total(settings.window, now).verdict(settings)?;
        // One that opens again at once has not been well.
        let is_again = self.row > 0 && now.since(self.closed_at) < settings.window;
        let row = if is_again { self.row.saturating_add(1) } else { 1 };
        Some(self.open(row, &reason, settings, now))
    }

    /// Counts a call that can open nothing now.
    pub(super) fn note(&mut self, call: Call, settings: &Settings, now: UnixMillis) {
        self.window.count(call, settings, now);
    }

    /// Opens for the `row`th time.
    pub(super) fn open(
        &mut self,
        row: u32,
        reason: &str,
        settings: &Settings,
        now: UnixMillis,
    ) -> Opening {
        let until = now.after(settings.open_for(row));
        let opening = Opening { since: now, until, row, reason: Arc::from(reason) };
        self.row = row;
        self.window.clear();
        self.opening = Some(opening.clone());
        opening
    }

    /// Closes, and forgets the calls that opened it.
    pub(super) fn close(&mut self, at: UnixMillis) {
        self.window.clear();
        self.opening = None;
        self.closed_at = at;
    }
}
