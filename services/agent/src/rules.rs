//! The `rules` runtime: fills a role's output contract from its input, without a model.
//!
//! A role actor compiles the contract once and runs it per step; later it is the degraded path of
//! model roles. Pure, synchronous and linear in the text: the same input gives the same answer.
//! An outcome either validates against its schema or says in `unsure` why it does not.
//!
//! ```text
//! schema ── compile ──► nodes + hints ──┐
//! input ── text ──► clauses, sentences ─┴─ fill ──► output, confidence, unsure
//! ```
#![doc = include_str!("rules/vocabulary.md")]

mod candidate;
mod check;
mod compile;
mod date;
mod document;
mod fill;
mod headings;
mod hint;
pub mod limits;
mod lines;
mod macros;
mod node;
mod pointer;
mod quantity;
mod search;
mod sentences;
mod summary;

use serde_json::Value;
use thiserror::Error;

use self::{
    candidate::rounded,
    compile::Compiler,
    document::Document,
    fill::{Filled, Filler},
    limits::TEXT_BYTES_MAX,
    node::Node,
};

/// Where the text stands in the input unless `x-rules-text` at the schema's root says otherwise.
const TEXT_POINTER: &str = "/text";
/// Most required places that one `unsure` names.
const NAMED_MAX: usize = 10;

/// A compiled output contract.
#[derive(Debug)]
pub struct Rules {
    root: Node,
    text: String,
    needs_text: bool,
}

/// What one run gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The filled contract; valid against the schema whenever `unsure` is None.
    pub output: Value,
    /// 0 to 1, in hundredths: the mean over what hints found, a missing required place counting 0.
    ///
    /// 1 when the hints had nothing to find, as in a chunk without terms.
    pub confidence: f64,
    /// Why the output cannot be relied on: the required places that nothing was found for.
    pub unsure: Option<String>,
}

/// Why a schema cannot be compiled; the author of the pack can fix each.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RulesError {
    /// A schema nests too deep or refers to itself.
    #[error("schema `{at}` nests deeper than {max} levels; flatten it or cut the `$ref` loop")]
    TooDeep {
        /// JSON pointer in the schema.
        at: String,
        /// The limit.
        max: usize,
    },
    /// A schema has too many places after its references are expanded.
    #[error("schema `{at}` brings it over {max} places; split the contract")]
    TooLarge {
        /// JSON pointer in the schema.
        at: String,
        /// The limit.
        max: usize,
    },
    /// A keyword has a value that JSON Schema or the rules do not accept.
    #[error("schema `{at}`: {reason}")]
    Schema {
        /// JSON pointer in the schema.
        at: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A hinted place carries an assertion that the rules cannot keep.
    #[error("schema `{at}` cannot be kept by rules; drop the keyword or the hint")]
    Unsupported {
        /// JSON pointer of the keyword.
        at: String,
    },
    /// A key that is no hint.
    #[error("schema `{at}` is no known hint; see the vocabulary of `x-rules`")]
    UnknownKey {
        /// JSON pointer of the key.
        at: String,
    },
    /// A hint is not well formed or does not fit its property.
    #[error("hint `{at}`: {reason}")]
    Hint {
        /// JSON pointer of the hint.
        at: String,
        /// What is wrong.
        reason: String,
    },
}

/// Why an input cannot be run; whoever made the input can fix each.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// The contract reads a text and the input has none.
    #[error("input `{at}` is no string; put the text there")]
    NoText {
        /// JSON pointer in the input.
        at: String,
    },
    /// The text is longer than the rules read.
    #[error("input `{at}` has {bytes} bytes, the limit is {max}; send it in chunks")]
    TextTooLong {
        /// JSON pointer in the input.
        at: String,
        /// Length of the text.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The offset beside the text is no count of characters.
    #[error("input `{at}` is no integer from 0 to 2^53; give the chunk's first character")]
    Offset {
        /// JSON pointer in the input.
        at: String,
    },
}

impl Rules {
    /// Compiles an output contract; once per schema.
    ///
    /// # Errors
    /// A schema or hint that the rules cannot keep; each names its place by JSON pointer.
    pub fn compile(schema: &Value) -> Result<Self, RulesError> {
        let root = Compiler::new(schema).compile()?;
        let text = match schema.get("x-rules-text") {
            None => TEXT_POINTER.to_owned(),
            Some(Value::String(pointer)) if pointer.starts_with('/') => pointer.clone(),
            Some(_) => {
                let at = "/x-rules-text".to_owned();
                return Err(RulesError::Schema { at, reason: "a JSON pointer starts with `/`" });
            }
        };
        Ok(Self { needs_text: root.needs_text(), root, text })
    }

    /// Fills the contract from one input.
    ///
    /// # Errors
    /// An input without the text that hints read, or with one that is too long.
    pub fn run(&self, input: &Value) -> Result<Outcome, RunError> {
        let document = if self.needs_text { Some(self.document(input)?) } else { None };
        let Filled { value, scores, missing } = Filler { input, document }.fill(&self.root, "");
        let output = value.unwrap_or(Value::Null);
        let unsure = unsure(&missing, self.root.admits(&output));
        let count = u32::try_from(scores.len() + missing.len()).unwrap_or(u32::MAX);
        let mean = scores.iter().sum::<f64>() / f64::from(count);
        let confidence = match (&unsure, count) {
            (Some(_), 0) => 0.0,
            (None, 0) => 1.0,
            (_, _) => rounded(mean),
        };
        Ok(Outcome { output, confidence, unsure })
    }

    fn document<'i>(&self, input: &'i Value) -> Result<Document<'i>, RunError> {
        let at = || self.text.clone();
        let Some(text) = input.pointer(&self.text).and_then(Value::as_str) else {
            return Err(RunError::NoText { at: at() });
        };
        let (bytes, max) = (text.len(), TEXT_BYTES_MAX);
        if bytes > max {
            return Err(RunError::TextTooLong { at: at(), bytes, max });
        }
        let beside = self.text.rsplit_once('/').map_or("", |(parent, _)| parent);
        let beside = format!("{beside}/offset");
        let offset = match input.pointer(&beside) {
            None | Some(Value::Null) => 0,
            Some(offset) => match offset.as_u64().filter(|offset| *offset <= 1 << 53) {
                Some(offset) => offset,
                None => return Err(RunError::Offset { at: beside }),
            },
        };
        Ok(Document::new(text, offset))
    }
}

fn unsure(missing: &[String], is_admitted: bool) -> Option<String> {
    let named = missing.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = missing.len().saturating_sub(NAMED_MAX);
    match (missing.is_empty(), more) {
        (true, _) if is_admitted => None,
        (true, _) => Some("the rules found nothing that fits the contract".to_owned()),
        (false, 0) => Some(format!("nothing found for {named}")),
        (false, more) => Some(format!("nothing found for {named} and {more} more")),
    }
}

#[cfg(test)]
mod tests;
