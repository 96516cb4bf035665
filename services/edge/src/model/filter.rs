//! Which tasks, questions and sums somebody wants to see.

use std::{fmt, str::FromStr};

use cadre_core::{
    ids::{Name, TaskId},
    time::UnixMillis,
};

use super::status::Status;

/// Rows of one page at most.
pub const PAGE_MAX: u32 = 1_000;

/// Which tasks. What is left empty does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFilter {
    /// One of these.
    pub statuses: Vec<Status>,
    /// Of this workflow.
    pub workflow: Option<Name>,
    /// This role has had an attempt in it.
    pub role: Option<Name>,
    /// All of these words stand in the goal's texts, its key, or its id; where no goal has them, words that begin so.
    pub text: Option<String>,
    /// Accepted then or later.
    pub since: Option<UnixMillis>,
    /// Accepted before.
    pub until: Option<UnixMillis>,
    /// A step of it has failed.
    pub has_failed: bool,
    /// It should have gone on by itself for half a minute or more.
    pub is_stuck: bool,
    /// It has failed last in this way.
    pub fingerprint: Option<String>,
    /// Pinned to this pack revision; its first 12 digits are enough.
    pub revision: Option<String>,
    /// It is a fork of this task.
    pub parent: Option<TaskId>,
}

/// Which questions. What is left empty does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuestionFilter {
    /// Only those that wait for a person, the one that expires first at the beginning; otherwise also decided
    /// ones, the newest first.
    pub is_open: bool,
    /// Of this workflow.
    pub workflow: Option<Name>,
    /// Of this task.
    pub task: Option<TaskId>,
}

/// What spend is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpendBy {
    /// Hours of UTC.
    Hour,
    /// Days of UTC.
    Day,
    /// Tenants.
    Tenant,
    /// Workflows.
    Workflow,
    /// Roles.
    Role,
    /// Models.
    Model,
}

/// A word that is no [`SpendBy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("spend is not kept by {0:?}: use hour, day, tenant, workflow, role or model")]
pub struct SpendByError(String);

impl SpendBy {
    /// Everything that spend can be added up by.
    pub const ALL: [Self; 6] =
        [Self::Hour, Self::Day, Self::Tenant, Self::Workflow, Self::Role, Self::Model];

    /// As one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Tenant => "tenant",
            Self::Workflow => "workflow",
            Self::Role => "role",
            Self::Model => "model",
        }
    }
}

impl FromStr for SpendBy {
    type Err = SpendByError;

    fn from_str(text: &str) -> Result<Self, SpendByError> {
        let found = Self::ALL.into_iter().find(|by| by.as_str() == text);
        found.ok_or_else(|| SpendByError(text.chars().take(80).collect()))
    }
}

/// Where the next page of a list begins: behind this row. Survives a rebuild of the read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(super) i64);

/// A text that is no [`Cursor`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cursor: use what the page before gave as `next`")]
pub struct CursorError(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let number = i64::from_str_radix(text, 16).ok().filter(|number| *number >= 0);
        number.map(Self).ok_or_else(|| CursorError(text.chars().take(80).collect()))
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// In the order of the list.
    pub rows: Vec<T>,
    /// What to ask for next; `None` behind the last row.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor>,
}

fn as_text<S: serde::Serializer>(next: &Option<Cursor>, to: S) -> Result<S::Ok, S::Error> {
    match next {
        Some(cursor) => to.serialize_some(&cursor.to_string()),
        None => to.serialize_none(),
    }
}
