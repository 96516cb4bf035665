//! What a breaker is told of each call.

use std::time::Duration;

use crate::task::{FailureKind, Outcome};

/// One call of a target, as it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What it says about the target.
    pub outcome: CallOutcome,
    /// From dispatch to the end; also says when the call began.
    pub took: Duration,
    /// What it cost, in millionths of a US dollar.
    pub usd_micros: u64,
}

/// What the end of a call says about the target; a closed set, used as metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallOutcome {
    /// It answered.
    Success,
    /// It could not answer, whatever it was asked.
    InfrastructureFailure,
    /// Says nothing about it: the request was at fault, or somebody else.
    Ignored,
}

impl CallOutcome {
    /// The outcome as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::InfrastructureFailure => "failure",
            Self::Ignored => "ignored",
        }
    }

    /// What a worker's report says about its role; before any contract was checked.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Completed { .. }
            | Outcome::Unsure { .. }
            | Outcome::Handoff { .. }
            | Outcome::NeedsHuman { .. } => Self::Success,
            Outcome::Failed(failure) => classify(failure.kind),
        }
    }
}

/// Whether a failure is the target's own: the same call, asked in another way, would have failed too.
///
/// `undecodable` counts: no input makes a sound worker send bytes that are no report.
/// `invalid_output` does not: prompt and input decide about it, and the step has its own
/// fallback for it. `error` does not: the worker was there to say so. Rate limits never
/// count: they belong to whoever sends too fast.
#[must_use]
pub fn classify(kind: FailureKind) -> CallOutcome {
    match kind {
        FailureKind::Timeout
        | FailureKind::Panic
        | FailureKind::Undecodable
        | FailureKind::Unavailable => CallOutcome::InfrastructureFailure,
        FailureKind::Error
        | FailureKind::InvalidInput
        | FailureKind::InvalidOutput
        | FailureKind::NotAccepted
        | FailureKind::Expression
        | FailureKind::Handoff
        | FailureKind::Limit
        | FailureKind::RateLimited
        | FailureKind::Denied
        | FailureKind::Expired
        | FailureKind::NotConverging
        | FailureKind::OutcomeUnknown => CallOutcome::Ignored,
    }
}
