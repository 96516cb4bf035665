//! What becomes of a wish that somebody sends to a task, as the command line says it.

use cadre_core::{
    ids::TaskId,
    ports::LoadError,
    wish::Outcome::{Done, Refused, Unchanged, Unknown},
};
use cadre_nats::desk::{self, Unclear};
use serde::Serialize;

use crate::{
    commands::client::{Client, unavailable},
    exit::{Code, Failure},
    output::text::clean,
};

pub(crate) use cadre_core::wish::Outcome;

/// What became of a wish, in a list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) task: String,
    pub(crate) wish: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) rev: Option<u64>,
    pub(crate) reason: String,
}

/// An outcome as a row of a list.
pub(crate) fn row(outcome: &Outcome, task: &TaskId, wish: &'static str) -> Row {
    let rev = match outcome {
        Done { rev, .. } => Some(*rev),
        Unchanged(_) | Refused(_) | Unknown(_) => None,
    };
    let (task, reason) = (task.to_string(), clean(outcome.reason()));
    Row { task, wish, outcome: outcome.as_str(), rev, reason }
}

/// The error that an outcome is, if it is one.
pub(crate) fn failure(outcome: &Outcome) -> Option<Failure> {
    let code = match outcome {
        Done { .. } | Unchanged(_) => return None,
        Refused(_) => Code::Refused,
        Unknown(_) => Code::TimedOut,
    };
    Some(Failure::new(code, clean(outcome.reason())))
}

/// Waits for what becomes of the wish at `sequence`, of the kind `control` or `decision`.
///
/// # Errors
/// [`Code::BusUnavailable`]; the wish is stored all the same.
pub(crate) async fn outcome(
    client: &Client,
    task: &TaskId,
    (kind, sequence): (&'static str, u64),
) -> anyhow::Result<Outcome> {
    let outcome = desk::outcome(&client.bus, task, (kind, sequence)).await;
    outcome.map_err(|error: Unclear| match error.source {
        LoadError::Bus(_) => unavailable(&error).into(),
        LoadError::Damaged { .. } | LoadError::TooNew { .. } => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cadre_core::{
        ids::Name,
        task::{Cause, Record},
        time::UnixMillis,
    };

    use super::*;

    fn record(decision: &str) -> Record {
        let (kind, source) = ("control".to_owned(), String::new());
        Record {
            rev: 7,
            at: UnixMillis(1),
            cause: Cause { kind, source, sequence: 3, waited: Duration::ZERO, models: Vec::new() },
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
            assert_eq!(row(&outcome, &task, "pause").outcome, word);
            assert_eq!(failure(&outcome).map(|failure| failure.code()), code, "{outcome:?}");
        }
        let row = row(&Outcome::of(&record("pause")), &task, "pause");
        assert_eq!((row.rev, row.reason.as_str()), (Some(7), "paused by ann"));
    }
}
