//! The debts: whatever is on its way was decided, and whatever was decided is on its way.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    chain::Chain,
    fact::{Attempt, InputKind, LetterFact, OrderFact, Place, RecordFact},
    rule::Rule,
    tasks::{Entry, Live, Stage, Tasks},
    verdict::Findings,
};
use crate::{
    ids::TaskId,
    task::{Record, StepState},
    time::UnixMillis,
};

/// A message that must have a record.
#[derive(Debug)]
struct Claim {
    place: Place,
    /// Of an order; `None` for a report.
    deadline: Option<UnixMillis>,
    is_justified: bool,
}

/// What is on its way.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    orders: BTreeMap<Attempt, Claim>,
    reports: BTreeMap<Attempt, Claim>,
    /// Orders that nobody could read.
    buried: BTreeSet<Attempt>,
    /// Inputs by shard and sequence.
    inputs: BTreeSet<(u16, u64)>,
    /// Timers that are set.
    timers: BTreeMap<TaskId, (Place, Option<UnixMillis>)>,
    /// Tasks that somebody will look at, because of an input or a timer that fired.
    called: BTreeSet<TaskId>,
}

impl Evidence {
    pub(super) fn order(&mut self, place: Place, order: OrderFact, findings: &mut Findings) {
        let OrderFact { attempt, deadline } = order;
        let deadline = match deadline {
            Ok(deadline) => Some(deadline),
            Err(why) => {
                let text = format!("the order of step {} cannot be read: {why}", attempt.step);
                findings.accuse(Rule::OrderFromRecord, Some(&attempt.task), &place, text);
                None
            }
        };
        self.orders.insert(attempt, Claim { place, deadline, is_justified: false });
    }

    pub(super) fn input(&mut self, place: Place, task: TaskId, kind: InputKind) {
        self.inputs.insert((place.shard, place.sequence));
        self.called.insert(task);
        if let InputKind::Report(attempt) = kind {
            let claim = Claim { place, deadline: None, is_justified: false };
            self.reports.insert(attempt, claim);
        }
    }

    pub(super) fn timer(&mut self, place: Place, task: TaskId, wake_at: Option<UnixMillis>) {
        self.timers.insert(task, (place, wake_at));
    }

    pub(super) fn due(&mut self, task: TaskId) {
        self.called.insert(task);
    }

    pub(super) fn buried(&mut self, letter: LetterFact) {
        self.buried.extend(letter.order);
    }

    pub(super) fn inputs_waiting(&self) -> u64 {
        self.inputs.len() as u64
    }

    /// Takes a record that may have decided what is on its way.
    pub(super) fn justify(&mut self, fact: &RecordFact, findings: &mut Findings) {
        for (attempt, deadline) in fact.orders() {
            if let Some(report) = self.reports.get_mut(&attempt) {
                report.is_justified = true;
            }
            let Some(order) = self.orders.get_mut(&attempt) else { continue };
            order.is_justified = true;
            if let Some(other) = order.deadline.filter(|other| *other != deadline) {
                let text = format!(
                    "the order of step {} has the deadline {other}, its record {deadline}",
                    attempt.step
                );
                findings.accuse(Rule::OrderFromRecord, Some(&attempt.task), &order.place, text);
            }
        }
    }

    /// Whether the input that caused a record is not acknowledged: its debts may be unpaid.
    pub(super) fn is_unsettled(&self, shard: u16, cause: u64) -> bool {
        self.inputs.contains(&(shard, cause))
    }

    /// Whether somebody will look at the task by itself, and pay what it owes.
    pub(super) fn will_wake(&self, task: &TaskId) -> bool {
        self.called.contains(task) || self.timers.contains_key(task)
    }

    fn is_paid(&self, attempt: &Attempt) -> bool {
        self.orders.contains_key(attempt)
            || self.reports.contains_key(attempt)
            || self.buried.contains(attempt)
    }
}

