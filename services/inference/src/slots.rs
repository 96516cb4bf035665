//! Room for calls: so many at once, so many more that wait, and no tenant takes more than half of it all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use cadre_core::ids::Name;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The room of one gateway. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all_max: usize,
    running: Arc<Semaphore>,
    taken: Mutex<BTreeMap<Name, usize>>,
    freed: Notify,
}

/// Room for one call, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    tenant: Name,
}

impl Slots {
    pub(crate) fn new(calls_max: usize, queue_max: usize) -> Self {
        Self(Arc::new(Inner {
            all_max: calls_max.saturating_add(queue_max),
            running: Arc::new(Semaphore::new(calls_max.max(1))),
            taken: Mutex::default(),
            freed: Notify::new(),
        }))
    }

    /// Room for a call of `tenant`; `None` when there is none.
    pub(crate) fn take(&self, tenant: &Name) -> Option<Slot> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(tenant).copied().unwrap_or_default();
        if all >= self.0.all_max || own >= self.0.all_max.div_ceil(2) {
            return None;
        }
        taken.insert(tenant.clone(), own + 1);
        Some(Slot { slots: self.clone(), tenant: tenant.clone() })
    }

    /// Calls that run or wait.
    pub(crate) fn taken(&self) -> usize {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Returns once no call runs or waits.
    pub(crate) async fn empty(&self) {
        loop {
            let freed = self.0.freed.notified();
            if self.taken() == 0 {
                return;
            }
            freed.await;
        }
    }
}

impl Slot {
    /// Waits for its turn, in the order of asking; `None` never in practice: nobody closes the row.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots.0.running).acquire_owned().await.ok()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.tenant) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.tenant);
            }
        }
        drop(taken);
        self.slots.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_tenant_keeps_the_others_out() {
        let slots = Slots::new(2, 4);
        let (loud, quiet) = (Name::new("loud").unwrap(), Name::new("quiet").unwrap());
        let mut held: Vec<_> = (0..3).filter_map(|_| slots.take(&loud)).collect();
        assert!(slots.take(&loud).is_none(), "half of it is the most");
        held.extend((0..3).filter_map(|_| slots.take(&quiet)));
        assert_eq!((held.len(), slots.taken()), (6, 6));
        assert!(slots.take(&Name::new("third").unwrap()).is_none(), "it is full");
        drop(held);
        slots.empty().await;
        assert!(slots.take(&loud).is_some());
    }
}
