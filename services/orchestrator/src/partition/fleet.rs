//! What a decision must know of the fleet, and what the fleet learns of its outcome.
//!
//! Breakers say which roles may be given work; the retry budget says how often failures may
//! be tried again. Both are asked while deciding and are no part of the log: what
//! was decided is. Calls are counted, and probes that did not go out given back, once
//! the record is durable, or is known not to be.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use cadre_core::{
    breaker::{Call, CallOutcome, Lease, Target, classify},
    ids::{Name, StepId},
    retry::RetryBudget,
    task::{AGGREGATE, Event, Permit, Record, Roles, StepState, Task, Usage},
    time::UnixMillis,
};
use cadre_runtime::breaker::Breakers;

use super::account::Spent;

/// The fleet as one partition sees it.
pub(super) struct Fleet {
    breakers: Breakers,
    retries: Mutex<BTreeMap<Name, RetryBudget>>,
}

impl Fleet {
    pub(super) fn new(breakers: Breakers) -> Self {
        Self { breakers, retries: Mutex::default() }
    }

    /// The fleet at the moment of one decision, and what attempts have spent that it may end.
    pub(super) fn at<'a>(&'a self, now: UnixMillis, spent: Option<&'a Spent>) -> View<'a> {
        View { fleet: self, now, spent, probes: Mutex::default() }
    }
}

/// The fleet at the moment of one decision; holds the probes that the decision was given.
pub(super) struct View<'a> {
    fleet: &'a Fleet,
    now: UnixMillis,
    spent: Option<&'a Spent>,
    probes: Mutex<Vec<(Target, Lease)>>,
}

impl View<'_> {
    fn with_budget<T>(&self, role: &Name, then: impl FnOnce(&mut RetryBudget) -> T) -> T {
        let mut retries = self.fleet.retries.lock().unwrap_or_else(PoisonError::into_inner);
        match retries.get_mut(role) {
            Some(budget) => then(budget),
            None => then(retries.entry(role.clone()).or_insert(RetryBudget::new(self.now))),
        }
    }

    /// What is to be said to the fleet about this decision; without a record its probes go back.
    pub(super) fn news(self, before: Option<&Task>, record: Option<&Record>) -> News {
        let mut probes = self.probes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let events = record.map(|record| record.events.as_slice()).unwrap_or_default();
        let goes_out = |target: &Target| {
            let is_its = |event: &Event| matches!(event, Event::StepDispatched { role, .. } if role == target.name());
            events.iter().any(is_its)
        };
        let (used, unused): (Vec<_>, Vec<_>) =
            probes.drain(..).partition(|(target, _)| goes_out(target));
        for (target, lease) in unused {
            self.fleet.breakers.give_back(&target, &lease);
        }
        let at = record.map_or(self.now, |record| record.at);
        let calls = events.iter().filter_map(|event| ended(before?, event, at)).collect();
        News { breakers: self.fleet.breakers.clone(), probes: used, calls }
    }
}

impl Roles for View<'_> {
    fn permit(&self, role: &Name) -> Permit {
        let target = Target::Role(role.clone());
        match self.fleet.breakers.permit(&target) {
            cadre_core::breaker::Permit::Yes => {}
            cadre_core::breaker::Permit::Probe(lease) => {
                let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
                probes.push((target, lease));
            }
            cadre_core::breaker::Permit::No { until, reason } => {
                return Permit::Wait { until, reason: reason.to_string() };
            }
        }
        self.with_budget(role, |budget| budget.call(self.now));
        Permit::Go
    }

    fn may_retry(&self, role: &Name) -> bool {
        self.with_budget(role, |budget| budget.retry(self.now))
    }

    fn spent(&self, step: &StepId) -> Usage {
        self.spent.and_then(|spent| spent.get(step)).copied().unwrap_or_default()
    }
}

/// What the fleet learns once a record is durable.
pub(super) struct News {
    breakers: Breakers,
    probes: Vec<(Target, Lease)>,
    calls: Vec<(Target, Call)>,
}

impl News {
    /// The record is durable: its calls count.
    pub(super) fn count(self) {
        for (target, call) in self.calls {
            self.breakers.record(&target, call);
        }
    }

    /// The record is not: its probes did not go out.
    pub(super) fn take_back(self) {
        for (target, lease) in self.probes {
            self.breakers.give_back(&target, &lease);
        }
    }
}

/// The call that an event ends, if it ends one.
fn ended(before: &Task, event: &Event, at: UnixMillis) -> Option<(Target, Call)> {
    let (id, outcome, usage) = match event {
        Event::StepCompleted { step, usage, .. } | Event::StepWaiting { step, usage, .. } => {
            (step, CallOutcome::Success, *usage)
        }
        Event::StepFailed { step, failure, usage }
        | Event::StepDelayed { step, failure: Some(failure), usage, .. } => {
            (step, classify(failure.kind), *usage)
        }
        Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
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
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Refused { .. }
        | Event::Ended { .. } => return None,
    };
    call(before, id, at, (outcome, usage))
}

fn call(
    before: &Task,
    id: &StepId,
    at: UnixMillis,
    (outcome, usage): (CallOutcome, Usage),
) -> Option<(Target, Call)> {
    let step = before.steps.get(id)?;
    let is_out = matches!(step.state, StepState::Dispatched { .. });
    if !is_out || id.name.as_str() == AGGREGATE {
        return None;
    }
    let took = at.since(step.changed_at);
    let call = Call { outcome, took, usd_micros: usage.usd_micros };
    Some((Target::Role(step.role.clone()?), call))
}
