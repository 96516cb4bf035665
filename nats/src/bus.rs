//! The whole bus behind core's ports: what orchestrators and workers are given.

use std::{sync::Arc, time::Duration};

use async_nats::{
    Client, HeaderMap,
    jetstream::{Context, stream::Stream},
};
use bytes::Bytes;
use cadre_core::{
    ids::{Name, Partition, TaskId},
    journal::{Entry, JournalId},
    payload::Payload,
    ports::{
        AppendError, BusError, Clock, Crowd, DeadLetter, JournalError, Journals, LoadError, Loaded,
        LogHead, OrchestratorBus, OrderTerms, Pages, Settle, WorkerBus,
    },
    task::{Answer, Control, Decision, Goal, Order, Record, Report, Stop},
    time::UnixMillis,
    workflow::{Grant, Workflow},
};
use cadre_proto::subject::{self, Attempt};

use crate::{
    Wire,
    backlog::Backlog,
    blobs::Blobs,
    clock::BrokerClock,
    connect::Connection,
    delivery::{Receipt, Settlement},
    fleet::Fleet,
    inbox::{GoalInbox, InputInbox},
    journal::RunJournal,
    letters::Letters,
    log::TaskLog,
    outbox::Outbox,
    publish::{Grouping, Publisher},
    shares::{self, Shares},
    signs::Signs,
    stop::{self, StopInbox},
    timer,
    topology::{DiscoverError, Topology},
    work::{HEARTBEAT, WorkInbox},
};

/// One connection's view of the streams. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Plain NATS.
    pub client: Client,
    /// JetStream.
    pub js: Context,
    /// Partitions and shards.
    pub topology: Topology,
    /// The broker's time.
    pub clock: BrokerClock,
    /// What this process reads and writes.
    pub wire: Wire,
    pub(crate) publisher: Publisher,
    pub(crate) signs: Signs,
    pub(crate) shares: Shares,
    log: Arc<Vec<Stream<()>>>,
}

impl Streams {
    /// The shard that holds `partition`.
    #[must_use]
    pub fn shard(&self, partition: Partition) -> u16 {
        partition.0 % self.topology.shards.max(1)
    }

    /// Name of the stream of this family that holds `partition`.
    #[must_use]
    pub fn name(&self, family: &str, partition: Partition) -> String {
        format!("{family}_{}", self.shard(partition))
    }

    /// The log stream that holds `partition`.
    pub(crate) fn log(&self, partition: Partition) -> Result<&Stream<()>, BusError> {
        let shard = self.shard(partition);
        let unknown = || BusError::Refused(format!("there is no stream CADRE_LOG_{shard}"));
        self.log.get(usize::from(shard)).ok_or_else(unknown)
    }

    /// The partition that owns `task`.
    #[must_use]
    pub fn partition(&self, task: &TaskId) -> Partition {
        task.partition(self.topology.partitions)
    }
}

/// JetStream behind core's ports. Cheap to clone.
#[derive(Clone)]
pub struct JetStreamBus {
    streams: Streams,
    blobs: Blobs,
    log: TaskLog,
    journal: RunJournal,
    outbox: Outbox,
    backlog: Backlog,
}

