//! Starts and supervises everything that the orchestrator is made of.
//!
//! ```text
//! orchestrator ─┬─ partition-0 … partition-n   one actor each, fed by its own pump
//!               ├─ intake                      goals from the public subjects
//!               └─ timers                      fired timers into the partitions' inputs
//! ```

use std::time::Duration;

use cadre_core::{
    ids::{Partition, Partitions},
    ports::{OrchestratorBus, Packs},
};
use cadre_runtime::{
    breaker::Breakers,
    supervise::{Child, Options, RestartPolicy, Snapshot, Supervisor},
};
use ractor::{Actor, ActorCell, SpawnErr};

use crate::{
    intake::IntakeActor,
    partition::{PartitionActor, PartitionOptions},
    timers::TimersActor,
};

/// What one orchestrator process is told.
#[derive(Debug, Clone)]
pub struct OrchestratorOptions {
    /// Partitions of the deployment; from the streams.
    pub partitions: Partitions,
    /// Tunables of each partition.
    pub partition: PartitionOptions,
    /// Which roles may be given work.
    pub breakers: Breakers,
}

/// A running orchestrator; stops when told to, not when dropped.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    supervisor: Supervisor,
}

impl Orchestrator {
    /// Starts every partition, the intake and the timers.
    ///
    /// # Errors
    /// When the supervisor itself cannot start.
    pub async fn start<B: OrchestratorBus, P: Packs>(
        bus: B,
        packs: P,
        options: OrchestratorOptions,
    ) -> Result<Self, SpawnErr> {
        let mut children: Vec<_> = options
            .partitions
            .all()
            .map(|partition| partition_child((&bus, &packs), partition, &options))
            .collect();
        children.push(timers_child(&bus));
        children.push(intake_child(&bus, &packs, options.partitions));
        let restarts =
            RestartPolicy { max: 20, window: Duration::from_secs(120), ..RestartPolicy::default() };
        let supervision =
            Options { restarts, grace: Duration::from_secs(10), ..Options::default() };
        let supervisor = Supervisor::start("orchestrator", supervision, children, None).await?;
        Ok(Self { supervisor })
    }

    /// Stops intake first, then timers and partitions; what is in flight comes again elsewhere.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// The service as somebody's child, or to be killed.
    #[must_use]
    pub fn cell(&self) -> ActorCell {
        self.supervisor.cell()
    }

    /// What runs and what does not; `None` when it has stopped.
    pub async fn inspect(&self) -> Option<Snapshot> {
        self.supervisor.inspect(Duration::from_secs(1)).await
    }
}

fn partition_child<B: OrchestratorBus, P: Packs>(
    (bus, packs): (&B, &P),
    partition: Partition,
    options: &OrchestratorOptions,
) -> Child {
    let (bus, packs) = (bus.clone(), packs.clone());
    let (breakers, options) = (options.breakers.clone(), options.partition);
    Child::new(format!("partition-{partition}"), move |parent| {
        let ports = (bus.clone(), packs.clone());
        let actor = PartitionActor::new(ports, partition, options, breakers.clone());
        async move {
            let (actor, _join) = Actor::spawn_linked(None, actor, (), parent).await?;
            Ok(actor.get_cell())
        }
    })
}

fn timers_child<B: OrchestratorBus>(bus: &B) -> Child {
    let bus = bus.clone();
    Child::new("timers", move |parent| {
        let actor = TimersActor { bus: bus.clone() };
        async move {
            let (actor, _join) = Actor::spawn_linked(None, actor, (), parent).await?;
            Ok(actor.get_cell())
        }
    })
}

fn intake_child<B: OrchestratorBus, P: Packs>(bus: &B, packs: &P, partitions: Partitions) -> Child {
    let (bus, packs) = (bus.clone(), packs.clone());
    Child::new("intake", move |parent| {
        let actor = IntakeActor { bus: bus.clone(), packs: packs.clone(), partitions };
        async move {
            let (actor, _join) = Actor::spawn_linked(None, actor, (), parent).await?;
            Ok(actor.get_cell())
        }
    })
}
