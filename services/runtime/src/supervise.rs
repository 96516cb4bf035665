//! Who restarts what, how often, and who stops whom in which order.
//!
//! A [`Supervisor`] owns named children, each given as a function that starts it. A child that
//! fails is started anew after a pause, within its [`RestartBudget`]; with the budget spent it is
//! parked, loudly, and its siblings go on. Overrides ractor's default, which stops the parent
//! when *any* child ends.
//!
//! ```text
//! Running ──fails──► Restarting ──pause──► Running
//!    │                   └── budget spent ──► Parked
//!    └──stops itself──► Ended
//! ```

mod actor;
mod budget;
mod job;
#[cfg(test)]
mod tests;

use std::{fmt, future::Future, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use ractor::{Actor, ActorCell, ActorRef, SpawnErr, rpc::CallResult};
use serde::Serialize;

use self::actor::{Msg, SupervisorActor};
pub use self::{
    budget::{RestartBudget, RestartPolicy},
    job::JobResult,
};

type StartFn =
    Box<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// One child: its name, and how it is started, again and again.
pub struct Child {
    name: String,
    start: StartFn,
}

impl Child {
    /// Makes a child that `start` starts, linked to the supervisor's cell that it is given.
    ///
    /// Whoever starts an actor waits for its `pre_start`: keep that short.
    pub fn new<F, Started>(name: impl Into<String>, start: F) -> Self
    where
        F: Fn(ActorCell) -> Started + Send + Sync + 'static,
        Started: Future<Output = Result<ActorCell, SpawnErr>> + Send + 'static,
    {
        Self { name: name.into(), start: Box::new(move |parent| start(parent).boxed()) }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Child({})", self.name)
    }
}

/// How a supervisor treats its children.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Restarts of each child.
    pub restarts: RestartPolicy,
    /// How long a stop may take before what is left of it is killed. Default 30 s.
    pub grace: Duration,
    /// Default: one by one.
    pub stop: StopOrder,
}

/// In which order children are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopOrder {
    /// Last started first, each within its own grace: later ones may need earlier ones.
    #[default]
    OneByOne,
    /// All at once, within one grace: they do not know each other.
    Together,
}

impl Default for Options {
    fn default() -> Self {
        let (restarts, stop) = (RestartPolicy::default(), StopOrder::default());
        Self { restarts, grace: Duration::from_secs(30), stop }
    }
}

/// What a supervisor has, for people and dashboards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The supervisor's name.
    pub name: String,
    /// In start order.
    pub children: Vec<ChildSnapshot>,
}

/// One child of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChildSnapshot {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: ChildState,
    /// Restarts since the supervisor started.
    pub restarts: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// How a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildState {
    /// At work.
    Running,
    /// Failed; waits for its restart.
    Restarting,
    /// Failed too often; stays down until the process restarts.
    Parked,
    /// Stopped by itself, as it meant to.
    Ended,
}

/// A child of this name exists already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// Names are unique under one supervisor.
    #[error("supervisor {supervisor} has a child {child} already")]
    Duplicate {
        /// The supervisor.
        supervisor: String,
        /// The child.
        child: String,
    },
    /// The supervisor has stopped.
    #[error("supervisor has stopped")]
    Stopped,
}

/// Typed door to a supervisor; cheap to clone.
#[derive(Debug, Clone)]
pub struct Supervisor(ActorRef<Msg>);

impl Supervisor {
    /// Starts a supervisor and its children in order, under `parent` if there is one.
    ///
    /// A child that does not start is retried within its budget: that is no error here.
    ///
    /// # Errors
    /// When the supervisor itself cannot start: its parent is stopping.
    pub async fn start(
        name: &str,
        options: Options,
        children: Vec<Child>,
        parent: Option<ActorCell>,
    ) -> Result<Self, SpawnErr> {
        let actor = SupervisorActor::new(name, options);
        let (actor, _join) = match parent {
            Some(parent) => Actor::spawn_linked(None, actor, children, parent).await?,
            None => Actor::spawn(None, actor, children).await?,
        };
        Ok(Self(actor))
    }

    /// Starts one more child, behind the others.
    ///
    /// # Errors
    /// See [`AddError`].
    pub async fn add(&self, child: Child) -> Result<(), AddError> {
        match self.0.call(|reply| Msg::Add(child, reply), None).await {
            Ok(CallResult::Success(added)) => added,
            Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => Err(AddError::Stopped),
        }
    }

    /// How the children are; `None` when there is no answer within `within`.
    pub async fn inspect(&self, within: Duration) -> Option<Snapshot> {
        match self.0.call(Msg::Inspect, Some(within)).await {
            Ok(CallResult::Success(snapshot)) => Some(snapshot),
            Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => None,
        }
    }

    /// Stops the children in the order and within the grace of [`Options`], then the supervisor.
    ///
    /// Returns when all have ended. Stopping again is harmless.
    pub async fn stop(&self) {
        let cell = self.0.get_cell();
        cell.stop(None);
        // Without a timeout it cannot fail.
        let _ = cell.wait(None).await;
    }

    /// The supervisor as somebody's child.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.0.get_cell()
    }
}
