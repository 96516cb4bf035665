//! What people and programs wish, and look at beside the read model: the port behind HTTP API and pages.
//!
//! Unlike the other ports it is used as `dyn`: handlers are many, small and called by people, so that a
//! boxed future costs nothing that counts, and no type parameter runs through every page.
//!
//! Nobody is asked who they are here. Whoever calls has found the task by [`Desk::task`] and has looked
//! whether its tenant is the caller's.

mod look;

use std::{future::Future, pin::Pin, time::Duration};

pub use self::look::{Drift, DriftField, Peek, PeekQuery, Peeked};
use super::{BusError, JournalError, LoadError};
use crate::{
    access::Token,
    audit::{Listed, Query},
    breaker::{ForcedTo, Hint, Target, quorum},
    fleet::Member,
    ids::{Name, StepId, TaskId},
    journal::Call,
    pack::PackSource,
    payload::Hash,
    question::Verdict,
    task::Task,
    time::UnixMillis,
    watch::Alert,
    webhook::{State as WebhookState, Webhook},
    wish::{ForkWish, GoalWish, Outcome, Unfit, Wish},
    workflow::Workflow,
};

/// An answer that is on its way.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, DeskError>> + Send + 'a>>;

/// Why nothing became of what was asked; nothing has changed unless the variant says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// Whoever asked must correct it, or look again.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// There is no room for it now; later there is.
    #[error("{0}")]
    Full(String),
    /// The bus did not answer, or refused. A wish may be stored all the same: having it again is harmless.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A task's log cannot be read; a person must look.
    #[error("{0}")]
    Damaged(String),
}

impl From<LoadError> for DeskError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Bus(error) => Self::Bus(error),
            error @ (LoadError::Damaged { .. } | LoadError::TooNew { .. }) => {
                Self::Damaged(error.to_string())
            }
        }
    }
}

impl From<JournalError> for DeskError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Bus(error) => Self::Bus(error),
            error @ (JournalError::Moved { .. } | JournalError::Damaged { .. }) => {
                Self::Damaged(error.to_string())
            }
        }
    }
}

/// What became of a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its task.
    pub task: TaskId,
    /// Whether its task exists; otherwise it lies on the bus until an orchestrator takes it.
    pub is_accepted: bool,
    /// Whether its task was there before: the same goal was published under its key.
    pub is_known: bool,
}

/// A decision about what a task asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionWish {
    /// The step that asks.
    pub step: StepId,
    /// The beginning of the hash of what the person has seen.
    pub hash: String,
    /// Who decides.
    pub by: String,
    /// What.
    pub verdict: Verdict,
    /// Why; may be empty.
    pub comment: String,
}

/// Which dead letters are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LetterQuery {
    /// Only of this kind: `goal`, `input` or `work`.
    pub kind: Option<String>,
    /// Only of this tenant, as far as it is known whose a message was.
    pub tenant: Option<Name>,
    /// Only about this task.
    pub task: Option<TaskId>,
    /// Only what was given up within this time.
    pub since: Option<Duration>,
    /// At most so many, the newest ones.
    pub limit: usize,
}

/// A dead letter without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterHead {
    /// Names it, such as `0-17`.
    pub id: String,
    /// What its message was meant as: `goal`, `input` or `work`.
    pub kind: String,
    /// When it was given up.
    pub at: UnixMillis,
    /// Why.
    pub reason: String,
    /// Subject that the message came on.
    pub subject: String,
    /// Whose message it was, where subject or headers say so.
    pub tenant: Option<Name>,
    /// The task that it was about, where subject or headers say so.
    pub task: Option<TaskId>,
    /// How often it was delivered.
    pub deliveries: Option<u32>,
    /// Size of the message's body.
    pub size_bytes: u64,
    /// What of the message is not kept; it cannot be replayed then.
    pub lost: Option<String>,
}

/// A dead letter whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What is known without its body.
    pub head: LetterHead,
    /// Headers of the message.
    pub headers: Vec<(String, String)>,
    /// Its body; of one beyond every limit, its beginning.
    pub body: Vec<u8>,
}

/// Dead letters, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    /// The letters.
    pub letters: Vec<LetterHead>,
    /// How many older ones there are.
    pub more: u64,
}

