//! Who makes things happen: goals all along, a person who decides or sleeps, and one fault after
//! another.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use cadre_core::{
    ids::{Name, TaskId},
    task::{Decision, Ruling, StepState, Task},
};
use cadre_nats::bus::JetStreamBus;
use cadre_proto::{ContentType, decision, header, subject};
use tokio::time::{Instant as Moment, sleep, sleep_until, timeout};

use super::{
    book::{APPROVAL, Book, short},
    fleet::{Fleet, Worker},
    plan::{self, Fault, Order, Person},
    story::Story,
};
use crate::{
    broker::local_now,
    output::text::{count, span},
};

/// Goals that the broker has confirmed, with what people call them.
pub(super) type Published = BTreeMap<TaskId, String>;

/// Faults by name, with how often each was done.
pub(super) type Faults = BTreeMap<&'static str, usize>;

/// Goals come during this share of a run; the rest is for the last ones to end.
const PUBLISHING: f64 = 0.93;

/// How long a worker may take until it holds something.
const BUSY_WITHIN: Duration = Duration::from_secs(5);

/// How long after a worker was killed a new one is started.
const REPLACED_AFTER: Duration = Duration::from_secs(3);

/// The pause before a goal that was not confirmed is published again.
const AGAIN: Duration = Duration::from_millis(250);

/// The pause between two looks whether a person is asked already.
const ASKED_LOOK: Duration = Duration::from_millis(250);

/// How long a person waits to be asked.
const ASKED_WITHIN: Duration = Duration::from_secs(60);

/// Makes things happen.
pub(super) struct Director {
    pub(super) story: Arc<Story>,
    pub(super) bus: JetStreamBus,
    pub(super) tenant: Name,
    pub(super) length: Duration,
}

impl Director {
    /// Publishes every goal, evenly spread; each until the broker has confirmed it.
    pub(super) async fn publish(&self, orders: &[Order]) -> anyhow::Result<Published> {
        let (began, mut published) = (Moment::now(), Published::new());
        let all = self.length.mul_f64(PUBLISHING);
        for (number, order) in orders.iter().enumerate() {
            sleep_until(began + all.mul_f64(number as f64 / orders.len().max(1) as f64)).await;
            let task = TaskId::derive(&self.tenant, &order.key);
            let body = Bytes::from(order.input.to_string());
            let subject = format!("goals.{}.chaos", self.tenant);
            while !self.send(&subject, Some(&order.key), body.clone()).await {
                sleep(AGAIN).await;
            }
            if order.asks == Some(Person::Grants) {
                let (bus, task) = (self.bus.clone(), task.clone());
                tokio::spawn(async move { timeout(ASKED_WITHIN, grant(&bus, &task)).await });
            }
            published.insert(task, order.key.clone());
        }
        Ok(published)
    }

    /// Whether the broker has confirmed it.
    async fn send(&self, subject: &str, key: Option<&str>, body: Bytes) -> bool {
        send(&self.bus, subject, key, body).await
    }

    /// Does one fault after another; returns how often each was done.
    pub(super) async fn disturb(&self, seed: u64, fleet: &mut Fleet) -> anyhow::Result<Faults> {
        let (began, mut done) = (Moment::now(), Faults::new());
        for (at, fault) in plan::faults(seed, self.length) {
            sleep_until(began + at).await;
            let name = match fault {
                Fault::BreakRole { lasts } => self.break_role(fleet, lasts).await?,
                Fault::KillWorker { index } => self.kill_worker(fleet, index).await?,
                Fault::FreezeWorker { index, lasts } => {
                    self.freeze_worker(fleet, index, lasts).await?
                }
                Fault::RestartBroker => self.restart_broker(fleet).await?,
            };
            *done.entry(name).or_default() += 1;
        }
        sleep_until(began + self.length).await;
        Ok(done)
    }

