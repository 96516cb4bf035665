//! Where a task stands, as one word of a closed set.

use std::{fmt, str::FromStr};

use cadre_core::task::{EndStatus, Phase, Task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a task stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Steps are out, or about to be.
    Running,
    /// A person is asked, or the budget is to be widened.
    Waiting,
    /// Somebody paused it.
    Paused,
    /// The gate has the parts.
    Aggregating,
    /// What it has done is being undone.
    Compensating,
    /// Ended with a whole answer.
    Completed,
    /// Ended with an answer that lacks parts.
    Partial,
    /// Ended without a valid answer.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// Its deadline passed before there was an answer.
    Incomplete,
    /// Its log has a hole or cannot be read: nothing is appended to it.
    Quarantined,
    /// A newer build writes its log.
    TooNew,
}

/// A word that is no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no status: use one of running, waiting, paused, aggregating, compensating, completed, \
         partial, failed, cancelled, incomplete, quarantined, too_new"
)]
pub struct StatusError(String);

impl Status {
    /// Every status: open ones first, then ends, then what is wrong.
    pub const ALL: [Self; 12] = [
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::Aggregating,
        Self::Compensating,
        Self::Completed,
        Self::Partial,
        Self::Failed,
        Self::Cancelled,
        Self::Incomplete,
        Self::Quarantined,
        Self::TooNew,
    ];

    /// The status as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Aggregating => "aggregating",
            Self::Compensating => "compensating",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Incomplete => "incomplete",
            Self::Quarantined => "quarantined",
            Self::TooNew => "too_new",
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_end(self) -> bool {
        match self {
            Self::Completed | Self::Partial | Self::Failed | Self::Cancelled | Self::Incomplete => {
                true
            }
            Self::Running
            | Self::Waiting
            | Self::Paused
            | Self::Aggregating
            | Self::Compensating
            | Self::Quarantined
            | Self::TooNew => false,
        }
    }

    /// The status of a task whose log is whole; the same word as [`Task::status`].
    #[must_use]
    pub fn of(task: &Task) -> Self {
        match &task.phase {
            Phase::Ended(end) => match end.status {
                EndStatus::Completed => Self::Completed,
                EndStatus::Partial => Self::Partial,
                EndStatus::Failed => Self::Failed,
                EndStatus::Cancelled => Self::Cancelled,
                EndStatus::Incomplete => Self::Incomplete,
            },
            Phase::Aggregating => Self::Aggregating,
            Phase::Compensating(_) => Self::Compensating,
            Phase::Running => match task.status() {
                "paused" => Self::Paused,
                "waiting" => Self::Waiting,
                _ => Self::Running,
            },
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| StatusError(text.chars().take(80).collect()))
    }
}
