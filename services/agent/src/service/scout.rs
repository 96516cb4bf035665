//! Which roles are ours: those with a built-in runtime, in the packs that are applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cadre_core::{
    ids::Name,
    limits::REVISIONS_LOOKED_BACK_MAX,
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

/// What was looked through so far.
#[derive(Debug, Default)]
struct Seen {
    revisions: BTreeSet<String>,
    /// Roles that a newer revision than the next one declares.
    roles: BTreeSet<Name>,
    has_looked_back: bool,
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
        let (mut seen, mut is_failing) = (Seen::default(), false);
        loop {
            match self.look_around(&mut seen).await {
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

    async fn look_around(&self, seen: &mut Seen) -> Result<(), BusError> {
        self.look(seen).await?;
        if !seen.has_looked_back {
            self.look_back(seen).await?;
            seen.has_looked_back = true;
        }
        Ok(())
    }

    /// Engages the roles of current revisions.
    async fn look(&self, seen: &mut Seen) -> Result<(), BusError> {
        for (pack, revision) in self.packs.list().await? {
            if seen.revisions.contains(&revision) {
                continue;
            }
            let Some(workflow) = self.packs.revision(&revision).await? else {
                tracing::debug!(%pack, revision, "listed revision is not there yet");
                continue;
            };
            let roles = workflow.roles.values().filter(|role| is_built_in(role.runtime));
            self.engage(roles.map(|role| role.name.clone()).collect()).await;
            seen.roles.extend(workflow.roles.keys().cloned());
            seen.revisions.insert(revision);
        }
        self.complete();
        Ok(())
    }

    /// Engages the roles that newer revisions have dropped: tasks keep theirs. Once is enough, for
    /// what is dropped from now on is engaged already. What a current revision says of a role counts.
    async fn look_back(&self, seen: &mut Seen) -> Result<(), BusError> {
        for revision in self.packs.revisions(REVISIONS_LOOKED_BACK_MAX).await? {
            if seen.revisions.contains(&revision) {
                continue;
            }
            match self.packs.revision(&revision).await {
                Ok(Some(workflow)) => {
                    let roles = workflow.roles.values().filter(|role| is_built_in(role.runtime));
                    let roles = roles.map(|role| role.name.clone());
                    self.engage(roles.filter(|role| !seen.roles.contains(role)).collect()).await;
                    seen.roles.extend(workflow.roles.keys().cloned());
                }
                Ok(None) => {}
                // One that this build cannot read must not hide the others.
                Err(BusError::Refused(error)) => {
                    tracing::warn!(revision, error, "old pack revision was not looked through");
                }
                Err(error @ BusError::Unavailable(_)) => return Err(error),
            }
            seen.revisions.insert(revision);
        }
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
        Runtime::Rules | Runtime::Echo | Runtime::Script | Runtime::Model => true,
        Runtime::Remote => false,
    }
}

/// Adds the roles that no current revision has, as the newest one that had them declared them.
async fn dropped<P: Packs>(packs: &P, declared: &mut Declared) -> Result<(), BusError> {
    for revision in packs.revisions(REVISIONS_LOOKED_BACK_MAX).await? {
        let workflow = match packs.revision(&revision).await {
            Ok(Some(workflow)) => workflow,
            // One that this build cannot read must not hide the others.
            Ok(None) | Err(BusError::Refused(_)) => continue,
            Err(error @ BusError::Unavailable(_)) => return Err(error),
        };
        for role in workflow.roles.values() {
            let entry = || (role.runtime, workflow.name.clone());
            declared.entry(role.name.clone()).or_insert_with(entry);
        }
    }
    Ok(())
}

/// Runtime and pack of each role.
type Declared = BTreeMap<Name, (Runtime, Name)>;

/// Checks that each of `names` is ours to run.
pub(super) async fn resolve<P: Packs>(
    packs: &P,
    names: Vec<Name>,
) -> Result<Vec<Name>, StartError> {
    let mut declared = Declared::new();
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
    if names.iter().any(|name| !declared.contains_key(name)) {
        dropped(packs, &mut declared).await?;
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
