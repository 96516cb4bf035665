//! What is known of a run so far: calls that workers tell of, records that the log holds, and how
//! long it took until what a fault met had gone on: by the times in the log, which are the broker's. Whoever needs to wait for something watches it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cadre_core::{
    ids::{StepId, TaskId},
    task::{AGGREGATE, EndStatus, Event, FailureKind, Record},
    time::UnixMillis,
};

use super::call::{Call, CallKind};
use crate::output::text::{count, span};

/// The step that a person does.
pub(super) const APPROVAL: &str = "approve";

/// Characters of a task id that people need.
const TASK_CHARS: usize = 6;

/// A step of a task.
pub(super) type Work = (TaskId, StepId);

/// Something to tell the person who watches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) word: &'static str,
    pub(super) text: String,
}

/// Counts of a whole run.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) accepted: usize,
    pub(super) ended: BTreeMap<&'static str, usize>,
    pub(super) calls_begun: usize,
    pub(super) calls_made: usize,
    pub(super) calls_refused: usize,
    pub(super) redelivered: usize,
    /// Results that the log holds, by roles.
    pub(super) results: usize,
    /// Of these, by the fallback.
    pub(super) degraded: usize,
    pub(super) retried: usize,
    pub(super) granted: usize,
    pub(super) expired: usize,
}

/// What a fault has met and has not gone on yet.
#[derive(Debug)]
struct Wound {
    fault: &'static str,
    since: UnixMillis,
    open: BTreeSet<Work>,
    done: usize,
}

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) counts: Counts,
    /// From each fault until what it had met went on.
    pub(super) recoveries: BTreeMap<&'static str, Vec<Duration>>,
    /// Who makes which call right now.
    held: BTreeMap<Work, String>,
    wounds: Vec<Wound>,
    broker_gone: Option<UnixMillis>,
    /// Steps that the fallback does.
    spare: BTreeSet<Work>,
    has_fallen_back: bool,
    /// Since when the role that was broken works again.
    role_mended: Option<UnixMillis>,
    pub(super) is_breaker_open: bool,
}

impl Book {
    /// What `worker` holds right now.
    pub(super) fn held_by(&self, worker: &str) -> BTreeSet<Work> {
        let held = self.held.iter().filter(|(_, holder)| *holder == worker);
        held.map(|(work, _)| work.clone()).collect()
    }

    /// A fault met this work; how long it takes to go on is a recovery.
    pub(super) fn wound(&mut self, fault: &'static str, since: UnixMillis, open: BTreeSet<Work>) {
        self.wounds.push(Wound { fault, since, open, done: 0 });
    }

    /// The broker is gone since then; the next record says that all goes on.
    pub(super) fn broker_gone(&mut self, since: UnixMillis) {
        self.broker_gone = Some(since);
    }

    /// The fallback's next turn is told again.
    pub(super) fn role_broken(&mut self) {
        self.has_fallen_back = false;
    }

    /// The role works again; its breaker has to find that out.
    pub(super) fn role_mended(&mut self, since: UnixMillis) {
        self.role_mended = self.is_breaker_open.then_some(since);
    }

    /// The breaker lets calls through again.
    pub(super) fn breaker_closed(&mut self, at: UnixMillis) {
        self.is_breaker_open = false;
        if let Some(since) = self.role_mended.take() {
            self.recovered("role mended, until its breaker closed", at.since(since));
        }
    }

    /// Notes how long something took to recover.
    pub(super) fn recovered(&mut self, fault: &'static str, took: Duration) {
        self.recoveries.entry(fault).or_default().push(took);
    }

    /// Whether nothing that a fault met is still open.
    pub(super) fn is_healed(&self) -> bool {
        self.wounds.is_empty() && self.broker_gone.is_none()
    }

    /// Tasks that have ended.
    pub(super) fn ended(&self) -> usize {
        self.counts.ended.values().sum()
    }

    /// Notes what a worker tells.
    pub(super) fn call(&mut self, worker: &str, call: Call) -> Option<Told> {
        let Call { kind, task, step, deliveries, .. } = call;
        let counts = &mut self.counts;
        match kind {
            CallKind::Begun => {
                counts.calls_begun += 1;
                let text = format!("{step} of {} came again, to {worker}", short(&task));
                self.held.insert((task, step), worker.to_owned());
                if deliveries < 2 {
                    return None;
                }
                self.counts.redelivered += 1;
                Some(Told { word: "again", text })
            }
            CallKind::Made | CallKind::Refused => {
                match kind {
                    CallKind::Refused => counts.calls_refused += 1,
                    CallKind::Made | CallKind::Begun => counts.calls_made += 1,
                }
                let work = (task, step);
                if self.held.get(&work).is_some_and(|holder| holder == worker) {
                    self.held.remove(&work);
                }
                None
            }
        }
    }

    /// Notes what a record of the log says.
    pub(super) fn record(&mut self, task: &TaskId, record: &Record) -> Vec<Told> {
        let mut told = Vec::new();
        if let Some(since) = self.broker_gone.take_if(|since| record.at > *since) {
            let took = record.at.since(since);
            self.recovered("broker restarted", took);
            let text = format!("first record {} after the broker was gone", span(took));
            told.push(Told { word: "goes on", text });
        }
        for event in &record.events {
            told.extend(self.event(task, event, record.at));
        }
        told
    }

