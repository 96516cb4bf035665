//! How lists and counts are asked: always out of an index, never row by row through all tasks.

use rusqlite::params_from_iter;

use super::*;
use crate::model::store;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Every condition alone and every two together, for everybody and for one tenant.
fn asked() -> Vec<(Option<Name>, TaskFilter)> {
    type Change = fn(&mut TaskFilter);
    let changes: [Change; 11] = [
        |_| {},
        |filter| filter.statuses = vec![Status::Failed, Status::Partial],
        |filter| filter.workflow = Some(name("intake")),
        |filter| filter.role = Some(name("reader")),
        |filter| filter.text = Some("word other".to_owned()),
        |filter| filter.since = Some(UnixMillis(1)),
        |filter| filter.has_failed = true,
        |filter| filter.is_stuck = true,
        |filter| filter.fingerprint = Some("00ff".to_owned()),
        |filter| filter.revision = Some("0123456789abcdef".to_owned()),
        |filter| filter.parent = TaskId::parse("vs3tl6e2t2bmylf5r7pg2ndlxn").ok(),
    ];
    let mut all = Vec::new();
    for one in changes {
        for other in changes {
            for tenant in [None, Some(name("acme"))] {
                let mut filter = TaskFilter::default();
                one(&mut filter);
                other(&mut filter);
                all.push((tenant, filter));
            }
        }
    }
    all
}

fn plan(db: &Connection, sql: &str, values: usize) -> String {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values: Vec<Option<i64>> = vec![None; values];
    let lines = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

fn marks(sql: &str) -> usize {
    sql.matches('?').count()
}

/// Whether it looks at every task; an index of the failed ones has no others.
fn scans(plan: &str) -> bool {
    let lines = plan.lines().filter(|line| line.contains("SCAN t"));
    lines.into_iter().any(|line| !line.contains("INDEX tasks_failed"))
}

#[test]
fn no_list_and_no_count_looks_through_all_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let db = store::open(&folder.path().join("model.db")).unwrap();
    for (tenant, filter) in asked() {
        let wanted = Wanted::new(tenant.as_ref(), &filter, UnixMillis(1_000_000));
        let has_status = !wanted.stretches.is_empty();
        for has_place in [false, true] {
            let sql = wanted.list(has_status, has_place);
            let plan = plan(&db, &sql, marks(&sql));
            // All of them, the newest first: the first rows are what is wanted.
            let is_all = wanted.conditions.is_empty() && !has_status && !has_place;
            assert!(is_all || !scans(&plan), "{sql}\n{plan}");
            // Stuck tasks are few, and come by the time that they should have gone on.
            let is_sorted = plan.contains("USE TEMP B-TREE");
            assert!(!is_sorted || filter.is_stuck, "{sql}\n{plan}");
        }
        let plain = TaskFilter { statuses: Vec::new(), ..filter };
        let wanted = Wanted::new(tenant.as_ref(), &plain, UnixMillis(1_000_000));
        let (sql, is_whole) = wanted.count();
        let plan = plan(&db, &sql, marks(&sql));
        let looks_at_tasks = sql.contains("tasks t");
        assert!(is_whole != looks_at_tasks, "{sql}");
        assert!(!(looks_at_tasks && scans(&plan)), "{sql}\n{plan}");
    }
}
