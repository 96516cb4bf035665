//! Queries about tasks: lists, counts, one task.
//!
//! A list is made in two goes: first the numbers of its rows, out of one index that fits the filter and has them in
//! order, then the rows. Without a filter by text, role or failure each status is a stretch of one index, and the
//! stretches are merged.

#[cfg(test)]
mod tests;

use cadre_core::{
    ids::{Name, TaskId},
    time::UnixMillis,
};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, ToSql, params_from_iter};

use super::{
    columns::Columns,
    filter::{Cursor, PAGE_MAX, Page, TaskFilter},
    ordinal,
    read::{ModelError, ReadModel},
    rows::{FailureNote, TaskRow},
    status::Status,
    sums::Counts,
    write::int,
};

/// How long a task may be overdue by its own timeouts before it is stuck: as the watch has it.
const GRACE_MS: u64 = 30_000;

/// Tasks that one count looks at where nobody keeps the sums: each is looked up, and a page has 20 ms.
const COUNTED_MAX: u32 = 4_000;

/// Conditions by which sums of tasks are kept.
const KEPT: [&str; 2] = ["t.tenant = ?", "t.workflow = ?"];

/// Where the numbers come from when no condition has a better source.
const PLAIN: &str = "tasks t";

/// Columns of a task's row, of `tasks t`.
pub(super) const COLUMNS: &str = "t.id, t.tenant, t.workflow, t.revision, t.key, t.user, t.excerpt, t.status, \
    t.accepted, t.started, t.ended, t.updated, t.deadline, t.due, t.rev, t.steps_done, t.steps_total, \
    t.steps_failed, t.dispatches, t.dispatches_max, t.tokens, t.tokens_max, t.cost, t.cost_max, t.work, t.retries, \
    t.fallbacks, t.waits_for, t.waits_text, t.waits_since, t.reason, t.fingerprint, t.failed_step, t.failed_kind, \
    t.failed_text, t.failed_at, t.parent, t.problem";

impl ReadModel {
    /// Tasks, the newest first. `limit` is at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn tasks(
        &self,
        tenant: Option<&Name>,
        filter: &TaskFilter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<TaskRow>, ModelError> {
        let wanted = Wanted::new(tenant, filter, self.now());
        let limit = limit.clamp(1, PAGE_MAX);
        self.query(move |db| page(db, &wanted.settle(db)?, after, limit)).await
    }

    /// Tasks by status, as the other conditions of `filter` want them; its statuses are ignored.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn counts(
        &self,
        tenant: Option<&Name>,
        filter: &TaskFilter,
    ) -> Result<Counts, ModelError> {
        let filter = TaskFilter { statuses: Vec::new(), ..filter.clone() };
        let wanted = Wanted::new(tenant, &filter, self.now());
        self.query(move |db| counts(db, &wanted.settle(db)?)).await
    }

    /// One task; `None` when there is none, or it is another tenant's.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn task(
        &self,
        tenant: Option<&Name>,
        task: &TaskId,
    ) -> Result<Option<TaskRow>, ModelError> {
        let (tenant, task, now) = (tenant.map(Name::to_string), task.to_string(), self.now());
        let sql = format!(
            "SELECT {COLUMNS} FROM tasks t WHERE t.id = ?1 AND (?2 IS NULL OR t.tenant = ?2)"
        );
        self.query(move |db| {
            let mut find = db.prepare_cached(&sql)?;
            find.query_row((task, tenant), |row| task_row(row, now)).optional()
        })
        .await
    }
}

