//! What becomes of the wish to cancel a task: its end.

use std::time::Duration;

use cadre_core::{
    ids::TaskId,
    task::{Phase, Task},
};
use futures::StreamExt as _;
use tokio::time::timeout;

use crate::{
    commands::{
        client::{Client, unavailable},
        wish::Outcome,
    },
    output::text::clean,
    timeline::follow,
};

/// How long the end of the task is waited for.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// Asks for the end of a task and waits for it.
///
/// # Errors
/// When the wish could not be sent, or the log cannot be read.
pub(super) async fn outcome(
    client: &Client,
    id: &TaskId,
    (by, reason): (&str, &str),
) -> anyhow::Result<Outcome> {
    client.bus.cancel(id, by, reason).await.map_err(|error| unavailable(&error))?;
    let ended = timeout(ENDED_WITHIN, async {
        let mut records = follow(&client.bus, id).await?;
        let (mut task, mut last) = (None, None);
        while let Some(record) = records.next().await {
            let record = record?;
            Task::fold(&mut task, &record);
            last = Some(record);
            if task.as_ref().is_some_and(is_undoing) {
                break;
            }
        }
        anyhow::Ok((task, last))
    });
    let Ok(read) = ended.await else {
        return Ok(Outcome::Unknown(format!(
            "the wish to cancel task {id} is stored, but the task has not ended within \
             {ENDED_WITHIN:?}: it will when an orchestrator runs; see `cadre task show {id}`"
        )));
    };
    let (task, last) = read?;
    let end = task.as_ref().and_then(Task::ended);
    match (end, last) {
        (None, Some(last)) if task.as_ref().is_some_and(is_undoing) => Ok(Outcome::Done {
            rev: last.rev,
            decision: "compensating".to_owned(),
            reason: format!("what it has done is being undone: {}", clean(&last.reason)),
        }),
        (Some(end), Some(last)) => Ok(Outcome::Done {
            rev: last.rev,
            decision: end.status.as_str().to_owned(),
            reason: format!("{}: {}", end.status.as_str(), clean(&end.reason)),
        }),
        (Some(_) | None, Some(_) | None) => {
            Err(unavailable(&"the log was not read to its end").into())
        }
    }
}

/// Whether it comes to its end: compensations may take their time.
fn is_undoing(task: &Task) -> bool {
    matches!(task.phase, Phase::Compensating(_))
}
