//! How far the read model is behind, and what has just changed in it.

use std::sync::Arc;

use cadre_core::ids::{Name, TaskId};
use serde::Serialize;
use utoipa::ToSchema;

/// How far the read model is behind the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Lag {
    /// It has seen the log's end at least once since the process began: before, it is being rebuilt.
    pub is_caught_up: bool,
    /// The bus does not answer: what is shown may be old.
    pub is_interrupted: bool,
    /// Records that are written and not yet in the read model, about.
    pub records: u64,
    /// Age of the newest record that is in it, in milliseconds, while others wait behind it; otherwise 0.
    pub behind_ms: u64,
    /// Records that it has taken since the process began.
    pub taken: u64,
    /// When it was last known to be so: milliseconds since 1970, broker time.
    pub at_ms: u64,
}

/// What one commit of the read model has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Tasks with news, each once; empty with `is_all`.
    pub tasks: Arc<[ChangedTask]>,
    /// So much has changed that everything had better be looked at again.
    pub is_all: bool,
}

/// A task with news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedTask {
    /// Which.
    pub task: TaskId,
    /// Whose.
    pub tenant: Name,
    /// A question was asked or decided.
    pub has_question: bool,
}
