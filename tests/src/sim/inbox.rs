//! Subscriptions: messages as they are handed out, to whoever may have them.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, Partition, TaskId},
    ports::{BusError, Delivery, Inbox, Malformed, RawGoal, Stopped, WorkItem},
    time::UnixMillis,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use super::{
    bus::{Bell, Receipt, SimBus},
    queue::{Message, Queue},
    world::{Kind, Ordered, Pin, World},
};

/// How long a pull waits before it says that nothing came.
const PULL_MS: u64 = 3_000;

/// How often an owner is seen, and a rival looks.
const PULSE_MS: u64 = 1_000;

/// An owner that was not seen for so long has lost its partition.
const PINNED_MS: u64 = 3_000;

/// Messages of one pull.
const BATCH: usize = 64;

/// What one look at the world brings.
enum Look<T> {
    Found(Vec<T>),
    /// Nothing before this time.
    Nothing(Option<u64>),
}

/// Looks until there is something, the pull is over, or the subscription breaks.
async fn pull<T: Send>(
    (bus, bell): (&SimBus, Bell),
    mut look: impl FnMut(&mut World, u64) -> Look<T> + Send,
) -> Result<Vec<T>, BusError> {
    // Pulls are repeated for ever.
    while bus.reach().await.is_err() {}
    let until = bus.shared.world().now() + PULL_MS;
    loop {
        bus.gate().await;
        let news = bus.shared.bell(bell).notified();
        let wake: Instant = {
            let mut world = bus.shared.world();
            let now = world.now();
            let permille = world.faults.broken_permille;
            let next = if world.faults.away_until > now {
                Some(world.faults.away_until)
            } else {
                match look(&mut world, now) {
                    Look::Found(_) if world.chance.hits(permille) => {
                        // They are handed out all the same, and come again.
                        world.injected += 1;
                        return Err(BusError::Unavailable("the subscription broke".to_owned()));
                    }
                    Look::Found(found) => return Ok(found),
                    Look::Nothing(next) => next,
                }
            };
            if now >= until {
                return Ok(Vec::new());
            }
            let next = next.unwrap_or(until).max(now + 1);
            world.instant(next.min(until).min(now + PULSE_MS))
        };
        // Whichever comes first, it is time to look again.
        let _ = timeout_at(wake, news).await;
    }
}

/// Takes what is there, and lets some of it come again at once.
fn take<T: Clone>(
    world: &mut World,
    queue: impl Fn(&mut World) -> &mut Queue<T>,
    (now, max): (u64, usize),
    is_wanted: impl Fn(&Message<T>) -> bool,
) -> Look<(u64, Message<T>)> {
    let found = queue(world).pull(now, max, &is_wanted);
    if found.is_empty() {
        return Look::Nothing(queue(world).next_at(is_wanted));
    }
    for (sequence, _) in &found {
        let permille = world.faults.again_permille;
        if world.chance.hits(permille) {
            world.injected += 1;
            let soon = now + world.chance.between(0, 300);
            queue(world).put_off(*sequence, Some(soon), now);
        }
    }
    Look::Found(found)
}

/// Inputs of one partition.
pub struct Inputs {
    bus: SimBus,
    partition: Partition,
    subscription: u64,
}

impl Inputs {
    pub(super) fn open(bus: &SimBus, partition: Partition) -> Self {
        let subscription = bus.shared.world().fresh();
        Self { bus: bus.clone(), partition, subscription }
    }
}

/// Whether a subscription may have the partition's inputs; it is seen by asking.
fn owns(world: &mut World, partition: Partition, (subscription, now): (u64, u64)) -> bool {
    let is_split = world.faults.split_until > now;
    let mine = Pin { owner: subscription, seen_at: now };
    let pin = world.pins.entry(partition).or_insert(mine);
    if pin.owner == subscription || pin.seen_at + PINNED_MS < now {
        *pin = mine;
    }
    pin.owner == subscription || is_split
}

impl Inbox<Delivery<Receipt>> for Inputs {
    async fn next(&mut self) -> Result<Vec<Delivery<Receipt>>, BusError> {
        let (partition, subscription) = (self.partition, self.subscription);
        let found = pull((&self.bus, Bell::Inputs), |world, now| {
            if !owns(world, partition, (subscription, now)) {
                return Look::Nothing(None);
            }
            let partitions = world.partitions;
            // Between two that both believe to be the owner, each message goes to one of them.
            let max = if world.faults.split_until > now { 1 } else { BATCH };
            let is_ours =
                |message: &Message<(TaskId, _)>| message.value.0.partition(partitions) == partition;
            take(world, |world| &mut world.inputs, (now, max), is_ours)
        })
        .await?;
        let deliver = |(sequence, message): (u64, Message<_>)| {
            self.bus.observe(message.stored_at);
            let Message { subject, value, stored_at, deliveries, .. } = message;
            let (kind, room) = (Kind::Input, None);
            Delivery {
                content: Ok(value),
                trace: None,
                sequence,
                stored_at: UnixMillis(stored_at),
                deliveries,
                receipt: Receipt { kind, sequence, deliveries, subject, _room: room },
            }
        };
        Ok(found.into_iter().map(deliver).collect())
    }
}

