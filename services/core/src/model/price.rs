//! What models cost: a versioned table, estimates before a call and settlement after it.
//!
//! All sums are integers: a price is in millionths of a US dollar for a million tokens, so that a cost
//! in millionths is `tokens * price / 1,000,000`, rounded up once. An estimate is never below what the
//! call settles at, as long as the provider keeps to the prompt's estimate and the answer's limit.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::TokenUsage;
use crate::workflow::{Grant, Route};

/// The table that this build comes with.
const BUILT_IN: &str = include_str!("prices.json");
/// What a price is for.
const PER_TOKENS: u128 = 1_000_000;

/// What models cost; by default nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    version: String,
    models: BTreeMap<String, Price>,
}

/// What one model costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    /// Mostly.
    pub usual: Tariff,
    /// With a prompt of more than so many tokens; `None` where its length does not matter.
    pub long: Option<(u64, Tariff)>,
}

/// Prices in millionths of a US dollar for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tariff {
    /// Of a prompt.
    pub input: u64,
    /// Of these, read from the provider's cache.
    pub cached: u64,
    /// Of these, written to it.
    pub cache_write: u64,
    /// Of an answer.
    pub output: u64,
}

/// A price table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the price table cannot be read: {0}")]
pub struct PricesError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    version: String,
    #[expect(dead_code, reason = "for people")]
    source: String,
    models: BTreeMap<String, Row>,
}

/// US dollars for a million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: Value,
    cached: Option<Value>,
    cache_write: Option<Value>,
    output: Value,
    long: Option<Long>,
}

/// The same with a prompt of more than `above` tokens, all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    above: u64,
    input: Value,
    cached: Option<Value>,
    cache_write: Option<Value>,
    output: Value,
}

impl Prices {
    /// The table that this build comes with.
    ///
    /// # Errors
    /// [`PricesError`] never: a test reads it.
    pub fn built_in() -> Result<Self, PricesError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a table: `{"version", "source", "models": {"provider/model": {"input", "cached",
    /// "cache_write", "output", "long"}}}` in US dollars for a million tokens, at most 6 decimals. Without a
    /// price of its own, what goes through the cache costs what the rest of the prompt costs. `long` has the
    /// prices of prompts `above` so many tokens.
    ///
    /// # Errors
    /// [`PricesError`] says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, PricesError> {
        let table: Table =
            serde_json::from_str(text).map_err(|error| PricesError(error.to_string()))?;
        let mut models = BTreeMap::new();
        for (name, row) in table.models {
            let wrong = |value: &Value| PricesError(format!("{name}: {value} is no price"));
            let Row { input, cached, cache_write, output, long } = &row;
            let usual = tariff([Some(input), cached.as_ref(), cache_write.as_ref(), Some(output)]);
            let long = long.as_ref().map(|long| {
                let Long { above, input, cached, cache_write, output } = long;
                let parts = [Some(input), cached.as_ref(), cache_write.as_ref(), Some(output)];
                Ok((*above, tariff(parts).map_err(wrong)?))
            });
            let row = Price { usual: usual.map_err(wrong)?, long: long.transpose()? };
            models.insert(name, row);
        }
        Ok(Self { version: table.version, models })
    }

    /// Which table it is: the day it was made.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a route costs: by `provider/model`, or by `provider/*`; `None` when nobody knows. Both
    /// ways to ask OpenAI cost the same, and a simulated model costs what the one costs that it stands
    /// for: `simulated/provider/model`.
    #[must_use]
    pub fn of(&self, route: &Route) -> Option<Price> {
        let (provider, model) = match (route.provider.as_str(), route.model.split_once('/')) {
            ("simulated", Some(stands_for)) => stands_for,
            (provider, _) => (provider, route.model.as_str()),
        };
        let provider = if provider == "openai-responses" { "openai" } else { provider };
        let exact = self.models.get(&format!("{provider}/{model}"));
        exact.or_else(|| self.models.get(&format!("{provider}/*"))).copied()
    }
}

