//! What the services need of the outside world: the port traits.
//!
//! The adapter crate implements them over a real bus, tests over memory. Every
//! method rides out a broker gap of [`crate::limits::BUS_GAP_MAX`] before it gives up,
//! and every publication is idempotent by its own guarded subject. Dropping a
//! future leaves it open whether the effect happened; asking again is harmless.

pub mod desk;
pub mod history;
mod models;
mod packs;
mod tools;

use std::{future::Future, sync::Arc, time::Duration};

pub use self::{
    history::History,
    models::{Models, Provider},
    packs::Packs,
    tools::{Clock, Tools},
};

use crate::{
    ids::{Name, Partition, StepId, TaskId},
    journal::{Entry, JournalId, Ruled},
    payload::{Hash, Payload},
    task::{Answer, Goal, Input, Order, Record, Report, Resource, Stop},
    time::UnixMillis,
    workflow::{Grant, Workflow},
};

/// Where a task's log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogHead {
    /// Records so far; 0 for a task without a log.
    pub rev: u64,
    /// Stream sequence of the last record; 0 for none.
    pub sequence: u64,
    /// Hash of the last record's bytes; all zero for none.
    pub hash: Hash,
}

/// A task's whole log.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Oldest first, revisions 1, 2, 3….
    pub records: Vec<Record>,
    /// Where it ends.
    pub head: LogHead,
}

/// Why the bus did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The broker did not answer within the gap that is ridden out; time heals it.
    #[error("bus is unavailable: {0}")]
    Unavailable(String),
    /// The broker refused; an operator must look.
    #[error("bus refused: {0}")]
    Refused(String),
}

/// Why a task's log could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The bus did not answer; try again.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A hole, a broken hash chain or an undecodable record: never continue this task.
    #[error("log of task {task} is damaged at revision {rev}: {what}")]
    Damaged {
        /// The task.
        task: TaskId,
        /// The first revision that is not as it must be.
        rev: u64,
        /// What is wrong there.
        what: String,
    },
    /// A newer build wrote it; this one must let go of the partition.
    #[error("log of task {task} needs a reader of version {min_reader}")]
    TooNew {
        /// The task.
        task: TaskId,
        /// What the record asks for.
        min_reader: u32,
    },
}

/// Why a record was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended first: throw the state away and load.
    #[error("log of task {0} has moved on")]
    Conflict(TaskId),
    /// The log ends before what was acknowledged: stop the partition, wake somebody.
    #[error("log of task {task} went back from sequence {expected} to {actual}")]
    Regressed {
        /// The task.
        task: TaskId,
        /// Sequence of the last acknowledged record.
        expected: u64,
        /// Sequence that the broker has.
        actual: u64,
    },
    /// The record is over [`crate::limits::MESSAGE_BYTES_MAX`].
    #[error("record of {bytes} bytes for task {task} is too large")]
    TooLarge {
        /// The task.
        task: TaskId,
        /// Its size.
        bytes: usize,
    },
    /// The bus did not answer, and the log could not be read back.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// A message that means nothing to us, kept whole for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Partition that it is filed under.
    pub partition: Partition,
    /// `goal`, `input` or `work`.
    pub kind: &'static str,
    /// Unique under its kind: sequence in the stream it came from.
    pub source: String,
    /// Why it is dead, for people.
    pub reason: String,
    /// How often it was delivered before it was given up, that time included.
    pub deliveries: u32,
    /// Subject that it arrived on.
    pub subject: String,
    /// Its headers, as they were.
    pub headers: Vec<(String, String)>,
    /// Its body, as it was.
    pub body: Vec<u8>,
}

/// One message for a partition.
#[derive(Debug)]
pub struct Delivery<R> {
    /// What it says, or why it says nothing that we understand.
    pub content: Result<(TaskId, Input), String>,
    /// W3C `traceparent` of whoever sent it.
    pub trace: Option<String>,
    /// Sequence in its stream.
    pub sequence: u64,
    /// When the broker stored it.
    pub stored_at: UnixMillis,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
    /// Settles it.
    pub receipt: R,
}

/// One goal message as it came.
#[derive(Debug)]
pub struct RawGoal<R> {
    /// `goals.<tenant>.<workflow>`.
    pub subject: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Sequence in its stream; with the stream's creation it makes the key of a keyless goal.
    pub sequence: u64,
    /// Names this life of the stream: sequences of another life mean other goals.
    pub stream_epoch: String,
    /// When the broker stored it.
    pub stored_at: UnixMillis,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
    /// Settles it.
    pub receipt: R,
}

/// A pull subscription; messages come in batches, empty ones mean nothing arrived for a while.
pub trait Inbox<T>: Send + 'static {
    /// Waits for the next messages, a few seconds at most.
    ///
    /// # Errors
    /// [`BusError`] when the subscription is broken for good; open a new one.
    fn next(&mut self) -> impl Future<Output = Result<Vec<T>, BusError>> + Send;
}