/// A task's row as [`COLUMNS`] has it.
pub(super) fn task_row(row: &Row<'_>, now: UnixMillis) -> Result<TaskRow> {
    let mut at = Columns::of(row);
    let mut task = TaskRow {
        task: at.next()?,
        tenant: at.next()?,
        workflow: at.next()?,
        revision: at.next()?,
        key: at.next()?,
        user: at.next()?,
        excerpt: at.next()?,
        status: at.word(|text: &str| text.parse().ok())?.unwrap_or(Status::Running),
        accepted_at_ms: at.next()?,
        started_at_ms: at.next()?,
        ended_at_ms: at.next()?,
        updated_at_ms: at.next()?,
        deadline_at_ms: at.next()?,
        due_at_ms: at.next()?,
        is_stuck: false,
        rev: at.next()?,
        steps_done: at.next()?,
        steps_total: at.next()?,
        steps_failed: at.next()?,
        dispatches: at.next()?,
        dispatches_max: at.next()?,
        tokens: at.next()?,
        tokens_max: at.next()?,
        cost_micros: at.next()?,
        cost_max_micros: at.next()?,
        work_ms: at.next()?,
        retries: at.next()?,
        fallbacks: at.next()?,
        waits_for: at.next()?,
        waits_text: at.next()?,
        waits_since_ms: at.next()?,
        reason: at.next()?,
        failure: None,
        parent: None,
        problem: None,
    };
    let fingerprint: Option<String> = at.next()?;
    let (step, kind, text, failed_at) = (at.next()?, at.next()?, at.next()?, at.next()?);
    task.failure = note(fingerprint, step, (kind, text, failed_at));
    (task.parent, task.problem) = (at.next()?, at.next()?);
    task.is_stuck = task.due_at_ms.is_some_and(|due| due.saturating_add(GRACE_MS) <= now.0);
    Ok(task)
}

fn note(
    fingerprint: Option<String>,
    step: Option<String>,
    (kind, text, at_ms): (Option<String>, Option<String>, Option<u64>),
) -> Option<FailureNote> {
    Some(FailureNote { fingerprint: fingerprint?, step, kind: kind?, text: text?, at_ms: at_ms? })
}

/// Before when a task must have been due, to be stuck at `now`.
pub(super) fn stuck_before(now: UnixMillis) -> i64 {
    int(now.0.saturating_sub(GRACE_MS))
}

/// A filter as SQL has it.
struct Wanted {
    /// Where the numbers come from, in order.
    from: &'static str,
    /// The column that has the number there.
    no: &'static str,
    conditions: Vec<&'static str>,
    values: Vec<Box<dyn ToSql + Send>>,
    /// Statuses, each a stretch of an index; empty where they are a condition like others.
    stretches: Vec<Status>,
    /// Which value names the words, and what it is where no goal has them.
    beginnings: Option<(usize, String)>,
    now: UnixMillis,
}

impl Wanted {
    fn new(tenant: Option<&Name>, filter: &TaskFilter, now: UnixMillis) -> Self {
        let mut wanted = Self::driven_by(filter, now);
        if let Some(tenant) = tenant {
            wanted.add("t.tenant = ?", tenant.to_string());
        }
        if let Some(workflow) = &filter.workflow {
            wanted.add("t.workflow = ?", workflow.to_string());
        }
        if let Some(since) = filter.since {
            wanted.add("t.no >= ?", ordinal::first(since));
        }
        if let Some(until) = filter.until {
            wanted.add("t.no < ?", ordinal::first(until));
        }
        if filter.is_stuck {
            wanted.add("t.due <= ?", stuck_before(now));
        }
        if let Some(fingerprint) = &filter.fingerprint {
            wanted.add("t.fingerprint = ?", fingerprint.clone());
        }
        if let Some(revision) = &filter.revision {
            let digits: String = revision.chars().take(12).collect();
            wanted.add("substr(t.revision, 1, 12) = ?", digits);
        }
        if let Some(parent) = &filter.parent {
            wanted.add("t.parent = ?", parent.to_string());
        }
        if filter.has_failed {
            wanted.conditions.push("t.steps_failed > 0");
        }
        if let Some(role) = &filter.role {
            wanted.add("a.role = ?", role.to_string());
        }
        if let Some(words) = filter.text.as_deref().and_then(Words::of) {
            wanted.add("words MATCH ?", words.exact);
            wanted.beginnings = Some((wanted.values.len() - 1, words.beginnings));
        }
        wanted.statuses(filter);
        wanted
    }