/// Goals as published.
pub struct Goals(pub(super) SimBus);

impl Inbox<RawGoal<Receipt>> for Goals {
    async fn next(&mut self) -> Result<Vec<RawGoal<Receipt>>, BusError> {
        let found = pull((&self.0, Bell::Goals), |world, now| {
            take(world, |world| &mut world.goals, (now, BATCH), |_| true)
        })
        .await?;
        let deliver = |(sequence, message): (u64, Message<super::world::Published>)| {
            self.0.observe(message.stored_at);
            let Message { subject, value, stored_at, deliveries, .. } = message;
            let (kind, room) = (Kind::Goal, None);
            RawGoal {
                subject: subject.clone(),
                headers: value.headers,
                body: value.body,
                sequence,
                stream_epoch: "sim".to_owned(),
                stored_at: UnixMillis(stored_at),
                deliveries,
                receipt: Receipt { kind, sequence, deliveries, subject, _room: room },
            }
        };
        Ok(found.into_iter().map(deliver).collect())
    }
}

/// Fired timers.
pub(super) async fn fired(bus: &SimBus) -> Result<Vec<(u64, TaskId)>, BusError> {
    let look = |world: &mut World, now| {
        take(world, |world| &mut world.due, (now, BATCH), |_: &Message<TaskId>| true)
    };
    let found = pull((bus, Bell::Due), look).await?;
    Ok(found.into_iter().map(|(sequence, message)| (sequence, message.value)).collect())
}

/// Work orders of one role.
pub struct Work {
    bus: SimBus,
    role: Name,
    room: Arc<Semaphore>,
}

type Item = Result<WorkItem<Receipt>, Box<Malformed<Receipt>>>;

impl Work {
    pub(super) fn open(bus: &SimBus, role: &Name, in_flight: usize) -> Self {
        let room = Arc::new(Semaphore::new(in_flight.max(1)));
        Self { bus: bus.clone(), role: role.clone(), room }
    }
}

impl Inbox<Item> for Work {
    async fn next(&mut self) -> Result<Vec<Item>, BusError> {
        if self.room.available_permits() == 0 {
            // Waits for one free place, but never long: the caller has other things to do.
            let _ = timeout(Duration::from_millis(PULSE_MS), self.room.acquire()).await;
        }
        let (role, room) = (self.role.clone(), self.room.available_permits());
        if room == 0 {
            return Ok(Vec::new());
        }
        let found = pull((&self.bus, Bell::Work), |world, now| {
            let is_ours = |message: &Message<Ordered>| message.value.order.role == role;
            take(world, |world| &mut world.work, (now, room.min(BATCH)), is_ours)
        })
        .await?;
        let mut items = Vec::new();
        for (sequence, message) in found {
            let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else { continue };
            self.bus.observe(message.stored_at);
            let Message { subject, value: Ordered { order, timeout_ms }, deliveries, .. } = message;
            let now = self.bus.clock();
            let waited = now.since(UnixMillis(message.stored_at));
            let by_timeout = Duration::from_millis(timeout_ms).saturating_sub(waited);
            let (kind, room) = (Kind::Work, Some(room));
            items.push(Ok(WorkItem {
                task: order.goal.task.clone(),
                tenant: order.goal.tenant.clone(),
                workflow: order.goal.workflow.clone(),
                revision: order.goal.revision.to_string(),
                idempotency_key: order.idempotency_key(),
                ruled: order.ruled.clone(),
                near: order.near.clone(),
                step: order.step,
                attempt: order.attempt,
                role: order.role,
                input: order.input,
                time_left: order.deadline.since(now).min(by_timeout),
                grant: order.grant,
                trace: None,
                deliveries,
                receipt: Arc::new(Receipt { kind, sequence, deliveries, subject, _room: room }),
            }));
        }
        Ok(items)
    }
}

/// Work that is stopped from now on.
pub struct Stops {
    bus: SimBus,
    heard: usize,
}

impl Stops {
    pub(super) fn open(bus: &SimBus) -> Self {
        let heard = bus.shared.world().stops.len();
        Self { bus: bus.clone(), heard }
    }
}

impl Inbox<Stopped> for Stops {
    async fn next(&mut self) -> Result<Vec<Stopped>, BusError> {
        let heard = self.heard;
        let found = pull((&self.bus, Bell::Stops), |world, _| {
            let fresh: Vec<_> = world.stops.iter().skip(heard).cloned().collect();
            if fresh.is_empty() { Look::Nothing(None) } else { Look::Found(fresh) }
        })
        .await?;
        self.heard += found.len();
        Ok(found)
    }
}
