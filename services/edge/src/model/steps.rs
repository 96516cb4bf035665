//! Queries about one task: its steps with all that was tried and asked, and its records in short.

use std::collections::BTreeMap;

use cadre_core::{
    ids::{Name, TaskId},
    task::AGGREGATE,
};
use rusqlite::{Connection, OptionalExtension as _, Result, Row};

use super::{
    columns::Columns,
    filter::PAGE_MAX,
    questions,
    read::{ModelError, ReadModel},
    rows::{AttemptRow, EventRow, QuestionRow, Span, SpanKind, StepRow},
    write::int,
};

/// What a record's row has.
const EVENTS: &str =
    "SELECT rev, shard, sequence, at, cause, source, decision, reason, text FROM events";

impl ReadModel {
    /// Steps of a task in the order in which they began, the gate last; `None` when there is no such task, or it is
    /// another tenant's.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn steps(
        &self,
        tenant: Option<&Name>,
        task: &TaskId,
    ) -> Result<Option<Vec<StepRow>>, ModelError> {
        let (tenant, task) = (tenant.map(Name::to_string), task.to_string());
        self.query(move |db| {
            number(db, &task, tenant.as_deref())?.map(|no| steps(db, no)).transpose()
        })
        .await
    }

    /// Records of a task behind revision `after`, oldest first; `None` when there is no such task, or it is another
    /// tenant's. `limit` is at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn events(
        &self,
        tenant: Option<&Name>,
        task: &TaskId,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<EventRow>>, ModelError> {
        let (tenant, task) = (tenant.map(Name::to_string), task.to_string());
        let limit = limit.clamp(1, PAGE_MAX);
        self.query(move |db| {
            let no = number(db, &task, tenant.as_deref())?;
            no.map(|no| events(db, no, after, limit)).transpose()
        })
        .await
    }
}

impl ReadModel {
    /// The newest record of a task; `None` when there is no such task, or it is another tenant's.
    ///
    /// # Errors
    /// [`ModelError`] when the read model gives no answer.
    pub async fn last_event(
        &self,
        tenant: Option<&Name>,
        task: &TaskId,
    ) -> Result<Option<EventRow>, ModelError> {
        let (tenant, task) = (tenant.map(Name::to_string), task.to_string());
        self.query(move |db| {
            let Some(no) = number(db, &task, tenant.as_deref())? else { return Ok(None) };
            let sql = format!("{EVENTS} WHERE task = ?1 ORDER BY rev DESC LIMIT 1");
            db.prepare_cached(&sql)?.query_row([no], event_row).optional()
        })
        .await
    }
}

/// The number of a task that this tenant may see.
pub(super) fn number(db: &Connection, task: &str, tenant: Option<&str>) -> Result<Option<i64>> {
    let sql = "SELECT no FROM tasks WHERE id = ?1 AND (?2 IS NULL OR tenant = ?2)";
    db.prepare_cached(sql)?.query_row((task, tenant), |row| row.get(0)).optional()
}

fn events(db: &Connection, no: i64, after: u64, limit: u32) -> Result<Vec<EventRow>> {
    let sql = format!("{EVENTS} WHERE task = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3");
    let mut find = db.prepare_cached(&sql)?;
    find.query_map((no, int(after), limit), event_row)?.collect()
}

fn event_row(row: &Row<'_>) -> Result<EventRow> {
    let mut at = Columns::of(row);
    Ok(EventRow {
        rev: at.next()?,
        shard: at.next()?,
        sequence: at.next()?,
        at_ms: at.next()?,
        cause: at.next()?,
        source: at.next()?,
        decision: at.next()?,
        reason: at.next()?,
        text: at.next()?,
    })
}

fn steps(db: &Connection, no: i64) -> Result<Vec<StepRow>> {
    let mut tries: BTreeMap<String, Vec<AttemptRow>> = BTreeMap::new();
    for attempt in attempts(db, no)? {
        tries.entry(attempt.step.clone()).or_default().push(attempt);
    }
    let mut asked: BTreeMap<String, Vec<QuestionRow>> = BTreeMap::new();
    for question in questions::of_task(db, no)? {
        asked.entry(question.step.clone()).or_default().push(question);
    }
    let mut find = db.prepare_cached(
        "SELECT step, name, item, role, state, attempts, degraded, started, changed, until, grant_cost, \
         grant_tokens, confidence, note, failure_kind, failure_text, rev FROM steps WHERE task = ?1",
    )?;
    let mut steps: Vec<StepRow> = find.query_map([no], step_row)?.collect::<Result<_>>()?;
    for step in &mut steps {
        step.tries = tries.remove(&step.step).unwrap_or_default();
        step.questions = asked.remove(&step.step).unwrap_or_default();
        add_up(step);
    }
    steps.sort_by(|one, other| {
        let place = |step: &StepRow| (step.name == AGGREGATE, step.started_at_ms);
        place(one)
            .cmp(&place(other))
            .then_with(|| (&one.name, one.item).cmp(&(&other.name, other.item)))
    });
    Ok(steps)
}

