//! A step's journal: what its workers have called, so that a takeover repeats nothing.
//!
//! ```text
//!  claim ─► begun 1 ─► ended 1 ─► begun 2 ─╳ dies      claim ─► (1 is known) ─► 2: again, or unknown
//!  └──────────── one worker ─────────────┘            └──────────── the next one ─────────────┘
//! ```
//!
//! Pure: entries are folded into a [`History`], which says what is to be done about each call. The
//! worker's shell appends, the bus guards: whoever holds the step is who could append last.
//! Invariant: an intent is durable before its call is made, and a call that must not happen twice is
//! never made again unless it is known that it did not happen.

mod fold;
mod ledger;
#[cfg(test)]
mod tests;
mod uses;

use crate::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    task::Failure,
    workflow::Grant,
};

pub use self::{
    fold::{Call, Ended, History, HistoryError, Next, Refusal},
    ledger::{Ledger, OverGrant},
};

/// Whose journal: every attempt of one role at one step has the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalId {
    /// Who does the step.
    pub role: Name,
    /// The task.
    pub task: TaskId,
    /// The step.
    pub step: StepId,
}

impl JournalId {
    /// The key that a call carries outside: from task, step and the call's number, so it is the same
    /// on every delivery, attempt and worker. It begins with the work order's own key.
    #[must_use]
    pub fn effect_key(&self, call: u32) -> String {
        format!("{}.{}.{call}", self.task, self.step)
    }
}

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Dense position in the journal: 1, 2, 3…
    pub rev: u64,
    /// What it says.
    pub fact: Fact,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A worker holds the step from here on; whoever held it before cannot append any more.
    Claimed(Claim),
    /// A call is about to be made.
    Begun {
        /// The call's number in the step, from 1.
        call: u32,
        /// What it is.
        intent: Intent,
    },
    /// What became of the call that was begun last under this number.
    Ended {
        /// The call's number.
        call: u32,
        /// What.
        outcome: CallOutcome,
        /// What it cost.
        cost: Grant,
        /// The person who knew, where no worker did.
        ruled_by: Option<String>,
    },
}

/// Who holds a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which attempt at the step, from 1.
    pub attempt: u32,
    /// Which delivery of its work order, from 1.
    pub delivery: u32,
    /// The worker process; for people.
    pub worker: String,
}

impl Claim {
    /// Whether a holder of `other` has a newer order than this one.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        (self.attempt, self.delivery) < (other.attempt, other.delivery)
    }
}

/// What a call is, known before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Model or tool.
    pub kind: CallKind,
    /// Which one.
    pub target: String,
    /// Hash of its arguments: a call by the same number with others is another call.
    pub arguments: Hash,
    /// What it does, for the person who may have to look; at most
    /// [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub description: String,
    /// The same key twice is the same effect: it may be made again.
    pub is_idempotent: bool,
    /// What it may cost at most.
    pub reserved: Grant,
}

impl Intent {
    /// Whether `other` is the same call; its words and its price may differ.
    #[must_use]
    pub fn is_same_call(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.target == other.target
            && self.arguments == other.arguments
            && self.is_idempotent == other.is_idempotent
    }
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// A model: costs, and changes nothing.
    Model,
    /// A tool: may change something outside.
    Tool,
}

impl CallKind {
    /// The kind as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Tool => "tool",
        }
    }
}

/// What became of a call, known for certain.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// It happened; this came back.
    Done(Payload),
    /// It did not happen.
    Failed(Failure),
}

/// What a person says of a call whose outcome nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallRuling {
    /// It happened; this is what came back, or `null`.
    Happened(Payload),
    /// It did not happen: it may be made again.
    DidNot,
}

impl CallRuling {
    /// The ruling as one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Happened(_) => "happened",
            Self::DidNot => "did_not",
        }
    }
}

/// A person's ruling on its way to the next worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// It is about calls of this attempt and of earlier ones.
    pub attempt: u32,
    /// Who says so.
    pub by: String,
    /// What.
    pub ruling: CallRuling,
}