/// Why the streams cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// They are not there, or not ours.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// They do not answer.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl JetStreamBus {
    /// Reads what the streams were made for and makes them usable.
    ///
    /// # Errors
    /// [`OpenError`] when the server has no streams of ours, or does not answer.
    pub async fn open(connection: &Connection) -> Result<Self, OpenError> {
        Self::open_with(connection, Grouping::Off).await
    }

    /// As [`Self::open`], with a choice of how messages travel.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(connection: &Connection, grouping: Grouping) -> Result<Self, OpenError> {
        let topology = connection.discover().await?;
        let mut log = Vec::new();
        let clock = BrokerClock::new(UnixMillis(0));
        for shard in 0..topology.shards.max(1) {
            let name = format!("CADRE_LOG_{shard}");
            let lost = |why: String| BusError::Unavailable(format!("stream {name}: {why}"));
            let stream =
                connection.js.get_stream(&name).await.map_err(|error| lost(error.to_string()))?;
            clock.observe(now_of(&stream));
            let stream = connection.js.get_stream_no_info(&name).await;
            log.push(stream.map_err(|error| lost(error.to_string()))?);
        }
        let (client, js) = (connection.client.clone(), connection.js.clone());
        clock.keep(&client).await;
        let signs = Signs::new();
        let publisher = Publisher::start(&client, topology.shards, grouping, &signs).await?;
        let (log, wire) = (Arc::new(log), connection.wire.clone());
        let shares = Shares::default();
        let streams = Streams {
            client,
            js: js.clone(),
            topology,
            clock,
            wire,
            publisher,
            signs,
            shares,
            log,
        };
        let blobs = Blobs::new(js);
        let log = TaskLog::new(streams.clone(), blobs.clone());
        let journal = RunJournal::new(streams.clone(), blobs.clone());
        let outbox = Outbox::new(streams.clone(), blobs.clone());
        Ok(Self { streams, blobs, log, journal, outbox, backlog: Backlog::default() })
    }

    /// The streams, for tools that look at them.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    #[cfg(test)]
    pub(crate) fn streams_mut(&mut self) -> &mut Streams {
        &mut self.streams
    }

    /// Large payloads.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Dead letters, for people.
    #[must_use]
    pub fn letters(&self) -> Letters {
        Letters::new(self.streams.clone(), self.blobs.clone())
    }

    /// Reads a task's log; for command line and pages.
    ///
    /// # Errors
    /// As [`OrchestratorBus::load`].
    pub async fn read_log(&self, task: &TaskId) -> Result<Loaded, LoadError> {
        self.log.load(task).await
    }

    /// Counts the orchestrators of the fleet: from now on no more partitions are kept than are this one's share.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer; everything stays as it is.
    pub async fn divide_partitions(&self, fleet: &Fleet) -> Result<(), BusError> {
        let owners = shares::owners(&fleet.members().await?, self.streams.clock.now());
        let partitions = self.streams.topology.partitions.count();
        self.streams.shares.divide(partitions.into(), owners);
        Ok(())
    }

    /// Whether the stream of this family that holds `partition` has a message on `subject`.
    pub(crate) async fn holds(
        &self,
        family: &str,
        partition: Partition,
        subject: &str,
    ) -> Result<bool, BusError> {
        self.outbox.holds(family, partition, subject).await
    }

    /// Reads the journals of a task's steps; for command line and pages.
    ///
    /// # Errors
    /// As [`Journals::read_journal`].
    pub async fn read_journals(
        &self,
        task: &TaskId,
    ) -> Result<Vec<(JournalId, Pages)>, JournalError> {
        self.journal.of_task(task).await
    }

    /// Asks the task's partition to end it now. Idempotent. Says where the wish stands, as [`Self::control`].
    ///
    /// # Errors
    /// [`BusError`] when the wish may not have arrived.
    pub async fn cancel(&self, task: &TaskId, by: &str, reason: &str) -> Result<u64, BusError> {
        self.outbox.cancel(task, by, reason).await
    }

    /// Asks the task's partition to steer it; says where the wish stands in its stream, which is the
    /// `cause.sequence` of the record that comes of it. The same wish again gets the same sequence.
    ///
    /// # Errors
    /// [`BusError::Refused`] when nobody could read it, such as one without a name; otherwise the
    /// wish may not have arrived.
    pub async fn control(&self, task: &TaskId, wish: &Control) -> Result<u64, BusError> {
        self.outbox.control(task, wish).await
    }

    /// Hands a person's decision to the task's partition; a large content is kept before.
    ///
    /// Says where the decision stands in its stream, as [`Self::control`].
    ///
    /// # Errors
    /// As [`Self::control`].
    pub async fn decide(&self, task: &TaskId, decision: &Decision) -> Result<u64, BusError> {
        self.outbox.decide(task, decision).await
    }

    /// Whether what [`Self::control`] or [`Self::decide`] sent is still on its way to the task. Once
    /// it is not, the log has the record that came of it, or none ever comes: it changed nothing.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not say.
    pub async fn is_pending(&self, task: &TaskId, sequence: u64) -> Result<bool, BusError> {
        self.outbox.is_pending(task, sequence).await
    }
}

