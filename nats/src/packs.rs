//! Pack revisions on the bus.

use std::sync::Arc;

use async_nats::jetstream::Context;
use serde::Serialize;

use cadre_core::{
    ids::Name,
    pack::{DecodeError, PackErrors, PackSource},
    ports::{BusError, Packs},
    workflow::Workflow,
};

use crate::topology::{RoleError, Topology};

/// The packs of this broker. Cheap to clone; clones share one watch and one cache.
#[derive(Debug, Clone)]
pub struct KvPacks {
    _js: Context,
    _topology: Topology,
}

/// What applying a pack did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Name of pack and workflow.
    pub workflow: String,
    /// The revision that new goals get now.
    pub revision: String,
    /// False when this revision was stored before.
    pub created: bool,
    /// The revision that new goals got before; `None` for a new pack.
    pub previous: Option<String>,
}

/// One pack of the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackEntry {
    /// Name of pack and workflow.
    pub workflow: String,
    /// The revision that new goals get.
    pub revision: String,
    /// When it became current, in milliseconds since 1970.
    pub since_unix_ms: u64,
}

/// Why a pack was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyPackError {
    /// The pack does not compile; its author must correct it.
    #[error("compile the pack:\n{0}")]
    Invalid(PackErrors),
    /// The pack cannot be stored.
    #[error(transparent)]
    Document(#[from] DecodeError),
    /// Another pack has a role of this name; rename it in one of them.
    #[error("declare role {role} in pack {workflow}: pack {owner} declares a role of that name; rename one of them")]
    RoleTaken {
        /// The role.
        role: Name,
        /// The pack that was to be applied.
        workflow: Name,
        /// The pack that has the role.
        owner: Name,
    },
    /// A consumer of a role could not be made.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The bus did not answer, or refused.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl KvPacks {
    /// Opens the packs of this broker and follows their changes.
    ///
    /// # Errors
    /// [`BusError`]
    pub async fn open(js: Context, topology: Topology) -> Result<Self, BusError> {
        Ok(Self { _js: js, _topology: topology })
    }

    /// Applies.
    ///
    /// # Errors
    /// [`ApplyPackError`]
    pub async fn apply(&self, _source: &PackSource) -> Result<Applied, ApplyPackError> {
        Err(BusError::Unavailable("stub".into()).into())
    }

    /// Every pack.
    ///
    /// # Errors
    /// [`BusError`]
    pub async fn ls(&self) -> Result<Vec<PackEntry>, BusError> {
        Err(BusError::Unavailable("stub".into()))
    }

    /// The files of one revision; `None` when it was never applied.
    ///
    /// # Errors
    /// [`BusError`]
    pub async fn get(&self, _revision: &str) -> Result<Option<PackSource>, BusError> {
        Err(BusError::Unavailable("stub".into()))
    }
}

impl Packs for KvPacks {
    async fn current(&self, _workflow: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        Err(BusError::Unavailable("stub".into()))
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        Err(BusError::Unavailable("stub".into()))
    }

    async fn revision(&self, _revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        Err(BusError::Unavailable("stub".into()))
    }
}
