//! Starts the services of one process on a connection, and stops them in reverse order.

mod actors;
mod share;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use cadre_agent::{AgentOptions, AgentService, RoleSelection, StartError};
use cadre_aggregator::{AggregatorOptions, AggregatorService};
use cadre_core::{
    breaker::Settings as BreakerSettings, fleet::Member, ids::Name, ports::BusError,
    watch::Settings as WatchSettings,
};
use cadre_edge::{
    EdgeError, EdgeOptions, EdgeService,
    http::{Auth, HttpOptions, JwtOptions, Jwts},
    model::ModelOptions,
};
use cadre_inference::{Gateway, GatewayTerms, InferenceService, Providers, ServiceOptions};
use cadre_nats::{
    Grouping,
    breakers::KvBreakers,
    bus::JetStreamBus,
    connect::Connection,
    desk::JetStreamDesk,
    fleet::{Fleet, JoinError, Membership},
    history::JetStreamHistory,
    packs::KvPacks,
    trail::JetStreamTrail,
    watch::JetStreamWatch,
};
use cadre_orchestrator::{
    AuditOptions, AuditService, Orchestrator, OrchestratorOptions, PartitionOptions, WatchOptions,
    WatchService,
};
use cadre_runtime::{
    breaker::{BreakerOptions, BreakerService, Breakers},
    metrics::table,
    task::Linked,
};

use crate::{
    exit::{Code, Failure},
    settings::ModelSettings,
};

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
    /// Asks models for the roles, with these providers; `None` leaves it to other processes.
    pub inference: Option<ModelSettings>,
    /// Serves HTTP; `None` leaves it to other processes.
    pub edge: Option<EdgePlan>,
    /// When breakers of roles, models and tools open; the same on all pods.
    pub breakers: BreakerSettings,
    /// Steps of each role held at once by this process.
    pub in_flight: usize,
    /// How messages travel to the broker.
    pub grouping: Grouping,
}

/// How one process serves HTTP.
#[derive(Debug, Clone)]
pub struct EdgePlan {
    /// Where, and its limits.
    pub http: HttpOptions,
    /// Lets everybody in, as this user of this tenant; `None` asks for credentials.
    pub open_as: Option<(Name, String)>,
    /// The issuer of JWTs that count as well.
    pub oidc: Option<JwtOptions>,
    /// Where the read model is kept.
    pub model: ModelOptions,
}