/// The newest broker timestamp that a stream's info holds: its creation, or its last message.
fn now_of(stream: &Stream) -> UnixMillis {
    let info = stream.cached_info();
    let latest = info.created.max(info.state.last_timestamp);
    UnixMillis(u64::try_from(latest.unix_timestamp_nanos() / 1_000_000).unwrap_or_default())
}

impl Settle for JetStreamBus {
    type Receipt = Receipt;

    async fn ack(&self, receipt: Receipt) {
        receipt.settle(&self.streams.client, Settlement::Ack).await;
    }
}

impl OrchestratorBus for JetStreamBus {
    type Inputs = InputInbox;
    type Goals = GoalInbox;

    fn now(&self) -> UnixMillis {
        self.streams.clock.now()
    }

    async fn inputs(&self, partition: Partition) -> Result<InputInbox, BusError> {
        InputInbox::open(&self.streams, &self.blobs, partition).await
    }

    async fn goals(&self) -> Result<GoalInbox, BusError> {
        GoalInbox::open(&self.streams, &self.backlog).await
    }

    fn crowded(&self, workflow: &Workflow) -> Option<Crowd> {
        self.backlog.take(workflow.roles.keys())
    }

    async fn later(&self, receipt: Receipt) {
        let pause = self.backlog.pause(receipt.deliveries());
        receipt.settle(&self.streams.client, Settlement::Later(pause)).await;
    }

    async fn forward_timers(&self) -> Result<(), BusError> {
        timer::forward(&self.streams).await
    }

    async fn load(&self, task: &TaskId) -> Result<Loaded, LoadError> {
        self.log.load(task).await
    }

    async fn append(
        &self,
        task: &TaskId,
        head: LogHead,
        record: Arc<Record>,
        trace: Option<String>,
    ) -> Result<LogHead, AppendError> {
        self.log.append(task, head, record, trace).await
    }

    async fn submit(&self, goal: Arc<Goal>) -> Result<(), BusError> {
        self.outbox.submit(&goal).await
    }

    async fn order(
        &self,
        order: Order,
        terms: OrderTerms,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        self.outbox.order(&order, &terms, trace).await
    }

    async fn has_order(&self, order: &Order) -> Result<bool, BusError> {
        let partition = self.streams.partition(&order.goal.task);
        let subject = subject::work(partition, &attempt_of(order));
        self.outbox.holds("CADRE_WORK", partition, &subject).await
    }

    async fn spent(&self, journal: &JournalId, attempt: u32, granted: Grant) -> Grant {
        match self.journal.spent(journal, attempt).await {
            Ok(spent) => spent,
            Err(error) => {
                // Nobody knows: what was set aside for it is spent, as for a call that was lost.
                tracing::warn!(task = %journal.task, step = %journal.step, %error, "journal not read");
                granted
            }
        }
    }

    async fn has_report(&self, order: &Order) -> Result<bool, BusError> {
        let partition = self.streams.partition(&order.goal.task);
        let subject = subject::report(partition, &attempt_of(order));
        self.outbox.holds("CADRE_IN", partition, &subject).await
    }

    async fn wake(&self, task: &TaskId, at: UnixMillis) -> Result<(), BusError> {
        timer::set(&self.streams, task, at).await
    }

