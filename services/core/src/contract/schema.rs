//! What a contract's schema may say beyond what the validator itself checks.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::expr::suggestion;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keywords whose value is a schema.
const ONE: [&str; 11] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
const MANY: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is schemas by name.
const NAMED: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose schemas see the same value again.
const IN_PLACE: [&str; 8] =
    ["allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"];
/// All other keywords.
const PLAIN: [&str; 33] = [
    "$comment",
    "$ref",
    "$schema",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// References and combinations of one value in a row; a validator's stack grows with them.
const REFERENCES_MAX: usize = 64;

/// Checks keywords and references of a schema.
///
/// References are pointers into the schema itself, and none leads back to where it
/// started without going down into the value: a validator would never return.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let dialect = schema.get("$schema").and_then(Value::as_str).unwrap_or(DIALECT);
    if dialect.trim_end_matches('#') != DIALECT {
        return Err(format!("/$schema: only {DIALECT} is supported"));
    }
    keywords(schema, schema)?;
    let mut settled = BTreeSet::new();
    walk(schema, "", &mut |pointer, _| circles(schema, pointer, &mut Vec::new(), &mut settled))
}

/// The schema as a part of another one, where the pointer `at` leads to it: its references lead there,
/// and what is only for us (`x-…`) or for a document of its own is left out.
pub(super) fn embedded(schema: &Value, at: &str) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut kept = Map::new();
    for (keyword, value) in fields {
        let value = match (keyword.as_str(), value) {
            ("$id" | "$schema", _) => continue,
            (keyword, _) if keyword.starts_with("x-") => continue,
            ("$ref", Value::String(text)) => {
                format!("#{at}{}", text.strip_prefix('#').unwrap_or(text)).into()
            }
            (keyword, Value::Array(schemas)) if MANY.contains(&keyword) => {
                schemas.iter().map(|schema| embedded(schema, at)).collect()
            }
            (keyword, Value::Object(named)) if NAMED.contains(&keyword) => {
                let named = named.iter();
                named.map(|(name, schema)| (name.clone(), embedded(schema, at))).collect()
            }
            (keyword, schema) if ONE.contains(&keyword) => embedded(schema, at),
            (_, value) => value.clone(),
        };
        kept.insert(keyword.clone(), value);
    }
    Value::Object(kept)
}

fn keywords(schema: &Value, root: &Value) -> Result<(), String> {
    walk(schema, "", &mut |pointer, schema| {
        let Value::Object(fields) = schema else { return Ok(()) };
        for (keyword, value) in fields {
            let known = || PLAIN.into_iter().chain(ONE).chain(MANY).chain(NAMED);
            // An identifier further down would change what references mean.
            let is_own = keyword.starts_with("x-") || keyword == "$id" && pointer.is_empty();
            if !is_own && !known().any(|known| known == keyword) {
                let known = suggestion(keyword, known());
                return Err(format!("{pointer}/{keyword}: unknown keyword{known}"));
            }
            if keyword == "$ref" {
                reference(value, root).map_err(|e| format!("{pointer}/$ref: {e}"))?;
            }
        }
        Ok(())
    })
}

fn reference(value: &Value, root: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Err("is not of type string".to_owned()) };
    match text.strip_prefix('#') {
        Some(pointer) if root.pointer(pointer).is_some() => Ok(()),
        Some(_) => {
            Err(format!("nothing is at `{text}`: write a JSON pointer such as #/$defs/party"))
        }
        None => Err(format!("`{text}` is outside of this file: copy it into `$defs`")),
    }
}

/// Visits a schema and every schema inside it.
fn walk(
    schema: &Value,
    pointer: &str,
    visit: &mut dyn FnMut(&str, &Value) -> Result<(), String>,
) -> Result<(), String> {
    visit(pointer, schema)?;
    inner(schema, pointer)
        .into_iter()
        .try_for_each(|(_, pointer, schema)| walk(schema, &pointer, visit))
}

/// The schemas directly inside one: keyword, pointer, schema.
fn inner<'s>(schema: &'s Value, pointer: &str) -> Vec<(&'s str, String, &'s Value)> {
    let Value::Object(fields) = schema else { return Vec::new() };
    let mut inner = Vec::new();
    for (keyword, value) in fields {
        let at = format!("{pointer}/{keyword}");
        match value {
            Value::Array(items) if MANY.contains(&keyword.as_str()) => {
                let items = items.iter().enumerate();
                inner.extend(
                    items.map(|(index, item)| (keyword.as_str(), format!("{at}/{index}"), item)),
                );
            }
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
                inner.extend(named.iter().map(|(name, schema)| {
                    (keyword.as_str(), format!("{at}/{}", escaped(name)), schema)
                }));
            }
            schema if ONE.contains(&keyword.as_str()) => inner.push((keyword.as_str(), at, schema)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {}
        }
    }
    inner
}

/// Follows everything that sees the same value again; `open` are the pointers on the way.
fn circles(
    root: &Value,
    pointer: &str,
    open: &mut Vec<String>,
    settled: &mut BTreeSet<String>,
) -> Result<(), String> {
    if open.iter().any(|known| known == pointer) {
        return Err(format!("#{pointer}: refers to itself without going down into the value"));
    }
    if open.len() > REFERENCES_MAX {
        return Err(format!(
            "#{pointer}: more than {REFERENCES_MAX} references lead to each other"
        ));
    }
    let Some(schema) = root.pointer(pointer).filter(|_| !settled.contains(pointer)) else {
        return Ok(());
    };
    open.push(pointer.to_owned());
    let reference = schema.get("$ref").and_then(Value::as_str);
    if let Some(target) = reference.and_then(|text| text.strip_prefix('#')) {
        circles(root, target, open, settled)?;
    }
    for (keyword, pointer, _) in inner(schema, pointer) {
        if IN_PLACE.contains(&keyword) {
            circles(root, &pointer, open, settled)?;
        }
    }
    open.pop();
    settled.insert(pointer.to_owned());
    Ok(())
}
