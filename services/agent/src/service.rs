//! The agent service: finds out which roles are its own, and supervises one actor for each.
//!
//! With [`RoleSelection::All`] a scout looks for new packs, so that a pack applied later finds
//! its roles at work a moment after.

mod scout;
#[cfg(test)]
mod tests;

use std::time::Duration;

use cadre_core::{
    ids::Name,
    ports::{BusError, Clock, Models, Packs, WorkerBus},
};
use cadre_runtime::{
    breaker::Breakers,
    supervise::{self, Child, StopOrder, Supervisor},
    worker::{RoleHandle, RoleSnapshot, Worker, WorkerOptions},
};
use ractor::{ActorCell, SpawnErr};
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use self::scout::{Known, Scout};
use crate::AgentRunner;

/// What the actors get beyond their steps' drain to end in good order.
const STOP_RESERVE: Duration = Duration::from_secs(2);

/// Which roles a process works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleSelection {
    /// Every built-in role of every pack, those of packs applied later included.
    All,
    /// These; each must be a built-in role of a pack that is applied.
    Named(Vec<Name>),
}

/// How the agent service works.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// Which roles. Default: all.
    pub roles: RoleSelection,
    /// Steps of each role held at once. Default 64.
    pub in_flight: usize,
    /// Names this process in reports.
    pub worker_name: String,
    /// How long steps in flight may take to end when the service stops. Default 25 s.
    pub drain: Duration,
    /// How often the scout looks for new packs. Default 1 s.
    pub look_every: Duration,
    /// The process's breakers, which stand in front of tools. Default none.
    pub breakers: Option<Breakers>,
}

impl Default for AgentOptions {
    fn default() -> Self {
        let WorkerOptions { worker, in_flight, drain, breakers } = WorkerOptions::default();
        let (roles, look_every) = (RoleSelection::All, Duration::from_secs(1));
        Self { roles, in_flight, worker_name: worker, drain, look_every, breakers }
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No pack has it.
    #[error("role {role} is in no applied pack, known built-in roles: {known}")]
    Unknown {
        /// As named.
        role: Name,
        /// Those that could be named.
        known: String,
    },
    /// Somebody else must run it.
    #[error(
        "role {role} of pack {pack} is remote: run a worker for it that speaks the worker \
         protocol, and leave it out here"
    )]
    Remote {
        /// As named.
        role: Name,
        /// The pack that says so.
        pack: Name,
    },
    /// The packs could not be read.
    #[error("packs could not be read")]
    Packs(#[from] BusError),
    /// The parent is stopping.
    #[error("agent supervisor did not start")]
    Spawn(#[from] SpawnErr),
}

/// How the service does, for people and dashboards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentSnapshot {
    /// The actors.
    pub supervisor: supervise::Snapshot,
    /// The roles, as far as their actors answered.
    pub roles: Vec<RoleSnapshot>,
}

/// The running service; cheap to clone.
#[derive(Debug)]
pub struct AgentService<B: WorkerBus> {
    supervisor: Supervisor,
    known: watch::Receiver<Known<B::Receipt>>,
}

impl<B: WorkerBus> Clone for AgentService<B> {
    fn clone(&self) -> Self {
        Self { supervisor: self.supervisor.clone(), known: self.known.clone() }
    }
}

impl<B: WorkerBus + Models + Clock> AgentService<B> {
    /// Starts the service under `parent`, if there is one.
    ///
    /// Returns before the roles are subscribed; see [`Self::ready`].
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start<P: Packs>(
        bus: B,
        packs: P,
        options: AgentOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, StartError> {
        let AgentOptions { roles, in_flight, worker_name, drain, look_every, breakers } = options;
        let named = match roles {
            RoleSelection::All => None,
            RoleSelection::Named(names) => Some(scout::resolve(&packs, names).await?),
        };
        let limits = WorkerOptions { worker: worker_name, in_flight, drain, breakers };
        let runner = AgentRunner::new(bus.clone());
        let worker = Worker::new(bus, packs.clone(), runner, limits);
        let supervision = supervise::Options {
            grace: drain + STOP_RESERVE,
            stop: StopOrder::Together,
            ..supervise::Options::default()
        };
        let supervisor = Supervisor::start("agent", supervision, Vec::new(), parent).await?;
        let (known, seen) = watch::channel(Known { is_complete: false, roles: Vec::new() });
        let scout = Scout::new(worker, packs, supervisor.clone(), known);
        match named {
            Some(names) => scout.engage_named(names).await,
            None => drop(supervisor.add(scout_child(scout, look_every)).await),
        }
        Ok(Self { supervisor, known: seen })
    }

    /// Waits until the packs were looked through once and every role found is subscribed.
    ///
    /// False when that is not so after `within`.
    pub async fn ready(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut known = self.known.clone();
        let complete = timeout_at(deadline, known.wait_for(|known| known.is_complete)).await;
        let Ok(Ok(roles)) = complete.map(|known| known.map(|known| known.roles.clone())) else {
            return false;
        };
        for role in roles {
            if !role.subscribed(deadline.saturating_duration_since(Instant::now())).await {
                return false;
            }
        }
        true
    }

    /// The doors to the roles' actors.
    #[must_use]
    pub fn roles(&self) -> Vec<RoleHandle<B::Receipt>> {
        self.known.borrow().roles.clone()
    }

    /// How the service does; `None` when the supervisor does not answer within `within`.
    pub async fn inspect(&self, within: Duration) -> Option<AgentSnapshot> {
        let supervisor = self.supervisor.inspect(within).await?;
        let mut roles = Vec::new();
        for role in self.roles() {
            roles.extend(role.inspect(within).await);
        }
        Some(AgentSnapshot { supervisor, roles })
    }

    /// Takes no more orders, lets steps in flight end, and stops.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// The service as somebody's child.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.supervisor.cell()
    }
}

fn scout_child<B: WorkerBus + Models + Clock, P: Packs>(
    scout: Scout<B, P>,
    every: Duration,
) -> Child {
    let scout = std::sync::Arc::new(scout);
    Child::job("scout", move || {
        let scout = std::sync::Arc::clone(&scout);
        async move { scout.look_for_ever(every).await }
    })
}
