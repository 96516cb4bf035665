//! One call: whom to ask, what it may cost, the asking itself, and what it did cost.
//!
//! ```text
//!  choose (pure) ─┬─ wait ──► choose again
//!                 ├─ nobody ► failure
//!                 └─ route ─► asking ───┬─ said ──► settled, answered
//!                       ▲               ├─ 429 ───► all gateways leave the model alone
//!                       └───────────────┴─ failed ► passed over at this call
//! ```
//!
//! Invariant: what is set aside for a try is never more than what the request's grant leaves after what the
//! tries before it may have cost. A try whose answer was lost counts in full: it may be on the bill.

mod asking;
mod figures;
mod target;
#[cfg(test)]
pub(crate) mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cadre_core::{
    ids::Name,
    model::{
        Choice, ModelAnswer, ModelFailure, ModelRequest, ProviderFailure, ProviderFailureKind,
        Said, TokenUsage, cache,
        gateway::Word,
        price::{Price, Prices, PricesError},
        route::{self, Chosen, NoRoute},
    },
    ports::{BusError, Packs},
    task::{Failure, FailureKind},
    workflow::{Grant, ModelAlias, Route, Workflow},
};
use cadre_runtime::{breaker::Breakers, cache::Cache, metrics::table, tokens};
use tokio::time::{Instant, sleep_until};

use self::asking::{Asking, Try};
use crate::{
    fleet::Fleet,
    pace::{Pacers, RateTable},
    provider::Providers,
    simulated::{Simulated, SimulatedOptions},
};

/// Answers that are kept for the packs that allow it.
const ANSWERS_MAX: usize = 256;

/// Tries of one call, waits included: what its time allows is mostly less.
const TRIES_MAX: u32 = 64;

/// What the way back needs of the call's time.
const REPLY_RESERVE: Duration = Duration::from_millis(50);

/// What is heard of an answer as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound<'a> {
    /// An answer begins: what was heard before does not count.
    Begin,
    /// More of its text.
    Text(&'a str),
}

/// What a gateway works with.
#[derive(Debug)]
pub struct GatewayTerms<P> {
    /// Names this gateway among others.
    pub pod: Name,
    /// What aliases mean, and what `simulated` says.
    pub packs: P,
    /// Whom it can ask.
    pub providers: Providers,
    /// How the simulated provider behaves.
    pub simulated: SimulatedOptions,
    /// How fast each model may be asked by the whole fleet.
    pub rates: RateTable,
    /// The process's breakers.
    pub breakers: Breakers,
}

/// Answers questions to models.
pub struct Gateway<P> {
    packs: P,
    providers: Providers,
    simulated: Simulated,
    breakers: Breakers,
    prices: Prices,
    pacers: Pacers,
    fleet: Fleet,
    /// Of this process only, by a key that begins with the tenant.
    answers: Cache<String, Said>,
}

