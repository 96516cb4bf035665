//! The provider whose answers are in the pack: deterministic, without a key and without a network.
//!
//! It says what the cassettes of the request's pack revision say. Latency and failures follow from the seed,
//! the call's key and how often it was asked: the same run twice is the same run.

use std::{collections::BTreeMap, str::FromStr, sync::Mutex, time::Duration};

use cadre_core::{
    model::{ModelRequest, ProviderFailure, ProviderFailureKind, Said, cassette::Cassettes},
    payload::Hash,
};

/// Calls whose tries are counted; beyond it counting begins anew.
const COUNTED_MAX: usize = 10_000;

/// How the simulated provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SimulatedOptions {
    /// How long an answer takes, at least and at most. Default: no time at all, so that tests are fast.
    pub latency: (Duration, Duration),
    /// Answers in a thousand that fail as unavailable. Default 0.
    pub error_permille: u32,
    /// What latency and failures follow from. Default 0.
    pub seed: u64,
}

/// A text that is no [`SimulatedOptions`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write latency_ms=20 or latency_ms=20-80, error_rate=0.1, seed=7, each of them or none")]
pub struct SimulatedOptionsError;

impl FromStr for SimulatedOptions {
    type Err = SimulatedOptionsError;

    fn from_str(text: &str) -> Result<Self, SimulatedOptionsError> {
        let mut options = Self::default();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(SimulatedOptionsError)?;
            match name {
                "latency_ms" => {
                    let (least, most) = value.split_once('-').unwrap_or((value, value));
                    let millis = |text: &str| text.parse().map(Duration::from_millis);
                    let both = (millis(least), millis(most));
                    let (Ok(least), Ok(most)) = both else { return Err(SimulatedOptionsError) };
                    if most < least {
                        return Err(SimulatedOptionsError);
                    }
                    options.latency = (least, most);
                }
                "error_rate" => options.error_permille = permille(value)?,
                "seed" => options.seed = value.parse().map_err(|_| SimulatedOptionsError)?,
                _ => return Err(SimulatedOptionsError),
            }
        }
        Ok(options)
    }
}

/// A share from 0 to 1 in thousandths.
fn permille(text: &str) -> Result<u32, SimulatedOptionsError> {
    let share: f64 = text.parse().map_err(|_| SimulatedOptionsError)?;
    if !(0.0..=1.0).contains(&share) {
        return Err(SimulatedOptionsError);
    }
    let digits = format!("{:.0}", share * 1_000.0);
    digits.parse().map_err(|_| SimulatedOptionsError)
}

/// Plays the cassettes of packs.
#[derive(Debug)]
pub(crate) struct Simulated {
    fate: Fate,
}

impl Simulated {
    pub(crate) fn new(options: SimulatedOptions) -> Self {
        Self { fate: Fate::new(options) }
    }

    /// Says what was recorded.
    ///
    /// # Errors
    /// `refused` when nothing was, with the nearest cassette's difference.
    pub(crate) async fn complete(
        &self,
        cassettes: &Cassettes,
        request: &ModelRequest,
        heard: &(impl Fn(&str) + Sync),
    ) -> Result<Said, ProviderFailure> {
        let lot = self.fate.draw(&request.key);
        tokio::time::sleep(lot.latency).await;
        if lot.fails {
            let text = "the simulated provider fails, as it was told to";
            return Err(failure(ProviderFailureKind::Unavailable, text));
        }
        let recorded = cassettes
            .play(&request.role, &request.prompt, &request.manner)
            .map_err(|miss| failure(ProviderFailureKind::Refused, &miss.to_string()))?;
        heard(&recorded.said.text);
        Ok(recorded.said.clone())
    }
}

fn failure(kind: ProviderFailureKind, text: &str) -> ProviderFailure {
    ProviderFailure { kind, message: text.to_owned(), retry_after: None }
}

/// What becomes of one try of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lot {
    latency: Duration,
    fails: bool,
}

/// Decides how long answers take, and which of them fail.
#[derive(Debug, Default)]
struct Fate {
    options: SimulatedOptions,
    tries: Mutex<BTreeMap<String, u32>>,
}

impl Fate {
    fn new(options: SimulatedOptions) -> Self {
        Self { options, tries: Mutex::default() }
    }

    /// What becomes of this try of the call `key`. The next one is another throw of the dice.
    fn draw(&self, key: &str) -> Lot {
        let SimulatedOptions { latency: (least, most), error_permille, seed } = self.options;
        if least == most && error_permille == 0 {
            return Lot { latency: least, fails: false };
        }
        let tries = self.count(key);
        let [high, low, late, later, ..] = Hash::of(format!("{seed}/{key}/{tries}").as_bytes()).0;
        let share = |high, low| u32::from(u16::from_be_bytes([high, low]));
        let latency = least + (most - least) * share(late, later) / 65_535;
        Lot { latency, fails: share(high, low) * 1_000 / 65_536 < error_permille }
    }

    /// How often the call was tried, this time included.
    fn count(&self, key: &str) -> u32 {
        let mut tries = self.tries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if tries.len() >= COUNTED_MAX {
            tries.clear();
        }
        let tries = tries.entry(key.to_owned()).or_default();
        *tries = tries.saturating_add(1);
        *tries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_nonsense_is_refused() {
        let read = |text: &str| text.parse::<SimulatedOptions>();
        assert_eq!(read(""), Ok(SimulatedOptions::default()));
        let latency = |least, most| (Duration::from_millis(least), Duration::from_millis(most));
        let expected = SimulatedOptions { latency: latency(20, 20), error_permille: 250, seed: 7 };
        assert_eq!(read("latency_ms=20, error_rate=0.25,seed=7"), Ok(expected));
        assert_eq!(read("latency_ms=20-80").map(|it| it.latency), Ok(latency(20, 80)));
        for bad in [
            "latency",
            "latency_ms=x",
            "latency_ms=9-1",
            "error_rate=2",
            "error_rate=NaN",
            "speed=1",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn failures_follow_from_the_seed_at_about_their_rate() {
        let run = |seed| {
            let options = SimulatedOptions { error_permille: 300, seed, ..Default::default() };
            let fate = Fate::new(options);
            let draw = |number| fate.draw(&format!("call-{number}")).fails;
            (0..1_000).map(draw).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let failed = run(1).iter().filter(|fails| **fails).count();
        assert!((200..400).contains(&failed), "{failed}");
        let fate = Fate::new(SimulatedOptions { error_permille: 500, ..Default::default() });
        let tries: Vec<_> = (0..64).map(|_| fate.draw("one").fails).collect();
        assert!(
            tries.contains(&true) && tries.contains(&false),
            "a failed call can be tried again"
        );
    }
    #[test]
    fn latency_follows_from_the_seed_within_its_bounds() {
        let [least, most] = [10, 50].map(Duration::from_millis);
        let run = |seed| {
            let fate =
                Fate::new(SimulatedOptions { latency: (least, most), seed, ..Default::default() });
            (0..200).map(|number| fate.draw(&format!("call-{number}")).latency).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(run(1).iter().all(|latency| (least..=most).contains(latency)));
        let spread: std::collections::BTreeSet<_> = run(1).into_iter().collect();
        assert!(spread.len() > 100, "{}", spread.len());
    }
}
