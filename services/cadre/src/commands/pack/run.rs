//! What one run of a pack's sample came to, and what is different from the run before.

use cadre_core::eval::{ModelCall, Trace};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::text::{brief, usd};

/// Differences of two results that are listed; further ones are counted.
const DIFFERENCES_MAX: usize = 20;
/// Characters of a value that is shown.
const SHOWN_CHARS: usize = 80;
/// What cost, tokens and time may grow before it counts as worse, in percent.
const GROWTH_PERCENT: u64 = 10;

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// How the task ended, or `waiting` for a person.
    pub(super) status: String,
    /// The answer's result.
    pub(super) result: Value,
    /// Why the result breaks its contract; empty when it does not.
    pub(super) violations: String,
    /// Every step: its name, how it ended and who did it.
    pub(super) steps: Vec<String>,
    /// What went wrong on the way, though the task may have ended well.
    pub(super) problems: Vec<String>,
    /// Calls of models, by step and in order.
    pub(super) calls: Vec<ModelCall>,
    /// Money, in millionths of a US dollar.
    pub(super) usd_micros: u64,
    /// Tokens of prompts and answers.
    pub(super) tokens: u64,
    /// How long the models took, one after the other; recorded ones when they were recorded.
    pub(super) latency_ms: u64,
}

impl From<Trace> for Run {
    fn from(trace: Trace) -> Self {
        let Trace { status, result, violations, steps, problems, calls, .. } = trace;
        let Trace { usd_micros, tokens, latency_ms, .. } = trace;
        Self { status, result, violations, steps, problems, calls, usd_micros, tokens, latency_ms }
    }
}

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// What: `status`, `result.kind`, `tools of review`, `cost`….
    pub(super) what: String,
    /// As it was.
    pub(super) before: String,
    /// As it is.
    pub(super) after: String,
    /// It is worse, or another answer: somebody must look.
    pub(super) is_regress: bool,
}

impl Run {
    /// What is not as it was in `before`.
    pub(super) fn differences(&self, before: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differ = |what: &str, before: String, after: String, is_regress: bool| {
            if before != after {
                let what = what.to_owned();
                found.push(Difference { what, before, after, is_regress });
            }
        };
        differ("status", before.status.clone(), self.status.clone(), true);
        let worse = !self.violations.is_empty();
        differ("contract", before.violations.clone(), self.violations.clone(), worse);
        let mut results = Vec::new();
        compare("result", &before.result, &self.result, &mut results);
        for (what, old, new) in results.iter().take(DIFFERENCES_MAX) {
            differ(what, old.clone(), new.clone(), true);
        }
        if let Some(more) = results.len().checked_sub(DIFFERENCES_MAX).filter(|more| *more > 0) {
            differ("result", String::new(), format!("{more} more differences"), true);
        }
        for (old, new) in pairs(&before.steps, &self.steps) {
            let step = new.or(old).and_then(|step| step.split(' ').next()).unwrap_or_default();
            differ(&format!("step {step}"), text(old), text(new), true);
        }
        for problem in self.problems.iter().filter(|it| !before.problems.contains(it)) {
            differ("problem", String::new(), problem.clone(), true);
        }
        let steps: std::collections::BTreeSet<&str> =
            before.calls.iter().chain(&self.calls).map(|call| call.step.as_str()).collect();
        for step in steps {
            let (old, new) = (before.calls_of(step), self.calls_of(step));
            let models = |calls: &[&ModelCall]| list(calls.iter().map(|call| call.model.as_str()));
            let tools = |calls: &[&ModelCall]| {
                list(calls.iter().flat_map(|call| &call.tools).map(String::as_str))
            };
            let is_more = new.len() > old.len();
            differ(&format!("calls of {step}"), models(&old), models(&new), is_more);
            differ(&format!("tools of {step}"), tools(&old), tools(&new), true);
        }
        let mut grown = |what: &str, old: u64, new: u64, shown: fn(u64) -> String| {
            differ(
                what,
                shown(old),
                shown(new),
                new > old.saturating_mul(100 + GROWTH_PERCENT) / 100,
            );
        };
        grown("cost", before.usd_micros, self.usd_micros, usd);
        grown("tokens", before.tokens, self.tokens, |tokens| tokens.to_string());
        grown("latency", before.latency_ms, self.latency_ms, |ms| format!("{ms} ms"));
        found
    }

    fn calls_of(&self, step: &str) -> Vec<&ModelCall> {
        self.calls.iter().filter(|call| call.step == step).collect()
    }
}