    async fn forget_wake(&self, task: &TaskId) {
        timer::forget(&self.streams, task).await;
    }

    async fn stop(&self, task: &TaskId, attempts: &[Stop]) -> Result<(), BusError> {
        stop::say(&self.streams, task, attempts).await
    }

    async fn answer(&self, answer: Answer) -> Result<(), BusError> {
        self.outbox.answer(&answer).await
    }

    async fn reject(&self, tenant: &Name, document: Payload) -> Result<(), BusError> {
        self.outbox.reject(tenant, &document).await
    }

    async fn bury(
        &self,
        receipt: Receipt,
        partition: Partition,
        reason: String,
    ) -> Result<(), BusError> {
        self.outbox.bury(partition, &receipt.message, &reason).await?;
        self.ack(receipt).await;
        Ok(())
    }
}

impl Clock for JetStreamBus {
    fn time(&self) -> UnixMillis {
        self.streams.clock.now()
    }
}

impl Journals for JetStreamBus {
    async fn read_journal(&self, id: &JournalId) -> Result<Pages, JournalError> {
        self.journal.read(id).await
    }

    async fn append_journal(
        &self,
        id: &JournalId,
        expected: u64,
        entry: &Entry,
    ) -> Result<u64, JournalError> {
        self.journal.append(id, expected, entry).await
    }
}

impl WorkerBus for JetStreamBus {
    type Work = WorkInbox;
    type Stops = StopInbox;

    async fn work(&self, role: &Name, in_flight: usize) -> Result<WorkInbox, BusError> {
        WorkInbox::open(&self.streams, &self.blobs, role, in_flight).await
    }

    async fn stops(&self) -> Result<StopInbox, BusError> {
        StopInbox::open(&self.streams).await
    }

    async fn report(
        &self,
        task: &TaskId,
        report: Report,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        self.outbox.report(task, &report, trace).await
    }

    async fn is_reported(&self, step: &JournalId, attempt: u32) -> Result<bool, BusError> {
        let JournalId { role, task, step } = step.clone();
        let attempt = Attempt { role, task, step, number: attempt };
        let partition = self.streams.partition(&attempt.task);
        let subject = subject::report(partition, &attempt);
        // In this order: a report leaves the one stream only once the other has what came of it.
        Ok(self.outbox.holds("CADRE_IN", partition, &subject).await?
            || self.log.tells(&attempt).await?)
    }

    async fn is_open(&self, receipt: &Receipt) -> bool {
        receipt.is_open(&self.streams).await
    }

    async fn in_progress(&self, receipt: &Receipt) {
        receipt.settle(&self.streams.client, Settlement::Progress).await;
    }

    async fn done(&self, receipt: &Receipt) {
        receipt.settle(&self.streams.client, Settlement::Ack).await;
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), BusError> {
        self.outbox.letter(&letter).await
    }

    fn heartbeat(&self) -> Duration {
        HEARTBEAT
    }
}

/// Which work an order is.
pub(crate) fn attempt_of(order: &Order) -> Attempt {
    Attempt {
        role: order.role.clone(),
        task: order.goal.task.clone(),
        step: order.step.clone(),
        number: order.attempt,
    }
}

/// Headers of a message as text pairs, in no particular order between names.
pub(crate) fn pairs(headers: Option<&HeaderMap>) -> Vec<(String, String)> {
    let Some(headers) = headers else { return Vec::new() };
    headers
        .iter()
        .flat_map(|(name, values)| {
            values.iter().map(move |value| (name.to_string(), value.to_string()))
        })
        .collect()
}

/// The first value of a header.
pub(crate) fn header<'a>(message: &'a async_nats::Message, name: &str) -> Option<&'a str> {
    Some(message.headers.as_ref()?.get(name)?.as_str())
}

/// A body that is sent as it is.
pub(crate) fn body(payload: &Payload) -> Bytes {
    Bytes::copy_from_slice(payload.text().as_bytes())
}
