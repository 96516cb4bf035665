//! The journals of steps: nothing happens twice, nothing is forgotten, and what was spent is told.
//!
//! They are read before the logs: an attempt that had ended before the first look has its whole journal
//! here, and what began later is not judged by it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fact::{JournalFact, Place, RecordFact},
    rule::Rule,
    tasks::{Stage, Tasks},
    verdict::Findings,
};
use crate::{
    ids::{Name, StepId, TaskId},
    journal::{CallOutcome, Entry, Fact as Noted, History, HistoryError, JournalId},
    task::{AskKind, Event, FailureKind, Usage},
    workflow::Grant,
};

/// Every journal, by step and role.
#[derive(Debug, Default)]
pub(super) struct Journals(BTreeMap<(TaskId, StepId), BTreeMap<Name, Journal>>);

#[derive(Debug)]
struct Journal {
    place: Place,
    history: History,
    /// Attempts that claimed it.
    attempts: BTreeSet<u32>,
    /// It cannot be followed from some entry on, which is said elsewhere.
    is_lost: bool,
}

/// The end of an attempt, as its worker has reported it.
struct Reported<'a> {
    step: &'a StepId,
    usage: Usage,
    /// Nobody claims to know what the attempt has done.
    is_unknown: bool,
}

impl Journals {
    /// Takes the next entry of a journal.
    pub(super) fn take(&mut self, place: &Place, fact: JournalFact, findings: &mut Findings) {
        let JournalFact { id, expected, entry } = fact;
        let JournalId { role, task, step } = id;
        let journals = self.0.entry((task.clone(), step.clone())).or_default();
        let last = journals.get(&role).map_or(0, |journal| journal.place.sequence);
        let journal = journals.entry(role).or_insert_with(|| Journal {
            place: place.clone(),
            history: History::default(),
            attempts: BTreeSet::new(),
            is_lost: false,
        });
        journal.place = place.clone();
        if journal.is_lost {
            return;
        }
        let broken = match entry {
            Err(why) => Err((Rule::JournalWhole, format!("the journal of step {step}: {why}"))),
            Ok(entry) if last == 0 && entry.rev > 1 => {
                let text = format!("the journal of step {step} has lost its beginning");
                findings.note(Some(&task), place, text);
                journal.is_lost = true;
                return;
            }
            Ok(_) if expected != Some(last) => {
                let text = format!("an entry of step {step} was appended without the right guard");
                Err((Rule::JournalWhole, text))
            }
            Ok(entry) => journal.fold(&entry, &step),
        };
        if let Err((rule, text)) = broken {
            journal.is_lost = true;
            findings.accuse(rule, Some(&task), place, text);
        }
    }

    /// Compares a record with the journals; `tasks` stand before it.
    pub(super) fn record(
        &self,
        (place, fact): (&Place, &RecordFact),
        tasks: &Tasks,
        is_settled: bool,
        findings: &mut Findings,
    ) {
        if self.0.is_empty() {
            return;
        }
        self.grants(fact, findings);
        if is_settled && let Some(reported) = told(fact, tasks) {
            self.compare((place, &fact.task), &reported, tasks, findings);
        }
    }

    /// What each new attempt is granted covers what its journal says that it has used.
    fn grants(&self, fact: &RecordFact, findings: &mut Findings) {
        for event in &fact.record.events {
            if let Event::StepDispatched { step, attempt, role, grant, .. } = event
                && let Some(journal) = self.get(&fact.task, step, role)
            {
                let used = journal.history.ledger(*attempt, *grant).used();
                if used.usd_micros > grant.usd_micros || used.tokens > grant.tokens {
                    let text = format!(
                        "attempt {attempt} at step {step} has spent {}, of {}",
                        shown(used),
                        shown(*grant)
                    );
                    findings.accuse(Rule::JournalSpending, Some(&fact.task), &journal.place, text);
                }
            }
        }
    }

