//! Folds the log into rows.
//!
//! ```text
//!  batch of records ─► one transaction: rows of tasks, steps, attempts, questions, events, sums ─► commit
//!                      and how far each shard was read
//! ```
//!
//! What a batch comes to is written once, at its end, table by table and in the order of the rows' numbers: a task that
//! begins and ends within a batch costs one row, and pages of the file are filled one after the other.
//!
//! A record counts exactly when it is the next one of its task and follows from the one before. A repeated one
//! changes nothing; where one is missing, or the task's state is not in memory, the task's log is read as a whole.
//! Invariant: after any error everything in memory is thrown away with the projector; the file goes on from its
//! last commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cadre_core::{
    ids::{StepId, TaskId},
    ports::{
        BusError,
        history::{Linked, LogItem, Positions, Unreadable},
    },
    task::{Event, Task},
};
use rusqlite::{Connection, TransactionBehavior};

use super::{
    card::{Card, StepCard},
    lag::ChangedTask,
    money::Sums,
    notes::{Attempt, Notes},
    open::{OpenTask, OpenTasks},
    source::Beside,
    status::Status,
    tally::Tally,
    terms::Terms,
    write::{self, Known, SpendKey, Written},
};

/// What tasks in memory may take: a state is some kilobytes, mostly documents.
const OPEN_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Pack revisions in memory.
const PACKS_MAX: usize = 256;

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;

/// Why a batch was not taken; nothing of it is in the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    #[error("write the read model")]
    Store(#[from] rusqlite::Error),
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// The one writer of the file.
pub(super) struct Projector {
    db: Connection,
    fold: Fold,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Records that counted.
    pub(super) records: u64,
    /// Tasks with news.
    pub(super) changed: Vec<ChangedTask>,
    /// A log could not be read.
    pub(super) is_spoiled: bool,
}

impl Projector {
    pub(super) fn new(db: Connection, beside: Beside) -> Self {
        Self { db, fold: Fold { open: OpenTasks::default(), packs: BTreeMap::new(), beside } }
    }

    /// Takes items in order; all of them or none.
    pub(super) fn take(&mut self, items: &[LogItem]) -> Result<Taken, FoldError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = Batch::default();
        for item in items {
            self.fold.take(&transaction, &mut batch, item)?;
        }
        let taken = self.fold.flush(&transaction, batch)?;
        transaction.commit()?;
        self.fold.open.shrink(OPEN_BYTES_MAX);
        Ok(taken)
    }
}

