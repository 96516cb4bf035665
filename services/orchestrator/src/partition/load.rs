//! How a task comes back: its log is read, its pack fetched, its debts paid again.

use std::sync::Arc;

use cadre_core::{
    ids::TaskId,
    ports::{LoadError, LogHead, OrchestratorBus, Packs},
    task::{Goal, Input, Task},
    workflow::Workflow,
};
use cadre_runtime::task::spawn;

use super::{
    PartitionActor, PartitionMsg, PartitionState, RELOAD_PAUSE,
    commit::Myself,
    entry::{Known, Pending, Slot},
    pay::{Debts, pay},
    poison::pack_failure,
};

/// Longest pause between two tries, in units of [`RELOAD_PAUSE`].
const PAUSES_MAX: u32 = 25;

/// A task that was brought back from its log.
#[derive(Debug)]
pub(crate) struct LoadedTask {
    task: Option<Arc<Task>>,
    head: LogHead,
    /// `None` for an empty log: the input says which pack it wants.
    workflow: Option<Arc<Workflow>>,
    /// What the goal that waits is a fork of, when it is one and there is such a task.
    source: Option<Arc<Task>>,
}

/// Why a task could not be brought back.
#[derive(Debug)]
pub(crate) enum LoadFailure {
    /// Try again.
    Later(String),
    /// Try again, but not for ever: its pack is not to be had.
    NoPack(String),
    /// Never continue it.
    Quarantine(String),
    /// A newer build must go on.
    Release(String),
}

impl<B: OrchestratorBus, P: Packs> PartitionActor<B, P> {
    /// Reads the log and the pack that goes with it; the actor hears of it.
    pub(super) fn load(&self, myself: &Myself<B>, id: &TaskId, failures: u32) {
        let (bus, packs) = (self.bus.clone(), self.packs.clone());
        let (myself, id) = (myself.clone(), id.clone());
        spawn("partition-load", async move {
            if failures > 0 {
                tokio::time::sleep(RELOAD_PAUSE.saturating_mul(failures.min(PAUSES_MAX))).await;
            }
            let loaded = match load(&bus, &packs, &id).await {
                Ok(loaded) => pay_again(&bus, loaded).await,
                failed @ Err(_) => failed,
            };
            // A stopped actor has no use for it; its successor loads for itself.
            let _ = myself.cast(PartitionMsg::Loaded(id, Box::new(loaded)));
        });
    }

    /// Reads the log again; what was paid for a state that is still the last one is not paid again.
    pub(super) fn look(&self, myself: &Myself<B>, id: &TaskId, known: LogHead) {
        let (bus, packs) = (self.bus.clone(), self.packs.clone());
        let (myself, id) = (myself.clone(), id.clone());
        spawn("partition-look", async move {
            let loaded = match load(&bus, &packs, &id).await {
                Ok(loaded) if loaded.head != known => pay_again(&bus, loaded).await,
                same @ Ok(_) => same,
                failed @ Err(_) => failed,
            };
            let _ = myself.cast(PartitionMsg::Loaded(id, Box::new(loaded)));
        });
    }

