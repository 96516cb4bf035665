//! The worker protocol's shell for built-in roles: agent and aggregator stand on it.
//!
//! One role actor per role takes work orders from a pump and starts one child actor per step in
//! flight. A child runs its step, publishes the report, and only then settles the order.
//!
//! ```text
//! WorkerBus::work ─► pump ─► role actor ─┬─► step actor: run ─► report ─► done
//!                    └ slots ┘           └─► step actor: panics ─► reported as `panic`
//! ```
//!
//! Invariants: no order is settled whose report is not confirmed, except one whose time is over;
//! no step runs twice at once in this process; at most `in_flight` steps are held.
//!
//! When a step's time is over its runner is dropped, nothing is reported and the order is
//! settled: the orchestrator's durable timer has decided, or is about to, and a redelivery could
//! only find the time over again.
//!
//! What a step does outside goes through [`Step::call`]: see the module `journal`.

mod compute;
mod journal;
mod pump;
mod role;
mod step;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

#[cfg(any(test, feature = "testing"))]
use cadre_core::ports::Journals;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::Ruled,
    limits::TASK_DEADLINE_MAX,
    payload::Payload,
    ports::WorkItem,
    task::{ModelUse, Outcome, Resource, Usage},
    workflow::{Grant, Workflow},
};
use tokio::time::Instant;

use self::journal::{Desk, Journal};
pub use self::{
    compute::{INLINE_BYTES_MAX, compute},
    journal::{CallError, CallSpec, Made, Making},
    role::{RoleHandle, RoleSnapshot, Worker},
};
use crate::breaker::Breakers;

/// How a role is worked on.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Names this process in reports.
    pub worker: String,
    /// Steps of the role held at once, at least 1. Default 64.
    pub in_flight: usize,
    /// How long steps in flight may take to end when the role is stopped. Default 25 s: below
    /// [`crate::supervise::Options::grace`], after which the role is killed.
    pub drain: Duration,
    /// The process's breakers, which stand in front of the tools that steps call. Default none: they are
    /// called whatever happens.
    pub breakers: Option<Breakers>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let drain = Duration::from_secs(25);
        Self { worker: "worker".to_owned(), in_flight: 64, drain, breakers: None }
    }
}

/// One attempt at a step, as a runner sees it.
#[derive(Debug)]
pub struct Step {
    /// The task.
    pub task: TaskId,
    /// Whose task.
    pub tenant: Name,
    /// Which workflow.
    pub workflow: Name,
    /// Its pack's content hash.
    pub revision: String,
    /// The step.
    pub step: StepId,
    /// Which try, from 1.
    pub attempt: u32,
    /// The role.
    pub role: Name,
    /// Satisfies the role's `accepts` contract.
    pub input: Payload,
    /// What it may spend.
    pub grant: Grant,
    /// Key for side effects.
    pub idempotency_key: String,
    /// What a person knows about calls of former attempts.
    pub ruled: Option<Ruled>,
    /// Limits of the whole task of which four fifths are used: be brief. Of the attempt's own grant
    /// [`Self::ledger`] knows it.
    pub near: Vec<Resource>,
    /// W3C `traceparent` of whoever ordered it.
    pub trace: Option<String>,
    /// How often its order was delivered, this time included.
    pub deliveries: u32,
    /// When it was received.
    pub received: Instant,
    /// When its time is over: the runner is dropped then.
    pub deadline: Instant,
    journal: Journal,
}

impl Step {
    /// The attempt that `item` orders, and what settles the order.
    fn of<R>(item: WorkItem<R>, received: Instant, desk: Desk) -> (Self, Arc<R>) {
        let step = Self {
            task: item.task,
            tenant: item.tenant,
            workflow: item.workflow,
            revision: item.revision,
            step: item.step,
            attempt: item.attempt,
            role: item.role,
            input: item.input,
            grant: item.grant,
            idempotency_key: item.idempotency_key,
            ruled: item.ruled,
            near: item.near,
            trace: item.trace,
            deliveries: item.deliveries,
            received,
            deadline: received + item.time_left.min(TASK_DEADLINE_MAX),
            journal: Journal::new(desk),
        };
        (step, item.receipt)
    }
}

#[cfg(any(test, feature = "testing"))]
impl Step {
    /// The attempt that `item` orders, in the hands of a worker that keeps its journals on `bus`.
    pub(crate) fn in_hand<B: Journals, R>(item: WorkItem<R>, bus: B, worker: &str) -> Self {
        let desk = Desk { shelf: Arc::new(bus), worker: Arc::from(worker), breakers: None };
        Self::of(item, Instant::now(), desk).0
    }
}

/// What a runner made of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// What came of it.
    pub outcome: Outcome,
    /// What it cost; wall time is measured by the shell, and what calls cost counts in its place.
    pub usage: Usage,
    /// What models have done of it; what the step's journal says counts in its place.
    pub models: Vec<ModelUse>,
    /// Why it was made with less than the pack's first choice; `None` when it was not.
    pub degraded: Option<String>,
}

impl From<Outcome> for Ran {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, usage: Usage::default(), models: Vec::new(), degraded: None }
    }
}

/// Does the steps of a role.
pub trait StepRunner: Send + Sync + 'static {
    /// Does one step of `workflow`, in the revision that the step is pinned to.
    ///
    /// A panic is reported as a failure of kind `panic`. The future is dropped when the step's
    /// time is over. Work that keeps a core busy belongs into [`compute`].
    fn run(&self, step: &Step, workflow: Arc<Workflow>) -> impl Future<Output = Ran> + Send;
}
