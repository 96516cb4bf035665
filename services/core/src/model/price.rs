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

/// What models cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    version: String,
    models: BTreeMap<String, Price>,
}

/// What one model costs, in millionths of a US dollar for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
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
    /// "cache_write", "output"}}}` in US dollars for a million tokens, at most 6 decimals. Without a
    /// price of its own, what goes through the cache costs what the rest of the prompt costs.
    ///
    /// # Errors
    /// [`PricesError`] says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, PricesError> {
        let table: Table =
            serde_json::from_str(text).map_err(|error| PricesError(error.to_string()))?;
        let mut models = BTreeMap::new();
        for (name, row) in table.models {
            let price = |value: &Value| {
                let micros = crate::pack::decimal(value, 6);
                micros.ok_or_else(|| PricesError(format!("{name}: {value} is no price")))
            };
            let input = price(&row.input)?;
            let or_input = |value: Option<&Value>| value.map_or(Ok(input), price);
            let row = Price {
                input,
                cached: or_input(row.cached.as_ref())?,
                cache_write: or_input(row.cache_write.as_ref())?,
                output: price(&row.output)?,
            };
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
    /// ways to ask OpenAI cost the same.
    #[must_use]
    pub fn of(&self, route: &Route) -> Option<Price> {
        let provider = match route.provider.as_str() {
            "openai-responses" => "openai",
            provider => provider,
        };
        let exact = self.models.get(&format!("{provider}/{}", route.model));
        exact.or_else(|| self.models.get(&format!("{provider}/*"))).copied()
    }
}

impl Price {
    /// The most that a call can cost: so many tokens of a prompt, none of them cached, and an answer
    /// of full length.
    #[must_use]
    pub fn estimate(self, prompt_tokens: u64, output_tokens_max: u32) -> Grant {
        let input = self.input.max(self.cache_write).max(self.cached);
        let output = u64::from(output_tokens_max);
        let parts = [(prompt_tokens, input), (output, self.output)];
        Grant { usd_micros: micros(parts), tokens: prompt_tokens.saturating_add(output) }
    }

    /// What a call cost, by what the provider counted.
    #[must_use]
    pub fn settle(self, usage: TokenUsage) -> Grant {
        let plain = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        let parts = [
            (plain, self.input),
            (usage.cached, self.cached),
            (usage.cache_write, self.cache_write),
            (usage.output, self.output),
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
        let (provider, model) = (provider.to_owned(), model.to_owned());
        Route { provider, model, context_max: None, usd_left_min_micros: None }
    }

    #[test]
    fn the_table_is_read_and_pinned() {
        let prices = Prices::built_in().unwrap();
        assert_eq!(prices.version().len(), "2026-11-21".len());
        let haiku = prices.of(&route("anthropic/claude-haiku-4-5-20251001")).unwrap();
        let dollar = 1_000_000;
        assert_eq!((haiku.input, haiku.cached), (dollar, dollar / 10));
        assert_eq!((haiku.cache_write, haiku.output), (dollar * 5 / 4, dollar * 5));
        let mini = prices.of(&route("openai/gpt-4.1-mini-2025-04-14"));
        assert!(mini.is_some());
        assert_eq!(prices.of(&route("openai-responses/gpt-4.1-mini-2025-04-14")), mini);
        assert!(prices.of(&route("simulated/whatever")).is_some());
        assert_eq!(prices.of(&route("ollama/qwen3:8b")), None);
        assert_eq!(prices.of(&route("anthropic/claude-haiku-4-5")), None, "no version, no price");
        for (name, price) in &prices.models {
            assert!(price.cached <= price.input && price.input <= price.output, "{name}");
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
        let price =
            Price { input: 1_000_000, cached: 100_000, cache_write: 1_250_000, output: 5_000_000 };
        let usage = TokenUsage { input: 1_000, cached: 600, cache_write: 200, output: 100 };
        let cost = Grant { usd_micros: 200 + 60 + 250 + 500, tokens: 1_100 };
        assert_eq!(price.settle(usage), cost);
        assert_eq!(price.saved(usage), 1_500 - 1_010);
        assert_eq!(price.estimate(1_000, 100), Grant { usd_micros: 1_750, tokens: 1_100 });
        let one = TokenUsage { output: 1, ..TokenUsage::default() };
        let cheap = Price { output: 1, ..Price::default() };
        assert_eq!(cheap.settle(one).usd_micros, 1, "rounded up: no call is free by its size");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_call_costs_more_than_estimated(
            prices in prop::array::uniform4(0_u64..200_000_000),
            (input, output_max) in (0_u64..2_000_000, 0_u32..200_000),
            (cached, written, output) in (0.0..=1.0_f64, 0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let [in_price, cached_price, cache_write, out_price] = prices;
            let price = Price { input: in_price, cached: cached_price, cache_write, output: out_price };
            let cached = (input as f64 * cached) as u64;
            let written = ((input - cached) as f64 * written) as u64;
            let output = (f64::from(output_max) * output) as u64;
            let usage = TokenUsage { input, cached, cache_write: written, output };
            prop_assert!(price.estimate(input, output_max).covers(price.settle(usage)));
        }
    }
}
