//! What becomes of a wish that somebody sends to a task: the record that its partition wrote.
//!
//! A wish is stored first and handled later, perhaps by nobody for a while. It has been handled when
//! it has left the stream; the log then says what came of it, or nothing came of it.

use std::time::Duration;

use cadre_core::{ids::TaskId, task::Record};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    commands::client::{Client, unavailable},
    exit::{Code, Failure},
    output::text::clean,
};

/// How long somebody waits for what becomes of a wish.
const HANDLED_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks whether it has been handled: at first, and at most.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// Looks for the record of a wish that has been handled: a replica may lag behind its leader.
const LOOKS: u32 = 3;

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Done {
        /// The record that says so.
        rev: u64,
        /// What was decided, as one word.
        decision: String,
        /// In one sentence.
        reason: String,
    },
    /// It was so before, or the same wish had been fulfilled.
    Unchanged(String),
    /// It cannot be; why.
    Refused(String),
    /// Nobody has handled it yet; what is known.
    Unknown(String),
}

/// What became of a wish, in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) task: String,
    pub(crate) wish: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) rev: Option<u64>,
    pub(crate) reason: String,
}

impl Outcome {
    /// Of a record that came of a wish.
    fn of(record: &Record) -> Self {
        let reason = clean(&record.reason);
        match record.decision.as_str() {
            "refuse" => Self::Refused(reason),
            _ => Self::Done { rev: record.rev, decision: clean(&record.decision), reason },
        }
    }

    /// As a row of a list.
    pub(crate) fn row(&self, task: &TaskId, wish: &'static str) -> Row {
        let (outcome, rev, reason) = match self {
            Self::Done { rev, reason, .. } => ("done", Some(*rev), reason),
            Self::Unchanged(why) => ("unchanged", None, why),
            Self::Refused(why) => ("refused", None, why),
            Self::Unknown(why) => ("unknown", None, why),
        };
        Row { task: task.to_string(), wish, outcome, rev, reason: reason.clone() }
    }

    /// The error that it is, if it is one.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match self {
            Self::Done { .. } | Self::Unchanged(_) => None,
            Self::Refused(why) => Some(Failure::new(Code::Refused, why.clone())),
            Self::Unknown(why) => Some(Failure::new(Code::TimedOut, why.clone())),
        }
    }
}

/// Waits for what becomes of the wish at `sequence`, of the kind `control` or `decision`.
///
/// # Errors
/// [`Code::BusUnavailable`]; the wish is stored all the same.
pub(crate) async fn outcome(
    client: &Client,
    task: &TaskId,
    (kind, sequence): (&str, u64),
) -> anyhow::Result<Outcome> {
    let end = Instant::now() + HANDLED_WITHIN;
    let mut pause = LOOK_EVERY.0;
    let stored = |error: &dyn std::fmt::Display| {
        unavailable(&format!(
            "the {kind} is stored, what became of it is unknown ({error}): see `cadre task \
             events {task}`"
        ))
    };
    while client.bus.is_pending(task, sequence).await.map_err(|error| stored(&error))? {
        if Instant::now() >= end {
            let found = find(client, task, (kind, sequence)).await?;
            return Ok(found.unwrap_or_else(|| {
                Outcome::Unknown(format!(
                    "the {kind} for task {task} is stored, but nobody has handled it within \
                     {HANDLED_WITHIN:?}: that happens when an orchestrator runs; see `cadre task \
                     events {task}`"
                ))
            }));
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(LOOK_EVERY.1);
    }
    for _ in 0..LOOKS {
        if let Some(found) = find(client, task, (kind, sequence)).await? {
            return Ok(found);
        }
        sleep(LOOK_EVERY.1).await;
    }
    let text = format!("the {kind} was read and changed nothing; see `cadre dlq ls --task {task}`");
    Ok(Outcome::Unchanged(text))
}

async fn find(
    client: &Client,
    task: &TaskId,
    (kind, sequence): (&str, u64),
) -> anyhow::Result<Option<Outcome>> {
    let records = client.log(task).await?;
    // Goals come from another stream, with sequences of their own: the kind tells them apart.
    let is_it = |record: &&Record| record.cause.kind == kind && record.cause.sequence == sequence;
    Ok(records.iter().rev().find(is_it).map(Outcome::of))
}

#[cfg(test)]
mod tests {
    use cadre_core::{ids::Name, task::Cause, time::UnixMillis};

    use super::*;

    fn record(decision: &str) -> Record {
        let (kind, source) = ("control".to_owned(), String::new());
        Record {
            rev: 7,
            at: UnixMillis(1),
            cause: Cause { kind, source, sequence: 3, waited: Duration::ZERO },
            decision: decision.to_owned(),
            reason: "paused by\nann".to_owned(),
            events: Vec::new(),
        }
    }

    #[test]
    fn a_refusal_is_an_error_and_everything_else_is_not() {
        let task = TaskId::derive(&Name::new("acme").unwrap(), "k");
        for (outcome, word, code) in [
            (Outcome::of(&record("pause")), "done", None),
            (Outcome::of(&record("refuse")), "refused", Some(Code::Refused)),
            (Outcome::Unchanged("as before".to_owned()), "unchanged", None),
            (Outcome::Unknown("not yet".to_owned()), "unknown", Some(Code::TimedOut)),
        ] {
            assert_eq!(outcome.row(&task, "pause").outcome, word);
            assert_eq!(outcome.failure().map(|failure| failure.code()), code, "{outcome:?}");
        }
        let row = Outcome::of(&record("pause")).row(&task, "pause");
        assert_eq!((row.rev, row.reason.as_str()), (Some(7), "paused by ann"));
    }
}
