//! The hints that read structured input: `check`, `copy` and `pick`.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{
    candidate::number,
    hint::{By, Check, When},
    limits::SOURCES_MAX,
    node::Node,
    pointer::Pointer,
};

/// What each rule whose conditions hold gives, in the order written.
pub(super) fn check(checks: &[Check], place: &Node, input: &Value) -> Vec<Value> {
    let holds = |check: &&Check| {
        check.conditions.iter().all(|(from, when)| when.holds(&from.select_items(input)))
    };
    checks.iter().filter(holds).map(|check| issue(check, place, input)).collect()
}

/// The finding to use, and its confidence; on a tie the first.
pub(super) fn pick(from: &Pointer, by: By, input: &Value) -> Option<(Value, f64)> {
    let confidence =
        |finding: &Value| finding.get("confidence").and_then(Value::as_f64).unwrap_or_default();
    let mut best: Option<&Value> = None;
    for finding in from.select_items(input) {
        let is_better = best.is_none_or(|best| {
            let by_confidence =
                confidence(finding).partial_cmp(&confidence(best)).unwrap_or(Ordering::Equal);
            let by_date = as_of(finding).cmp(as_of(best));
            let order = match by {
                By::First => Ordering::Equal,
                By::Newest => by_date.then(by_confidence),
                By::HighestConfidence => by_confidence.then(by_date),
            };
            order == Ordering::Greater
        });
        if is_better {
            best = Some(finding);
        }
    }
    best.map(|finding| (finding.clone(), confidence(finding)))
}

impl When {
    /// True if the question's answer for these values is yes; a finding stands for its `value`.
    pub(super) fn holds(&self, values: &[&Value]) -> bool {
        let mut values = values.iter().map(|value| bare(value));
        match self {
            Self::Missing => values.next().is_none(),
            Self::Exists => values.next().is_some(),
            Self::Differs => values.next().is_some_and(|first| values.any(|v| !same(first, v))),
            Self::Above(limit) => values.any(|v| v.as_f64().is_some_and(|number| number > *limit)),
            Self::Below(limit) => values.any(|v| v.as_f64().is_some_and(|number| number < *limit)),
            Self::Equals(wanted) => values.any(|value| same(value, wanted)),
            Self::Contains(part) => {
                let part = part.to_lowercase();
                values.any(|v| v.as_str().is_some_and(|text| text.to_lowercase().contains(&part)))
            }
        }
    }
}

/// Newest means the greatest ISO date; no date is older than any.
fn as_of(finding: &Value) -> &str {
    finding.get("as_of").and_then(Value::as_str).unwrap_or_default()
}

fn bare(value: &Value) -> &Value {
    value.get("value").filter(|_| value.get("source").is_some()).unwrap_or(value)
}

/// Equality as people see it: numbers by amount, texts without case and spacing.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => return one == other,
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => return false,
    }
    let folded = |value: &Value| {
        value
            .as_str()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
    };
    one == other || (one.is_string() && folded(one) == folded(other))
}

/// Fills `{values}` in the texts of `then`, and `sources` if the schema has room for them.
fn issue(check: &Check, place: &Node, input: &Value) -> Value {
    let selected: Vec<&Value> =
        check.conditions.first().map(|(from, _)| from.select_items(input)).unwrap_or_default();
    let Value::Object(template) = &check.then else { return check.then.clone() };
    let list = listed(&selected);
    let fill = |(name, value): (&String, &Value)| match value {
        Value::String(text) => (name.clone(), Value::String(text.replace("{values}", &list))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            (name.clone(), value.clone())
        }
    };
    let mut issue: Map<String, Value> = template.iter().map(fill).collect();
    let sources: Vec<Value> = selected
        .iter()
        .filter_map(|value| value.get("source").cloned())
        .take(SOURCES_MAX)
        .collect();
    if !sources.is_empty() && place.property("sources").is_some() && !issue.contains_key("sources")
    {
        issue.insert("sources".to_owned(), Value::Array(sources));
    }
    let issue = Value::Object(issue);
    // Sources or texts that the schema refuses must not cost the issue itself.
    if place.admits(&issue) { issue } else { check.then.clone() }
}

/// Distinct values with their clauses: `30 (5.2), 45 (Schedule B)`.
fn listed(values: &[&Value]) -> String {
    let mut seen: Vec<&Value> = Vec::new();
    let mut parts = Vec::new();
    for value in values {
        if seen.len() >= SOURCES_MAX || seen.iter().any(|other| same(other, bare(value))) {
            continue;
        }
        seen.push(bare(value));
        let text = match bare(value) {
            Value::String(text) => text.clone(),
            Value::Number(amount) => amount
                .as_f64()
                .and_then(number)
                .map_or_else(|| amount.to_string(), |n| n.to_string()),
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        };
        let clause = value.pointer("/source/clause").and_then(Value::as_str);
        parts.push(clause.map_or(text.clone(), |clause| format!("{text} ({clause})")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_question_is_answered_over_findings_and_bare_values() {
        let finding = |value: Value| json!({"value": value, "confidence": 0.9, "source": {}});
        let (thirty, other) = (finding(json!(30)), finding(json!(45.0)));
        let (text, same_text) = (json!("New  York"), json!("new york"));
        for (when, values, want) in [
            (json!("missing"), vec![], true),
            (json!("missing"), vec![&thirty], false),
            (json!("exists"), vec![&text], true),
            (json!("differs"), vec![&thirty, &other], true),
            (json!("differs"), vec![&thirty, &thirty], false),
            (json!("differs"), vec![&text, &same_text], false),
            (json!("differs"), vec![&text, &thirty], true),
            (json!("differs"), vec![], false),
            (json!({"above": 44}), vec![&thirty, &other], true),
            (json!({"above": 45}), vec![&thirty, &other], false),
            (json!({"below": 31}), vec![&text, &thirty], true),
            (json!({"equals": 45}), vec![&other], true),
            (json!({"equals": "NEW YORK"}), vec![&text], true),
            (json!({"contains": "york"}), vec![&text], true),
            (json!({"contains": "delaware"}), vec![&text], false),
        ] {
            let question: When = serde_json::from_value(when.clone()).expect("a question");
            assert_eq!(question.holds(&values), want, "{when} of {values:?}");
        }
    }

    #[test]
    fn a_pick_prefers_what_it_is_told_and_then_the_first() {
        let input = json!({"all": [
            {"value": 1, "confidence": 0.9},
            {"value": 2, "confidence": 0.5, "as_of": "2026-03-01"},
            {"value": 3, "confidence": 0.9, "as_of": "2025-01-01"},
            {"value": 4, "confidence": 0.9, "as_of": "2025-01-01"},
        ]});
        let from = Pointer::parse("/all").expect("a pointer");
        for (by, want) in [(By::First, 1), (By::Newest, 2), (By::HighestConfidence, 3)] {
            let (picked, _) = pick(&from, by, &input).expect("a finding");
            assert_eq!(picked["value"], want, "{by:?}");
        }
        assert_eq!(pick(&Pointer::parse("/none").expect("a pointer"), By::First, &input), None);
    }
}
