//! What roles do: how much is out, how long it takes, how often it fails.

use std::collections::BTreeSet;

use cadre_core::{ids::Name, time::UnixMillis};
use rusqlite::{Connection, Result};

use super::{
    columns::Columns,
    overview::percentile,
    read::{ModelError, ReadModel},
    sums::RoleRow,
    write::int,
};

/// Attempts of one role that are looked at: the latest ones.
const LOOKED_AT_MAX: u32 = 500;

impl ReadModel {
    /// Every role that has had an attempt, by name; times and errors are of attempts that ended since then, the latest
    /// 500 of each role.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn agents(
        &self,
        tenant: Option<&Name>,
        since: UnixMillis,
    ) -> Result<Vec<RoleRow>, ModelError> {
        let tenant = tenant.map(Name::to_string);
        self.query(move |db| {
            let roles = names(db)?;
            roles.into_iter().map(|role| one(db, tenant.as_deref(), role, since)).collect()
        })
        .await
    }
}

/// Hops from role to role in an index: there are few of them, and many attempts.
fn names(db: &Connection) -> Result<BTreeSet<String>> {
    let mut next = db.prepare_cached("SELECT min(role) FROM attempts WHERE role > ?1")?;
    let (mut names, mut last) = (BTreeSet::new(), String::new());
    while let Some(name) = next.query_row([&last], |row| row.get::<_, Option<String>>(0))? {
        names.insert(name.clone());
        last = name;
    }
    Ok(names)
}

fn one(db: &Connection, tenant: Option<&str>, role: String, since: UnixMillis) -> Result<RoleRow> {
    let whose =
        "(?2 IS NULL OR EXISTS (SELECT 1 FROM tasks t WHERE t.no = a.task AND t.tenant = ?2))";
    let out = format!(
        "SELECT count(*) FROM attempts a WHERE a.role = ?1 AND a.ended IS NULL AND {whose}"
    );
    let mut row = RoleRow {
        in_flight: db.prepare_cached(&out)?.query_row((&role, tenant), |row| row.get(0))?,
        role,
        ..RoleRow::default()
    };
    let latest = format!(
        "SELECT a.sent, a.ended, a.work, a.failure_text, a.is_fallback, a.cost, a.tokens FROM attempts a \
         INDEXED BY attempts_ended WHERE a.role = ?1 AND a.ended >= ?3 AND a.outcome <> 'stopped' AND {whose} \
         ORDER BY a.ended DESC LIMIT {LOOKED_AT_MAX}"
    );
    let mut find = db.prepare_cached(&latest)?;
    let (mut running, mut queued) = (Vec::new(), Vec::new());
    let mut rows = find.query((&row.role, tenant, int(since.0)))?;
    while let Some(found) = rows.next()? {
        let mut at = Columns::of(found);
        let (sent, ended, work): (u64, u64, u64) = (at.next()?, at.next()?, at.next()?);
        let (error, is_fallback): (Option<String>, bool) = (at.next()?, at.next()?);
        let all = ended.saturating_sub(sent);
        running.push(work.min(all));
        queued.push(all - work.min(all));
        row.attempts += 1;
        row.errors += u64::from(error.is_some());
        row.fallbacks += u64::from(is_fallback);
        row.cost_micros += at.next::<u64>()?;
        row.tokens += at.next::<u64>()?;
        row.last_at_ms = row.last_at_ms.max(Some(ended));
        row.last_error = row.last_error.or(error);
    }
    running.sort_unstable();
    queued.sort_unstable();
    (row.p50_ms, row.p95_ms) = (percentile(&running, 50), percentile(&running, 95));
    (row.queued_p50_ms, row.queued_p95_ms) = (percentile(&queued, 50), percentile(&queued, 95));
    Ok(row)
}