/// A breaker as a pod sees it that has no calls of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerView {
    /// What it is about.
    pub target: Target,
    /// `open`, `half-open`, `closed`, `reported`, `forced open` or `forced closed`.
    pub state: &'static str,
    /// Since when it is held or reported; `None` while nothing holds it.
    pub since: Option<UnixMillis>,
    /// Until when.
    pub until: Option<UnixMillis>,
    /// Pods that report it.
    pub reporters: Vec<Name>,
    /// Pod that may probe.
    pub probe: Option<Name>,
    /// What led to it, or why somebody holds it.
    pub reason: Option<String>,
    /// Who holds it.
    pub forced_by: Option<String>,
}

impl BreakerView {
    /// A hint as every pod sees it that has no calls of its own, with so many pods alive.
    #[must_use]
    pub fn of(hint: &Hint, live_pods: usize, now: UnixMillis) -> Self {
        let reporters: Vec<_> = hint.witnesses(now).map(|one| one.pod.clone()).collect();
        let opening = hint.opening.as_ref().filter(|_| !reporters.is_empty());
        let held = hint.held(now);
        let state = match (held.map(|forced| forced.to), opening) {
            (Some(ForcedTo::Open), _) => "forced open",
            (Some(ForcedTo::Closed), _) => "forced closed",
            (None, None) => "closed",
            (None, Some(_)) if reporters.len() < quorum(live_pods) => "reported",
            (None, Some(opening)) if opening.until > now => "open",
            (None, Some(_)) => "half-open",
        };
        let times = match (held, opening) {
            (Some(forced), _) => Some((forced.since, forced.until)),
            (None, Some(opening)) => Some((opening.since, opening.until)),
            (None, None) => None,
        };
        let reason = match (held, opening) {
            (Some(forced), _) => Some(forced.reason.clone()),
            (None, opening) => opening.map(|opening| opening.reason.to_string()),
        };
        Self {
            target: hint.target.clone(),
            state,
            since: times.map(|(since, _)| since),
            until: times.map(|(_, until)| until),
            reporters,
            probe: hint.lease(now).map(|lease| lease.pod.clone()),
            reason,
            forced_by: held.map(|forced| forced.by.clone()),
        }
    }
}

/// How somebody wants a breaker to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Open or closed; `None` forgets everything, and the calls decide again.
    pub to: Option<ForcedTo>,
    /// For how long, at most [`crate::limits::BREAKER_FORCED_MAX`].
    pub lasts: Duration,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Streams, consumers and buckets at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusView {
    /// In the order of a task's life.
    pub streams: Vec<StreamView>,
    /// By stream and name.
    pub consumers: Vec<ConsumerView>,
}

/// One stream or bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamView {
    /// Its name.
    pub name: String,
    /// Whether it is a bucket.
    pub is_bucket: bool,
    /// Messages in it.
    pub messages: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// Its cap; `None` without one.
    pub max_bytes: Option<u64>,
    /// Age of its oldest message; `None` when it is empty, and for buckets.
    pub first_age: Option<Duration>,
    /// Age of its newest message; `None` when it is empty, and for buckets.
    pub last_age: Option<Duration>,
}

/// One durable consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerView {
    /// The stream that it reads.
    pub stream: String,
    /// Its name.
    pub name: String,
    /// The role that it serves; `None` for the others.
    pub role: Option<String>,
    /// Messages not yet delivered.
    pub pending: u64,
    /// Messages delivered and not yet acknowledged.
    pub ack_pending: u64,
    /// Its cap on those.
    pub max_ack_pending: u64,
    /// Messages of those that were delivered more than once.
    pub redelivered: u64,
    /// Pull requests that wait for messages: roughly, how many processes are there.
    pub waiting: u64,
    /// Deliveries that are over, since the consumer was made.
    pub done: u64,
    /// Age of the oldest message that is not dealt with; `None` when there is none.
    pub oldest: Option<Duration>,
    /// The client that owns it; `None` while nobody does, or when anybody may read.
    pub pinned: Option<String>,
}

/// One pack of the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackView {
    /// Name of pack and workflow.
    pub name: Name,
    /// The revision that new goals get.
    pub revision: String,
    /// When it became current.
    pub since: UnixMillis,
}

/// One revision of a pack.
#[derive(Debug, Clone)]
pub struct PackRevision {
    /// What it compiles to.
    pub workflow: std::sync::Arc<Workflow>,
    /// Its files.
    pub source: PackSource,
}

/// What a step has asked of a model or tool.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCall {
    /// The step.
    pub step: StepId,
    /// Who did it.
    pub role: Name,
    /// Its number among the step's calls, from 1.
    pub number: u32,
    /// What its journal says of it.
    pub call: Call,
}

