//! Lists: filters, pages without gaps, and whose tasks are seen.

use cadre_core::{
    task::{EndStatus, FailureKind},
    time::UnixMillis,
};
use cadre_runtime::testing::MemoryLog;

use super::kit::{BEGIN, Story, name, seen, started};
use crate::model::{QuestionFilter, ReadModel, Status, TaskFilter};

/// Forty tasks of two tenants and two workflows, several in each millisecond.
fn stories() -> Vec<Story> {
    let story = |number: u64| {
        let tenant = if number.is_multiple_of(3) { "globex" } else { "acme" };
        let workflow = if number.is_multiple_of(2) { "intake" } else { "billing" };
        let begun = Story::of((tenant, workflow), &format!("goal-{number}"), number / 4);
        match number % 5 {
            0 => begun.whole(),
            1 => begun.dispatch("read", 1, "reader"),
            2 => begun.dispatch("write", 1, "writer").fail(
                "write",
                FailureKind::Timeout,
                &format!("no report within {number} s"),
            ),
            3 => begun.dispatch("read", 1, "reader").end(EndStatus::Cancelled),
            _ => begun,
        }
    };
    (0..40).map(story).collect()
}

async fn all(
    model: &ReadModel,
    tenant: Option<&str>,
    filter: &TaskFilter,
    limit: u32,
) -> Vec<String> {
    let (tenant, mut all, mut after) = (tenant.map(name), Vec::new(), None);
    loop {
        let page = model.tasks(tenant.as_ref(), filter, after, limit).await.unwrap();
        assert!(page.rows.len() <= limit as usize);
        all.extend(page.rows.into_iter().map(|row| row.task));
        // As it travels through an address.
        after = page.next.map(|cursor| cursor.to_string().parse().unwrap());
        if after.is_none() {
            return all;
        }
    }
}

async fn filled() -> (crate::model::ModelService, Vec<Story>) {
    let (log, stories) = (MemoryLog::default(), stories());
    stories.iter().for_each(|story| story.write(&log));
    let service = started(&log, None).await;
    for story in &stories {
        seen(service.model(), story).await;
    }
    (service, stories)
}

type Is = Box<dyn Fn(&Story) -> bool>;

