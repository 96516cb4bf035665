//! What can happen to a task: everything that [`super::decide`] is asked about.

use std::{sync::Arc, time::Duration};

use super::{model_use::ModelUse, state::Task};
use crate::{
    ids::{Name, StepId, TaskId},
    journal::CallRuling,
    payload::{Hash, Payload},
    time::UnixMillis,
};

/// Something that arrived for a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person or program wants something done; the first input of every task.
    Goal(Arc<Goal>),
    /// The same for a fork, with the task that it goes on from; never on the wire.
    Fork(Arc<Goal>, Arc<Task>),
    /// A worker answers a work order.
    Report(Report),
    /// The task's durable timer fired.
    Due,
    /// Somebody wants the task to end now.
    Cancel(Cancel),
    /// Somebody steers the task.
    Control(Control),
    /// A person decides what was asked.
    Decision(Decision),
    /// The last record was full: the shell asks for the rest.
    Advance,
}

impl Input {
    /// What kind of cause this is, for records and people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Goal(_) | Self::Fork(..) => "goal",
            Self::Report(_) => "report",
            Self::Due => "timer",
            Self::Cancel(_) => "cancel",
            Self::Control(_) => "control",
            Self::Decision(_) => "decision",
            Self::Advance => "advance",
        }
    }
}

/// A goal that passed the intake: valid, pinned to a pack revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Follows from `tenant` and `key`.
    pub task: TaskId,
    /// Whose goal it is; from the subject, never from a header.
    pub tenant: Name,
    /// Which workflow does it.
    pub workflow: Name,
    /// Pack revision that the task keeps for life.
    pub revision: Arc<str>,
    /// The publisher's idempotency key.
    pub key: String,
    /// Hash of everything the publisher said; the same key with another hash is a conflict.
    pub digest: Hash,
    /// The workflow's input.
    pub input: Payload,
    /// When the publisher stops caring; `None` leaves it to the pack.
    pub deadline: Option<UnixMillis>,
    /// The publisher's narrower limits.
    pub limits: GoalLimits,
    /// Who asked, as far as the intake knows.
    pub user: Option<String>,
    /// W3C `traceparent` of the publisher.
    pub trace: Option<String>,
    /// The task that it goes on from; `None` for one that begins at the beginning.
    pub fork: Option<Fork>,
}

/// Where one task goes on from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The other task; of the same tenant and pack revision.
    pub task: TaskId,
    /// The record of the other task up to which it counts, from 1.
    pub rev: u64,
    /// The declared step that runs anew, with all that comes after it.
    pub from: Name,
}

/// Limits that a publisher narrows; `None` leaves the pack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GoalLimits {
    /// Work orders.
    pub steps_max: Option<u32>,
    /// Millionths of a US dollar.
    pub usd_micros_max: Option<u64>,
    /// Model tokens.
    pub tokens_max: Option<u64>,
}

/// A worker's typed answer to one work order.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The role that worked.
    pub role: Name,
    /// The step.
    pub step: StepId,
    /// Which try of the step, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// What it cost.
    pub usage: Usage,
    /// What models have done of it, as far as the worker says; no more than `usage` counts.
    pub models: Vec<ModelUse>,
    /// Why it was made with less than the pack's first choice, such as another model; `None` when it was not.
    pub degraded: Option<String>,
    /// Which worker process answered; for people only.
    pub worker: String,
}

/// What came of an attempt, as the worker says.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done.
    Completed {
        /// Must satisfy the role's `returns` contract.
        output: Payload,
        /// The worker's own estimate, 0 to 1.
        confidence: Option<f64>,
    },
    /// Done, but the worker does not vouch for it.
    Unsure {
        /// As in `Completed`; `None` when there is nothing to show.
        output: Option<Payload>,
        /// 0 to 1.
        confidence: Option<f64>,
        /// What it doubts.
        reason: String,
    },
    /// Not done.
    Failed(Failure),
    /// Another role should do it.
    Handoff {
        /// That role.
        to: Name,
        /// Why, and what is wanted of it.
        reason: String,
        /// What it has made so far; as in `Completed`.
        output: Option<Payload>,
    },
    /// Only a person can go on.
    NeedsHuman {
        /// What to ask.
        question: String,
    },
}

