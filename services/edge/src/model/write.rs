//! Writes rows. Called by the projector, inside its transaction.

use std::collections::BTreeSet;

use cadre_core::{
    ids::StepId,
    payload::Payload,
    ports::history::LogItem,
    task::{Goal, Record, Task},
    time::UnixMillis,
    workflow::WhenExpired,
};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::{
    card::{Card, StepCard},
    lines,
    money::Sums,
    notes::{Asked, Attempt, QuestionId, QuestionNews},
    open::OpenTask,
    ordinal::ordinal,
    status::Status,
    tally::Tally,
    text::{brief, texts},
};

/// Bytes of a goal's texts that can be searched.
const SEARCHED_BYTES_MAX: usize = 4 * 1024;

/// Characters of a goal that lists show.
const EXCERPT_CHARS_MAX: usize = 160;

/// Characters of a reason or an error that a row keeps.
const REASON_CHARS_MAX: usize = 500;

/// Bytes of a question's content that its row keeps.
const CONTENT_BYTES_MAX: usize = 4 * 1024;

/// A number as the database has it.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn ms(at: UnixMillis) -> i64 {
    int(at.0)
}

/// What the database knows of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) no: i64,
    pub(super) rev: u64,
    pub(super) waits: Option<(String, u64)>,
    pub(super) written: Option<Written>,
}

/// What a task's row counts as; `None` instead of it is a row that is yet to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) status: Status,
    pub(super) is_ended: bool,
}

/// Looks a task up.
pub(super) fn known(db: &Connection, id: &str) -> Result<Option<Known>> {
    let sql = "SELECT no, rev, waits_for, waits_since, status, ended IS NOT NULL FROM tasks WHERE id = ?1";
    let mut find = db.prepare_cached(sql)?;
    let row = find.query_row([id], |row| {
        let waits: Option<String> = row.get(2)?;
        let since: Option<u64> = row.get(3)?;
        let (status, is_ended) = (status(row.get_ref(4)?.as_str()?), row.get(5)?);
        let written = status.map(|status| Written { status, is_ended });
        Ok(Known { no: row.get(0)?, rev: row.get(1)?, waits: waits.zip(since), written })
    });
    row.optional()
}

/// The status that a row names.
fn status(word: &str) -> Option<Status> {
    word.parse().ok()
}

/// A number for a task that was just accepted: nobody has it, neither a row nor one of `taken`.
pub(super) fn number(
    db: &Connection,
    (task, at): (&str, UnixMillis),
    taken: &BTreeSet<i64>,
) -> Result<i64> {
    free(db, "tasks", ordinal(at, &[task]), taken)
}

/// The first number from `no` on that no row of `table` has.
fn free(db: &Connection, table: &'static str, mut no: i64, taken: &BTreeSet<i64>) -> Result<i64> {
    let mut known = db.prepare_cached(&format!("SELECT 1 FROM {table} WHERE no = ?1"))?;
    while taken.contains(&no) || known.exists([no])? {
        no = no.saturating_add(1);
    }
    Ok(no)
}

/// Says what is wrong with the log of a task; one that was never read gets a row that says no more than that.
pub(super) fn spoil(
    db: &Connection,
    item: &LogItem,
    (now, problem): (Status, &str),
    tally: &mut Tally,
) -> Result<()> {
    let id = item.task.as_str();
    let mut update = db.prepare_cached(
        "UPDATE tasks SET status = ?2, problem = ?3, due = NULL, waits_for = NULL, waits_text = NULL, \
         waits_since = NULL, is_near = 0, updated = ?4 WHERE id = ?1",
    )?;
    let problem = brief(problem, REASON_CHARS_MAX);
    let mut find = db.prepare_cached("SELECT tenant, workflow, status FROM tasks WHERE id = ?1")?;
    let before = find.query_row([id], |row| {
        let (tenant, workflow): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((tenant, workflow, status(row.get_ref(2)?.as_str()?)))
    });
    if let Some((tenant, workflow, before)) = before.optional()? {
        tally.moved((&tenant, &workflow), (before, Some(now)));
        update.execute(params![id, now.as_str(), problem, ms(item.stored_at)])?;
        return Ok(());
    }
    let no = number(db, (id, item.stored_at), &BTreeSet::new())?;
    let mut insert = db.prepare_cached(
        "INSERT INTO tasks (no, id, tenant, workflow, revision, key, excerpt, accepted, rev, status, updated, \
         deadline, problem) VALUES (?1, ?2, '', '', '', '', '', ?3, 0, ?4, ?3, ?3, ?5)",
    )?;
    insert.execute(params![no, id, ms(item.stored_at), now.as_str(), problem])?;
    tally.moved(("", ""), (None, Some(now)));
    tally.stub("", item.stored_at, 1);
    Ok(())
}