impl StackOptions {
    /// Everything but HTTP, as in development; of providers only the simulated one.
    #[must_use]
    pub fn all() -> Self {
        Self {
            orchestrator: true,
            watch: WatchSettings::default(),
            agents: Some(RoleSelection::All),
            aggregator: true,
            inference: Some(ModelSettings::default()),
            edge: None,
            breakers: BreakerSettings::default(),
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
    membership: Option<Arc<Membership>>,
    orchestrator: Option<Orchestrator>,
    breakers: Option<BreakerService>,
    watch: Option<WatchService>,
    audit: Option<AuditService>,
    agents: Option<AgentService<JetStreamBus>>,
    aggregator: Option<AggregatorService<JetStreamBus>>,
    inference: Option<InferenceService<JetStreamBus, KvPacks>>,
    edge: Option<EdgeService>,
    telling: Option<Arc<Linked>>,
    /// Only of an orchestrator in a fleet.
    sharing: Option<Arc<Linked>>,
}

impl Stack {
    /// Starts the services; workers first, so that nobody waits for them.
    ///
    /// # Errors
    /// When the bus is not prepared, or a service does not start.
    pub async fn start(connection: &Connection, options: StackOptions) -> anyhow::Result<Self> {
        let (bus, packs) = opened(connection, options.grouping).await?;
        let id = instance()?;
        let membership = join(connection, &bus, &id, &options).await?;
        let in_flight = options.in_flight;
        let shared = match needs_breakers(&options) {
            true => Some(breakers(connection, &bus, (id.clone(), options.breakers)).await?),
            false => None,
        };
        let inference = match (options.inference, &shared) {
            (Some(models), Some((_, breakers))) => {
                Some(inference((&bus, &packs), (&id, breakers), models).await?)
            }
            (Some(_) | None, Some(_) | None) => None,
        };
        let aggregator = match options.aggregator {
            true => Some(aggregator(&bus, &packs, (&id, in_flight)).await?),
            false => None,
        };
        let agents = match options.agents {
            Some(roles) => {
                let breakers = shared.as_ref().map(|(_, breakers)| breakers.clone());
                Some(agents(&bus, &packs, &id, (roles, in_flight, breakers)).await?)
            }
            None => None,
        };
        let (orchestrator, watch, audit) = match &shared {
            Some((_, breakers)) if options.orchestrator => {
                let watch = watch(&bus, id.clone(), options.watch).await?;
                let orchestrator = orchestrator(&bus, &packs, breakers).await?;
                (Some(orchestrator), watch, audit(&bus, id).await?)
            }
            Some(_) | None => (None, None, None),
        };
        let edge = match options.edge {
            Some(plan) => Some(edge(&bus, &packs, plan).await?),
            None => None,
        };
        let mut stack = Self {
            bus,
            packs,
            membership,
            orchestrator,
            breakers: shared.and_then(|(service, _)| service),
            watch,
            audit,
            agents,
            aggregator,
            inference,
            edge,
            telling: None,
            sharing: None,
        };
        stack.ready().await?;
        stack.sharing = stack.divide();
        let membership = stack.membership.clone();
        stack.telling = membership.map(|own| Arc::new(actors::tell(stack.clone(), own)));
        stack.say(1);
        Ok(stack)
    }

    /// Has an orchestrator in a fleet leave others their share of the partitions.
    fn divide(&self) -> Option<Arc<Linked>> {
        let (_, own) = self.orchestrator.as_ref().zip(self.membership.as_ref())?;
        Some(Arc::new(share::divide(own.fleet().clone(), &self.bus)))
    }

    /// Says which services run here.
    fn say(&self, up: u64) {
        let services = [
            (self.orchestrator.is_some(), "orchestrator"),
            (self.agents.is_some(), "agent"),
            (self.aggregator.is_some(), "aggregator"),
            (self.inference.is_some(), "inference"),
            (self.edge.is_some(), "edge"),
        ];
        for (_, service) in services.into_iter().filter(|(is_run, _)| *is_run) {
            table::UP.set(&[service], up);
        }
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
        if let Some(inference) = &self.inference
            && !inference.ready(READY_WITHIN).await
        {
            return Err(late("the inference gateway"));
        }
        Ok(())
    }

    /// Where this process serves HTTP; `None` when it does not.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.edge.as_ref().map(EdgeService::address)
    }

    /// Resolves when this process must serve no longer, with the reason; mostly never.
    pub async fn expelled(&self) -> anyhow::Error {
        match &self.membership {
            Some(membership) => incompatible(&membership.expelled().await).into(),
            None => std::future::pending().await,
        }
    }

    /// Stops everything; what is in flight comes again elsewhere.
    pub async fn stop(&self) {
        self.say(0);
        self.telling.iter().chain(&self.sharing).for_each(|task| task.abort());
        if let Some(edge) = &self.edge {
            edge.stop().await;
        }
        if let Some(watch) = &self.watch {
            watch.stop().await;
        }
        if let Some(orchestrator) = &self.orchestrator {
            orchestrator.stop().await;
        }
        if let Some(audit) = &self.audit {
            audit.stop().await;
        }
        if let Some(agents) = &self.agents {
            agents.stop().await;
        }
        if let Some(inference) = &self.inference {
            inference.stop().await;
        }
        if let Some(breakers) = &self.breakers {
            breakers.stop().await;
        }
        if let Some(aggregator) = &self.aggregator {
            aggregator.stop().await;
        }
        if let Some(membership) = &self.membership {
            membership.leave().await;
        }
    }
}

/// A name that no other process has.
fn instance() -> anyhow::Result<Name> {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), ());
    Ok(Name::new(&format!("pod-{random:016x}"))?)
}

/// Says that this process serves, before it does; alone, where the bus knows of no fleet.
async fn join(
    connection: &Connection,
    bus: &JetStreamBus,
    id: &Name,
    options: &StackOptions,
) -> anyhow::Result<Option<Arc<Membership>>> {
    let services = [
        (options.orchestrator, "orchestrator"),
        (options.agents.is_some(), "agent"),
        (options.aggregator, "aggregator"),
        (options.inference.is_some(), "inference"),
        (options.edge.is_some(), "edge"),
    ];
    let services = services.into_iter().filter(|(is_run, _)| *is_run);
    let services = services.map(|(_, name)| name.to_owned()).collect();
    let fleet = match Fleet::open(&connection.js, bus.streams().clock.clone()).await {
        Ok(fleet) => fleet,
        Err(error) => {
            tracing::warn!(%error, "members are not known to each other, run `cadre bus apply`");
            return Ok(None);
        }
    };
    let member = Member::new(id.clone(), &connection.wire.release(), services);
    match fleet.join(member, connection.wire.clone()).await {
        Ok(membership) => Ok(Some(Arc::new(membership))),
        Err(error) => Err(incompatible(&error).into()),
    }
}

fn incompatible(error: &JoinError) -> Failure {
    let code = match error {
        JoinError::Lacks { .. } => Code::Incompatible,
        JoinError::Bus(_) => Code::BusUnavailable,
    };
    Failure::new(code, error.to_string())
}

/// Roles were named that this process cannot serve, or the bus is not there.
fn not_started(error: &StartError) -> Failure {
    let code = match error {
        StartError::Unknown { .. } => Code::NotFound,
        StartError::Remote { .. } => Code::Usage,
        StartError::Packs(_) => Code::BusUnavailable,
        StartError::Spawn(_) => Code::Error,
    };
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    Failure::new(code, format!("{error}{}", cause.unwrap_or_default()))
}

fn unavailable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Code::BusUnavailable, error.to_string())
}

