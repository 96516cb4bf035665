//! Members and feature flags in two key-value buckets.
//!
//! Called by every process that serves ([`Fleet::join`]) and by `cadre upgrade`. Everything is read from
//! where it is written, the streams' leaders: what a member or an enabler has just said is there when the
//! other looks. Invariant: a flag changes only by compare-and-swap on its revision.

mod membership;
#[cfg(test)]
mod tests;

use async_nats::{
    datetime::DateTime,
    jetstream::{
        Context,
        kv::{Store, UpdateErrorKind},
        stream::LastRawMessageErrorKind,
    },
};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};

use cadre_core::{
    fleet::{Flag, Member, Stage, without},
    ids::Name,
    limits::MEMBERS_MAX,
    ports::BusError,
    time::UnixMillis,
};

pub use self::membership::{JoinError, Membership};
use crate::{
    clock::BrokerClock,
    connect::{open_error, ride_out},
    topology::{FEATURES_BUCKET, MEMBERS_BUCKET},
};

/// The fleet on this broker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fleet {
    members: Store,
    features: Store,
    clock: BrokerClock,
}

/// Why a feature was not turned on; nothing has changed by then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnableError {
    /// Nobody serves, so nobody can say that it knows it.
    #[error("nobody serves on this broker: start the processes first")]
    Nobody,
    /// Some members do not know it.
    #[error(
        "feature {feature} is not known by {}: replace them with a build that knows it",
        names(members)
    )]
    Unknown {
        /// The feature.
        feature: Name,
        /// Who does not know it.
        members: Vec<Member>,
    },
    /// Somebody else changed the flag at the same time.
    #[error(
        "the flag of feature {0} has changed meanwhile: look again, see `cadre upgrade features`"
    )]
    Conflict(Name),
    /// The bus did not answer. Enabling again is harmless.
    #[error(transparent)]
    Bus(#[from] BusError),
}

fn names(members: &[Member]) -> String {
    members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// One value as its stream's leader has it.
struct Stored {
    body: Bytes,
    revision: u64,
    at: UnixMillis,
}

impl Fleet {
    /// Opens both buckets; `clock` is the connection's.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without them.
    pub async fn open(js: &Context, clock: BrokerClock) -> Result<Self, BusError> {
        let members = ride_out(|| open(js, MEMBERS_BUCKET)).await?;
        let features = ride_out(|| open(js, FEATURES_BUCKET)).await?;
        Ok(Self { members, features, clock })
    }

    /// Who serves now, by name.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn members(&self) -> Result<Vec<Member>, BusError> {
        let mut members = Vec::new();
        for name in names_in(&self.members).await? {
            // Gone since it was listed, or gone in good order: a marker has no content.
            let Some(stored) = read(&self.members, &name).await? else { continue };
            if !stored.body.is_empty() {
                members.push(Member::decode(name, &stored.body));
            }
        }
        Ok(members)
    }

    /// Where every feature stands that was ever proposed, by name.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn flags(&self) -> Result<Vec<Flag>, BusError> {
        let mut flags = Vec::new();
        for name in names_in(&self.features).await? {
            flags.push(self.flag(&name).await?.0);
        }
        Ok(flags)
    }

    /// Turns a feature on for the whole fleet, if every live member knows it. Idempotent.
    ///
    /// # Errors
    /// [`EnableError`] says who does not know it.
    pub async fn enable(&self, feature: &Name, by: &str) -> Result<Flag, EnableError> {
        let (flag, revision) = self.flag(feature).await?;
        if flag.stage == Stage::On {
            return Ok(flag);
        }
        // Nobody is kept from serving for a proposal that cannot pass.
        self.check(feature).await?;
        let revision = self.set(feature, (Stage::Proposed, by), revision).await?;
        if let Err(error) = self.check(feature).await {
            self.set(feature, (Stage::Off, by), revision).await?;
            return Err(error);
        }
        self.set(feature, (Stage::On, by), revision).await?;
        Ok(self.flag(feature).await?.0)
    }

    async fn check(&self, feature: &Name) -> Result<(), EnableError> {
        let members = self.members().await?;
        if members.is_empty() {
            return Err(EnableError::Nobody);
        }
        let unknown: Vec<_> = without(&members, feature).into_iter().cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(EnableError::Unknown { feature: feature.clone(), members: unknown })
    }

    /// A flag and its revision, 0 for one that was never there.
    async fn flag(&self, feature: &Name) -> Result<(Flag, u64), BusError> {
        let stored = read(&self.features, feature).await?;
        let stored =
            stored.unwrap_or(Stored { body: Bytes::new(), revision: 0, at: UnixMillis(0) });
        self.clock.observe(stored.at);
        Ok((Flag::decode(feature.clone(), &stored.body, stored.at), stored.revision))
    }

    /// Changes a flag that is still at `revision`; an unclear outcome counts as a conflict.
    async fn set(
        &self,
        feature: &Name,
        (stage, by): (Stage, &str),
        revision: u64,
    ) -> Result<u64, EnableError> {
        let text = Flag::encode(stage, by);
        let updated = self.features.update(feature.as_str(), text.into(), revision).await;
        updated.map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => EnableError::Conflict(feature.clone()),
            UpdateErrorKind::InvalidKey | UpdateErrorKind::TimedOut | UpdateErrorKind::Other => {
                BusError::Unavailable(format!("set feature {feature}: {error}")).into()
            }
        })
    }
}

/// The keys of a bucket, as its stream's leader has them: markers of deletions too.
async fn names_in(store: &Store) -> Result<Vec<Name>, BusError> {
    let prefix = format!("$KV.{}.", store.name);
    let mut names: Vec<Name> = ride_out(|| async {
        let unavailable = |error: &dyn std::fmt::Display| {
            BusError::Unavailable(format!("list {}: {error}", store.name))
        };
        let subjects = store.stream.info_with_subjects(format!("{prefix}>")).await;
        let subjects = subjects.map_err(|error| unavailable(&error))?.take(MEMBERS_MAX);
        let names = subjects.try_filter_map(|(subject, _)| {
            std::future::ready(Ok(subject.strip_prefix(&prefix).and_then(|key| key.parse().ok())))
        });
        names.try_collect().await.map_err(|error| unavailable(&error))
    })
    .await?;
    names.sort_unstable();
    Ok(names)
}

async fn read(store: &Store, name: &Name) -> Result<Option<Stored>, BusError> {
    let subject = format!("$KV.{}.{name}", store.name);
    ride_out(|| async {
        match store.stream.get_last_raw_message_by_subject(&subject).await {
            Ok(message) => {
                let (body, revision) = (message.payload, message.sequence);
                Ok(Some(Stored { body, revision, at: unix_millis(message.time) }))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(BusError::Unavailable(format!("read {subject}: {error}"))),
        }
    })
    .await
}

async fn open(js: &Context, bucket: &str) -> Result<Store, BusError> {
    // Asked for by its stream: the error says more than the bucket's own.
    let found = js.get_stream(format!("KV_{bucket}")).await;
    found.map_err(|error| open_error(bucket, &error))?;
    let store = js.get_key_value(bucket).await;
    store.map_err(|error| BusError::Unavailable(format!("open {bucket}: {error}")))
}

fn unix_millis(at: DateTime) -> UnixMillis {
    UnixMillis(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default())
}