/// Makes room for a task that could not be read and now can: its first record makes the row anew.
pub(super) fn forget(db: &Connection, no: i64, tally: &mut Tally) -> Result<()> {
    let mut delete = db.prepare_cached(
        "DELETE FROM tasks WHERE no = ?1 RETURNING tenant, workflow, status, accepted",
    )?;
    let gone = delete.query_row([no], |row| {
        let (tenant, workflow): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((tenant, workflow, status(row.get_ref(2)?.as_str()?), row.get(3)?))
    });
    if let Some((tenant, workflow, status, accepted)) = gone.optional()? {
        tally.moved((&tenant, &workflow), (status, None));
        tally.stub(&tenant, UnixMillis(accepted), -1);
    }
    Ok(())
}

/// Writes a task's row: the whole of it for one that has none, else what changes.
pub(super) fn task(db: &Connection, open: &OpenTask, card: &Card) -> Result<()> {
    let mut put = db.prepare_cached(
        "INSERT INTO tasks (no, rev, status, started, ended, updated, deadline, due, steps_done, steps_total, \
         steps_failed, dispatches, dispatches_max, tokens, tokens_max, cost, cost_max, work, retries, fallbacks, \
         is_near, waits_for, waits_text, waits_since, reason, fingerprint, failed_step, failed_kind, failed_text, \
         failed_at, id, tenant, workflow, revision, key, user, excerpt, parent, accepted) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39) \
         ON CONFLICT (no) DO UPDATE SET rev = ?2, status = ?3, started = ?4, ended = ?5, updated = ?6, deadline = ?7, \
         due = ?8, steps_done = ?9, steps_total = ?10, steps_failed = ?11, dispatches = ?12, dispatches_max = ?13, \
         tokens = ?14, tokens_max = ?15, cost = ?16, cost_max = ?17, work = ?18, retries = ?19, fallbacks = ?20, \
         is_near = ?21, waits_for = ?22, waits_text = ?23, waits_since = ?24, reason = ?25, fingerprint = ?26, \
         failed_step = ?27, failed_kind = ?28, failed_text = ?29, failed_at = ?30, problem = NULL",
    )?;
    let (task, goal, waits) = (&open.task, &open.task.goal, open.waits.as_ref());
    let (limits, failure) = (card.limits, card.failure.as_ref());
    put.execute(params![
        open.no,
        int(task.rev),
        card.status.as_str(),
        card.started.map(ms),
        card.ended.map(ms),
        ms(task.changed_at),
        ms(task.deadline),
        card.due.map(ms),
        card.steps_done,
        card.steps_total,
        card.steps_failed,
        task.dispatches,
        limits.map(|limits| limits.dispatches),
        int(task.usage.tokens),
        limits.map(|limits| int(limits.tokens)),
        int(task.usage.usd_micros),
        limits.map(|limits| int(limits.cost)),
        int(task.usage.work_ms),
        card.retries,
        card.fallbacks,
        card.is_near,
        waits.map(|(what, _)| what),
        card.waits.as_ref().map(|waits| &waits.text),
        waits.map(|(_, since)| int(*since)),
        card.reason.as_ref().map(|reason| brief(reason, REASON_CHARS_MAX)),
        failure.map(|failed| &failed.fingerprint),
        failure.and_then(|failed| failed.step.as_ref()),
        failure.map(|failed| failed.kind),
        failure.map(|failed| &failed.text),
        failure.map(|failed| ms(failed.at)),
        goal.task.as_str(),
        goal.tenant.as_str(),
        goal.workflow.as_str(),
        &*goal.revision,
        goal.key,
        goal.user,
        excerpt(open),
        goal.fork.as_ref().map(|fork| fork.task.as_str()),
        ms(task.accepted_at),
    ])?;
    Ok(())
}