impl Outcome {
    /// The document that the outcome holds, if it holds one.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Completed { output, .. } => Some(output),
            Self::Unsure { output, .. } | Self::Handoff { output, .. } => output.as_ref(),
            Self::Failed(failure) => failure.refused.as_ref(),
            Self::NeedsHuman { .. } => None,
        }
    }
}

/// Why a step did not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// For people; at most [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub message: String,
    /// What the worker sent, when it was kept out of the task because it was not valid.
    pub refused: Option<Payload>,
    /// How long whoever refused wants to be left alone; `None` when it did not say.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without refused content; a longer message is cut, and says so.
    #[must_use]
    pub fn new(kind: FailureKind, message: &str) -> Self {
        Self { kind, message: clip(message), refused: None, retry_after: None }
    }

    /// Whether it only asks for patience: waiting for it uses up no try.
    pub(super) fn is_patience(&self) -> bool {
        self.kind == FailureKind::RateLimited
    }
}

/// Cuts `text` to [`crate::limits::TEXT_BYTES_MAX`] bytes and says how much was cut.
#[must_use]
pub fn clip(text: &str) -> String {
    clip_to(text, crate::limits::TEXT_BYTES_MAX)
}

/// Cuts `text` to `max` bytes, what it says about the cut included: cutting twice changes nothing.
pub(crate) fn clip_to(text: &str, max: usize) -> String {
    /// `… (18446744073709551615 bytes more)`.
    const NOTE_BYTES_MAX: usize = 36;
    if text.len() <= max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max.saturating_sub(NOTE_BYTES_MAX));
    let kept = text.get(..end).unwrap_or_default();
    format!("{kept}… ({} bytes more)", text.len() - end)
}

/// Kinds of failure; a closed set, used as metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// The worker said so.
    Error,
    /// The worker's actor panicked.
    Panic,
    /// No report in time.
    Timeout,
    /// The step's input broke the role's `accepts` contract: never sent.
    InvalidInput,
    /// The output broke the role's `returns` contract.
    InvalidOutput,
    /// The report could not be decoded.
    Undecodable,
    /// `accept_if` did not hold, or the worker was unsure, and the pack says fail.
    NotAccepted,
    /// An expression of the pack failed on this data.
    Expression,
    /// The worker handed off where the workflow does not allow it.
    Handoff,
    /// The task met a limit.
    Limit,
    /// Something that the worker needs did not answer; nothing has happened. Transient.
    Unavailable,
    /// Something that the worker needs asks for patience; nothing has happened. Transient.
    RateLimited,
    /// A person said no.
    Denied,
    /// No person decided in time.
    Expired,
    /// A crew went in circles or used up its turns.
    NotConverging,
    /// A call that must not happen twice was begun, and nobody knows whether it happened.
    OutcomeUnknown,
}