/// Filters, and which stories they want.
fn cases() -> Vec<(TaskFilter, Is)> {
    let is_failed =
        |story: &Story| story.replayed().steps.values().any(|it| it.state.as_str() == "failed");
    let has_role = |story: &Story, role: &str| {
        story
            .replayed()
            .steps
            .values()
            .any(|it| it.role.as_ref().is_some_and(|it| it.as_str() == role))
    };
    let plain = TaskFilter::default;
    vec![
        (plain(), Box::new(|_| true)),
        (
            TaskFilter { statuses: vec![Status::Completed, Status::Cancelled], ..plain() },
            Box::new(|it| ["completed", "cancelled"].contains(&it.replayed().status())),
        ),
        (
            TaskFilter { workflow: Some(name("billing")), ..plain() },
            Box::new(|it| it.replayed().goal.workflow.as_str() == "billing"),
        ),
        (TaskFilter { has_failed: true, ..plain() }, Box::new(is_failed)),
        (
            TaskFilter { role: Some(name("reader")), ..plain() },
            Box::new(move |it| has_role(it, "reader")),
        ),
        (
            TaskFilter {
                role: Some(name("reader")),
                text: Some("contract".to_owned()),
                statuses: vec![Status::Completed],
                ..plain()
            },
            Box::new(move |it| has_role(it, "reader") && it.replayed().status() == "completed"),
        ),
        (TaskFilter { text: Some("CONTR goal".to_owned()), ..plain() }, Box::new(|_| true)),
        (
            TaskFilter {
                since: Some(UnixMillis(BEGIN + 3)),
                until: Some(UnixMillis(BEGIN + 6)),
                ..plain()
            },
            Box::new(|it| (BEGIN + 3..BEGIN + 6).contains(&it.replayed().accepted_at.0)),
        ),
        (TaskFilter { revision: Some("r".repeat(12)), ..plain() }, Box::new(|_| true)),
        (TaskFilter { text: Some("nowhere".to_owned()), ..plain() }, Box::new(|_| false)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_leave_nothing_out_and_repeat_nothing() {
    let (service, stories) = filled().await;
    let model = service.model();
    for (filter, is_wanted) in &cases() {
        for tenant in [None, Some("acme"), Some("globex"), Some("nobody")] {
            let is_theirs = |it: &&Story| {
                tenant.is_none_or(|tenant| it.replayed().goal.tenant.as_str() == tenant)
            };
            let wanted = stories.iter().filter(is_theirs).filter(|it| is_wanted(it));
            let mut wanted: Vec<_> = wanted.map(|it| it.task.to_string()).collect();
            let whole = all(model, tenant, filter, 1_000).await;
            for limit in [1, 3, 7] {
                let paged = all(model, tenant, filter, limit).await;
                assert_eq!(paged, whole, "{filter:?} of {tenant:?} by {limit}");
            }
            let mut sorted = whole.clone();
            sorted.sort();
            wanted.sort();
            assert_eq!(sorted, wanted, "{filter:?} of {tenant:?}");
            let counts = model.counts(tenant.map(name).as_ref(), filter).await.unwrap();
            let statuses = &filter.statuses;
            let counted = counts.by_status.iter();
            let counted = counted.filter(|(it, _)| statuses.is_empty() || statuses.contains(it));
            let counted: u64 = counted.map(|(_, count)| count).sum();
            assert_eq!(counted, wanted.len() as u64, "{filter:?} of {tenant:?}");
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_task_comes_first() {
    let (service, stories) = filled().await;
    let rows = service.model().tasks(None, &TaskFilter::default(), None, 1_000).await.unwrap().rows;
    let times: Vec<_> = rows.iter().map(|row| row.accepted_at_ms).collect();
    assert_eq!(times.len(), stories.len());
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_nothing() {
    let log = MemoryLog::default();
    let story = Story::new("acme", "one", 0).ask("approve", "Pay?", 9_000);
    story.write(&log);
    let service = started(&log, None).await;
    let model = service.model();
    seen(model, &story).await;
    let (own, other, task) = (name("acme"), name("globex"), &story.task);
    let everything = (UnixMillis(0), UnixMillis(u64::MAX));
    let filter = QuestionFilter::default();
    for (tenant, count) in [(None, 1), (Some(&own), 1), (Some(&other), 0)] {
        assert_eq!(model.task(tenant, task).await.unwrap().iter().count(), count);
        assert_eq!(model.steps(tenant, task).await.unwrap().iter().count(), count);
        assert_eq!(model.events(tenant, task, 0, 9).await.unwrap().iter().count(), count);
        let questions = model.questions(tenant, &filter, None, 9).await.unwrap().rows;
        assert_eq!(questions.len(), count);
        let overview = model.overview(tenant).await.unwrap();
        assert_eq!((overview.questions.len(), overview.counts.total()), (count, count as u64));
        assert_eq!(model.revisions(tenant, None).await.unwrap().len(), count);
        assert!(model.spend(tenant, everything, &[]).await.unwrap().len() <= count);
        if let Some(question) = questions.first() {
            let hash = cadre_core::payload::Hash::parse(&question.hash).unwrap();
            assert_eq!(model.question(Some(&other), task, &hash).await.unwrap(), None);
            assert_eq!(model.question(tenant, task, &hash).await.unwrap().as_ref(), Some(question));
        }
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_come_by_their_expiry_and_page_without_gaps() {
    let log = MemoryLog::default();
    let stories: Vec<_> = (0..9_u64)
        .map(|number| {
            // Three expire at the same moment.
            let expires = 1_000 + number % 3 * 500;
            Story::new("acme", &format!("q-{number}"), 0).ask("approve", "Pay?", expires)
        })
        .collect();
    stories.iter().for_each(|story| story.write(&log));
    let service = started(&log, None).await;
    for story in &stories {
        seen(service.model(), story).await;
    }
    for is_open in [true, false] {
        let filter = QuestionFilter { is_open, ..QuestionFilter::default() };
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = service.model().questions(None, &filter, after, 2).await.unwrap();
            all.extend(page.rows.into_iter().map(|row| (row.expires_at_ms, row.task)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(!is_open || all.is_sorted_by_key(|(expires, _)| *expires), "{all:?}");
        let mut tasks: Vec<_> = all.into_iter().map(|(_, task)| task).collect();
        tasks.sort();
        tasks.dedup();
        assert_eq!(tasks.len(), stories.len());
    }
    service.stop().await;
}
