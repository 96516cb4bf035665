//! Who serves, with which build, and what all of them have agreed to write.
//!
//! A process that serves is a [`Member`]: it says which build it is and which features it knows. A
//! [`Flag`] turns a feature on for the whole fleet, and only when every live member knows it:
//!
//! ```text
//! off ──proposed──► proposed ──every live member knows it──► on
//!  ▲                    └──────── somebody does not ────────► off
//! ```
//!
//! A member says that it is there before it reads the flags; whoever enables a feature proposes it
//! before reading the members. So one of the two sees the other, whatever the order. Pure; kept on
//! the bus by the adapter, in the form of `wire`.

mod actors;
#[cfg(test)]
mod tests;
mod wire;

use std::{collections::BTreeSet, fmt};

pub use self::actors::{Actor, Actors};
use crate::{ids::Name, limits::PROPOSAL_LIVES_FOR, time::UnixMillis};

/// What one build reads, writes and knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Its version, for people.
    pub version: &'static str,
    /// The newest schema that it reads.
    pub reads: u32,
    /// The schema that it writes while no feature says otherwise.
    pub writes: u32,
    /// What it can do beyond that, once the whole fleet can.
    pub features: &'static [Feature],
}

/// Something that a build can do and does only when its flag is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Its name; a [`Name`].
    pub name: &'static str,
    /// The schema that is written while it is on; at most what the build reads.
    pub writes: u32,
}

impl Release {
    /// Whether this build knows the feature.
    #[must_use]
    pub fn knows(&self, feature: &Name) -> bool {
        self.features.iter().any(|one| one.name == feature.as_str())
    }

    /// The schema to write while these flags stand as they do.
    #[must_use]
    pub fn writes_under(&self, flags: &[Flag]) -> u32 {
        let is_on = |feature: &&Feature| {
            flags
                .iter()
                .any(|flag| flag.stage == Stage::On && flag.feature.as_str() == feature.name)
        };
        let enabled = self.features.iter().filter(is_on).map(|feature| feature.writes);
        enabled.max().unwrap_or(self.writes).max(self.writes)
    }

    /// Features that are on, or about to be, and that this build does not know: it must not serve.
    #[must_use]
    pub fn lacks<'a>(&self, flags: &'a [Flag], now: UnixMillis) -> Vec<&'a Name> {
        let bound = flags.iter().filter(|flag| flag.binds(now) && !self.knows(&flag.feature));
        bound.map(|flag| &flag.feature).collect()
    }
}

/// One process that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its own name.
    pub id: Name,
    /// Version of its build; empty when what it says of itself cannot be read.
    pub version: String,
    /// What it serves as, such as `orchestrator`.
    pub services: Vec<String>,
    /// The newest schema that it reads; 0 when unreadable.
    pub reads: u32,
    /// Features that it knows.
    pub features: BTreeSet<String>,
    /// Since when it serves, by the broker's clock; `None` when it does not say.
    pub since: Option<UnixMillis>,
    /// What runs in it; empty when it does not say.
    pub actors: Actors,
}

impl Member {
    /// A process of this build.
    #[must_use]
    pub fn new(id: Name, release: &Release, services: Vec<String>) -> Self {
        let features = release.features.iter().map(|feature| feature.name.to_owned()).collect();
        let (version, reads) = (release.version.to_owned(), release.reads);
        Self { id, version, services, reads, features, since: None, actors: Actors::default() }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = if self.version.is_empty() { "unknown" } else { &self.version };
        write!(f, "{} ({}, build {version})", self.id, self.services.join("+"))
    }
}

/// The members that do not know the feature.
#[must_use]
pub fn without<'a>(members: &'a [Member], feature: &Name) -> Vec<&'a Member> {
    members.iter().filter(|member| !member.features.contains(feature.as_str())).collect()
}

/// How far a feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nobody uses it.
    Off,
    /// Somebody is about to turn it on: whoever does not know it does not begin to serve.
    Proposed,
    /// Everybody may use it; for ever, since what was written with it stays.
    On,
}

impl Stage {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Proposed => "proposed",
            Self::On => "on",
        }
    }
}

/// Where one feature stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The feature.
    pub feature: Name,
    /// How far it is.
    pub stage: Stage,
    /// Who brought it there.
    pub by: String,
    /// When, by the broker's clock.
    pub at: UnixMillis,
}

impl Flag {
    /// Whether it binds whoever begins to serve. A proposal that nobody finished does not for long.
    #[must_use]
    pub fn binds(&self, now: UnixMillis) -> bool {
        match self.stage {
            Stage::Off => false,
            Stage::Proposed => now.since(self.at) < PROPOSAL_LIVES_FOR,
            Stage::On => true,
        }
    }
}