    async fn break_role(&self, fleet: &Fleet, lasts: Duration) -> anyhow::Result<&'static str> {
        let text = format!("role {} is broken for {}", super::worker::BROKEN_ROLE, span(lasts));
        self.story.did(&text);
        self.story.note(Book::role_broken);
        fleet.break_role()?;
        let broken = Instant::now();
        if self.story.until(lasts, |book| book.is_breaker_open).await {
            let took = broken.elapsed();
            self.story.note(|book| book.recovered("role broken, until its breaker opened", took));
        }
        sleep(lasts.saturating_sub(broken.elapsed())).await;
        fleet.mend_role()?;
        self.story.note(|book| book.role_mended(local_now()));
        self.story.did(&format!("role {} works again", super::worker::BROKEN_ROLE));
        Ok("role broken")
    }

    async fn kill_worker(&self, fleet: &mut Fleet, index: usize) -> anyhow::Result<&'static str> {
        const FAULT: &str = "worker killed";
        let index = index % fleet.workers.len().max(1);
        let Worker { name, mut process } = fleet.workers.remove(index);
        self.busy(&name).await;
        process.kill().await?;
        let killed = local_now();
        let held = self.story.read(|book| book.held_by(&name));
        let steps = count(held.len() as u64, "step");
        self.story.did(&format!("{name} killed (SIGKILL) with {steps} in its hands"));
        if !held.is_empty() {
            self.story.note(|book| book.wound(FAULT, killed, held));
        }
        sleep(REPLACED_AFTER).await;
        let new = fleet.add_worker(&self.story).await?;
        self.story.did(&format!("{new} started in place of {name}"));
        Ok(FAULT)
    }

    async fn freeze_worker(
        &self,
        fleet: &Fleet,
        index: usize,
        lasts: Duration,
    ) -> anyhow::Result<&'static str> {
        const FAULT: &str = "worker frozen";
        let index = index % fleet.workers.len().max(1);
        let Some(Worker { name, process }) = fleet.workers.get(index) else {
            anyhow::bail!("there is no worker left");
        };
        self.busy(name).await;
        process.freeze().await?;
        let frozen = local_now();
        let held = self.story.read(|book| book.held_by(name));
        let steps = count(held.len() as u64, "step");
        let lasting = span(lasts);
        self.story.did(&format!("{name} frozen (SIGSTOP) for {lasting} with {steps} in its hands"));
        if !held.is_empty() {
            self.story.note(|book| book.wound(FAULT, frozen, held));
        }
        sleep(lasts).await;
        process.thaw().await?;
        self.story.did(&format!("{name} thawed: what it still reports has been done by others"));
        Ok(FAULT)
    }

    async fn restart_broker(&self, fleet: &mut Fleet) -> anyhow::Result<&'static str> {
        let gone = Instant::now();
        fleet.server.kill().await?;
        self.story.did("broker killed (SIGKILL)");
        self.story.note(|book| book.broker_gone(local_now()));
        fleet.server.restart().await?;
        self.story.broker_is_back();
        self.story.did(&format!("broker back on its store after {}", span(gone.elapsed())));
        Ok("broker restarted")
    }

    /// Waits until the worker is in the middle of something.
    async fn busy(&self, name: &str) {
        self.story.until(BUSY_WITHIN, |book| !book.held_by(name).is_empty()).await;
    }
}

async fn send(bus: &JetStreamBus, subject: &str, key: Option<&str>, body: Bytes) -> bool {
    let mut headers = Vec::new();
    if let Some(key) = key {
        let (Ok(name), Ok(value)) = (header::MSG_ID.parse(), key.parse()) else { return false };
        headers.push((name, value));
    }
    let headers = headers.into_iter().collect();
    let js = &bus.streams().js;
    match js.publish_with_headers(subject.to_owned(), headers, body).await {
        Ok(ack) => ack.await.is_ok(),
        Err(_) => false,
    }
}

/// A person who says yes to what a task asks, as soon as it does.
async fn grant(bus: &JetStreamBus, task: &TaskId) {
    let is_granted = loop {
        match asked(bus, task).await {
            Some(decision) => break decide(bus, task, &decision).await,
            None => sleep(ASKED_LOOK).await,
        }
    };
    if !is_granted {
        tracing::debug!(task = short(task), "decision was not confirmed");
    }
}

/// Yes to what the task asks; `None` while it asks nothing.
async fn asked(bus: &JetStreamBus, task: &TaskId) -> Option<Decision> {
    let records = bus.read_log(task).await.ok()?.records;
    let task = Task::replay(&records)?;
    let (id, step) = task.steps.iter().find(|(id, _)| id.name.as_str() == APPROVAL)?;
    let StepState::Waiting { ask, .. } = &step.state else { return None };
    Some(Decision {
        step: id.clone(),
        by: "the demo's person".to_owned(),
        hash: ask.hash(task.id(), id, step.attempt),
        ruling: Ruling::Grant,
        comment: String::new(),
    })
}

async fn decide(bus: &JetStreamBus, task: &TaskId, decision: &Decision) -> bool {
    let Ok(source) = "demo".parse() else { return false };
    let Ok(body) = decision::encode(decision, ContentType::Json) else { return false };
    let subject = subject::decision(bus.streams().partition(task), &source, task);
    send(bus, &subject, None, body).await
}
