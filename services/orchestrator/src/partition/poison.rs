//! Inputs that keep failing: one by one they become dead letters, and the partition goes on.
//!
//! Only a failure that is the message's own counts: a decision that panics, a pack that is not to
//! be had. A bus that does not answer, or a stream that is full, makes inputs wait.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
};

use cadre_core::{
    ids::TaskId,
    limits::DELIVERIES_MAX,
    ports::{BusError, OrchestratorBus, Packs},
};
use cadre_runtime::task::panic_text;

use super::{
    PartitionActor,
    entry::{Entry, Pending},
    load::LoadFailure,
};

impl<B: OrchestratorBus, P: Packs> PartitionActor<B, P> {
    /// One input failed by itself: the broker delivers it again, or it is given up.
    pub(super) fn failed(&self, id: &TaskId, pending: Pending<B::Receipt>, why: &str) {
        let (cause, deliveries) = (pending.input.kind(), pending.deliveries);
        tracing::error!(task = %id, cause, deliveries, why, "input failed");
        let Some(receipt) = pending.receipt else { return };
        if deliveries >= DELIVERIES_MAX {
            self.bury(receipt, spent(deliveries, why));
        }
    }

    /// The task cannot be worked on: whoever has waited for it too often is given up.
    pub(super) fn give_up(&self, entry: &mut Entry<B::Receipt>, why: &str) {
        let waiting = std::mem::take(&mut entry.queue).into_iter();
        let (given_up, kept): (VecDeque<_>, VecDeque<_>) =
            waiting.partition(|pending| pending.deliveries >= DELIVERIES_MAX);
        entry.queue = kept;
        for Pending { receipt, deliveries, .. } in given_up {
            let Some(receipt) = receipt else { continue };
            self.bury(receipt, spent(deliveries, why));
        }
    }
}

fn spent(deliveries: u32, why: &str) -> String {
    format!("failed at each of {deliveries} deliveries: {why}")
}

/// Calls `decide`; a panic in there is the input's failure, not the partition's.
pub(super) fn survive<T>(decide: impl FnOnce() -> T) -> Result<T, String> {
    // What it borrows is only read: a panic leaves nothing half done.
    catch_unwind(AssertUnwindSafe(decide))
        .map_err(|panic| format!("the decision panicked: {}", panic_text(&*panic)))
}

/// A pack that cannot be had is waited for; whether that is the bus's fault decides for how long.
pub(super) fn pack_failure(error: &BusError) -> LoadFailure {
    match error {
        BusError::Unavailable(_) => LoadFailure::Later(error.to_string()),
        BusError::Refused(_) => LoadFailure::NoPack(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_its_words() {
        assert_eq!(survive(|| 7), Ok(7));
        let panicked = survive(|| panic!("item {} is not there", 3)).unwrap_err();
        assert_eq!(panicked, "the decision panicked: item 3 is not there");
    }

    #[test]
    fn only_a_refusal_counts_against_the_input() {
        let text = || "why".to_owned();
        assert!(matches!(pack_failure(&BusError::Unavailable(text())), LoadFailure::Later(_)));
        assert!(matches!(pack_failure(&BusError::Refused(text())), LoadFailure::NoPack(_)));
    }
}
