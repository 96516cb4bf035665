//! Ports over memory, for tests: honest about redelivery, order of events and failures.
//!
//! Every failure mode is a field of [`Flags`]. Time is tokio's, so a paused clock works.

mod board;
mod bus;
mod journal;
mod log;
mod models;
mod packs;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::{Entry, JournalId},
    model::ModelRequest,
    payload::Payload,
    task::Report,
    workflow::{Grant, Workflow},
};
use serde_json::Value;
use tokio::{sync::Notify, time::Instant};

pub use self::{
    board::{BoardFlags, MemoryBoard, MemoryWatch},
    bus::{MemoryInbox, MemoryStops},
    log::{MemoryFeed, MemoryLog},
    models::Says,
    packs::role,
};

/// How long the fake broker waits for an ack before it delivers again.
pub const ACK_WAIT: Duration = Duration::from_secs(30);

/// The `traceparent` of every order.
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Ways to fail; all off by default.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// Reports are not confirmed.
    pub reports_fail: bool,
    /// Reporting never comes to an end.
    pub reports_hang: bool,
    /// Nobody says whether a report is there already.
    pub looks_hang: bool,
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
    /// So many appends to journals are stored and not confirmed.
    pub journal_unclear: u32,
    /// Journals take a moment, before and after what happens to them.
    pub journal_yields: bool,
    /// Packs cannot be read.
    pub packs_down: bool,
}

/// What happened on the bus, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An order was handed out.
    Delivered(u64),
    /// A report was confirmed.
    Reported(TaskId, Box<Report>, Option<String>),
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

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    news: Notify,
    began: Instant,
}

impl Default for Inner {
    fn default() -> Self {
        Self { world: Mutex::default(), news: Notify::new(), began: Instant::now() }
    }
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
    ended: Vec<TaskId>,
    journals: BTreeMap<JournalId, Vec<Entry>>,
    packs: Vec<Arc<Workflow>>,
    /// Every question to a model, in order.
    pub asked: Vec<ModelRequest>,
    /// What models say; without it there are none.
    pub says: Option<Says>,
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
        grant: Grant,
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
    /// What it may spend.
    pub grant: Grant,
}

impl Work {
    /// An order of a minute for `role`, on revision `r1`, with nothing in it and nothing to spend.
    #[must_use]
    pub fn of(role: &Name) -> Self {
        let time = Duration::from_secs(60);
        let (revision, input, grant) = ("r1".to_owned(), Value::Null, Grant::default());
        Self { role: role.clone(), revision, input, time, grant }
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
            Event::Reported(_, report, _) => Some(*report),
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
        self.order_after(0, work)
    }

    /// The same, of an order that was delivered so often to workers who are gone.
    pub fn order_after(&self, deliveries: u32, work: Work) -> u64 {
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
            grant: work.grant,
        };
        self.publish(sequence, Order { role: work.role, content, due_again: None, deliveries })
    }

    /// Publishes an order that says nothing.
    pub fn order_malformed(&self, role: &Name) -> u64 {
        let (role, content) = (role.clone(), Content::Malformed);
        let order = Order { role, content, due_again: None, deliveries: 0 };
        self.publish(self.next_sequence(), order)
    }

    fn next_sequence(&self) -> u64 {
        let world = self.world();
        let delivered = world.events.iter().filter_map(|event| match event {
            Event::Delivered(sequence) => Some(*sequence),
            Event::Reported(..) | Event::Beat(_) | Event::Done(_) | Event::Buried(_) => None,
        });
        delivered.chain(world.orders.keys().copied()).max().unwrap_or(0) + 1
    }

    fn publish(&self, sequence: u64, order: Order) -> u64 {
        self.world().orders.insert(sequence, order);
        self.0.news.notify_waiters();
        sequence
    }

    /// Ends the task of an order, and says so.
    pub fn end_task(&self, sequence: u64) {
        let mut world = self.world();
        let ended = world.attempt(sequence).map(|(task, ..)| task);
        world.ended.extend(ended);
        drop(world);
        self.0.news.notify_waiters();
    }

    /// Keeps a report on an order, as of a worker that died before it could settle it.
    pub fn report_unsettled(&self, sequence: u64) {
        let mut world = self.world();
        let reported = world.attempt(sequence);
        world.reported.extend(reported);
    }

    /// Settles an order, as another worker would.
    pub fn settle(&self, sequence: u64) {
        self.world().orders.remove(&sequence);
    }

    /// Delivers an order again at once, as after a lost ack.
    pub fn redeliver(&self, sequence: u64) {
        if let Some(order) = self.world().orders.get_mut(&sequence) {
            order.due_again = Some(Instant::now());
        }
        self.0.news.notify_waiters();
    }
}

impl World {
    /// Which work an order is.
    fn attempt(&self, sequence: u64) -> Option<(TaskId, StepId, u32)> {
        match &self.orders.get(&sequence)?.content {
            Content::Step { task, step, .. } => Some((task.clone(), step.clone(), 1)),
            Content::Malformed => None,
        }
    }
}

#[expect(clippy::unwrap_used, reason = "`null` is JSON")]
fn null() -> Payload {
    Payload::parse(b"null").unwrap()
}
