//! The way in: goals from the public subjects, checked, named, pinned to a pack, handed over.
//!
//! A goal is acknowledged only when its partition's input stream has it, or when its
//! publisher was told why not and the message is kept as a dead letter: never silence.
//! Many are in flight at once; the consumer's ack limit is the bound.

mod admit;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use cadre_core::{
    ids::{Name, Partitions, TaskId},
    limits::{DELIVERIES_MAX, GOALS_WAITING_MAX},
    ports::{BusError, Crowd, Inbox as _, LoadError, OrchestratorBus, Packs, RawGoal},
    task::Goal,
    workflow::Workflow,
};
use cadre_runtime::{
    metrics::table,
    task::{Linked, panic_text, spawn},
    trace,
};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tracing::Span;

pub(crate) use admit::conflict;
use admit::{Address, Admitted, Rejected, admit, overloaded, poison};

/// What becomes of one goal.
enum Fate {
    /// It becomes a task.
    Admit(Box<Goal>),
    /// Its publisher hears why not.
    Reject(Box<Rejected>),
    /// It stays where it is: this role has too much to do.
    Wait(Name),
}

/// What the intake actor can be told.
pub(crate) enum IntakeMsg<R> {
    /// New goals. Sent by its own pump.
    Goals(Vec<RawGoal<R>>),
    /// The pump cannot subscribe any more. Sent by its own pump.
    PumpFailed(BusError),
}

/// The behaviour; the intake keeps no state of its own.
pub(crate) struct IntakeActor<B, P> {
    pub(crate) bus: B,
    pub(crate) packs: P,
    pub(crate) partitions: Partitions,
}

/// Its pump, stopped with it.
pub(crate) struct IntakeState {
    _pump: Linked,
}

impl<B: OrchestratorBus, P: Packs> Actor for IntakeActor<B, P> {
    type Msg = IntakeMsg<B::Receipt>;
    type State = IntakeState;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        (): (),
    ) -> Result<IntakeState, ActorProcessingErr> {
        let pump = pump(self.bus.clone(), myself);
        Ok(IntakeState { _pump: Linked::spawn("intake-pump", pump) })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        _state: &mut IntakeState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            IntakeMsg::Goals(goals) => {
                for goal in goals {
                    let (bus, packs) = (self.bus.clone(), self.packs.clone());
                    let partitions = self.partitions;
                    spawn("intake-goal", async move {
                        take(&bus, &packs, partitions, goal).await;
                    });
                }
                Ok(())
            }
            IntakeMsg::PumpFailed(error) => Err(error.into()),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        _state: &mut IntakeState,
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

async fn pump<B: OrchestratorBus>(bus: B, actor: ActorRef<IntakeMsg<B::Receipt>>) {
    let error = loop {
        let mut goals = match bus.goals().await {
            Ok(goals) => goals,
            Err(error) => break error,
        };
        loop {
            match goals.next().await {
                Ok(batch) if batch.is_empty() => {}
                Ok(batch) => {
                    if actor.cast(IntakeMsg::Goals(batch)).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "goals were interrupted, subscribing again");
                    break;
                }
            }
        }
    };
    // The actor may be gone already, and then nobody needs to know.
    let _ = actor.cast(IntakeMsg::PumpFailed(error));
}

/// Admits or rejects one goal. A bus error leaves it to be delivered again.
async fn take<B: OrchestratorBus, P: Packs>(
    bus: &B,
    packs: &P,
    partitions: Partitions,
    goal: RawGoal<B::Receipt>,
) {
    if goal.deliveries > 1 {
        table::REDELIVERIES.add(&["goal"], 1);
    }
    let settled = match decide(bus, packs, &goal).await {
        Err(error) => Err(error),
        Ok(Fate::Wait(role)) => {
            tracing::debug!(%role, subject = goal.subject, "goal waits, its role has too much to do");
            table::GOALS_DEFERRED.add(&[role.as_str()], 1);
            bus.later(goal.receipt).await;
            Ok(())
        }
        Ok(Fate::Admit(mut admitted)) => {
            let span = begin_trace(&mut admitted);
            let submitted = bus.submit(Arc::new(*admitted)).await;
            if submitted.is_ok() {
                bus.ack(goal.receipt).await;
            }
            drop(span);
            submitted
        }
        Ok(Fate::Reject(rejected)) => reject(bus, partitions, goal, *rejected).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, "goal was not taken in, later again");
    }
}

