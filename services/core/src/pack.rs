//! Packs: the YAML that declares roles, contracts and a workflow, and its compiler.
//!
//! A pack is a folder: `pack.yaml`, `contracts/<name>.v<version>.json`, `prompts/*`, `documents/*` and
//! `cassettes/*.jsonl`.
//! [`PackSource`] holds its files, hashes and stores them; [`compile`] makes a
//! [`Workflow`] of them or lists everything that is wrong, with line and column.
//! A compiled pack cannot fail by its own fault: names, references, limits and
//! expressions are checked here, once.

mod compile;
mod contracts;
mod diff;
mod document;
mod grammar;
mod models;
mod problems;
mod result;
mod roles;
mod script;
mod source;
mod steps;
mod structure;
mod swap;
#[cfg(test)]
mod tests;
mod units;

use std::fmt;

use serde_json::Value;

pub use self::source::{PackSource, PackSourceError};
pub(crate) use self::units::{decimal, duration, shown as duration_shown, usd_shown};
use crate::workflow::Workflow;

/// One thing wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackProblem {
    /// File that it is in, relative to the pack's folder.
    pub file: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// Key inside the file, such as `workflow.steps.extract.with.text`; empty for the file itself.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for PackProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything wrong with a pack, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackErrors(pub Vec<PackProblem>);

impl std::error::Error for PackErrors {}

impl fmt::Display for PackErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

/// Compiles a pack, or lists everything wrong with it.
///
/// # Errors
/// [`PackErrors`] with every problem found.
pub fn compile(source: &PackSource) -> Result<Workflow, PackErrors> {
    compile::compile(source)
}

/// The JSON Schema of `pack.yaml`, from its Rust types.
#[must_use]
pub fn schema() -> Value {
    structure::schema()
}

/// The same pack with this one model (`provider/model`) behind every name of its `models`, at no cost
/// where its price is unknown; `None` when its pack file cannot be read. It is another revision.
#[must_use]
pub fn with_model(source: &PackSource, model: &str) -> Option<PackSource> {
    swap::with_model(source, model)
}

/// The same pack with the provider `simulated` in place of every other: it says what the cassettes say,
/// at the price of the model that it stands for. `None` when its pack file cannot be read.
#[must_use]
pub fn simulated(source: &PackSource) -> Option<PackSource> {
    swap::simulated(source)
}

/// One YAML document as JSON, within the bounds of packs.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn yaml(text: &str) -> Result<Value, String> {
    document::Document::parse(text).map(|document| document.value).map_err(|error| {
        let at = error.position.map(|at| format!("line {}, column {}: ", at.line, at.column));
        format!("{}{}", at.unwrap_or_default(), error.message)
    })
}

/// What changed from `old` to `new`, file by file, line by line; empty when nothing did.
#[must_use]
pub fn diff(old: &PackSource, new: &PackSource) -> String {
    diff::diff(old, new)
}
