//! Pack revisions on the bus: applied once, never changed, found fast by every goal.
//!
//! `rev.<hash>` in the key-value bucket says where the revision's document is (in the object store, since a pack may
//! be larger than a message); `current.<workflow>` says which revision new goals get. Called by the orchestrator (as
//! [`Packs`]) and by `cadre pack`. Invariants: a revision never changes; a role belongs to one pack; a revision is
//! current only when its document is stored and its roles have their consumers.

mod current;
mod revisions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_nats::{
    datetime::DateTime,
    jetstream::{
        Context,
        kv::{CreateErrorKind, Store},
        stream::LastRawMessageErrorKind,
    },
};
use futures::{TryStreamExt, future::try_join_all};
use serde::{Deserialize, Serialize};

use cadre_core::{
    ids::Name,
    pack::{PackErrors, PackSource, PackSourceError, compile},
    payload::{BlobRef, Hash},
    ports::{BusError, Packs},
    workflow::Workflow,
};

use self::{current::Current, revisions::Revisions};
use crate::{
    blobs::{BlobError, Blobs},
    connect::{open_error, ride_out},
    topology::{PACKS_BUCKET, RoleError, Topology, ensure_role},
};

/// Keys that say which revision is current.
const CURRENT_PREFIX: &str = "current.";

/// Keys that say where a revision is.
const REVISION_PREFIX: &str = "rev.";

/// The packs of this broker. Cheap to clone; clones share one watch and one cache.
#[derive(Debug, Clone)]
pub struct KvPacks {
    js: Context,
    topology: Topology,
    blobs: Blobs,
    store: Store,
    current: Arc<Current>,
    revisions: Arc<Revisions>,
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
    /// When it became current, on the broker's clock.
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
    Document(#[from] PackSourceError),
    /// Another pack has a role of this name.
    #[error(
        "declare role {role} in pack {workflow}: pack {owner} has a role of that name; rename one of them"
    )]
    RoleTaken {
        /// The role.
        role: Name,
        /// The pack that was to be applied.
        workflow: Name,
        /// The pack that has the role.
        owner: Name,
    },
    /// A consumer of a role could not be made; applying again is harmless.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The bus did not answer, or refused; applying again is harmless.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// Where a revision's document is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "$blob")]
    blob: String,
    size_bytes: u64,
}

/// A value and what the broker knows of it.
struct Stored {
    text: String,
    sequence: u64,
    at: DateTime,
}

impl KvPacks {
    /// Opens the packs of this broker and follows their changes until the last clone is dropped.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without our buckets.
    pub async fn open(js: Context, topology: Topology) -> Result<Self, BusError> {
        let store = ride_out(|| open(&js)).await?;
        let current = Current::follow(store.clone());
        let (blobs, revisions) = (Blobs::new(js.clone()), Arc::default());
        Ok(Self { js, topology, blobs, store, current, revisions })
    }

    /// Makes `source` the revision that new goals get; tasks that run keep theirs.
    ///
    /// Compiles, stores and makes the consumers of the roles first. Idempotent; two at once: the last one stays.
    ///
    /// # Errors
    /// [`ApplyPackError`]; new goals get what they got before.
    pub async fn apply(&self, source: &PackSource) -> Result<Applied, ApplyPackError> {
        let document = source.encode()?;
        let workflow = compiled(source.clone()).await?.map_err(ApplyPackError::Invalid)?;
        self.check_roles(&workflow).await?;
        let roles = workflow.roles.values();
        let made =
            roles.map(|role| ensure_role(&self.js, &self.topology, &role.name, role.concurrency));
        try_join_all(made).await?;
        let (name, revision) = (workflow.name.clone(), workflow.revision.clone());
        let created = self.store_revision(&revision, document.as_bytes()).await?;
        let key = format!("{CURRENT_PREFIX}{name}");
        let previous = self.read(&key).await?.map(|stored| stored.text);
        if previous.as_ref() != Some(&revision) {
            let sequence = ride_out(|| self.put(&key, &revision)).await?;
            self.current.set(name.clone(), Some(revision.clone()), sequence);
        }
        tracing::info!(workflow = %name, revision, created, "applied a pack");
        Ok(Applied { workflow: name.to_string(), revision, created, previous })
    }

