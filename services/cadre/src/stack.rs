//! Starts the services of one process on a connection, and stops them in reverse order.

use std::time::Duration;

use cadre_agent::{AgentOptions, AgentService, RoleSelection};
use cadre_aggregator::{AggregatorOptions, AggregatorService};
use cadre_core::{
    breaker::Settings as BreakerSettings, ids::Name, ports::BusError,
    watch::Settings as WatchSettings,
};
use cadre_nats::{
    Grouping, breakers::KvBreakers, bus::JetStreamBus, connect::Connection, packs::KvPacks,
    watch::JetStreamWatch,
};
use cadre_orchestrator::{
    Orchestrator, OrchestratorOptions, PartitionOptions, WatchOptions, WatchService,
};
use cadre_runtime::breaker::{BreakerOptions, BreakerService, Breakers};

use crate::exit::{Code, Failure};

/// How long the services may take to be subscribed.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Which services one process runs.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Owns tasks.
    pub orchestrator: bool,
    /// Looks for what needs a person, beside the orchestrator.
    pub watch: WatchSettings,
    /// Runs these agent roles; `None` runs none.
    pub agents: Option<RoleSelection>,
    /// The final gate.
    pub aggregator: bool,
    /// Steps of each role held at once by this process.
    pub in_flight: usize,
    /// How messages travel to the broker.
    pub grouping: Grouping,
}

impl StackOptions {
    /// Everything, as in development.
    #[must_use]
    pub fn all() -> Self {
        Self {
            orchestrator: true,
            watch: WatchSettings::default(),
            agents: Some(RoleSelection::All),
            aggregator: true,
            in_flight: AgentOptions::default().in_flight,
            grouping: Grouping::Off,
        }
    }
}

/// The running services of one process.
#[derive(Clone)]
pub struct Stack {
    /// The bus that they run on.
    pub bus: JetStreamBus,
    /// The packs on it.
    pub packs: KvPacks,
    orchestrator: Option<Orchestrator>,
    breakers: Option<BreakerService>,
    watch: Option<WatchService>,
    agents: Option<AgentService<JetStreamBus>>,
    aggregator: Option<AggregatorService<JetStreamBus>>,
}

impl Stack {
    /// Starts the services; workers first, so that nobody waits for them.
    ///
    /// # Errors
    /// When the bus is not prepared, or a service does not start.
    pub async fn start(connection: &Connection, options: StackOptions) -> anyhow::Result<Self> {
        let unavailable =
            |error: &dyn std::fmt::Display| Failure::new(Code::BusUnavailable, error.to_string());
        let bus = JetStreamBus::open_with(connection, options.grouping)
            .await
            .map_err(|error| unavailable(&error))?;
        let topology = bus.streams().topology;
        let packs = KvPacks::open(connection.js.clone(), topology)
            .await
            .map_err(|error| unavailable(&error))?;
        let in_flight = options.in_flight;
        let aggregator = match options.aggregator {
            true => {
                let options = AggregatorOptions { in_flight, ..AggregatorOptions::default() };
                let (bus, packs) = (bus.clone(), packs.clone());
                Some(AggregatorService::start(bus, packs, options, None).await?)
            }
            false => None,
        };
        let agents = match options.agents {
            Some(roles) => {
                let options = AgentOptions { roles, in_flight, ..AgentOptions::default() };
                let (bus, packs) = (bus.clone(), packs.clone());
                Some(AgentService::start(bus, packs, options, None).await?)
            }
            None => None,
        };
        let (orchestrator, breakers, watch) = match options.orchestrator {
            true => {
                let pod = pod()?;
                let (shared, breakers) = breakers(connection, &bus, pod.clone()).await?;
                let watch = watch(&bus, pod, options.watch).await?;
                let partition = PartitionOptions::default();
                let options =
                    OrchestratorOptions { partitions: topology.partitions, partition, breakers };
                let ports = (bus.clone(), packs.clone());
                (Some(Orchestrator::start(ports.0, ports.1, options).await?), shared, watch)
            }
            false => (None, None, None),
        };
        let stack = Self { bus, packs, orchestrator, breakers, watch, agents, aggregator };
        stack.ready().await?;
        Ok(stack)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let late = |what: &str| {
            let text = format!("{what} was not ready within {READY_WITHIN:?}");
            anyhow::Error::from(Failure::new(Code::BusUnavailable, text))
        };
        if let Some(aggregator) = &self.aggregator
            && !aggregator.ready(READY_WITHIN).await
        {
            return Err(late("the aggregator"));
        }
        if let Some(agents) = &self.agents
            && !agents.ready(READY_WITHIN).await
        {
            return Err(late("an agent role"));
        }
        Ok(())
    }

    /// Stops everything; what is in flight comes again elsewhere.
    pub async fn stop(&self) {
        if let Some(watch) = &self.watch {
            watch.stop().await;
        }
        if let Some(orchestrator) = &self.orchestrator {
            orchestrator.stop().await;
        }
        if let Some(breakers) = &self.breakers {
            breakers.stop().await;
        }
        if let Some(agents) = &self.agents {
            agents.stop().await;
        }
        if let Some(aggregator) = &self.aggregator {
            aggregator.stop().await;
        }
    }
}

/// The breakers of this process; alone, where the bus has no board for them.
async fn breakers(
    connection: &Connection,
    bus: &JetStreamBus,
    pod: Name,
) -> anyhow::Result<(Option<BreakerService>, Breakers)> {
    let clock = bus.streams().clock.clone();
    let options = BreakerOptions { pod, settings: BreakerSettings::default() };
    match KvBreakers::open(&connection.js, clock.clone()).await {
        Ok(board) => {
            let service = BreakerService::start(board, options, None).await?;
            let breakers = service.breakers();
            Ok((Some(service), breakers))
        }
        Err(error) => {
            tracing::warn!(%error, "breakers are not shared, run `cadre bus apply`");
            Ok((None, Breakers::local(options, move || clock.now())))
        }
    }
}

/// The watch of this process; none where the bus has no stream for its alerts.
async fn watch(
    bus: &JetStreamBus,
    watcher: Name,
    settings: WatchSettings,
) -> anyhow::Result<Option<WatchService>> {
    match JetStreamWatch::open(bus).await {
        Ok(bus) => {
            let options = WatchOptions { watcher, settings };
            Ok(Some(WatchService::start(bus, options, None).await?))
        }
        Err(error @ (BusError::Refused(_) | BusError::Unavailable(_))) => {
            tracing::warn!(%error, "nobody watches from here, run `cadre bus apply`");
            Ok(None)
        }
    }
}

/// A name that no other life of a process has.
fn pod() -> anyhow::Result<Name> {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
    Ok(Name::new(&format!("pod-{random:016x}"))?)
}