/// What a batch has to write when all of it was taken.
#[derive(Default)]
struct Batch<'a> {
    records: u64,
    news: BTreeMap<TaskId, News>,
    /// Records with the numbers of their tasks.
    events: Vec<(i64, &'a LogItem)>,
    /// Numbers of tasks that were accepted.
    numbers: BTreeSet<i64>,
    tally: Tally,
    spend: BTreeMap<SpendKey, Sums>,
    positions: Positions,
    spoiled: Vec<(&'a LogItem, Status, String)>,
}

/// What is new of one task.
#[derive(Default)]
struct News {
    attempts: BTreeMap<(StepId, u32), Attempt>,
    steps: BTreeSet<StepId>,
    all_steps: bool,
    gone: Vec<StepId>,
    has_question: bool,
}

/// Everything but the file.
struct Fold {
    open: OpenTasks,
    packs: BTreeMap<Arc<str>, Option<Arc<Terms>>>,
    beside: Beside,
}

impl Fold {
    fn take<'a>(
        &mut self,
        db: &Connection,
        batch: &mut Batch<'a>,
        item: &'a LogItem,
    ) -> Result<(), FoldError> {
        let position = batch.positions.entry(item.shard).or_default();
        *position = item.sequence.max(*position);
        let open = self.open.take(&item.task);
        let known = match &open {
            Some(open) => Some(Known {
                no: open.no,
                rev: open.task.rev,
                waits: open.waits.clone(),
                written: open.written,
            }),
            None => write::known(db, item.task.as_str())?,
        };
        let rev = known.as_ref().map_or(0, |known| known.rev);
        let open = match &item.content {
            Ok(linked) if linked.record.rev <= rev => open,
            Ok(linked) if is_next(rev, open.as_ref(), linked) => {
                if let (Some(stub), None) = (&known, &open) {
                    write::forget(db, stub.no, &mut batch.tally)?;
                }
                let open = self.apply(db, batch, open, (item, linked))?;
                batch.events.push((open.no, item));
                Some(open)
            }
            Ok(_) | Err(_) => {
                if let Some(open) = open.filter(|open| open.written.is_none()) {
                    self.settle(db, batch, open)?;
                }
                let known = write::known(db, item.task.as_str())?;
                self.recall(db, batch, item, known.as_ref())?
            }
        };
        if let Some(open) = open {
            self.open.put(item.task.clone(), open);
        }
        Ok(())
    }

    /// Writes the row of a task that was accepted in this batch before its log is read again: what is read may be less.
    fn settle(
        &mut self,
        db: &Connection,
        batch: &mut Batch<'_>,
        mut open: OpenTask,
    ) -> Result<(), FoldError> {
        let terms = self.terms(&open.task.goal.revision)?;
        write::words(db, open.no, &open.task.goal)?;
        Ok(row(db, &mut open, terms.as_deref(), &mut batch.tally)?)
    }

    /// Reads the log of a task that cannot be gone on with otherwise, and takes what is new in it.
    fn recall<'a>(
        &mut self,
        db: &Connection,
        batch: &mut Batch<'a>,
        item: &'a LogItem,
        known: Option<&Known>,
    ) -> Result<Option<OpenTask>, FoldError> {
        let log = self.beside.log(&item.task)?;
        let known_rev = known.map_or(0, |known| known.rev);
        let mut open: Option<OpenTask> = None;
        for (found, rev) in log.iter().zip(1..) {
            let problem = match &found.content {
                Ok(linked) => gap(rev, open.as_ref(), linked),
                Err(fault) => Some((status_of(fault), format!("record {rev}: {fault}"))),
            };
            let (None, Ok(linked)) = (&problem, &found.content) else {
                if let Some((status, text)) = problem {
                    tracing::warn!(task = %item.task, text, "a log cannot be read");
                    batch.spoiled.push((item, status, text));
                }
                // What was whole of it is written, unless the rows know more.
                return Ok(open.filter(|open| open.task.rev >= known_rev));
            };
            open = if rev > known_rev {
                if let (Some(stub), None) = (known, &open) {
                    write::forget(db, stub.no, &mut batch.tally)?;
                }
                let open = self.apply(db, batch, open, (found, linked))?;
                write::event(db, open.no, (found, &linked.record))?;
                Some(open)
            } else {
                again(open, known, (found, linked))
            };
        }
        let wanted = item.content.as_ref().map_or(0, |linked| linked.record.rev);
        let read = open.as_ref().map_or(0, |open| open.task.rev);
        if read < wanted {
            let text = format!("read of task {}: {read} of {wanted} records came", item.task);
            return Err(BusError::Unavailable(text).into());
        }
        if open.is_none() {
            batch.spoiled.push((item, Status::Quarantined, "nothing of it can be read".to_owned()));
        }
        Ok(open)
    }

    /// Takes a record that is next.
    fn apply(
        &mut self,
        db: &Connection,
        batch: &mut Batch<'_>,
        open: Option<OpenTask>,
        (item, linked): (&LogItem, &Linked),
    ) -> Result<OpenTask, FoldError> {
        let record = &linked.record;
        let mut open = match (open, record.events.first()) {
            (Some(open), _) => open,
            (None, Some(Event::Accepted { goal, deadline })) => {
                let name = (goal.task.as_str(), record.at);
                let no = write::number(db, name, &batch.numbers)?;
                batch.numbers.insert(no);
                let task = Task::accepted(goal, *deadline, record.at);
                OpenTask { no, task, hash: linked.hash, bytes: 0, waits: None, written: None }
            }
            // Looked at before.
            (None, _) => {
                let text = format!("the log of task {} does not begin with a goal", item.task);
                return Err(BusError::Refused(text).into());
            }
        };
        let mut notes = Notes::default();
        for event in &record.events {
            notes.take(&open.task, event, record);
            let news = batch.news.entry(item.task.clone()).or_default();
            news.has_question |= !notes.questions.is_empty();
            for question in notes.questions.drain(..) {
                write::question(db, open.no, &open.task, (&question, record))?;
            }
            open.task.apply(event, record.rev, record.at);
        }
        open.hash = linked.hash;
        open.bytes += item.size_bytes;
        let goal = &open.task.goal;
        let hour = record.at.0 / HOUR_MS * HOUR_MS;
        for ((role, model), sums) in std::mem::take(&mut notes.spend) {
            let key = (hour, goal.tenant.to_string(), goal.workflow.to_string(), role, model);
            let known = batch.spend.entry(key).or_default();
            *known = known.plus(sums);
        }
        batch.records += 1;
        batch.news.entry(item.task.clone()).or_default().add(notes);
        Ok(open)
    }

    fn terms(&mut self, revision: &Arc<str>) -> Result<Option<Arc<Terms>>, FoldError> {
        if let Some(known) = self.packs.get(revision) {
            return Ok(known.clone());
        }
        let terms = self.beside.pack(revision)?.map(|pack| Arc::new(Terms::of(&pack)));
        if self.packs.len() >= PACKS_MAX {
            self.packs.clear();
        }
        self.packs.insert(Arc::clone(revision), terms.clone());
        Ok(terms)
    }

    /// Writes what a batch leaves to its end.
    fn flush(&mut self, db: &Connection, batch: Batch<'_>) -> Result<Taken, FoldError> {
        let mut taken = Taken { records: batch.records, ..Taken::default() };
        let (mut tally, mut changed) = (batch.tally, Vec::new());
        for (id, news) in &batch.news {
            changed.extend(self.open.take(id).map(|open| (open, news)));
        }
        changed.sort_unstable_by_key(|(open, _)| open.no);
        // On their own: the index of words goes to the file whenever a statement of another kind may have to be undone.
        for (open, _) in changed.iter().filter(|(open, _)| open.written.is_none()) {
            write::words(db, open.no, &open.task.goal)?;
        }
        for (open, _) in &mut changed {
            let terms = self.terms(&open.task.goal.revision)?;
            row(db, open, terms.as_deref(), &mut tally)?;
        }
        for (open, news) in &changed {
            steps(db, open, news)?;
        }
        for (open, news) in &changed {
            for attempt in news.attempts.values() {
                write::attempt(db, open.no, attempt)?;
            }
        }
        let mut events = batch.events;
        events.sort_unstable_by_key(|(no, item)| (*no, item.sequence));
        for (no, item) in events {
            let Ok(linked) = &item.content else { continue };
            write::event(db, no, (item, &linked.record))?;
        }
        for (open, news) in changed {
            let (task, tenant) = (open.task.id().clone(), open.task.goal.tenant.clone());
            taken.changed.push(ChangedTask { task, tenant, has_question: news.has_question });
            // An end is final: what comes behind it is rare, and reads the log again.
            if open.task.ended().is_none() {
                self.open.put(open.task.id().clone(), open);
            }
        }
        for (key, sums) in &batch.spend {
            write::spend(db, key, sums)?;
        }
        for (item, status, problem) in batch.spoiled {
            write::spoil(db, item, (status, &problem), &mut tally)?;
            self.open.take(&item.task);
            taken.is_spoiled = true;
        }
        tally.write(db)?;
        let sql = "UPDATE positions SET sequence = max(sequence, ?2) WHERE shard = ?1";
        for (shard, sequence) in batch.positions {
            db.prepare_cached(sql)?.execute((shard, write::int(sequence)))?;
        }
        Ok(taken)
    }
}