async fn decide<B: OrchestratorBus, P: Packs>(
    bus: &B,
    packs: &P,
    goal: &RawGoal<B::Receipt>,
) -> Result<Fate, BusError> {
    let address = match Address::parse(&goal.subject) {
        Ok(address) => address,
        Err(rejected) => return Ok(Fate::Reject(rejected)),
    };
    let workflow = match packs.current(&address.workflow).await {
        Ok(workflow) => workflow,
        Err(BusError::Refused(why)) if goal.deliveries >= DELIVERIES_MAX => {
            return Ok(Fate::Reject(poison(&address, goal, &why)));
        }
        Err(error) => return Err(error),
    };
    let checks = || admit(&address, goal, workflow.as_deref(), bus.now());
    // What it borrows is only read: a panic leaves nothing half done.
    match catch_unwind(AssertUnwindSafe(checks)) {
        Ok(Ok(Admitted { goal: admitted, late: None })) => Ok(match workflow {
            Some(workflow) => room_for(bus, &workflow, (&address, goal), admitted),
            None => Fate::Admit(admitted.into()),
        }),
        Ok(Ok(Admitted { goal, late: Some(late) })) => {
            let is_known = is_known(bus, &goal.task).await?;
            Ok(if is_known { Fate::Admit(goal.into()) } else { Fate::Reject(late) })
        }
        Ok(Err(rejected)) => Ok(Fate::Reject(rejected)),
        Err(panic) => {
            let why = format!("its checks panicked: {}", panic_text(&*panic));
            if goal.deliveries >= DELIVERIES_MAX {
                return Ok(Fate::Reject(poison(&address, goal, &why)));
            }
            Err(BusError::Refused(why))
        }
    }
}

/// Admits a goal while those who will work on it keep up; one that has waited too long is refused, or
/// that would wait behind too many.
fn room_for<B: OrchestratorBus>(
    bus: &B,
    workflow: &Workflow,
    (address, raw): (&Address, &RawGoal<B::Receipt>),
    goal: Goal,
) -> Fate {
    let Some(Crowd { role, may_wait }) = bus.crowded(workflow) else {
        return Fate::Admit(goal.into());
    };
    let waited = bus.now().since(raw.stored_at);
    if waited >= workflow.limits.deadline {
        let why = format!("it waited for {} s, and role {role} still has", waited.as_secs());
        return Fate::Reject(overloaded(address, &goal.key, &why));
    }
    if may_wait {
        return Fate::Wait(role);
    }
    // Goals of others need the room.
    let why = format!("{GOALS_WAITING_MAX} goals wait already, and role {role} has");
    Fate::Reject(overloaded(address, &goal.key, &why))
}

/// Whether the task has a log, whole or not: a goal that is repeated after its deadline is no new one.
async fn is_known<B: OrchestratorBus>(bus: &B, task: &TaskId) -> Result<bool, BusError> {
    match bus.load(task).await {
        Ok(loaded) => Ok(!loaded.records.is_empty()),
        Err(LoadError::Bus(error)) => Err(error),
        Err(LoadError::Damaged { .. } | LoadError::TooNew { .. }) => Ok(true),
    }
}

/// Hangs the task on a span of its own, so that it has one trace even if its publisher has none.
/// Nothing, at no cost, while nothing is exported.
fn begin_trace(goal: &mut Goal) -> Span {
    if !trace::is_exporting() {
        return Span::none();
    }
    let span = tracing::debug_span!("intake", task = %goal.task, workflow = %goal.workflow);
    trace::adopt(&span, goal.trace.as_deref());
    goal.trace = span.in_scope(trace::current_traceparent).or(goal.trace.take());
    span
}

async fn reject<B: OrchestratorBus>(
    bus: &B,
    partitions: Partitions,
    goal: RawGoal<B::Receipt>,
    rejected: Rejected,
) -> Result<(), BusError> {
    let Some(partition) = partitions.all().next() else { return Ok(()) };
    tracing::info!(subject = goal.subject, code = rejected.code, "goal was rejected");
    table::GOALS_REJECTED.add(&[rejected.code], 1);
    table::DEAD_LETTERS_KEPT.add(&["goal"], 1);
    bus.reject(&rejected.tenant, rejected.document(&goal.subject, goal.sequence)).await?;
    bus.bury(goal.receipt, partition, format!("{}: {}", rejected.code, rejected.message)).await
}