impl Price {
    /// The most that a call can cost: so many tokens of a prompt, none of them cached, and an answer
    /// of full length.
    #[must_use]
    pub fn estimate(self, prompt_tokens: u64, output_tokens_max: u32) -> Grant {
        let Tariff { input, cached, cache_write, output: output_price } = match self.long {
            // It may have fewer tokens than estimated, and then be the dearer for it.
            Some((above, long)) if prompt_tokens > above => self.usual.dearest(long),
            Some(_) | None => self.usual,
        };
        let (input, output) = (input.max(cache_write).max(cached), u64::from(output_tokens_max));
        let parts = [(prompt_tokens, input), (output, output_price)];
        Grant { usd_micros: micros(parts), tokens: prompt_tokens.saturating_add(output) }
    }

    /// What a call cost, by what the provider counted.
    #[must_use]
    pub fn settle(self, usage: TokenUsage) -> Grant {
        let tariff = match self.long {
            Some((above, long)) if usage.input > above => long,
            Some(_) | None => self.usual,
        };
        let plain = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        let parts = [
            (plain, tariff.input),
            (usage.cached, tariff.cached),
            (usage.cache_write, tariff.cache_write),
            (usage.output, tariff.output),
        ];
        Grant { usd_micros: micros(parts), tokens: usage.input.saturating_add(usage.output) }
    }

    /// What the provider's cache saved, in millionths of a US dollar; 0 when writing cost more.
    #[must_use]
    pub fn saved(self, usage: TokenUsage) -> u64 {
        let without = TokenUsage { cached: 0, cache_write: 0, ..usage };
        self.settle(without).usd_micros.saturating_sub(self.settle(usage).usd_micros)
    }
}

impl Tariff {
    fn dearest(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            cached: self.cached.max(other.cached),
            cache_write: self.cache_write.max(other.cache_write),
            output: self.output.max(other.output),
        }
    }
}

/// Input, cached, written to the cache, and output; the error is the value that is no price.
fn tariff<'v>(
    [input, cached, cache_write, output]: [Option<&'v Value>; 4],
) -> Result<Tariff, &'v Value> {
    let price = |value: Option<&'v Value>| {
        let value = value.or(input).unwrap_or(&Value::Null);
        crate::pack::decimal(value, 6).ok_or(value)
    };
    Ok(Tariff {
        input: price(input)?,
        cached: price(cached)?,
        cache_write: price(cache_write)?,
        output: price(output)?,
    })
}

