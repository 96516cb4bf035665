//! Queries about what was spent, and by which pack revisions.

use cadre_core::{ids::Name, time::UnixMillis};
use rusqlite::{Connection, Result};

use super::{
    columns::Columns,
    filter::SpendBy,
    read::{ModelError, ReadModel},
    sums::{RevisionRow, SpendRow},
    write::int,
};

/// Rows of one sum at most.
const ROWS_MAX: u32 = 5_000;

impl ReadModel {
    /// What was spent from `since` until before `until`, added up by these: by time first and in order, else the most
    /// expensive first. Hours count as a whole. At most 5,000 rows.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn spend(
        &self,
        tenant: Option<&Name>,
        (since, until): (UnixMillis, UnixMillis),
        by: &[SpendBy],
    ) -> Result<Vec<SpendRow>, ModelError> {
        let (tenant, by) = (tenant.map(Name::to_string), by.to_vec());
        self.query(move |db| spend(db, tenant.as_deref(), (since, until), &by)).await
    }

    /// Pack revisions that tasks are pinned to, the latest used first; at most 200.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn revisions(
        &self,
        tenant: Option<&Name>,
        workflow: Option<&Name>,
    ) -> Result<Vec<RevisionRow>, ModelError> {
        let (tenant, workflow) = (tenant.map(Name::to_string), workflow.map(Name::to_string));
        self.query(move |db| revisions(db, tenant.as_deref(), workflow.as_deref())).await
    }
}

fn spend(
    db: &Connection,
    tenant: Option<&str>,
    (since, until): (UnixMillis, UnixMillis),
    by: &[SpendBy],
) -> Result<Vec<SpendRow>> {
    let key = |column: SpendBy, sql: &'static str| match by.contains(&column) {
        true => sql,
        false => "NULL",
    };
    let hour = key(SpendBy::Hour, "hour");
    let time = if hour == "NULL" { key(SpendBy::Day, "hour / 86400000 * 86400000") } else { hour };
    let columns = [
        time,
        key(SpendBy::Tenant, "tenant"),
        key(SpendBy::Workflow, "workflow"),
        key(SpendBy::Role, "role"),
        key(SpendBy::Model, "model"),
    ]
    .join(", ");
    let sql = format!(
        "SELECT {columns}, sum(attempts), sum(failures), sum(cost) AS total, sum(tokens), sum(work), sum(calls) FROM spend \
         WHERE hour >= ?1 AND hour < ?2 AND (?3 IS NULL OR tenant = ?3) GROUP BY 1, 2, 3, 4, 5 \
         ORDER BY 1, total DESC, 2, 3, 4, 5 LIMIT {ROWS_MAX}"
    );
    const HOUR_MS: u64 = 3_600_000;
    let (since, until) = (int(since.0 / HOUR_MS * HOUR_MS), int(until.0));
    let mut find = db.prepare_cached(&sql)?;
    find.query_map((since, until, tenant), |row| {
        let mut at = Columns::of(row);
        Ok(SpendRow {
            from_ms: at.next()?,
            tenant: at.next()?,
            workflow: at.next()?,
            role: at.next()?,
            model: at.next()?,
            attempts: at.next()?,
            failures: at.next()?,
            cost_micros: at.next()?,
            tokens: at.next()?,
            work_ms: at.next()?,
            calls: at.next()?,
        })
    })?
    .collect()
}

fn revisions(
    db: &Connection,
    tenant: Option<&str>,
    workflow: Option<&str>,
) -> Result<Vec<RevisionRow>> {
    let mut find = db.prepare_cached(
        "SELECT workflow, revision, sum(tasks), sum(open), min(first), max(last) AS latest FROM revisions \
         WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR workflow = ?2) \
         GROUP BY workflow, revision ORDER BY latest DESC LIMIT 200",
    )?;
    find.query_map((tenant, workflow), |row| {
        let mut at = Columns::of(row);
        Ok(RevisionRow {
            workflow: at.next()?,
            revision: at.next()?,
            tasks: at.next()?,
            open: at.next()?,
            first_at_ms: at.next()?,
            last_at_ms: at.next()?,
        })
    })?
    .collect()
}
