//! Alerts: what one says, and its JSON document on the bus.
//!
//! Version 1: new fields may come and are left aside by older readers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::{
    limits::{ALERT_BYTES_MAX, ALERT_TEXT_BYTES_MAX},
    time::UnixMillis,
};

/// The version that this build writes, and the newest that it reads.
const VERSION: u32 = 1;

/// What is wrong. Part of the alert's subject on the bus, and a metric's label: a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A task makes no progress beyond its own timeouts.
    Stuck,
    /// Work waits and nobody asks for it.
    Unserved,
    /// A role keeps failing.
    Errors,
    /// More comes than is done.
    Backlog,
    /// Four fifths of a task's limit are used.
    BudgetNear,
    /// A task has met a limit.
    BudgetOver,
    /// A person's time to answer is nearly over.
    QuestionExpiring,
    /// Calls of a role, tool or model are held back.
    BreakerOpen,
    /// Messages were given up.
    DeadLetters,
    /// A stream nears its cap.
    StreamFull,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 10] = [
        Self::Stuck,
        Self::Unserved,
        Self::Errors,
        Self::Backlog,
        Self::BudgetNear,
        Self::BudgetOver,
        Self::QuestionExpiring,
        Self::BreakerOpen,
        Self::DeadLetters,
        Self::StreamFull,
    ];

    /// The kind as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Unserved => "unserved",
            Self::Errors => "errors",
            Self::Backlog => "backlog",
            Self::BudgetNear => "budget_near",
            Self::BudgetOver => "budget_over",
            Self::QuestionExpiring => "question_expiring",
            Self::BreakerOpen => "breaker_open",
            Self::DeadLetters => "dead_letters",
            Self::StreamFull => "stream_full",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether its subjects are tasks.
    #[must_use]
    pub fn is_about_tasks(self) -> bool {
        match self {
            Self::Stuck | Self::BudgetNear | Self::BudgetOver | Self::QuestionExpiring => true,
            Self::Unserved
            | Self::Errors
            | Self::Backlog
            | Self::BreakerOpen
            | Self::DeadLetters
            | Self::StreamFull => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How soon somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Tomorrow.
    Warning,
    /// Now.
    Critical,
}

impl Severity {
    /// `warning` or `critical`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Names an alert: there is one of each at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What is wrong.
    pub kind: Kind,
    /// With what: a task id, `role.<name>`, `partition.<p>`, a stream. Tokens of a NATS subject.
    pub subject: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.subject)
    }
}

/// What holds at one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong with what.
    pub key: Key,
    /// How soon somebody should look.
    pub severity: Severity,
    /// Why, as one word; an alert whose cause changes is posted again.
    pub cause: &'static str,
    /// Since when it holds, as far as that is known.
    pub since: UnixMillis,
    /// What is wrong and why, in a sentence or two.
    pub text: String,
    /// What to do next, in one sentence.
    pub next: String,
    /// Figures and names.
    pub evidence: Evidence,
}

/// What people are told, open or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What is wrong with what.
    pub key: Key,
    /// How soon somebody should look.
    pub severity: Severity,
    /// Why, as one word.
    pub cause: String,
    /// Since when.
    pub since: UnixMillis,
    /// When this was said.
    pub at: UnixMillis,
    /// When it ended; `None` while it is open.
    pub ended_at: Option<UnixMillis>,
    /// What is wrong and why.
    pub text: String,
    /// What to do next.
    pub next: String,
    /// Figures and names.
    pub evidence: Evidence,
}

/// A document that is no alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// A newer build wrote it.
    #[error("alert has version {version}, this build reads up to {VERSION}: update this process")]
    TooNew {
        /// Its version.
        version: u32,
    },
    /// It is not JSON, or has other parts than it must have.
    #[error("alert cannot be read: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
}

#[derive(Deserialize)]
struct VersionWire {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct AlertWire {
    v: u32,
    kind: Kind,
    subject: String,
    /// `open` or `ended`, for readers who do not want to know what a missing time means.
    state: String,
    severity: Severity,
    cause: String,
    since_unix_ms: u64,
    at_unix_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_unix_ms: Option<u64>,
    text: String,
    next: String,
    #[serde(default)]
    evidence: Evidence,
}

impl Alert {
    /// An open alert of what was found.
    #[must_use]
    pub fn of(finding: Finding, at: UnixMillis) -> Self {
        let Finding { key, severity, cause, since, text, next, evidence } = finding;
        let cause = cause.to_owned();
        Self { key, severity, cause, since, at, ended_at: None, text, next, evidence }
    }

    /// `open` or `ended`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.ended_at.is_some() { "ended" } else { "open" }
    }

    /// The document that [`Self::decode`] reads. Texts are cut to their limit.
    #[must_use]
    pub fn encode(&self) -> String {
        let evidence = self.evidence.iter().map(|(key, value)| (key.clone(), cut(value)));
        let wire = AlertWire {
            v: VERSION,
            kind: self.key.kind,
            subject: self.key.subject.clone(),
            state: self.state().to_owned(),
            severity: self.severity,
            cause: self.cause.clone(),
            since_unix_ms: self.since.0,
            at_unix_ms: self.at.0,
            ended_unix_ms: self.ended_at.map(|at| at.0),
            text: cut(&self.text),
            next: cut(&self.next),
            evidence: evidence.collect(),
        };
        // Only texts and numbers: it cannot fail, and what is empty would be refused.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads an alert.
    ///
    /// # Errors
    /// [`AlertError`] when a newer build wrote it, or it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, AlertError> {
        let malformed = |what: String| AlertError::Malformed { what };
        if bytes.len() > ALERT_BYTES_MAX {
            return Err(malformed(format!("it has {} bytes", bytes.len())));
        }
        let VersionWire { v } =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        if v > VERSION {
            return Err(AlertError::TooNew { version: v });
        }
        let wire: AlertWire =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        Ok(Self {
            key: Key { kind: wire.kind, subject: wire.subject },
            severity: wire.severity,
            cause: wire.cause,
            since: UnixMillis(wire.since_unix_ms),
            at: UnixMillis(wire.at_unix_ms),
            ended_at: wire.ended_unix_ms.map(UnixMillis),
            text: wire.text,
            next: wire.next,
            evidence: wire.evidence,
        })
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(ALERT_TEXT_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}
