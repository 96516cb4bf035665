//! Ports over memory, for tests: honest about redelivery, order of events and failures.
//!
//! Every failure mode is a field of [`Flags`]. Time is tokio's, so a paused clock works.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    contract::{Contract, ContractError},
    ids::{Name, Partition, StepId, TaskId},
    payload::Payload,
    ports::{BusError, DeadLetter, Inbox, Malformed, Packs, Settle, WorkItem, WorkerBus},
    task::Report,
    workflow::{Role, Runtime, TaskLimits, WhenLimited, Workflow},
};
use serde_json::Value;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// How long the fake broker waits for an ack before it delivers again.
pub const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long an inbox waits before it says that nothing came.
const POLL_MAX: Duration = Duration::from_secs(5);

/// Ways to fail; all off by default.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// Reports are not confirmed.
    pub reports_fail: bool,
    /// Reporting panics.
    pub reports_panic: bool,
    /// So many inboxes panic on their next call.
    pub inbox_panics: u32,
    /// So many subscriptions break on their next call.
    pub inbox_breaks: u32,
    /// Subscribing fails.
    pub refuses_subscriptions: bool,
    /// Dead letters are not kept.
    pub burials_fail: bool,
    /// Hands out whatever there is, whatever the subscriber asked for.
    pub ignores_in_flight: bool,
    /// Orders are delivered again at once, as after a lost pull.
    pub delivers_twice: bool,
    /// Packs cannot be read.
    pub packs_down: bool,
}

/// What happened on the bus, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An order was handed out.
    Delivered(u64),
    /// A report was confirmed.
    Reported(TaskId, Report, Option<String>),
    /// A heartbeat for an order.
    Beat(u64),
    /// An order was settled.
    Done(u64),
    /// A dead letter was kept.
    Buried(String),
}

/// What settles one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    sequence: u64,
}

/// A bus and a pack store in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    world: Mutex<World>,
    news: Notify,
}

/// Everything there is.
#[derive(Debug, Default)]
pub struct World {
    /// How to fail.
    pub flags: Flags,
    /// What happened.
    pub events: Vec<Event>,
    orders: BTreeMap<u64, Order>,
    reported: BTreeSet<(TaskId, StepId, u32)>,
    packs: Vec<Arc<Workflow>>,
}

#[derive(Debug)]
struct Order {
    role: Name,
    content: Content,
    /// `None` until handed out.
    due_again: Option<Instant>,
    deliveries: u32,
}

#[derive(Debug)]
enum Content {
    Step {
        task: TaskId,
        tenant: Name,
        step: StepId,
        revision: String,
        input: Payload,
        until: Instant,
    },
    Malformed,
}

/// What a test orders.
#[derive(Debug, Clone)]
pub struct Work {
    /// The role, also the step's name.
    pub role: Name,
    /// Pack revision.
    pub revision: String,
    /// The step's input.
    pub input: Value,
    /// Its time.
    pub time: Duration,
}

impl Work {
    /// An order of a minute for `role`, on revision `r1`, with nothing in it.
    #[must_use]
    pub fn of(role: &Name) -> Self {
        let time = Duration::from_secs(60);
        Self { role: role.clone(), revision: "r1".to_owned(), input: Value::Null, time }
    }
}

