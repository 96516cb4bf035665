//! Whom to ask: the first route of an alias that can be, and why not the ones before it.
//!
//! A route is passed over when it is for other kinds of work, when the prompt is too long for it, the money too
//! little, its price unknown, its key missing, its breaker open, or when it failed at this very call. A route that
//! must be left alone for a while is passed over as long as another one can be asked at once; else the shortest
//! wait that the call's time allows is waited for. A route that is slow can have another one asked beside it.

use std::time::Duration;

use super::{Choice, price::Prices};
use crate::{
    ids::Name,
    task::FailureKind,
    workflow::{Grant, ModelAlias, ModelRole, Route},
};

/// A role steps down to its cheaper model when less than this share of its grant is left, in percent.
pub const LOW_GRANT_PERCENT: u64 = 20;

/// How a route's provider is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It can be asked.
    Ready,
    /// It can be asked after a while: a rate limit, or whoever asks wants to be asked less.
    Busy {
        /// After so long.
        wait: Duration,
    },
    /// It cannot be asked now: an open breaker, or it failed at this call.
    Down {
        /// Why, for people.
        why: String,
        /// Failed because of a rate limit, so waiting is worth more than an error.
        is_limited: bool,
    },
    /// It cannot be asked until somebody changes the settings: no key, or no such provider.
    Unset {
        /// What is missing, for people.
        why: String,
    },
}

/// What is to be asked, as far as the choice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// What kind of work it is for, where the role says so.
    pub class: Option<&'a Name>,
    /// Tokens of the prompt at most, for each of the alias's routes: their models count differently.
    pub prompt_tokens: &'a [u64],
    /// Tokens of the answer at most.
    pub output_tokens_max: u32,
    /// What may be spent.
    pub grant: Grant,
    /// What is left of the call's time.
    pub time_left: Duration,
}

/// A route that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its place among the alias's routes.
    pub index: usize,
    /// What the call can cost at most.
    pub estimate: Grant,
    /// How long to wait before.
    pub wait: Duration,
    /// For the answer and the record.
    pub choice: Choice,
}

/// No route can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", said(.passed))]
pub struct NoRoute {
    /// `limit` when more money or tokens would help, `rate_limited` or `unavailable` when time does,
    /// `error` when the pack or the gateway's settings must change.
    pub kind: FailureKind,
    /// When to come again, for `rate_limited`.
    pub retry_after: Option<Duration>,
    /// Every route, and why it was passed over.
    pub passed: Vec<(String, String)>,
}

/// Why a route was passed over; the ones behind weigh more in the failure's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    /// The pack routes such work, or such prompts, elsewhere: that is no failure.
    Elsewhere,
    Refused,
    Limit,
    Down,
    Limited,
}

/// Chooses a route. `health` is asked once for each route that could be afforded.
///
/// # Errors
/// [`NoRoute`] when none can be asked within the call's time.
pub fn choose(
    alias: &ModelAlias,
    ask: &Ask<'_>,
    prices: &Prices,
    health: impl Fn(usize, &Route) -> Health,
) -> Result<Chosen, NoRoute> {
    let mut passed = Vec::new();
    let mut worst = Obstacle::Elsewhere;
    let mut soonest: Option<(Duration, Chosen)> = None;
    let mut shortest: Option<Duration> = None;
    for (index, route) in alias.routes.iter().enumerate() {
        let (obstacle, why) = match fits(alias, (index, route), ask, prices) {
            Err(obstacle) => obstacle,
            Ok(estimate) => match health(index, route) {
                Health::Ready => {
                    return Ok(chosen((index, route), (estimate, Duration::ZERO), (passed, worst)));
                }
                Health::Busy { wait } => {
                    shortest = Some(shortest.map_or(wait, |other| other.min(wait)));
                    if wait < ask.time_left && soonest.as_ref().is_none_or(|(it, _)| wait < *it) {
                        let passed = (passed.clone(), worst);
                        let chosen = chosen((index, route), (estimate, wait), passed);
                        soonest = Some((wait, chosen));
                    }
                    (Obstacle::Limited, left_alone(wait))
                }
                Health::Down { why, is_limited: false } => (Obstacle::Down, why),
                Health::Down { why, is_limited: true } => (Obstacle::Limited, why),
                Health::Unset { why } => (Obstacle::Refused, why),
            },
        };
        worst = worst.max(obstacle);
        passed.push((route.name(), why));
    }
    if let Some((_, chosen)) = soonest {
        return Ok(chosen);
    }
    let kind = match worst {
        Obstacle::Elsewhere | Obstacle::Refused => FailureKind::Error,
        Obstacle::Limit => FailureKind::Limit,
        Obstacle::Down => FailureKind::Unavailable,
        Obstacle::Limited => FailureKind::RateLimited,
    };
    let retry_after = shortest.filter(|_| worst == Obstacle::Limited);
    Err(NoRoute { kind, retry_after, passed })
}

