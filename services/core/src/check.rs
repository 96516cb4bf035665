//! What must hold of the streams, whatever happened: rules over facts, without any other knowledge.
//!
//! ```text
//!  goals ─ inputs ─ orders ─ timers ─ inputs ─ timers ─ journals ─► log and answers, in order of time ─► verdict
//!  └──────────────── what is on its way: the evidence ───────────┘  └── what was decided, and told ──┘
//! ```
//!
//! Whoever reads the streams gives each message as a [`Fact`] to a [`Checker`], in the order above:
//! then nothing that moves while it is read can look like a loss. A record that was settled before
//! the first look and is open after the last one must have left a trace in between: its debts are
//! paid before its input is acknowledged, a report is stored before its order is, and the next
//! record before the report. One group of rules is one file; [`Rule`] names them all.
//!
//! Memory: what is open is kept whole. Of an ended task some 150 bytes stay, of each record 48.

mod answers;
mod chain;
mod crew;
mod debts;
mod declared;
mod fact;
mod fold;
mod gate;
mod goals;
mod journals;
mod letters;
mod rule;
mod saga;
mod tasks;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;

use crate::ids::{Partitions, TaskId};
#[cfg(test)]
use crate::{
    task::{Record, Task},
    workflow::Workflow,
};

use self::{
    answers::Answers, chain::Chain, debts::Evidence, goals::Goals, journals::Journals,
    tasks::Tasks, verdict::Findings,
};
pub use self::{
    fact::{
        AnswerFact, Attempt, Content, Fact, InputKind, JournalFact, LetterFact, OrderFact, Place,
        RecordFact, RecordProblem,
    },
    rule::Rule,
    verdict::{Counts, Note, Verdict, Violation},
};

/// What a check is told beside the streams.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Of the deployment: they say where a task lives.
    pub partitions: Partitions,
    /// Nothing is going on any more: whatever is still open is a violation.
    pub is_quiescent: bool,
    /// Tasks whose goals the broker has confirmed, with what to call them; empty when nobody kept a list.
    pub acknowledged: BTreeMap<TaskId, String>,
}

/// Judges one reading of all streams.
#[derive(Debug)]
pub struct Checker {
    options: CheckOptions,
    findings: Findings,
    counts: Counts,
    chain: Chain,
    tasks: Tasks,
    evidence: Evidence,
    answers: Answers,
    goals: Goals,
    journals: Journals,
}

impl Checker {
    /// A checker that has seen nothing.
    #[must_use]
    pub fn new(options: CheckOptions) -> Self {
        Self {
            tasks: Tasks::new(options.partitions),
            options,
            findings: Findings::default(),
            counts: Counts::default(),
            chain: Chain::default(),
            evidence: Evidence::default(),
            answers: Answers::default(),
            goals: Goals::default(),
            journals: Journals::default(),
        }
    }

    /// Takes one fact; see the module for their order.
    pub fn take(&mut self, fact: Fact) {
        let Fact { place, content } = fact;
        match content {
            Content::Settled => self.chain.settle(&place),
            Content::LogEnd => self.chain.end(&place, &mut self.findings),
            Content::AnswersSince => self.answers.since = place.at,
            Content::Pack(pack) => self.tasks.packs.keep(pack),
            Content::Goal { task } => {
                self.counts.goals_waiting += 1;
                self.goals.waits(place, task);
            }
            Content::Input { task, kind } => {
                if matches!(kind, InputKind::Goal) {
                    self.goals.waits(place.clone(), Some(task.clone()));
                }
                self.evidence.input(place, task, kind);
            }
            Content::Order(order) => {
                self.counts.orders_waiting += 1;
                self.evidence.order(place, order, &mut self.findings);
            }
            Content::Timer { task, wake_at } => self.evidence.timer(place, task, wake_at),
            Content::Due { task } => self.evidence.due(task),
            Content::Answer(answer) => {
                self.counts.answers += 1;
                self.answers.take(place, *answer, &mut self.tasks, &mut self.findings);
            }
            Content::Journal(entry) => self.journals.take(&place, *entry, &mut self.findings),
            Content::Letter(letter) => self.letter(&place, *letter),
            Content::Record(record) => self.record(place, *record),
            Content::BadRecord { task, hash, problem } => {
                self.counts.records += 1;
                self.chain.saw(&place, &mut self.findings);
                self.tasks.bad_record(place, &task, (hash, &problem), &mut self.findings);
            }
            Content::Foreign { subject, is_log } => {
                if is_log {
                    self.chain.saw(&place, &mut self.findings);
                }
                self.findings.note(None, &place, format!("{subject} is no subject of ours"));
            }
        }
    }

    fn record(&mut self, place: Place, fact: RecordFact) {
        self.counts.records += 1;
        self.chain.saw(&place, &mut self.findings);
        self.chain.txn(&place, &fact, &mut self.findings);
        self.evidence.justify(&fact, &mut self.findings);
        self.counts.orders += fact.orders().count() as u64;
        let is_settled = self.chain.is_settled(&place);
        self.journals.record((&place, &fact), &self.tasks, is_settled, &mut self.findings);
        let task = fact.task.clone();
        self.tasks.record(place, fact, &mut self.findings);
        self.answers.settle(&task, &mut self.tasks, &mut self.findings);
    }

    fn letter(&mut self, place: &Place, letter: LetterFact) {
        self.counts.letters += 1;
        self.chain.saw(place, &mut self.findings);
        letters::check(place, &letter, &mut self.findings);
        self.goals.buried(&letter);
        self.evidence.buried(letter);
    }

    /// Judges what only the end of the reading can tell.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        let findings = &mut self.findings;
        self.chain.finish(findings);
        self.tasks.finish(findings);
        debts::finish(&self.evidence, &self.tasks, &self.chain, findings);
        answers::finish(&self.answers, (&self.tasks, &self.evidence, &self.chain), findings);
        self.journals.finish(findings);
        goals::finish(&self.goals, &self.tasks, &self.options, findings);
        self.counts.tasks = self.tasks.all().count() as u64;
        self.counts.open = self.tasks.open().count() as u64;
        self.counts.inputs_waiting = self.evidence.inputs_waiting();
        self.findings.verdict(self.counts)
    }
}

/// What the rules of the fold say of one whole log: for the tests of whoever decides.
#[cfg(test)]
pub(crate) fn judge(records: &[Record], pack: &Workflow) -> Result<(), String> {
    let Some(first) = records.first() else { return Ok(()) };
    let accepted = first.events.iter().take(1).cloned().collect();
    let accepted = Record { events: accepted, ..first.clone() };
    let mut task = Task::replay([&accepted]).ok_or("it does not begin with a goal")?;
    records.iter().try_for_each(|record| {
        let judged = fold::go_on(&mut task, record, Some(pack));
        judged.map_err(|(rule, text)| format!("record {}: {rule}: {text}", record.rev))
    })
}