    pub(super) fn on_loaded(
        &self,
        myself: &Myself<B>,
        state: &mut PartitionState<B>,
        id: &TaskId,
        loaded: Result<LoadedTask, LoadFailure>,
    ) {
        let Some(entry) = state.cache.get(id) else { return };
        if !matches!(entry.slot, Slot::Loading) {
            return;
        }
        if loaded.is_ok() && std::mem::take(&mut entry.is_broken) {
            return self.load(myself, id, 0);
        }
        match loaded {
            Ok(LoadedTask { task, head, workflow: Some(workflow), source }) => {
                entry.failures = 0;
                entry.knows(source);
                state.packs.keep(&workflow);
                let known = Known { task, head, workflow, armed_at: None };
                self.resume(myself, state, id, known);
            }
            Ok(LoadedTask { head, .. }) => {
                entry.failures = 0;
                self.begin(myself, state, id, head);
            }
            Err(LoadFailure::Later(why)) => {
                entry.failures = entry.failures.saturating_add(1);
                tracing::warn!(task = %id, %why, failures = entry.failures, "task was not loaded");
                self.load(myself, id, entry.failures);
            }
            Err(LoadFailure::NoPack(why)) => {
                entry.failures = entry.failures.saturating_add(1);
                tracing::warn!(task = %id, %why, failures = entry.failures, "task has no pack");
                self.give_up(entry, &why);
                if entry.queue.is_empty() {
                    // Nobody waits any more; whoever comes next makes it look again.
                    state.cache.remove(id);
                } else {
                    self.load(myself, id, entry.failures);
                }
            }
            Err(LoadFailure::Quarantine(why)) => {
                tracing::error!(task = %id, %why, "task was quarantined");
                entry.slot = Slot::Quarantined(why);
                self.turn(myself, state, id);
            }
            Err(LoadFailure::Release(why)) => {
                // For good: in this process nothing would be different next time. Without pulls from
                // here the consumer is another's in seconds.
                tracing::error!(task = %id, %why, "partition was released to a newer build");
                myself.stop(Some("released to a newer build".to_owned()));
            }
        }
    }

    /// Lets a replayed task, whose debts are paid, go on; also where a record was full.
    fn resume(
        &self,
        myself: &Myself<B>,
        state: &mut PartitionState<B>,
        id: &TaskId,
        mut known: Known,
    ) {
        let Some(entry) = state.cache.get(id) else { return };
        if let Some(task) = known.task.clone() {
            known.armed_at = task.wake_at();
            if task.ended().is_none() {
                let trace = task.goal.trace.clone();
                entry.queue.push_back(Pending::advance(self.bus.now(), trace));
            }
        }
        entry.slot = Slot::Idle(known);
        self.turn(myself, state, id);
    }

    /// A task without a log: only a goal can begin it, and the goal says with which pack.
    pub(super) fn begin(
        &self,
        myself: &Myself<B>,
        state: &mut PartitionState<B>,
        id: &TaskId,
        head: LogHead,
    ) {
        let Some(entry) = state.cache.get(id) else { return };
        while let Some(first) = entry.queue.pop_front() {
            if let Input::Goal(goal) | Input::Fork(goal, _) = &first.input {
                let goal = Arc::clone(goal);
                entry.queue.push_front(first);
                // A fork needs the task that it goes on from as well.
                let known = state.packs.get(&goal.revision).filter(|_| goal.fork.is_none());
                let Some(workflow) = known else {
                    return self.fetch_pack(myself, id, head, goal);
                };
                entry.slot = Slot::Idle(Known { task: None, head, workflow, armed_at: None });
                return self.turn(myself, state, id);
            }
            let Some(receipt) = first.receipt else { continue };
            match first.input {
                Input::Due => self.ack(receipt),
                Input::Goal(_)
                | Input::Fork(..)
                | Input::Report(_)
                | Input::Cancel(_)
                | Input::Control(_)
                | Input::Decision(_)
                | Input::Advance => {
                    self.bury(receipt, format!("there is no task {id}"));
                }
            }
        }
        state.cache.remove(id);
    }

    fn fetch_pack(&self, myself: &Myself<B>, id: &TaskId, head: LogHead, goal: Arc<Goal>) {
        let (bus, packs, myself) = (self.bus.clone(), self.packs.clone(), myself.clone());
        let (id, revision) = (id.clone(), Arc::clone(&goal.revision));
        spawn("partition-pack", async move {
            let loaded = match packs.revision(&revision).await {
                Ok(Some(workflow)) => source(&bus, &goal).await.map(|source| LoadedTask {
                    task: None,
                    head,
                    workflow: Some(workflow),
                    source,
                }),
                Ok(None) => Err(no_pack(&revision)),
                Err(error) => Err(pack_failure(&error)),
            };
            let _ = myself.cast(PartitionMsg::Loaded(id, Box::new(loaded)));
        });
    }

