//! Asking the route that was chosen, and another one beside it where the pack's patience has an end.
//!
//! ```text
//!  first ─────────────┬─ answered ─────────► nobody else is asked
//!     hedge_after ────┴► second ─┬─ one answers ─► the other is cancelled, and paid as if it had
//!                                └─ one fails ───► the other is waited for
//! ```

use std::{cell::Cell, pin::pin, sync::Arc};

use cadre_core::{
    breaker::{Call, CallOutcome, Lease, Permit, Target},
    model::{
        ModelRequest, Prompt, ProviderCall, ProviderFailure, ProviderFailureKind, Said, cache,
        route::{self, Ask, Chosen, Health},
    },
    ports::Packs,
    workflow::{Grant, ModelAlias, Route, Workflow},
};
use futures::future::{Either, select};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument as _;

use super::{Course, Gateway, Heard, Sound, figures, target::target_of};
use crate::{pace::Taking, provider::SIMULATED};

/// What all tries of one call share.
pub(super) struct Asking<'a> {
    pub(super) request: &'a ModelRequest,
    pub(super) workflow: &'a Workflow,
    pub(super) alias: &'a ModelAlias,
    pub(super) prompt: Arc<Prompt>,
    /// For each route of the alias.
    pub(super) prompt_tokens: Vec<u64>,
    pub(super) until: Instant,
    pub(super) heard: Heard<'a>,
}

/// One try.
pub(super) struct Try<'a> {
    pub(super) route: &'a Route,
    pub(super) model: String,
    pub(super) chosen: Chosen,
    target: Target,
    /// The try is the fleet's probe of the model.
    lease: Option<Lease>,
}

impl Asking<'_> {
    /// What is asked when so much was spent before.
    pub(super) fn ask(&self, spent: Grant) -> Ask<'_> {
        let role = self.workflow.roles.get(&self.request.role);
        Ask {
            class: role.and_then(|role| role.model.as_ref()?.class.as_ref()),
            prompt_tokens: &self.prompt_tokens,
            output_tokens_max: self.request.manner.output_tokens_max,
            grant: self.request.grant.minus(spent),
            time_left: self.until.saturating_duration_since(Instant::now()),
        }
    }

    /// What a call of `model` takes of its limits.
    pub(super) fn taking<'t>(&'t self, model: &'t str, tokens: u64) -> Taking<'t> {
        Taking { model, tenant: &self.request.tenant, tokens }
    }
}

impl<P: Packs> Gateway<P> {
    /// What `decide` makes of the health of routes, with the breaker's lease if the call is its probe.
    pub(super) fn with_health<T>(
        &self,
        asking: &Asking<'_>,
        course: &Course,
        decide: impl FnOnce(&dyn Fn(usize, &Route) -> Health) -> T,
    ) -> (T, Option<Lease>) {
        let lease = Cell::new(None);
        // What the answer takes at most, as far as it is known before the route is.
        let output_tokens = u64::from(asking.request.manner.output_tokens_max);
        let decided = decide(&|index, route| {
            if let Some(failure) = course.failed.get(&index) {
                return Health::Down { why: failure.message.clone(), is_limited: false };
            }
            if route.provider != SIMULATED && self.providers.get(&route.provider).is_none() {
                let why = format!("provider {} has no key or is not configured", route.provider);
                return Health::Unset { why };
            }
            let prompt_tokens = route::counted(&asking.prompt_tokens, index);
            let tokens = prompt_tokens.saturating_add(output_tokens);
            let wait = self.pacers.wait(asking.taking(&route.name(), tokens), &self.fleet);
            if !wait.is_zero() {
                return Health::Busy { wait };
            }
            match self.breakers.permit(&target_of(route)) {
                Permit::Yes => Health::Ready,
                Permit::Probe(probe) => {
                    lease.set(Some(probe));
                    Health::Ready
                }
                Permit::No { reason, .. } => Health::Down {
                    why: format!("its breaker is open: {reason}"),
                    is_limited: false,
                },
            }
        });
        (decided, lease.into_inner())
    }