/// Settling of deliveries.
pub trait Settle: Send + Sync + 'static {
    /// What settles one delivery.
    type Receipt: Send + Sync + 'static;

    /// Tells the broker that the message is dealt with. Best effort: a lost ack is a redelivery.
    fn ack(&self, receipt: Self::Receipt) -> impl Future<Output = ()> + Send;
}

/// What a work order says beside the order itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerms {
    /// Contract of the input, as `name@version`.
    pub accepts: String,
    /// Contract of the output, as `name@version`.
    pub returns: String,
    /// The worker is any program: everything in plain sight, in headers and JSON.
    pub is_remote: bool,
}

/// Why a goal is not taken in now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    /// Has more work waiting than its workers keep up with.
    pub role: Name,
    /// Fewer than [`crate::limits::GOALS_WAITING_MAX`] goals wait already.
    pub may_wait: bool,
}

/// What the orchestrator needs of the bus.
pub trait OrchestratorBus: Settle + Clone {
    /// Inputs of one partition.
    type Inputs: Inbox<Delivery<Self::Receipt>>;
    /// Goals as published.
    type Goals: Inbox<RawGoal<Self::Receipt>>;

    /// The broker's time, as well as this process knows it: never ahead of the broker.
    fn now(&self) -> UnixMillis;

    /// Subscribes to the inputs of `partition`; nothing comes while another process owns it.
    fn inputs(
        &self,
        partition: Partition,
    ) -> impl Future<Output = Result<Self::Inputs, BusError>> + Send;

    /// Subscribes to published goals, shared with every other orchestrator.
    fn goals(&self) -> impl Future<Output = Result<Self::Goals, BusError>> + Send;

    /// A role of `workflow` that has more work waiting than its workers keep up with, if there is one;
    /// otherwise a goal is taken to be taken in, with an order for each of them. A bus that cannot tell
    /// lets everything in.
    fn crowded(&self, _workflow: &Workflow) -> Option<Crowd> {
        None
    }

    /// Leaves a goal on the bus, to be delivered again after a moment.
    fn later(&self, receipt: Self::Receipt) -> impl Future<Output = ()> + Send {
        drop(receipt);
        std::future::ready(())
    }

    /// Moves fired timers into their partitions' inputs, until dropped or broken.
    fn forward_timers(&self) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Reads a task's log.
    fn load(&self, task: &TaskId) -> impl Future<Output = Result<Loaded, LoadError>> + Send;

    /// Appends a record behind `head`; an unclear outcome is cleared by reading back.
    fn append(
        &self,
        task: &TaskId,
        head: LogHead,
        record: Arc<Record>,
        trace: Option<String>,
    ) -> impl Future<Output = Result<LogHead, AppendError>> + Send;

