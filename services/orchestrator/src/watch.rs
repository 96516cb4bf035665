//! The watch: one process of the fleet looks for what needs a person, and says so.
//!
//! ```text
//!  lead? ── no ──► wait ──┐      follow the logs until the next look
//!    │ yes   ▲            │        │
//!    ▼       └────────────┘        ▼
//!  read open alerts ─► open logs ─► look: survey, replay suspects, judge, post ─► lead still?
//! ```
//!
//! Every orchestrator has one; all but one only ask now and then whether they may lead. What is wrong
//! is decided in [`cadre_core::watch`]; alerts stand on the bus, so whoever leads next goes on with them.
//! Invariant: it takes no message from anybody and changes no task. A bus that does not answer ends
//! nothing: what could not be looked at keeps its alert.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    limits::EXAMINED_MAX,
    ports::{BusError, Inbox as _, LoadError},
    task::Task,
    time::UnixMillis,
    watch::{
        Alarms, Alert, Examined, Key, Queues, Settings, Severity, StreamFill, Survey, Tracker,
        examine,
        examine::{is_overdue, unreadable},
        port::{PostError, WatchBus},
    },
};
use cadre_runtime::{
    metrics::{self, table},
    supervise::{Child, JobResult, Options, RestartPolicy, Snapshot, StopOrder, Supervisor},
};
use ractor::{ActorCell, SpawnErr};
use tokio::time::{Instant, sleep, timeout_at};

/// What one watch is told.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// Name of this process among those that may watch; unique for each life of it.
    pub watcher: Name,
    /// When it speaks up.
    pub settings: Settings,
}

/// The watch of one process; stops when told to, not when dropped.
#[derive(Debug, Clone)]
pub struct WatchService {
    supervisor: Supervisor,
}