/// What lists show of a goal; only a new row takes it.
fn excerpt(open: &OpenTask) -> String {
    match open.written {
        None => brief(&searched(&open.task.goal), EXCERPT_CHARS_MAX),
        Some(_) => String::new(),
    }
}

/// The texts of a goal that can be searched.
fn searched(goal: &Goal) -> String {
    texts(goal.input.value(), SEARCHED_BYTES_MAX)
}

/// Makes the words of a task's goal searchable.
pub(super) fn words(db: &Connection, no: i64, goal: &Goal) -> Result<()> {
    let mut words = db.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
    words.execute(params![no, format!("{} {} {}", goal.task, goal.key, searched(goal))])?;
    Ok(())
}

/// Writes a step's row.
pub(super) fn step(db: &Connection, no: i64, card: &StepCard<'_>) -> Result<()> {
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO steps (task, step, name, item, role, state, attempts, degraded, started, changed, \
         until, grant_cost, grant_tokens, confidence, note, failure_kind, failure_text, rev) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    let StepCard { id, step, failure, .. } = card;
    put.execute(params![
        no,
        id.to_string(),
        id.name.as_str(),
        id.item,
        step.role.as_ref().map(|role| role.as_str()),
        card.state,
        step.attempt,
        step.degraded.as_ref().map(|why| brief(why, REASON_CHARS_MAX)),
        ms(step.started_at),
        ms(step.changed_at),
        card.until.map(ms),
        int(step.grant.usd_micros),
        int(step.grant.tokens),
        card.confidence,
        card.note.as_ref().map(|note| brief(note, REASON_CHARS_MAX)),
        failure.as_ref().map(|(kind, _)| kind),
        failure.as_ref().map(|(_, text)| brief(text, REASON_CHARS_MAX)),
        int(step.rev),
    ])?;
    Ok(())
}

/// Removes a step's row.
pub(super) fn no_step(db: &Connection, no: i64, step: &StepId) -> Result<()> {
    let mut delete = db.prepare_cached("DELETE FROM steps WHERE task = ?1 AND step = ?2")?;
    delete.execute(params![no, step.to_string()])?;
    Ok(())
}

/// Writes an attempt's row.
pub(super) fn attempt(db: &Connection, no: i64, one: &Attempt) -> Result<()> {
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO attempts (task, step, attempt, role, is_fallback, sent, ended, work, outcome, \
         failure_kind, failure_text, cost, tokens, sent_rev, ended_rev) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    put.execute(params![
        no,
        one.step.to_string(),
        one.number,
        one.role.as_str(),
        one.is_fallback,
        ms(one.sent.0),
        one.ended.map(|(at, _)| ms(at)),
        int(one.usage.work_ms),
        one.outcome,
        one.failure.as_ref().map(|(kind, _)| kind),
        one.failure.as_ref().map(|(_, text)| brief(text, REASON_CHARS_MAX)),
        int(one.usage.usd_micros),
        int(one.usage.tokens),
        int(one.sent.1),
        one.ended.map(|(_, rev)| int(rev)),
    ])?;
    Ok(())
}

/// Writes an event's row.
pub(super) fn event(db: &Connection, no: i64, (item, record): (&LogItem, &Record)) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO events (task, rev, shard, sequence, at, cause, source, decision, reason, text) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        no,
        int(record.rev),
        item.shard,
        int(item.sequence),
        ms(record.at),
        record.cause.kind,
        brief(&record.cause.source, REASON_CHARS_MAX),
        record.decision,
        brief(&record.reason, REASON_CHARS_MAX),
        lines::line(record),
    ])?;
    Ok(())
}