fn step_row(row: &Row<'_>) -> Result<StepRow> {
    let mut at = Columns::of(row);
    let mut step = StepRow {
        step: at.next()?,
        name: at.next()?,
        item: at.next()?,
        role: at.next()?,
        state: at.next()?,
        attempts: at.next()?,
        degraded: at.next()?,
        started_at_ms: at.next()?,
        changed_at_ms: at.next()?,
        ended_at_ms: None,
        until_ms: at.next()?,
        queued_ms: 0,
        running_ms: 0,
        asked_ms: 0,
        grant_micros: at.next()?,
        grant_tokens: at.next()?,
        cost_micros: 0,
        tokens: 0,
        confidence: at.next()?,
        note: at.next()?,
        failure_kind: at.next()?,
        failure_text: at.next()?,
        rev: at.next()?,
        tries: Vec::new(),
        questions: Vec::new(),
        spans: Vec::new(),
    };
    let is_open = matches!(step.state.as_str(), "dispatched" | "delayed" | "waiting");
    step.ended_at_ms = (!is_open).then_some(step.changed_at_ms);
    Ok(step)
}

fn attempts(db: &Connection, no: i64) -> Result<Vec<AttemptRow>> {
    let mut find = db.prepare_cached(
        "SELECT step, attempt, role, is_fallback, sent, ended, work, outcome, failure_kind, failure_text, cost, \
         tokens, sent_rev, ended_rev FROM attempts WHERE task = ?1 ORDER BY step, attempt",
    )?;
    find.query_map([no], |row| {
        let mut at = Columns::of(row);
        Ok(AttemptRow {
            step: at.next()?,
            attempt: at.next()?,
            role: at.next()?,
            is_fallback: at.next()?,
            sent_at_ms: at.next()?,
            ended_at_ms: at.next()?,
            work_ms: at.next()?,
            outcome: at.next()?,
            failure_kind: at.next()?,
            failure_text: at.next()?,
            cost_micros: at.next()?,
            tokens: at.next()?,
            sent_rev: at.next()?,
            ended_rev: at.next()?,
        })
    })?
    .collect()
}

/// Fills in the sums of a step, and where its time went.
fn add_up(step: &mut StepRow) {
    let mut spans = Vec::new();
    for attempt in &step.tries {
        step.cost_micros += attempt.cost_micros;
        step.tokens += attempt.tokens;
        let (kind, number) = (SpanKind::Out, attempt.attempt);
        let Some(ended) = attempt.ended_at_ms else {
            let from_ms = attempt.sent_at_ms;
            spans.push(Span { kind, from_ms, until_ms: None, attempt: number });
            continue;
        };
        // The worker tells how long it worked, not when it began: it ended with its report.
        let all = ended.saturating_sub(attempt.sent_at_ms);
        let running = attempt.work_ms.min(all);
        let began = ended - running;
        step.running_ms += running;
        step.queued_ms += all - running;
        for (kind, from_ms, until) in
            [(SpanKind::Queue, attempt.sent_at_ms, began), (SpanKind::Run, began, ended)]
        {
            spans.push(Span { kind, from_ms, until_ms: Some(until), attempt: number });
        }
    }
    for question in &step.questions {
        let (from_ms, until_ms) = (question.asked_at_ms, question.decided_at_ms);
        step.asked_ms += until_ms.unwrap_or(from_ms).saturating_sub(from_ms);
        spans.push(Span { kind: SpanKind::Person, from_ms, until_ms, attempt: question.attempt });
    }
    spans.retain(|span| span.until_ms.is_none_or(|until| until > span.from_ms));
    spans.sort_by_key(|span| span.from_ms);
    step.spans = with_delays(spans, step);
}

/// What lies between two attempts, and behind the last one of a step that waits for its time.
fn with_delays(spans: Vec<Span>, step: &StepRow) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        let before = all.last().and_then(|last| Some((last.until_ms?, last.attempt)));
        if let Some((from_ms, attempt)) = before.filter(|(ended, _)| *ended < span.from_ms) {
            let until_ms = Some(span.from_ms);
            all.push(Span { kind: SpanKind::Delay, from_ms, until_ms, attempt });
        }
        all.push(span);
    }
    if step.state == "delayed" {
        let from_ms = step.changed_at_ms;
        let attempt = step.attempts;
        all.push(Span { kind: SpanKind::Delay, from_ms, until_ms: None, attempt });
    }
    all
}