/// Whom to ask beside the route that was asked `first` and has no answer after its `hedge_after`: the next one
/// behind it that can be asked at once, if both together can be paid. `ask.grant` is what was left before
/// `first`.
#[must_use]
pub fn beside(
    alias: &ModelAlias,
    first: &Chosen,
    (ask, prices): (&Ask<'_>, &Prices),
    health: impl Fn(usize, &Route) -> Health,
) -> Option<Chosen> {
    let after = alias.routes.get(first.index)?.hedge_after?;
    let ask = Ask { grant: ask.grant.minus(first.estimate), ..*ask };
    let slow = format!("had no answer after {} ms", after.as_millis());
    let mut passed = first.choice.passed.clone();
    passed.push((first.choice.model.clone(), slow.clone()));
    for (index, route) in alias.routes.iter().enumerate().skip(first.index + 1) {
        let why = match fits(alias, (index, route), &ask, prices) {
            Err((_, why)) => why,
            Ok(estimate) => match health(index, route) {
                Health::Ready => {
                    let passed = (passed, Obstacle::Down);
                    let mut second = chosen((index, route), (estimate, Duration::ZERO), passed);
                    second.choice.why =
                        format!("asked beside {}, which {slow}", first.choice.model);
                    return Some(second);
                }
                Health::Busy { wait } => left_alone(wait),
                Health::Down { why, is_limited: _ } | Health::Unset { why } => why,
            },
        };
        passed.push((route.name(), why));
    }
    None
}

/// What the call can cost at most, or why this route cannot serve it.
fn fits(
    alias: &ModelAlias,
    (index, route): (usize, &Route),
    ask: &Ask<'_>,
    prices: &Prices,
) -> Result<Grant, (Obstacle, String)> {
    let prompt_tokens = counted(ask.prompt_tokens, index);
    if !route.is_for(ask.class) {
        let classes: Vec<_> = route.classes.iter().map(Name::as_str).collect();
        return Err((Obstacle::Elsewhere, format!("is for work of class {}", classes.join(", "))));
    }
    if let Some(most) = route.context_max.filter(|most| prompt_tokens > *most) {
        let why = format!("takes prompts of {most} tokens, this one has up to {prompt_tokens}");
        return Err((Obstacle::Elsewhere, why));
    }
    let left = ask.grant.usd_micros;
    if let Some(least) = route.usd_left_min_micros.filter(|least| left < *least) {
        let why =
            format!("is for attempts with {} USD left, this one has {}", usd(least), usd(left));
        return Err((Obstacle::Limit, why));
    }
    let Some(price) = prices.of(route).or(alias.is_free.then(Default::default)) else {
        let why = format!(
            "has no price in the table of {}: pin a version that has, or declare the model `free`",
            prices.version()
        );
        return Err((Obstacle::Refused, why));
    };
    let estimate = price.estimate(prompt_tokens, ask.output_tokens_max);
    if ask.grant.covers(estimate) {
        return Ok(estimate);
    }
    let why = format!(
        "can cost {} USD and {} tokens, {} USD and {} are left",
        usd(estimate.usd_micros),
        estimate.tokens,
        usd(left),
        ask.grant.tokens
    );
    Err((Obstacle::Limit, why))
}

/// What was counted for a route; what nobody counted fits nowhere.
#[must_use]
pub fn counted(prompt_tokens: &[u64], index: usize) -> u64 {
    prompt_tokens.get(index).copied().unwrap_or(u64::MAX)
}

fn left_alone(wait: Duration) -> String {
    format!("is to be left alone for {} ms", wait.as_millis())
}

fn chosen(
    (index, route): (usize, &Route),
    (estimate, wait): (Grant, Duration),
    (passed, worst): (Vec<(String, String)>, Obstacle),
) -> Chosen {
    let mut why = match passed.len() {
        0 => "first choice of the pack".to_owned(),
        1 => "the one before it was passed over".to_owned(),
        many => format!("the {many} before it were passed over"),
    };
    if !wait.is_zero() {
        why = format!("{why}; ready in {} ms, and no other is sooner", wait.as_millis());
    }
    // Where only the kind of work or the prompt's length was in the way, it is the one that the pack wants.
    let is_degraded = worst > Obstacle::Elsewhere;
    let choice = Choice { model: route.name(), why, passed, is_degraded, is_cached: false };
    Chosen { index, estimate, wait, choice }
}

/// Which alias a role asks with so much of its grant left, and why not its usual one.
#[must_use]
pub fn step_down(role: &ModelRole, granted: Grant, left: Grant) -> (&Name, Option<String>) {
    let Some(low) = &role.alias_when_low else { return (&role.alias, None) };
    let percent = |left: u64, of: u64| u128::from(left) * 100 / u128::from(of.max(1));
    let shares = [(left.usd_micros, granted.usd_micros), (left.tokens, granted.tokens)];
    // What was not granted at all is not running out.
    let least = shares.iter().filter(|(_, of)| *of > 0).map(|(left, of)| percent(*left, *of)).min();
    match least.filter(|percent| *percent < u128::from(LOW_GRANT_PERCENT)) {
        Some(percent) => {
            let why = format!("{percent} % of the grant is left: {low} instead of {}", role.alias);
            (low, Some(why))
        }
        None => (&role.alias, None),
    }
}

fn usd(micros: u64) -> String {
    crate::pack::usd_shown(micros)
}

fn said(passed: &[(String, String)]) -> String {
    let routes: Vec<_> = passed.iter().map(|(route, why)| format!("{route} {why}")).collect();
    format!("no model can be asked: {}", routes.join("; "))
}

#[cfg(test)]
mod tests;
