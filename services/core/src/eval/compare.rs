//! What is not as it was in the baseline, and whether it is worse.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CaseScore;

/// What cost, tokens and time may grow before it counts as worse, in percent.
const GROWTH_PERCENT: u64 = 10;

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The case.
    pub case: String,
    /// What of it.
    pub what: &'static str,
    /// As it was.
    pub before: String,
    /// As it is.
    pub after: String,
    /// It is worse.
    pub is_regress: bool,
}

/// Everything that is not as it was; what is counted is compared per try.
#[must_use]
pub fn compare(
    before: &BTreeMap<String, CaseScore>,
    after: &BTreeMap<String, CaseScore>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, now) in after {
        match before.get(name) {
            Some(then) => of_case(name, (then, now), &mut changes),
            None => changes.push(whole(name, "is new", false)),
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    changes.extend(gone.map(|name| whole(name, "is gone", true)));
    changes
}

fn whole(case: &str, after: &str, is_regress: bool) -> Change {
    let (case, after) = (case.to_owned(), after.to_owned());
    Change { case, what: "case", before: String::new(), after, is_regress }
}

/// A number that is better when it is larger, or when it is smaller.
#[derive(Clone, Copy)]
enum Better {
    Larger,
    Smaller,
    /// Smaller; but a little growth is no regress.
    SmallerByMuch,
}

/// A sum over tries, and over how many.
type Part = fn(&CaseScore) -> Option<(u64, u64)>;

const PARTS: [(&str, Part, Better); 10] = [
    ("passed", |it| Some((it.passed.into(), it.tries.into())), Better::Larger),
    ("valid results", |it| Some((it.valid.into(), it.answered.into())), Better::Larger),
    ("tools in order, permille", |it| tools(it, it.tools_in_order_permille), Better::Larger),
    ("tools in any order, permille", |it| tools(it, it.tools_any_order_permille), Better::Larger),
    ("steps", |it| Some((it.steps, it.tries.into())), Better::Smaller),
    ("wrong turns", |it| Some((it.wrong_turns, it.tries.into())), Better::Smaller),
    ("loops", |it| Some((it.loops, it.tries.into())), Better::Smaller),
    ("usd_micros", |it| Some((it.usd_micros, it.tries.into())), Better::SmallerByMuch),
    ("tokens", |it| Some((it.tokens, it.tries.into())), Better::SmallerByMuch),
    ("latency_ms", |it| Some((it.latency_ms, it.tries.into())), Better::SmallerByMuch),
];

fn tools(case: &CaseScore, permille: Option<u32>) -> Option<(u64, u64)> {
    permille.map(|sum| (sum.into(), case.tries.into()))
}

fn of_case(name: &str, (then, now): (&CaseScore, &CaseScore), changes: &mut Vec<Change>) {
    for (what, part, better) in PARTS {
        let (Some(old), Some(new)) = (part(then), part(now)) else { continue };
        // Per try, by multiplying out: no rounding decides.
        let (was, is) = (product(old.0, new.1), product(new.0, old.1));
        if was == is {
            continue;
        }
        let is_regress = match better {
            Better::Larger => is < was,
            Better::Smaller => is > was,
            Better::SmallerByMuch => is * 100 > was * u128::from(100 + GROWTH_PERCENT),
        };
        let case = name.to_owned();
        let (before, after) = (shown(old), shown(new));
        changes.push(Change { case, what, before, after, is_regress });
    }
}

fn product(one: u64, other: u64) -> u128 {
    u128::from(one) * u128::from(other)
}

fn shown((sum, count): (u64, u64)) -> String {
    match count {
        0 => "none".to_owned(),
        1 => sum.to_string(),
        count => format!("{sum} in {count} tries"),
    }
}
