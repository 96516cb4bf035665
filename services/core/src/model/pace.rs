//! How fast a model is asked: rate limits of requests and tokens, fair among tenants, and patience
//! when the provider asks for it.
//!
//! Each limit is a point in time up to which it is used up (the generic cell rate algorithm, ITU-T
//! I.371): a call moves it on by what the call costs at the limit's rate, and may begin when that is no
//! further away than the burst. Invariant: in no minute do more calls begin than the limit of requests,
//! and tokens never outrun a bucket of one minute's worth that fills at the limit.
//!
//! Who refuses without saying for how long has a limit that nobody told us: three quarters of the rate at which
//! calls began are the limit from then on, which grows again by a twentieth every ten seconds. The fleet learns
//! together: each gateway tells the others.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    ids::Name,
    limits::{PACED_TENANTS_MAX, RETRY_AFTER_MAX},
    time::UnixMillis,
};

/// What may come at once after a pause.
const BURST_MICROS: u64 = 3_000_000;
/// A minute, and the burst that must fit into it.
const MINUTE_MICROS: u64 = 60_000_000 + BURST_MICROS;
/// A tenant that asked within this counts when the rate is shared out.
const SEEN: Duration = Duration::from_secs(60);
/// The first wait when a provider that asks for patience does not say how long.
const PATIENCE: Duration = Duration::from_secs(1);

/// Calls are counted by so much time, to know how fast they began.
const SLOT: Duration = Duration::from_secs(10);
/// Slots in a minute.
const SLOTS: u64 = 6;
/// The lowest limit that is learnt, in calls a minute.
const LEARNT_MIN: u64 = 6;
/// When a limit that was learnt is forgotten: it has grown to four times what it was.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// Limits of one model at one provider for all who ask it; `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Calls that begin in any minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts and answers.
    pub tokens_per_minute: Option<u64>,
}

/// Paces the calls of one model at one provider.
#[derive(Debug, Clone)]
pub struct Pacer {
    rates: Rates,
    gateways: u64,
    all: Used,
    tenants: BTreeMap<Name, Tenant>,
    paused_until: UnixMillis,
    /// Times in a row that the provider asked for patience.
    refusals: u32,
    begun: Begun,
    learnt: Option<Learnt>,
}

/// Calls that began in the slot of this number, and in the one before it.
#[derive(Debug, Clone, Copy, Default)]
struct Begun {
    slot: u64,
    now: u64,
    before: u64,
}

/// A limit of requests that the provider has shown.
#[derive(Debug, Clone, Copy)]
struct Learnt {
    per_minute: u64,
    at: UnixMillis,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tenant {
    used: Used,
    seen_at: UnixMillis,
}

/// Up to when a limit is used up, in microseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    requests: u64,
    tokens: u64,
}

impl Pacer {
    /// Paces by these limits, of which each of `gateways` processes takes the same share.
    #[must_use]
    pub fn new(rates: Rates, gateways: u32) -> Self {
        Self {
            rates,
            gateways: u64::from(gateways.max(1)),
            all: Used::default(),
            tenants: BTreeMap::new(),
            paused_until: UnixMillis::default(),
            refusals: 0,
            begun: Begun::default(),
            learnt: None,
        }
    }

    /// Shares the limits among so many processes from now on.
    pub fn share(&mut self, gateways: u32) {
        self.gateways = u64::from(gateways.max(1));
    }

    /// How long the tenant's next call has to wait; zero when it can begin now.
    #[must_use]
    pub fn wait(&self, tenant: &Name, tokens: u64, now: UnixMillis) -> Duration {
        let paused = self.paused_until.since(now);
        let others = self.active(now, Some(tenant));
        let own = self.tenants.get(tenant).map(|tenant| tenant.used).unwrap_or_default();
        let whole = self.wait_of(self.all, tokens, (1, now));
        let fair = self.wait_of(own, tokens, (others, now));
        paused.max(whole).max(fair)
    }

