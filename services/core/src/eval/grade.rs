//! What a try has missed of what was expected of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, Expect, Tools, Trace};

/// Characters of a value that is shown.
const SHOWN_CHARS: usize = 120;

/// How well the tools were chosen, in thousandths: 1,000 is exactly those that were expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accuracy {
    /// Those that come one after the other as expected, of the longer of both lists.
    pub in_order_permille: u32,
    /// Those that are in both lists, of the longer one.
    pub any_order_permille: u32,
}

/// Compares the tools that were called with those that were expected.
#[must_use]
pub fn accuracy(expected: &[String], called: &[&str]) -> Accuracy {
    let longer = expected.len().max(called.len());
    let share = |common: usize| match longer {
        0 => 1_000,
        longer => u32::try_from(common * 1_000 / longer).unwrap_or(1_000),
    };
    Accuracy {
        in_order_permille: share(common_in_order(expected, called)),
        any_order_permille: share(common(expected, called)),
    }
}

/// What was missed, one sentence each; empty when the try has passed.
#[must_use]
pub fn grade(expect: &Expect, trace: &Trace) -> Vec<String> {
    let mut missed = Vec::new();
    if trace.status != expect.status {
        let why = trace.problems.first().map(|why| format!(" ({why})")).unwrap_or_default();
        missed.push(format!("status is {}, not {}{why}", trace.status, expect.status));
    }
    if !trace.violations.is_empty() {
        missed.push(format!("the result breaks its contract: {}", trace.violations));
    }
    missed.extend(expect.result.iter().flat_map(|check| check.missed(&trace.result)));
    missed.extend(expect.tools.as_ref().and_then(|tools| tools_missed(tools, trace)));
    let wrong = u64::try_from(trace.wrong_turns.len()).unwrap_or(u64::MAX);
    let mut at_most = |what: &str, found: u64, max: Option<u64>| {
        if let Some(max) = max.filter(|max| found > *max) {
            missed.push(format!("{what}: {found}, at most {max} expected"));
        }
    };
    at_most("steps", trace.orders.into(), expect.max_steps.map(u64::from));
    at_most("wrong turns", wrong, expect.max_wrong_turns.map(u64::from));
    at_most("tokens", trace.tokens, expect.max_tokens);
    at_most("latency in ms", trace.latency_ms, expect.max_latency.map(|within| within.0));
    if let Some(max) = expect.max_usd.filter(|max| trace.usd_micros > max.0) {
        let [found, max] = [trace.usd_micros, max.0].map(crate::pack::usd_shown);
        missed.push(format!("cost: ${found}, at most ${max} expected"));
    }
    missed
}

impl Check {
    fn missed(&self, result: &Value) -> Vec<String> {
        let Self { at, equals, contains, matches } = self;
        let place = if at.is_empty() { "the result" } else { at };
        let Some(found) = result.pointer(at) else { return vec![format!("{place} is missing")] };
        let mut missed = Vec::new();
        if let Some(wanted) = equals.as_ref().filter(|wanted| *wanted != found) {
            missed.push(format!("{place} is {}, not {}", shown(found), shown(wanted)));
        }
        if let Some(part) = contains.as_ref().filter(|part| !has(found, part)) {
            missed.push(format!("{place} is {}, without {}", shown(found), shown(part)));
        }
        if let Some(pattern) = matches {
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            if !regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&text)) {
                missed.push(format!("{place} is {}, which does not match {pattern}", shown(found)));
            }
        }
        missed
    }
}

/// Whether a text has this part, a list this item, an object these fields.
fn has(found: &Value, part: &Value) -> bool {
    match (found, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), part) => items.contains(part),
        (Value::Object(fields), Value::Object(part)) => {
            part.iter().all(|(key, value)| fields.get(key) == Some(value))
        }
        (
            Value::String(_) | Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_),
            _,
        ) => false,
    }
}

fn tools_missed(tools: &Tools, trace: &Trace) -> Option<String> {
    let called: Vec<_> = trace.tools().collect();
    let found = accuracy(tools.names(), &called);
    let (permille, order) = match tools {
        Tools::InOrder(_) => (found.in_order_permille, "in this order"),
        Tools::AnyOrder(_) => (found.any_order_permille, "in any order"),
    };
    let list =
        |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let expected = list(tools.names().iter().map(String::as_str).collect());
    let called = list(called);
    (permille < 1_000).then(|| format!("tools: {called}; expected {order}: {expected}"))
}

/// The length of the longest list that both have in order, perhaps with others between.
fn common_in_order(expected: &[String], called: &[&str]) -> usize {
    // One row of the usual table: cell j is for the first j + 1 of `called`.
    let mut row = vec![0; called.len()];
    for name in expected {
        let (mut above_left, mut left) = (0, 0);
        for (cell, called) in row.iter_mut().zip(called) {
            let above = *cell;
            *cell = if name == called { above_left + 1 } else { above.max(left) };
            (above_left, left) = (above, *cell);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// How many both have, each as often as both have it.
fn common(expected: &[String], called: &[&str]) -> usize {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for name in called {
        *left.entry(name).or_default() += 1;
    }
    let is_there = |name: &&String| {
        let left = left.get_mut(name.as_str()).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    };
    expected.iter().filter(is_there).count()
}

fn shown(value: &Value) -> String {
    let text = crate::payload::canonical(value);
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    text.chars().take(SHOWN_CHARS).chain("…".chars()).collect()
}
