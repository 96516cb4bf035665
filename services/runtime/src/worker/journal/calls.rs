//! What a runner does with its step's journal: make calls, one or several, and look back at them.

use std::{collections::BTreeMap, future::Future};

use cadre_core::{
    journal::{CallOutcome, Fact, History, Ledger, Next},
    payload::Payload,
    workflow::Grant,
};
use futures::{StreamExt as _, stream::FuturesUnordered};

use super::{CallError, CallSpec, Made, Making, Open, Step, door::Door};

/// A call that was asked for.
enum Begun {
    /// It was made before.
    Known(Payload),
    /// Its intent is durable: number and target, and what is between it and its tool.
    Out((u32, String), Door),
}

impl Step {
    /// Makes a call, unless the step's journal says that it was made before; says what came of it.
    ///
    /// The intent is durable before `make` is called, the outcome before this returns. A step that
    /// somebody else has taken over meanwhile ends here: the future never returns, and the shell drops
    /// it with the runner and reports nothing. A call whose future is dropped has no outcome.
    ///
    /// # Errors
    /// [`CallError`] when there is no result; nothing was called then, but for
    /// [`CallError::Unknown`]. It becomes the step's failure by `into`.
    pub async fn call<F>(
        &self,
        spec: CallSpec,
        make: impl FnOnce(Making) -> F,
    ) -> Result<Payload, CallError>
    where
        F: Future<Output = Made>,
    {
        let mut guard = self.journal.open.lock().await;
        let open = self.journal.opened(self, &mut guard).await?;
        match self.begin(open, spec).await? {
            Begun::Known(result) => Ok(result),
            Begun::Out(call, door) => {
                let making = self.making(open, call.0);
                let made = door.pass(|| make(making)).await;
                self.settle(open, call, made).await
            }
        }
    }

    /// Makes calls at the same time, as [`Self::call`] makes one; what came of each, in their order.
    /// `make` is told the place of its call in `specs`. All have ended when this returns.
    ///
    /// # Errors
    /// [`CallError::Journal`] when the journal cannot be used: nothing was called.
    pub async fn call_all<F>(
        &self,
        specs: Vec<CallSpec>,
        make: impl Fn(usize, Making) -> F,
    ) -> Result<Vec<Result<Payload, CallError>>, CallError>
    where
        F: Future<Output = Made>,
    {
        let mut guard = self.journal.open.lock().await;
        let open = self.journal.opened(self, &mut guard).await?;
        let mut results = BTreeMap::new();
        let mut begun = Vec::new();
        for (place, spec) in specs.into_iter().enumerate() {
            match self.begin(open, spec).await {
                Ok(Begun::Known(result)) => drop(results.insert(place, Ok(result))),
                Ok(Begun::Out(call, door)) => begun.push((place, call, door)),
                Err(error) => drop(results.insert(place, Err(error))),
            }
        }
        let mut out: FuturesUnordered<_> = begun
            .into_iter()
            .map(|(place, call, door)| {
                let (making, make) = (self.making(open, call.0), &make);
                async move { (place, call, door.pass(|| make(place, making)).await) }
            })
            .collect();
        while let Some((place, call, made)) = out.next().await {
            results.insert(place, self.settle(open, call, made).await);
        }
        Ok(results.into_values().collect())
    }

    /// Notes the intent of the next call, unless its outcome is known.
    async fn begin(&self, open: &mut Open, spec: CallSpec) -> Result<Begun, CallError> {
        open.asked = open.asked.saturating_add(1);
        let (number, intent) = (open.asked, spec.intent());
        loop {
            let known = (self.grant, self.ruled.as_ref());
            match open.history.next(number, &intent, known)? {
                Next::Known(CallOutcome::Done(result)) => return Ok(Begun::Known(result)),
                Next::Known(CallOutcome::Failed(failure)) => {
                    return Err(CallError::Failed(failure));
                }
                Next::Unknown => {
                    let why = "its worker went away in the middle of it".to_owned();
                    return Err(CallError::Unknown { number, target: spec.target, why });
                }
                Next::Ruled(outcome, by) => {
                    let (cost, ruled_by) = (Grant::default(), Some(by));
                    let fact = Fact::Ended { call: number, outcome, cost, ruled_by };
                    self.journal.note(self, open, fact).await?;
                }
                Next::Make => break,
            }
        }
        let door = Door::of(self.journal.desk.breakers.as_ref(), &spec, self.deadline);
        // A call that may not go out is begun and has failed: numbers are dense, and a takeover sees why.
        self.journal.note(self, open, Fact::Begun { call: number, intent }).await?;
        Ok(Begun::Out((number, spec.target), door))
    }

    fn making(&self, open: &Open, number: u32) -> Making {
        let ledger = open.history.ledger(self.attempt, self.grant);
        if ledger.is_near() {
            let (used, granted) = (ledger.used(), ledger.granted);
            tracing::warn!(
                role = %self.role, task = %self.task, step = %self.step,
                usd_micros = used.usd_micros, usd_micros_max = granted.usd_micros,
                tokens = used.tokens, tokens_max = granted.tokens, "grant is nearly used"
            );
        }
        Making { key: open.id.effect_key(number), ledger, deadline: self.deadline }
    }

    async fn settle(
        &self,
        open: &mut Open,
        (number, target): (u32, String),
        made: Made,
    ) -> Result<Payload, CallError> {
        let (outcome, cost) = match made {
            Made::Done { result, cost } => (CallOutcome::Done(result), cost),
            Made::Failed { failure, cost } => (CallOutcome::Failed(failure), cost),
            Made::Unknown(why) => return Err(CallError::Unknown { number, target, why }),
        };
        let (ruled_by, told) = (None, outcome.clone());
        self.journal
            .note(self, open, Fact::Ended { call: number, outcome, cost, ruled_by })
            .await?;
        match told {
            CallOutcome::Done(result) => Ok(result),
            CallOutcome::Failed(failure) => Err(CallError::Failed(failure)),
        }
    }

    /// Reads something off what the step has called, on earlier deliveries and attempts too. Claims the
    /// journal, so it is for a step that is about to call something.
    ///
    /// # Errors
    /// [`CallError::Journal`] when the journal cannot be used.
    pub async fn history<T>(&self, read: impl FnOnce(&History) -> T) -> Result<T, CallError> {
        let mut guard = self.journal.open.lock().await;
        Ok(read(&self.journal.opened(self, &mut guard).await?.history))
    }

    /// The account of this attempt so far; what was granted, before the first call.
    pub async fn ledger(&self) -> Ledger {
        let open = self.journal.open.lock().await;
        let fresh = Ledger { granted: self.grant, ..Ledger::default() };
        open.as_ref().map_or(fresh, |open| open.history.ledger(self.attempt, self.grant))
    }
}
