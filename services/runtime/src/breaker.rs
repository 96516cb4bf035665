//! The breakers of one process, and the service that keeps them in step with the fleet.
//!
//! ```text
//!  hot path ── permit, record ──► Breakers ◄── learn ── watch ◄──┐
//!                                    │                           │ board
//!                                    └───────── owes ──► pay ────┤
//!                                                       beat ────┘
//! ```
//!
//! [`Breakers`] is what callers hold: it never waits. [`BreakerService`] supervises the three jobs
//! that talk to the [`BreakerBoard`]. Invariant: whatever the board does, a breaker opens and closes
//! by the calls of its own process.

mod board;
mod shared;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use cadre_core::{
    breaker::{Call, Lease, Permit, Settings, State, Target, port::BreakerBoard},
    ids::Name,
    time::UnixMillis,
};
use ractor::{ActorCell, SpawnErr};

use self::shared::Shared;
use crate::supervise::{Child, Options, RestartPolicy, Snapshot, StopOrder, Supervisor};

/// What the breakers of one process are told.
#[derive(Debug, Clone)]
pub struct BreakerOptions {
    /// Name of this process in the fleet; unique for each life of it.
    pub pod: Name,
    /// When they open; the same on all pods.
    pub settings: Settings,
}

/// The breakers of this process. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Breakers(Arc<Shared>);

impl Breakers {
    /// Breakers without a fleet: each decides by the calls of this process. `now` is the broker's time.
    #[must_use]
    pub fn local(
        options: BreakerOptions,
        now: impl Fn() -> UnixMillis + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared::new(options, Box::new(now), false)))
    }

    /// Whether a call of `target` may go out now; one atomic read while nothing is open.
    ///
    /// A probe that does not go out must be given back, or nobody probes until its lease is over.
    #[must_use]
    pub fn permit(&self, target: &Target) -> Permit {
        self.0.permit(target)
    }

    /// Takes note of a call that has ended. Calls of more targets than can be kept are not counted.
    pub fn record(&self, target: &Target, call: Call) {
        self.0.record(target, call);
    }

    /// Gives a probe back that did not go out.
    pub fn give_back(&self, target: &Target, lease: &Lease) {
        self.0.give_back(target, lease);
    }

    /// The broker's time, as this process knows it.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.0.now()
    }

    /// Every breaker that is not closed, by target: for alerts and for people.
    #[must_use]
    pub fn not_closed(&self) -> Vec<(Target, State)> {
        self.0.not_closed()
    }
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Breakers({})", self.0.pod)
    }
}

/// Keeps the breakers of one process in step with the fleet; stops when told to, not when dropped.
#[derive(Debug, Clone)]
pub struct BreakerService {
    breakers: Breakers,
    supervisor: Supervisor,
}

impl BreakerService {
    /// Starts it, under `parent` if there is one. A board that is away is waited for meanwhile.
    ///
    /// # Errors
    /// When its supervisor cannot start: the parent is stopping.
    pub async fn start<B: BreakerBoard>(
        board: B,
        options: BreakerOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, SpawnErr> {
        let clock = board.clone();
        let shared = Arc::new(Shared::new(options, Box::new(move || clock.now()), true));
        let job = |name, begin: fn(Arc<Shared>, B) -> board::Job| {
            let (shared, board) = (Arc::clone(&shared), board.clone());
            Child::job(name, move || begin(Arc::clone(&shared), board.clone()))
        };
        let children = vec![
            job("breaker-watch", board::watch),
            job("breaker-beat", board::beat),
            job("breaker-pay", board::pay),
        ];
        let supervision = Options {
            restarts: RestartPolicy { max: 20, ..RestartPolicy::default() },
            grace: Duration::from_secs(5),
            stop: StopOrder::Together,
        };
        let supervisor = Supervisor::start("breakers", supervision, children, parent).await?;
        Ok(Self { breakers: Breakers(shared), supervisor })
    }

    /// The breakers.
    #[must_use]
    pub fn breakers(&self) -> Breakers {
        self.breakers.clone()
    }

    /// Stops talking to the fleet; the breakers go on with what they know.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// How its jobs are; `None` when it has stopped.
    pub async fn inspect(&self) -> Option<Snapshot> {
        self.supervisor.inspect(Duration::from_secs(1)).await
    }
}
