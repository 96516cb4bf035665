//! Contracts: versioned JSON Schemas at every seam between agents.
//!
//! A pack's contracts compile once and are checked twice a step: when a work order
//! is made and when its report arrives. A schema is draft 2020-12 and self-contained:
//! it can refer to its own `$defs`, never to another file or the network. Unknown
//! keywords are refused, so that a misspelt one does not check nothing; `x-…` is free
//! for extensions. Patterns run in linear time.

mod schema;
#[cfg(test)]
mod tests;

use std::fmt;

use jsonschema::{
    Draft, PatternOptions, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use crate::limits::VIOLATIONS_MAX;

/// One compiled contract.
pub struct Contract {
    name: String,
    version: u32,
    schema: Value,
    validator: Validator,
}

/// A schema that cannot be a contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("contract {name}@{version}: {reason}")]
pub struct ContractError {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// What is wrong with its schema.
    pub reason: String,
}

/// One place where a document breaks its contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer into the document; `/` for the document itself.
    pub path: String,
    /// What is wrong there; shows at most the start of the document's own text.
    pub message: String,
}

/// Where a document breaks its contract: the first [`VIOLATIONS_MAX`] places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl std::error::Error for Violations {}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "; " };
            write!(f, "{gap}{}: {}", violation.path, violation.message)?;
        }
        Ok(())
    }
}

impl Contract {
    /// Compiles a JSON Schema of draft 2020-12.
    ///
    /// # Errors
    /// [`ContractError`] when it is no valid schema, has an unknown keyword, or refers
    /// outside itself.
    pub fn compile(name: &str, version: u32, schema: &Value) -> Result<Self, ContractError> {
        let fail = |reason| ContractError { name: name.to_owned(), version, reason };
        schema::check(schema).map_err(fail)?;
        let validator = validator(schema).map_err(fail)?;
        Ok(Self { name: name.to_owned(), version, schema: schema.clone(), validator })
    }

    /// Checks a document.
    ///
    /// # Errors
    /// [`Violations`] lists where it breaks the contract.
    pub fn check(&self, value: &Value) -> Result<(), Violations> {
        if self.validator.is_valid(value) {
            return Ok(());
        }
        let errors = self.validator.iter_errors(value).take(VIOLATIONS_MAX);
        let violations = errors.map(|error| Violation {
            path: Some(error.instance_path().as_str())
                .filter(|path| !path.is_empty())
                .map_or_else(|| "/".to_owned(), |path| shortened(path, PATH_SHOWN)),
            message: describe(&error),
        });
        Err(Violations(violations.collect()))
    }

    /// The schema that it was compiled from.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The schema as a part of another one, where the JSON pointer `at` leads to it; without `x-…`.
    #[must_use]
    pub fn embedded(&self, at: &str) -> Value {
        schema::embedded(&self.schema, at)
    }

    /// The contract's name, without its version.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The contract's version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// `name@version`, as in headers and records.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contract({})", self.id())
    }
}

/// Characters of a pointer that a violation shows.
const PATH_SHOWN: usize = 200;
/// Characters of a message that a violation shows.
const MESSAGE_SHOWN: usize = 160;
/// Characters of the document's own text inside a message.
const QUOTE_SHOWN: usize = 80;

/// A validator that needs nothing but the schema and runs in time linear in the document's texts.
pub(crate) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(schema)
        .map_err(|error| {
            let path = shortened(error.instance_path().as_str(), PATH_SHOWN);
            let path = if path.is_empty() { "/".to_owned() } else { path };
            format!("{path}: {}", describe(&error))
        })
}

/// What an error says, without the value that it is about.
pub(crate) fn describe(error: &ValidationError) -> String {
    let quoted = |names: &[String]| shortened(&names.join("`, `"), QUOTE_SHOWN);
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest has words of its own")]
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let kinds = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => {
                    let kinds: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
                    kinds.join(" or ")
                }
            };
            format!("is not of type {kinds}")
        }
        ValidationErrorKind::Required { property } => {
            format!("lacks `{}`", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            format!("has the unknown field `{}`", quoted(unexpected))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let options: Vec<String> = options.iter().map(ToString::to_string).collect();
            shortened(&format!("is none of {}", options.join(", ")), MESSAGE_SHOWN)
        }
        ValidationErrorKind::Constant { expected_value } => {
            shortened(&format!("is not {expected_value}"), MESSAGE_SHOWN)
        }
        _ => {
            let text = error.masked_with("").to_string();
            shortened(text.trim_start(), MESSAGE_SHOWN)
        }
    }
}

fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
