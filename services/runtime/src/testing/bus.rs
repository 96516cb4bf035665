//! The worker's port.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, Partition, TaskId},
    journal::JournalId,
    ports::{BusError, DeadLetter, Inbox, Malformed, Settle, Stopped, WorkItem, WorkerBus},
    task::Report,
};
use tokio::time::{Instant, timeout_at};

use super::{ACK_WAIT, Content, Event, Memory, Order, Receipt, TRACE, World};

/// How long an inbox waits before it says that nothing came.
const POLL_MAX: Duration = Duration::from_secs(5);

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

/// Tasks that end, as one listener hears of them.
#[derive(Debug)]
pub struct MemoryStops {
    memory: Memory,
    heard: usize,
}

impl Inbox<Stopped> for MemoryStops {
    async fn next(&mut self) -> Result<Vec<Stopped>, BusError> {
        let memory = self.memory.clone();
        loop {
            let news = memory.0.news.notified();
            let fresh: Vec<TaskId> =
                memory.world().ended.iter().skip(self.heard).cloned().collect();
            let fresh: Vec<_> =
                fresh.into_iter().map(|task| Stopped { task, attempts: Vec::new() }).collect();
            self.heard += fresh.len();
            if !fresh.is_empty() {
                return Ok(fresh);
            }
            news.await;
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
            Content::Step { task, tenant, step, revision, input, until, grant } => Ok(WorkItem {
                task: task.clone(),
                tenant: tenant.clone(),
                workflow: tenant.clone(),
                revision: revision.clone(),
                step: step.clone(),
                attempt: 1,
                role: self.role.clone(),
                input: input.clone(),
                time_left: until.saturating_duration_since(now),
                grant: *grant,
                idempotency_key: format!("{task}.{step}.1"),
                ruled: None,
                near: Vec::new(),
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
                    deliveries: self.deliveries,
                    subject: format!("cadre.0.work.{}", self.role),
                    headers: Vec::new(),
                    body: Vec::new(),
                };
                Err(Box::new(Malformed { letter, receipt }))
            }
        }
    }
}

impl Settle for Memory {
    type Receipt = Receipt;

    async fn ack(&self, receipt: Receipt) {
        self.done(&receipt).await;
    }
}

impl WorkerBus for Memory {
    type Work = MemoryInbox;
    type Stops = MemoryStops;

    async fn work(&self, role: &Name, in_flight: usize) -> Result<MemoryInbox, BusError> {
        if self.world().flags.refuses_subscriptions {
            return Err(BusError::Refused("no such consumer".to_owned()));
        }
        Ok(MemoryInbox { memory: self.clone(), role: role.clone(), in_flight })
    }

    async fn stops(&self) -> Result<MemoryStops, BusError> {
        let heard = self.world().ended.len();
        Ok(MemoryStops { memory: self.clone(), heard })
    }

    #[expect(clippy::panic, reason = "a failure mode")]
    async fn report(
        &self,
        task: &TaskId,
        report: Report,
        trace: Option<String>,
    ) -> Result<(), BusError> {
        if self.world().flags.reports_hang {
            std::future::pending::<()>().await;
        }
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
            world.events.push(Event::Reported(task.clone(), Box::new(report), trace));
        }
        Ok(())
    }

    async fn is_reported(&self, step: &JournalId, attempt: u32) -> Result<bool, BusError> {
        if self.world().flags.looks_hang {
            std::future::pending::<()>().await;
        }
        let key = (step.task.clone(), step.step.clone(), attempt);
        Ok(self.world().reported.contains(&key))
    }

    async fn is_open(&self, receipt: &Receipt) -> bool {
        self.world().orders.contains_key(&receipt.sequence)
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