fn micros<const N: usize>(parts: [(u64, u64); N]) -> u64 {
    let product = |(tokens, price): (u64, u64)| u128::from(tokens) * u128::from(price);
    let sum = parts.into_iter().map(product).fold(0, u128::saturating_add);
    u64::try_from(sum.div_ceil(PER_TOKENS)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn route(name: &str) -> Route {
        let (provider, model) = name.split_once('/').unwrap();
        Route::new(provider, model)
    }

    #[test]
    fn the_table_is_read_and_pinned() {
        let prices = Prices::built_in().unwrap();
        assert_eq!(prices.version().len(), "2026-11-21".len());
        let haiku = prices.of(&route("anthropic/claude-haiku-4-5-20251001")).unwrap();
        let dollar = 1_000_000;
        let usual = haiku.usual;
        assert_eq!((usual.input, usual.cached), (dollar, dollar / 10));
        assert_eq!((usual.cache_write, usual.output), (dollar * 5 / 4, dollar * 5));
        let mini = prices.of(&route("openai/gpt-4.1-mini-2025-04-14"));
        assert!(mini.is_some());
        assert_eq!(prices.of(&route("openai-responses/gpt-4.1-mini-2025-04-14")), mini);
        assert!(prices.of(&route("simulated/whatever")).is_some());
        let stand_in = prices.of(&route("simulated/openai-responses/gpt-4.1-mini-2025-04-14"));
        assert_eq!(stand_in, mini);
        assert_eq!(prices.of(&route("simulated/ollama/qwen3:8b")), None);
        assert_eq!(prices.of(&route("ollama/qwen3:8b")), None);
        assert_eq!(prices.of(&route("anthropic/claude-haiku-4-5")), None, "no version, no price");
        for (name, price) in &prices.models {
            let tariffs = [Some(price.usual), price.long.map(|(_, long)| long)];
            for it in tariffs.into_iter().flatten() {
                assert!(it.cached <= it.input && it.input <= it.output, "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (text, reason) in [
            ("{}", "missing field `version`"),
            (
                r#"{"version": "1", "source": "", "models": {"a/b": {"input": -1, "output": 1}}}"#,
                "a/b: -1 is no price",
            ),
            (
                r#"{"version": "1", "source": "", "models": {"a/b": {"input": 1}}}"#,
                "missing field `output`",
            ),
        ] {
            let error = Prices::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_call_is_settled_by_what_was_counted() {
        let usual =
            Tariff { input: 1_000_000, cached: 100_000, cache_write: 1_250_000, output: 5_000_000 };
        let price = Price { usual, long: None };
        let usage = TokenUsage { input: 1_000, cached: 600, cache_write: 200, output: 100 };
        let cost = Grant { usd_micros: 200 + 60 + 250 + 500, tokens: 1_100 };
        assert_eq!(price.settle(usage), cost);
        assert_eq!(price.saved(usage), 1_500 - 1_010);
        assert_eq!(price.estimate(1_000, 100), Grant { usd_micros: 1_750, tokens: 1_100 });
        let one = TokenUsage { output: 1, ..TokenUsage::default() };
        let cheap = Price { usual: Tariff { output: 1, ..Tariff::default() }, long: None };
        assert_eq!(cheap.settle(one).usd_micros, 1, "rounded up: no call is free by its size");
    }

    #[test]
    fn a_long_prompt_has_prices_of_its_own() {
        let table = r#"{"version": "1", "source": "", "models": {"a/b": {"input": 1, "output": 2,
            "long": {"above": 1000, "input": 3, "cached": 0.5, "output": 4}}}}"#;
        let price = Prices::parse(table).unwrap().of(&route("a/b")).unwrap();
        let cost = |input, cached| {
            let usage = TokenUsage { input, cached, cache_write: 0, output: 100 };
            price.settle(usage).usd_micros
        };
        assert_eq!(cost(1_000, 0), 1_000 + 200);
        assert_eq!(cost(1_001, 0), 3_003 + 400, "all of it, not only what is above");
        assert_eq!(cost(1_001, 1_001), 501 + 400);
        assert_eq!(price.estimate(1_000, 100).usd_micros, 1_200);
        assert_eq!(price.estimate(1_001, 100).usd_micros, 3_403);
        // A prompt that is shorter than estimated can be the dearer one.
        let odd = table.replace("\"input\": 1, \"output\": 2", "\"input\": 9, \"output\": 2");
        let odd = Prices::parse(&odd).unwrap().of(&route("a/b")).unwrap();
        let shorter = TokenUsage { input: 1_000, output: 100, ..TokenUsage::default() };
        assert!(odd.estimate(1_001, 100).covers(odd.settle(shorter)));
        let bad = table.replace("\"cached\": 0.5", "\"cached\": -1");
        assert!(Prices::parse(&bad).unwrap_err().to_string().contains("a/b: -1 is no price"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_call_costs_more_than_estimated(
            prices in prop::array::uniform4(0_u64..200_000_000),
            long in prop::option::of((0_u64..2_000_000, prop::array::uniform4(0_u64..200_000_000))),
            (input, output_max) in (0_u64..2_000_000, 0_u32..200_000),
            (cached, written, output) in (0.0..=1.0_f64, 0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let tariff = |[input, cached, cache_write, output]: [u64; 4]| {
                Tariff { input, cached, cache_write, output }
            };
            let price = Price { usual: tariff(prices), long: long.map(|(above, it)| (above, tariff(it))) };
            let cached = (input as f64 * cached) as u64;
            let written = ((input - cached) as f64 * written) as u64;
            let output = (f64::from(output_max) * output) as u64;
            let usage = TokenUsage { input, cached, cache_write: written, output };
            prop_assert!(price.estimate(input, output_max).covers(price.settle(usage)));
        }
    }
}