    /// Every key of the bucket, the one written first at the beginning.
    async fn keys(&self) -> Result<Vec<String>, BusError> {
        ride_out(|| async {
            let unavailable = |error: &dyn std::fmt::Display| {
                BusError::Unavailable(format!("list {PACKS_BUCKET}: {error}"))
            };
            let keys = self.store.keys().await.map_err(|error| unavailable(&error))?;
            keys.try_collect().await.map_err(|error| unavailable(&error))
        })
        .await
    }

    /// Every pack with its current revision, by name.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn ls(&self) -> Result<Vec<PackEntry>, BusError> {
        let mut keys = self.keys().await?;
        keys.retain(|key| key.starts_with(CURRENT_PREFIX));
        keys.sort_unstable();
        let entries = keys.iter().map(|key| async move {
            let stored = self.read(key).await?;
            Ok::<_, BusError>(stored.map(|stored| PackEntry {
                workflow: key.trim_start_matches(CURRENT_PREFIX).to_owned(),
                revision: stored.text,
                since_unix_ms: unix_millis(stored.at),
            }))
        });
        Ok(try_join_all(entries).await?.into_iter().flatten().collect())
    }

    /// The files of one revision; `None` when it was never applied.
    ///
    /// # Errors
    /// [`BusError::Refused`] when what is stored is damaged.
    pub async fn get(&self, revision: &str) -> Result<Option<PackSource>, BusError> {
        // Anything else would be no key, or the key of something else.
        let Some(hash) = Hash::parse(revision) else { return Ok(None) };
        let Some(stored) = self.read(&format!("{REVISION_PREFIX}{hash}")).await? else {
            return Ok(None);
        };
        let damaged = |what: &dyn std::fmt::Display| {
            BusError::Refused(format!("pack revision {revision} is damaged: {what}"))
        };
        let reference: Reference =
            serde_json::from_str(&stored.text).map_err(|error| damaged(&error))?;
        let hash =
            Hash::parse(&reference.blob).ok_or_else(|| damaged(&"its reference is no hash"))?;
        let blob = BlobRef { hash, size_bytes: reference.size_bytes };
        let document = self.blobs.get_bytes(blob).await.map_err(|error| match error {
            BlobError::Bus(error) => error,
            BlobError::Missing(_)
            | BlobError::Damaged { .. }
            | BlobError::TooLarge { .. }
            | BlobError::Payload { .. } => damaged(&error),
        })?;
        PackSource::decode(&document).map(Some).map_err(|error| damaged(&error))
    }

    /// Checks that no other pack's current revision has a role of the same name.
    async fn check_roles(&self, workflow: &Workflow) -> Result<(), ApplyPackError> {
        for (owner, revision) in self.list().await? {
            if owner == workflow.name {
                continue;
            }
            let other = match self.revision(&revision).await {
                Ok(other) => other,
                // One damaged pack must not keep all others from being applied.
                Err(BusError::Refused(error)) => {
                    tracing::warn!(pack = %owner, error, "could not compare roles with a pack");
                    None
                }
                Err(error @ BusError::Unavailable(_)) => return Err(error.into()),
            };
            let taken = other.and_then(|other| {
                workflow.roles.keys().find(|role| other.roles.contains_key(*role)).cloned()
            });
            if let Some(role) = taken {
                let workflow = workflow.name.clone();
                return Err(ApplyPackError::RoleTaken { role, workflow, owner });
            }
        }
        Ok(())
    }

    /// Stores a revision's document, then its key; false when it was there.
    async fn store_revision(&self, revision: &str, document: &[u8]) -> Result<bool, BusError> {
        let blob = self.blobs.put_bytes(document).await?;
        let reference = Reference { blob: blob.hash.to_string(), size_bytes: blob.size_bytes };
        let text = serde_json::to_string(&reference)
            .map_err(|error| BusError::Refused(format!("write a reference: {error}")))?;
        let key = format!("{REVISION_PREFIX}{revision}");
        let created = ride_out(|| async {
            match self.store.create(&key, text.clone().into()).await {
                Ok(_) => Ok(true),
                Err(error) => match error.kind() {
                    CreateErrorKind::AlreadyExists => Ok(false),
                    CreateErrorKind::InvalidKey
                    | CreateErrorKind::Publish
                    | CreateErrorKind::Ack
                    | CreateErrorKind::Other => {
                        Err(BusError::Unavailable(format!("create {key}: {error}")))
                    }
                },
            }
        })
        .await?;
        let stored = if created { None } else { self.read(&key).await? };
        if stored.is_some_and(|stored| stored.text != text) {
            let text = format!("pack revision {revision} is stored with other content");
            return Err(BusError::Refused(text));
        }
        Ok(created)
    }

    async fn put(&self, key: &str, text: &str) -> Result<u64, BusError> {
        let sequence = self.store.put(key, text.to_owned().into()).await;
        sequence.map_err(|error| BusError::Unavailable(format!("put {key}: {error}")))
    }

    /// Reads a key from the stream's leader, which knows what was written a moment ago.
    async fn read(&self, key: &str) -> Result<Option<Stored>, BusError> {
        let subject = format!("$KV.{PACKS_BUCKET}.{key}");
        ride_out(|| async {
            match self.store.stream.get_last_raw_message_by_subject(&subject).await {
                // A marker of a deletion has no content.
                Ok(message) if message.payload.is_empty() => Ok(None),
                Ok(message) => match String::from_utf8(message.payload.to_vec()) {
                    Ok(text) => {
                        Ok(Some(Stored { text, sequence: message.sequence, at: message.time }))
                    }
                    Err(_) => Err(BusError::Refused(format!("{key} in {PACKS_BUCKET} is no text"))),
                },
                Err(error) => match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(None),
                    LastRawMessageErrorKind::InvalidSubject
                    | LastRawMessageErrorKind::JetStream(_)
                    | LastRawMessageErrorKind::Other => {
                        Err(BusError::Unavailable(format!("read {key}: {error}")))
                    }
                },
            }
        })
        .await
    }

    async fn load(&self, revision: &str) -> Result<Arc<Workflow>, Miss> {
        let source = self.get(revision).await.map_err(Miss::Bus)?.ok_or(Miss::Unknown)?;
        let workflow = compiled(source).await.map_err(Miss::Bus)?.map_err(|errors| {
            let text =
                format!("pack revision {revision} does not compile with this build: {errors}");
            Miss::Bus(BusError::Refused(text))
        })?;
        Ok(Arc::new(workflow))
    }
}

