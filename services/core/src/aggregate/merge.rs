//! The rule `merge`: lists are joined, objects united, and what cannot be merged is a conflict.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Conflict, FieldRule,
    finding::{Finding, by_confidence, group, key_of},
    rules::conflict,
};

/// Makes one value of all. `findings` are in declared order and not empty.
///
/// Inside objects `null` counts as absent, and a finding stays whole: taking its value
/// from one agent and its source from another would make a false citation.
pub(super) fn unite(
    path: &str,
    findings: Vec<Finding<'_>>,
    conflicts: &mut Vec<Conflict>,
) -> Value {
    let groups = group(findings, by_confidence);
    let Some(first) = groups.first() else { return Value::Null };
    if groups.len() == 1 {
        return first.best.whole.clone();
    }
    let distinct: Vec<_> = groups.iter().map(|group| group.best.clone()).collect();
    if distinct.iter().all(|finding| finding.judged().is_array()) {
        return join(&distinct);
    }
    if distinct.iter().all(|finding| finding.judged().is_object()) {
        return unite_fields(path, &distinct, conflicts);
    }
    let why = "such values cannot be merged; it comes first in declared order".to_owned();
    conflicts.push(conflict(path, FieldRule::Merge, Some(first), &groups, why));
    first.best.whole.clone()
}

fn join(lists: &[Finding<'_>]) -> Value {
    let items = lists.iter().filter_map(|list| list.judged().as_array()).flatten();
    let mut seen = BTreeSet::new();
    Value::Array(items.filter(|item| seen.insert(key_of(item))).cloned().collect())
}

fn unite_fields(path: &str, objects: &[Finding<'_>], conflicts: &mut Vec<Conflict>) -> Value {
    let mut united = Map::new();
    for object in objects {
        for key in object.judged().as_object().into_iter().flat_map(Map::keys) {
            if united.contains_key(key) {
                continue;
            }
            let parts = objects.iter().filter_map(|object| {
                let value = object.judged().get(key).filter(|value| !value.is_null())?;
                Some(object.part(value))
            });
            let value = unite(&format!("{path}.{key}"), parts.collect(), conflicts);
            united.insert(key.clone(), value);
        }
    }
    Value::Object(united)
}
