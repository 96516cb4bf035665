//! What one no-op step costs us: pump, role actor, child actor, report, settlement; no broker.
//!
//! `cargo bench -p cadre-runtime --bench step`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark talks and may fail loudly"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::{Entry, JournalId},
    payload::Payload,
    ports::{
        BusError, DeadLetter, Inbox, JournalError, Journals, Malformed, Packs, Pages, Settle,
        Stopped, WorkItem, WorkerBus,
    },
    task::{Outcome, Report},
    workflow::{Grant, Runtime, Workflow},
};
use cadre_runtime::{
    supervise::{Options, Supervisor},
    telemetry::{self, LogFormat, TelemetryOptions},
    testing::Memory,
    worker::{Ran, Step, StepRunner, Worker, WorkerOptions},
};
use tokio::sync::Notify;

const STEPS: usize = 400_000;
const BATCH: usize = 256;

/// Hands out steps made before, counts what is settled.
#[derive(Clone)]
struct Endless(Arc<Inner>);

struct Inner {
    ready: std::sync::Mutex<Vec<WorkItem<()>>>,
    done: AtomicUsize,
    all_done: Notify,
}

struct Feed(Endless);

impl Inbox<Result<WorkItem<()>, Box<Malformed<()>>>> for Feed {
    async fn next(&mut self) -> Result<Vec<Result<WorkItem<()>, Box<Malformed<()>>>>, BusError> {
        let batch: Vec<_> = {
            let mut ready = self.0.0.ready.lock().unwrap();
            let from = ready.len().saturating_sub(BATCH);
            ready.drain(from..).map(Ok).collect()
        };
        if batch.is_empty() {
            std::future::pending::<()>().await;
        }
        Ok(batch)
    }
}

/// No task ever ends.
struct Silence;

impl Inbox<Stopped> for Silence {
    async fn next(&mut self) -> Result<Vec<Stopped>, BusError> {
        std::future::pending().await
    }
}

impl Settle for Endless {
    type Receipt = ();
    async fn ack(&self, (): ()) {}
}

impl Journals for Endless {
    async fn read_journal(&self, _: &JournalId) -> Result<Pages, JournalError> {
        Ok(Pages::default())
    }
    async fn append_journal(&self, _: &JournalId, n: u64, _: &Entry) -> Result<u64, JournalError> {
        Ok(n + 1)
    }
}

impl WorkerBus for Endless {
    type Work = Feed;
    type Stops = Silence;
    async fn stops(&self) -> Result<Silence, BusError> {
        Ok(Silence)
    }
    async fn work(&self, _: &Name, _: usize) -> Result<Feed, BusError> {
        Ok(Feed(self.clone()))
    }
    async fn report(&self, _: &TaskId, report: Report, _: Option<String>) -> Result<(), BusError> {
        std::hint::black_box(report);
        Ok(())
    }
    async fn in_progress(&self, (): &()) {}
    async fn done(&self, (): &()) {
        if self.0.done.fetch_add(1, Ordering::Relaxed) + 1 == STEPS {
            self.0.all_done.notify_one();
        }
    }
    async fn bury(&self, _: DeadLetter) -> Result<(), BusError> {
        Ok(())
    }
    fn heartbeat(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Returns one workflow, as an adapter's cache does.
#[derive(Clone)]
struct One(Arc<Workflow>);

impl Packs for One {
    async fn current(&self, _: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(Some(Arc::clone(&self.0)))
    }
    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        Ok(Vec::new())
    }
    async fn revisions(&self, _: usize) -> Result<Vec<String>, BusError> {
        Ok(Vec::new())
    }
    async fn revision(&self, _: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(Some(Arc::clone(&self.0)))
    }
}

struct Echo;

impl StepRunner for Echo {
    async fn run(&self, step: &Step, _: Arc<Workflow>) -> Ran {
        Outcome::Completed { output: step.input.clone(), confidence: None }.into()
    }
}

fn items(role: &Name) -> Vec<WorkItem<()>> {
    let input = Payload::parse(format!("\"{}\"", "x".repeat(198)).as_bytes()).unwrap();
    let item = |index: usize| WorkItem {
        task: TaskId::derive(role, &index.to_string()),
        tenant: role.clone(),
        workflow: role.clone(),
        revision: "0".repeat(64),
        step: StepId::single(role.clone()),
        attempt: 1,
        role: role.clone(),
        input: input.clone(),
        time_left: Duration::from_secs(60),
        grant: Grant::default(),
        idempotency_key: format!("{index}.step.1"),
        ruled: None,
        near: Vec::new(),
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        deliveries: 1,
        receipt: Arc::new(()),
    };
    (0..STEPS).map(item).collect()
}

fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    // The kernel counts user and system time in hundredths of a second.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

async fn run() {
    let role = Name::new("echo").unwrap();
    let packs = Memory::default();
    packs.apply(&role, "r1", &[(&role, Runtime::Echo)]).unwrap();
    let workflow = packs.current(&role).await.unwrap().unwrap();
    let ready = std::sync::Mutex::new(items(&role));
    let bus =
        Endless(Arc::new(Inner { ready, done: AtomicUsize::new(0), all_done: Notify::new() }));
    let options = WorkerOptions { in_flight: 256, ..WorkerOptions::default() };
    let worker = Worker::new(bus.clone(), One(workflow), Echo, options);
    let (_, child) = worker.role(role);
    let (begun, cpu_before) = (Instant::now(), cpu());
    let _house = Supervisor::start("bench", Options::default(), vec![child], None).await.unwrap();
    bus.0.all_done.notified().await;
    let (wall, cpu) = (begun.elapsed(), cpu() - cpu_before);
    let per_step = |whole: Duration| whole.as_secs_f64() * 1e6 / STEPS as f64;
    println!("{STEPS} steps: {:.2} µs CPU, {:.2} µs wall each", per_step(cpu), per_step(wall));
}

fn main() {
    // As in production without an exporter: every span and line is asked for.
    let telemetry = TelemetryOptions {
        service: "bench".to_owned(),
        endpoint: None,
        log: LogFormat::Text,
        filter: "info".to_owned(),
        ansi: false,
        has_page: false,
        has_content: false,
        redactions: Vec::new(),
    };
    let _guard = telemetry::init(&telemetry).unwrap();
    for threads in [1, 2] {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(threads).enable_all().build().unwrap();
        print!("{threads} worker thread(s): ");
        runtime.block_on(run());
    }
}