/// Judges what is on its way, and what should be.
pub(super) fn finish(evidence: &Evidence, tasks: &Tasks, chain: &Chain, findings: &mut Findings) {
    claims(&evidence.orders, tasks, (Rule::OrderFromRecord, "order"), findings);
    claims(&evidence.reports, tasks, (Rule::ReportFromOrder, "report"), findings);
    for (task, (place, _)) in &evidence.timers {
        match tasks.get(task).map(|entry| &entry.stage) {
            None => {
                let text = "there is a timer and no log";
                findings.accuse(Rule::TimerFromRecord, Some(task), place, text);
            }
            // To remove it is best effort; it will mean nothing.
            Some(Stage::Ended(_)) => {
                findings.note(Some(task), place, "the ended task still has a timer");
            }
            Some(Stage::Open(_) | Stage::Lost) => {}
        }
    }
    for (id, entry, live) in tasks.open() {
        orders(evidence, chain, (id, entry, live), findings);
        timer(evidence, chain, (id, entry, live), findings);
    }
}

fn claims(
    claims: &BTreeMap<Attempt, Claim>,
    tasks: &Tasks,
    (rule, what): (Rule, &str),
    findings: &mut Findings,
) {
    for (attempt, claim) in claims.iter().filter(|(_, claim)| !claim.is_justified) {
        let Attempt { task, step, number, role } = attempt;
        if tasks.get(task).is_some_and(|entry| matches!(entry.stage, Stage::Lost)) {
            continue;
        }
        let text = format!(
            "no record dispatches attempt {number} at step {step} by role {role}, which this {what} is for"
        );
        findings.accuse(rule, Some(task), &claim.place, text);
    }
}

fn orders(
    evidence: &Evidence,
    chain: &Chain,
    (id, entry, live): (&TaskId, &Entry, &Live),
    findings: &mut Findings,
) {
    for (step, known) in &live.task.steps {
        let StepState::Dispatched { .. } = known.state else { continue };
        let (Some((sequence, record)), Some(role)) = (live.record(known.rev), &known.role) else {
            continue;
        };
        let (number, role) = (known.attempt, role.clone());
        let attempt = Attempt { task: id.clone(), step: step.clone(), number, role };
        let place = Place { sequence, ..entry.place.clone() };
        if evidence.is_paid(&attempt) || !is_due(evidence, chain, &place, record) {
            continue;
        }
        // Nobody holds an input for such a record: the next look at the task pays it.
        if record.cause.kind == "advance" && evidence.will_wake(id) {
            findings.note(Some(id), &place, format!("the order of step {step} is not out yet"));
            continue;
        }
        let text = format!(
            "step {step} waits for role {} and there is no order, no report and no dead letter",
            attempt.role
        );
        findings.accuse(Rule::OrderPaid, Some(id), &place, text);
    }
}

fn timer(
    evidence: &Evidence,
    chain: &Chain,
    (id, entry, live): (&TaskId, &Entry, &Live),
    findings: &mut Findings,
) {
    let Some((_, record)) = live.record(entry.rev) else { return };
    let Some(wake_at) = live.task.wake_at() else { return };
    if evidence.called.contains(id) || !is_due(evidence, chain, &entry.place, record) {
        return;
    }
    let text = match evidence.timers.get(id) {
        None => format!("nothing will wake the task, which is due at {wake_at}"),
        Some((_, Some(set))) if *set > wake_at => {
            format!("its timer is set to {set} and it is due at {wake_at}")
        }
        Some((_, Some(_) | None)) => return,
    };
    findings.accuse(Rule::TimerPaid, Some(id), &entry.place, text);
}

/// Whether the debts of a record must be paid by now.
fn is_due(evidence: &Evidence, chain: &Chain, place: &Place, record: &Record) -> bool {
    chain.is_settled(place) && !evidence.is_unsettled(place.shard, record.cause.sequence)
}
