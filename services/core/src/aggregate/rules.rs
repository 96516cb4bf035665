//! The rules: which of a field's candidates stands in the answer, and why.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    Conflict, Field, FieldRule,
    finding::{Finding, Group, by_confidence, by_date, group},
    merge,
};
use crate::limits::{CANDIDATES_MAX, CONFLICT_LOSERS_MAX};

/// What became of one field.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Its value; `None` when there is none.
    pub(super) value: Option<Value>,
    /// Where candidates stood against each other.
    pub(super) conflicts: Vec<Conflict>,
}

/// What decided between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    Date,
    Votes,
    Confidence,
    Order,
}

/// Makes one value of a field's candidates.
pub(super) fn settle(field: &Field) -> Settled {
    let candidates = field.candidates.iter().take(CANDIDATES_MAX).enumerate();
    let findings: Vec<_> =
        candidates.map(|(order, candidate)| Finding::of(candidate, order)).collect();
    if findings.is_empty() {
        return Settled::default();
    }
    match field.rule {
        FieldRule::Merge => {
            let mut conflicts = Vec::new();
            let value = merge::unite(&field.name, findings, &mut conflicts);
            Settled { value: Some(value), conflicts }
        }
        FieldRule::Newest => choose(field, &group(findings, by_date)),
        FieldRule::Agree | FieldRule::Priority | FieldRule::HighestConfidence | FieldRule::Vote => {
            choose(field, &group(findings, by_confidence))
        }
    }
}

fn choose(field: &Field, groups: &[Group<'_>]) -> Settled {
    let rule = field.rule;
    let best = groups.iter().max_by(|a, b| rank(rule, a, b).1);
    let Some(winner) = best else { return Settled::default() };
    let value = Some(winner.best.whole.clone());
    if groups.len() == 1 {
        return Settled { value, conflicts: Vec::new() };
    }
    if rule == FieldRule::Agree {
        let why = format!("{} different values, and the rule takes none of them", groups.len());
        let conflicts = vec![conflict(&field.name, rule, None, groups, why)];
        return Settled { value: None, conflicts };
    }
    let rest = groups.iter().filter(|group| group.best.order != winner.best.order);
    let second = rest.max_by(|a, b| rank(rule, a, b).1);
    let why = second.map_or_else(String::new, |second| explain(rule, winner, second));
    let conflicts = vec![conflict(&field.name, rule, Some(winner), groups, why)];
    Settled { value, conflicts }
}

/// Which value ranks higher, and by what; never equal for two different groups.
fn rank(rule: FieldRule, a: &Group<'_>, b: &Group<'_>) -> (Basis, Ordering) {
    let date = (Basis::Date, a.best.as_of.cmp(&b.best.as_of));
    let votes = (Basis::Votes, a.members.len().cmp(&b.members.len()));
    let confidence = (Basis::Confidence, by_confidence(&a.best, &b.best));
    let weight = (Basis::Confidence, a.weight().total_cmp(&b.weight()));
    let order = (Basis::Order, b.best.order.cmp(&a.best.order));
    let first = (Basis::Order, b.first().cmp(&a.first()));
    let steps = match rule {
        FieldRule::Agree | FieldRule::Priority | FieldRule::Merge => vec![first],
        FieldRule::Newest => vec![date, confidence, order],
        FieldRule::HighestConfidence => vec![confidence, order],
        FieldRule::Vote => vec![votes, weight, first],
    };
    steps.into_iter().find(|(_, ordering)| ordering.is_ne()).unwrap_or(first)
}

/// Says in one sentence why `winner` stands above `second`.
fn explain(rule: FieldRule, winner: &Group<'_>, second: &Group<'_>) -> String {
    let tie = match rule {
        FieldRule::Newest if winner.best.as_of.is_none() => "nothing has a date; ",
        FieldRule::Newest => "two are equally new; ",
        FieldRule::HighestConfidence => "two are equally confident; ",
        FieldRule::Vote => "the vote is tied; ",
        FieldRule::Agree | FieldRule::Priority | FieldRule::Merge => "",
    };
    match rank(rule, winner, second).0 {
        Basis::Date => {
            let date = winner.best.claim().as_of.unwrap_or_default();
            match second.best.claim().as_of {
                Some(other) => format!("it is the newest: as of {date}, the next of {other}"),
                None => format!("it is the only one with a date: as of {date}"),
            }
        }
        Basis::Votes => {
            let (count, next) = (winner.members.len(), second.members.len());
            format!("most candidates have it: {count}, the next {next}")
        }
        Basis::Confidence if rule == FieldRule::Vote => {
            let (sum, other) = (winner.weight(), second.weight());
            format!("{tie}its confidence sums up to {sum:.3}, the next to {other:.3}")
        }
        Basis::Confidence => {
            let tie = if rule == FieldRule::HighestConfidence { "" } else { tie };
            let (weight, other) = (winner.best.weight(), second.best.weight());
            format!("{tie}its confidence is the highest: {weight}, the next {other}")
        }
        Basis::Order => format!("{tie}it comes first in declared order"),
    }
}

/// Puts a conflict on record.
pub(super) fn conflict(
    field: &str,
    rule: FieldRule,
    winner: Option<&Group<'_>>,
    groups: &[Group<'_>],
    mut why: String,
) -> Conflict {
    let won = |group: &Group<'_>| winner.is_some_and(|w| w.best.order == group.best.order);
    let mut losers: Vec<_> = groups.iter().filter(|group| !won(group)).collect();
    if losers.len() > CONFLICT_LOSERS_MAX {
        let count = losers.len() - CONFLICT_LOSERS_MAX;
        why.push_str(&format!(" ({count} further losers are not listed)"));
        losers.truncate(CONFLICT_LOSERS_MAX);
    }
    Conflict {
        field: crate::task::clip(field),
        rule,
        winner: winner.map(|group| group.best.claim()),
        losers: losers.into_iter().map(|group| group.best.claim()).collect(),
        why,
    }
}