    /// What has the numbers, and few of them. Without figures about the tables SQLite would rather walk through all
    /// tasks in order than sort a few.
    fn driven_by(filter: &TaskFilter, now: UnixMillis) -> Self {
        let has_words = filter.text.as_deref().and_then(Words::of).is_some();
        let from = match (has_words, filter.role.is_some()) {
            (true, true) => {
                "words CROSS JOIN tasks t ON t.no = words.rowid CROSS JOIN attempts a ON a.task = t.no"
            }
            (true, false) => "words CROSS JOIN tasks t ON t.no = words.rowid",
            (false, true) => "attempts a CROSS JOIN tasks t ON t.no = a.task",
            (false, false) if filter.is_stuck => "tasks t INDEXED BY tasks_due",
            (false, false) if filter.fingerprint.is_some() => {
                "tasks t INDEXED BY tasks_fingerprint"
            }
            (false, false) if filter.parent.is_some() => "tasks t INDEXED BY tasks_parent",
            (false, false) if filter.has_failed => "tasks t INDEXED BY tasks_failed",
            (false, false) if filter.revision.is_some() => "tasks t INDEXED BY tasks_revision",
            (false, false) => PLAIN,
        };
        let no = match (has_words, filter.role.is_some()) {
            (true, _) => "words.rowid",
            (false, true) => "a.task",
            (false, false) => "t.no",
        };
        let (conditions, values, stretches) = (Vec::new(), Vec::new(), Vec::new());
        Self { from, no, conditions, values, stretches, beginnings: None, now }
    }

    fn add(&mut self, condition: &'static str, value: impl ToSql + Send + 'static) {
        self.conditions.push(condition);
        self.values.push(Box::new(value));
    }

    /// Each status is a stretch of an index, unless another condition has its own.
    fn statuses(&mut self, filter: &TaskFilter) {
        let is_plain = self.from == PLAIN;
        let is_narrow =
            !filter.statuses.is_empty() || self.conditions.iter().any(|it| it.contains(" = ?"));
        if is_plain && is_narrow {
            let all = filter.statuses.is_empty();
            self.stretches = if all { Status::ALL.to_vec() } else { filter.statuses.clone() };
        } else if !filter.statuses.is_empty() {
            let list: Vec<_> = filter.statuses.iter().map(|status| status.as_str()).collect();
            let list = serde_json::Value::from(list).to_string();
            self.add("t.status IN (SELECT value FROM json_each(?))", list);
        }
    }

    /// Numbers in order, the highest first.
    fn numbers(&self, db: &Connection, after: Option<Cursor>, limit: u32) -> Result<Vec<i64>> {
        if self.stretches.is_empty() {
            return self.stretch(db, None, (after, limit));
        }
        let mut all = Vec::new();
        for status in &self.stretches {
            all.extend(self.stretch(db, Some(*status), (after, limit))?);
        }
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(all)
    }

    fn stretch(
        &self,
        db: &Connection,
        status: Option<Status>,
        (after, limit): (Option<Cursor>, u32),
    ) -> Result<Vec<i64>> {
        let mut values: Vec<&dyn ToSql> = Vec::new();
        values.extend(self.values.iter().map(|value| value.as_ref() as &dyn ToSql));
        let word = status.map(Status::as_str);
        values.extend(word.iter().map(|word| word as &dyn ToSql));
        let after = after.map(|Cursor(no)| no);
        values.extend(after.iter().map(|after| after as &dyn ToSql));
        values.push(&limit);
        let mut find = db.prepare_cached(&self.list(status.is_some(), after.is_some()))?;
        find.query_map(params_from_iter(values), |row| row.get(0))?.collect()
    }

    /// What asks for numbers: of one status or of any, behind a place or from the beginning.
    fn list(&self, has_status: bool, has_place: bool) -> String {
        let mut conditions: Vec<String> =
            self.conditions.iter().map(|it| (*it).to_owned()).collect();
        conditions.extend(has_status.then(|| "t.status = ?".to_owned()));
        conditions.extend(has_place.then(|| format!("{} < ?", self.no)));
        format!(
            "SELECT {once} {no} FROM {from}{} ORDER BY {no} DESC LIMIT ?",
            clause(&conditions),
            // A role may have had several attempts in one task.
            once = if self.from.contains("attempts") { "DISTINCT" } else { "ALL" },
            no = self.no,
            from = self.from
        )
    }

