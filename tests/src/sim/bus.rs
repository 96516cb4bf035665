//! One process's connection to the simulated broker: where calls take time, fail, and end with it.
//!
//! A process dies by its connection: from then on no call of it is answered and none has an
//! effect, wherever it is. Nothing else that it does can be seen from outside.

use std::{
    future::pending,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cadre_core::{
    ports::{BusError, Settle},
    time::UnixMillis,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::{sleep, timeout_at},
};

use super::world::{Kind, World, Write, Written};

/// How long a call waits for a broker that is away.
const GAP_MS: u64 = 10_000;

/// The world, and the bells that ring when something in it has changed.
#[derive(Debug)]
pub struct Shared {
    world: Mutex<World>,
    bells: Bells,
}

/// One bell for each kind of waiting. A write wakes those who may want what it brings, and nobody else:
/// there are some sixty subscriptions, and most of what a run takes is waking them.
#[derive(Debug, Default)]
struct Bells {
    goals: Notify,
    inputs: Notify,
    work: Notify,
    due: Notify,
    stops: Notify,
    /// Something is to happen at another time than before.
    times: Notify,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bell {
    Goals,
    Inputs,
    Work,
    Due,
    Stops,
    Times,
}

impl Bell {
    /// Whom a write concerns; nobody waits for what only a look finds.
    pub(super) fn of(write: &Write) -> Option<Self> {
        match write {
            Write::Publish(..) => Some(Self::Goals),
            Write::Submit(_) | Write::Input(..) | Write::Report(..) => Some(Self::Inputs),
            Write::Order(_) => Some(Self::Work),
            Write::Wake(..) => Some(Self::Times),
            Write::Stop(_) => Some(Self::Stops),
            Write::Append(_)
            | Write::Forget(_)
            | Write::Answer(_)
            | Write::Letter(_)
            | Write::Note(..)
            | Write::Effect(_)
            | Write::Ack(..)
            | Write::Progress(_) => None,
        }
    }
}

impl Shared {
    /// Shares a world.
    #[must_use]
    pub fn new(world: World) -> Arc<Self> {
        Arc::new(Self { world: Mutex::new(world), bells: Bells::default() })
    }

    /// Everything there is.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bell(&self, bell: Bell) -> &Notify {
        match bell {
            Bell::Goals => &self.bells.goals,
            Bell::Inputs => &self.bells.inputs,
            Bell::Work => &self.bells.work,
            Bell::Due => &self.bells.due,
            Bell::Stops => &self.bells.stops,
            Bell::Times => &self.bells.times,
        }
    }

    /// Wakes everybody: anything may have changed.
    pub fn wake_all(&self) {
        for bell in [Bell::Goals, Bell::Inputs, Bell::Work, Bell::Due, Bell::Stops, Bell::Times] {
            self.bell(bell).notify_waiters();
        }
    }

    /// Does a write at once, and tells whom it concerns.
    pub fn write(&self, write: Write) -> Written {
        let bell = Bell::of(&write);
        let written = self.world().write(write);
        if let Some(bell) = bell {
            self.bell(bell).notify_waiters();
        }
        written
    }

    /// Fires timers and lets late writes arrive, until dropped.
    pub async fn drive(self: Arc<Self>) {
        loop {
            let news = self.bells.times.notified();
            let (bells, next) = {
                let mut world = self.world();
                (world.catch_up(), world.next_event().map(|at| world.instant(at)))
            };
            bells.into_iter().for_each(|bell| self.bell(bell).notify_waiters());
            match next {
                // Whichever comes first, it is time to look again.
                Some(at) => drop(timeout_at(at, news).await),
                None => news.await,
            }
        }
    }
}

/// The ports of one life of one process. Clones share it.
#[derive(Debug, Clone)]
pub struct SimBus {
    pub(super) shared: Arc<Shared>,
    pub(super) process: u64,
    /// How far this process's clock is behind the broker's, in milliseconds.
    lag: Arc<AtomicU64>,
}

/// Settles one delivery.
#[derive(Debug)]
pub struct Receipt {
    pub(super) kind: Kind,
    pub(super) sequence: u64,
    pub(super) deliveries: u32,
    pub(super) subject: String,
    /// Room that it takes in its worker; free again when the receipt is dropped.
    pub(super) _room: Option<OwnedSemaphorePermit>,
}

impl SimBus {
    /// Connects a process that begins to live.
    #[must_use]
    pub fn connect(shared: &Arc<Shared>) -> Self {
        let mut world = shared.world();
        let (process, lag) = (world.fresh(), world.chance.between(0, 400));
        world.alive.insert(process, true);
        drop(world);
        Self { shared: Arc::clone(shared), process, lag: Arc::new(AtomicU64::new(lag)) }
    }

    /// Ends the process's life.
    pub fn cut(&self) {
        self.shared.world().alive.insert(self.process, false);
    }

    /// Whether the process lives.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.shared.world().alive.get(&self.process).copied().unwrap_or(false)
    }

    /// Goes on only in a process that lives.
    pub(super) async fn gate(&self) {
        if !self.is_alive() {
            pending::<()>().await;
        }
    }

    /// What this process believes to be the broker's time.
    #[must_use]
    pub fn clock(&self) -> UnixMillis {
        UnixMillis(self.shared.world().now() - self.lag.load(Ordering::Relaxed))
    }

    /// Takes note of a time that the broker has stamped.
    pub(super) fn observe(&self, stored_at: u64) {
        let lag = self.shared.world().now() - stored_at;
        self.lag.fetch_min(lag, Ordering::Relaxed);
    }

    async fn travel(&self) {
        self.gate().await;
        let ms = {
            let mut world = self.shared.world();
            let max = world.faults.latency_ms_max;
            world.chance.between(0, max)
        };
        if ms > 0 {
            sleep(Duration::from_millis(ms)).await;
        }
        self.gate().await;
    }

    /// Brings a call to the broker, or finds it away for too long.
    pub(super) async fn reach(&self) -> Result<(), BusError> {
        self.travel().await;
        let (now, away_until) = {
            let world = self.shared.world();
            (world.now(), world.faults.away_until)
        };
        if away_until <= now {
            return Ok(());
        }
        let patience = (away_until - now).min(GAP_MS);
        sleep(Duration::from_millis(patience)).await;
        self.gate().await;
        if away_until - now > GAP_MS {
            return Err(BusError::Unavailable("the broker is away".to_owned()));
        }
        Ok(())
    }

    /// A question that changes nothing.
    pub(super) async fn ask<T>(&self, look: impl FnOnce(&World) -> T + Send) -> Result<T, BusError>
    where
        T: Send,
    {
        self.reach().await?;
        let seen = {
            let mut world = self.shared.world();
            let permille = world.faults.broken_permille;
            if world.chance.hits(permille) {
                world.injected += 1;
                Err(BusError::Unavailable("the read broke".to_owned()))
            } else {
                Ok(look(&world))
            }
        };
        self.travel().await;
        seen
    }

    /// A write whose writer waits for the answer.
    pub(super) async fn write(&self, write: Write) -> Result<Written, BusError> {
        self.reach().await?;
        let bell = Bell::of(&write);
        let told = self.send(write);
        if let Some(bell) = bell {
            self.shared.bell(bell).notify_waiters();
        }
        self.travel().await;
        if told.is_err() {
            // Patience ends some time.
            let ms = self.shared.world().chance.between(0, 2_000);
            sleep(Duration::from_millis(ms)).await;
            self.gate().await;
        }
        told
    }

    fn send(&self, write: Write) -> Result<Written, BusError> {
        let mut world = self.shared.world();
        let faults = world.faults.clone();
        let unclear = || Err(BusError::Unavailable("nobody knows whether it arrived".to_owned()));
        if world.chance.hits(faults.lost_permille) {
            world.injected += 1;
            return unclear();
        }
        if world.chance.hits(faults.unclear_permille) {
            world.injected += 1;
            world.write(write);
            return unclear();
        }
        if world.chance.hits(faults.late_permille) {
            world.injected += 1;
            let delay = world.chance.between(1, 8_000);
            world.put_off(write, delay);
            drop(world);
            self.shared.bell(Bell::Times).notify_waiters();
            return unclear();
        }
        if world.chance.hits(faults.twice_permille) {
            world.injected += 1;
            let again = write.clone();
            let written = world.write(write);
            world.write(again);
            return Ok(written);
        }
        Ok(world.write(write))
    }

    /// An acknowledgement: nobody waits for it.
    pub(super) async fn settle(&self, kind: Kind, sequence: u64, is_done: bool) {
        self.gate().await;
        let write = if is_done { Write::Ack(kind, sequence) } else { Write::Progress(sequence) };
        {
            let mut world = self.shared.world();
            let faults = world.faults.clone();
            let is_away = faults.away_until > world.now();
            if is_away || world.chance.hits(faults.ack_lost_permille) {
                world.injected += u64::from(!is_away);
                return;
            }
            let delay = world.chance.between(0, faults.latency_ms_max);
            if delay == 0 {
                world.write(write);
                return;
            }
            world.put_off(write, delay);
        }
        self.shared.bell(Bell::Times).notify_waiters();
    }
}

impl Settle for SimBus {
    type Receipt = Receipt;

    async fn ack(&self, receipt: Receipt) {
        self.settle(receipt.kind, receipt.sequence, true).await;
    }
}
