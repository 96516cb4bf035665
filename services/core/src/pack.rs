//! Packs: the YAML that declares roles, contracts and a workflow, and its compiler.

mod document;

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::workflow::Workflow;

/// The files of one pack as its author wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackSource {
    /// Content by path relative to the pack's folder: `pack.yaml`, `contracts/…`, `prompts/…`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A stored document that is no pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a stored pack: {0}")]
pub struct DecodeError(pub String);

impl PackSource {
    /// Content hash of all files: 64 hexadecimal digits.
    #[must_use]
    pub fn revision(&self) -> String {
        String::new()
    }

    /// One canonical JSON document of all files, to be stored.
    ///
    /// # Errors
    /// [`DecodeError`] when a file has an unsafe path or is no text, or all are too large.
    pub fn encode(&self) -> Result<String, DecodeError> {
        Ok(String::new())
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when it is something else.
    pub fn decode(_document: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::default())
    }
}

/// One thing wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackProblem {
    /// File that it is in, relative to the pack's folder.
    pub file: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// Key inside the file, such as `workflow.steps.extract.with.text`; empty when there is none.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Everything wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackErrors(pub Vec<PackProblem>);

impl std::error::Error for PackErrors {}

impl fmt::Display for PackErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
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

/// Compiles a pack, or lists everything wrong with it.
///
/// # Errors
/// [`PackErrors`] with every problem found.
pub fn compile(_source: &PackSource) -> Result<Workflow, PackErrors> {
    Err(PackErrors(Vec::new()))
}

/// The JSON Schema of `pack.yaml`, from its Rust types.
#[must_use]
pub fn schema() -> Value {
    Value::Null
}

/// What changed from `old` to `new`, file by file, line by line.
#[must_use]
pub fn diff(_old: &PackSource, _new: &PackSource) -> String {
    String::new()
}