    /// What asks for counts by status, and whether it counts all: sums that are kept, or so many rows.
    fn count(&self) -> (String, bool) {
        let conditions: Vec<_> = self.conditions.iter().map(|it| (*it).to_owned()).collect();
        let clause = clause(&conditions);
        let is_kept = self.conditions.iter().all(|it| KEPT.contains(it));
        if self.from == PLAIN && is_kept {
            let sql = format!(
                "SELECT t.status, sum(t.tasks) AS tasks FROM counts t{clause} GROUP BY t.status HAVING sum(t.tasks) > 0"
            );
            return (sql, true);
        }
        let (no, from) = (self.no, self.from);
        let sql = format!(
            "SELECT status, count(*) FROM (SELECT DISTINCT {no}, t.status AS status FROM {from}{clause} \
             LIMIT {COUNTED_MAX}) GROUP BY status"
        );
        (sql, false)
    }
}

fn clause(conditions: &[String]) -> String {
    match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    }
}

fn page(
    db: &Connection,
    wanted: &Wanted,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Page<TaskRow>> {
    // One more than wanted tells whether there is another page.
    let mut numbers = wanted.numbers(db, after, limit.saturating_add(1))?;
    let is_more = numbers.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    numbers.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = numbers.last().filter(|_| is_more).map(|no| Cursor(*no));
    Ok(Page { rows: of_numbers(db, &numbers, wanted.now)?, next })
}

/// Rows by number, in this order.
fn of_numbers(db: &Connection, numbers: &[i64], now: UnixMillis) -> Result<Vec<TaskRow>> {
    let mut find = db.prepare_cached(&format!("SELECT {COLUMNS} FROM tasks t WHERE t.no = ?1"))?;
    let mut rows = Vec::with_capacity(numbers.len());
    for no in numbers {
        rows.extend(find.query_row([no], |row| task_row(row, now)).optional()?);
    }
    Ok(rows)
}

fn counts(db: &Connection, wanted: &Wanted) -> Result<Counts> {
    let (sql, is_whole) = wanted.count();
    let mut find = db.prepare_cached(&sql)?;
    let mut counts = Counts { by_status: Vec::new(), is_exact: true };
    let mut rows = find.query(params_from_iter(wanted.values.iter().map(AsRef::as_ref)))?;
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        let count: u64 = row.get(1)?;
        counts.by_status.extend(word.parse::<Status>().ok().map(|status| (status, count)));
    }
    counts.by_status.sort_unstable();
    counts.is_exact = is_whole || counts.total() < u64::from(COUNTED_MAX);
    Ok(counts)
}

/// What FTS5 is asked: all of these words. A word is one stretch of its index; beginnings of words are many, which
/// are gathered before the first one is handed out.
struct Words {
    exact: String,
    beginnings: String,
}

impl Words {
    /// `None` when there is no word.
    fn of(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<_> = words.take(16).map(|word| format!("\"{word}\"")).collect();
        let beginnings: Vec<_> = words.iter().map(|word| format!("{word}*")).collect();
        let (exact, beginnings) = (words.join(" "), beginnings.join(" "));
        (!words.is_empty()).then_some(Self { exact, beginnings })
    }
}

impl Wanted {
    /// Looks for beginnings of words where no goal has the words themselves.
    fn settle(mut self, db: &Connection) -> Result<Self> {
        let Some((place, beginnings)) = self.beginnings.take() else { return Ok(self) };
        let Some(value) = self.values.get_mut(place) else { return Ok(self) };
        let sql = "SELECT 1 FROM words WHERE words MATCH ?1 LIMIT 1";
        if !db.prepare_cached(sql)?.exists([&*value])? {
            *value = Box::new(beginnings);
        }
        Ok(self)
    }
}
