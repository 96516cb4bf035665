//! What a check found.

use super::{fact::Place, rule::Rule};
use crate::{
    ids::TaskId,
    limits::{CHECK_NOTES_MAX, CHECK_VIOLATIONS_MAX},
};

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// Of which task; `None` when it is about no task.
    pub task: Option<TaskId>,
    /// The stream to look at.
    pub stream: String,
    /// The message to look at; 0 when it is about one that is not there.
    pub sequence: u64,
    /// What is wrong, in one sentence.
    pub text: String,
}

/// Something that is allowed and worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Of which task; `None` when it is about no task.
    pub task: Option<TaskId>,
    /// The stream to look at.
    pub stream: String,
    /// The message to look at; 0 when it is about none.
    pub sequence: u64,
    /// What.
    pub text: String,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Tasks with a log.
    pub tasks: u64,
    /// Of these, tasks that have not ended.
    pub open: u64,
    /// Log records.
    pub records: u64,
    /// Work orders that the log decided.
    pub orders: u64,
    /// Of these, orders that are not acknowledged.
    pub orders_waiting: u64,
    /// Answers.
    pub answers: u64,
    /// Dead letters.
    pub letters: u64,
    /// Goals that wait for the intake.
    pub goals_waiting: u64,
    /// Inputs that wait for their partition.
    pub inputs_waiting: u64,
}

/// The end of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How much was looked at.
    pub counts: Counts,
    /// The first violations, in the order in which they were met.
    pub violations: Vec<Violation>,
    /// Violations in all.
    pub violations_total: u64,
    /// The first notes.
    pub notes: Vec<Note>,
    /// Notes in all.
    pub notes_total: u64,
}

/// What was found so far; bounded.
#[derive(Debug, Default)]
pub(super) struct Findings {
    violations: Vec<Violation>,
    violations_total: u64,
    notes: Vec<Note>,
    notes_total: u64,
}

impl Findings {
    pub(super) fn accuse(
        &mut self,
        rule: Rule,
        task: Option<&TaskId>,
        place: &Place,
        text: impl Into<String>,
    ) {
        self.violations_total += 1;
        if self.violations.len() < CHECK_VIOLATIONS_MAX {
            let (task, text) = (task.cloned(), text.into());
            let (stream, sequence) = (place.stream.as_ref().to_owned(), place.sequence);
            self.violations.push(Violation { rule, task, stream, sequence, text });
        }
    }

    pub(super) fn note(&mut self, task: Option<&TaskId>, place: &Place, text: impl Into<String>) {
        self.notes_total += 1;
        if self.notes.len() < CHECK_NOTES_MAX {
            let (task, text) = (task.cloned(), text.into());
            let (stream, sequence) = (place.stream.as_ref().to_owned(), place.sequence);
            self.notes.push(Note { task, stream, sequence, text });
        }
    }

    pub(super) fn verdict(self, counts: Counts) -> Verdict {
        let Self { violations, violations_total, notes, notes_total } = self;
        Verdict { counts, violations, violations_total, notes, notes_total }
    }
}
