//! The packs' port.

use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use cadre_core::{
    contract::{Contract, ContractError},
    ids::Name,
    model::cassette::Cassettes,
    ports::{BusError, Packs},
    workflow::{
        Compensation, Effects, Grant, Retry, Role, Runtime, TaskLimits, WhenLimited, Workflow,
    },
};
use serde_json::Value;

use super::{Memory, World};

impl Memory {
    /// Applies a pack that declares `roles`, with contracts that take anything.
    ///
    /// # Errors
    /// Never: the contract is a constant.
    pub fn apply(
        &self,
        pack: &Name,
        revision: &str,
        roles: &[(&Name, Runtime)],
    ) -> Result<(), ContractError> {
        let anything = Arc::new(Contract::compile("anything", 1, &Value::Bool(true))?);
        let roles = roles.iter().map(|(name, runtime)| role(name, *runtime, &anything, &anything));
        self.apply_roles(pack, revision, roles.collect(), anything.clone());
        Ok(())
    }

    /// Applies a pack of these roles, whose answers must satisfy `output`.
    pub fn apply_roles(
        &self,
        pack: &Name,
        revision: &str,
        roles: Vec<Role>,
        output: Arc<Contract>,
    ) {
        let roles = roles.into_iter().map(|role| (role.name.clone(), Arc::new(role)));
        let workflow = Workflow {
            name: pack.clone(),
            revision: revision.to_owned(),
            input: Arc::clone(&output),
            output,
            limits: TaskLimits {
                deadline: Duration::from_secs(60),
                steps_max: 100,
                usd_micros_max: 0,
                tokens_max: 0,
            },
            when_limited: WhenLimited::Partial,
            roles: roles.collect(),
            steps: Vec::new(),
            models: BTreeMap::new(),
            cassettes: Cassettes::default(),
            compensations: Vec::new(),
            compensation: Compensation::default(),
            result: Vec::new(),
        };
        self.world().packs.push(Arc::new(workflow));
    }

    fn up(&self) -> Result<MutexGuard<'_, World>, BusError> {
        let world = self.world();
        if world.flags.packs_down {
            return Err(BusError::Unavailable("packs are down".to_owned()));
        }
        Ok(world)
    }
}

/// A role with these contracts.
#[must_use]
pub fn role(
    name: &Name,
    runtime: Runtime,
    accepts: &Arc<Contract>,
    returns: &Arc<Contract>,
) -> Role {
    Role {
        name: name.clone(),
        runtime,
        accepts: Arc::clone(accepts),
        returns: Arc::clone(returns),
        timeout: Duration::from_secs(60),
        concurrency: 64,
        grant: Grant::default(),
        effects: Effects::default(),
        retry: Retry::default(),
        script: Vec::new(),
        model: None,
    }
}

impl Packs for Memory {
    async fn current(&self, workflow: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(self.up()?.packs.iter().rev().find(|pack| pack.name == *workflow).cloned())
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        let world = self.up()?;
        let latest: BTreeMap<_, _> =
            world.packs.iter().map(|pack| (pack.name.clone(), pack.revision.clone())).collect();
        Ok(latest.into_iter().collect())
    }

    async fn revisions(&self, limit: usize) -> Result<Vec<String>, BusError> {
        let world = self.up()?;
        Ok(world.packs.iter().rev().take(limit).map(|pack| pack.revision.clone()).collect())
    }

    async fn revision(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(self.up()?.packs.iter().find(|pack| pack.revision == revision).cloned())
    }
}