    /// Hands an admitted goal to its partition.
    fn submit(&self, goal: Arc<Goal>) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Publishes a work order unless it is there already.
    fn order(
        &self,
        order: Order,
        terms: OrderTerms,
        trace: Option<String>,
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Whether this order lies in its stream: it is paid, and perhaps being worked on.
    fn has_order(&self, order: &Order) -> impl Future<Output = Result<bool, BusError>> + Send;

    /// What an attempt has spent by its journal, of what it was granted. A bus without journals knows of nothing;
    /// one that cannot be read means all of it.
    fn spent(
        &self,
        _journal: &JournalId,
        _attempt: u32,
        _granted: Grant,
    ) -> impl Future<Output = Grant> + Send {
        std::future::ready(Grant::default())
    }

    /// Whether a report for this order waits in the partition's inputs: the order is paid then.
    fn has_report(&self, order: &Order) -> impl Future<Output = Result<bool, BusError>> + Send;

    /// Sets the task's timer, in place of the one before.
    fn wake(
        &self,
        task: &TaskId,
        at: UnixMillis,
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Removes the task's timer; best effort, a timer of an ended task is ignored.
    fn forget_wake(&self, task: &TaskId) -> impl Future<Output = ()> + Send;

    /// Takes back work orders that nobody waits for, and tells whoever works on one: these
    /// attempts, or with none all of the task's. Best effort towards workers: one that does not
    /// hear of it reports too late.
    fn stop(
        &self,
        task: &TaskId,
        attempts: &[Stop],
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Publishes the end of a task, once.
    fn answer(&self, answer: Answer) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Tells a tenant's publishers why a goal will not be done.
    fn reject(
        &self,
        tenant: &Name,
        document: Payload,
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Keeps a message as a dead letter, whole and with the reason, and settles it.
    fn bury(
        &self,
        receipt: Self::Receipt,
        partition: Partition,
        reason: String,
    ) -> impl Future<Output = Result<(), BusError>> + Send;
}

/// One work order in a worker's hands.
#[derive(Debug)]
pub struct WorkItem<R> {
    /// The task.
    pub task: TaskId,
    /// Whose task.
    pub tenant: Name,
    /// Workflow and pack revision that declare the role.
    pub workflow: Name,
    /// Content hash of that pack.
    pub revision: String,
    /// The step.
    pub step: StepId,
    /// From 1.
    pub attempt: u32,
    /// The role.
    pub role: Name,
    /// Satisfies the role's `accepts` contract.
    pub input: Payload,
    /// What is left of the attempt's time when it was received.
    pub time_left: Duration,
    /// What the attempt may spend.
    pub grant: Grant,
    /// What a person knows about calls of former attempts.
    pub ruled: Option<Ruled>,
    /// Limits of the whole task of which four fifths are used.
    pub near: Vec<Resource>,
    /// Key for side effects.
    pub idempotency_key: String,
    /// W3C `traceparent`.
    pub trace: Option<String>,
    /// Deliveries so far, this one included.
    pub deliveries: u32,
    /// Settles it.
    pub receipt: Arc<R>,
}

/// Work that nobody waits for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The task.
    pub task: TaskId,
    /// Steps with the attempt each; empty means all of the task.
    pub attempts: Vec<(StepId, u32)>,
}

impl Stopped {
    /// Whether this attempt is meant.
    #[must_use]
    pub fn covers(&self, task: &TaskId, step: &StepId, attempt: u32) -> bool {
        let is_meant = |(id, number): &(StepId, u32)| id == step && *number == attempt;
        self.task == *task && (self.attempts.is_empty() || self.attempts.iter().any(is_meant))
    }
}

/// A work order that says nothing a worker could act on.
#[derive(Debug)]
pub struct Malformed<R> {
    /// The message, kept whole, and why it is dead.
    pub letter: DeadLetter,
    /// Settles it.
    pub receipt: R,
}

/// A journal as it was read.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Stream sequence of the last entry; 0 for none.
    pub sequence: u64,
}

/// Why a journal was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Somebody else appended: who reads the journal anew knows whether they hold the step.
    #[error("the journal of step {step} of task {task} has moved on")]
    Moved {
        /// The task.
        task: TaskId,
        /// The step.
        step: StepId,
    },
    /// An entry means nothing to this build.
    #[error("the journal of step {step} of task {task} cannot be read: {what}")]
    Damaged {
        /// The task.
        task: TaskId,
        /// The step.
        step: StepId,
        /// What is wrong with it.
        what: String,
    },
    /// The bus did not answer, or refused.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Where the journals of steps are kept.
pub trait Journals: Clone + Send + Sync + 'static {
    /// Reads a journal; one that was never written is empty.
    fn read_journal(
        &self,
        id: &JournalId,
    ) -> impl Future<Output = Result<Pages, JournalError>> + Send;

    /// Appends an entry to a journal that ends with the message `expected`, and says its sequence.
    /// The same entry again, after an answer that was lost, is the same entry.
    fn append_journal(
        &self,
        id: &JournalId,
        expected: u64,
        entry: &Entry,
    ) -> impl Future<Output = Result<u64, JournalError>> + Send;
}

/// What a worker needs of the bus.
pub trait WorkerBus: Settle + Journals {
    /// Work orders of one role.
    type Work: Inbox<Result<WorkItem<Self::Receipt>, Box<Malformed<Self::Receipt>>>>;
    /// Work that nobody waits for any more.
    type Stops: Inbox<Stopped>;

    /// Subscribes to the work orders of `role`; `in_flight` bounds what this process holds.
    fn work(
        &self,
        role: &Name,
        in_flight: usize,
    ) -> impl Future<Output = Result<Self::Work, BusError>> + Send;

    /// Listens for work that is to be stopped. What was said before is not heard.
    fn stops(&self) -> impl Future<Output = Result<Self::Stops, BusError>> + Send;

    /// Publishes the report of one order; Ok as well when somebody reported before.
    fn report(
        &self,
        task: &TaskId,
        report: Report,
        trace: Option<String>,
    ) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Whether somebody has reported on this attempt before: the report waits for its decision or has had it.
    /// A bus that does not say means no.
    fn is_reported(
        &self,
        _step: &JournalId,
        _attempt: u32,
    ) -> impl Future<Output = Result<bool, BusError>> + Send {
        std::future::ready(Ok(false))
    }

    /// Whether the order still lies on the bus: once somebody has settled it, its report comes too late. A
    /// bus that does not say means yes.
    fn is_open(&self, _receipt: &Self::Receipt) -> impl Future<Output = bool> + Send {
        std::future::ready(true)
    }

    /// Tells the broker that the order is still being worked on.
    fn in_progress(&self, receipt: &Self::Receipt) -> impl Future<Output = ()> + Send;

    /// Settles a work order after its report is confirmed.
    fn done(&self, receipt: &Self::Receipt) -> impl Future<Output = ()> + Send;

    /// Keeps a malformed work order for a person; settle it afterwards.
    fn bury(&self, letter: DeadLetter) -> impl Future<Output = Result<(), BusError>> + Send;

    /// A third of the time after which the broker hands an unconfirmed order to somebody else.
    fn heartbeat(&self) -> Duration;
}