/// Why there is no compiled revision.
enum Miss {
    Unknown,
    Bus(BusError),
}

impl Packs for KvPacks {
    async fn current(&self, workflow: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        let revision = match self.current.get(workflow) {
            Some(revision) => revision,
            None => {
                let Some(stored) = self.read(&format!("{CURRENT_PREFIX}{workflow}")).await? else {
                    return Ok(None);
                };
                self.current.set(workflow.clone(), Some(stored.text.clone()), stored.sequence);
                stored.text
            }
        };
        let found = self.revision(&revision).await?;
        let lost = || format!("pack {workflow} names revision {revision}, which is not stored");
        found.map(Some).ok_or_else(|| BusError::Refused(lost()))
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        let entries = self.ls().await?.into_iter();
        Ok(entries.filter_map(|one| Some((one.workflow.parse().ok()?, one.revision))).collect())
    }

    async fn revisions(&self, limit: usize) -> Result<Vec<String>, BusError> {
        let keys = self.keys().await?;
        let revisions = keys.iter().rev().filter_map(|key| key.strip_prefix(REVISION_PREFIX));
        Ok(revisions.take(limit).map(str::to_owned).collect())
    }

    async fn revision(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        let cell = self.revisions.cell(revision);
        match cell.get_or_try_init(|| self.load(revision)).await {
            Ok(workflow) => Ok(Some(workflow.clone())),
            Err(miss) => {
                self.revisions.forget_empty(revision);
                match miss {
                    Miss::Unknown => Ok(None),
                    Miss::Bus(error) => Err(error),
                }
            }
        }
    }
}

async fn open(js: &Context) -> Result<Store, BusError> {
    // Asked for by its stream: the error says more than the bucket's own.
    let found = js.get_stream(format!("KV_{PACKS_BUCKET}")).await;
    found.map_err(|error| open_error(PACKS_BUCKET, &error))?;
    let store = js.get_key_value(PACKS_BUCKET).await;
    store.map_err(|error| BusError::Unavailable(format!("open {PACKS_BUCKET}: {error}")))
}

/// Compiles beside the event loop: a large pack takes tens of milliseconds.
async fn compiled(source: PackSource) -> Result<Result<Workflow, PackErrors>, BusError> {
    let compiled = tokio::task::spawn_blocking(move || compile(&source)).await;
    compiled.map_err(|error| BusError::Refused(format!("the pack compiler ended: {error}")))
}

fn unix_millis(at: DateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}
