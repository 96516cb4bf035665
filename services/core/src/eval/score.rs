//! Scores: what the tries of a case, and the cases of a suite, come to together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Expect, Trace, accuracy, grade};

/// What the tries of one case came to. Whatever is no share is the sum of all tries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseScore {
    /// How often it was played.
    pub tries: u32,
    /// Tries that missed nothing.
    pub passed: u32,
    /// Tries with a result that a contract can be asked of.
    pub answered: u32,
    /// Those whose result satisfies its contract.
    pub valid: u32,
    /// Thousandths of [`super::Accuracy::in_order_permille`]; `None` when no tools are expected.
    pub tools_in_order_permille: Option<u32>,
    /// Thousandths of [`super::Accuracy::any_order_permille`]; `None` when no tools are expected.
    pub tools_any_order_permille: Option<u32>,
    /// Work orders.
    pub steps: u64,
    /// Failed attempts, refused answers, tools that failed.
    pub wrong_turns: u64,
    /// Crews that went in circles.
    pub loops: u64,
    /// Money, in millionths of a US dollar.
    pub usd_micros: u64,
    /// Tokens.
    pub tokens: u64,
    /// Time.
    pub latency_ms: u64,
}

impl CaseScore {
    /// Counts one more try; what it missed.
    pub fn count(&mut self, expect: &Expect, trace: &Trace) -> Vec<String> {
        let missed = grade(expect, trace);
        let wrong_turns = u64::try_from(trace.wrong_turns.len()).unwrap_or(u64::MAX);
        self.tries += 1;
        self.passed += u32::from(missed.is_empty());
        self.answered += u32::from(trace.is_answered);
        self.valid += u32::from(trace.is_answered && trace.violations.is_empty());
        if let Some(tools) = &expect.tools {
            let found = accuracy(tools.names(), &trace.tools().collect::<Vec<_>>());
            *self.tools_in_order_permille.get_or_insert_default() += found.in_order_permille;
            *self.tools_any_order_permille.get_or_insert_default() += found.any_order_permille;
        }
        for (sum, number) in [
            (&mut self.steps, trace.orders.into()),
            (&mut self.wrong_turns, wrong_turns),
            (&mut self.loops, trace.loops.into()),
            (&mut self.usd_micros, trace.usd_micros),
            (&mut self.tokens, trace.tokens),
            (&mut self.latency_ms, trace.latency_ms),
        ] {
            *sum = sum.saturating_add(number);
        }
        missed
    }

    /// Whether every try has passed: pass^k of this case, k being its tries.
    #[must_use]
    pub fn is_passed_always(&self) -> bool {
        self.tries > 0 && self.passed == self.tries
    }

    fn plus(self, other: &Self) -> Self {
        let both = |one: Option<u32>, other: Option<u32>| match (one, other) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        Self {
            tries: self.tries.saturating_add(other.tries),
            passed: self.passed.saturating_add(other.passed),
            answered: self.answered.saturating_add(other.answered),
            valid: self.valid.saturating_add(other.valid),
            tools_in_order_permille: both(
                self.tools_in_order_permille,
                other.tools_in_order_permille,
            ),
            tools_any_order_permille: both(
                self.tools_any_order_permille,
                other.tools_any_order_permille,
            ),
            steps: self.steps.saturating_add(other.steps),
            wrong_turns: self.wrong_turns.saturating_add(other.wrong_turns),
            loops: self.loops.saturating_add(other.loops),
            usd_micros: self.usd_micros.saturating_add(other.usd_micros),
            tokens: self.tokens.saturating_add(other.tokens),
            latency_ms: self.latency_ms.saturating_add(other.latency_ms),
        }
    }
}

/// What the cases of a suite come to. Shares are from 0 to 1, rounded to thousandths; means are per try.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Totals {
    /// Cases.
    pub cases: usize,
    /// How often they were played, all together.
    pub tries: u32,
    /// Share of the tries that missed nothing.
    pub success_rate: f64,
    /// Share of the results that satisfy their contract; 1 without any.
    pub contract_validity: f64,
    /// Share of the cases of which every try has passed.
    pub pass_k: f64,
    /// Mean share of tools called in the expected order; `None` when no case expects tools.
    pub tools_in_order: Option<f64>,
    /// The same whatever the order.
    pub tools_any_order: Option<f64>,
    /// Mean.
    pub steps: f64,
    /// Of all tries.
    pub wrong_turns: u64,
    /// Of all tries.
    pub loops: u64,
    /// Of all tries.
    pub usd_micros: u64,
    /// Of all tries.
    pub tokens: u64,
    /// Mean.
    pub latency_ms: f64,
}

impl Totals {
    /// Sums up the cases.
    #[must_use]
    pub fn of(cases: &BTreeMap<String, CaseScore>) -> Self {
        let sum = cases.values().fold(CaseScore::default(), CaseScore::plus);
        let always = cases.values().filter(|case| case.is_passed_always()).count();
        let with_tools = cases.values().filter(|case| case.tools_in_order_permille.is_some());
        let with_tools = with_tools.map(|case| u64::from(case.tries)).sum::<u64>();
        let (count, tries) = (cases.len(), u64::from(sum.tries));
        let tools =
            |permille: Option<u32>| permille.map(|sum| share(sum.into(), with_tools * 1_000));
        Self {
            cases: count,
            tries: sum.tries,
            success_rate: share(sum.passed.into(), tries),
            contract_validity: share(sum.valid.into(), sum.answered.into()),
            pass_k: share(always as u64, count as u64),
            tools_in_order: tools(sum.tools_in_order_permille),
            tools_any_order: tools(sum.tools_any_order_permille),
            steps: mean(sum.steps, tries),
            wrong_turns: sum.wrong_turns,
            loops: sum.loops,
            usd_micros: sum.usd_micros,
            tokens: sum.tokens,
            latency_ms: mean(sum.latency_ms, tries),
        }
    }
}

/// 1 where there is nothing to have a share of.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { mean(part, whole) }
}

/// Rounded to thousandths; 0 where there is nothing.
fn mean(sum: u64, count: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    (sum as f64 * 1_000.0 / count as f64).round() / 1_000.0
}
