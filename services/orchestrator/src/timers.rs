//! The timer forwarder: keeps fired timers moving into their partitions' inputs.

use cadre_core::ports::{BusError, OrchestratorBus};
use cadre_runtime::task::Linked;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

/// What the timers actor can be told.
pub(crate) enum TimersMsg {
    /// Forwarding has broken down. Sent by its own task.
    Failed(BusError),
}

/// The behaviour; all its state is on the bus.
pub(crate) struct TimersActor<B> {
    pub(crate) bus: B,
}

impl<B: OrchestratorBus> Actor for TimersActor<B> {
    type Msg = TimersMsg;
    type State = Linked;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<TimersMsg>,
        (): (),
    ) -> Result<Linked, ActorProcessingErr> {
        let bus = self.bus.clone();
        Ok(Linked::spawn("timers", async move {
            if let Err(error) = bus.forward_timers().await {
                // The actor may be gone already, and then nobody needs to know.
                let _ = myself.cast(TimersMsg::Failed(error));
            }
        }))
    }

    async fn handle(
        &self,
        _myself: ActorRef<TimersMsg>,
        message: TimersMsg,
        _state: &mut Linked,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TimersMsg::Failed(error) => Err(error.into()),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<TimersMsg>,
        event: SupervisionEvent,
        _state: &mut Linked,
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
