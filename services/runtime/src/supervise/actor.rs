//! The supervisor's shell.

use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent,
};
use tokio::time::Instant;

use super::{
    AddError, Child, ChildSnapshot, ChildState, Options, RestartBudget, Snapshot, StopOrder,
};

/// What ractor says of an actor that did not end by its own will.
const UNNATURAL: [&str; 2] = ["killed", "actor_task_cancelled"];

pub(super) enum Msg {
    /// Starts one more child.
    Add(Child, RpcReplyPort<Result<(), AddError>>),
    /// Starts a failed child anew, once its pause is over. Sent by itself.
    Restart(usize),
    /// Asks how the children are.
    Inspect(RpcReplyPort<Snapshot>),
}

pub(super) struct SupervisorActor {
    name: String,
    options: Options,
}

struct Slot {
    child: Child,
    run: Run,
    budget: RestartBudget,
    restarts: u32,
    last_error: Option<String>,
}

enum Run {
    Running(ActorCell),
    Restarting,
    Parked,
    Ended,
}

impl Run {
    fn is(&self, id: ActorId) -> bool {
        matches!(self, Self::Running(cell) if cell.get_id() == id)
    }

    fn state(&self) -> ChildState {
        match self {
            Self::Running(_) => ChildState::Running,
            Self::Restarting => ChildState::Restarting,
            Self::Parked => ChildState::Parked,
            Self::Ended => ChildState::Ended,
        }
    }
}

/// The children in start order; a slot is never removed, so its index names it.
#[derive(Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    fn owner_of(&self, id: ActorId) -> Option<usize> {
        self.0.iter().position(|slot| slot.run.is(id))
    }
}

impl SupervisorActor {
    pub(super) fn new(name: &str, options: Options) -> Self {
        Self { name: name.to_owned(), options }
    }

    async fn add(
        &self,
        myself: &ActorRef<Msg>,
        slots: &mut Slots,
        child: Child,
    ) -> Result<(), AddError> {
        if slots.0.iter().any(|slot| slot.child.name == child.name) {
            return Err(AddError::Duplicate { supervisor: self.name.clone(), child: child.name });
        }
        slots.0.push(Slot {
            child,
            run: Run::Restarting,
            budget: RestartBudget::new(self.options.restarts),
            restarts: 0,
            last_error: None,
        });
        self.start(myself, slots, slots.0.len().saturating_sub(1)).await;
        Ok(())
    }

    async fn start(&self, myself: &ActorRef<Msg>, slots: &mut Slots, index: usize) {
        let Some(slot) = slots.0.get_mut(index) else { return };
        match (slot.child.start)(myself.get_cell()).await {
            Ok(cell) => slot.run = Run::Running(cell),
            Err(error) => self.on_failure(myself, slots, index, &error.to_string()),
        }
    }

    async fn on_restart(&self, myself: &ActorRef<Msg>, slots: &mut Slots, index: usize) {
        if let Some(slot) = slots.0.get_mut(index) {
            slot.restarts = slot.restarts.saturating_add(1);
        }
        self.start(myself, slots, index).await;
    }

    /// Schedules a restart within the child's budget, or parks the child.
    fn on_failure(&self, myself: &ActorRef<Msg>, slots: &mut Slots, index: usize, error: &str) {
        let Some(slot) = slots.0.get_mut(index) else { return };
        let (supervisor, child) = (self.name.as_str(), slot.child.name.as_str());
        slot.last_error = Some(error.to_owned());
        let Some(pause) = slot.budget.take(Instant::now()) else {
            slot.run = Run::Parked;
            tracing::error!(supervisor, child, error, "child parked, its restarts are spent");
            return;
        };
        slot.run = Run::Restarting;
        tracing::warn!(supervisor, child, error, ?pause, "child failed, restart scheduled");
        drop(myself.send_after(pause, move || Msg::Restart(index)));
    }

    /// Waits until the child has stopped; kills it when that takes too long.
    async fn await_end(&self, slot: &mut Slot, deadline: Instant) {
        let Run::Running(cell) = &slot.run else { return };
        let left = deadline.saturating_duration_since(Instant::now());
        if cell.wait(Some(left)).await.is_err() {
            let (supervisor, child) = (self.name.as_str(), slot.child.name.as_str());
            tracing::warn!(supervisor, child, "child killed, it did not stop in time");
            cell.kill();
        }
        slot.end();
    }

    fn inspect(&self, slots: &Slots) -> Snapshot {
        let children = slots.0.iter().map(|slot| ChildSnapshot {
            name: slot.child.name.clone(),
            state: slot.run.state(),
            restarts: slot.restarts,
            last_error: slot.last_error.clone(),
        });
        Snapshot { name: self.name.clone(), children: children.collect() }
    }
}

impl Actor for SupervisorActor {
    type Msg = Msg;
    type State = Slots;
    type Arguments = Vec<Child>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        children: Vec<Child>,
    ) -> Result<Slots, ActorProcessingErr> {
        let mut slots = Slots::default();
        for child in children {
            self.add(&myself, &mut slots, child).await?;
        }
        Ok(slots)
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        slots: &mut Slots,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Add(child, reply) => {
                let added = self.add(&myself, slots, child).await;
                // Whoever asked may be gone by now; the child stays.
                let _ = reply.send(added);
            }
            Msg::Restart(index) => self.on_restart(&myself, slots, index).await,
            Msg::Inspect(reply) => {
                // Whoever asked may have lost patience.
                let _ = reply.send(self.inspect(slots));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Msg>,
        event: SupervisionEvent,
        slots: &mut Slots,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                if let Some(index) = slots.owner_of(cell.get_id()) {
                    self.on_failure(&myself, slots, index, &error.to_string());
                }
            }
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                let Some(index) = slots.owner_of(cell.get_id()) else { return Ok(()) };
                match reason.filter(|reason| UNNATURAL.contains(&reason.as_str())) {
                    Some(reason) => self.on_failure(&myself, slots, index, &reason),
                    None => slots.0.iter_mut().skip(index).take(1).for_each(Slot::end),
                }
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Msg>,
        slots: &mut Slots,
    ) -> Result<(), ActorProcessingErr> {
        match self.options.stop {
            StopOrder::OneByOne => {
                for slot in slots.0.iter_mut().rev() {
                    slot.ask_to_stop();
                    self.await_end(slot, Instant::now() + self.options.grace).await;
                }
            }
            StopOrder::Together => {
                let deadline = Instant::now() + self.options.grace;
                slots.0.iter().rev().for_each(Slot::ask_to_stop);
                for slot in slots.0.iter_mut().rev() {
                    self.await_end(slot, deadline).await;
                }
            }
        }
        Ok(())
    }
}

impl Slot {
    fn ask_to_stop(&self) {
        if let Run::Running(cell) = &self.run {
            cell.stop(Some("supervisor stops".to_owned()));
        }
    }

    fn end(&mut self) {
        self.run = Run::Ended;
    }
}