impl Memory {
    /// Everything there is, to look at and to change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happened so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.world().events.clone()
    }

    /// Confirmed reports, in order.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        let reported = |event| match event {
            Event::Reported(_, report, _) => Some(report),
            Event::Delivered(_) | Event::Beat(_) | Event::Done(_) | Event::Buried(_) => None,
        };
        self.events().into_iter().filter_map(reported).collect()
    }

    /// Orders that are not settled.
    #[must_use]
    pub fn open_orders(&self) -> Vec<u64> {
        self.world().orders.keys().copied().collect()
    }

    /// Publishes an order, of a task of its own; says its sequence.
    pub fn order(&self, work: Work) -> u64 {
        let sequence = self.next_sequence();
        let tenant = work.role.clone();
        let input = Payload::from_value(work.input).unwrap_or_else(|_| null());
        let content = Content::Step {
            task: TaskId::derive(&tenant, &sequence.to_string()),
            tenant,
            step: StepId::single(work.role.clone()),
            revision: work.revision,
            input,
            until: Instant::now() + work.time,
        };
        self.publish(sequence, work.role, content)
    }

    /// Publishes an order that says nothing.
    pub fn order_malformed(&self, role: &Name) -> u64 {
        self.publish(self.next_sequence(), role.clone(), Content::Malformed)
    }

    fn next_sequence(&self) -> u64 {
        let world = self.world();
        let delivered = world.events.iter().filter_map(|event| match event {
            Event::Delivered(sequence) => Some(*sequence),
            Event::Reported(..) | Event::Beat(_) | Event::Done(_) | Event::Buried(_) => None,
        });
        delivered.chain(world.orders.keys().copied()).max().unwrap_or(0) + 1
    }

    fn publish(&self, sequence: u64, role: Name, content: Content) -> u64 {
        let order = Order { role, content, due_again: None, deliveries: 0 };
        self.world().orders.insert(sequence, order);
        self.0.news.notify_waiters();
        sequence
    }

    /// Delivers an order again at once, as after a lost ack.
    pub fn redeliver(&self, sequence: u64) {
        if let Some(order) = self.world().orders.get_mut(&sequence) {
            order.due_again = Some(Instant::now());
        }
        self.0.news.notify_waiters();
    }

    /// Applies a pack that declares `roles`, with contracts that take anything.
    ///
    /// # Errors
    /// Never: the contract is a constant.
    pub fn apply(
        &self,
        pack: &Name,
        revision: &str,
        roles: &[(&Name, Runtime)],
    ) -> Result<(), ContractError> {
        let anything = Arc::new(Contract::compile("anything", 1, &Value::Bool(true))?);
        let roles = roles.iter().map(|(name, runtime)| role(name, *runtime, &anything, &anything));
        self.apply_roles(pack, revision, roles.collect(), anything.clone());
        Ok(())
    }

    /// Applies a pack of these roles, whose answers must satisfy `output`.
    pub fn apply_roles(
        &self,
        pack: &Name,
        revision: &str,
        roles: Vec<Role>,
        output: Arc<Contract>,
    ) {
        let roles = roles.into_iter().map(|role| (role.name.clone(), Arc::new(role)));
        let workflow = Workflow {
            name: pack.clone(),
            revision: revision.to_owned(),
            input: Arc::clone(&output),
            output,
            limits: TaskLimits {
                deadline: Duration::from_secs(60),
                steps_max: 100,
                usd_micros_max: 0,
                tokens_max: 0,
            },
            when_limited: WhenLimited::Partial,
            roles: roles.collect(),
            steps: Vec::new(),
            result: Vec::new(),
        };
        self.world().packs.push(Arc::new(workflow));
    }

    fn up(&self) -> Result<MutexGuard<'_, World>, BusError> {
        let world = self.world();
        if world.flags.packs_down {
            return Err(BusError::Unavailable("packs are down".to_owned()));
        }
        Ok(world)
    }
}

/// A role with these contracts.
#[must_use]
pub fn role(
    name: &Name,
    runtime: Runtime,
    accepts: &Arc<Contract>,
    returns: &Arc<Contract>,
) -> Role {
    Role {
        name: name.clone(),
        runtime,
        accepts: Arc::clone(accepts),
        returns: Arc::clone(returns),
        timeout: Duration::from_secs(60),
        concurrency: 64,
    }
}

#[expect(clippy::unwrap_used, reason = "`null` is JSON")]
fn null() -> Payload {
    Payload::parse(b"null").unwrap()
}

/// Orders of one role, as one subscriber gets them.
#[derive(Debug)]
pub struct MemoryInbox {
    memory: Memory,
    role: Name,
    in_flight: usize,
}

type Handed = Result<WorkItem<Receipt>, Box<Malformed<Receipt>>>;

impl Inbox<Handed> for MemoryInbox {
    #[expect(clippy::panic, reason = "a failure mode")]
    async fn next(&mut self) -> Result<Vec<Handed>, BusError> {
        let give_up = Instant::now() + POLL_MAX;
        loop {
            let memory = self.memory.clone();
            let news = memory.0.news.notified();
            let next_due = {
                let mut world = memory.world();
                if world.flags.inbox_panics > 0 {
                    world.flags.inbox_panics -= 1;
                    drop(world);
                    panic!("inbox panics as told");
                }
                if world.flags.inbox_breaks > 0 {
                    world.flags.inbox_breaks -= 1;
                    return Err(BusError::Unavailable("inbox breaks as told".to_owned()));
                }
                let batch = world.hand_out(&self.role, self.in_flight);
                if !batch.is_empty() {
                    return Ok(batch);
                }
                world.next_due(&self.role)
            };
            let until = next_due.map_or(give_up, |due| due.min(give_up));
            if timeout_at(until, news).await.is_err() && until == give_up {
                return Ok(Vec::new());
            }
        }
    }
}

impl World {
    fn next_due(&self, role: &Name) -> Option<Instant> {
        let ours = self.orders.values().filter(|order| order.role == *role);
        ours.filter_map(|order| order.due_again).filter(|due| *due > Instant::now()).min()
    }

