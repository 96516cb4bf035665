//! Which roles are ours: those with a built-in runtime, in the packs that are applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cadre_core::{
    ids::Name,
    ports::{BusError, Packs, WorkerBus},
    workflow::Runtime,
};
use cadre_runtime::{
    supervise::{AddError, JobResult, Supervisor},
    worker::{RoleHandle, Worker},
};
use tokio::{sync::watch, time::sleep};

use super::StartError;
use crate::AgentRunner;

/// The roles that were found so far.
#[derive(Debug)]
pub(super) struct Known<R> {
    /// The packs were looked through at least once.
    pub(super) is_complete: bool,
    pub(super) roles: Vec<RoleHandle<R>>,
}

/// Finds roles and engages an actor for each.
pub(super) struct Scout<B: WorkerBus, P> {
    worker: Worker<B, P, AgentRunner>,
    packs: P,
    supervisor: Supervisor,
    known: watch::Sender<Known<B::Receipt>>,
}

impl<B: WorkerBus, P: Packs> Scout<B, P> {
    pub(super) fn new(
        worker: Worker<B, P, AgentRunner>,
        packs: P,
        supervisor: Supervisor,
        known: watch::Sender<Known<B::Receipt>>,
    ) -> Self {
        Self { worker, packs, supervisor, known }
    }

    /// Looks for new pack revisions, now and `every` so often.
    pub(super) async fn look_for_ever(&self, every: Duration) -> JobResult {
        let (mut seen, mut is_failing) = (BTreeSet::new(), false);
        loop {
            match self.look(&mut seen).await {
                Ok(()) => is_failing = false,
                Err(error) if !is_failing => {
                    is_failing = true;
                    tracing::warn!(%error, "packs could not be read, trying again");
                }
                Err(_) => {}
            }
            sleep(every).await;
        }
    }

    async fn look(&self, seen: &mut BTreeSet<String>) -> Result<(), BusError> {
        for (pack, revision) in self.packs.list().await? {
            if seen.contains(&revision) {
                continue;
            }
            let Some(workflow) = self.packs.revision(&revision).await? else {
                tracing::debug!(%pack, revision, "listed revision is not there yet");
                continue;
            };
            let roles = workflow.roles.values().filter(|role| is_built_in(role.runtime));
            self.engage(roles.map(|role| role.name.clone()).collect()).await;
            seen.insert(revision);
        }
        self.complete();
        Ok(())
    }

    /// Starts an actor for each of `roles`, and for no others.
    pub(super) async fn engage_named(&self, roles: Vec<Name>) {
        self.engage(roles).await;
        self.complete();
    }

    fn complete(&self) {
        self.known.send_if_modified(|known| !std::mem::replace(&mut known.is_complete, true));
    }

    /// Starts an actor for each role that has none yet.
    async fn engage(&self, roles: Vec<Name>) {
        for name in roles {
            let (handle, child) = self.worker.role(name.clone());
            match self.supervisor.add(child).await {
                Ok(()) => {
                    tracing::info!(role = %name, "role engaged");
                    self.known.send_modify(|known| known.roles.push(handle));
                }
                Err(AddError::Duplicate { .. }) => {}
                Err(AddError::Stopped) => return,
            }
        }
    }
}

fn is_built_in(runtime: Runtime) -> bool {
    match runtime {
        Runtime::Rules | Runtime::Echo => true,
        Runtime::Remote => false,
    }
}

/// Checks that each of `names` is ours to run.
pub(super) async fn resolve<P: Packs>(
    packs: &P,
    names: Vec<Name>,
) -> Result<Vec<Name>, StartError> {
    let mut declared = BTreeMap::new();
    for (pack, revision) in packs.list().await? {
        let Some(workflow) = packs.revision(&revision).await? else { continue };
        for role in workflow.roles.values() {
            let entry = (role.runtime, pack.clone());
            // Built in under any revision is ours: tasks keep theirs.
            if is_built_in(role.runtime) || !declared.contains_key(&role.name) {
                declared.insert(role.name.clone(), entry);
            }
        }
    }
    for role in &names {
        match declared.get(role) {
            Some((runtime, _)) if is_built_in(*runtime) => {}
            Some((_, pack)) => {
                return Err(StartError::Remote { role: role.clone(), pack: pack.clone() });
            }
            None => {
                let known = declared.iter().filter(|(_, (runtime, _))| is_built_in(*runtime));
                let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(StartError::Unknown { role: role.clone(), known });
            }
        }
    }
    Ok(names)
}
