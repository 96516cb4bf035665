//! The read model on a real broker: it follows, and is the same when it is folded anew.

use std::path::Path;

use cadre_core::{
    ids::{Name, TaskId},
    task::Event,
};
use cadre_edge::model::{ModelOptions, ModelService, TaskFilter, rows::TaskRow};
use cadre_nats::history::JetStreamHistory;
use cadre_proto::subject;
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
};
use futures::StreamExt as _;
use serde_json::json;

async fn start(bed: &Bed, path: &Path) -> ModelService {
    let ports = (JetStreamHistory::new(&bed.bus), bed.packs.clone());
    let options = ModelOptions { path: Some(path.to_owned()) };
    ModelService::start(ports, options, None).await.expect("a read model")
}

/// Waits until all of these have ended, as the read model sees it.
async fn ended(service: &ModelService, tasks: &[TaskId]) -> Vec<TaskRow> {
    let model = service.model();
    let mut lag = model.lag_changes();
    let look = async {
        loop {
            let mut rows = Vec::new();
            for task in tasks {
                let row = model.task(None, task).await.expect("an answer");
                rows.extend(row.filter(|row| row.status.is_end()));
            }
            if rows.len() == tasks.len() {
                return rows;
            }
            lag.changed().await.expect("open");
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_model_follows_and_is_folded_anew() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 3)).await;
    let stack = bed.stack().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.db");
    let service = start(&bed, &path).await;
    let model = service.model();

    // Too large for a message: it lies in the object store.
    let large = json!({"text": "palimpsest ".repeat(10_000)});
    let mut tasks = vec![bed.publish("echoes", "large", &large).await];
    for number in 0..5 {
        let key = format!("goal-{number}");
        tasks.push(bed.publish("echoes", &key, &json!({"n": number})).await);
    }
    let (mut followed, mut revs) = (model.follow(&tasks[1], 0), Vec::new());
    let (mut last, mut end) = (0, false);
    while !end {
        let item = tokio::time::timeout(PATIENCE, followed.next()).await.expect("in time");
        let item = item.expect("it never ends").expect("a record");
        assert!(item.sequence > last, "in order");
        last = item.sequence;
        let record = item.content.expect("readable").record;
        end = record.events.iter().any(|event| matches!(event, Event::Ended { .. }));
        revs.push(record.rev);
    }
    let rows = ended(&service, &tasks).await;
    assert_eq!(revs, (1..=rows[1].rev).collect::<Vec<_>>());
    for (row, task) in rows.iter().zip(&tasks) {
        let known = bed.task(task).await;
        assert_eq!((row.status.as_str(), row.rev), (known.status(), known.rev), "{row:?}");
        assert_eq!(
            (row.steps_done, row.steps_total, row.dispatches_max),
            (3, 3, Some(3)),
            "{row:?}"
        );
        let steps = model.steps(None, task).await.expect("an answer").expect("a task");
        assert_eq!(steps.len(), 4, "with the gate");
        assert!(steps.iter().all(|step| step.state == "completed"), "{steps:?}");
    }
    let filter = TaskFilter { text: Some("palimp".to_owned()), ..TaskFilter::default() };
    let found = model.tasks(None, &filter, None, 9).await.expect("an answer").rows;
    assert_eq!(found.iter().map(|row| &row.task).collect::<Vec<_>>(), [tasks[0].as_str()]);
    let shown = model.tasks(None, &TaskFilter::default(), None, 100).await.expect("an answer");
    // A dead letter in the same stream is nobody's record, and nothing that waits: neither now nor at the next fold.
    bury(&bed).await;
    caught_up(&service).await;
    service.stop().await;

    // It may be lost: nothing but time.
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let service = start(&bed, &path).await;
    assert_eq!(ended(&service, &tasks).await, rows);
    let again = service.model().tasks(None, &TaskFilter::default(), None, 100).await;
    assert_eq!(again.expect("an answer"), shown);
    caught_up(&service).await;
    service.stop().await;
    stack.stop().await;
}

/// Leaves a dead letter behind the last record of every log.
async fn bury(bed: &Bed) {
    let streams = bed.bus.streams();
    for partition in streams.topology.partitions.all() {
        let subject = subject::dead(partition, &Name::new("input").expect("a name"), "nobody");
        let stored = streams.js.publish(subject, "lost".into()).await.expect("sent");
        stored.await.expect("stored");
    }
}

async fn caught_up(service: &ModelService) {
    let mut lag = service.model().lag_changes();
    let caught_up = lag.wait_for(|lag| lag.is_caught_up && lag.records == 0);
    let lag = tokio::time::timeout(PATIENCE, caught_up).await;
    assert_eq!(lag.expect("in time").expect("open").behind_ms, 0);
}
