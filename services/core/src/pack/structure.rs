//! Checks a pack file against the grammar, all of it at once.
//!
//! The grammar's own JSON Schema is the judge, so that an editor with `cadre pack schema`
//! and the compiler never differ, and every mistake is listed instead of the first.

use std::sync::LazyLock;

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use schemars::{
    Schema,
    transform::{RecursiveTransform, Transform},
};
use serde_json::Value;

use super::{
    document::{Document, escaped},
    grammar::PackDecl,
    problems::Problems,
    units::{DURATION_PATTERN, DURATION_WANTED},
};
use crate::{contract, expr::suggestion};

/// The JSON Schema of `pack.yaml`.
pub(super) fn schema() -> Value {
    let mut schema = schemars::schema_for!(PackDecl);
    // Formats such as `uint32` are the generator's own: no validator knows them.
    let mut plain = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("format");
    });
    plain.transform(&mut schema);
    schema.to_value()
}

/// Reads the file, or lists everything in it that the grammar has not.
pub(super) fn read(document: &Document, problems: &mut Problems) -> Option<PackDecl> {
    static VALIDATOR: LazyLock<Result<Validator, String>> =
        LazyLock::new(|| contract::validator(&schema()));
    match &*VALIDATOR {
        Ok(validator) => {
            let before = problems.count();
            for error in validator.iter_errors(&document.value) {
                report(&error, problems);
            }
            if problems.count() > before {
                return None;
            }
        }
        Err(bug) => problems.at("", format!("the grammar's own schema is wrong: {bug}")),
    }
    match serde_json::from_value(document.value.clone()) {
        Ok(declared) => Some(declared),
        Err(error) => {
            problems.at("", error.to_string());
            None
        }
    }
}

fn report(error: &ValidationError, problems: &mut Problems) {
    let pointer = error.instance_path().as_str();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are said as a contract says them"
    )]
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for key in unexpected {
                let known = suggestion(key, known_keys(error).iter().map(String::as_str));
                problems
                    .at_key(&format!("{pointer}/{}", escaped(key)), format!("unknown key{known}"));
            }
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            problems.at_key(pointer, format!("lacks `{key}`"));
        }
        ValidationErrorKind::Pattern { pattern } if pattern == DURATION_PATTERN => {
            problems.at(pointer, DURATION_WANTED);
        }
        ValidationErrorKind::Type { .. } if is_duration(error) => {
            problems.at(pointer, DURATION_WANTED);
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            let keys = keys_of_alternatives(error).join(" and ");
            problems.at_key(pointer, format!("has both {keys}: keep one"));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            report_alternatives(pointer, context, problems);
        }
        _ => problems.at(pointer, contract::describe(error)),
    }
}

/// Says of a value that fits no alternative what tells most.
fn report_alternatives(
    pointer: &str,
    alternatives: &[Vec<ValidationError<'static>>],
    problems: &mut Problems,
) {
    let words: Vec<String> = alternatives.iter().flatten().filter_map(word).collect();
    if !words.is_empty() {
        problems.at(pointer, format!("is none of {}", words.join(", ")));
        return;
    }
    let lacking: Vec<String> = alternatives.iter().flatten().filter_map(lacks).collect();
    if lacking.len() == alternatives.len() {
        problems.at_key(pointer, format!("lacks {}", lacking.join(" or ")));
        return;
    }
    if alternatives.iter().flatten().any(is_duration) {
        problems.at(pointer, DURATION_WANTED);
        return;
    }
    // There is one alternative of each kind of value: the errors of the right one.
    let is_other_kind = |error: &ValidationError<'static>| {
        error.instance_path().as_str() == pointer
            && matches!(error.kind(), ValidationErrorKind::Type { .. })
    };
    match alternatives.iter().find(|errors| !errors.iter().any(is_other_kind)) {
        Some(errors) => errors.iter().for_each(|error| report(error, problems)),
        None => problems.at(pointer, kinds(alternatives)),
    }
}

/// The word that would have been right.
fn word(error: &ValidationError<'static>) -> Option<String> {
    let ValidationErrorKind::Constant { expected_value } = error.kind() else { return None };
    Some(expected_value.to_string())
}

/// The key that would have been enough.
fn lacks(error: &ValidationError<'static>) -> Option<String> {
    let ValidationErrorKind::Required { property } = error.kind() else { return None };
    Some(format!("`{}`", property.as_str()?))
}

/// Keys of which each makes an alternative, where an object has several of them.
fn keys_of_alternatives(error: &ValidationError) -> Vec<String> {
    let schema = schema();
    let alternatives = resolved(&schema, error.schema_path().as_str()).and_then(Value::as_array);
    let keys = alternatives.into_iter().flatten().filter_map(|alternative| {
        let key = alternative.pointer("/required/0")?.as_str()?;
        error.instance().get(key).map(|_| format!("`{key}`"))
    });
    keys.collect()
}

/// Whether a duration was wanted.
fn is_duration(error: &ValidationError) -> bool {
    let schema = schema();
    let (parent, _) = error.schema_path().as_str().rsplit_once('/').unwrap_or_default();
    let pattern = resolved(&schema, parent).and_then(|schema| schema.get("pattern"));
    pattern.and_then(Value::as_str) == Some(DURATION_PATTERN)
}

/// Keys that the object of an error may have.
fn known_keys(error: &ValidationError) -> Vec<String> {
    let schema = schema();
    let (parent, _) = error.schema_path().as_str().rsplit_once('/').unwrap_or_default();
    let parent = resolved(&schema, parent);
    let known = parent.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    known.map(|known| known.keys().cloned().collect()).unwrap_or_default()
}

/// The schema at a path of keywords; a `$ref` on the way is followed.
fn resolved<'s>(root: &'s Value, path: &str) -> Option<&'s Value> {
    path.split('/').skip(1).try_fold(root, |schema, step| {
        let next = schema.pointer(&format!("/{step}"))?;
        match next.as_str().filter(|_| step == "$ref") {
            Some(target) => root.pointer(target.strip_prefix('#')?),
            None => Some(next),
        }
    })
}

fn kinds(context: &[Vec<ValidationError<'static>>]) -> String {
    let kinds = context.iter().flatten().filter_map(|error| {
        let text = contract::describe(error);
        text.strip_prefix("is not of type ").map(str::to_owned)
    });
    let mut kinds: Vec<String> = kinds.collect();
    kinds.dedup();
    format!("is not of type {}", kinds.join(" or "))
}
