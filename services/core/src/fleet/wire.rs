//! Members and flags as the JSON documents that are kept on the bus.
//!
//! Unknown keys are left aside. What cannot be read counts as the worst that it could mean: a member
//! that knows nothing, a flag that is on.

use serde::{Deserialize, Serialize};

use super::{Actors, Flag, Member, Stage};
use crate::{ids::Name, time::UnixMillis};

#[derive(Default, Serialize, Deserialize)]
struct MemberWire {
    version: String,
    services: Vec<String>,
    reads: u32,
    features: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since_ms: Option<u64>,
    #[serde(default)]
    actors: Actors,
}

#[derive(Serialize, Deserialize)]
struct FlagWire {
    stage: StageWire,
    by: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StageWire {
    Off,
    Proposed,
    On,
}

impl Member {
    /// The document that [`Self::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> String {
        let wire = MemberWire {
            version: self.version.clone(),
            services: self.services.clone(),
            reads: self.reads,
            features: self.features.iter().cloned().collect(),
            since_ms: self.since.map(|at| at.0),
            actors: self.actors.clone(),
        };
        // Only texts, numbers and lists: it cannot fail, and what is empty cannot be read.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// What the member `id` says of itself; one that knows nothing if that cannot be read.
    #[must_use]
    pub fn decode(id: Name, bytes: &[u8]) -> Self {
        let wire: MemberWire = serde_json::from_slice(bytes).unwrap_or_default();
        let MemberWire { version, services, reads, features, since_ms, actors } = wire;
        let (features, since) = (features.into_iter().collect(), since_ms.map(UnixMillis));
        Self { id, version, services, reads, features, since, actors }
    }
}

impl Flag {
    /// The document that [`Self::decode`] reads.
    #[must_use]
    pub fn encode(stage: Stage, by: &str) -> String {
        let stage = match stage {
            Stage::Off => StageWire::Off,
            Stage::Proposed => StageWire::Proposed,
            Stage::On => StageWire::On,
        };
        // As above: unreadable is on.
        serde_json::to_string(&FlagWire { stage, by: by.to_owned() }).unwrap_or_default()
    }

    /// Where a feature stands; on if that cannot be read, off if nothing is there.
    #[must_use]
    pub fn decode(feature: Name, bytes: &[u8], at: UnixMillis) -> Self {
        let (stage, by) = match (bytes, serde_json::from_slice(bytes)) {
            ([], _) => (Stage::Off, String::new()),
            (_, Ok(FlagWire { stage: StageWire::Off, by })) => (Stage::Off, by),
            (_, Ok(FlagWire { stage: StageWire::Proposed, by })) => (Stage::Proposed, by),
            (_, Ok(FlagWire { stage: StageWire::On, by })) => (Stage::On, by),
            (_, Err(_)) => (Stage::On, String::new()),
        };
        Self { feature, stage, by, at }
    }
}
