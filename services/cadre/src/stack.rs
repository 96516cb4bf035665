//! Starts the services of one process on a connection, and stops them in reverse order.

use std::time::Duration;

use cadre_agent::{AgentOptions, AgentService, RoleSelection};
use cadre_aggregator::{AggregatorOptions, AggregatorService};
use cadre_nats::{Grouping, bus::JetStreamBus, connect::Connection, packs::KvPacks};
use cadre_orchestrator::{Orchestrator, OrchestratorOptions, PartitionOptions};

use crate::exit::{Code, Failure};

/// How long the services may take to be subscribed.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Which services one process runs.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Owns tasks.
    pub orchestrator: bool,
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
        let orchestrator = match options.orchestrator {
            true => {
                let options = OrchestratorOptions {
                    partitions: topology.partitions,
                    partition: PartitionOptions::default(),
                };
                Some(Orchestrator::start(bus.clone(), packs.clone(), options).await?)
            }
            false => None,
        };
        let stack = Self { bus, packs, orchestrator, agents, aggregator };
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
        if let Some(orchestrator) = &self.orchestrator {
            orchestrator.stop().await;
        }
        if let Some(agents) = &self.agents {
            agents.stop().await;
        }
        if let Some(aggregator) = &self.aggregator {
            aggregator.stop().await;
        }
    }
}