impl News {
    fn add(&mut self, notes: Notes) {
        let Notes { attempts, steps, all_steps, gone, .. } = notes;
        let keyed = attempts.into_iter().map(|one| ((one.step.clone(), one.number), one));
        self.attempts.extend(keyed);
        self.steps.extend(steps);
        self.all_steps |= all_steps;
        self.gone.extend(gone);
    }
}

/// Whether a record can be taken without reading the log again.
fn is_next(rev: u64, open: Option<&OpenTask>, linked: &Linked) -> bool {
    let is_at_hand = open.is_some() == (rev > 0);
    is_at_hand && gap(rev + 1, open, linked).is_none()
}

/// What is wrong with a record that should be number `rev`, behind what is `open`.
fn gap(rev: u64, open: Option<&OpenTask>, linked: &Linked) -> Option<(Status, String)> {
    let found = linked.record.rev;
    let wrong = |text: String| Some((Status::Quarantined, text));
    if found != rev {
        return wrong(format!("record {rev} is missing: {found} came instead"));
    }
    if linked.prev != open.map(|open| open.hash) {
        return wrong(format!("record {rev} does not follow from the one before"));
    }
    let is_goal = matches!(linked.record.events.first(), Some(Event::Accepted { .. }));
    if rev == 1 && !is_goal {
        return wrong("it does not begin with a goal".to_owned());
    }
    None
}