async fn agents(
    bus: &JetStreamBus,
    packs: &KvPacks,
    id: &Name,
    (roles, in_flight, breakers): (RoleSelection, usize, Option<Breakers>),
) -> anyhow::Result<AgentService<JetStreamBus>> {
    let worker_name = id.to_string();
    let options =
        AgentOptions { roles, in_flight, worker_name, breakers, ..AgentOptions::default() };
    let started = AgentService::start(bus.clone(), packs.clone(), options, None).await;
    Ok(started.map_err(|error| not_started(&error))?)
}

async fn aggregator(
    bus: &JetStreamBus,
    packs: &KvPacks,
    (id, in_flight): (&Name, usize),
) -> anyhow::Result<AggregatorService<JetStreamBus>> {
    let worker_name = id.to_string();
    let options = AggregatorOptions { in_flight, worker_name, ..AggregatorOptions::default() };
    Ok(AggregatorService::start(bus.clone(), packs.clone(), options, None).await?)
}

async fn orchestrator(
    bus: &JetStreamBus,
    packs: &KvPacks,
    breakers: &Breakers,
) -> anyhow::Result<Orchestrator> {
    let options = OrchestratorOptions {
        partitions: bus.streams().topology.partitions,
        partition: PartitionOptions::default(),
        breakers: breakers.clone(),
    };
    Ok(Orchestrator::start(bus.clone(), packs.clone(), options).await?)
}

/// The gateway of this process, with the providers that have what they need.
async fn inference(
    (bus, packs): (&JetStreamBus, &KvPacks),
    (pod, breakers): (&Name, &Breakers),
    models: ModelSettings,
) -> anyhow::Result<InferenceService<JetStreamBus, KvPacks>> {
    let terms = GatewayTerms {
        pod: pod.clone(),
        packs: packs.clone(),
        providers: Providers::open(&models.providers)?,
        simulated: models.simulated,
        rates: models.rates,
        breakers: breakers.clone(),
    };
    let (gateway, options) = (Gateway::new(terms)?, ServiceOptions::default());
    Ok(InferenceService::start(bus.clone(), gateway, options, None).await?)
}

/// The HTTP side of this process.
async fn edge(bus: &JetStreamBus, packs: &KvPacks, plan: EdgePlan) -> anyhow::Result<EdgeService> {
    let desk = JetStreamDesk::open(bus, packs).await;
    let auth = match plan.open_as {
        Some((tenant, user)) => Auth::Open { tenant, user, nonce: rand::random() },
        None if !desk.has_tokens() && plan.oidc.is_none() => {
            let text = "the bus has no bucket of API tokens: run `cadre bus apply`";
            return Err(Failure::new(Code::BusUnavailable, text).into());
        }
        None => Auth::Closed { jwts: plan.oidc.map(Jwts::new).transpose()? },
    };
    let options = EdgeOptions { http: plan.http, auth, model: plan.model };
    let ports = (JetStreamHistory::new(bus), packs.clone());
    let webhooks = desk.webhook_bus();
    let started = EdgeService::start((Arc::new(desk), webhooks), ports, options, None).await;
    started.map_err(|error| match error {
        error @ (EdgeError::Open(_) | EdgeError::Listen { .. }) => {
            Failure::new(Code::Usage, format!("{:#}", anyhow::Error::from(error))).into()
        }
        error @ (EdgeError::Model(_) | EdgeError::Spawn(_)) => error.into(),
    })
}

/// The streams and the packs that all services share.
async fn opened(
    connection: &Connection,
    grouping: Grouping,
) -> anyhow::Result<(JetStreamBus, KvPacks)> {
    let bus = JetStreamBus::open_with(connection, grouping).await;
    let bus = bus.map_err(|error| unavailable(&error))?;
    let packs = KvPacks::open(connection.js.clone(), bus.streams().topology).await;
    Ok((bus, packs.map_err(|error| unavailable(&error))?))
}

/// Whether anybody in this process calls something that can be left alone: roles, models or tools.
fn needs_breakers(options: &StackOptions) -> bool {
    options.orchestrator || options.inference.is_some() || options.agents.is_some()
}

/// The breakers of this process; alone, where the bus has no board for them.
async fn breakers(
    connection: &Connection,
    bus: &JetStreamBus,
    (pod, settings): (Name, BreakerSettings),
) -> anyhow::Result<(Option<BreakerService>, Breakers)> {
    let clock = bus.streams().clock.clone();
    let options = BreakerOptions { pod, settings };
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

/// The auditor of this process; none where the bus has no stream for the trail.
async fn audit(bus: &JetStreamBus, auditor: Name) -> anyhow::Result<Option<AuditService>> {
    match JetStreamTrail::open(bus).await {
        Ok(bus) => {
            let options = AuditOptions::new(auditor);
            Ok(Some(AuditService::start(bus, options, None).await?))
        }
        Err(error @ (BusError::Refused(_) | BusError::Unavailable(_))) => {
            tracing::warn!(%error, "nobody audits from here, run `cadre bus apply`");
            Ok(None)
        }
    }
}
