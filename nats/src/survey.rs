//! What live tasks ask of whoever goes on with them, read from the logs of all shards.
//!
//! Records are looked at as they stand, of any version: a build that cannot read one must be able to say so.

use std::collections::HashMap;

use cadre_core::ids::TaskId;
use cadre_proto::{
    ContentType,
    body::peek,
    subject::Subject,
    v1::{self, event::Kind},
};
use futures::TryStreamExt as _;

use crate::{
    bus::JetStreamBus,
    tail::{Begin, TailError, TailOptions, tail},
};

/// A task that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTask {
    /// The task.
    pub task: TaskId,
    /// Its workflow.
    pub workflow: String,
    /// The pack revision that it runs by.
    pub revision: String,
    /// Schema that a reader of all its records needs.
    pub min_reader: u32,
}

/// Reads every record once and returns the tasks that have not ended, by name.
///
/// # Errors
/// [`TailError`] when a log cannot be read.
pub async fn live_tasks(bus: &JetStreamBus) -> Result<Vec<LiveTask>, TailError> {
    let options = TailOptions {
        filter: Some("cadre.*.log.*".to_owned()),
        from: Begin::All,
        follow: false,
        headers_only: false,
    };
    let streams = bus.streams();
    let mut items = tail(&streams.js, &streams.topology, &options).await?;
    let mut live = HashMap::new();
    while let Some(item) = items.try_next().await? {
        let Ok(Subject::Log(_, task)) = Subject::parse(&item.subject) else { continue };
        match peek::<v1::Record>(ContentType::Protobuf, &item.body) {
            Ok(record) => learn(&mut live, &task, record),
            Err(error) => tracing::warn!(%task, error, "record cannot be read by any build"),
        }
    }
    let mut live: Vec<_> = live.into_values().collect();
    live.sort_unstable_by(|a, b| a.task.cmp(&b.task));
    Ok(live)
}

/// Records of one task come in order; those behind its end change nothing.
fn learn(live: &mut HashMap<TaskId, LiveTask>, id: &TaskId, record: v1::Record) {
    let min_reader = record.min_reader;
    for event in record.events {
        match event.kind {
            Some(Kind::Accepted(v1::Accepted { goal: Some(goal), .. })) => {
                let (task, workflow, revision) = (id.clone(), goal.workflow, goal.revision);
                live.insert(id.clone(), LiveTask { task, workflow, revision, min_reader });
            }
            Some(Kind::Ended(_)) => {
                live.remove(id);
                return;
            }
            // A kind that this build does not know is none here.
            Some(_) | None => {}
        }
    }
    if let Some(task) = live.get_mut(id) {
        task.min_reader = task.min_reader.max(min_reader);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(min_reader: u32, kinds: Vec<Kind>) -> v1::Record {
        let events = kinds.into_iter().map(|kind| v1::Event { kind: Some(kind) }).collect();
        v1::Record { schema: 9, min_reader, events, ..v1::Record::default() }
    }

    fn accepted() -> Kind {
        let goal = v1::Goal { workflow: "demo".to_owned(), ..v1::Goal::default() };
        Kind::Accepted(v1::Accepted { goal: Some(goal), deadline_unix_ms: 7 })
    }

    #[test]
    fn only_tasks_that_have_not_ended_are_live() {
        let acme = "acme".parse().expect("a name");
        let [one, two] = ["one", "two"].map(|key| TaskId::derive(&acme, key));
        let mut live = HashMap::new();
        learn(&mut live, &one, record(1, vec![accepted()]));
        learn(&mut live, &two, record(1, vec![accepted()]));
        learn(&mut live, &two, record(4, vec![]));
        learn(&mut live, &two, record(2, vec![Kind::Paused(v1::Paused::default())]));
        learn(&mut live, &one, record(1, vec![Kind::Ended(v1::Ended::default())]));
        learn(&mut live, &one, record(3, vec![Kind::Refused(v1::Refused::default())]));
        let live: Vec<_> = live.into_values().map(|it| (it.task, it.min_reader)).collect();
        assert_eq!(live, [(two, 4)]);
    }
}
