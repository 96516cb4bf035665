//! The rules: a closed list, each with a name and one sentence.

use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Group chain.
    LogHole,
    /// Group chain.
    RecordDecodes,
    /// Group chain.
    ReaderVersion,
    /// Group chain.
    DocumentKept,
    /// Group chain.
    SameMeaning,
    /// Group chain.
    DenseRevisions,
    /// Group chain.
    HashChain,
    /// Group chain.
    ExpectedSequence,
    /// Group chain.
    UniqueTxn,
    /// Group fold.
    TaskOfKey,
    /// Group fold.
    LegalFold,
    /// Group fold.
    AttemptOnce,
    /// Group fold.
    OneResult,
    /// Group fold.
    NoLateOrder,
    /// Group fold.
    TimerNotEarly,
    /// Group fold.
    Compensation,
    /// Group fold.
    AsDeclared,
    /// Group fold.
    SameReplay,
    /// Group gate.
    AggregateParts,
    /// Group debts.
    OrderFromRecord,
    /// Group debts.
    ReportFromOrder,
    /// Group debts.
    TimerFromRecord,
    /// Group debts.
    OrderPaid,
    /// Group debts.
    TimerPaid,
    /// Group answers.
    AnswerPaid,
    /// Group answers.
    AnswerFromEnd,
    /// Group answers.
    OneAnswer,
    /// Group answers.
    Spending,
    /// Group journals.
    JournalWhole,
    /// Group journals.
    EffectOnce,
    /// Group journals.
    EffectKnown,
    /// Group journals.
    JournalSpending,
    /// Group letters.
    LetterComplete,
    /// Group goals.
    AcknowledgedKept,
    /// Group goals.
    GoalEnded,
}

impl Rule {
    /// All of them, group by group.
    pub const ALL: [Self; 35] = [
        Self::LogHole,
        Self::RecordDecodes,
        Self::ReaderVersion,
        Self::DocumentKept,
        Self::SameMeaning,
        Self::DenseRevisions,
        Self::HashChain,
        Self::ExpectedSequence,
        Self::UniqueTxn,
        Self::TaskOfKey,
        Self::LegalFold,
        Self::AttemptOnce,
        Self::OneResult,
        Self::NoLateOrder,
        Self::TimerNotEarly,
        Self::Compensation,
        Self::AsDeclared,
        Self::SameReplay,
        Self::AggregateParts,
        Self::OrderFromRecord,
        Self::ReportFromOrder,
        Self::TimerFromRecord,
        Self::OrderPaid,
        Self::TimerPaid,
        Self::AnswerPaid,
        Self::AnswerFromEnd,
        Self::OneAnswer,
        Self::Spending,
        Self::JournalWhole,
        Self::EffectOnce,
        Self::EffectKnown,
        Self::JournalSpending,
        Self::LetterComplete,
        Self::AcknowledgedKept,
        Self::GoalEnded,
    ];

    /// Its name, for reports and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogHole => "log-hole",
            Self::RecordDecodes => "record-decodes",
            Self::ReaderVersion => "reader-version",
            Self::DocumentKept => "document-kept",
            Self::SameMeaning => "same-meaning",
            Self::DenseRevisions => "dense-revisions",
            Self::HashChain => "hash-chain",
            Self::ExpectedSequence => "expected-sequence",
            Self::UniqueTxn => "unique-txn",
            Self::TaskOfKey => "task-of-key",
            Self::LegalFold => "legal-fold",
            Self::AttemptOnce => "attempt-once",
            Self::OneResult => "one-result",
            Self::NoLateOrder => "no-late-order",
            Self::TimerNotEarly => "timer-not-early",
            Self::Compensation => "compensation",
            Self::AsDeclared => "as-declared",
            Self::SameReplay => "same-replay",
            Self::AggregateParts => "aggregate-parts",
            Self::OrderFromRecord => "order-from-record",
            Self::ReportFromOrder => "report-from-order",
            Self::TimerFromRecord => "timer-from-record",
            Self::OrderPaid => "order-paid",
            Self::TimerPaid => "timer-paid",
            Self::AnswerPaid => "answer-paid",
            Self::AnswerFromEnd => "answer-from-end",
            Self::OneAnswer => "one-answer",
            Self::Spending => "spending",
            Self::JournalWhole => "journal-whole",
            Self::EffectOnce => "effect-once",
            Self::EffectKnown => "effect-known",
            Self::JournalSpending => "journal-spending",
            Self::LetterComplete => "letter-complete",
            Self::AcknowledgedKept => "acknowledged-kept",
            Self::GoalEnded => "goal-ended",
        }
    }

    /// What it says, in one sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::LogHole => "no message of a log stream is missing",
            Self::RecordDecodes => "every message of a task's log is a record",
            Self::ReaderVersion => "this build may read every record",
            Self::DocumentKept => {
                "every document that a record refers to is in the object store, unchanged"
            }
            Self::SameMeaning => "a record that is decoded and written again means the same",
            Self::DenseRevisions => "the revisions of a task are 1, 2, 3 and so on",
            Self::HashChain => "every record names the hash of the one before it",
            Self::ExpectedSequence => {
                "every record was appended behind the one before it: its guard names that one's sequence"
            }
            Self::UniqueTxn => "no two records have the same transaction id",
            Self::TaskOfKey => {
                "a task's id follows from its tenant and key, and its log lies in its own partition"
            }
            Self::LegalFold => "every event is possible in the state that it meets",
            Self::AttemptOnce => "every attempt ends once",
            Self::OneResult => "every step has one accepted result at most",
            Self::NoLateOrder => {
                "no step is begun at a limit or after the deadline, or may outlive the task"
            }
            Self::TimerNotEarly => "nothing expires before its time",
            Self::Compensation => {
                "at a bad end completed steps are undone, no others, the last one first"
            }
            Self::AsDeclared => {
                "steps, roles, grants, inputs and results are as the task's pack revision declares"
            }
            Self::SameReplay => "a log read again gives the same state",
            Self::AggregateParts => {
                "what the aggregator gets is made of completed steps and names every failed one"
            }
            Self::OrderFromRecord => "every work order was decided by a record",
            Self::ReportFromOrder => "every report that waits answers an order of the log",
            Self::TimerFromRecord => "every timer belongs to a task",
            Self::OrderPaid => {
                "every open step has its work order, a report that waits, or a dead letter"
            }
            Self::TimerPaid => "every open task has a timer that wakes it in time",
            Self::AnswerPaid => "every ended task has its answer, as long as answers are kept",
            Self::AnswerFromEnd => "every answer says what its task's log says",
            Self::OneAnswer => "every answer was published where there was none",
            Self::Spending => "an answer's steps, tokens and money are the sum of the log's",
            Self::JournalWhole => "a step's journal is dense and guarded, and no claim goes back",
            Self::EffectOnce => "no effect that must not happen twice happens twice",
            Self::EffectKnown => {
                "a call whose outcome nobody knows is reported as such, unless its attempt never reported"
            }
            Self::JournalSpending => {
                "what an attempt's calls cost is within its grant, and is what its report says"
            }
            Self::LetterComplete => "every dead letter has reason, subject and all of its body",
            Self::AcknowledgedKept => {
                "every goal that was confirmed has a log, or waits, or is a dead letter"
            }
            Self::GoalEnded => "every accepted goal has ended (judged when nothing goes on)",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
