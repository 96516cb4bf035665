//! What must exist on the broker — streams, consumers, buckets — and how it gets there.
//!
//! The YAML files in `nats/` say it; they are part of the program. [`render`] fills them in for one [`Topology`],
//! [`diff`] compares with a broker, [`apply`] makes it so, [`discover`] reads back what a broker was made for.
//! ```text
//! nats/**/*.yaml ─ declaration ─► render ─► Declared ─┐
//!                             broker ─► Found ────────┴─ plan ─► Change… ─► apply
//! ```
//! Invariant: nothing here destroys a message or a consumer's progress unless the caller allows it by name.

mod api;
mod apply;
mod declaration;
mod diff;
mod discover;
mod fields;
mod found;
mod render;
mod roles;
mod status;
#[cfg(test)]
mod tests;
mod units;

use std::{fmt, str::FromStr};

use cadre_core::ids::{Name, Partition, Partitions};

pub use self::{
    api::ApiError,
    apply::{ApplyError, apply},
    declaration::{DeclarationError, role_ack_wait},
    diff::{Action, Change, DiffError, FieldChange, Kind, Resource, diff},
    discover::{DiscoverError, discover},
    render::{Declared, render},
    roles::{RoleError, ensure_role},
    status::{BucketStatus, ConsumerStatus, Status, StreamStatus, status, unserved},
};
pub(crate) use self::{
    render::webhook,
    status::{RoleQueue, role_queues, streams_of},
};

/// Stream of published goals.
pub const GOALS_STREAM: &str = "CADRE_GOALS";

/// Stream of the answers of ended tasks.
pub const ANSWERS_STREAM: &str = "CADRE_ANSWERS";

/// Stream of alerts, and of who watches.
pub const ALERTS_STREAM: &str = "CADRE_ALERTS";

/// Stream of the audit trail.
pub const AUDIT_STREAM: &str = "CADRE_AUDIT";

/// Key-value bucket of pack revisions.
pub const PACKS_BUCKET: &str = "CADRE_PACKS";

/// Key-value bucket of circuit breakers' hints.
pub const BREAKERS_BUCKET: &str = "CADRE_BREAKERS";

/// Key-value bucket of the processes that serve.
pub const MEMBERS_BUCKET: &str = "CADRE_MEMBERS";

/// Key-value bucket of the features that the whole fleet may use.
pub const FEATURES_BUCKET: &str = "CADRE_FEATURES";

/// Key-value bucket of API tokens.
pub const TOKENS_BUCKET: &str = "CADRE_TOKENS";

/// Key-value bucket of webhooks.
pub const WEBHOOKS_BUCKET: &str = "CADRE_WEBHOOKS";

/// Object store of large documents.
pub const BLOBS_BUCKET: &str = "CADRE_BLOBS";

/// Consumer of published goals, on [`GOALS_STREAM`].
pub const INTAKE_CONSUMER: &str = "intake";

/// Consumer of fired timers, on each timer stream.
pub const DUE_CONSUMER: &str = "due";

/// What consumers of webhooks on [`ANSWERS_STREAM`] begin with.
pub(crate) const WEBHOOK_PREFIX: &str = "hook-";

/// Priority group of the partitions' consumers: its pinned client owns the partition.
pub const OWNER_GROUP: &str = "owner";

/// What the streams of one deployment are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topology {
    /// Units of ownership. Fixed for the life of the streams: it decides where a task lives.
    pub partitions: Partitions,
    /// Log, timer, work and input streams of each kind, at most one for each partition. Fixed for the life of the streams.
    pub shards: u16,
    /// Copies of every stream: 1, 3 or 5.
    pub replicas: u8,
    /// How large streams may grow.
    pub profile: Profile,
}

/// How large streams may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For a laptop and tests: some ten gigabytes in all.
    Dev,
    /// For a server with a disk of its own.
    Prod,
}

