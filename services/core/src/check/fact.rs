//! What the streams hold, message by message, as the rules see it.

use std::sync::Arc;

use crate::{
    ids::{Name, Partition, StepId, TaskId},
    journal::{Entry, JournalId},
    payload::{Hash, Payload},
    task::{Event, Record},
    time::UnixMillis,
    workflow::Workflow,
};

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The stream.
    pub stream: Arc<str>,
    /// The shard of the stream; 0 for one without shards. Inputs and log of a task share it.
    pub shard: u16,
    /// The message's sequence.
    pub sequence: u64,
    /// When the broker stored it.
    pub at: UnixMillis,
}

/// One message, or one edge of a reading.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub content: Content,
}

/// What a fact says.
#[derive(Debug, Clone)]
pub enum Content {
    /// The last sequence of a log stream before anything else was read: older debts must be paid.
    Settled,
    /// How far a log stream was read; comes behind its last message.
    LogEnd,
    /// Answers of tasks that ended before this time may have been dropped.
    AnswersSince,
    /// A pack revision; comes before the first record of a task that is pinned to it.
    Pack(Arc<Workflow>),
    /// A published goal that waits for the intake.
    Goal {
        /// The task that it will be; `None` without a key or a valid subject.
        task: Option<TaskId>,
    },
    /// An input that waits for its partition.
    Input {
        /// The task.
        task: TaskId,
        /// What it is.
        kind: InputKind,
    },
    /// A work order that is not acknowledged.
    Order(OrderFact),
    /// A timer that is set.
    Timer {
        /// The task.
        task: TaskId,
        /// When it fires; `None` when that cannot be read.
        wake_at: Option<UnixMillis>,
    },
    /// A timer that fired and is perhaps not yet forwarded.
    Due {
        /// The task.
        task: TaskId,
    },
    /// The answer of a task.
    Answer(Box<AnswerFact>),
    /// An entry of a step's journal.
    Journal(Box<JournalFact>),
    /// A dead letter.
    Letter(Box<LetterFact>),
    /// A record.
    Record(Box<RecordFact>),
    /// A message of a task's log that is no record for us.
    BadRecord {
        /// The task.
        task: TaskId,
        /// Hash of its bytes.
        hash: Hash,
        /// What is wrong with it.
        problem: RecordProblem,
    },
    /// Something that nobody of us publishes.
    Foreign {
        /// Its subject.
        subject: String,
        /// It lies in a log stream.
        is_log: bool,
    },
}

/// What waits for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// A goal that passed the intake.
    Goal,
    /// A report.
    Report(Attempt),
    /// A wish to end the task.
    Cancel,
    /// A wish to steer the task, or a person's decision.
    Wish,
    /// A timer that fired.
    Timer,
}

/// One attempt at one step, as subjects name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// The task.
    pub task: TaskId,
    /// The step.
    pub step: StepId,
    /// From 1.
    pub number: u32,
    /// Who shall do it.
    pub role: Name,
}

/// A work order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFact {
    /// Which work, by its subject.
    pub attempt: Attempt,
    /// Its deadline; or why its body is no order for that work.
    pub deadline: Result<UnixMillis, String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct AnswerFact {
    /// Whose, by its subject.
    pub tenant: Name,
    /// Of which workflow, by its subject.
    pub workflow: Name,
    /// Of which task, by its subject.
    pub task: TaskId,
    /// Sequence that its subject had to end with; `None` for an unguarded one.
    pub expected: Option<u64>,
    /// The document; or why it cannot be read.
    pub document: Result<Payload, String>,
}

/// An entry of a step's journal.
#[derive(Debug, Clone)]
pub struct JournalFact {
    /// Whose, by its subject.
    pub id: JournalId,
    /// Sequence that its subject had to end with; `None` for an unguarded one.
    pub expected: Option<u64>,
    /// What it says; or why it cannot be read.
    pub entry: Result<Entry, String>,
}

/// A dead letter.
#[derive(Debug, Clone, Default)]
pub struct LetterFact {
    /// Why it is dead.
    pub reason: String,
    /// The subject that it came on.
    pub came_on: String,
    /// The order that it was.
    pub order: Option<Attempt>,
    /// The task that its goal would have been.
    pub goal: Option<TaskId>,
    /// What is wrong with its body; `None` when all of it is kept.
    pub body_problem: Option<String>,
}

/// A record and what the log says about it.
#[derive(Debug, Clone)]
pub struct RecordFact {
    /// The task, by its subject.
    pub task: TaskId,
    /// The partition, by its subject.
    pub partition: Partition,
    /// Sequence that its subject had to end with; `None` for an unguarded one.
    pub expected: Option<u64>,
    /// Unique 16 bytes.
    pub txn: [u8; 16],
    /// Hash of the record before, as this one says.
    pub prev: Option<Hash>,
    /// Hash of its own bytes.
    pub hash: Hash,
    /// It means the same when it is written and read again.
    pub is_stable: bool,
    /// What it says.
    pub record: Record,
}

impl RecordFact {
    /// The work orders that it decided, with their deadlines.
    pub(super) fn orders(&self) -> impl Iterator<Item = (Attempt, UnixMillis)> {
        self.record.events.iter().filter_map(|event| {
            let Event::StepDispatched { step, attempt, role, deadline, .. } = event else {
                return None;
            };
            let (task, step, role) = (self.task.clone(), step.clone(), role.clone());
            Some((Attempt { task, step, number: *attempt, role }, *deadline))
        })
    }
}

/// Why a message of a log is no record for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordProblem {
    /// Its bytes mean nothing.
    Undecodable(String),
    /// It asks for a newer reader.
    TooNew(u32),
    /// A document that it refers to is not there, or another one.
    Document(String),
}
