//! The tasks of a while, read from their logs: there is no read model yet.

use std::{collections::HashMap, time::Duration};

use cadre_core::{ids::TaskId, task::Task, time::UnixMillis};
use cadre_nats::{
    bus::JetStreamBus,
    tail::{Begin, TailOptions, tail},
};
use cadre_proto::subject::Subject;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};

use crate::{
    commands::client::{Client, unavailable},
    output,
};

/// Logs that are read at the same time.
const READS_MAX: usize = 16;

/// Tasks with a record of the last `since`, the ones that changed last first.
///
/// A log that cannot be read is said and left out: it must not hide the others.
///
/// # Errors
/// When the broker does not list them.
pub(crate) async fn tasks(
    client: &Client,
    since: Duration,
) -> anyhow::Result<impl Stream<Item = Task>> {
    let changed = changed(&client.bus, since).await?;
    let tasks = stream::iter(changed)
        .map(move |id| async move { (client.task(&id).await, id) })
        .buffered(READS_MAX);
    Ok(tasks.filter_map(|(task, id)| async move {
        task.map_err(|error| output::say(&format!("task {id} is not listed: {error:#}"))).ok()
    }))
}

async fn changed(bus: &JetStreamBus, since: Duration) -> anyhow::Result<Vec<TaskId>> {
    let options = TailOptions {
        filter: Some("cadre.*.log.*".to_owned()),
        from: Begin::Since(since),
        follow: false,
        headers_only: true,
    };
    let streams = bus.streams();
    let items = tail(&streams.js, &streams.topology, &options).await;
    let mut items = items.map_err(|error| unavailable(&error))?;
    let mut last: HashMap<TaskId, (UnixMillis, u64)> = HashMap::new();
    while let Some(item) = items.try_next().await.map_err(|error| unavailable(&error))? {
        if let Ok(Subject::Log(_, task)) = Subject::parse(&item.subject) {
            last.insert(task, (item.at, item.sequence));
        }
    }
    let mut last: Vec<_> = last.into_iter().map(|(task, place)| (place, task)).collect();
    last.sort_by(|a, b| b.cmp(a));
    Ok(last.into_iter().map(|(_, task)| task).collect())
}
