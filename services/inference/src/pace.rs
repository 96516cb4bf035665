//! The pacers of one gateway, behind one short lock: one for each model, provider and tenant that has a limit.
//!
//! A call begins when all limits that it falls under let it, and takes of each. Each gateway takes its share of every
//! limit; what a provider asks of one is asked of all by [`Fleet`], and what one has learnt is told to all.
//! Times are this process's own, from its start: nothing here is compared with another clock.

use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    ids::Name,
    limits::{BREAKERS_MAX, GATEWAY_HOLDS_MAX, PACED_TENANTS_MAX},
    model::{
        gateway::LearntLimit,
        pace::{Pacer, Rates},
    },
    time::UnixMillis,
};
use tokio::time::Instant;

use crate::fleet::Fleet;

/// Pacers that one gateway keeps: of models and providers, and of tenants.
const PACERS_MAX: usize = BREAKERS_MAX + PACED_TENANTS_MAX;

/// What begins the name of a tenant in a table of limits.
const TENANT: &str = "tenant:";

/// Every tenant that is not named has this name there.
const ANY: &str = "*";

/// Rate limits: of a model, of a provider with all its models, of a tenant with all that it asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RateTable(BTreeMap<String, Rates>);

/// A text that is no [`RateTable`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "write provider/model=50rpm:40000tpm, provider=50rpm, tenant:name=20rpm or tenant:*=20rpm, several \
     with commas"
)]
pub struct RateTableError;

impl FromStr for RateTable {
    type Err = RateTableError;

    fn from_str(text: &str) -> Result<Self, RateTableError> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (whose, rates) = pair.rsplit_once('=').ok_or(RateTableError)?;
            let name = match whose.strip_prefix(TENANT) {
                Some(tenant) => tenant,
                None => whose.split('/').next().unwrap_or_default(),
            };
            if whose != format!("{TENANT}{ANY}") {
                Name::new(name).map_err(|_| RateTableError)?;
            }
            Ok((whose.to_owned(), rates_of(rates)?))
        };
        pairs.map(pair).collect::<Result<_, _>>().map(Self)
    }
}

fn rates_of(text: &str) -> Result<Rates, RateTableError> {
    let mut rates = Rates::default();
    for part in text.split(':') {
        let number = |unit: &str| part.strip_suffix(unit).map(str::parse::<u64>);
        if let Some(number) = number("rpm") {
            let number = number.ok().and_then(|number| u32::try_from(number).ok());
            rates.requests_per_minute = Some(number.filter(|it| *it > 0).ok_or(RateTableError)?);
        } else if let Some(number) = number("tpm") {
            let number = number.ok().filter(|number| *number > 0);
            rates.tokens_per_minute = Some(number.ok_or(RateTableError)?);
        } else {
            return Err(RateTableError);
        }
    }
    Ok(rates)
}

impl RateTable {
    /// The limits that a call falls under, each with the name of its pacer. A model has one in any case: its
    /// provider may ask for patience.
    fn of(&self, taking: Taking<'_>) -> Vec<(String, Rates)> {
        let Taking { model, tenant, tokens: _ } = taking;
        let provider = model.split('/').next().unwrap_or_default();
        let own = format!("{TENANT}{tenant}");
        let any = || self.0.get(&format!("{TENANT}{ANY}"));
        let limits = [
            Some((model, self.0.get(model).copied().unwrap_or_default())),
            self.0.get(provider).map(|rates| (provider, *rates)),
            self.0.get(&own).or_else(any).map(|rates| (own.as_str(), *rates)),
        ];
        limits.into_iter().flatten().map(|(name, rates)| (name.to_owned(), rates)).collect()
    }
}

/// What a call takes of a limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking<'a> {
    /// `provider/model`.
    pub(crate) model: &'a str,
    /// Whose call.
    pub(crate) tenant: &'a Name,
    /// Tokens of prompt and answer at most.
    pub(crate) tokens: u64,
}

/// The pacers.
#[derive(Debug)]
pub(crate) struct Pacers {
    table: RateTable,
    start: Instant,
    pacers: Mutex<BTreeMap<String, Pacer>>,
}

