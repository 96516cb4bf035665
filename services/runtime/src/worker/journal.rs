//! The shell of a step's journal: claim, intent, call, outcome; see [`cadre_core::journal`].
//!
//! A step claims its journal with its first call, so a step that calls nothing writes nothing. Calls of
//! one step are begun in the order in which they are asked for, and made one after the other; those that
//! are asked for together are made at the same time, once all of their intents are durable.
//!
//! ```text
//!  call ─► read, claim (once) ─► intent ─► the call itself ─► outcome ─► its result
//!              └───────┴────────────┴───────────────────────────┴─► refused: somebody else holds the
//!                                                                   step; this one ends, unreported
//! ```
//!
//! A call that is not to be made, or whose outcome nobody knows, is an error; a runner passes it on.

mod calls;
mod door;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use cadre_core::{
    journal::{CallKind, Claim, Entry, Fact, History, Intent, JournalId, Ledger, Refusal},
    payload::{Hash, Payload},
    ports::{BusError, JournalError, Journals, Pages},
    task::{Failure, FailureKind, Outcome, clip},
    workflow::Grant,
};
use futures::future::BoxFuture;
use serde_json::json;
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

use super::{Ran, Step, step::RETRY};
use crate::{backoff::Backoff, breaker::Breakers};

/// Claims that are tried while others claim the same step.
const CLAIMS_MAX: u32 = 8;

/// What a runner wants to call.
#[derive(Debug, Clone)]
pub struct CallSpec {
    /// Which model or tool; at most 256 bytes.
    pub target: String,
    /// Everything that makes it this call and no other.
    pub arguments: Payload,
    /// What it does, for the person who may have to look.
    pub description: String,
    kind: CallKind,
    is_idempotent: bool,
    reserved: Grant,
}

impl CallSpec {
    /// A call of a model that costs at most `reserved`.
    #[must_use]
    pub fn model(target: &str, arguments: Payload, reserved: Grant) -> Self {
        let (target, description) = (target.to_owned(), format!("ask {target}"));
        let (kind, is_idempotent) = (CallKind::Model, true);
        Self { target, arguments, description, kind, is_idempotent, reserved }
    }

    /// A call of a tool that must not happen twice.
    #[must_use]
    pub fn once(target: &str, arguments: Payload, description: &str) -> Self {
        let (target, description) = (target.to_owned(), description.to_owned());
        let (kind, is_idempotent, reserved) = (CallKind::Tool, false, Grant::default());
        Self { target, arguments, description, kind, is_idempotent, reserved }
    }

    /// A call of a tool that has one effect however often it is made under one key.
    #[must_use]
    pub fn idempotent(target: &str, arguments: Payload, description: &str) -> Self {
        Self { is_idempotent: true, ..Self::once(target, arguments, description) }
    }

    /// The same call, of which each time costs at most `reserved`.
    #[must_use]
    pub fn costing(self, reserved: Grant) -> Self {
        Self { reserved, ..self }
    }

    fn intent(&self) -> Intent {
        Intent {
            kind: self.kind,
            target: self.target.clone(),
            arguments: Hash::of(self.arguments.text().as_bytes()),
            description: clip(&self.description),
            is_idempotent: self.is_idempotent,
            reserved: self.reserved,
        }
    }
}

/// What a call needs to be made.
#[derive(Debug, Clone)]
pub struct Making {
    /// Its key outside: the same on every delivery, attempt and worker.
    pub key: String,
    /// The account, this call's reservation included: [`Ledger::is_near`] tells the agent to be brief.
    pub ledger: Ledger,
    /// When its time is over: it is dropped then.
    pub deadline: Instant,
}

/// What came of a call that was made.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// It happened.
    Done {
        /// What came back.
        result: Payload,
        /// What it cost.
        cost: Grant,
    },
    /// It did not happen, for certain.
    Failed {
        /// Why.
        failure: Failure,
        /// What it cost all the same.
        cost: Grant,
    },
    /// Nobody knows; for people.
    Unknown(String),
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    /// It did not happen, now or in this attempt before.
    #[error("{}: {}", .0.kind.as_str(), .0.message)]
    Failed(Failure),
    /// It was begun, must not happen twice, and nobody knows whether it happened.
    #[error("nobody knows whether call {number} ({target}) happened: {why}")]
    Unknown {
        /// Its number in the step.
        number: u32,
        /// Which model or tool.
        target: String,
        /// What is known.
        why: String,
    },
    /// It must not be made.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let kind = match &error {
            CallError::Failed(failure) => return failure.clone(),
            CallError::Unknown { .. } => FailureKind::OutcomeUnknown,
            CallError::Refused(Refusal::Grant(_)) => FailureKind::Limit,
            // Nothing was called: the bus may be well again.
            CallError::Journal(JournalError::Bus(BusError::Unavailable(_))) => {
                FailureKind::Unavailable
            }
            // What was called before cannot be read: it may have been anything.
            CallError::Journal(JournalError::Damaged { .. }) => FailureKind::OutcomeUnknown,
            CallError::Refused(Refusal::Changed(_) | Refusal::TooMany)
            | CallError::Journal(JournalError::Moved { .. } | JournalError::Bus(_)) => {
                FailureKind::Error
            }
        };
        Self::new(kind, &error.to_string())
    }
}