/// Writes what changes about a question of `task`, in `record`.
pub(super) fn question(
    db: &Connection,
    no: i64,
    task: &Task,
    (news, record): (&QuestionNews, &Record),
) -> Result<()> {
    match news {
        QuestionNews::Asked(asked) => ask(db, no, task, (asked, record)),
        QuestionNews::Voted(QuestionId { step, rev }, votes) => {
            let sql = "UPDATE questions SET votes = ?4 WHERE task = ?1 AND step = ?2 AND rev = ?3";
            let votes = serde_json::Value::from(votes.clone()).to_string();
            let params = params![no, step.to_string(), int(*rev), votes];
            db.prepare_cached(sql)?.execute(params).map(drop)
        }
        QuestionNews::Closed { id, state, by } => {
            let mut close = db.prepare_cached(
                "UPDATE questions SET state = ?4, decided = ?5, decided_by = ?6, decision = ?7 \
                 WHERE task = ?1 AND step = ?2 AND rev = ?3 AND state = 'open'",
            )?;
            let (step, decision) = (id.step.to_string(), brief(&record.reason, REASON_CHARS_MAX));
            let params = params![no, step, int(id.rev), state, ms(record.at), by, decision];
            close.execute(params).map(drop)
        }
    }
}

fn ask(db: &Connection, no: i64, task: &Task, (asked, record): (&Asked, &Record)) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO questions (no, task, step, rev, attempt, tenant, workflow, kind, question, content, \
         content_bytes, hash, role, why, asked, expires, when_expired, quorum, four_eyes, editable, votes, state, cost) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, '[]', \
         'open', ?21)",
    )?;
    let (Asked { id, ask, .. }, goal) = (asked, &task.goal);
    let step = id.step.to_string();
    let when_expired = match ask.when_expired {
        WhenExpired::Fail => "fail",
        WhenExpired::Accept => "accept",
    };
    let name = [goal.task.as_str(), &step, &id.rev.to_string()];
    insert.execute(params![
        free(db, "questions", ordinal(record.at, &name), &BTreeSet::new())?,
        no,
        step,
        int(id.rev),
        asked.attempt,
        goal.tenant.as_str(),
        goal.workflow.as_str(),
        ask.kind.as_str(),
        ask.question,
        ask.content.as_ref().map(beginning),
        ask.content.as_ref().map_or(0, |content| int(content.text().len() as u64)),
        asked.hash.to_string(),
        asked.role.as_ref().map(|role| role.as_str()),
        brief(&record.reason, REASON_CHARS_MAX),
        ms(record.at),
        ms(asked.expires),
        when_expired,
        ask.quorum,
        ask.four_eyes,
        ask.editable,
        int(asked.cost),
    ])?;
    Ok(())
}

fn beginning(content: &Payload) -> &str {
    let text = content.text();
    text.get(..text.floor_char_boundary(CONTENT_BYTES_MAX)).unwrap_or_default()
}

/// Under which name something was spent: hour, tenant, workflow, role, model.
pub(super) type SpendKey = (u64, String, String, String, String);

/// Adds to what was spent.
pub(super) fn spend(
    db: &Connection,
    (hour, tenant, workflow, role, model): &SpendKey,
    sums: &Sums,
) -> Result<()> {
    let mut add = db.prepare_cached(
        "INSERT INTO spend (hour, tenant, workflow, role, model, attempts, failures, cost, tokens, work, calls) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO UPDATE SET attempts = attempts + ?6, \
         failures = failures + ?7, cost = cost + ?8, tokens = tokens + ?9, work = work + ?10, calls = calls + ?11",
    )?;
    let Sums { attempts, failures, calls, usage } = sums;
    add.execute(params![
        int(*hour),
        tenant,
        workflow,
        role,
        model,
        int(*attempts),
        int(*failures),
        int(usage.usd_micros),
        int(usage.tokens),
        int(usage.work_ms),
        int(*calls),
    ])?;
    Ok(())
}