impl Pacers {
    pub(crate) fn new(table: RateTable) -> Self {
        Self { table, start: Instant::now(), pacers: Mutex::default() }
    }

    /// An hour more than this process is old: what others have learnt may be older than it.
    fn now(&self) -> UnixMillis {
        let age = self.start.elapsed() + Duration::from_secs(3_600);
        UnixMillis(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Pacer>> {
        self.pacers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the call has to wait; zero when it can begin.
    pub(crate) fn wait(&self, taking: Taking<'_>, fleet: &Fleet) -> Duration {
        let held = fleet.held(taking.model).unwrap_or_default();
        let (now, pacers) = (self.now(), self.lock());
        let limits = self.table.of(taking);
        let paced = limits.iter().filter_map(|(name, _)| pacers.get(name));
        paced.map(|pacer| pacer.wait(taking.tenant, taking.tokens, now)).fold(held, Duration::max)
    }

    /// Begins the call; false when somebody else was faster, and nothing was taken. What is beyond the pacers
    /// that can be kept is not paced.
    pub(crate) fn begin(&self, taking: Taking<'_>, fleet: &Fleet) -> bool {
        let gateways = u32::try_from(fleet.live()).unwrap_or(u32::MAX);
        let (now, limits) = (self.now(), self.table.of(taking));
        let mut pacers = self.lock();
        let mut is_free = true;
        for (name, rates) in &limits {
            let Some(pacer) = known(&mut pacers, (name, *rates), now) else { continue };
            pacer.share(gateways);
            is_free &= pacer.wait(taking.tenant, taking.tokens, now).is_zero();
        }
        for (name, _) in &limits {
            let Some(pacer) = pacers.get_mut(name) else { continue };
            // Where it has to wait, nothing is taken, but the tenant counts as one that wants its share.
            if is_free || !pacer.wait(taking.tenant, taking.tokens, now).is_zero() {
                is_free &= pacer.begin(taking.tenant, taking.tokens, now).is_ok();
            }
        }
        is_free
    }

    /// The limits that models have shown.
    pub(crate) fn learnt(&self) -> Vec<LearntLimit> {
        let now = self.now();
        let limit = |(model, pacer): (&String, &Pacer)| {
            let (per_minute, age) = pacer.learnt(now)?;
            Some(LearntLimit { model: model.clone(), per_minute, age })
        };
        self.lock().iter().filter_map(limit).take(GATEWAY_HOLDS_MAX).collect()
    }

    /// Another gateway has learnt these.
    pub(crate) fn hear_learnt(&self, limits: &[LearntLimit]) {
        let now = self.now();
        let mut pacers = self.lock();
        for LearntLimit { model, per_minute, age } in limits {
            let rates = self.table.0.get(model).copied().unwrap_or_default();
            if let Some(pacer) = known(&mut pacers, (model, rates), now) {
                pacer.hear_learnt((*per_minute, *age), now);
            }
        }
    }

    /// The call took so many tokens of what it began with.
    pub(crate) fn answered(&self, taking: Taking<'_>, actual: u64) {
        let (now, mut pacers) = (self.now(), self.lock());
        for (name, _) in self.table.of(taking) {
            if let Some(pacer) = pacers.get_mut(&name) {
                pacer.answered(taking.tenant, (taking.tokens, actual), now);
            }
        }
    }

    /// The provider asked for patience: this gateway leaves the model alone, and tells the others.
    pub(crate) fn refused(
        &self,
        model: &str,
        retry_after: Option<Duration>,
        fleet: &Fleet,
    ) -> Duration {
        let now = self.now();
        let mut pacers = self.lock();
        let until =
            pacers.get_mut(model).map(|pacer| pacer.refused(retry_after, fastrand::f64(), now));
        drop(pacers);
        let wait = until.map_or(retry_after.unwrap_or_default(), |until| until.since(now));
        fleet.hold(model, wait);
        wait
    }
}

/// The pacer of this name, made if there is room for it; idle tenants make room.
fn known<'a>(
    pacers: &'a mut BTreeMap<String, Pacer>,
    (name, rates): (&str, Rates),
    now: UnixMillis,
) -> Option<&'a mut Pacer> {
    if pacers.len() >= PACERS_MAX && !pacers.contains_key(name) {
        pacers.retain(|name, pacer| !name.starts_with(TENANT) || !pacer.is_idle(now));
        if pacers.len() >= PACERS_MAX {
            return None;
        }
    }
    Some(pacers.entry(name.to_owned()).or_insert_with(|| Pacer::new(rates, 1)))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MODEL: &str = "local/fast";

    fn taking(tenant: &Name) -> Taking<'_> {
        Taking { model: MODEL, tenant, tokens: 100 }
    }

