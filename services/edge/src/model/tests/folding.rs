//! The fold: what is in the rows is what a replay says, whatever happens on the way.

use cadre_core::{
    payload::Hash,
    ports::history::{Linked, Unreadable},
    task::{EndStatus, FailureKind, Task},
    time::UnixMillis,
};
use cadre_runtime::testing::MemoryLog;
use proptest::prelude::*;
use rusqlite::Connection;

use super::kit::{BEGIN, Story, seen, started, step, usage};
use crate::model::{ReadModel, Status};

/// One of several stories, in different states.
fn story(kind: u8, number: u64) -> Story {
    let begun = Story::new("acme", &format!("goal-{number}"), number * 7);
    match kind % 6 {
        0 => begun.whole(),
        1 => begun.dispatch("read", 1, "reader").after(40),
        2 => begun.dispatch("read", 1, "reader").after(9).fail("read", FailureKind::Error, "no 7"),
        3 => begun
            .dispatch("read", 1, "reader")
            .after(4_000)
            .retry("read", "reader", None, 300)
            .after(300)
            .dispatch("read", 2, "reader")
            .after(50)
            .complete("read", usage(9, 9, 40)),
        4 => begun.ask("approve", "Pay?", 5_000).after(1_000).grant("approve", "kim"),
        _ => begun.dispatch("read", 1, "reader").after(60_000).end(EndStatus::Incomplete),
    }
}

/// Rows of a task, without what lists make of them.
async fn agrees(model: &ReadModel, task: &Task) -> Result<(), TestCaseError> {
    let row = model.task(None, task.id()).await.unwrap().unwrap();
    prop_assert_eq!(row.status.as_str(), task.status());
    prop_assert_eq!(row.rev, task.rev);
    prop_assert_eq!(row.cost_micros, task.usage.usd_micros);
    prop_assert_eq!(row.tokens, task.usage.tokens);
    prop_assert_eq!(row.dispatches, task.dispatches);
    prop_assert_eq!(row.due_at_ms, task.wake_at().map(|at| at.0));
    let steps = model.steps(None, task.id()).await.unwrap().unwrap();
    prop_assert_eq!(steps.len(), task.steps.len());
    for row in &steps {
        let known = &task.steps[&step(&row.step)];
        let is_gate = row.step == "aggregate" && known.state.as_str() == "cancelled";
        prop_assert!(is_gate || row.state == known.state.as_str(), "{row:?}");
        prop_assert_eq!((row.attempts, row.rev), (known.attempt, known.rev));
    }
    let cost: u64 = steps.iter().map(|step| step.cost_micros).sum();
    prop_assert_eq!(cost, task.usage.usd_micros);
    Ok(())
}

/// Sums that are kept beside sums that are counted: each must have what the other has.
const SUMS: [(&str, &str); 4] = [
    (
        "SELECT tenant, workflow, status, tasks FROM counts WHERE tasks <> 0",
        "SELECT tenant, workflow, status, count(*) FROM tasks GROUP BY 1, 2, 3",
    ),
    (
        "SELECT minute, tenant, accepted FROM minutes WHERE accepted <> 0",
        "SELECT accepted / 60000, tenant, count(*) FROM tasks GROUP BY 1, 2",
    ),
    (
        "SELECT minute, tenant, completed, failed, cost FROM minutes WHERE completed + failed > 0",
        "SELECT ended / 60000, tenant, sum(status = 'completed'), \
         sum(status IN ('partial', 'failed', 'incomplete')), sum(cost) FROM tasks WHERE ended IS NOT NULL GROUP BY 1, 2",
    ),
    (
        "SELECT workflow, revision, tenant, tasks, open FROM revisions",
        "SELECT workflow, revision, tenant, count(*), sum(ended IS NULL) FROM tasks WHERE workflow <> '' GROUP BY 1, 2, 3",
    ),
];