/// Steps of both runs by their name, in the order of the later run, those that are gone at the end.
fn pairs<'r>(
    old: &'r [String],
    new: &'r [String],
) -> Vec<(Option<&'r String>, Option<&'r String>)> {
    let name = |step: &str| step.split(' ').next().unwrap_or_default().to_owned();
    let find = |steps: &'r [String], wanted: &str| steps.iter().find(|step| name(step) == wanted);
    let both = new.iter().map(|step| (find(old, &name(step)), Some(step)));
    let gone = old.iter().filter(|step| find(new, &name(step)).is_none());
    both.chain(gone.map(|step| (Some(step), None))).collect()
}

fn text(step: Option<&String>) -> String {
    step.cloned().unwrap_or_else(|| "none".to_owned())
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// Where two documents differ, by dotted path.
fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<(String, String, String)>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let of = |object: &serde_json::Map<String, Value>| {
                    object.get(key).cloned().unwrap_or_default()
                };
                compare(&format!("{path}.{key}"), &of(old), &of(new), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}[{index}]"), old, new, found);
            }
        }
        (old, new) => {
            let shown = |value: &Value| brief(&value.to_string(), SHOWN_CHARS);
            found.push((path.to_owned(), shown(old), shown(new)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> Run {
        let call = |step: &str, tools: &[&str]| ModelCall {
            step: step.to_owned(),
            model: "simulated/cheap".to_owned(),
            tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
        };
        Run {
            status: "completed".to_owned(),
            result: json!({"kind": "nda", "parties": ["A", "B"], "risk": "low"}),
            steps: vec!["sort completed by sorter".to_owned(), "review completed by r".to_owned()],
            calls: vec![
                call("sort", &[]),
                call("review", &["clock", "lookup"]),
                call("review", &[]),
            ],
            usd_micros: 1_000,
            tokens: 500,
            latency_ms: 800,
            ..Run::default()
        }
    }

    /// What is different after `change`, each with whether it is worse.
    fn changed(change: impl FnOnce(&mut Run)) -> Vec<(String, bool)> {
        let mut after = run();
        change(&mut after);
        let line =
            |it: Difference| (format!("{}: {} -> {}", it.what, it.before, it.after), it.is_regress);
        after.differences(&run()).into_iter().map(line).collect()
    }

    #[test]
    fn the_same_run_is_no_difference() {
        assert_eq!(changed(|_| {}), []);
    }

    #[test]
    fn another_answer_is_worse() {
        let found = changed(|run| run.result = json!({"kind": "msa", "parties": ["A", "C"]}));
        let expected = [
            "result.kind: \"nda\" -> \"msa\"",
            "result.parties[1]: \"B\" -> \"C\"",
            "result.risk: \"low\" -> null",
        ];
        assert_eq!(found, expected.map(|line| (line.to_owned(), true)));
        let found = changed(|run| run.status = "partial".to_owned());
        assert_eq!(found, [("status: completed -> partial".to_owned(), true)]);
        let found = changed(|run| run.violations = "/kind: is missing".to_owned());
        assert_eq!(found, [("contract:  -> /kind: is missing".to_owned(), true)]);
    }

    #[test]
    fn another_way_to_the_same_answer_is_shown() {
        let found = changed(|run| {
            run.steps[0] = "sort completed by sorter-rules".to_owned();
            run.problems.push("sort: sorter failed".to_owned());
            run.calls[1].tools.swap(0, 1);
        });
        assert_eq!(
            found,
            [
                (
                    "step sort: sort completed by sorter -> sort completed by sorter-rules"
                        .to_owned(),
                    true
                ),
                ("problem:  -> sort: sorter failed".to_owned(), true),
                ("tools of review: clock, lookup -> lookup, clock".to_owned(), true),
            ]
        );
        let found = changed(|run| run.calls.truncate(2));
        let line = "calls of review: simulated/cheap, simulated/cheap -> simulated/cheap";
        assert_eq!(found, [(line.to_owned(), false)]);
    }

    #[test]
    fn only_growth_beyond_a_tenth_is_worse() {
        let cost = |usd_micros: u64| changed(|run| run.usd_micros = usd_micros);
        assert!(!cost(1_100)[0].1 && cost(1_101)[0].1 && !cost(10)[0].1);
        assert_eq!(
            changed(|run| run.latency_ms = 900),
            [("latency: 800 ms -> 900 ms".to_owned(), true)]
        );
    }
}
