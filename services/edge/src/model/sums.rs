//! What the read model adds up: overviews, roles, spend, failures. Units as in [`super::rows`].

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    lag::Lag,
    rows::{QuestionRow, TaskRow},
    status::Status,
};

/// Tasks by status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Counts {
    /// Every status that has some, in the order of [`Status::ALL`].
    pub by_status: Vec<(Status, u64)>,
    /// False when there were so many that counting stopped.
    pub is_exact: bool,
}

impl Counts {
    /// Tasks with this status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        let found = self.by_status.iter().find(|(known, _)| *known == status);
        found.map_or(0, |(_, count)| *count)
    }

    /// Tasks in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_status.iter().map(|(_, count)| count).sum()
    }
}

/// Everything that the first page shows out of the read model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// The broker's time.
    pub now_ms: u64,
    /// How far the read model is behind the log.
    pub lag: Lag,
    /// All tasks by status.
    pub counts: Counts,
    /// Tasks that should have gone on by themselves, at most [`NEEDY_MAX`]; the longest first.
    pub stuck: Vec<TaskRow>,
    /// Open tasks that have used four fifths of a limit or more, at most [`NEEDY_MAX`]; the newest first.
    pub budgets_near: Vec<TaskRow>,
    /// Questions that wait for a person, at most [`NEEDY_MAX`]; the one that expires first at the beginning.
    pub questions: Vec<QuestionRow>,
    /// How many questions wait in all.
    pub questions_open: u64,
    /// How many tasks are stuck in all.
    pub stuck_total: u64,
    /// Minutes of the last hour, oldest first; the last one is the present one.
    pub minutes: Vec<Minute>,
    /// The last hour in one.
    pub hour: Minute,
    /// Failures of the last 24 hours by fingerprint, the most frequent first.
    pub failures: Vec<FailureRow>,
}

/// Entries of each list of an [`Overview`] at most.
pub const NEEDY_MAX: u32 = 8;

/// What happened in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Minute {
    /// Its beginning.
    pub from_ms: u64,
    /// Tasks accepted.
    pub accepted: u64,
    /// Tasks that ended as completed.
    pub completed: u64,
    /// Tasks that ended in another way, cancelled ones excluded.
    pub failed: u64,
    /// What the tasks that ended in it have cost.
    pub cost_micros: u64,
    /// From acceptance to the end: half of those tasks took no longer. Of the latest 10,000 tasks of the hour;
    /// `None` where none of them ended.
    pub p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    pub p95_ms: Option<u64>,
}

/// Failures that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailureRow {
    /// What they have in common.
    pub fingerprint: String,
    /// The workflow.
    pub workflow: String,
    /// The step, in the latest of them; `None` when the task ended badly without one.
    pub step: Option<String>,
    /// What kind, as one word.
    pub kind: String,
    /// What was said in the latest of them.
    pub text: String,
    /// Tasks in which it was the last failure.
    pub tasks: u64,
    /// When the first of them failed.
    pub first_at_ms: u64,
    /// When the latest of them failed.
    pub last_at_ms: u64,
    /// The latest of them.
    pub last_task: String,
}

/// What one role does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct RoleRow {
    /// The role.
    pub role: String,
    /// Attempts that are out.
    pub in_flight: u64,
    /// Attempts that ended in the window, as far as they were looked at.
    pub attempts: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How many were a fallback for another role.
    pub fallbacks: u64,
    /// Time in workers' hands: half took no longer.
    pub p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    pub p95_ms: Option<u64>,
    /// On the way to a worker and back: half took no longer.
    pub queued_p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    pub queued_p95_ms: Option<u64>,
    /// What these attempts cost.
    pub cost_micros: u64,
    /// Tokens that they used.
    pub tokens: u64,
    /// What the latest failure said.
    pub last_error: Option<String>,
    /// When the latest attempt ended.
    pub last_at_ms: Option<u64>,
}

/// What was spent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct SpendRow {
    /// Beginning of the hour or day; `None` unless grouped by it.
    pub from_ms: Option<u64>,
    /// `None` unless grouped by it, as all below.
    pub tenant: Option<String>,
    /// The workflow.
    pub workflow: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// The model that answered, as `provider/model`; empty for what no worker has named a model for.
    pub model: Option<String>,
    /// Attempts that ended.
    pub attempts: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Cost.
    pub cost_micros: u64,
    /// Tokens.
    pub tokens: u64,
    /// Time in workers' hands.
    pub work_ms: u64,
    /// Answers of models. An attempt counts for the dearest of those that it asked.
    pub calls: u64,
}

/// One pack revision that tasks were pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevisionRow {
    /// The workflow.
    pub workflow: String,
    /// The revision: 64 hexadecimal digits.
    pub revision: String,
    /// Tasks in all.
    pub tasks: u64,
    /// Tasks that have not ended.
    pub open: u64,
    /// When the first one was accepted.
    pub first_at_ms: u64,
    /// When the latest one was accepted.
    pub last_at_ms: u64,
}