/// [`Journals`] of any bus: a step need not know which.
pub(super) trait Shelf: Send + Sync {
    fn read<'a>(&'a self, id: &'a JournalId) -> BoxFuture<'a, Result<Pages, JournalError>>;

    fn append<'a>(
        &'a self,
        id: &'a JournalId,
        expected: u64,
        entry: &'a Entry,
    ) -> BoxFuture<'a, Result<u64, JournalError>>;
}

impl<B: Journals> Shelf for B {
    fn read<'a>(&'a self, id: &'a JournalId) -> BoxFuture<'a, Result<Pages, JournalError>> {
        Box::pin(self.read_journal(id))
    }

    fn append<'a>(
        &'a self,
        id: &'a JournalId,
        expected: u64,
        entry: &'a Entry,
    ) -> BoxFuture<'a, Result<u64, JournalError>> {
        Box::pin(self.append_journal(id, expected, entry))
    }
}

/// Where a step's journal is, and who reads it.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) shelf: Arc<dyn Shelf>,
    pub(super) worker: Arc<str>,
    /// Who knows which tools are to be left alone; `None` calls them whatever happens.
    pub(super) breakers: Option<Breakers>,
}

/// A step's journal in a worker's hands.
pub(super) struct Journal {
    desk: Desk,
    /// Held from a call's intent to its outcome, so that only what is asked for together is out together.
    open: Mutex<Option<Open>>,
    fenced: Notify,
}

/// A journal that was read and claimed.
struct Open {
    id: JournalId,
    history: History,
    sequence: u64,
    /// Calls asked for so far.
    asked: u32,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

impl Journal {
    pub(super) fn new(desk: Desk) -> Self {
        Self { desk, open: Mutex::new(None), fenced: Notify::new() }
    }

    /// Returns once somebody else holds the step: it is to end without a word.
    pub(super) async fn fenced(&self) {
        self.fenced.notified().await;
    }

    /// What is left to do of a step that somebody else holds: nothing, until it is dropped.
    async fn give_up(&self, step: &Step) -> ! {
        tracing::warn!(
            role = %step.role, task = %step.task, step = %step.step, attempt = step.attempt,
            deliveries = step.deliveries, "step was taken over by another worker, giving it up"
        );
        self.fenced.notify_one();
        std::future::pending().await
    }

