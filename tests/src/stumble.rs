//! A bus that stops going on at one append to a step's journal: before it, or behind it. What its process
//! does then is what a process does that is killed there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use cadre_core::{
    ids::{Name, TaskId},
    journal::{Entry, JournalId},
    ports::{BusError, DeadLetter, JournalError, Journals, Pages, Settle, WorkerBus},
    task::Report,
};
use cadre_nats::bus::JetStreamBus;

/// Where a task's worker stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Before its append of this number, from 1.
    Before(usize),
    /// When that append is durable.
    Behind(usize),
}

/// Told when a worker has stopped.
type Told = Arc<dyn Fn(&TaskId) + Send + Sync>;

/// The bus of a worker that stops where it is told. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Stumbling {
    bus: JetStreamBus,
    stops: Arc<BTreeMap<TaskId, Stop>>,
    appended: Arc<Mutex<BTreeMap<JournalId, usize>>>,
    told: Told,
}

impl Stumbling {
    /// A bus that stops for these tasks, and says so.
    pub fn new(
        bus: JetStreamBus,
        stops: BTreeMap<TaskId, Stop>,
        told: impl Fn(&TaskId) + Send + Sync + 'static,
    ) -> Self {
        let (stops, told) = (Arc::new(stops), Arc::new(told));
        Self { bus, stops, appended: Arc::default(), told }
    }

    async fn stop(&self, task: &TaskId, here: Stop) {
        if self.stops.get(task) == Some(&here) {
            (self.told)(task);
            std::future::pending::<()>().await;
        }
    }
}

impl Journals for Stumbling {
    async fn read_journal(&self, id: &JournalId) -> Result<Pages, JournalError> {
        self.bus.read_journal(id).await
    }

    async fn append_journal(
        &self,
        id: &JournalId,
        expected: u64,
        entry: &Entry,
    ) -> Result<u64, JournalError> {
        let number = {
            let mut appended = self.appended.lock().expect("open");
            let number = appended.entry(id.clone()).or_default();
            *number += 1;
            *number
        };
        self.stop(&id.task, Stop::Before(number)).await;
        let appended = self.bus.append_journal(id, expected, entry).await;
        self.stop(&id.task, Stop::Behind(number)).await;
        appended
    }
}

impl Settle for Stumbling {
    type Receipt = <JetStreamBus as Settle>::Receipt;

    async fn ack(&self, receipt: Self::Receipt) {
        self.bus.ack(receipt).await;
    }
}

impl WorkerBus for Stumbling {
    type Work = <JetStreamBus as WorkerBus>::Work;
    type Stops = <JetStreamBus as WorkerBus>::Stops;

    async fn work(&self, role: &Name, in_flight: usize) -> Result<Self::Work, BusError> {
        self.bus.work(role, in_flight).await
    }

    async fn stops(&self) -> Result<Self::Stops, BusError> {
        self.bus.stops().await
    }

    async fn report(
        &self,
        task: &TaskId,
        report: Report,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        self.bus.report(task, report, trace).await
    }

    async fn is_reported(&self, step: &JournalId, attempt: u32) -> Result<bool, BusError> {
        self.bus.is_reported(step, attempt).await
    }

    async fn is_open(&self, receipt: &Self::Receipt) -> bool {
        self.bus.is_open(receipt).await
    }

    async fn in_progress(&self, receipt: &Self::Receipt) {
        self.bus.in_progress(receipt).await;
    }

    async fn done(&self, receipt: &Self::Receipt) {
        self.bus.done(receipt).await;
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), BusError> {
        self.bus.bury(letter).await
    }

    fn heartbeat(&self) -> std::time::Duration {
        self.bus.heartbeat()
    }
}
