//! The fold of a journal, and what follows for the next call.

use std::collections::BTreeMap;

use super::{CallOutcome, CallRuling, Claim, Entry, Fact, Intent, Ledger, OverGrant, Ruled};
use crate::{
    limits::JOURNAL_CALLS_MAX,
    payload::Payload,
    task::{Failure, FailureKind},
    workflow::Grant,
};

/// Where a step's calls stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    rev: u64,
    claim: Option<Claim>,
    calls: Vec<Call>,
    /// Of calls that are not out, by attempt.
    spent: BTreeMap<u32, Grant>,
}

/// One call of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What it is, as it was begun last.
    pub intent: Intent,
    /// Who began it last.
    pub begun: Claim,
    /// What became of it; `None` while nobody knows.
    pub ended: Option<Ended>,
}

/// The end of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// What became of it.
    pub outcome: CallOutcome,
    /// What it cost.
    pub cost: Grant,
    /// The person who knew, where no worker did.
    pub ruled_by: Option<String>,
}

/// An entry that cannot follow: the journal is not what one worker after the other wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// An entry is missing, or comes twice.
    #[error("the journal continues with entry {found} in place of {expected}")]
    Gap {
        /// What comes next.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// Nobody holds the step.
    #[error("call {0} was noted before the step was claimed")]
    Unclaimed(u32),
    /// An older order took the step from a newer one.
    #[error("attempt {attempt}, delivery {delivery}, took the step from a newer order")]
    WentBack {
        /// Of the claim.
        attempt: u32,
        /// Of the claim.
        delivery: u32,
    },
    /// The numbers of calls are not dense.
    #[error("call {0} comes before the one in front of it")]
    Skipped(u32),
    /// Another call has the number.
    #[error("call {0} is another call than before")]
    Changed(u32),
    /// It has happened, or may have, and must not happen twice.
    #[error("call {0} was begun again although it has happened, or may have")]
    Repeated(u32),
    /// It has ended, or somebody else's worker ended it.
    #[error("call {0} has an outcome that its worker cannot know")]
    NotOut(u32),
}

/// What to do about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Note the intent and make it.
    Make,
    /// It was made before: this came of it.
    Known(CallOutcome),
    /// A person knows: note that it ended so, then look again.
    Ruled(CallOutcome, String),
    /// It was begun, must not happen twice, and nobody knows whether it happened.
    Unknown,
}

/// A call that is not to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It would cost too much.
    #[error(transparent)]
    Grant(#[from] OverGrant),
    /// The step has taken another way than before.
    #[error(
        "call {0} is another call than the step's journal has: a step must make the same calls \
         in the same order whenever it is run"
    )]
    Changed(u32),
    /// A step that calls without end.
    #[error("a step has at most {JOURNAL_CALLS_MAX} calls")]
    TooMany,
}

impl History {
    /// Entries so far.
    #[must_use]
    pub fn rev(&self) -> u64 {
        self.rev
    }

    /// Who holds the step; `None` for an empty journal.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// The calls by number, from 1.
    pub fn calls(&self) -> impl Iterator<Item = (u32, &Call)> {
        (1..).zip(&self.calls)
    }

    /// Calls that were begun, must not happen twice, and have no outcome.
    pub fn unknown(&self) -> impl Iterator<Item = (u32, &Call)> {
        self.calls().filter(|(_, call)| call.ended.is_none() && !call.intent.is_idempotent)
    }

    /// The account of an attempt.
    #[must_use]
    pub fn ledger(&self, attempt: u32, granted: Grant) -> Ledger {
        let out = self.calls.iter().filter(|call| call.ended.is_none());
        let out = out.filter(|call| call.begun.attempt == attempt);
        let reserved = out.fold(Grant::default(), |sum, call| sum.plus(call.intent.reserved));
        let spent = self.spent.get(&attempt).copied().unwrap_or_default();
        Ledger { granted, spent, reserved }
    }

    /// What an attempt had used before it could know how its last call ended: its worker may have gone without an
    /// answer from the journal, and then it says what was set aside. `None` when no call of it has ended.
    #[must_use]
    pub fn used_unheard(&self, attempt: u32) -> Option<Grant> {
        let mut own = self.calls.iter().rev().filter(|call| call.begun.attempt == attempt);
        let last = own.next()?;
        let ended = last.ended.as_ref().filter(|ended| ended.ruled_by.is_none())?;
        let used = self.ledger(attempt, Grant::default()).used();
        Some(used.minus(ended.cost).plus(last.intent.reserved))
    }

    /// Which of the attempts that have called something this one is, from 1; never less on a later delivery.
    #[must_use]
    pub fn tries(&self, attempt: u32) -> u32 {
        let before = self.spent.range(..attempt).count();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Folds one entry.
    ///
    /// # Errors
    /// [`HistoryError`] when it cannot follow; nothing has changed then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), HistoryError> {
        let expected = self.rev.saturating_add(1);
        if entry.rev != expected {
            return Err(HistoryError::Gap { expected, found: entry.rev });
        }
        match &entry.fact {
            Fact::Claimed(claim) => self.claimed(claim)?,
            Fact::Begun { call, intent } => self.begun(*call, intent)?,
            Fact::Ended { call, outcome, cost, ruled_by } => {
                let (outcome, ruled_by) = (outcome.clone(), ruled_by.clone());
                self.ended(*call, Ended { outcome, cost: *cost, ruled_by })?;
            }
        }
        self.rev = entry.rev;
        Ok(())
    }

