//! Exit codes, one meaning each, listed in `cadre --help` and `services/cadre/README.md`.

use std::process::ExitCode;

use crate::timeline::FollowError;

/// How a command ends when it does not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Code {
    /// Something unexpected; the message says what.
    Error = 1,
    /// The command line or a file that it names is wrong.
    Usage = 2,
    /// What was asked for does not exist.
    NotFound = 3,
    /// The goal was rejected, or conflicts with another one.
    Rejected = 4,
    /// The task ended as failed, cancelled or incomplete.
    TaskFailed = 5,
    /// The task ended as partial.
    TaskPartial = 6,
    /// A pack is not valid.
    PackInvalid = 7,
    /// The broker differs from what is declared, or a change needs a flag.
    BusDiffers = 8,
    /// The broker cannot be reached, or has no streams of ours.
    BusUnavailable = 9,
    /// No nats-server could be found or fetched.
    NoServer = 10,
    /// Waiting took longer than allowed; what was started goes on.
    TimedOut = 11,
    /// A check of `doctor` is red.
    Unhealthy = 12,
    /// The streams break a rule of `check`, or the audit trail is not whole.
    Violated = 13,
    /// A decision or a wish cannot be fulfilled, or not any more; the message says why.
    Refused = 14,
    /// Builds do not fit together; the message names the task, the member or the feature.
    Incompatible = 15,
    /// A pack's samples or a suite's cases come to something worse than their baseline, or than expected.
    Regressed = 16,
    /// Somebody ended the command before it came to an end.
    Interrupted = 130,
}

impl Code {
    /// All of them, in order.
    pub const ALL: [Self; 17] = [
        Self::Error,
        Self::Usage,
        Self::NotFound,
        Self::Rejected,
        Self::TaskFailed,
        Self::TaskPartial,
        Self::PackInvalid,
        Self::BusDiffers,
        Self::BusUnavailable,
        Self::NoServer,
        Self::TimedOut,
        Self::Unhealthy,
        Self::Violated,
        Self::Refused,
        Self::Incompatible,
        Self::Regressed,
        Self::Interrupted,
    ];

    /// What it means, as `cadre --help` and that README say it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Error => "something unexpected; the message says what",
            Self::Usage => "the command line or a file that it names is wrong",
            Self::NotFound => "what was asked for does not exist",
            Self::Rejected => "the goal was rejected, or conflicts with another one",
            Self::TaskFailed => "the task ended as failed, cancelled or incomplete",
            Self::TaskPartial => "the task ended as partial",
            Self::PackInvalid => "a pack is not valid",
            Self::BusDiffers => {
                "the broker differs from what is declared, or a change needs a flag"
            }
            Self::BusUnavailable => "the broker cannot be reached, or has no streams of ours",
            Self::NoServer => "no nats-server could be found or fetched",
            Self::TimedOut => "waiting took longer than allowed; what was started goes on",
            Self::Unhealthy => "a check of `doctor` is red",
            Self::Violated => {
                "the streams break a rule of `check`, or the audit trail is not whole"
            }
            Self::Refused => "a decision or a wish for a task was refused; the message says why",
            Self::Incompatible => "builds do not fit together: a task, a member or a feature",
            Self::Regressed => {
                "samples or cases come to something worse than their baseline, or than expected"
            }
            Self::Interrupted => "interrupted before it came to an end",
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// An error that knows its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    code: Code,
    text: String,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// Fails with `code`; `text` says what and what to do next.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), cause: None }
    }

    /// Its exit code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

/// The exit code of any error: its own, [`Code::BusUnavailable`] where a log could not be read on, or
/// [`Code::Error`].
#[must_use]
pub fn code_of(error: &anyhow::Error) -> Code {
    let code = |cause: &(dyn std::error::Error + 'static)| {
        let own = cause.downcast_ref::<Failure>().map(Failure::code);
        let is_bus =
            matches!(cause.downcast_ref(), Some(FollowError::Tail(_) | FollowError::Lost { .. }));
        own.or(is_bus.then_some(Code::BusUnavailable))
    };
    error.chain().find_map(code).unwrap_or(Code::Error)
}
