//! What the world is owed in a state: work orders, one timer, an answer.
//!
//! A function of the state alone, so a crash between append and payment loses
//! nothing: whoever replays the log owes the same, and every payment is
//! idempotent by its own guarded subject.

use std::sync::Arc;

use serde_json::json;

use super::{
    input::{Goal, Resource},
    state::{End, Phase, Step, StepState, Task},
};
use crate::{
    ids::{Name, StepId},
    journal::Ruled,
    payload::Payload,
    time::UnixMillis,
    workflow::Grant,
};

/// One attempt at one step, for the role that does it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The task's goal: tenant, user, trace, revision.
    pub goal: Arc<Goal>,
    /// The step.
    pub step: StepId,
    /// From 1.
    pub attempt: u32,
    /// Who shall do it.
    pub role: Name,
    /// Satisfies the role's `accepts` contract.
    pub input: Payload,
    /// When the attempt counts as timed out, on the broker's clock.
    pub deadline: UnixMillis,
    /// What the attempt may spend.
    pub grant: Grant,
    /// What a person knows about calls of former attempts.
    pub ruled: Option<Ruled>,
    /// Limits of the whole task of which four fifths are used: whoever works on it had better be brief.
    pub near: Vec<Resource>,
    /// The record that decided it.
    pub rev: u64,
}

impl Order {
    /// Key for side effects of this step: the same on every delivery and attempt of it.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}.{}", self.goal.task, self.step)
    }
}

/// An attempt that nobody waits for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The step.
    pub step: StepId,
    /// From 1.
    pub attempt: u32,
    /// Who has its work order.
    pub role: Name,
}

/// The end of a task, for whoever published its goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The task's goal.
    pub goal: Arc<Goal>,
    /// The document that is published.
    pub document: Payload,
}

impl Task {
    /// Work orders that are out, of records after `paid_rev`; 0 for all of them.
    pub fn orders_since(&self, paid_rev: u64) -> impl Iterator<Item = Order> {
        self.steps.iter().filter(move |(_, step)| step.rev > paid_rev).filter_map(|(id, step)| {
            let StepState::Dispatched { input, deadline } = &step.state else { return None };
            Some(Order {
                goal: Arc::clone(&self.goal),
                step: id.clone(),
                attempt: step.attempt,
                role: step.role.clone()?,
                input: input.clone(),
                deadline: *deadline,
                grant: step.grant,
                ruled: step.ruled.clone(),
                near: self.warned.clone(),
                rev: step.rev,
            })
        })
    }

    /// When the task must be looked at again if nothing arrives; `None` once it has ended.
    #[must_use]
    pub fn wake_at(&self) -> Option<UnixMillis> {
        let is_still = self.is_still();
        let deadlines = self.steps.values().filter_map(|step| match &step.state {
            StepState::Dispatched { deadline, .. } => Some(*deadline),
            StepState::Delayed { until, .. } => (!is_still).then_some(*until),
            StepState::Waiting { ask, .. } => ask.expires,
            StepState::Completed { .. }
            | StepState::Failed(_)
            | StepState::Skipped(_)
            | StepState::Cancelled => None,
        });
        let has_open = || self.steps.values().any(|step| step.state.is_open());
        match self.phase {
            // Nothing is out that could move it: its last record was full. Look again at once.
            Phase::Running if !is_still && !has_open() => Some(self.changed_at),
            Phase::Running => deadlines.chain([self.deadline]).chain(self.time_near_at()).min(),
            // The task's own deadline has grace for the aggregator: its step deadline rules.
            Phase::Aggregating => deadlines.min(),
            Phase::Compensating(_) if !has_open() => Some(self.changed_at),
            Phase::Compensating(_) => deadlines.chain([self.ends_at()]).min(),
            Phase::Ended(_) => None,
        }
    }

    /// Attempts to take back, because nobody waits for them since records after `paid_rev`; 0 for
    /// all of them.
    pub fn stops_since(&self, paid_rev: u64) -> impl Iterator<Item = Stop> {
        let is_new = move |step: &Step| step.rev > paid_rev && step.attempt > 0;
        let new = self.steps.iter().filter(move |(_, step)| is_new(step));
        new.filter(|(_, step)| step.state.is_given_up()).filter_map(|(id, step)| {
            Some(Stop { step: id.clone(), attempt: step.attempt, role: step.role.clone()? })
        })
    }

    /// The answer that is owed once the task has ended.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let end = self.ended()?;
        let document = Payload::from_value(self.answer_document(end)).or_else(|error| {
            // Somebody waits for it: an end without its parts is better than silence.
            let reason = format!("{}; its parts are left out: {error}", end.reason);
            let bare = End { answer: None, reason, ..end.clone() };
            Payload::from_value(self.answer_document(&bare))
        });
        let document = document.ok()?;
        Some(Answer { goal: Arc::clone(&self.goal), document })
    }

    /// Steps whose output was made with less than the pack's first choice, by whom, and why.
    fn degraded(&self) -> serde_json::Value {
        let all = self.steps.iter().filter(|(_, step)| step.state.is_completed());
        all.filter_map(|(id, step)| {
            let reason = step.degraded.as_ref()?;
            Some(json!({"step": id.to_string(), "role": step.role.as_ref()?.as_str(), "reason": reason}))
        })
        .collect()
    }

    fn answer_document(&self, end: &End) -> serde_json::Value {
        let answer = end.answer.as_ref().map(Payload::value);
        let part = |key: &str| answer.and_then(|answer| answer.get(key)).cloned();
        json!({
            "task": self.goal.task.as_str(),
            "tenant": self.goal.tenant.as_str(),
            "workflow": self.goal.workflow.as_str(),
            "key": self.goal.key,
            "status": end.status.as_str(),
            "reason": end.reason,
            "result": part("result"),
            "missing": part("missing").unwrap_or_else(|| json!([])),
            "conflicts": part("conflicts").unwrap_or_else(|| json!([])),
            "degraded": self.degraded(),
            "steps": self.dispatches,
            "usd_micros": self.usage.usd_micros,
            "tokens": self.usage.tokens,
            "duration_ms": u64::try_from(end.at.since(self.accepted_at).as_millis()).unwrap_or(u64::MAX),
        })
    }
}