    fn hand_out(&mut self, role: &Name, in_flight: usize) -> Vec<Handed> {
        let now = Instant::now();
        let is_held = |order: &&Order| order.due_again.is_some_and(|due| due > now);
        let held = self.orders.values().filter(|order| order.role == *role).filter(is_held).count();
        let free =
            if self.flags.ignores_in_flight { usize::MAX } else { in_flight.saturating_sub(held) };
        let times = if self.flags.delivers_twice { 2 } else { 1 };
        let mut batch = Vec::new();
        let ours = self.orders.iter_mut().filter(|(_, order)| order.role == *role);
        for (sequence, order) in ours.filter(|(_, order)| !is_held(&&**order)).take(free) {
            order.due_again = Some(now + ACK_WAIT);
            for _ in 0..times {
                order.deliveries += 1;
                self.events.push(Event::Delivered(*sequence));
                batch.push(order.hand_out(*sequence, now));
            }
        }
        batch
    }
}

impl Order {
    fn hand_out(&self, sequence: u64, now: Instant) -> Handed {
        let receipt = Receipt { sequence };
        match &self.content {
            Content::Step { task, tenant, step, revision, input, until } => Ok(WorkItem {
                task: task.clone(),
                tenant: tenant.clone(),
                workflow: tenant.clone(),
                revision: revision.clone(),
                step: step.clone(),
                attempt: 1,
                role: self.role.clone(),
                input: input.clone(),
                time_left: until.saturating_duration_since(now),
                idempotency_key: format!("{task}.{step}.1"),
                trace: Some(TRACE.to_owned()),
                deliveries: self.deliveries,
                receipt: Arc::new(receipt),
            }),
            Content::Malformed => {
                let letter = DeadLetter {
                    partition: Partition(0),
                    kind: "work",
                    source: sequence.to_string(),
                    reason: "says nothing".to_owned(),
                    subject: format!("cadre.0.work.{}", self.role),
                    headers: Vec::new(),
                    body: Vec::new(),
                };
                Err(Box::new(Malformed { letter, receipt }))
            }
        }
    }
}

/// The `traceparent` of every order.
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

impl Settle for Memory {
    type Receipt = Receipt;

    async fn ack(&self, receipt: Receipt) {
        self.done(&receipt).await;
    }

    async fn retry_later(&self, receipt: Receipt, delay: Duration) {
        if let Some(order) = self.world().orders.get_mut(&receipt.sequence) {
            order.due_again = Some(Instant::now() + delay);
        }
    }
}

impl WorkerBus for Memory {
    type Work = MemoryInbox;

    async fn work(&self, role: &Name, in_flight: usize) -> Result<MemoryInbox, BusError> {
        if self.world().flags.refuses_subscriptions {
            return Err(BusError::Refused("no such consumer".to_owned()));
        }
        Ok(MemoryInbox { memory: self.clone(), role: role.clone(), in_flight })
    }

    #[expect(clippy::panic, reason = "a failure mode")]
    async fn report(
        &self,
        task: &TaskId,
        report: Report,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        let mut world = self.world();
        if world.flags.reports_panic {
            drop(world);
            panic!("reporting panics as told");
        }
        if world.flags.reports_fail {
            return Err(BusError::Unavailable("reports fail as told".to_owned()));
        }
        // The first report wins; a second one is Ok and no news.
        if world.reported.insert((task.clone(), report.step.clone(), report.attempt)) {
            world.events.push(Event::Reported(task.clone(), report, trace));
        }
        Ok(())
    }

    async fn in_progress(&self, receipt: &Receipt) {
        let mut world = self.world();
        world.events.push(Event::Beat(receipt.sequence));
        if let Some(order) = world.orders.get_mut(&receipt.sequence) {
            order.due_again = Some(Instant::now() + ACK_WAIT);
        }
    }

    async fn done(&self, receipt: &Receipt) {
        let mut world = self.world();
        world.events.push(Event::Done(receipt.sequence));
        world.orders.remove(&receipt.sequence);
        drop(world);
        self.0.news.notify_waiters();
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), BusError> {
        let mut world = self.world();
        if world.flags.burials_fail {
            return Err(BusError::Unavailable("burials fail as told".to_owned()));
        }
        world.events.push(Event::Buried(letter.source));
        Ok(())
    }

    fn heartbeat(&self) -> Duration {
        ACK_WAIT / 3
    }
}

impl Packs for Memory {
    async fn current(&self, workflow: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(self.up()?.packs.iter().rev().find(|pack| pack.name == *workflow).cloned())
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        let world = self.up()?;
        let latest: BTreeMap<_, _> =
            world.packs.iter().map(|pack| (pack.name.clone(), pack.revision.clone())).collect();
        Ok(latest.into_iter().collect())
    }

    async fn revision(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(self.up()?.packs.iter().find(|pack| pack.revision == revision).cloned())
    }
}
