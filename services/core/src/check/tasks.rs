//! The tasks: where each log ends, and the state of those that are open.

use std::{collections::BTreeMap, mem, sync::Arc};

use super::{
    declared::Packs,
    fact::{Place, RecordFact, RecordProblem},
    fold,
    rule::Rule,
    verdict::Findings,
};
use crate::{
    ids::{Partitions, TaskId},
    payload::Hash,
    task::{Event, Record, Task},
    workflow::Workflow,
};

/// One task.
#[derive(Debug)]
pub(super) struct Entry {
    /// Records so far.
    pub(super) rev: u64,
    /// Hash of the last one.
    hash: Hash,
    /// Where the last one stands.
    pub(super) place: Place,
    /// How far it is.
    pub(super) stage: Stage,
}

/// How far a task is.
#[derive(Debug)]
pub(super) enum Stage {
    /// It goes on.
    Open(Box<Live>),
    /// It has ended; its state until the answer was seen.
    Ended(Option<Box<Ended>>),
    /// Its log cannot be understood from some record on, which is said elsewhere.
    Lost,
}

/// An open task.
#[derive(Debug)]
pub(super) struct Live {
    /// Its state, event by event.
    pub(super) task: Task,
    /// Its records, each with its sequence.
    log: Vec<(u64, Record)>,
}

/// An ended task whose answer was not seen yet.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its last state; steps and fan-outs are left out.
    pub(super) task: Task,
    /// Sequence of the input that ended it.
    pub(super) cause: u64,
}

impl Live {
    /// The record that made revision `rev`, and its sequence.
    pub(super) fn record(&self, rev: u64) -> Option<(u64, &Record)> {
        let index = usize::try_from(rev.checked_sub(1)?).ok()?;
        self.log.get(index).map(|(sequence, record)| (*sequence, record))
    }

    fn replays(&self) -> Result<(), String> {
        let read = |_| Task::replay(self.log.iter().map(|(_, record)| record));
        let [one, two] = [(); 2].map(read);
        same_state(&self.task, one.as_ref(), two.as_ref())
    }
}

/// Whether two readings of a log give the state that was followed event by event.
pub(super) fn same_state(
    followed: &Task,
    one: Option<&Task>,
    two: Option<&Task>,
) -> Result<(), String> {
    if Some(followed) == one && one == two {
        return Ok(());
    }
    let hash = |task: Option<&Task>| Hash::of(format!("{task:?}").as_bytes());
    let (followed, one, two) = (hash(Some(followed)), hash(one), hash(two));
    let (followed, one, two) = (followed.short(), one.short(), two.short());
    Err(format!("its states differ: {followed} followed, {one} and {two} read again"))
}

/// Every task by its id.
#[derive(Debug)]
pub(super) struct Tasks {
    partitions: Partitions,
    entries: BTreeMap<TaskId, Entry>,
    /// The pack revisions that tasks are pinned to.
    pub(super) packs: Packs,
}

impl Tasks {
    pub(super) fn new(partitions: Partitions) -> Self {
        Self { partitions, entries: BTreeMap::new(), packs: Packs::default() }
    }

    pub(super) fn get(&self, task: &TaskId) -> Option<&Entry> {
        self.entries.get(task)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&TaskId, &Entry)> {
        self.entries.iter()
    }

    /// Open tasks that are understood.
    pub(super) fn open(&self) -> impl Iterator<Item = (&TaskId, &Entry, &Live)> {
        self.entries.iter().filter_map(|(id, entry)| match &entry.stage {
            Stage::Open(live) => Some((id, entry, live.as_ref())),
            Stage::Ended(_) | Stage::Lost => None,
        })
    }

    /// The end of a task, handed out once: its answer settles it.
    pub(super) fn take_end(&mut self, task: &TaskId) -> Option<Box<Ended>> {
        match &mut self.entries.get_mut(task)?.stage {
            Stage::Ended(end) => end.take(),
            Stage::Open(_) | Stage::Lost => None,
        }
    }

    /// A message of the log that is no record: the chain goes on behind it, the state does not.
    pub(super) fn bad_record(
        &mut self,
        place: Place,
        task: &TaskId,
        (hash, problem): (Hash, &RecordProblem),
        findings: &mut Findings,
    ) {
        let (rule, text) = match problem {
            RecordProblem::Undecodable(why) => (Rule::RecordDecodes, why.clone()),
            RecordProblem::TooNew(version) => {
                (Rule::ReaderVersion, format!("it needs a reader of version {version}"))
            }
            RecordProblem::Document(why) => (Rule::DocumentKept, why.clone()),
        };
        findings.accuse(rule, Some(task), &place, text);
        let rev = self.entries.get(task).map_or(0, |entry| entry.rev) + 1;
        self.entries.insert(task.clone(), Entry { rev, hash, place, stage: Stage::Lost });
    }

