//! A good history is clean; each rule has a corruption that it finds, and it alone.

mod debts;
mod declared;
mod fold;
mod journals;
mod kit;
mod saga;
mod streams;

use super::*;
use crate::{
    payload::{Hash, Payload},
    task::Event,
};

#[test]
fn a_good_history_is_clean() {
    let verdict = kit::history().check();
    assert_eq!(verdict.violations, []);
    assert_eq!(verdict.notes, []);
    let Counts { tasks, open, records, orders, orders_waiting, answers, letters, .. } =
        verdict.counts;
    assert_eq!((tasks, open, answers, letters), (3, 2, 1, 1));
    assert_eq!((orders, orders_waiting), (7, 1));
    assert!(records > 7, "{records}");
}

#[test]
fn every_rule_has_a_name_of_its_own_and_a_sentence() {
    let mut names: Vec<_> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        let kebab = rule.as_str().bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
        assert!(kebab && rule.sentence().len() > 10 && !rule.sentence().ends_with('.'), "{rule}");
    }
}

#[test]
fn violations_beyond_the_bound_are_counted() {
    let mut findings = Findings::default();
    let place = Place { stream: "X".into(), shard: 0, sequence: 1, at: Default::default() };
    for _ in 0..crate::limits::CHECK_VIOLATIONS_MAX + 5 {
        findings.accuse(Rule::LogHole, None, &place, "gone");
    }
    let verdict = findings.verdict(Counts::default());
    assert_eq!(verdict.violations.len(), crate::limits::CHECK_VIOLATIONS_MAX);
    assert_eq!(verdict.violations_total, crate::limits::CHECK_VIOLATIONS_MAX as u64 + 5);
}
