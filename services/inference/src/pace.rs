//! The pacers of one gateway, one for each model, behind one short lock.
//!
//! Each gateway takes its share of every limit; what a provider asks of one is asked of all by [`Fleet`], and
//! what one has learnt is told to all.
//! Times are this process's own, from its start: nothing here is compared with another clock.

use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    ids::Name,
    limits::{BREAKERS_MAX, GATEWAY_HOLDS_MAX},
    model::{
        gateway::LearntLimit,
        pace::{Pacer, Rates},
    },
    time::UnixMillis,
};
use tokio::time::Instant;

use crate::fleet::Fleet;

/// Rate limits by `provider/model`, or by `provider` for each of its models.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RateTable(BTreeMap<String, Rates>);

/// A text that is no [`RateTable`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write provider/model=50rpm:40000tpm or provider=50rpm, several with commas")]
pub struct RateTableError;

impl FromStr for RateTable {
    type Err = RateTableError;

    fn from_str(text: &str) -> Result<Self, RateTableError> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (model, rates) = pair.rsplit_once('=').ok_or(RateTableError)?;
            let provider = model.split('/').next().unwrap_or_default();
            Name::new(provider).map_err(|_| RateTableError)?;
            Ok((model.to_owned(), rates_of(rates)?))
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
    fn of(&self, model: &str) -> Rates {
        let provider = model.split('/').next().unwrap_or_default();
        self.0.get(model).or_else(|| self.0.get(provider)).copied().unwrap_or_default()
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
        let pacers = self.lock();
        let paced = pacers.get(taking.model);
        held.max(
            paced.map_or(Duration::ZERO, |pacer| {
                pacer.wait(taking.tenant, taking.tokens, self.now())
            }),
        )
    }

    /// Begins the call; false when somebody else was faster. Models beyond what can be kept are not paced.
    pub(crate) fn begin(&self, taking: Taking<'_>, fleet: &Fleet) -> bool {
        let gateways = u32::try_from(fleet.live()).unwrap_or(u32::MAX);
        let mut pacers = self.lock();
        let Some(pacer) = self.known(&mut pacers, taking.model) else { return true };
        pacer.share(gateways);
        pacer.begin(taking.tenant, taking.tokens, self.now()).is_ok()
    }

    /// The pacer of a model, made if there is room for it.
    fn known<'a>(
        &self,
        pacers: &'a mut BTreeMap<String, Pacer>,
        model: &str,
    ) -> Option<&'a mut Pacer> {
        if pacers.len() >= BREAKERS_MAX && !pacers.contains_key(model) {
            return None;
        }
        let make = || Pacer::new(self.table.of(model), 1);
        Some(pacers.entry(model.to_owned()).or_insert_with(make))
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
            if let Some(pacer) = self.known(&mut pacers, model) {
                pacer.hear_learnt((*per_minute, *age), now);
            }
        }
    }

    /// The call took so many tokens of what it began with.
    pub(crate) fn answered(&self, taking: Taking<'_>, actual: u64) {
        if let Some(pacer) = self.lock().get_mut(taking.model) {
            pacer.answered(taking.tenant, (taking.tokens, actual), self.now());
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
        let table: RateTable = "local=60rpm, local/fast=600rpm:1000tpm".parse().unwrap();
        let rates = |requests_per_minute, tokens_per_minute| Rates {
            requests_per_minute,
            tokens_per_minute,
        };
        assert_eq!(table.of("local/fast"), rates(Some(600), Some(1_000)));
        assert_eq!(table.of("local/slow"), rates(Some(60), None));
        assert_eq!(table.of("other/fast"), Rates::default());
        for bad in ["local", "local=", "local=60", "local=0rpm", "=60rpm", "local=60rpm:x"] {
            assert!(bad.parse::<RateTable>().is_err(), "{bad}");
        }
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