/// A topology that no broker can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// A shard without a partition would have no subjects.
    #[error("make {shards} shards for {partitions} partitions: use 1 to {partitions}")]
    Shards {
        /// As asked for.
        shards: u16,
        /// How many there are.
        partitions: u16,
    },
    /// The broker keeps 1 to 5 copies, and an even number only adds a way to fail.
    #[error("keep {0} copies of each stream: use 1, 3 or 5")]
    Replicas(u8),
    /// A server that is in no cluster has nobody to copy to.
    #[error(
        "keep {0} copies of each stream: this nats-server is in no cluster, so it can keep one; use \
         --replicas 1, or connect to a cluster of at least {0} servers. Nothing was changed"
    )]
    Alone(u8),
}

impl Topology {
    /// One shard, one copy, small caps: for development and tests.
    pub fn dev(partitions: Partitions) -> Self {
        Self { partitions, shards: 1, replicas: 1, profile: Profile::Dev }
    }

    /// Checks that a broker can have it.
    ///
    /// # Errors
    /// [`TopologyError`] says what is out of range.
    pub fn check(&self) -> Result<(), TopologyError> {
        let partitions = self.partitions.count();
        if self.shards == 0 || self.shards > partitions {
            return Err(TopologyError::Shards { shards: self.shards, partitions });
        }
        if !matches!(self.replicas, 1 | 3 | 5) {
            return Err(TopologyError::Replicas(self.replicas));
        }
        Ok(())
    }

    /// Checks that this broker has room for its copies, before any of them is asked for.
    ///
    /// How many servers a cluster has is not known to a client for sure: there the broker answers.
    ///
    /// # Errors
    /// [`TopologyError::Alone`] on a single server.
    fn check_peers(&self, cluster: Option<&str>) -> Result<(), TopologyError> {
        let is_alone = cluster.is_none_or(str::is_empty);
        if is_alone && self.replicas > 1 {
            Err(TopologyError::Alone(self.replicas))
        } else {
            Ok(())
        }
    }

    /// The shard that `partition` lives in.
    pub fn shard(&self, partition: Partition) -> u16 {
        partition.0 % self.shards.max(1)
    }

    /// Every shard, in order.
    pub fn all_shards(&self) -> impl Iterator<Item = u16> + use<> {
        0..self.shards
    }

    /// Stream of the logs of `partition`.
    pub fn log_stream(&self, partition: Partition) -> String {
        log_stream(self.shard(partition))
    }

    /// Stream of the timers of `partition`.
    pub fn timer_stream(&self, partition: Partition) -> String {
        timer_stream(self.shard(partition))
    }

    /// Stream of the work orders of `partition`.
    pub fn work_stream(&self, partition: Partition) -> String {
        work_stream(self.shard(partition))
    }

    /// Stream of the inputs of `partition`.
    pub fn in_stream(&self, partition: Partition) -> String {
        in_stream(self.shard(partition))
    }
}

/// Stream of the logs of a shard.
pub fn log_stream(shard: u16) -> String {
    format!("CADRE_LOG_{shard}")
}

/// Stream of the timers of a shard.
pub fn timer_stream(shard: u16) -> String {
    format!("CADRE_TIMER_{shard}")
}

/// Stream of the work orders of a shard.
pub fn work_stream(shard: u16) -> String {
    format!("CADRE_WORK_{shard}")
}

/// Stream of the inputs of a shard.
pub fn in_stream(shard: u16) -> String {
    format!("CADRE_IN_{shard}")
}

/// Stream of the step journals of a shard.
pub fn run_stream(shard: u16) -> String {
    format!("CADRE_RUN_{shard}")
}

/// Consumer of the inputs of a partition, on its input stream.
pub fn partition_consumer(partition: Partition) -> String {
    format!("p{partition}")
}

/// Consumer of a webhook, on [`ANSWERS_STREAM`].
pub(crate) fn webhook_consumer(webhook: &Name) -> String {
    format!("{WEBHOOK_PREFIX}{webhook}")
}

/// Consumer of the work orders of a role, on each work stream.
pub fn role_consumer(role: &Name) -> String {
    format!("role-{role}")
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dev => "dev",
            Self::Prod => "prod",
        })
    }
}

/// A text that names no [`Profile`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no profile: use dev or prod")]
pub struct ProfileError(String);

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text {
            "dev" => Ok(Self::Dev),
            "prod" => Ok(Self::Prod),
            other => Err(ProfileError(other.chars().take(80).collect())),
        }
    }
}
