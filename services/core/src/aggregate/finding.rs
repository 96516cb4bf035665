//! Values as the rules see them: what is compared, how sure, as of when.

use std::{cmp::Ordering, collections::BTreeMap, fmt::Write as _};

use serde_json::{Number, Value, json};

use super::{Candidate, Claim, as_of::AsOf};
use crate::{limits::CONFLICT_VALUE_BYTES_MAX, task::clip};

/// Key that makes an object a finding.
const VALUE: &str = "value";

/// One value with everything that it is judged by.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    /// The candidate, with the finding around the value.
    pub(super) whole: &'a Value,
    /// The expression that it comes from.
    pub(super) from: &'a str,
    /// Place in declared order.
    pub(super) order: usize,
    /// Equal for equal values.
    pub(super) key: String,
    /// Its own confidence, else its report's.
    pub(super) confidence: Option<f64>,
    /// As of when it holds.
    pub(super) as_of: Option<AsOf>,
}

impl<'a> Finding<'a> {
    pub(super) fn of(candidate: &'a Candidate, order: usize) -> Self {
        let (value, confidence) = (&candidate.value, candidate.confidence);
        Self::new(value, confidence).at(&candidate.from, order)
    }

    /// The value at one field of this one, as part of a merge.
    pub(super) fn part(&self, value: &'a Value) -> Self {
        Self::new(value, self.confidence).at(self.from, self.order)
    }

    fn new(whole: &'a Value, inherited: Option<f64>) -> Self {
        let own = |key: &str| is_finding(whole).then(|| whole.get(key)).flatten();
        let confidence = own("confidence").and_then(Value::as_f64).or(inherited);
        Self {
            whole,
            from: "",
            order: 0,
            key: key_of(judged(whole)),
            confidence: confidence.filter(|confidence| confidence.is_finite()),
            as_of: own("as_of").and_then(AsOf::read),
        }
    }

    fn at(self, from: &'a str, order: usize) -> Self {
        Self { from, order, ..self }
    }

    /// The value that is compared.
    pub(super) fn judged(&self) -> &'a Value {
        judged(self.whole)
    }

    /// How sure its author was; 0 when nobody said.
    pub(super) fn weight(&self) -> f64 {
        self.confidence.unwrap_or(0.0)
    }

    /// What a conflict says about it.
    pub(super) fn claim(&self) -> Claim {
        let as_of = self.as_of.and_then(|_| self.whole.get("as_of")).cloned();
        let value = if self.key.len() > CONFLICT_VALUE_BYTES_MAX {
            let note = "too large to be repeated here";
            json!({"omitted_bytes": self.key.len(), "note": note})
        } else {
            self.judged().clone()
        };
        Claim { value, from: clip(self.from), confidence: self.confidence, as_of }
    }
}

/// Candidates with one value.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    /// In declared order; never empty.
    pub(super) members: Vec<Finding<'a>>,
    /// The member that stands for the value.
    pub(super) best: Finding<'a>,
}

impl Group<'_> {
    /// Place of its first member.
    pub(super) fn first(&self) -> usize {
        self.members.first().map_or(self.best.order, |member| member.order)
    }

    /// Sum of its members' confidence, the same whatever their order.
    pub(super) fn weight(&self) -> f64 {
        let mut weights: Vec<_> = self.members.iter().map(Finding::weight).collect();
        weights.sort_by(f64::total_cmp);
        weights.into_iter().sum()
    }
}

/// Puts equal values together, in order of their first appearance. Of equal values the one that
/// `better` ranks highest stands for them; the first of several such.
pub(super) fn group<'a>(
    findings: Vec<Finding<'a>>,
    better: fn(&Finding<'_>, &Finding<'_>) -> Ordering,
) -> Vec<Group<'a>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for finding in findings {
        let place = *places.entry(finding.key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => {
                if better(&finding, &group.best) == Ordering::Greater {
                    group.best = finding.clone();
                }
                group.members.push(finding);
            }
            None => groups.push(Group { best: finding.clone(), members: vec![finding] }),
        }
    }
    groups
}

/// The more confident one ranks higher.
pub(super) fn by_confidence(a: &Finding<'_>, b: &Finding<'_>) -> Ordering {
    a.weight().total_cmp(&b.weight())
}

/// The newer one ranks higher, one without a date below all; then the more confident one.
pub(super) fn by_date(a: &Finding<'_>, b: &Finding<'_>) -> Ordering {
    a.as_of.cmp(&b.as_of).then_with(|| by_confidence(a, b))
}

fn is_finding(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.contains_key(VALUE))
}

fn judged(value: &Value) -> &Value {
    value.as_object().and_then(|object| object.get(VALUE)).unwrap_or(value)
}

/// A text that is equal for equal values: keys sorted, and unlike a document's canonical text
/// numbers by value.
pub(super) fn key_of(value: &Value) -> String {
    let mut text = String::new();
    write_key(&mut text, value);
    text
}

fn write_key(text: &mut String, value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => {
            let _infallible = write!(text, "{value}");
        }
        Value::Number(number) => write_number(text, number),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_key(text, item);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(fields) => {
            // Sorted here: whether the map keeps them sorted is a build feature of the library.
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            text.push('{');
            for (key, field) in sorted {
                let _infallible = write!(text, "{}:", Value::from(key.as_str()));
                write_key(text, field);
                text.push(',');
            }
            text.push('}');
        }
    }
}

fn write_number(text: &mut String, number: &Number) {
    let whole = number.as_f64().filter(|float| {
        // Below 2^64 a float without a fraction is exactly one of the integers that JSON gives us.
        number.is_f64() && float.fract() == 0.0 && float.abs() < 18_446_744_073_709_551_616.0
    });
    let _infallible = match whole {
        Some(float) => write!(text, "{}", float as i128),
        None => write!(text, "{number}"),
    };
}