impl FailureKind {
    /// The kind as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Timeout => "timeout",
            Self::InvalidInput => "invalid_input",
            Self::InvalidOutput => "invalid_output",
            Self::Undecodable => "undecodable",
            Self::NotAccepted => "not_accepted",
            Self::Expression => "expression",
            Self::Handoff => "handoff",
            Self::Limit => "limit",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::NotConverging => "not_converging",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    /// Whether the same attempt may do better a little later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Timeout | Self::Unavailable | Self::RateLimited => true,
            Self::Error
            | Self::Panic
            | Self::InvalidInput
            | Self::InvalidOutput
            | Self::Undecodable
            | Self::NotAccepted
            | Self::Expression
            | Self::Handoff
            | Self::Limit
            | Self::Denied
            | Self::Expired
            | Self::NotConverging
            | Self::OutcomeUnknown => false,
        }
    }

    /// Whether another role, with the same input, may do better.
    #[must_use]
    pub fn may_fall_back(self) -> bool {
        match self {
            Self::Error
            | Self::Panic
            | Self::Timeout
            | Self::InvalidOutput
            | Self::Undecodable
            | Self::NotAccepted
            | Self::Unavailable
            | Self::RateLimited => true,
            Self::InvalidInput
            | Self::Expression
            | Self::Handoff
            | Self::Limit
            | Self::Denied
            | Self::Expired
            | Self::NotConverging
            | Self::OutcomeUnknown => false,
        }
    }

    /// Whether nobody knows what the attempt has done.
    #[must_use]
    pub fn is_outcome_unknown(self) -> bool {
        match self {
            Self::Timeout | Self::Panic | Self::Undecodable | Self::OutcomeUnknown => true,
            Self::Error
            | Self::InvalidInput
            | Self::InvalidOutput
            | Self::NotAccepted
            | Self::Expression
            | Self::Handoff
            | Self::Limit
            | Self::Unavailable
            | Self::RateLimited
            | Self::Denied
            | Self::Expired
            | Self::NotConverging => false,
        }
    }
}

/// What work cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Millionths of a US dollar.
    pub usd_micros: u64,
    /// Model tokens, in and out.
    pub tokens: u64,
    /// Wall time of the work itself, in milliseconds.
    pub work_ms: u64,
}

impl Usage {
    /// Both together; saturates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            usd_micros: self.usd_micros.saturating_add(other.usd_micros),
            tokens: self.tokens.saturating_add(other.tokens),
            work_ms: self.work_ms.saturating_add(other.work_ms),
        }
    }
}

/// A wish to end a task now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A wish to steer a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Names this wish: the same key again is the same wish.
    pub key: String,
    /// What.
    pub action: Action,
}

/// What somebody wants of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing new begins until it is resumed; what is out goes on. Deadlines keep running.
    Pause,
    /// It goes on.
    Resume,
    /// It ends at once, without compensation.
    Kill,
    /// Its limits grow by this.
    AddBudget(Budget),
    /// A failed step is tried again; a fan-out's failed items, or with `None` all that failed.
    Retry(Option<StepId>),
}

/// What limits grow by; zero leaves one as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Work orders.
    pub steps: u32,
    /// Millionths of a US dollar.
    pub usd_micros: u64,
    /// Model tokens.
    pub tokens: u64,
    /// Time until the deadline.
    pub time: Duration,
}

impl Budget {
    /// Both together; saturates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            usd_micros: self.usd_micros.saturating_add(other.usd_micros),
            tokens: self.tokens.saturating_add(other.tokens),
            time: self.time.saturating_add(other.time),
        }
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Work orders.
    Steps,
    /// Money.
    Usd,
    /// Model tokens.
    Tokens,
    /// What passes between acceptance and the deadline.
    Time,
}

impl Resource {
    /// The resource as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Usd => "usd",
            Self::Tokens => "tokens",
            Self::Time => "time",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Steps, Self::Usd, Self::Tokens, Self::Time];
        all.into_iter().find(|one| one.as_str() == text)
    }
}

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The step that waits.
    pub step: StepId,
    /// Who decides.
    pub by: String,
    /// [`super::Ask::hash`] of exactly what the person has seen.
    pub hash: Hash,
    /// What.
    pub ruling: Ruling,
    /// Why; may be empty.
    pub comment: String,
}

/// Yes or no, or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// The content counts as it is.
    Grant,
    /// The content counts as changed here, or this is the answer to a question.
    GrantWith(Payload),
    /// It must not happen.
    Deny,
    /// Whether the call in doubt happened: the step is run again with that knowledge.
    Call(CallRuling),
}