/// What people and programs wish, and look at beside the read model.
pub trait Desk: Send + Sync + 'static {
    /// The broker's time, as well as this process knows it.
    fn now(&self) -> UnixMillis;

    /// Whether the broker answers.
    fn ready(&self) -> Reply<'_, ()>;

    /// Publishes a goal, checked before against its pack, and waits a moment until its task exists.
    ///
    /// Fails as refused when the key belongs to another goal.
    fn publish(&self, wish: GoalWish) -> Reply<'_, Published>;

    /// Where a task stands, from its log.
    fn task<'a>(&'a self, id: &'a TaskId) -> Reply<'a, Task>;

    /// Where a task is, what it waits for and what happens next, in a few sentences.
    fn why<'a>(&'a self, task: &'a Task) -> Reply<'a, String>;

    /// What the steps of a task have asked of models and tools, step by step.
    fn calls<'a>(&'a self, id: &'a TaskId) -> Reply<'a, Vec<StepCall>>;

    /// Hands a wish to the task, and waits for what becomes of it.
    fn steer<'a>(&'a self, task: &'a Task, wish: Wish) -> Reply<'a, Outcome>;

    /// Begins a new task with what this one has done.
    fn fork<'a>(&'a self, task: &'a Task, wish: ForkWish) -> Reply<'a, Published>;

    /// Decides what the task asks, and waits for what becomes of it.
    fn decide<'a>(&'a self, task: &'a Task, wish: DecisionWish) -> Reply<'a, Outcome>;

    /// Dead letters, the newest first.
    fn letters(&self, query: LetterQuery) -> Reply<'_, Letters>;

    /// One dead letter.
    fn letter<'a>(&'a self, id: &'a str) -> Reply<'a, Letter>;

    /// Publishes a dead letter's message once more and removes the letter; says the message's subject.
    /// Who did it is in the audit trail.
    fn replay<'a>(&'a self, id: &'a str, by: &'a str) -> Reply<'a, String>;

    /// Removes a dead letter for good. Who did it is in the audit trail.
    fn discard<'a>(&'a self, id: &'a str, by: &'a str) -> Reply<'a, ()>;

    /// Breakers that the fleet knows something about.
    fn breakers(&self) -> Reply<'_, Vec<BreakerView>>;

    /// Holds a breaker open or closed, or lets the calls decide again. Who did it is in the audit trail.
    fn hold<'a>(&'a self, target: &'a Target, hold: Hold) -> Reply<'a, BreakerView>;

    /// Processes that serve.
    fn members(&self) -> Reply<'_, Vec<Member>>;

    /// Streams, consumers and buckets.
    fn bus(&self) -> Reply<'_, BusView>;

    /// How the broker differs from what is declared; empty when it does not.
    fn drift(&self) -> Reply<'_, Vec<Drift>>;

    /// Some messages of a stream, taken from nobody; not found when it is none of ours.
    fn peek(&self, query: PeekQuery) -> Reply<'_, Peek>;

    /// Open alerts, the ones that need somebody now first.
    fn alerts(&self) -> Reply<'_, Vec<Alert>>;

    /// Packs with their current revisions, by name.
    fn packs(&self) -> Reply<'_, Vec<PackView>>;

    /// One revision of a pack; `None` is the current one.
    fn pack<'a>(&'a self, name: &'a Name, revision: Option<&'a str>) -> Reply<'a, PackRevision>;

    /// Every revision that is kept, of all packs, the ones applied first at the end.
    fn revisions(&self, limit: usize) -> Reply<'_, Vec<String>>;

    /// The newest entries of the audit trail that are wanted.
    fn audit(&self, query: Query) -> Reply<'_, Listed>;

    /// Every webhook with how it goes, the oldest first.
    fn webhooks(&self) -> Reply<'_, Vec<(Webhook, WebhookState)>>;

    /// Keeps a new webhook; refused when there are too many. Who did it is in the audit trail.
    fn add_webhook<'a>(&'a self, webhook: &'a Webhook) -> Reply<'a, ()>;

    /// Keeps a webhook as it is now; refused when it is not there. Who did it is in the audit trail.
    fn change_webhook<'a>(&'a self, webhook: &'a Webhook, by: &'a str) -> Reply<'a, ()>;

    /// Removes a webhook with what it is still to be told. Who did it is in the audit trail.
    fn remove_webhook<'a>(&'a self, webhook: &'a Webhook, by: &'a str) -> Reply<'a, ()>;

    /// The API token of this hash; `None` when there is none.
    fn token(&self, hash: Hash) -> Reply<'_, Option<Token>>;
}