fn status_of(fault: &Unreadable) -> Status {
    match fault {
        Unreadable::TooNew(_) => Status::TooNew,
        Unreadable::Damaged(_) => Status::Quarantined,
    }
}

/// Takes a record into a state, of which the rows know already.
fn again(
    open: Option<OpenTask>,
    known: Option<&Known>,
    (item, linked): (&LogItem, &Linked),
) -> Option<OpenTask> {
    let known = known?;
    let (bytes, waits) = (item.size_bytes, known.waits.clone());
    let mut before = open.as_ref().map_or(0, |open| open.bytes);
    before += bytes;
    let mut task = open.map(|open| open.task);
    Task::fold(&mut task, &linked.record);
    let (no, written) = (known.no, known.written);
    Some(OpenTask { no, task: task?, hash: linked.hash, bytes: before, waits, written })
}

/// Writes the row of a task, and counts what it is now.
fn row(
    db: &Connection,
    open: &mut OpenTask,
    terms: Option<&Terms>,
    tally: &mut Tally,
) -> Result<(), rusqlite::Error> {
    let (task, goal) = (&open.task, &open.task.goal);
    let card = Card::of(task, terms);
    open.waits = card.waits.as_ref().map(|waits| {
        let known = open.waits.as_ref().filter(|(what, _)| what == waits.what);
        let since = known.map_or(task.changed_at.0, |(_, since)| *since);
        (waits.what.to_owned(), waits.since.map_or(since, |at| at.0))
    });
    write::task(db, open, &card)?;
    if open.written.is_none() {
        tally.made(goal, task.accepted_at);
    }
    let whose = (goal.tenant.as_str(), goal.workflow.as_str());
    let before = open.written.map(|written| written.status);
    tally.moved(whose, (before, Some(card.status)));
    let was_ended = open.written.is_some_and(|written| written.is_ended);
    if let Some(at) = card.ended.filter(|_| !was_ended) {
        tally.ended(goal, at, (card.status, task.usage.usd_micros));
    }
    open.written = Some(Written { status: card.status, is_ended: card.ended.is_some() });
    Ok(())
}

/// Writes the rows of steps that have changed.
fn steps(db: &Connection, open: &OpenTask, news: &News) -> Result<(), rusqlite::Error> {
    let (no, task) = (open.no, &open.task);
    for step in &news.gone {
        write::no_step(db, no, step)?;
    }
    if news.all_steps {
        for (id, step) in &task.steps {
            write::step(db, no, &StepCard::of(task, id, step))?;
        }
        return Ok(());
    }
    for (id, step) in news.steps.iter().filter_map(|id| task.steps.get_key_value(id)) {
        write::step(db, no, &StepCard::of(task, id, step))?;
    }
    Ok(())
}
