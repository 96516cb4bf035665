//! Suites: goals, and what is expected of them.
//!
//! A suite is a folder: `suite.yaml`, each other `*.yaml` a case, each `*.jsonl` recorded answers of models.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    limits::EVAL_TRIES_MAX,
    pack::{decimal, duration, duration_shown, usd_shown, yaml},
};

/// What all cases of a suite have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The form of the file.
    #[serde(rename = "apiVersion")]
    api_version: ApiVersion,
    /// The pack: a folder, from the suite's own on, or the name of one that is built in.
    pub pack: String,
    /// How often each case is played. Default: once.
    #[serde(default = "once")]
    pub tries: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ApiVersion {
    #[serde(rename = "eval/v1")]
    V1,
}

/// A goal, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The goal's input; `None` for a case with a `sample`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Value>,
    /// A file of the pack's samples/, in place of `goal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// How often it is played; `None` for as often as the suite says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expect,
    /// The task that it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
}

/// A task that became a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its id.
    pub task: String,
    /// The pack revision that it ran by.
    pub revision: String,
}

/// What must come of a goal. The answer must satisfy the pack's contract in any case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// How the task ends, or `waiting` when it must ask a person. Default: `completed`.
    #[serde(default = "completed")]
    pub status: String,
    /// What must hold of the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub result: Vec<Check>,
    /// The tools that models must call, each as often as it is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Tools>,
    /// Work orders at most, those of failed attempts included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// Failed attempts, refused answers and tools that failed, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wrong_turns: Option<u32>,
    /// Money at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_usd: Option<Usd>,
    /// Tokens at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Time at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_latency: Option<Within>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            status: completed(),
            result: Vec::new(),
            tools: None,
            max_steps: None,
            max_wrong_turns: None,
            max_usd: None,
            max_tokens: None,
            max_latency: None,
        }
    }
}

/// What must hold at one place of the result.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// JSON pointer into the result, such as `/parties/0`; empty for all of it.
    #[serde(default)]
    pub at: String,
    /// It is this.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// A text has this part, a list this item, an object these fields.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub contains: Option<Value>,
    /// A text, or the JSON of anything else, has a part that this regular expression matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
}

/// The tools that models must call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tools {
    /// These and no other, one after the other.
    InOrder(Vec<String>),
    /// These and no other.
    AnyOrder(Vec<String>),
}

impl Tools {
    /// The tools by name.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match self {
            Self::InOrder(names) | Self::AnyOrder(names) => names,
        }
    }
}

/// Millionths of a US dollar, written as dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "String")]
pub struct Usd(pub u64);

/// Milliseconds, written as packs write durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Within(pub u64);

impl TryFrom<Value> for Usd {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let micros = decimal(&value, 6);
        micros
            .map(Self)
            .ok_or_else(|| format!("{value} is no amount: write 0.05, six decimals at most"))
    }
}

impl From<Usd> for String {
    fn from(usd: Usd) -> Self {
        usd_shown(usd.0)
    }
}

impl TryFrom<String> for Within {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = duration(&text)
            .ok_or_else(|| format!("{text:?} is no duration: write 250ms, 8s or 5m"))?;
        Ok(Self(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl From<Within> for String {
    fn from(within: Within) -> Self {
        duration_shown(std::time::Duration::from_millis(within.0))
    }
}

/// A file of a suite that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SuiteError(pub String);

impl Suite {
    /// A suite for this pack whose cases are played once.
    #[must_use]
    pub fn of(pack: &str) -> Self {
        Self { api_version: ApiVersion::V1, pack: pack.to_owned(), tries: once() }
    }

    /// Reads `suite.yaml`.
    ///
    /// # Errors
    /// [`SuiteError`] says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let suite: Self = read(text)?;
        within_bounds(suite.tries)?;
        Ok(suite)
    }
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// [`SuiteError`] says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let case: Self = read(text)?;
        case.tries.map_or(Ok(()), within_bounds)?;
        if case.goal.is_some() == case.sample.is_some() {
            return Err(SuiteError("a case has either `goal` or `sample`".to_owned()));
        }
        case.expect.result.iter().try_for_each(Check::make_sense)?;
        Ok(case)
    }
}

impl Check {
    fn make_sense(&self) -> Result<(), SuiteError> {
        let at = &self.at;
        if !at.is_empty() && !at.starts_with('/') {
            let text = format!("`at: {at}` is no JSON pointer: write /{}", at.replace('.', "/"));
            return Err(SuiteError(text));
        }
        if self.equals.is_none() && self.contains.is_none() && self.matches.is_none() {
            let text = format!("the check at `{at}` lacks `equals`, `contains` or `matches`");
            return Err(SuiteError(text));
        }
        let pattern = self.matches.as_deref().map(regex::Regex::new);
        pattern
            .transpose()
            .map(drop)
            .map_err(|error| SuiteError(format!("`matches` at `{at}`: {error}")))
    }
}

fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, SuiteError> {
    let value = yaml(text).map_err(SuiteError)?;
    serde_json::from_value(value).map_err(|error| SuiteError(error.to_string()))
}

fn within_bounds(tries: u32) -> Result<(), SuiteError> {
    if (1..=EVAL_TRIES_MAX).contains(&tries) {
        return Ok(());
    }
    Err(SuiteError(format!("`tries` is {tries}, allowed are 1 to {EVAL_TRIES_MAX}")))
}

/// A value that was written, be it null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn once() -> u32 {
    1
}

fn completed() -> String {
    "completed".to_owned()
}