    fn claimed(&mut self, claim: &Claim) -> Result<(), HistoryError> {
        if self.claim.as_ref().is_some_and(|before| claim.is_older_than(before)) {
            let Claim { attempt, delivery, .. } = *claim;
            return Err(HistoryError::WentBack { attempt, delivery });
        }
        self.claim = Some(claim.clone());
        Ok(())
    }

    fn begun(&mut self, number: u32, intent: &Intent) -> Result<(), HistoryError> {
        let claim = self.claim.clone().ok_or(HistoryError::Unclaimed(number))?;
        let call = Call { intent: intent.clone(), begun: claim, ended: None };
        let Some(before) = self.call(number) else {
            if u32::try_from(self.calls.len()).ok() != number.checked_sub(1) {
                return Err(HistoryError::Skipped(number));
            }
            self.calls.push(call);
            return Ok(());
        };
        if !before.intent.is_same_call(intent) {
            return Err(HistoryError::Changed(number));
        }
        if !before.may_be_made(&call.begun) {
            return Err(HistoryError::Repeated(number));
        }
        if before.ended.is_none() {
            // Nobody will ever know what it cost: at most what was set aside.
            let (attempt, lost) = (before.begun.attempt, before.intent.reserved);
            self.charge(attempt, lost);
        }
        if let Some(slot) = self.slot(number) {
            *slot = call;
        }
        Ok(())
    }

    fn ended(&mut self, number: u32, ended: Ended) -> Result<(), HistoryError> {
        let claim = self.claim.clone().ok_or(HistoryError::Unclaimed(number))?;
        let call = self.call(number).ok_or(HistoryError::NotOut(number))?;
        // A worker knows what it called itself; a person is asked about everybody else's.
        let is_own = call.begun == claim;
        if call.ended.is_some() || is_own != ended.ruled_by.is_none() {
            return Err(HistoryError::NotOut(number));
        }
        let (attempt, cost) = match ended.ruled_by {
            None => (call.begun.attempt, ended.cost),
            Some(_) => (call.begun.attempt, call.intent.reserved),
        };
        self.charge(attempt, cost);
        if let Some(slot) = self.slot(number) {
            slot.ended = Some(ended);
        }
        Ok(())
    }

    fn charge(&mut self, attempt: u32, cost: Grant) {
        let spent = self.spent.entry(attempt).or_default();
        *spent = spent.plus(cost);
    }

    fn call(&self, number: u32) -> Option<&Call> {
        self.calls.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    fn slot(&mut self, number: u32) -> Option<&mut Call> {
        self.calls.get_mut(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// What whoever holds the step is to do about its call by this number.
    ///
    /// # Errors
    /// [`Refusal`] when the call must not be made, whatever became of it before.
    pub fn next(
        &self,
        number: u32,
        intent: &Intent,
        (granted, ruled): (Grant, Option<&Ruled>),
    ) -> Result<Next, Refusal> {
        let Some(claim) = &self.claim else { return Ok(Next::Unknown) };
        if number > JOURNAL_CALLS_MAX {
            return Err(Refusal::TooMany);
        }
        if let Some(call) = self.call(number) {
            if !call.intent.is_same_call(intent) {
                return Err(Refusal::Changed(number));
            }
            if !call.may_be_made(claim) {
                return Ok(call.settled(ruled));
            }
        }
        self.ledger(claim.attempt, granted).check(intent.reserved)?;
        Ok(Next::Make)
    }
}

impl Call {
    /// Whether the holder of `claim` may make it again: it did not happen, or it may happen twice.
    fn may_be_made(&self, claim: &Claim) -> bool {
        match self.ended.as_ref().map(|ended| &ended.outcome) {
            None => self.intent.is_idempotent,
            // Within its attempt a failure stands, so that whoever takes over fails the same way.
            Some(CallOutcome::Failed(_)) => self.begun.attempt < claim.attempt,
            Some(CallOutcome::Done(_)) => false,
        }
    }

    fn settled(&self, ruled: Option<&Ruled>) -> Next {
        if let Some(ended) = &self.ended {
            return Next::Known(ended.outcome.clone());
        }
        let Some(ruled) = ruled.filter(|ruled| self.begun.attempt <= ruled.attempt) else {
            return Next::Unknown;
        };
        Next::Ruled(ruled.outcome(), ruled.by.clone())
    }
}

impl Ruled {
    fn outcome(&self) -> CallOutcome {
        match &self.ruling {
            CallRuling::Happened(result) => CallOutcome::Done(Payload::clone(result)),
            CallRuling::DidNot => {
                let text = format!("{} says that it did not happen", self.by);
                CallOutcome::Failed(Failure::new(FailureKind::Unavailable, &text))
            }
        }
    }
}
