//! Simulated processes: orchestrators and workers that start, die and start again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cadre_aggregator::{AggregatorOptions, AggregatorService};
use cadre_core::{breaker::Settings, ids::Name, workflow::Workflow};
use cadre_orchestrator::{Orchestrator, OrchestratorOptions, PartitionOptions};
use cadre_runtime::{
    breaker::{BreakerOptions, Breakers},
    supervise::{Options, Supervisor},
    worker::{Worker, WorkerOptions},
};
use ractor::ActorCell;

use super::{
    bus::{Shared, SimBus},
    ports::SimPacks,
    runner::{Doer, SimRunner},
};

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Partitions, intake and timers.
    Orchestrator,
    /// Every role of the packs, and the aggregator.
    Worker,
}

/// What every process is given.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The broker.
    pub shared: Arc<Shared>,
    /// Packs by revision.
    pub packs: Arc<BTreeMap<String, Arc<Workflow>>>,
    /// Who does the steps.
    pub doer: Doer,
    /// Tasks that a partition keeps in memory.
    pub cached_tasks: usize,
}

/// One process, living or dead.
#[derive(Debug)]
pub struct Process {
    kind: Kind,
    name: String,
    life: Option<Life>,
}

#[derive(Debug)]
struct Life {
    bus: SimBus,
    cells: Vec<ActorCell>,
}

impl Process {
    /// A process that is not started.
    #[must_use]
    pub fn new(kind: Kind, number: usize) -> Self {
        let name = format!("{kind:?}-{number}").to_ascii_lowercase();
        Self { kind, name, life: None }
    }

    /// Whether it is an orchestrator or a worker.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it lives.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.bus.is_alive())
    }

    /// Starts it, if it does not live.
    pub async fn start(&mut self, deployment: &Deployment) {
        if self.is_alive() {
            return;
        }
        self.crash();
        let bus = SimBus::connect(&deployment.shared);
        let cells = match self.kind {
            Kind::Orchestrator => vec![orchestrator(&bus, deployment).await],
            Kind::Worker => worker(&bus, deployment, &self.name).await,
        };
        self.life = Some(Life { bus, cells });
    }

    /// Ends it where it stands: no call of it has an effect any more.
    pub fn crash(&mut self) {
        let Some(life) = self.life.take() else { return };
        life.bus.cut();
        life.cells.iter().for_each(ActorCell::kill);
    }
}

async fn orchestrator(bus: &SimBus, deployment: &Deployment) -> ActorCell {
    let partitions = deployment.shared.world().partitions;
    let packs = SimPacks { bus: bus.clone(), packs: Arc::clone(&deployment.packs) };
    let pod = Name::new(&format!("pod-{}", bus.process)).expect("a name");
    let options = BreakerOptions { pod, settings: Settings::default() };
    let clock = bus.clone();
    let breakers = Breakers::local(options, move || clock.clock());
    let partition = PartitionOptions { cached_tasks: deployment.cached_tasks };
    let options = OrchestratorOptions { partitions, partition, breakers };
    let started = Orchestrator::start(bus.clone(), packs, options).await;
    started.expect("an orchestrator").cell()
}

async fn worker(bus: &SimBus, deployment: &Deployment, name: &str) -> Vec<ActorCell> {
    let packs = SimPacks { bus: bus.clone(), packs: Arc::clone(&deployment.packs) };
    let runner = SimRunner::new(packs.clone(), deployment.doer.clone());
    let drain = Duration::from_secs(5);
    let options = WorkerOptions { worker: name.to_owned(), in_flight: 4, drain, breakers: None };
    let worker = Worker::new(bus.clone(), packs.clone(), runner, options);
    let roles = deployment.packs.values().flat_map(|pack| pack.roles.keys().cloned());
    let children = roles.map(|role| worker.role(role).1).collect();
    let supervisor = Supervisor::start("worker", Options::default(), children, None).await;
    let options = AggregatorOptions { in_flight: 4, worker_name: name.to_owned(), drain };
    let aggregator = AggregatorService::start(bus.clone(), packs, options, None).await;
    vec![supervisor.expect("a supervisor").cell(), aggregator.expect("an aggregator").cell()]
}