    /// Begins a call of so many tokens, the answer's most included.
    ///
    /// # Errors
    /// How long to wait before asking again; nothing was taken, but the tenant counts as one that wants
    /// its share.
    pub fn begin(&mut self, tenant: &Name, tokens: u64, now: UnixMillis) -> Result<(), Duration> {
        self.forget(now);
        let wait = self.wait(tenant, tokens, now);
        if self.tenants.len() < PACED_TENANTS_MAX || self.tenants.contains_key(tenant) {
            self.tenants.entry(tenant.clone()).or_default().seen_at = now;
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        let others = self.active(now, Some(tenant));
        let all = self.moved(self.all, tokens, (1, now));
        let own = self.tenants.get(tenant).map(|tenant| tenant.used).unwrap_or_default();
        let own = self.moved(own, tokens, (others, now));
        self.all = all;
        self.begun = self.begun.at(now);
        self.begun.now = self.begun.now.saturating_add(1);
        if let Some(tenant) = self.tenants.get_mut(tenant) {
            tenant.used = own;
        }
        Ok(())
    }

    /// The call was answered and took `actual` tokens; what it did not need is given back.
    pub fn answered(&mut self, tenant: &Name, (begun, actual): (u64, u64), now: UnixMillis) {
        self.refusals = 0;
        let unused = begun.saturating_sub(actual);
        let others = self.active(now, Some(tenant));
        let whole = self.span(unused, self.rates.tokens_per_minute, 1);
        self.all.tokens = self.all.tokens.saturating_sub(whole);
        let own = self.span(unused, self.rates.tokens_per_minute, others);
        if let Some(tenant) = self.tenants.get_mut(tenant) {
            tenant.used.tokens = tenant.used.tokens.saturating_sub(own);
        }
    }

    /// The provider asked for patience (429): nobody begins for as long as it says, and a little
    /// longer by `jitter`, 0 to 1, so that not all come back at once. Says until when. Where it does not say for
    /// how long, a limit is learnt from it.
    pub fn refused(
        &mut self,
        retry_after: Option<Duration>,
        jitter: f64,
        now: UnixMillis,
    ) -> UnixMillis {
        // Those that were out when it began to refuse say nothing new.
        if retry_after.is_none() && now >= self.paused_until {
            self.learn(now);
        }
        let doubled = PATIENCE.saturating_mul(1 << self.refusals.min(6));
        self.refusals = self.refusals.saturating_add(1);
        let wait = retry_after.unwrap_or(doubled).min(RETRY_AFTER_MAX);
        let until = now.after(wait + wait.mul_f64(jitter.clamp(0.0, 1.0) / 4.0));
        self.pause(until);
        self.paused_until
    }

    /// Whether nothing would be lost with it: no limit is used up, and nobody asked lately.
    #[must_use]
    pub fn is_idle(&self, now: UnixMillis) -> bool {
        let used = self.all.requests.max(self.all.tokens) > now.0.saturating_mul(1_000);
        !used && self.learnt(now).is_none() && self.active(now, None) == 0
    }

    fn learn(&mut self, now: UnixMillis) {
        let begun = self.begun.at(now);
        let own = begun.now.max(begun.before).saturating_mul(SLOTS);
        let fleet = own.saturating_mul(self.gateways);
        let rate = self.learnt_limit(now).map_or(fleet, |limit| limit.min(fleet));
        let per_minute = (rate.saturating_mul(3) / 4).max(LEARNT_MIN);
        self.learnt = Some(Learnt { per_minute, at: now });
    }

    /// The limit that was learnt, in calls a minute of the whole fleet, and how long ago; `None` without one.
    #[must_use]
    pub fn learnt(&self, now: UnixMillis) -> Option<(u64, Duration)> {
        let Learnt { per_minute, at } = self.learnt?;
        self.learnt_limit(now).map(|_| (per_minute, now.since(at)))
    }

    /// Another gateway has learnt a limit so long ago: it counts here too, where it is lower than what is known.
    pub fn hear_learnt(&mut self, (per_minute, age): (u64, Duration), now: UnixMillis) {
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let heard = Learnt { per_minute, at: UnixMillis(now.0.saturating_sub(age_ms)) };
        let Some(limit) = heard.limit(now) else { return };
        // The same one again is an echo: it must not seem younger than it is.
        let is_known = self.learnt.is_some_and(|known| known.per_minute == per_minute);
        if !is_known && self.learnt_limit(now).is_none_or(|known| limit < known) {
            self.learnt = Some(heard);
        }
    }

    fn learnt_limit(&self, now: UnixMillis) -> Option<u64> {
        self.learnt?.limit(now)
    }

    /// Requests a minute, as they were set or as they were learnt.
    fn requests_limit(&self, now: UnixMillis) -> Option<u64> {
        let set = self.rates.requests_per_minute.map(u64::from);
        set.into_iter().chain(self.learnt_limit(now)).min()
    }

    /// Somebody else was asked for patience until then.
    pub fn pause(&mut self, until: UnixMillis) {
        self.paused_until = self.paused_until.max(until);
        // Whoever waited begins one by one: the burst counts as used up.
        let used = self.paused_until.0.saturating_mul(1_000).saturating_add(BURST_MICROS);
        self.all.requests = self.all.requests.max(used);
    }

    /// Tenants that asked lately, `asking` among them.
    fn active(&self, now: UnixMillis, asking: Option<&Name>) -> u64 {
        let is_active = |(name, tenant): &(&Name, &Tenant)| {
            asking != Some(*name) && now.since(tenant.seen_at) < SEEN
        };
        self.tenants.iter().filter(is_active).count() as u64 + u64::from(asking.is_some())
    }

    fn forget(&mut self, now: UnixMillis) {
        let micros = now.0.saturating_mul(1_000);
        self.tenants.retain(|_, tenant| {
            now.since(tenant.seen_at) < SEEN
                || tenant.used.requests.max(tenant.used.tokens) > micros
        });
    }

    fn wait_of(&self, used: Used, tokens: u64, (share, now): (u64, UnixMillis)) -> Duration {
        let rates = self.rates;
        let requests = self.span(1, self.requests_limit(now), share);
        let tokens = self.span(tokens, rates.tokens_per_minute, share);
        let micros = now.0.saturating_mul(1_000);
        let wait = |used: u64, span: u64, is_limited: bool| {
            // A call larger than the burst begins when nothing else is owed.
            let room = BURST_MICROS.saturating_sub(span);
            if is_limited { used.saturating_sub(micros).saturating_sub(room) } else { 0 }
        };
        let wait = wait(used.requests, requests, true).max(wait(
            used.tokens,
            tokens,
            rates.tokens_per_minute.is_some(),
        ));
        Duration::from_millis(wait.div_ceil(1_000))
    }

    fn moved(&self, used: Used, tokens: u64, (share, now): (u64, UnixMillis)) -> Used {
        let micros = now.0.saturating_mul(1_000);
        let rates = self.rates;
        let requests = self.span(1, self.requests_limit(now), share);
        let tokens = self.span(tokens, rates.tokens_per_minute, share);
        Used {
            requests: used.requests.max(micros).saturating_add(requests),
            tokens: used.tokens.max(micros).saturating_add(tokens),
        }
    }

    /// How far `amount` moves a limit, in microseconds; 0 without a limit.
    fn span(&self, amount: u64, per_minute: Option<u64>, share: u64) -> u64 {
        let Some(per_minute) = per_minute else { return 0 };
        let shares = self.gateways.saturating_mul(share.max(1));
        let span = u128::from(amount) * u128::from(MINUTE_MICROS) * u128::from(shares);
        u64::try_from(span.div_ceil(u128::from(per_minute.max(1)))).unwrap_or(u64::MAX)
    }
}

impl Learnt {
    /// What it has grown to; `None` once it is forgotten.
    fn limit(self, now: UnixMillis) -> Option<u64> {
        let since = now.since(self.at);
        let twentieths = 20 + u64::try_from(since.as_millis() / SLOT.as_millis()).unwrap_or(0);
        (since < FORGOTTEN_AFTER).then(|| self.per_minute.saturating_mul(twentieths) / 20)
    }
}

impl Begun {
    /// The same as seen at `now`.
    fn at(self, now: UnixMillis) -> Self {
        let slot = now.0 / u64::try_from(SLOT.as_millis()).unwrap_or(u64::MAX);
        match slot.checked_sub(self.slot) {
            Some(0) | None => self,
            Some(1) => Self { slot, now: 0, before: self.now },
            Some(_) => Self { slot, now: 0, before: 0 },
        }
    }
}

#[cfg(test)]
mod tests;
