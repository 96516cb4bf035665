//! What pages show of one task and of all: attempts, waits, questions, spend, failures.

use cadre_core::{
    task::{EndStatus, FailureKind},
    time::UnixMillis,
};
use cadre_runtime::testing::MemoryLog;
use futures::StreamExt as _;

use super::kit::{BEGIN, Story, seen, started, usage};
use crate::model::{
    SpendBy, Status,
    rows::SpanKind::{Delay, Out, Person, Queue, Run},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_step_tells_where_its_time_went() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0)
        .dispatch("read", 1, "reader")
        .after(4_000)
        .retry("read", "spare", Some("reader is slow"), 500)
        .after(500)
        .dispatch("read", 2, "spare")
        .after(100)
        .ask("read", "Is it right?", 9_000)
        .after(2_000)
        .grant("read", "kim")
        .dispatch("write", 1, "writer");
    story.write(&log);
    let service = started(&log, None).await;
    let row = seen(service.model(), &story).await;
    assert_eq!((row.retries, row.fallbacks, row.dispatches), (0, 1, 3));
    assert_eq!(
        (row.waits_for.as_deref(), row.waits_text.as_deref()),
        (Some("role"), Some("writer · write"))
    );

    let steps = service.model().steps(None, &story.task).await.unwrap().unwrap();
    let read = &steps[0];
    assert_eq!(
        (read.step.as_str(), read.state.as_str(), read.role.as_deref()),
        ("read", "completed", Some("spare"))
    );
    let tries: Vec<_> = read
        .tries
        .iter()
        .map(|it| {
            (it.role.as_str(), it.outcome.as_str(), it.is_fallback, it.sent_rev, it.ended_rev)
        })
        .collect();
    assert_eq!(
        tries,
        [("reader", "failed", false, 2, Some(3)), ("spare", "asked", true, 4, Some(5))]
    );
    let spans: Vec<_> = read
        .spans
        .iter()
        .map(|span| (span.kind, span.from_ms - BEGIN, span.until_ms.map(|until| until - BEGIN)))
        .collect();
    let expected = [
        (Queue, 0, Some(3_998)),
        (Run, 3_998, Some(4_000)),
        (Delay, 4_000, Some(4_500)),
        (Queue, 4_500, Some(4_600)),
        (Person, 4_600, Some(6_600)),
    ];
    assert_eq!(spans, expected);
    assert_eq!((read.running_ms, read.asked_ms), (2, 2_000));
    let question = &read.questions[0];
    assert_eq!((question.state.as_str(), question.decided_by.as_deref()), ("granted", Some("kim")));
    assert_eq!((question.role.as_deref(), question.attempt), (Some("spare"), 2));
    let out = &steps[1].spans[0];
    assert_eq!((out.kind, out.until_ms), (Out, None));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_open_until_it_is_decided_or_the_task_ends() {
    let log = MemoryLog::default();
    let ask = |key: &str| Story::new("acme", key, 0).ask("approve", "Pay 12?", 5_000).after(1_000);
    let stories = [
        (ask("open"), "open"),
        (ask("granted").grant("approve", "kim#1"), "granted"),
        (ask("denied").fail("approve", FailureKind::Denied, "no"), "denied"),
        (ask("expired").fail("approve", FailureKind::Expired, "nobody decided in time"), "expired"),
        (ask("closed").end(EndStatus::Cancelled), "closed"),
    ];
    stories.iter().for_each(|(story, _)| story.write(&log));
    let service = started(&log, None).await;
    for (story, state) in &stories {
        let row = seen(service.model(), story).await;
        let steps = service.model().steps(None, &story.task).await.unwrap().unwrap();
        let question = &steps[0].questions[0];
        assert_eq!(question.state, *state, "{question:?}");
        assert_eq!(question.decided_at_ms.is_some(), *state != "open");
        let by = (*state == "granted").then_some("kim#1");
        assert_eq!(question.decided_by.as_deref(), by);
        assert_eq!((row.status == Status::Waiting, row.waits_for.as_deref() == Some("person")), {
            let is_open = *state == "open";
            (is_open, is_open)
        });
    }
    let overview = service.model().overview(None).await.unwrap();
    assert_eq!((overview.questions_open, overview.questions.len()), (1, 1));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_are_alike_are_one_row() {
    let log = MemoryLog::default();
    let failed =
        |number: u64, text: &str| {
            Story::new("acme", &format!("f-{number}"), number * 10)
                .dispatch("read", 1, "reader")
                .fail("read", FailureKind::Timeout, text)
        };
    let stories = [
        failed(1, "no report within 30 s"),
        failed(2, "no report within 31 s"),
        failed(3, "the page is empty"),
        Story::new("acme", "late", 50).end(EndStatus::Incomplete),
        Story::new("acme", "gone", 60).end(EndStatus::Cancelled),
    ];
    stories.iter().for_each(|story| story.write(&log));
    let service = started(&log, None).await;
    for story in &stories {
        seen(service.model(), story).await;
    }
    let rows = service.model().failures(None, UnixMillis(0), 10).await.unwrap();
    assert_eq!(rows.len(), 3, "{rows:?}");
    let first = &rows[0];
    assert_eq!(
        (first.tasks, first.step.as_deref(), first.kind.as_str()),
        (2, Some("read"), "timeout")
    );
    assert_eq!(
        (first.text.as_str(), &first.last_task),
        ("no report within 31 s", &stories[1].task.to_string())
    );
    assert_eq!((first.first_at_ms, first.last_at_ms), (BEGIN + 10, BEGIN + 20));
    let with = crate::model::TaskFilter {
        fingerprint: Some(first.fingerprint.clone()),
        ..Default::default()
    };
    assert_eq!(service.model().tasks(None, &with, None, 10).await.unwrap().rows.len(), 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spend_and_roles_add_up() {
    let log = MemoryLog::default();
    let stories: Vec<_> = (0..4)
        .map(|number| {
            let hour = number / 2 * 3_600_000;
            Story::new(if number == 0 { "globex" } else { "acme" }, &format!("s-{number}"), hour)
                .whole()
        })
        .collect();
    stories.iter().for_each(|story| story.write(&log));
    let service = started(&log, None).await;
    let model = service.model();
    for story in &stories {
        seen(model, story).await;
    }
    let everything = (UnixMillis(0), UnixMillis(u64::MAX));
    let whole = model.spend(None, everything, &[]).await.unwrap();
    assert_eq!(
        (whole.len(), whole[0].cost_micros, whole[0].tokens, whole[0].attempts),
        (1, 1_000, 160, 8)
    );
    let hours = model.spend(None, everything, &[SpendBy::Hour, SpendBy::Role]).await.unwrap();
    let hours: Vec<_> =
        hours.iter().map(|row| (row.role.as_deref().unwrap(), row.cost_micros)).collect();
    assert_eq!(hours, [("reader", 500), ("aggregate", 0), ("reader", 500), ("aggregate", 0)]);
    let acme =
        model.spend(Some(&super::kit::name("acme")), everything, &[SpendBy::Tenant]).await.unwrap();
    assert_eq!((acme.len(), acme[0].cost_micros), (1, 750));

    let roles = model.agents(None, UnixMillis(0)).await.unwrap();
    let reader = roles.iter().find(|row| row.role == "reader").unwrap();
    assert_eq!((reader.attempts, reader.errors, reader.in_flight), (4, 0, 0));
    assert_eq!(
        (reader.p50_ms, reader.p95_ms, reader.queued_p50_ms),
        (Some(60), Some(60), Some(40))
    );
    let overview = model.overview(None).await.unwrap();
    assert_eq!((overview.hour.completed, overview.hour.failed, overview.minutes.len()), (2, 0, 60));
    assert_eq!((overview.hour.accepted, overview.hour.p95_ms), (2, Some(115)));
    assert_eq!(model.revisions(None, None).await.unwrap()[0].tasks, 4);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_the_models_that_answered() {
    let log = MemoryLog::default();
    let asked = |key: &str| Story::new("acme", key, 0).dispatch("read", 1, "reader");
    let two = asked("two").complete("read", usage(100, 50, 9));
    let two = two.by_models(&[("openai/large", 2, 70, 30), ("simulated/small", 1, 10, 20)]);
    let one = asked("one").complete("read", usage(30, 5, 1));
    let one = one.by_models(&[("simulated/small", 1, 30, 5)]);
    let failed = asked("failed").fail("read", FailureKind::Error, "no");
    let failed = failed.by_models(&[("openai/large", 1, 10, 1)]);
    // One that names none, and one that lies.
    let silent = asked("silent").complete("read", usage(7, 3, 1));
    let liar = asked("liar").complete("read", usage(1, 1, 1)).by_models(&[("a/b", 9, 900, 900)]);
    let stories = [two, one, failed, silent, liar];
    stories.iter().for_each(|story| story.write(&log));
    let service = started(&log, None).await;
    let model = service.model();
    for story in &stories {
        seen(model, story).await;
    }
    let everything = (UnixMillis(0), UnixMillis(u64::MAX));
    let rows = model.spend(None, everything, &[SpendBy::Model]).await.unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let name = row.model.as_deref().unwrap();
            (name, row.cost_micros, row.tokens, row.calls, row.attempts, row.failures)
        })
        .collect();
    let expected = [
        ("openai/large", 80, 31, 3, 2, 1),
        ("simulated/small", 40, 25, 2, 1, 0),
        ("", 27, 3, 0, 1, 0),
        ("a/b", 1, 1, 9, 1, 0),
    ];
    assert_eq!(rows, expected);
    let all = model.spend(None, everything, &[SpendBy::Role]).await.unwrap();
    assert_eq!((all.len(), all[0].cost_micros, all[0].tokens), (1, 148, 60), "{all:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_task_is_stuck_and_a_wait_keeps_its_beginning() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    story.write(&log);
    let service = started(&log, None).await;
    let model = service.model();
    assert!(!seen(model, &story).await.is_stuck);
    log.set_now(UnixMillis(BEGIN + 30_000 + 29_999));
    assert_eq!(model.overview(None).await.unwrap().stuck_total, 0);
    log.set_now(UnixMillis(BEGIN + 30_000 + 30_000));
    let overview = model.overview(None).await.unwrap();
    assert_eq!((overview.stuck_total, overview.stuck[0].is_stuck), (1, true));
    assert_eq!(overview.stuck[0].waits_since_ms, Some(BEGIN));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_each_record_once_and_hears_of_new_ones() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0).whole();
    let (early, late) = story.records.split_at(2);
    early.iter().for_each(|record| log.append(&story.task, record.clone()));
    let service = started(&log, None).await;
    let mut followed = service.model().follow(&story.task, 0);
    let mut revs = Vec::new();
    let mut last = 0;
    for _ in early {
        let item = followed.next().await.unwrap().unwrap();
        last = item.sequence;
        revs.push(item.content.unwrap().record.rev);
    }
    // The listener goes away, and comes back with what it has seen last.
    drop(followed);
    let mut followed = service.model().follow(&story.task, last);
    late.iter().for_each(|record| log.append(&story.task, record.clone()));
    for _ in late {
        revs.push(followed.next().await.unwrap().unwrap().content.unwrap().record.rev);
    }
    assert_eq!(revs, [1, 2, 3, 4, 5]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_is_told_behind_the_commit() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0);
    story.write(&log);
    let service = started(&log, None).await;
    let mut changes = service.model().changes();
    let story = story.ask("approve", "Pay?", 5_000);
    story.write_from(&log, 1);
    let change = changes.recv().await.unwrap();
    let task = &change.tasks[0];
    assert_eq!((&task.task, task.tenant.as_str(), task.has_question), (&story.task, "acme", true));
    let row = service.model().task(None, &story.task).await.unwrap().unwrap();
    assert_eq!(row.rev, 2);
    let spent = usage(0, 0, 0);
    assert_eq!(row.cost_micros, spent.usd_micros);
    service.stop().await;
}