    /// The journal in hand, claimed with the first use of it.
    async fn opened<'a>(
        &self,
        step: &Step,
        open: &'a mut Option<Open>,
    ) -> Result<&'a mut Open, JournalError> {
        match open {
            Some(open) => Ok(open),
            None => Ok(open.insert(self.hold(step).await?)),
        }
    }

    /// Claims the step. Whoever cannot reach the journal goes on trying: another delivery may be calling
    /// something meanwhile, so nobody may say that nothing was called, and a report needs the same bus.
    async fn hold(&self, step: &Step) -> Result<Open, JournalError> {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            match self.claim(step).await {
                Err(JournalError::Bus(BusError::Unavailable(_))) => {}
                held => return held,
            }
            if !backoff.pause_before(step.deadline).await {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Reads the journal and claims the step.
    async fn claim(&self, step: &Step) -> Result<Open, JournalError> {
        let (attempt, delivery) = (step.attempt, step.deliveries.max(1));
        let claim = Claim { attempt, delivery, worker: self.desk.worker.to_string() };
        for _ in 0..CLAIMS_MAX {
            let mut open = self.read(step).await?;
            if open.history.claim().is_some_and(|holder| claim.is_older_than(holder)) {
                self.give_up(step).await;
            }
            let rev = open.history.rev().saturating_add(1);
            let entry = Entry { rev, fact: Fact::Claimed(claim.clone()) };
            match self.desk.shelf.append(&open.id, open.sequence, &entry).await {
                Ok(sequence) => {
                    let applied = open.history.apply(&entry);
                    applied.map_err(|error| damaged(&open.id, &error))?;
                    open.sequence = sequence;
                    return Ok(open);
                }
                Err(JournalError::Moved { .. }) => {}
                Err(error @ (JournalError::Damaged { .. } | JournalError::Bus(_))) => {
                    return Err(error);
                }
            }
        }
        let (task, step) = (step.task.clone(), step.step.clone());
        Err(JournalError::Moved { task, step })
    }

    async fn read(&self, step: &Step) -> Result<Open, JournalError> {
        let (role, task, id) = (step.role.clone(), step.task.clone(), step.step.clone());
        let id = JournalId { role, task, step: id };
        let Pages { entries, sequence } = self.desk.shelf.read(&id).await?;
        let mut history = History::default();
        for entry in &entries {
            history.apply(entry).map_err(|error| damaged(&id, &error))?;
        }
        Ok(Open { id, history, sequence, asked: 0 })
    }

    /// What earlier deliveries of the attempt have called, where this one has not looked; `None` where
    /// nobody can have called anything, and where it cannot be read in time.
    async fn before(&self, step: &Step) -> Option<Open> {
        if step.deliveries <= 1 {
            return None;
        }
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            match self.read(step).await {
                Ok(open) => return Some(open),
                Err(error) => {
                    tracing::warn!(task = %step.task, step = %step.step, %error, "journal not read");
                }
            }
            if !backoff.pause_before(step.deadline).await {
                return None;
            }
        }
    }

    /// Appends until it is durable; a step that cannot say what it did must not go on.
    async fn note(&self, step: &Step, open: &mut Open, fact: Fact) -> Result<(), CallError> {
        let entry = Entry { rev: open.history.rev().saturating_add(1), fact };
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            match self.desk.shelf.append(&open.id, open.sequence, &entry).await {
                Ok(sequence) => {
                    open.sequence = sequence;
                    let applied = open.history.apply(&entry);
                    return Ok(applied.map_err(|error| damaged(&open.id, &error))?);
                }
                Err(JournalError::Moved { .. }) => self.give_up(step).await,
                Err(error @ (JournalError::Damaged { .. } | JournalError::Bus(_))) => {
                    tracing::warn!(task = %step.task, step = %step.step, %error, "journal not written");
                }
            }
            if !backoff.pause_before(step.deadline).await {
                // The runner is dropped at the deadline, whatever it waits for.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Replaces what the runner says of its cost, and of calls whose outcome nobody knows.
    pub(super) async fn close(&self, step: &Step, mut ran: Ran) -> Ran {
        let mut open = self.open.lock().await;
        if open.is_none() {
            *open = self.before(step).await;
        }
        let Some(open) = open.as_ref() else { return ran };
        let used = open.history.ledger(step.attempt, step.grant).used();
        (ran.usage.usd_micros, ran.usage.tokens) = (used.usd_micros, used.tokens);
        ran.models = open.history.models(step.attempt);
        // What a person has ruled on is known, though perhaps not yet in the journal.
        let ruled = step.ruled.as_ref().map_or(0, |ruled| ruled.attempt);
        if open.history.unknown().any(|(_, call)| call.begun.attempt > ruled) {
            ran.outcome = Outcome::Failed(doubt(open));
        }
        ran
    }
}

/// The failure that asks a person about calls in doubt, with all that is known about them.
fn doubt(open: &Open) -> Failure {
    let mut texts = Vec::new();
    let mut calls = Vec::new();
    for (number, call) in open.history.unknown() {
        let (intent, begun) = (&call.intent, &call.begun);
        texts.push(format!(
            "call {number} ({}: {}) was begun by {} and has no outcome",
            intent.target, intent.description, begun.worker
        ));
        calls.push(json!({
            "call": number,
            "key": open.id.effect_key(number),
            "target": intent.target,
            "description": intent.description,
            "arguments_sha256": intent.arguments.to_string(),
            "attempt": begun.attempt,
            "worker": begun.worker,
        }));
    }
    let refused = Payload::from_value(json!({ "calls": calls })).ok();
    Failure { refused, ..Failure::new(FailureKind::OutcomeUnknown, &texts.join("; ")) }
}

fn damaged(id: &JournalId, error: &dyn fmt::Display) -> JournalError {
    let (task, step, what) = (id.task.clone(), id.step.clone(), error.to_string());
    JournalError::Damaged { task, step, what }
}
