//! The auditor: one process of the fleet writes down who did what, from the logs.
//!
//! ```text
//!  my turn? ── no ──► wait ──┐   follow the logs from where the trail has come
//!    │ yes       ▲           │     │
//!    └───────────┴───────────┘     └─► batch ─► each chain: its end, a page behind it ─► how far: with the turn
//! ```
//!
//! Every orchestrator has one; all but one only ask now and then whether it is their turn. What is written and how it
//! is bound together is decided in [`cadre_core::audit`]. Invariant: each message of a log is told of once and
//! in order, whoever writes: a page is written only behind the end that it was made for, that end says which
//! messages the chain has, and every auditor goes through a log in its order. A trail that cannot
//! be written stops and is caught up later; no task waits for it.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::{
    audit::{
        Chain, Seen, Source, Whose,
        port::{AuditBus, PageError, Standing},
    },
    ids::{Name, TaskId},
    limits::AUDIT_TENANTS_MAX,
    ports::{BusError, Inbox as _},
};
use cadre_runtime::supervise::{
    Child, JobResult, Options, RestartPolicy, Snapshot, StopOrder, Supervisor,
};
use ractor::{ActorCell, SpawnErr};
use tokio::time::{Instant, sleep, timeout_at};

/// What one auditor is told.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Name of this process among those that may audit; unique for each life of it.
    pub auditor: Name,
    /// How often it says that it is alive and how far it has come. Default 5 s.
    pub turn_every: Duration,
    /// For how long a process has the turn before another may take it. Default 20 s: several signs
    /// of life, and a gap of the broker.
    pub term: Duration,
}

impl AuditOptions {
    /// The defaults.
    #[must_use]
    pub fn new(auditor: Name) -> Self {
        let seconds = Duration::from_secs;
        Self { auditor, turn_every: seconds(5), term: seconds(20) }
    }
}

/// The auditor of one process; stops when told to, not when dropped.
#[derive(Debug, Clone)]
pub struct AuditService {
    supervisor: Supervisor,
}

impl AuditService {
    /// Starts it, under `parent` if there is one. It writes as soon as nobody else does.
    ///
    /// # Errors
    /// When its supervisor cannot start: the parent is stopping.
    pub async fn start<B: AuditBus>(
        bus: B,
        options: AuditOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, SpawnErr> {
        let child = Child::job("audit", move || run(bus.clone(), options.clone()));
        let supervision = Options {
            restarts: RestartPolicy { max: 20, ..RestartPolicy::default() },
            grace: Duration::from_secs(5),
            stop: StopOrder::Together,
        };
        Ok(Self { supervisor: Supervisor::start("audit", supervision, vec![child], parent).await? })
    }

    /// Stops it; another process takes over when the term has run out.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// How it is; `None` when it has stopped.
    pub async fn inspect(&self) -> Option<Snapshot> {
        self.supervisor.inspect(Duration::from_secs(1)).await
    }
}

/// Writes whenever nobody else does; a lost bus is waited for.
async fn run<B: AuditBus>(bus: B, options: AuditOptions) -> JobResult {
    loop {
        match try_write(&bus, &options).await {
            Ok(()) => {}
            // Somebody noted something of the same chain: begin anew behind it.
            Err(PageError::Conflict(chain)) => {
                tracing::debug!(%chain, "an audit chain has moved on");
                continue;
            }
            Err(PageError::Bus(error @ BusError::Refused(_))) => {
                tracing::error!(%error, "the audit trail cannot be written");
            }
            Err(PageError::Bus(error @ BusError::Unavailable(_))) => {
                tracing::warn!(%error, "the auditor was interrupted");
            }
        }
        sleep(options.turn_every).await;
    }
}

async fn try_write<B: AuditBus>(bus: &B, options: &AuditOptions) -> Result<(), PageError> {
    let AuditOptions { auditor, turn_every, term } = options;
    let turn = bus.turn(auditor, *term, None).await?;
    if turn.auditor != *auditor {
        return Ok(());
    }
    tracing::info!(%auditor, "writing the audit trail");
    let mut sources = bus.sources(&turn.seen).await?;
    let mut scribe = Scribe { seen: turn.seen, ..Scribe::default() };
    loop {
        let next_turn = Instant::now() + *turn_every;
        while let Ok(batch) = timeout_at(next_turn, sources.next()).await {
            scribe.take(bus, batch?).await?;
            if Instant::now() >= next_turn {
                break;
            }
        }
        if bus.turn(auditor, *term, Some(&scribe.seen)).await?.auditor != *auditor {
            tracing::warn!(%auditor, "another process writes the audit trail now");
            return Ok(());
        }
    }
}

/// What an auditor keeps in memory; everything of it can be read again.
#[derive(Debug, Default)]
struct Scribe {
    /// Up to where everything is in the trail.
    seen: Seen,
    ends: BTreeMap<Chain, Standing>,
    tenants: BTreeMap<TaskId, Name>,
}

impl Scribe {
    /// Writes what a batch tells, each chain in the batch's order.
    async fn take<B: AuditBus>(&mut self, bus: &B, batch: Vec<Source>) -> Result<(), PageError> {
        let mut chains: BTreeMap<Chain, Vec<&Source>> = BTreeMap::new();
        for source in &batch {
            let chain = self.chain(bus, source).await?;
            if !source.deeds.is_empty() {
                chains.entry(chain).or_default().push(source);
            }
        }
        for (chain, sources) in chains {
            let mut end = match self.ends.remove(&chain) {
                Some(end) => end,
                None => bus.standing(&chain).await?,
            };
            for page in end.tip.forge(&chain, sources) {
                let sequence = bus.append(&chain, &page, end.sequence).await?;
                end = Standing { tip: page.tip, sequence };
            }
            self.ends.insert(chain, end);
        }
        // Only now is all of it written: an auditor that takes over in between begins before this batch.
        for source in &batch {
            self.seen.insert(source.stream.to_string(), source.sequence);
        }
        Ok(())
    }

    /// The chain that a message is told of in; the fleet's, where nobody knows whose it is.
    async fn chain<B: AuditBus>(&mut self, bus: &B, source: &Source) -> Result<Chain, BusError> {
        let tenant = match &source.whose {
            Whose::Fleet => None,
            Whose::Tenant(tenant) => Some(tenant.clone()),
            Whose::Begins(task, tenant) => {
                if self.tenants.len() >= AUDIT_TENANTS_MAX {
                    self.tenants.clear();
                }
                self.tenants.insert(task.clone(), tenant.clone());
                Some(tenant.clone())
            }
            Whose::Task(_) | Whose::Ends(_) if source.deeds.is_empty() => None,
            Whose::Task(task) => match self.tenants.get(task) {
                Some(tenant) => Some(tenant.clone()),
                None => bus.tenant(task).await?,
            },
            Whose::Ends(task) => match self.tenants.remove(task) {
                Some(tenant) => Some(tenant),
                None => bus.tenant(task).await?,
            },
        };
        Ok(tenant.map_or(Chain::Fleet, Chain::Tenant))
    }
}

#[cfg(test)]
mod tests;