type Heard<'a> = &'a (dyn Fn(Sound<'_>) + Send + Sync);

/// What has happened to one call so far.
#[derive(Debug, Default)]
struct Course {
    /// What lost tries may have cost.
    spent: Grant,
    /// Routes that failed, by their place, and how.
    failed: BTreeMap<usize, ProviderFailure>,
}

impl<P: Packs> Gateway<P> {
    /// Makes a gateway with the price table of this build.
    ///
    /// # Errors
    /// [`PricesError`] never: a test reads the table.
    pub fn new(terms: GatewayTerms<P>) -> Result<Self, PricesError> {
        let GatewayTerms { pod, packs, providers, simulated, rates, breakers } = terms;
        let (prices, fleet, pacers) = (Prices::built_in()?, Fleet::new(pod), Pacers::new(rates));
        let simulated = Simulated::new(simulated);
        let answers = Cache::new(ANSWERS_MAX);
        Ok(Self { packs, providers, simulated, breakers, prices, pacers, fleet, answers })
    }

    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// What this gateway tells the others now.
    pub(crate) fn word(&self, is_leaving: bool) -> Word {
        Word { limits: self.pacers.learnt(), ..self.fleet.word(is_leaving) }
    }

    /// Hears what a gateway says.
    pub(crate) fn hear(&self, word: Word) {
        if !self.fleet.is_own(&word) {
            self.pacers.hear_learnt(&word.limits);
        }
        self.fleet.hear(word);
    }

    /// Answers one question within its time.
    ///
    /// # Errors
    /// [`ModelFailure`] with what it cost all the same, and why each route was passed over.
    pub async fn answer(
        &self,
        request: &ModelRequest,
        heard: Heard<'_>,
    ) -> Result<ModelAnswer, ModelFailure> {
        let begun = Instant::now();
        let until = begun + request.time_left.saturating_sub(REPLY_RESERVE);
        let workflow = self.workflow(request).await?;
        let alias = workflow.models.get(&request.alias).ok_or_else(|| {
            let text = format!("pack {} has no model {}", workflow.name, request.alias);
            failed(FailureKind::Error, &text)
        })?;
        if let Some(known) = self.known(alias, request, heard) {
            return Ok(ModelAnswer { took: begun.elapsed(), ..known });
        }
        let prompt = Arc::new(request.prompt.clone());
        let asking = Asking {
            prompt_tokens: tokens::of_routes(alias, &prompt, &request.manner).await,
            prompt,
            workflow: &workflow,
            request,
            alias,
            until,
            heard,
        };
        let mut course = Course::default();
        for _ in 0..TRIES_MAX {
            let ask = asking.ask(course.spent);
            let (chosen, lease) = self.with_health(&asking, &course, |health| {
                route::choose(alias, &ask, &self.prices, health)
            });
            let chosen = chosen.map_err(|none| course.ended(none))?;
            if !chosen.wait.is_zero() {
                table::MODEL_PATIENCE.measure(&[&chosen.choice.model], chosen.wait);
                sleep_until((Instant::now() + chosen.wait + jitter()).min(until)).await;
                continue;
            }
            let Some(first) = self.begin(&asking, (chosen, lease)) else { continue };
            heard(Sound::Begin);
            let (second, said) = self.race(&asking, &first, &mut course).await;
            let one = second.unwrap_or(first);
            match said {
                Ok(said) => {
                    let price = self.price(alias, one.route);
                    let cost = settled(price, &one.chosen, said.usage);
                    let taken = asking.taking(&one.model, one.chosen.estimate.tokens);
                    self.pacers.answered(taken, cost.tokens);
                    figures::answered((request, &one.chosen.choice), (price, cost), said.usage);
                    let cost = cost.plus(course.spent);
                    // Of a stand-in nothing is kept: the pack's choice may be well again.
                    if !one.chosen.choice.is_degraded {
                        self.keep(alias, (request, &one.model), &said);
                    }
                    return Ok(self.done(said, cost, one.chosen.choice, begun));
                }
                Err(failure) => self.note(&mut course, &one, failure)?,
            }
        }
        Err(course.over(FailureKind::RateLimited, "too many tries: come again later"))
    }

    /// What the same question of the same tenant was answered before.
    fn known(
        &self,
        alias: &ModelAlias,
        request: &ModelRequest,
        heard: Heard<'_>,
    ) -> Option<ModelAnswer> {
        let (model, said) = alias.routes.iter().find_map(|route| {
            let (model, key) = (route.name(), answer_key(alias, request, &route.name())?);
            let said = self.answers.get_or_make(|kept| *kept == key, || Err(())).ok()?;
            Some((model, said))
        })?;
        heard(Sound::Begin);
        heard(Sound::Text(&said.text));
        let price = alias.routes.iter().find(|route| route.name() == model);
        let price = price.and_then(|route| self.prices.of(route)).unwrap_or_default();
        figures::reused(&model, price.settle(said.usage));
        let why = "the same question was answered before".to_owned();
        let choice = Choice { model, why, is_cached: true, ..Choice::default() };
        let (said, cost, took) = (said.as_ref().clone(), Grant::default(), Duration::ZERO);
        Some(ModelAnswer { said, cost, choice, took })
    }

    fn keep(&self, alias: &ModelAlias, (request, model): (&ModelRequest, &str), said: &Said) {
        if let Some(key) = answer_key(alias, request, model) {
            let make = || Ok::<_, std::convert::Infallible>((key.clone(), said.clone()));
            // It cannot fail, and what is kept is wanted later.
            let _ = self.answers.get_or_make(|kept| *kept == key, make);
        }
    }

    async fn workflow(&self, request: &ModelRequest) -> Result<Arc<Workflow>, ModelFailure> {
        match self.packs.revision(&request.revision).await {
            Ok(Some(workflow)) => Ok(workflow),
            Ok(None) => {
                let text = format!("pack revision {} is not stored", request.revision);
                Err(failed(FailureKind::Error, &text))
            }
            Err(error @ BusError::Unavailable(_)) => {
                Err(failed(FailureKind::Unavailable, &error.to_string()))
            }
            Err(error @ BusError::Refused(_)) => {
                Err(failed(FailureKind::Error, &error.to_string()))
            }
        }
    }

    fn price(&self, alias: &ModelAlias, route: &Route) -> Price {
        // Only a free model is chosen without a price.
        debug_assert!(alias.is_free || self.prices.of(route).is_some());
        self.prices.of(route).unwrap_or_default()
    }

    /// Takes note of a failed try.
    ///
    /// # Errors
    /// When no other route would do better.
    fn note(
        &self,
        course: &mut Course,
        one: &Try<'_>,
        failure: ProviderFailure,
    ) -> Result<(), ModelFailure> {
        let (model, chosen, kind) = (one.model.as_str(), &one.chosen, failure.kind);
        tracing::debug!(model, ?kind, error = %failure, "model did not answer");
        if may_cost(kind) {
            course.spent = course.spent.plus(chosen.estimate);
        }
        match kind {
            ProviderFailureKind::RateLimited => {
                let wait = self.pacers.refused(model, failure.retry_after, &self.fleet);
                tracing::info!(model, wait_ms = wait.as_millis(), "model wants to be left alone");
                Ok(())
            }
            ProviderFailureKind::Refused => {
                let mut refused = failed(FailureKind::Error, &format!("{model}: {failure}"));
                refused.cost = course.spent;
                refused.passed = chosen.choice.passed.clone();
                refused.passed.push((model.to_owned(), failure.message));
                Err(refused)
            }
            ProviderFailureKind::Unavailable
            | ProviderFailureKind::Timeout
            | ProviderFailureKind::TooLong
            | ProviderFailureKind::Credentials
            | ProviderFailureKind::Malformed => {
                course.failed.insert(chosen.index, failure);
                Ok(())
            }
        }
    }

    fn done(&self, said: Said, cost: Grant, choice: Choice, begun: Instant) -> ModelAnswer {
        let (usage, took) = (said.usage, begun.elapsed());
        tracing::debug!(
            model = choice.model,
            is_degraded = choice.is_degraded,
            input = usage.input,
            cached = usage.cached,
            output = usage.output,
            usd_micros = cost.usd_micros,
            took_ms = took.as_millis(),
            "model answered"
        );
        ModelAnswer { said, cost, choice, took }
    }
}

impl Course {
    /// No route is left.
    fn ended(&self, none: NoRoute) -> ModelFailure {
        let all = |kind| !self.failed.is_empty() && self.failed.values().all(|it| it.kind == kind);
        // Time does not help where only the question or the settings are wrong.
        let kind = if none.kind != FailureKind::Unavailable {
            none.kind
        } else if all(ProviderFailureKind::TooLong) {
            FailureKind::InvalidInput
        } else if all(ProviderFailureKind::Credentials) {
            FailureKind::Error
        } else if all(ProviderFailureKind::Timeout) {
            FailureKind::Timeout
        } else {
            FailureKind::Unavailable
        };
        let mut failure = self.over(kind, &none.to_string());
        failure.failure.retry_after = none.retry_after;
        failure.passed = none.passed;
        failure
    }

    fn over(&self, kind: FailureKind, text: &str) -> ModelFailure {
        ModelFailure { cost: self.spent, ..failed(kind, text) }
    }
}

/// The key of an answer that may be given again; `None` where the pack does not allow it.
fn answer_key(alias: &ModelAlias, request: &ModelRequest, model: &str) -> Option<String> {
    let asked = (&request.prompt, &request.manner);
    let key = || cache::answer_key(&request.tenant, model, &request.revision, asked);
    alias.cache_answers.then(key)?
}

/// What a provider did not count is taken to be what was set aside.
fn settled(price: Price, chosen: &Chosen, usage: TokenUsage) -> Grant {
    if usage == TokenUsage::default() {
        return chosen.estimate;
    }
    price.settle(usage)
}

/// Whether a failed try may be on the provider's bill.
fn may_cost(kind: ProviderFailureKind) -> bool {
    match kind {
        ProviderFailureKind::Timeout | ProviderFailureKind::Malformed => true,
        ProviderFailureKind::RateLimited
        | ProviderFailureKind::Unavailable
        | ProviderFailureKind::Refused
        | ProviderFailureKind::TooLong
        | ProviderFailureKind::Credentials => false,
    }
}

/// A moment more, so that those who wait for the same do not come at once.
fn jitter() -> Duration {
    Duration::from_millis(fastrand::u64(1..20))
}

fn failed(kind: FailureKind, text: &str) -> ModelFailure {
    let (failure, cost, passed) = (Failure::new(kind, text), Grant::default(), Vec::new());
    ModelFailure { failure, cost, passed }
}