    #[test]
    fn tables_are_read_and_nonsense_is_refused() {
        let table: RateTable =
            "local=60rpm, local/fast=600rpm:1000tpm,tenant:acme=9tpm,tenant:*=5rpm"
                .parse()
                .unwrap();
        let rates = |requests_per_minute, tokens_per_minute| Rates {
            requests_per_minute,
            tokens_per_minute,
        };
        let limits = |model, tenant: &str| {
            let tenant = Name::new(tenant).unwrap();
            let limits = table.of(Taking { model, tenant: &tenant, tokens: 1 });
            limits.into_iter().map(|(name, rates)| format!("{name} {rates:?}")).collect::<Vec<_>>()
        };
        let shown = |limits: &[(&str, Rates)]| {
            limits.iter().map(|(name, rates)| format!("{name} {rates:?}")).collect::<Vec<_>>()
        };
        let (fast, all) = (rates(Some(600), Some(1_000)), rates(Some(60), None));
        let (big, small) = (rates(None, Some(9)), rates(Some(5), None));
        assert_eq!(
            limits("local/fast", "acme"),
            shown(&[("local/fast", fast), ("local", all), ("tenant:acme", big)])
        );
        assert_eq!(
            limits("other/fast", "globex"),
            shown(&[("other/fast", Rates::default()), ("tenant:globex", small)])
        );
        for bad in [
            "local",
            "local=",
            "local=60",
            "local=0rpm",
            "=60rpm",
            "local=60rpm:x",
            "tenant:=1rpm",
            "*=1rpm",
        ] {
            assert!(bad.parse::<RateTable>().is_err(), "{bad}");
        }
    }