    /// Begins a try; `None` when somebody else was faster, and the pace allows no more.
    pub(super) fn begin<'a>(
        &self,
        asking: &Asking<'a>,
        (chosen, lease): (Chosen, Option<Lease>),
    ) -> Option<Try<'a>> {
        let route = asking.alias.routes.get(chosen.index)?;
        let (model, target) = (route.name(), target_of(route));
        let one = Try { route, model, chosen, target, lease };
        if self.pacers.begin(asking.taking(&one.model, one.chosen.estimate.tokens), &self.fleet) {
            return Some(one);
        }
        self.give_back(&one);
        None
    }

    /// What the route answers, or another one beside it: then that one comes along.
    pub(super) async fn race<'a>(
        &self,
        asking: &Asking<'a>,
        first: &Try<'a>,
        course: &mut Course,
    ) -> (Option<Try<'a>>, Result<Said, ProviderFailure>) {
        let mut answer = pin!(self.ask(asking, first, asking.heard));
        let Some(patience) = first.route.hedge_after else { return (None, answer.await) };
        if let Ok(said) = timeout(patience, answer.as_mut()).await {
            return (None, said);
        }
        let Some(second) = self.second(asking, first, course) else { return (None, answer.await) };
        let (is_second, said) = {
            // Two voices at once are none: it is heard when it has won.
            let other = pin!(self.ask(asking, &second, &|_| {}));
            match select(answer, other).await {
                Either::Left((Ok(said), _)) => {
                    self.cancel(course, &second);
                    (false, Ok(said))
                }
                Either::Right((Ok(said), _)) => {
                    self.cancel(course, first);
                    (true, Ok(said))
                }
                Either::Left((Err(failure), other)) => {
                    // Whoever refuses the question is heard of when nobody else has an answer.
                    let _ = self.note(course, first, failure);
                    (true, other.await)
                }
                Either::Right((Err(failure), answer)) => {
                    let _ = self.note(course, &second, failure);
                    (false, answer.await)
                }
            }
        };
        if !is_second {
            return (None, said);
        }
        if let Ok(said) = &said {
            (asking.heard)(Sound::Begin);
            (asking.heard)(Sound::Text(&said.text));
        }
        (Some(second), said)
    }

    fn second<'a>(&self, asking: &Asking<'a>, first: &Try<'a>, course: &Course) -> Option<Try<'a>> {
        let ask = asking.ask(course.spent);
        let (chosen, lease) = self.with_health(asking, course, |health| {
            route::beside(asking.alias, &first.chosen, (&ask, &self.prices), health)
        });
        let second = self.begin(asking, (chosen?, lease))?;
        tracing::debug!(
            slow = first.model,
            model = second.model,
            "asked another model beside a slow one"
        );
        Some(second)
    }

    /// Nobody waits for it any more; it may be on the bill, and proves nothing.
    fn cancel(&self, course: &mut Course, one: &Try<'_>) {
        course.spent = course.spent.plus(one.chosen.estimate);
        self.give_back(one);
    }

    /// Asks one provider, and tells the breaker what came of it.
    async fn ask(
        &self,
        asking: &Asking<'_>,
        one: &Try<'_>,
        heard: Heard<'_>,
    ) -> Result<Said, ProviderFailure> {
        let begun = Instant::now();
        let part = |text: &str| heard(Sound::Text(text));
        let asked = async {
            match self.providers.get(&one.route.provider) {
                Some(door) => door.complete(call(asking, one), &part).await,
                None => {
                    let cassettes = &asking.workflow.cassettes;
                    self.simulated.complete(cassettes, asking.request, &part).await
                }
            }
        };
        let span = figures::span((asking.request, one.route), &asking.prompt);
        let asked = asked.instrument(span.clone());
        let said = timeout_at(asking.until, asked).await.unwrap_or_else(|_| {
            let message = "the provider did not answer in the time of the attempt".to_owned();
            Err(ProviderFailure { kind: ProviderFailureKind::Timeout, message, retry_after: None })
        });
        let outcome = match &said {
            Ok(_) => CallOutcome::Success,
            Err(failure) => blame(failure.kind),
        };
        figures::tried((one.route, &span), &said, begun.elapsed());
        if outcome == CallOutcome::Ignored {
            self.give_back(one);
        }
        // What it costs is settled by the caller and bounded by the grant.
        self.breakers.record(&one.target, Call { outcome, took: begun.elapsed(), usd_micros: 0 });
        said
    }

    /// A probe that proved nothing is somebody else's to send.
    fn give_back(&self, one: &Try<'_>) {
        if let Some(lease) = &one.lease {
            self.breakers.give_back(&one.target, lease);
        }
    }
}

fn call(asking: &Asking<'_>, one: &Try<'_>) -> ProviderCall {
    let (request, prompt) = (asking.request, &asking.prompt);
    ProviderCall {
        model: one.route.model.clone(),
        prompt: Arc::clone(prompt),
        manner: request.manner.clone(),
        cache_key: cache::prefix_key(&request.tenant, &one.model, &request.revision, prompt),
        key: request.key.clone(),
        is_followed: request.is_followed,
    }
}

/// What a failed try says about the model.
fn blame(kind: ProviderFailureKind) -> CallOutcome {
    match kind {
        ProviderFailureKind::Unavailable
        | ProviderFailureKind::Timeout
        | ProviderFailureKind::Malformed
        | ProviderFailureKind::Credentials => CallOutcome::InfrastructureFailure,
        ProviderFailureKind::RateLimited
        | ProviderFailureKind::Refused
        | ProviderFailureKind::TooLong => CallOutcome::Ignored,
    }
}
