//! Queries about what people are asked.

use cadre_core::{
    ids::{Name, TaskId},
    payload::Hash,
};
use rusqlite::{Connection, OptionalExtension as _, Result, Row};

use super::{
    columns::Columns,
    filter::{Cursor, PAGE_MAX, Page, QuestionFilter},
    read::{ModelError, ReadModel},
    rows::QuestionRow,
};

const COLUMNS: &str = "t.id, q.tenant, q.workflow, q.step, q.attempt, q.kind, q.question, q.content, \
    q.content_bytes, q.hash, q.role, q.why, t.user, q.asked, q.expires, q.when_expired, q.quorum, q.four_eyes, \
    q.editable, q.votes, q.state, q.decided, q.decided_by, q.decision, q.cost, q.rev, q.no";

const FROM: &str = "questions q JOIN tasks t ON t.no = q.task";

impl ReadModel {
    /// What people are asked: open questions by when they expire, or all of them, the newest first.
    /// `limit` is at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn questions(
        &self,
        tenant: Option<&Name>,
        filter: &QuestionFilter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<QuestionRow>, ModelError> {
        let (tenant, filter) = (tenant.map(Name::to_string), filter.clone());
        let limit = limit.clamp(1, PAGE_MAX);
        self.query(move |db| page(db, tenant.as_deref(), &filter, (after, limit))).await
    }

    /// The question of this hash, open or decided; `None` when there is none, or it is another tenant's.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn question(
        &self,
        tenant: Option<&Name>,
        task: &TaskId,
        hash: &Hash,
    ) -> Result<Option<QuestionRow>, ModelError> {
        let (tenant, task, hash) =
            (tenant.map(Name::to_string), task.to_string(), hash.to_string());
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE t.id = ?1 AND q.hash = ?2 AND (?3 IS NULL OR q.tenant = ?3) \
             ORDER BY q.no DESC LIMIT 1"
        );
        self.query(move |db| {
            let mut find = db.prepare_cached(&sql)?;
            let found = find.query_row((task, hash, tenant), question_row).optional()?;
            Ok(found.map(|(question, _)| question))
        })
        .await
    }
}

impl ReadModel {
    /// How many questions wait for a person, as far as `max`: for a badge.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn questions_open(&self, tenant: Option<&Name>, max: u32) -> Result<u64, ModelError> {
        let tenant = tenant.map(Name::to_string);
        self.query(move |db| {
            let mut count = db.prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM questions \
                 WHERE state = 'open' AND (?1 IS NULL OR tenant = ?1) LIMIT ?2)",
            )?;
            count.query_row((tenant, max), |row| row.get(0))
        })
        .await
    }
}

/// Questions that wait for a person.
pub(super) fn open_count(db: &Connection, tenant: Option<&str>) -> Result<u64> {
    let sql = "SELECT count(*) FROM questions WHERE state = 'open' AND (?1 IS NULL OR tenant = ?1)";
    db.prepare_cached(sql)?.query_row([tenant], |row| row.get(0))
}

/// Every question of a task, oldest first.
pub(super) fn of_task(db: &Connection, no: i64) -> Result<Vec<QuestionRow>> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE q.task = ?1 ORDER BY q.no");
    let mut find = db.prepare_cached(&sql)?;
    find.query_map([no], |row| Ok(question_row(row)?.0))?.collect()
}

pub(super) fn page(
    db: &Connection,
    tenant: Option<&str>,
    filter: &QuestionFilter,
    (after, limit): (Option<Cursor>, u32),
) -> Result<Page<QuestionRow>> {
    let (is_open, order, behind) = match filter.is_open {
        true => (
            "q.state = 'open'",
            "q.expires, q.no",
            "(q.expires, q.no) > (SELECT expires, no FROM questions WHERE no = ?4)",
        ),
        false => ("1", "q.no DESC", "q.no < ?4"),
    };
    // One list of all, or one that an index has: a condition that may be none would be looked at row by row.
    let (mut whose, mut which) = ("?1 IS NULL", "?3 IS NULL");
    if filter.task.is_some() {
        which = "q.task = (SELECT no FROM tasks WHERE id = ?3)";
    }
    if tenant.is_some() {
        whose = "q.tenant = ?1";
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE {is_open} AND {whose} AND (?2 IS NULL OR q.workflow = ?2) AND {which} \
         AND (?4 IS NULL OR {behind}) ORDER BY {order} LIMIT ?5"
    );
    let workflow = filter.workflow.as_ref().map(Name::as_str);
    let task = filter.task.as_ref().map(TaskId::as_str);
    let after = after.map(|Cursor(no)| no);
    let mut find = db.prepare_cached(&sql)?;
    let params = (tenant, workflow, task, after, limit.saturating_add(1));
    let mut found: Vec<_> = find.query_map(params, question_row)?.collect::<Result<_>>()?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = found.len() > wanted;
    found.truncate(wanted);
    let next = found.last().filter(|_| is_more).map(|(_, no)| Cursor(*no));
    Ok(Page { rows: found.into_iter().map(|(question, _)| question).collect(), next })
}

fn question_row(row: &Row<'_>) -> Result<(QuestionRow, i64)> {
    let mut at = Columns::of(row);
    let question = QuestionRow {
        task: at.next()?,
        tenant: at.next()?,
        workflow: at.next()?,
        step: at.next()?,
        attempt: at.next()?,
        kind: at.next()?,
        question: at.next()?,
        content: at.next()?,
        content_bytes: at.next()?,
        hash: at.next()?,
        role: at.next()?,
        why: at.next()?,
        user: at.next()?,
        asked_at_ms: at.next()?,
        expires_at_ms: at.next()?,
        when_expired: at.next()?,
        quorum: at.next()?,
        four_eyes: at.next()?,
        editable: at.next()?,
        votes: at.word(|text| serde_json::from_str(text).ok())?.unwrap_or_default(),
        state: at.next()?,
        decided_at_ms: at.next()?,
        decided_by: at.next()?,
        decision: at.next()?,
        cost_micros: at.next()?,
        rev: at.next()?,
    };
    Ok((question, at.next()?))
}
