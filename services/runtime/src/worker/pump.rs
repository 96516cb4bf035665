//! Brings work orders from the bus to the role actor, as many as there are free slots.
//!
//! Outlives any broker gap: a broken subscription is opened anew, for ever. What waits here for
//! a slot gets no heartbeat; the bus hands out no more than `in_flight`, so next to nothing waits.

use std::{sync::Arc, time::Duration};

use cadre_core::ports::{BusError, Inbox, Malformed, Packs, Settle, WorkItem, WorkerBus};
use ractor::ActorRef;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    Step, StepRunner,
    role::{Msg, Shared},
};
use crate::{backoff::Backoff, task};

/// Bounds of the pause before a subscription is opened anew, or a dead letter tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Tries to keep a dead letter; after them it comes again with its redelivery.
const BURIALS_MAX: u32 = 5;

/// One order with the slot that it occupies.
pub(super) struct Arrival<R> {
    pub(super) step: Step,
    pub(super) receipt: Arc<R>,
    pub(super) slot: OwnedSemaphorePermit,
}

type ReceiptOf<B> = <B as Settle>::Receipt;
type Order<B> = Result<WorkItem<ReceiptOf<B>>, Box<Malformed<ReceiptOf<B>>>>;

pub(super) struct Pump<B: WorkerBus, P, W> {
    pub(super) shared: Arc<Shared<B, P, W>>,
    pub(super) role: ActorRef<Msg<ReceiptOf<B>>>,
    pub(super) slots: Arc<Semaphore>,
}

/// The role actor is gone, so is the reason to pump.
struct RoleGone;

impl<B: WorkerBus, P: Packs, W: StepRunner> Pump<B, P, W> {
    /// Pumps until the role actor is gone.
    pub(super) async fn run(self) {
        let role = self.shared.role.as_str();
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            match self.subscription(&mut backoff).await {
                Ok(RoleGone) => return,
                Err(error @ BusError::Unavailable(_)) => {
                    tracing::warn!(role, %error, "subscription lost, opening it anew");
                }
                Err(error @ BusError::Refused(_)) => {
                    tracing::error!(role, %error, "subscription refused, trying again");
                }
            }
            self.shared.set_subscribed(false);
            backoff.pause().await;
        }
    }

    /// Opens one subscription and pumps until it breaks.
    async fn subscription(&self, backoff: &mut Backoff) -> Result<RoleGone, BusError> {
        let in_flight = self.shared.options.in_flight;
        let mut inbox = self.shared.bus.work(&self.shared.role, in_flight).await?;
        self.shared.set_subscribed(true);
        let mut is_proven = false;
        loop {
            let orders = inbox.next().await?;
            if !is_proven {
                (is_proven, *backoff) = (true, Backoff::new(RETRY.0, RETRY.1));
            }
            if self.hand_over(orders).await.is_err() {
                return Ok(RoleGone);
            }
        }
    }

    async fn hand_over(&self, orders: Vec<Order<B>>) -> Result<(), RoleGone> {
        let received = Instant::now();
        let mut arrivals = Vec::with_capacity(orders.len());
        for order in orders {
            let slot = match Arc::clone(&self.slots).try_acquire_owned() {
                Ok(slot) => slot,
                Err(_) => {
                    self.send(std::mem::take(&mut arrivals))?;
                    let free = Arc::clone(&self.slots).acquire_owned().await;
                    free.map_err(|_| RoleGone)?
                }
            };
            match order {
                Ok(item) => {
                    let (step, receipt) = Step::of(item, received, self.shared.desk.clone());
                    arrivals.push(Arrival { step, receipt, slot });
                }
                Err(malformed) => self.bury(malformed, slot),
            }
        }
        self.send(arrivals)
    }

    fn send(&self, arrivals: Vec<Arrival<ReceiptOf<B>>>) -> Result<(), RoleGone> {
        if arrivals.is_empty() {
            return Ok(());
        }
        self.role.cast(Msg::Arrived(arrivals)).map_err(|_| RoleGone)
    }

    fn bury(&self, malformed: Box<Malformed<ReceiptOf<B>>>, slot: OwnedSemaphorePermit) {
        let bus = self.shared.bus.clone();
        let burial = async move {
            let Malformed { letter, receipt } = *malformed;
            tracing::warn!(subject = letter.subject, reason = letter.reason, "work order is dead");
            let mut backoff = Backoff::new(RETRY.0, RETRY.1);
            for _ in 0..BURIALS_MAX {
                match bus.bury(letter.clone()).await {
                    Ok(()) => return bus.done(&receipt).await,
                    Err(error) => tracing::warn!(%error, "dead letter not kept"),
                }
                backoff.pause().await;
            }
            drop(slot);
        };
        drop(task::spawn("burial", burial));
    }
}