impl WatchService {
    /// Starts it, under `parent` if there is one. It leads as soon as nobody else does.
    ///
    /// # Errors
    /// When its supervisor cannot start: the parent is stopping.
    pub async fn start<B: WatchBus>(
        bus: B,
        options: WatchOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, SpawnErr> {
        let child = Child::job("watch", move || run(bus.clone(), options.clone()));
        let supervision = Options {
            restarts: RestartPolicy { max: 20, ..RestartPolicy::default() },
            grace: Duration::from_secs(5),
            stop: StopOrder::Together,
        };
        Ok(Self { supervisor: Supervisor::start("watch", supervision, vec![child], parent).await? })
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

/// Leads whenever nobody else does; a lost bus is waited for.
async fn run<B: WatchBus>(bus: B, options: WatchOptions) -> JobResult {
    loop {
        if let Err(error) = try_lead(&bus, &options).await {
            tracing::warn!(%error, "the watch was interrupted");
        }
        metrics::watch_is_over();
        sleep(options.settings.look_every).await;
    }
}

async fn try_lead<B: WatchBus>(bus: &B, options: &WatchOptions) -> Result<(), WatchError> {
    let Settings { look_every, term, .. } = options.settings;
    if bus.lead(&options.watcher, term).await?.watcher != options.watcher {
        return Ok(());
    }
    tracing::info!(watcher = %options.watcher, "watching the fleet");
    let mut watch = Watch::resume(bus, options.settings).await?;
    let mut records = bus.records().await?;
    loop {
        let next_look = Instant::now() + look_every;
        let mut lag = Duration::ZERO;
        while let Ok(batch) = timeout_at(next_look, records.next()).await {
            for digest in batch? {
                lag = bus.now().since(digest.at);
                watch.tracker.take(digest, &options.settings);
            }
            if Instant::now() >= next_look {
                break;
            }
        }
        if bus.lead(&options.watcher, term).await?.watcher != options.watcher {
            tracing::warn!(watcher = %options.watcher, "another process watches now");
            return Ok(());
        }
        table::PROJECTION_LAG.set(&["watch"], lag.as_secs());
        watch.look(bus).await?;
    }
}

/// Why a watch begins anew.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Post(#[from] PostError),
}

/// What a watch that leads keeps in memory; everything of it can be read again.
struct Watch {
    settings: Settings,
    tracker: Tracker,
    queues: Queues,
    alarms: Alarms,
    /// Where the open alerts stand on the bus.
    posted: BTreeMap<Key, u64>,
}

impl Watch {
    async fn resume<B: WatchBus>(bus: &B, settings: Settings) -> Result<Self, BusError> {
        let posted = bus.alerts().await?;
        let mut tracker = Tracker::default();
        for alert in posted.iter().map(|one| &one.alert) {
            // What was wrong with a task is found again only by a replay.
            if let (true, Ok(task)) =
                (alert.key.kind.is_about_tasks(), TaskId::parse(&alert.key.subject))
            {
                tracker.suspect(task);
            }
        }
        let places = posted.iter().map(|one| (one.alert.key.clone(), one.sequence)).collect();
        let alarms = Alarms::resume(posted.into_iter().map(|one| one.alert));
        Ok(Self { settings, tracker, queues: Queues::default(), alarms, posted: places })
    }

    async fn look<B: WatchBus>(&mut self, bus: &B) -> Result<(), WatchError> {
        let settings = self.settings;
        let survey = bus.survey().await?;
        let now = bus.now();
        self.queues.take(&survey.queues, now, &settings);
        for task in self.tracker.suspects(now, EXAMINED_MAX) {
            self.examine(bus, &task).await?;
        }
        let mut findings = self.tracker.findings(now, &settings);
        findings.extend(survey.findings(&self.queues, &self.alarms, (now, &settings)));
        for alert in self.alarms.judge(findings, now, &settings) {
            let after = self.posted.get(&alert.key).copied();
            let sequence = bus.post(&alert, after).await?;
            tell(&alert, after.is_none());
            if alert.ended_at.is_some() {
                self.posted.remove(&alert.key);
            } else {
                self.posted.insert(alert.key.clone(), sequence);
            }
            self.alarms.confirm(alert);
        }
        self.measure(&survey, now);
        Ok(())
    }

    /// Replays a suspect. One whose log cannot be read is as stuck as any.
    async fn examine<B: WatchBus>(&mut self, bus: &B, id: &TaskId) -> Result<(), BusError> {
        let settings = self.settings;
        let (rev, outcome) = match bus.load(id).await {
            Err(LoadError::Bus(error)) => return Err(error),
            Err(error @ (LoadError::Damaged { .. } | LoadError::TooNew { .. })) => {
                let now = bus.now();
                let findings = unreadable(id, &error, now).into_iter().collect();
                (0, Some(Examined { findings, again_at: now.after(settings.idle), questions: 0 }))
            }
            Ok(loaded) => {
                let rev = loaded.head.rev;
                let Some(task) = Task::replay(&loaded.records) else {
                    self.tracker.examined(id, rev, None);
                    return Ok(());
                };
                let now = bus.now();
                let timer = match is_overdue(&task, now, &settings) {
                    true => Some(bus.timer(id).await?),
                    false => None,
                };
                let place = bus.partition(id);
                (rev, examine((&task, timer), place, &self.queues, (now, &settings)))
            }
        };
        self.tracker.examined(id, rev, outcome);
        Ok(())
    }

    /// Says how all stands.
    fn measure(&self, survey: &Survey, now: UnixMillis) {
        let open = self.alarms.open().map(|alert| (alert.key.kind, alert.severity));
        metrics::alerts_open(open);
        table::TASKS_OPEN.set(&[], self.tracker.open_tasks());
        table::TASKS_UNWATCHED.set(&[], self.tracker.unwatched());
        table::WATCH_RECORDS.set(&[], self.tracker.records());
        table::APPROVALS_OPEN.set(&[], self.tracker.questions());
        let queues = || self.queues.lengths(now);
        table::QUEUE_PENDING.replace(queues().map(|it| (vec![it.subject.to_owned()], it.pending)));
        table::QUEUE_HELD.replace(queues().map(|it| (vec![it.subject.to_owned()], it.held)));
        let still = queues().map(|it| (vec![it.subject.to_owned()], it.still.as_secs()));
        table::QUEUE_STILL.replace(still);
        let labels = |stream: &StreamFill| {
            let when_full = if stream.refuses { "refuses" } else { "forgets" };
            vec![stream.name.clone(), when_full.to_owned()]
        };
        let streams = || survey.streams.iter();
        table::STREAM_BYTES.replace(streams().map(|it| (labels(it), it.bytes)));
        table::STREAM_BYTES_MAX.replace(streams().map(|it| (labels(it), it.max_bytes)));
        let letters = survey.letters.iter();
        table::DEAD_LETTERS.replace(letters.map(|it| (vec![it.stream.clone()], it.count)));
        let breakers = survey.board.states(now);
        let breakers = breakers.map(|(target, is_open)| (vec![target.to_string()], is_open.into()));
        table::BREAKER_OPEN.replace(breakers);
    }
}

/// One line for whoever reads logs: somebody is woken by a critical one.
fn tell(alert: &Alert, is_new: bool) {
    let (name, text) = (&alert.key, &alert.text);
    if alert.ended_at.is_some() {
        table::ALERTS_ENDED.add(&[alert.key.kind.as_str()], 1);
        tracing::info!(alert = %name, "alert ended");
        return;
    }
    if !is_new {
        tracing::debug!(alert = %name, %text, "alert repeated");
        return;
    }
    table::ALERTS_RAISED.add(&[alert.key.kind.as_str()], 1);
    match alert.severity {
        Severity::Critical => tracing::error!(alert = %name, %text, "alert raised"),
        Severity::Warning => tracing::warn!(alert = %name, %text, "alert raised"),
    }
}
