//! The first page's figures: what needs a person, and how the last hour was.

use std::collections::BTreeMap;

use cadre_core::{ids::Name, time::UnixMillis};
use rusqlite::{Connection, Result};

use super::{
    columns::Columns,
    filter::{QuestionFilter, TaskFilter},
    lag::Lag,
    questions,
    read::{ModelError, ReadModel},
    rows::TaskRow,
    sums::{FailureRow, Minute, NEEDY_MAX, Overview},
    tasks,
    write::int,
};

/// Minutes that are looked back.
const MINUTES: u64 = 60;

const MINUTE_MS: u64 = 60_000;

/// How far failures are looked back.
const FAILURES_MS: u64 = 24 * 3_600_000;

/// Failures of different kinds on the first page.
const FAILURES_SHOWN: u32 = 12;

/// Ended tasks whose durations are looked at, at most: the latest ones of the hour.
const ENDED_MAX: u32 = 10_000;

impl ReadModel {
    /// Everything that the first page shows.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn overview(&self, tenant: Option<&Name>) -> Result<Overview, ModelError> {
        let counts = self.counts(tenant, &TaskFilter::default()).await?;
        let (tenant, now, lag) = (tenant.map(Name::to_string), self.now(), self.lag());
        let overview = self.query(move |db| overview(db, tenant.as_deref(), (now, lag))).await?;
        Ok(Overview { counts, ..overview })
    }

    /// Failures since a point in time by fingerprint, the most frequent first: of each task the last one.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn failures(
        &self,
        tenant: Option<&Name>,
        since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<FailureRow>, ModelError> {
        let tenant = tenant.map(Name::to_string);
        self.query(move |db| failures(db, tenant.as_deref(), since, limit)).await
    }
}

fn overview(
    db: &Connection,
    tenant: Option<&str>,
    (now, lag): (UnixMillis, Lag),
) -> Result<Overview> {
    let stuck = "t.due <= ?2 AND (?1 IS NULL OR t.tenant = ?1) ORDER BY t.due";
    let near =
        "t.is_near = 1 AND (?1 IS NULL OR t.tenant = ?1) AND ?2 IS NOT NULL ORDER BY t.no DESC";
    let filter = QuestionFilter { is_open: true, ..QuestionFilter::default() };
    let sql = "SELECT count(*) FROM tasks WHERE due <= ?2 AND (?1 IS NULL OR tenant = ?1)";
    let before = tasks::stuck_before(now);
    let stuck_total = db.prepare_cached(sql)?.query_row((tenant, before), |row| row.get(0))?;
    let (minutes, hour) = last_hour(db, tenant, now)?;
    Ok(Overview {
        now_ms: now.0,
        lag,
        counts: super::sums::Counts::default(),
        stuck: needy(db, stuck, (tenant, now))?,
        budgets_near: needy(db, near, (tenant, now))?,
        questions: questions::page(db, tenant, &filter, (None, NEEDY_MAX))?.rows,
        questions_open: questions::open_count(db, tenant)?,
        stuck_total,
        minutes,
        hour,
        failures: failures(
            db,
            tenant,
            UnixMillis(now.0.saturating_sub(FAILURES_MS)),
            FAILURES_SHOWN,
        )?,
    })
}

fn needy(
    db: &Connection,
    condition: &str,
    (tenant, now): (Option<&str>, UnixMillis),
) -> Result<Vec<TaskRow>> {
    let columns = tasks::COLUMNS;
    let sql = format!("SELECT {columns} FROM tasks t WHERE {condition} LIMIT {NEEDY_MAX}");
    let mut find = db.prepare_cached(&sql)?;
    let before = tasks::stuck_before(now);
    find.query_map((tenant, before), |row| tasks::task_row(row, now))?.collect()
}