    /// A debt was not paid: only a replay finds all of them.
    pub(super) fn on_broken(&self, myself: &Myself<B>, state: &mut PartitionState<B>, id: &TaskId) {
        if state.cache.get(id).is_none() {
            state.cache.insert(id.clone(), Slot::Loading);
            return self.load(myself, id, 1);
        }
        let Some(entry) = state.cache.get(id) else { return };
        match entry.slot {
            // What is on its way may have read, and paid, before this went wrong.
            Slot::Loading => entry.is_broken = true,
            Slot::Quarantined(_) => {}
            Slot::Idle(_) | Slot::Committing(_) => {
                entry.slot = Slot::Loading;
                entry.failures = entry.failures.saturating_add(1);
                self.load(myself, id, entry.failures);
            }
        }
    }
}

async fn load<B: OrchestratorBus, P: Packs>(
    bus: &B,
    packs: &P,
    id: &TaskId,
) -> Result<LoadedTask, LoadFailure> {
    let loaded = bus.load(id).await.map_err(|error| match &error {
        LoadError::Bus(_) => LoadFailure::Later(error.to_string()),
        LoadError::Damaged { .. } => LoadFailure::Quarantine(error.to_string()),
        LoadError::TooNew { .. } => LoadFailure::Release(error.to_string()),
    })?;
    let head = loaded.head;
    let Some(task) = Task::replay(&loaded.records) else {
        if loaded.records.is_empty() {
            return Ok(LoadedTask { task: None, head, workflow: None, source: None });
        }
        return Err(LoadFailure::Quarantine("its log does not begin with a goal".to_owned()));
    };
    match packs.revision(&task.goal.revision).await {
        Ok(Some(workflow)) => {
            let task = Some(Arc::new(task));
            Ok(LoadedTask { task, head, workflow: Some(workflow), source: None })
        }
        Ok(None) => Err(no_pack(&task.goal.revision)),
        Err(error) => Err(pack_failure(&error)),
    }
}

/// The task that a goal goes on from, as it stood at the goal's record. `None` when the goal is no
/// fork, or there is no such task: the fork's end says so.
async fn source<B: OrchestratorBus>(
    bus: &B,
    goal: &Goal,
) -> Result<Option<Arc<Task>>, LoadFailure> {
    let Some(fork) = &goal.fork else { return Ok(None) };
    match bus.load(&fork.task).await {
        Ok(loaded) => {
            let records = loaded.records.iter().take_while(|record| record.rev <= fork.rev);
            Ok(Task::replay(records).map(Arc::new))
        }
        Err(error @ LoadError::Bus(_)) => Err(LoadFailure::Later(error.to_string())),
        Err(error @ LoadError::TooNew { .. }) => Err(LoadFailure::Release(error.to_string())),
        Err(error @ LoadError::Damaged { .. }) => {
            tracing::warn!(task = %goal.task, %error, "what is to be forked is damaged");
            Ok(None)
        }
    }
}

/// Pays everything that a replayed task owes, before any input of it is looked at: a report that waits
/// would be settled meanwhile, and the order of a completed step go out again.
async fn pay_again<B: OrchestratorBus>(
    bus: &B,
    loaded: LoadedTask,
) -> Result<LoadedTask, LoadFailure> {
    let (Some(task), Some(workflow)) = (&loaded.task, &loaded.workflow) else { return Ok(loaded) };
    let debts = Debts {
        task: Arc::clone(task),
        workflow: Arc::clone(workflow),
        paid_rev: 0,
        wake_at: task.wake_at(),
        is_replay: true,
        trace: task.goal.trace.clone(),
    };
    match pay(bus, &debts).await {
        Ok(()) => Ok(loaded),
        Err(error) => Err(LoadFailure::Later(format!("a debt was not paid: {error}"))),
    }
}

/// Revisions are immutable and never deleted: somebody did it by hand, or the goal is made up.
fn no_pack(revision: &str) -> LoadFailure {
    LoadFailure::NoPack(format!("pack revision {revision} is unknown: see `cadre pack ls`"))
}