async fn sums_agree(model: &ReadModel) {
    for (kept, counted) in SUMS {
        for (one, other) in [(kept, counted), (counted, kept)] {
            let sql = format!(
                "SELECT count(*) FROM (SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other}))"
            );
            let text = sql.clone();
            let differing: u64 =
                model.query(move |db| db.query_row(&text, [], |row| row.get(0))).await.unwrap();
            assert_eq!(differing, 0, "{sql}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_what_a_replay_says(
        kinds in prop::collection::vec(any::<u8>(), 1..6),
        batch in 1_usize..7,
        repeats in 0_usize..4,
        cut in 0_usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let (log, folder) = (MemoryLog::default(), tempfile::tempdir().unwrap());
            log.deliver(batch, repeats);
            let stories: Vec<_> =
                kinds.iter().zip(0..).map(|(kind, number)| story(*kind, number)).collect();
            // A part is written, folded, and the process begins again.
            stories.iter().for_each(|story| {
                story.records.iter().take(cut).for_each(|record| log.append(&story.task, record.clone()));
            });
            let path = Some(folder.path().join("model.db"));
            started(&log, path.clone()).await.stop().await;
            stories.iter().for_each(|story| story.write_from(&log, cut));
            let service = started(&log, path).await;
            for story in &stories {
                seen(service.model(), story).await;
                agrees(service.model(), &story.replayed()).await?;
            }
            sums_agree(service.model()).await;
            service.stop().await;
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_or_damage_is_folded_anew() {
    let (log, folder) = (MemoryLog::default(), tempfile::tempdir().unwrap());
    let path = folder.path().join("model.db");
    let story = Story::new("acme", "one", 0).whole();
    story.write(&log);
    started(&log, Some(path.clone())).await.stop().await;
    // Kept: nothing but the tables of this version is opened.
    let kept = |path: &std::path::Path| {
        Connection::open(path).unwrap().execute("UPDATE tasks SET excerpt = 'kept'", []).unwrap();
    };
    kept(&path);
    let service = started(&log, Some(path.clone())).await;
    assert_eq!(seen(service.model(), &story).await.excerpt, "kept", "an own file is gone on with");
    service.stop().await;

    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let service = started(&log, Some(path.clone())).await;
    assert_eq!(seen(service.model(), &story).await.excerpt, "contract one");
    service.stop().await;

    kept(&path);
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4_096..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let service = started(&log, Some(path)).await;
    assert_eq!(seen(service.model(), &story).await.excerpt, "contract one");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_folded_anew() {
    let (log, folder) = (MemoryLog::default(), tempfile::tempdir().unwrap());
    let path = Some(folder.path().join("model.db"));
    let (old, new) = (Story::new("acme", "old", 0).whole(), Story::new("acme", "new", 0).whole());
    old.write(&log);
    let service = started(&log, path).await;
    seen(service.model(), &old).await;
    log.begin_anew();
    new.write(&log);
    // The projector hears of it by itself.
    seen(service.model(), &new).await;
    assert_eq!(service.model().task(None, &old.task).await.unwrap(), None);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_shown_and_the_others_go_on() {
    let log = MemoryLog::default();
    let bad =
        Story::new("acme", "bad", 0).dispatch("read", 1, "reader").complete("read", usage(5, 5, 5));
    let (newer, good) = (Story::new("acme", "newer", 1), Story::new("acme", "good", 2).whole());
    bad.write(&log);
    let whole = log.items();
    let fault = Unreadable::Damaged("it is no record".to_owned());
    log.replace(&bad.task, 2, Err(fault));
    newer.write(&log);
    log.append_unreadable(&newer.task, UnixMillis(BEGIN + 2), Unreadable::TooNew(9));
    good.write(&log);
    let service = started(&log, None).await;
    let model = service.model();
    seen(model, &good).await;
    let row = model.task(None, &bad.task).await.unwrap().unwrap();
    assert_eq!((row.status, row.rev), (Status::Quarantined, 1), "{row:?}");
    assert!(row.problem.as_deref().is_some_and(|text| text.contains("record 2")), "{row:?}");
    let row = model.task(None, &newer.task).await.unwrap().unwrap();
    assert_eq!((row.status, row.rev), (Status::TooNew, 1), "{row:?}");
    sums_agree(model).await;

    // Repaired, it goes on with its next record; nothing of it counts twice.
    let second =
        whole.into_iter().find(|item| item.content.as_ref().is_ok_and(|it| it.record.rev == 2));
    log.replace(&bad.task, 2, second.unwrap().content);
    let bad = bad.dispatch("write", 1, "writer");
    bad.write_from(&log, 3);
    let row = seen(model, &bad).await;
    assert_eq!((row.status, row.cost_micros, row.problem), (Status::Running, 5, None));
    let spend = model.spend(None, (UnixMillis(0), UnixMillis(u64::MAX)), &[]).await.unwrap();
    assert_eq!(spend[0].cost_micros, 5 + 250, "{spend:?}");
    sums_agree(model).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_follow_is_a_hole() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    story.write(&log);
    let strange = story.records[1].clone();
    let (prev, hash) = (Some(Hash::of(b"another")), Hash::of(b"this"));
    log.replace(&story.task, 2, Ok(Linked { record: strange, prev, hash }));
    let service = started(&log, None).await;
    let row = service.model().task(None, &story.task).await.unwrap().unwrap();
    assert_eq!((row.status, row.rev), (Status::Quarantined, 1), "{row:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bus_is_waited_for() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0);
    story.write(&log);
    let service = started(&log, None).await;
    seen(service.model(), &story).await;
    log.set_down(true);
    let mut lag = service.model().lag_changes();
    lag.wait_for(|lag| lag.is_interrupted).await.unwrap();
    drop(lag);
    let story = story.dispatch("read", 1, "reader");
    story.write_from(&log, 1);
    log.set_down(false);
    let row = seen(service.model(), &story).await;
    assert_eq!(row.waits_text.as_deref(), Some("reader · read"));
    assert!(!service.model().lag().is_interrupted);
    service.stop().await;
}
