//! One partition: the actor that owns its tasks' transitions.
//!
//! ```text
//!  inputs ─► Inputs ─► decide ─► append (guarded) ─► Appended ─► apply ─► next input of the task
//!                        │             │                │
//!                        │             └── conflict ────┴─► forget, load, decide again
//!                        └─ nothing new: ack            in parallel: pay what is owed, then ack
//! ```
//!
//! At most one record per task is on its way; hundreds of tasks are, on one
//! connection. Any bus error throws the cached task away: replay is the only repair.
//! An input is acknowledged after its record is durable and its debts are paid.

mod account;
mod cache;
mod commit;
mod entry;
mod fleet;
mod load;
mod pay;
mod poison;
mod questions;
mod spans;
mod tally;

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Partition, TaskId},
    ports::{AppendError, BusError, Delivery, Inbox as _, LogHead, OrchestratorBus, Packs},
    task::Task,
};
use cadre_runtime::{breaker::Breakers, task::Linked};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use self::{
    cache::{Cache, PackCache},
    entry::{Known, Pending},
    fleet::Fleet,
    load::{LoadFailure, LoadedTask},
};

/// Tunables of every partition.
#[derive(Debug, Clone, Copy)]
pub struct PartitionOptions {
    /// Open tasks kept in memory per partition; the rest is replayed when needed. Default 1,024.
    pub cached_tasks: usize,
}

impl Default for PartitionOptions {
    fn default() -> Self {
        Self { cached_tasks: 1_024 }
    }
}

/// What a partition actor can be told.
pub(crate) enum PartitionMsg<R> {
    /// New inputs. Sent by its own pump.
    Inputs(Vec<Delivery<R>>),
    /// A log was read. Sent by itself.
    Loaded(TaskId, Box<Result<LoadedTask, LoadFailure>>),
    /// The record that leads to this state was appended, or not; the input comes back with the
    /// failure. Sent by itself.
    Appended(TaskId, Arc<Task>, AppendResult<R>),
    /// It is known what attempts have spent that end without a report: the input can be decided. Sent
    /// by itself.
    Accounted(TaskId, Box<(Known, Pending<R>)>),
    /// A debt was not paid: forget the task, so that a replay pays it. Sent by itself.
    Broken(TaskId),
    /// The pump cannot subscribe any more. Sent by its own pump.
    PumpFailed(BusError),
    /// Asks for a snapshot.
    #[expect(dead_code, reason = "nothing asks yet; every actor can be inspected")]
    Inspect(RpcReplyPort<PartitionSnapshot>),
}

/// Where the log ends now and whether the record was full; or the failure and its input.
type AppendResult<R> = Result<(LogHead, bool), Box<(AppendError, Pending<R>)>>;

/// What a partition looks like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionSnapshot {
    /// Which one.
    pub partition: Partition,
    /// Tasks in memory.
    pub cached: usize,
    /// Tasks with a record on its way.
    pub committing: usize,
    /// Tasks whose log is being read.
    pub loading: usize,
    /// Damaged tasks.
    pub quarantined: usize,
    /// Inputs that wait for their turn.
    pub queued: usize,
    /// Records appended since the actor started.
    pub appended: u64,
}

/// The behaviour; holds only what survives a restart.
pub(crate) struct PartitionActor<B, P> {
    bus: B,
    packs: P,
    partition: Partition,
    options: PartitionOptions,
    fleet: Fleet,
}

impl<B, P> PartitionActor<B, P> {
    pub(crate) fn new(
        (bus, packs): (B, P),
        partition: Partition,
        options: PartitionOptions,
        breakers: Breakers,
    ) -> Self {
        Self { bus, packs, partition, options, fleet: Fleet::new(breakers) }
    }
}

/// What a restart throws away and a replay brings back.
pub(crate) struct PartitionState<B: OrchestratorBus> {
    cache: Cache<B::Receipt>,
    packs: PackCache,
    appended: u64,
    _pump: Linked,
}

impl<B: OrchestratorBus, P: Packs> Actor for PartitionActor<B, P> {
    type Msg = PartitionMsg<B::Receipt>;
    type State = PartitionState<B>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        let pump = pump(self.bus.clone(), self.partition, myself);
        let pump = Linked::spawn("partition-pump", pump);
        let cache = Cache::new(self.options.cached_tasks);
        Ok(PartitionState { cache, packs: PackCache::default(), appended: 0, _pump: pump })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            PartitionMsg::Inputs(batch) => self.on_inputs(&myself, state, batch),
            PartitionMsg::Loaded(task, loaded) => self.on_loaded(&myself, state, &task, *loaded),
            PartitionMsg::Appended(task, decided, result) => {
                self.on_appended(&myself, state, &task, (&decided, result))?;
            }
            PartitionMsg::Accounted(task, known) => {
                self.on_accounted(&myself, state, &task, *known);
            }
            PartitionMsg::Broken(task) => self.on_broken(&myself, state, &task),
            PartitionMsg::PumpFailed(error) => return Err(error.into()),
            PartitionMsg::Inspect(reply) => {
                // The asker may have given up; its loss.
                let _ = reply.send(state.cache.snapshot(self.partition, state.appended));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        _state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // It has no child actors; ractor's default would stop it on foreign events.
        match event {
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::ProcessGroupChanged(_) => Ok(()),
        }
    }
}

/// Moves inputs from the bus to the actor. The consumer's ack limit is what bounds the mailbox.
async fn pump<B: OrchestratorBus>(
    bus: B,
    partition: Partition,
    actor: ActorRef<PartitionMsg<B::Receipt>>,
) {
    let error = loop {
        let mut inputs = match bus.inputs(partition).await {
            Ok(inputs) => inputs,
            Err(error) => break error,
        };
        loop {
            match inputs.next().await {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    if actor.cast(PartitionMsg::Inputs(batch)).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%partition, %error, "inputs were interrupted, subscribing again");
                    break;
                }
            }
        }
    };
    // The actor may be gone already, and then nobody needs to know.
    let _ = actor.cast(PartitionMsg::PumpFailed(error));
}

/// Waits before a failed load is tried again.
const RELOAD_PAUSE: Duration = Duration::from_millis(200);
