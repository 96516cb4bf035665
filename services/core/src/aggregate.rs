//! How one answer is made of several agents' parts: rules, conflicts, missing parts.
//!
//! The task machine collects a [`Request`], the aggregator actor puts it through the
//! workflow's [`Gate`], and the [`Response`] goes back as the report of the last step.
//! Pure, and a function of the request alone: the same parts give the same answer.
//! Every disagreement is on record as a [`Conflict`], every absent part as an [`Absence`].

mod as_of;
mod finding;
mod gate;
mod merge;
mod rules;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::{Map, Value};

use crate::task::EndStatus;

pub use gate::{Gate, resolve};
pub use wire::RequestError;

/// How one value is made of a field's candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldRule {
    /// The candidates must agree; a disagreement is a conflict that leaves the field out.
    Agree,
    /// The first candidate in declared order.
    Priority,
    /// The candidate with the latest `as_of`.
    Newest,
    /// The candidate with the highest confidence.
    HighestConfidence,
    /// The value that most candidates have.
    Vote,
    /// Lists are joined, objects united.
    Merge,
}

impl FieldRule {
    /// The rule as a pack writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Priority => "priority",
            Self::Newest => "newest",
            Self::HighestConfidence => "highest_confidence",
            Self::Vote => "vote",
            Self::Merge => "merge",
        }
    }

    /// Reads what a pack wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Agree,
            Self::Priority,
            Self::Newest,
            Self::HighestConfidence,
            Self::Vote,
            Self::Merge,
        ];
        all.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// The parts of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Each field of the answer, in declared order.
    pub fields: Vec<Field>,
    /// Steps and items that ended without an output.
    pub gaps: Vec<Missing>,
    /// The limit that stopped the task early.
    pub limit: Option<String>,
}

/// One field of the answer and what it can be made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Key in the answer.
    pub name: String,
    /// How one value is made of the candidates.
    pub rule: FieldRule,
    /// Without it the answer is partial.
    pub is_required: bool,
    /// In declared order, fan-out items in order of their list.
    pub candidates: Vec<Candidate>,
    /// Sources that gave nothing, and why.
    pub missing: Vec<Missing>,
}

/// One possible value of a field.
///
/// An object with a `value` key is a *finding*: it is compared by that value,
/// judged by its own `confidence` (0 to 1) and `as_of` (an ISO date, an RFC 3339 time, or
/// Unix milliseconds), and passed on whole when it wins. Values are compared as JSON:
/// 30 equals 30.0, the order of an object's keys does not matter, texts are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The value or finding.
    pub value: Value,
    /// The pack's expression that it comes from.
    pub from: String,
    /// The report's confidence, for values that bring none of their own.
    pub confidence: Option<f64>,
}

/// A part that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Step, item, or the expression that gave nothing.
    pub step: String,
    /// Why.
    pub cause: String,
}

/// The answer, ready to be published.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// `Completed`, `Partial` or `Failed`.
    pub status: EndStatus,
    /// Why, in one sentence.
    pub reason: String,
    /// Value by field; kept when it breaks the contract, so that a person can look at it.
    pub result: Map<String, Value>,
    /// What is not there: fields first, then steps and items.
    pub missing: Vec<Absence>,
    /// Where values stood against each other, in declared order.
    pub conflicts: Vec<Conflict>,
}

/// A part that is not in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// The field that lacks it; `None` for a step or item that no missing field names.
    pub field: Option<String>,
    /// Step, item, or the expression that gave nothing.
    pub step: String,
    /// Why.
    pub cause: String,
}

/// Different values for one field, and what became of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The field; inside merged objects with the path behind it: `terms.payment.days`.
    pub field: String,
    /// The rule that decided.
    pub rule: FieldRule,
    /// The value that stands in the answer; `None` when the conflict is unresolved.
    pub winner: Option<Claim>,
    /// The other values, each once, in declared order; the first ones when there are many.
    pub losers: Vec<Claim>,
    /// Why this one won, in one sentence.
    pub why: String,
}

/// One side of a conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The value without the finding around it; its size alone when it is large.
    pub value: Value,
    /// The pack's expression that it comes from.
    pub from: String,
    /// How sure its author was.
    pub confidence: Option<f64>,
    /// As of when it holds, as its author wrote it.
    pub as_of: Option<Value>,
}
