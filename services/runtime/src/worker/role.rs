//! The role actor: which steps are in flight, who beats for them, what became of them.

mod actor;

use std::{fmt, sync::Arc, time::Duration};

use cadre_core::{
    ids::Name,
    ports::{Packs, Stopped, WorkerBus},
};
use ractor::{Actor, ActorRef, RpcReplyPort, rpc::CallResult};
use serde::Serialize;
use tokio::{sync::watch, time::timeout};

use self::actor::RoleActor;
use super::{StepRunner, WorkerOptions, journal::Desk, pump::Arrival};
use crate::supervise::Child;

/// What a worker needs to work on any role: bus, packs, runner.
pub struct Worker<B, P, W> {
    bus: B,
    packs: P,
    runner: Arc<W>,
    options: WorkerOptions,
}

impl<B: WorkerBus, P: Packs, W: StepRunner> Worker<B, P, W> {
    /// Makes a worker that does nothing yet.
    pub fn new(bus: B, packs: P, runner: W, mut options: WorkerOptions) -> Self {
        options.in_flight = options.in_flight.max(1);
        Self { bus, packs, runner: Arc::new(runner), options }
    }

    /// Makes one role's actor a child for a supervisor, and the door to whichever incarnation
    /// of it lives.
    #[must_use]
    pub fn role(&self, role: Name) -> (RoleHandle<B::Receipt>, Child) {
        let (seat, subscribed) = (watch::Sender::new(None), watch::Sender::new(false));
        let handle = RoleHandle {
            role: role.clone(),
            seat: seat.subscribe(),
            subscribed: subscribed.subscribe(),
        };
        let name = format!("role.{role}");
        let shared = Arc::new(Shared {
            role,
            bus: self.bus.clone(),
            packs: self.packs.clone(),
            runner: Arc::clone(&self.runner),
            options: self.options.clone(),
            desk: Desk {
                shelf: Arc::new(self.bus.clone()),
                worker: Arc::from(self.options.worker.as_str()),
                breakers: self.options.breakers.clone(),
            },
            seat,
            subscribed,
        });
        let child = Child::new(name, move |parent| {
            let actor = RoleActor(Arc::clone(&shared));
            async move {
                let (actor, _join) = Actor::spawn_linked(None, actor, (), parent).await?;
                Ok(actor.get_cell())
            }
        });
        (handle, child)
    }
}

/// What every incarnation of a role actor, its pump and its steps share.
pub(super) struct Shared<B: WorkerBus, P, W> {
    pub(super) role: Name,
    pub(super) bus: B,
    pub(super) packs: P,
    pub(super) runner: Arc<W>,
    pub(super) options: WorkerOptions,
    pub(super) desk: Desk,
    seat: watch::Sender<Option<ActorRef<Msg<B::Receipt>>>>,
    subscribed: watch::Sender<bool>,
}

impl<B: WorkerBus, P, W> Shared<B, P, W> {
    pub(super) fn set_subscribed(&self, is_subscribed: bool) {
        self.subscribed.send_replace(is_subscribed);
    }
}

/// What a role actor can be told.
pub(super) enum Msg<R> {
    /// The pump brings orders.
    Arrived(Vec<Arrival<R>>),
    /// The pump has ended, and why.
    PumpEnded(String),
    /// Nobody waits for this work any more.
    Stopped(Vec<Stopped>),
    /// It is time to look who needs a heartbeat.
    Beat,
    /// Somebody asks how it goes.
    Inspect(RpcReplyPort<RoleSnapshot>),
}

/// How a role actor does, since it was started last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RoleSnapshot {
    /// The role.
    pub role: String,
    /// Work orders can arrive.
    pub is_subscribed: bool,
    /// Steps in flight.
    pub running: usize,
    /// Steps reported and settled.
    pub reported: u64,
    /// Steps whose time was over.
    pub out_of_time: u64,
    /// Steps given up because their task had ended.
    pub stopped: u64,
    /// Steps given up because another worker had taken them over.
    pub fenced: u64,
    /// Steps whose order somebody else had settled before they were reported.
    pub late: u64,
    /// Steps left to redelivery, since their report was not confirmed.
    pub unreported: u64,
    /// Steps whose runner panicked.
    pub panicked: u64,
    /// Orders that came again while their step ran.
    pub redelivered: u64,
}

/// Typed door to one role's actor, whichever incarnation lives; cheap to clone.
pub struct RoleHandle<R> {
    role: Name,
    seat: watch::Receiver<Option<ActorRef<Msg<R>>>>,
    subscribed: watch::Receiver<bool>,
}

impl<R: Send + Sync + 'static> RoleHandle<R> {
    /// The role.
    #[must_use]
    pub fn role(&self) -> &Name {
        &self.role
    }

    /// Waits until work orders can arrive; false when they still cannot after `within`.
    pub async fn subscribed(&self, within: Duration) -> bool {
        let mut subscribed = self.subscribed.clone();
        matches!(timeout(within, subscribed.wait_for(|is| *is)).await, Ok(Ok(_)))
    }

    /// How it goes; `None` when there is no answer within `within`.
    pub async fn inspect(&self, within: Duration) -> Option<RoleSnapshot> {
        let actor = self.seat.borrow().clone()?;
        match actor.call(Msg::Inspect, Some(within)).await {
            Ok(CallResult::Success(snapshot)) => Some(snapshot),
            Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => None,
        }
    }
}

impl<R> Clone for RoleHandle<R> {
    fn clone(&self) -> Self {
        Self {
            role: self.role.clone(),
            seat: self.seat.clone(),
            subscribed: self.subscribed.clone(),
        }
    }
}

impl<R> fmt::Debug for RoleHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleHandle({})", self.role)
    }
}