/// The last hour minute by minute, and as a whole.
fn last_hour(
    db: &Connection,
    tenant: Option<&str>,
    now: UnixMillis,
) -> Result<(Vec<Minute>, Minute)> {
    let last = now.0 / MINUTE_MS;
    let first = last.saturating_sub(MINUTES - 1);
    let mut spans: BTreeMap<u64, Tally> = (first..=last).map(|at| (at, Tally::default())).collect();
    let mut whole = Tally::default();
    let mut find = db.prepare_cached(
        "SELECT minute, accepted, completed, failed, cost FROM minutes \
         WHERE minute >= ?2 AND (?1 IS NULL OR tenant = ?1)",
    )?;
    let mut rows = find.query((tenant, int(first)))?;
    while let Some(row) = rows.next()? {
        let mut at = Columns::of(row);
        let minute: u64 = at.next()?;
        let sums: [u64; 4] = [at.next()?, at.next()?, at.next()?, at.next()?];
        for tally in spans.get_mut(&minute).into_iter().chain([&mut whole]) {
            tally.add(sums);
        }
    }
    let mut find = db.prepare_cached(
        "SELECT ended, accepted FROM tasks INDEXED BY tasks_ended \
         WHERE ended >= ?2 AND (?1 IS NULL OR tenant = ?1) ORDER BY ended DESC LIMIT ?3",
    )?;
    let mut rows = find.query((tenant, int(first * MINUTE_MS), ENDED_MAX))?;
    while let Some(row) = rows.next()? {
        let mut at = Columns::of(row);
        let (ended, accepted): (u64, u64) = (at.next()?, at.next()?);
        for tally in spans.get_mut(&(ended / MINUTE_MS)).into_iter().chain([&mut whole]) {
            tally.took.push(ended.saturating_sub(accepted));
        }
    }
    let minutes =
        spans.into_iter().map(|(minute, tally)| tally.finish(minute * MINUTE_MS)).collect();
    Ok((minutes, whole.finish(first * MINUTE_MS)))
}

/// A stretch of time while it is added up.
#[derive(Default)]
struct Tally {
    minute: Minute,
    took: Vec<u64>,
}

impl Tally {
    fn add(&mut self, [accepted, completed, failed, cost]: [u64; 4]) {
        self.minute.accepted += accepted;
        self.minute.completed += completed;
        self.minute.failed += failed;
        self.minute.cost_micros += cost;
    }

    fn finish(mut self, from_ms: u64) -> Minute {
        self.took.sort_unstable();
        let (p50_ms, p95_ms) = (percentile(&self.took, 50), percentile(&self.took, 95));
        Minute { from_ms, p50_ms, p95_ms, ..self.minute }
    }
}

/// The value that so many of a hundred do not exceed; `None` of nothing.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

fn failures(
    db: &Connection,
    tenant: Option<&str>,
    since: UnixMillis,
    limit: u32,
) -> Result<Vec<FailureRow>> {
    // The latest of each group: the highest text of time and number.
    let mut find = db.prepare_cached(
        "SELECT g.fingerprint, t.workflow, t.failed_step, t.failed_kind, t.failed_text, g.tasks, g.first, t.failed_at, \
         t.id FROM (SELECT fingerprint, count(*) AS tasks, min(failed_at) AS first, \
                    max(printf('%015d %d', failed_at, no)) AS latest FROM tasks INDEXED BY tasks_failed_at \
                    WHERE fingerprint IS NOT NULL AND failed_at >= ?2 AND (?1 IS NULL OR tenant = ?1) \
                    GROUP BY fingerprint ORDER BY tasks DESC, latest DESC LIMIT ?3) g \
         JOIN tasks t ON t.no = CAST(substr(g.latest, 17) AS INTEGER) ORDER BY g.tasks DESC, g.latest DESC",
    )?;
    find.query_map((tenant, int(since.0), limit), |row| {
        let mut at = Columns::of(row);
        Ok(FailureRow {
            fingerprint: at.next()?,
            workflow: at.next()?,
            step: at.next()?,
            kind: at.next()?,
            text: at.next()?,
            tasks: at.next()?,
            first_at_ms: at.next()?,
            last_at_ms: at.next()?,
            last_task: at.next()?,
        })
    })?
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_are_there() {
        let all: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&all, 50), Some(50));
        assert_eq!(percentile(&all, 95), Some(95));
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