    /// The next record of a task.
    pub(super) fn record(&mut self, place: Place, fact: RecordFact, findings: &mut Findings) {
        let before = self.entries.remove(&fact.task);
        let is_whole = follows(before.as_ref(), &place, &fact, findings);
        let (rev, hash, task) = (fact.record.rev, fact.hash, fact.task.clone());
        let stage = match before.map(|entry| entry.stage) {
            _ if !is_whole => Stage::Lost,
            None => self.begin(&place, &fact, findings).map_or(Stage::Lost, Stage::Open),
            Some(Stage::Open(live)) => Stage::Open(live),
            // Whoever wishes something of an ended task is told in its log: that changes nothing.
            Some(Stage::Ended(end)) if is_refusal(&fact) => Stage::Ended(end),
            Some(Stage::Ended(_)) => {
                let text = "the log goes on after the task's end";
                findings.accuse(Rule::LegalFold, Some(&task), &place, text);
                Stage::Lost
            }
            Some(Stage::Lost) => Stage::Lost,
        };
        let stage = match stage {
            Stage::Open(live) => {
                let pack = self.packs.of(&live.task).cloned();
                go_on(live, (&place, pack.as_deref()), fact, findings)
            }
            other @ (Stage::Ended(_) | Stage::Lost) => other,
        };
        self.entries.insert(task, Entry { rev, hash, place, stage });
    }

    /// The task that a first record makes; `None` when it makes none.
    fn begin(
        &mut self,
        place: &Place,
        fact: &RecordFact,
        findings: &mut Findings,
    ) -> Option<Box<Live>> {
        match fold::begin(fact, self.partitions) {
            Ok(task) => {
                if self.packs.misses(&task) {
                    let revision = &task.goal.revision;
                    let text = format!("pack revision {revision} is not there to compare with");
                    findings.note(Some(&fact.task), place, text);
                }
                Some(Box::new(Live { task, log: Vec::new() }))
            }
            Err((rule, text)) => {
                findings.accuse(rule, Some(&fact.task), place, text);
                None
            }
        }
    }

    /// Judges the open tasks as they stand.
    pub(super) fn finish(&self, findings: &mut Findings) {
        for (id, entry, live) in self.open() {
            if let Err(text) = live.replays() {
                findings.accuse(Rule::SameReplay, Some(id), &entry.place, text);
            }
        }
    }
}

fn is_refusal(fact: &RecordFact) -> bool {
    let events = &fact.record.events;
    !events.is_empty() && events.iter().all(|event| matches!(event, Event::Refused { .. }))
}

/// Folds a record into an open task.
fn go_on(
    mut live: Box<Live>,
    (place, pack): (&Place, Option<&Workflow>),
    fact: RecordFact,
    findings: &mut Findings,
) -> Stage {
    let accuse = |findings: &mut Findings, rule, text: String| {
        findings.accuse(rule, Some(&fact.task), place, text);
        Stage::Lost
    };
    if let Err((rule, text)) = fold::go_on(&mut live.task, &fact.record, pack) {
        return accuse(findings, rule, text);
    }
    let cause = fact.record.cause.sequence;
    live.log.push((place.sequence, fact.record));
    if live.task.ended().is_none() {
        return Stage::Open(live);
    }
    if let Err(text) = live.replays() {
        return accuse(findings, Rule::SameReplay, text);
    }
    let mut task = live.task;
    drop((mem::take(&mut task.steps), mem::take(&mut task.fan_outs)));
    Stage::Ended(Some(Box::new(Ended { task, cause })))
}

/// Whether a record follows from the one before it, so that its events can be judged.
fn follows(
    before: Option<&Entry>,
    place: &Place,
    fact: &RecordFact,
    findings: &mut Findings,
) -> bool {
    let (rev, sequence) = before.map_or((0, 0), |entry| (entry.rev, entry.place.sequence));
    let mut accuse = |rule, text: String| findings.accuse(rule, Some(&fact.task), place, text);
    if fact.record.rev != rev + 1 {
        let text = format!("revision {} stands behind revision {rev}", fact.record.rev);
        accuse(Rule::DenseRevisions, text);
        // What follows from the hole is no news.
        return false;
    }
    if fact.prev != before.map(|entry| entry.hash) {
        let named = fact.prev.map_or_else(|| "none".to_owned(), |hash| hash.short());
        let found = before.map_or_else(|| "none".to_owned(), |entry| entry.hash.short());
        let text = format!("it names {named} as the hash of the record before, which has {found}");
        accuse(Rule::HashChain, text);
    }
    if fact.expected != Some(sequence) {
        let named = fact.expected.map_or_else(|| "nothing".to_owned(), |named| named.to_string());
        let text = format!("it expected {named} before it, where {sequence} is");
        accuse(Rule::ExpectedSequence, text);
    }
    true
}

impl Entry {
    /// The same stream as the last record, for something that is missing.
    pub(super) fn nowhere(&self, stream: &str) -> Place {
        Place { stream: Arc::from(stream), sequence: 0, ..self.place.clone() }
    }
}
