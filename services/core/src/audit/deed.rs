//! What is audited: one thing that somebody did, and where that is known from.

use std::{fmt, sync::Arc};

use crate::{
    ids::{Name, TaskId},
    time::UnixMillis,
};

/// What was done; a closed set for whoever writes. Readers take any word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A goal became a task.
    GoalAccepted,
    /// A goal was rejected.
    GoalRefused,
    /// A task was begun as a fork of another one.
    TaskForked,
    /// A person was asked.
    QuestionAsked,
    /// One of several people agreed.
    QuestionVoted,
    /// A person granted, or answered.
    QuestionGranted,
    /// A person denied.
    QuestionDenied,
    /// A person said whether a call in doubt has happened.
    QuestionRuled,
    /// Nobody decided in time.
    QuestionExpired,
    /// Somebody paused a task.
    TaskPaused,
    /// Somebody let it go on.
    TaskResumed,
    /// Somebody cancelled it.
    TaskCancelled,
    /// Somebody killed it.
    TaskKilled,
    /// Somebody made its limits wider.
    BudgetAdded,
    /// Somebody had a failed step tried again.
    StepRetried,
    /// Somebody asked for something that cannot be.
    WishRefused,
    /// A task came to its end.
    TaskEnded,
    /// A transition cannot be read by this build.
    RecordUnreadable,
    /// Somebody applied a pack.
    PackApplied,
    /// Somebody holds a breaker open.
    BreakerOpened,
    /// Somebody holds a breaker closed.
    BreakerClosed,
    /// Somebody left a breaker to itself again.
    BreakerReset,
    /// Somebody removed a dead letter.
    LetterDropped,
    /// Somebody sent a dead letter's message again.
    LetterReplayed,
    /// Somebody turned a feature on.
    FeatureEnabled,
    /// Somebody wants a program to be told of ends.
    WebhookAdded,
    /// Somebody does not want that any more.
    WebhookRemoved,
    /// Somebody made an API token.
    TokenCreated,
    /// Somebody revoked one.
    TokenRevoked,
    /// Somebody made a webhook's secret anew.
    WebhookRotated,
    /// What was noted before it was done was refused, or is not known to be done.
    DeedFailed,
}

impl Action {
    /// Every action, in order.
    pub const ALL: [Self; 31] = [
        Self::GoalAccepted,
        Self::GoalRefused,
        Self::TaskForked,
        Self::QuestionAsked,
        Self::QuestionVoted,
        Self::QuestionGranted,
        Self::QuestionDenied,
        Self::QuestionRuled,
        Self::QuestionExpired,
        Self::TaskPaused,
        Self::TaskResumed,
        Self::TaskCancelled,
        Self::TaskKilled,
        Self::BudgetAdded,
        Self::StepRetried,
        Self::WishRefused,
        Self::TaskEnded,
        Self::RecordUnreadable,
        Self::PackApplied,
        Self::BreakerOpened,
        Self::BreakerClosed,
        Self::BreakerReset,
        Self::LetterDropped,
        Self::LetterReplayed,
        Self::FeatureEnabled,
        Self::WebhookAdded,
        Self::WebhookRemoved,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::WebhookRotated,
        Self::DeedFailed,
    ];

    /// The action as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GoalAccepted => "goal_accepted",
            Self::GoalRefused => "goal_refused",
            Self::TaskForked => "task_forked",
            Self::QuestionAsked => "question_asked",
            Self::QuestionVoted => "question_voted",
            Self::QuestionGranted => "question_granted",
            Self::QuestionDenied => "question_denied",
            Self::QuestionRuled => "question_ruled",
            Self::QuestionExpired => "question_expired",
            Self::TaskPaused => "task_paused",
            Self::TaskResumed => "task_resumed",
            Self::TaskCancelled => "task_cancelled",
            Self::TaskKilled => "task_killed",
            Self::BudgetAdded => "budget_added",
            Self::StepRetried => "step_retried",
            Self::WishRefused => "wish_refused",
            Self::TaskEnded => "task_ended",
            Self::RecordUnreadable => "record_unreadable",
            Self::PackApplied => "pack_applied",
            Self::BreakerOpened => "breaker_opened",
            Self::BreakerClosed => "breaker_closed",
            Self::BreakerReset => "breaker_reset",
            Self::LetterDropped => "letter_dropped",
            Self::LetterReplayed => "letter_replayed",
            Self::FeatureEnabled => "feature_enabled",
            Self::WebhookAdded => "webhook_added",
            Self::WebhookRemoved => "webhook_removed",
            Self::TokenCreated => "token_created",
            Self::TokenRevoked => "token_revoked",
            Self::WebhookRotated => "webhook_rotated",
            Self::DeedFailed => "deed_failed",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When, on the broker's clock.
    pub at: UnixMillis,
    /// Who: a person or program as far as known, `cadre` for the runtime itself.
    pub actor: String,
    /// What.
    pub action: Action,
    /// To what: `task/<id>`, `task/<id>/<step>`, `pack/<name>`, `letter/<id>` and the like.
    pub object: String,
    /// Why, in one sentence; may be empty.
    pub reason: String,
}

/// One message that deeds are known from. Most have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The stream that holds it.
    pub stream: Arc<str>,
    /// Its sequence there.
    pub sequence: u64,
    /// Whose it is.
    pub whose: Whose,
    /// What it says that was done.
    pub deeds: Vec<Deed>,
}

/// Whose a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's in particular.
    Fleet,
    /// This tenant's.
    Tenant(Name),
    /// The first message of a task of this tenant.
    Begins(TaskId, Name),
    /// Of the tenant of this task.
    Task(TaskId),
    /// The last message of this task, of its tenant.
    Ends(TaskId),
}