    /// Compares what a worker reported with what it noted.
    fn compare(
        &self,
        (place, task): (&Place, &TaskId),
        reported: &Reported<'_>,
        tasks: &Tasks,
        findings: &mut Findings,
    ) {
        let Reported { step, usage, is_unknown } = reported;
        let Some(Stage::Open(live)) = tasks.get(task).map(|entry| &entry.stage) else { return };
        let Some(state) = live.task.steps.get(step) else { return };
        let Some(journal) = state.role.as_ref().and_then(|role| self.get(task, step, role)) else {
            return;
        };
        let attempt = state.attempt;
        let unknown = journal.history.unknown();
        let mut unknown = unknown.filter(|(_, call)| call.begun.attempt <= attempt);
        if let Some((number, _)) = unknown.next().filter(|_| !is_unknown) {
            let text = format!(
                "nobody knows whether call {number} of step {step} happened, and attempt {attempt} \
                 does not say so"
            );
            findings.accuse(Rule::EffectKnown, Some(task), place, text);
        }
        let used = journal.history.ledger(attempt, Grant::default()).used();
        let told = Grant { usd_micros: usage.usd_micros, tokens: usage.tokens };
        let is_unheard = journal.history.used_unheard(attempt) == Some(told);
        if journal.attempts.contains(&attempt) && used != told && !is_unheard {
            let text = format!(
                "attempt {attempt} at step {step} reports {} and its journal says {}",
                shown(told),
                shown(used)
            );
            findings.accuse(Rule::JournalSpending, Some(task), place, text);
        }
    }

    /// Judges what only all journals of a step together can tell.
    pub(super) fn finish(&self, findings: &mut Findings) {
        for ((task, step), journals) in &self.0 {
            let mut done: BTreeMap<u32, &Name> = BTreeMap::new();
            for (role, journal) in journals {
                for number in journal.happened() {
                    let Some(other) = done.insert(number, role) else { continue };
                    let text =
                        format!("call {number} of step {step} happened by {other} and by {role}");
                    findings.accuse(Rule::EffectOnce, Some(task), &journal.place, text);
                }
            }
        }
    }

    fn get(&self, task: &TaskId, step: &StepId, role: &Name) -> Option<&Journal> {
        let journal = self.0.get(&(task.clone(), step.clone()))?.get(role)?;
        (!journal.is_lost).then_some(journal)
    }
}

impl Journal {
    fn fold(&mut self, entry: &Entry, step: &StepId) -> Result<(), (Rule, String)> {
        self.history.apply(entry).map_err(|error| {
            let rule = match &error {
                HistoryError::Repeated(_) => Rule::EffectOnce,
                HistoryError::Gap { .. }
                | HistoryError::Unclaimed(_)
                | HistoryError::WentBack { .. }
                | HistoryError::Skipped(_)
                | HistoryError::Changed(_)
                | HistoryError::NotOut(_) => Rule::JournalWhole,
            };
            (rule, format!("the journal of step {step}: {error}"))
        })?;
        if let Noted::Claimed(claim) = &entry.fact {
            self.attempts.insert(claim.attempt);
        }
        Ok(())
    }

    /// Calls that happened and must not happen twice.
    fn happened(&self) -> impl Iterator<Item = u32> {
        let done = self.history.calls().filter(|(_, call)| {
            let outcome = call.ended.as_ref().map(|ended| &ended.outcome);
            !call.intent.is_idempotent && matches!(outcome, Some(CallOutcome::Done(_)))
        });
        done.map(|(number, _)| number)
    }
}

/// How the attempt ended whose report is the record's cause: its step's first event. Other steps, and later
/// events of this one, end by what follows from it.
fn told<'a>(fact: &'a RecordFact, tasks: &Tasks) -> Option<Reported<'a>> {
    let Some(Stage::Open(live)) = tasks.get(&fact.task).map(|entry| &entry.stage) else {
        return None;
    };
    fact.record.events.iter().filter_map(reported).find(|reported| {
        let step = live.task.steps.get(reported.step);
        step.is_some_and(|step| fact.record.cause.is_report_of(reported.step, step.attempt))
    })
}

fn reported(event: &Event) -> Option<Reported<'_>> {
    match event {
        Event::StepCompleted { step, usage, .. } => {
            Some(Reported { step, usage: *usage, is_unknown: false })
        }
        Event::StepWaiting { step, ask, usage } => {
            let is_unknown = ask.kind == AskKind::Doubt;
            Some(Reported { step, usage: *usage, is_unknown })
        }
        Event::StepFailed { step, failure, usage }
        | Event::StepDelayed { step, failure: Some(failure), usage, .. } => {
            // Of a report that nobody could read the cost is not known either.
            if failure.kind == FailureKind::Undecodable {
                return None;
            }
            let is_unknown = failure.kind.is_outcome_unknown();
            Some(Reported { step, usage: *usage, is_unknown })
        }
        Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::StepDispatched { .. }
        | Event::StepDelayed { failure: None, .. }
        | Event::StepSkipped { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Refused { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Ended { .. } => None,
    }
}

fn shown(grant: Grant) -> String {
    format!("{} micro-USD and {} tokens", grant.usd_micros, grant.tokens)
}