    /// Calls that begin in a minute when these ask all they can, one call each in turn.
    async fn in_a_minute(table: &str, askers: &[(&str, &str)]) -> Vec<usize> {
        let (pacers, fleet) =
            (Pacers::new(table.parse().unwrap()), Fleet::new(Name::new("one").unwrap()));
        let askers: Vec<_> =
            askers.iter().map(|(model, tenant)| (*model, Name::new(tenant).unwrap())).collect();
        let mut begun = vec![0; askers.len()];
        for _ in 0..600 {
            for ((model, tenant), begun) in askers.iter().zip(&mut begun) {
                let taking = Taking { model, tenant, tokens: 10 };
                let wait = pacers.wait(taking, &fleet);
                let is_begun = pacers.begin(taking, &fleet);
                assert!(wait.is_zero() || !is_begun, "{model} of {tenant} had to wait");
                *begun += usize::from(is_begun);
            }
            advance(Duration::from_millis(100)).await;
        }
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn a_providers_limit_is_that_of_all_its_models_together() {
        let both = [("local/a", "acme"), ("local/b", "acme")];
        let begun = in_a_minute("local=60rpm", &both).await;
        assert!((50..=60).contains(&(begun[0] + begun[1])), "{begun:?}");
        let begun = in_a_minute("local=600rpm, local/a=60rpm", &both).await;
        assert!(begun[0] <= 60 && begun[1] > 300, "{begun:?}");
        let begun = in_a_minute("local=600tpm", &both).await;
        assert!((50..=62).contains(&(begun[0] + begun[1])), "ten tokens each: {begun:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenants_limit_is_that_of_all_it_asks_and_nobody_elses() {
        let asks = [("local/a", "acme"), ("other/b", "acme"), ("local/a", "globex")];
        let begun = in_a_minute("tenant:acme=60rpm", &asks).await;
        assert!((50..=60).contains(&(begun[0] + begun[1])), "{begun:?}");
        assert_eq!(begun[2], 600, "it has none");
        let begun = in_a_minute("tenant:*=60rpm", &asks).await;
        assert!((50..=60).contains(&(begun[0] + begun[1])), "{begun:?}");
        assert!((50..=60).contains(&begun[2]), "one of its own: {begun:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_wait_for_one_limit_takes_nothing_of_the_others() {
        let fleet = Fleet::new(Name::new("one").unwrap());
        let pacers = Pacers::new("local=60rpm, tenant:acme=1rpm".parse().unwrap());
        let [acme, globex] = ["acme", "globex"].map(|name| Name::new(name).unwrap());
        let asked = (0..50).filter(|_| pacers.begin(taking(&acme), &fleet)).count();
        assert_eq!(asked, 1);
        assert!(pacers.begin(taking(&globex), &fleet), "the provider's limit is not used up");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_were_not_needed_are_given_back_to_every_limit() {
        let fleet = Fleet::new(Name::new("one").unwrap());
        let pacers = Pacers::new("local=1000tpm, tenant:acme=1000tpm".parse().unwrap());
        let acme = Name::new("acme").unwrap();
        let taking = Taking { model: MODEL, tenant: &acme, tokens: 1_000 };
        assert!(pacers.begin(taking, &fleet));
        assert!(pacers.wait(taking, &fleet) > Duration::from_secs(50));
        pacers.answered(taking, 10);
        assert!(pacers.wait(taking, &fleet) < Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_is_shared_among_gateways() {
        let acme = Name::new("acme").unwrap();
        let begun = |gateways: usize| {
            let pacers = Pacers::new("local=60rpm".parse().unwrap());
            let fleet = Fleet::new(Name::new("one").unwrap());
            for number in 1..gateways {
                let pod = Name::new(&format!("pod-{number}")).unwrap();
                fleet.hear(Fleet::new(pod).word(false));
            }
            (0..1_000).filter(|_| pacers.begin(taking(&acme), &fleet)).count()
        };
        // Of a call a second, two fit into the burst; a third of that lets one begin.
        assert_eq!((begun(1), begun(3)), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_one_has_learnt_paces_the_others() {
        let acme = Name::new("acme").unwrap();
        let fleet = Fleet::new(Name::new("one").unwrap());
        let [one, two] = [1, 2].map(|_| Pacers::new(RateTable::default()));
        assert!(one.begin(taking(&acme), &fleet));
        one.refused(MODEL, None, &fleet);
        advance(Duration::from_secs(3)).await;
        let [limit] = one.learnt().try_into().unwrap();
        assert_eq!((limit.model.as_str(), limit.age), (MODEL, Duration::from_secs(3)));
        let free = (0..100).filter(|_| two.begin(taking(&acme), &fleet)).count();
        assert_eq!(free, 100, "it has heard of nothing");
        two.hear_learnt(&[limit]);
        let paced = (0..100).filter(|_| two.begin(taking(&acme), &fleet)).count();
        assert!(paced <= 1, "{paced}");
    }

    #[tokio::test(start_paused = true)]
    async fn patience_that_one_is_asked_for_is_everybodys() {
        let acme = Name::new("acme").unwrap();
        let fleets = ["one", "two"].map(|pod| Fleet::new(Name::new(pod).unwrap()));
        let pacers = [Pacers::new(RateTable::default()), Pacers::new(RateTable::default())];
        assert!(pacers[0].begin(taking(&acme), &fleets[0]));
        let wait = pacers[0].refused(MODEL, Some(Duration::from_secs(4)), &fleets[0]);
        assert!((4..=5).contains(&wait.as_secs()), "{wait:?}");
        fleets[1].hear(fleets[0].word(false));
        assert!(pacers[1].wait(taking(&acme), &fleets[1]) >= Duration::from_secs(4));
        advance(Duration::from_secs(6)).await;
        assert!(pacers[1].begin(taking(&acme), &fleets[1]));
        assert!(pacers[0].begin(taking(&acme), &fleets[0]));
    }
}