    fn event(&mut self, task: &TaskId, event: &Event, at: UnixMillis) -> Option<Told> {
        match event {
            Event::Accepted { .. } => self.counts.accepted += 1,
            Event::StepDelayed { step, degraded, reason, failure, .. } => {
                self.counts.retried += usize::from(failure.is_some() && degraded.is_none());
                let work = (task.clone(), step.clone());
                if degraded.is_some()
                    && self.spare.insert(work)
                    && !std::mem::replace(&mut self.has_fallen_back, true)
                {
                    let text = format!("{step} of {} goes to the spare: {reason}", short(task));
                    return Some(Told { word: "fallback", text });
                }
            }
            Event::StepCompleted { step, .. } => return self.completed(task, step, at),
            Event::StepFailed { step, failure, .. } => {
                if failure.kind == FailureKind::Expired {
                    self.counts.expired += 1;
                    let text = format!("nobody decided {step} of {}, it goes on", short(task));
                    return Some(Told { word: "expired", text });
                }
                let text = format!("{step} of {}: {}", short(task), failure.message);
                return Some(Told { word: "failed", text });
            }
            Event::StepWaiting { ask, .. } => {
                let text = format!("{} of {}", ask.question, short(task));
                return Some(Told { word: "asked", text });
            }
            Event::Ended { status, reason, .. } => return self.end(task, *status, reason),
            Event::Expanded { .. }
            | Event::CrewBegan { .. }
            | Event::HandedOff { .. }
            | Event::LoopFound { .. }
            | Event::StepDispatched { .. }
            | Event::StepSkipped { .. }
            | Event::Voted { .. }
            | Event::CallRuled { .. }
            | Event::LimitReached { .. }
            | Event::BudgetNear { .. }
            | Event::BudgetAdded { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Compensating { .. }
            | Event::Joined { .. }
            | Event::Retried { .. }
            | Event::TakenOver { .. }
            | Event::Forked { .. }
            | Event::Refused { .. } => {}
        }
        None
    }

    fn completed(&mut self, task: &TaskId, step: &StepId, at: UnixMillis) -> Option<Told> {
        match step.name.as_str() {
            AGGREGATE => return None,
            APPROVAL => {
                self.counts.granted += 1;
                let text = format!("{step} of {}", short(task));
                return Some(Told { word: "granted", text });
            }
            _ => self.counts.results += 1,
        }
        let work = (task.clone(), step.clone());
        self.counts.degraded += usize::from(self.spare.remove(&work));
        self.heal(&work, at)
    }

    /// The work is done: of the faults that met it, the last one may be over.
    fn heal(&mut self, work: &Work, at: UnixMillis) -> Option<Told> {
        let mut told = None;
        let mut took = Vec::new();
        self.wounds.retain_mut(|wound| {
            if !wound.open.remove(work) {
                return true;
            }
            wound.done += 1;
            let elapsed = at.since(wound.since);
            took.push((wound.fault, elapsed));
            if wound.open.is_empty() {
                let steps = count(wound.done as u64, "step");
                let text = format!("{}: its {steps} done {} later", wound.fault, span(elapsed));
                told = Some(Told { word: "resumed", text });
            }
            !wound.open.is_empty()
        });
        took.into_iter().for_each(|(fault, took)| self.recovered(fault, took));
        told
    }

    fn end(&mut self, task: &TaskId, status: EndStatus, reason: &str) -> Option<Told> {
        *self.counts.ended.entry(status.as_str()).or_default() += 1;
        match status {
            EndStatus::Completed | EndStatus::Partial => None,
            EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete => {
                let text = format!("{} as {}: {reason}", short(task), status.as_str());
                Some(Told { word: "ended", text })
            }
        }
    }
}

/// The beginning of a task's id.
pub(super) fn short(task: &TaskId) -> String {
    task.as_str().chars().take(TASK_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> TaskId {
        TaskId::derive(&"acme".parse().unwrap(), "a")
    }

    fn call(kind: CallKind, step: &str, deliveries: u32) -> Call {
        Call { kind, task: task(), step: StepId::parse(step).unwrap(), attempt: 1, deliveries }
    }

    #[test]
    fn a_killed_worker_recovers_when_all_that_it_held_is_done() {
        let mut book = Book::default();
        let begun = UnixMillis(1_000);
        for step in ["weigh-0", "weigh-1"] {
            assert_eq!(book.call("worker-1", call(CallKind::Begun, step, 1)), None);
        }
        let held = book.held_by("worker-1");
        assert_eq!(held.len(), 2);
        book.wound("worker killed", begun, held);
        let again = book.call("worker-2", call(CallKind::Begun, "weigh-0", 2)).unwrap();
        assert_eq!(again.word, "again");
        assert_eq!(book.held_by("worker-2").len(), 1);
        let second = |seconds| begun.after(Duration::from_secs(seconds));
        let done = |book: &mut Book, step: &str, at| {
            book.completed(&task(), &StepId::parse(step).unwrap(), at).map(|told| told.text)
        };
        assert_eq!(done(&mut book, "weigh-0", second(2)), None);
        assert!(!book.is_healed());
        let told = done(&mut book, "weigh-1", second(3));
        assert_eq!(told.as_deref(), Some("worker killed: its 2 steps done 3.0 s later"));
        assert!(book.is_healed());
        let took: Vec<_> = book.recoveries["worker killed"].iter().map(Duration::as_secs).collect();
        assert_eq!((took, book.counts.results), (vec![2, 3], 2));
    }
}
