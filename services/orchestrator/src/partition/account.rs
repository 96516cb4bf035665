//! What attempts have cost that end without a report: their journals say it, and nobody else will.
//!
//! Only steps that may spend something are asked about, and only when their time is over or what is decided stops
//! them: everybody else's cost stands in the report. A call that is out costs what was set aside for it; one
//! that is begun behind this look, before its worker hears that it is to stop, counts nothing.

use std::collections::BTreeMap;

use cadre_core::{
    ids::{StepId, TaskId},
    journal::JournalId,
    ports::{OrchestratorBus, Packs},
    task::{StepState, Task, Usage},
    time::UnixMillis,
    workflow::Grant,
};
use cadre_runtime::task::spawn;

use super::{
    PartitionActor, PartitionMsg, PartitionState,
    commit::Myself,
    entry::{Known, Pending, Slot},
};

/// What attempts that are out have spent, by step.
pub(super) type Spent = BTreeMap<StepId, Usage>;

/// An attempt that ends without a report.
pub(super) struct Unreported {
    journal: JournalId,
    attempt: u32,
    grant: Grant,
}

/// The attempts whose time is over at `now`, and that may have spent something.
pub(super) fn overdue(task: &Task, now: UnixMillis) -> Vec<Unreported> {
    let is_over = task.deadline <= now;
    unreported(task, |_, deadline| is_over || deadline <= now)
}

/// The attempts that are out in `task`, end in `next` without a report, and that may have spent something which
/// is not among what is known to be `spent`.
pub(super) fn stopped(task: &Task, next: &Task, spent: Option<&Spent>) -> Vec<Unreported> {
    unreported(task, |id, _| {
        let is_known = spent.is_some_and(|spent| spent.contains_key(id));
        let after = next.steps.get(id).map(|step| &step.state);
        !is_known && matches!(after, Some(StepState::Cancelled | StepState::Skipped(_)))
    })
}

fn unreported(task: &Task, is_meant: impl Fn(&StepId, UnixMillis) -> bool) -> Vec<Unreported> {
    let meant = task.steps.iter().filter_map(|(id, step)| {
        let StepState::Dispatched { deadline, .. } = &step.state else { return None };
        if step.grant == Grant::default() || !is_meant(id, *deadline) {
            return None;
        }
        let (role, task) = (step.role.clone()?, task.id().clone());
        let journal = JournalId { role, task, step: id.clone() };
        Some(Unreported { journal, attempt: step.attempt, grant: step.grant })
    });
    meant.collect()
}

impl<B: OrchestratorBus, P: Packs> PartitionActor<B, P> {
    /// Reads what they have spent; then the input is decided. Until then the task takes no other.
    pub(super) fn account(
        &self,
        myself: &Myself<B>,
        id: &TaskId,
        (known, pending): (Known, Pending<B::Receipt>),
        ended: Vec<Unreported>,
    ) {
        let (bus, myself, id) = (self.bus.clone(), myself.clone(), id.clone());
        spawn("partition-account", async move {
            let mut spent = pending.spent.unwrap_or_default();
            for Unreported { journal, attempt, grant } in ended {
                let used = bus.spent(&journal, attempt, grant).await;
                let Grant { usd_micros, tokens } = used;
                spent.insert(journal.step, Usage { usd_micros, tokens, work_ms: 0 });
            }
            let pending = Pending { spent: Some(spent), ..pending };
            // A stopped actor needs no message: its successor gets the input again.
            let _ = myself.cast(PartitionMsg::Accounted(id, Box::new((known, pending))));
        });
    }

    pub(super) fn on_accounted(
        &self,
        myself: &Myself<B>,
        state: &mut PartitionState<B>,
        id: &TaskId,
        (known, pending): (Known, Pending<B::Receipt>),
    ) {
        let Some(entry) = state.cache.get(id) else { return };
        if !matches!(entry.slot, Slot::Loading) {
            return;
        }
        entry.queue.push_front(pending);
        if std::mem::take(&mut entry.is_broken) {
            return self.load(myself, id, 0);
        }
        entry.slot = Slot::Idle(known);
        self.turn(myself, state, id);
    }
}
