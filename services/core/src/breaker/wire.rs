//! Hints as the JSON documents that travel over the bus.
//!
//! Version 1: new fields may come and are left aside by older readers; a change of meaning raises
//! the version, and an older reader then leaves the hint alone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Forced, ForcedTo, Hint, Lease, Opening, Reporter, Target};
use crate::{
    ids::Name,
    limits::{BREAKER_HINT_BYTES_MAX, BREAKER_REPORTERS_MAX, BREAKER_TEXT_BYTES_MAX},
    time::UnixMillis,
};

/// The version that this build writes, and the newest that it reads.
const VERSION: u32 = 1;

/// A document that is no hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A newer build wrote it; it must not be written over.
    #[error("hint has version {version}, this build reads up to {VERSION}: update this process")]
    TooNew {
        /// Its version.
        version: u32,
    },
    /// It is not JSON, has other parts than it must have, or is larger than any hint.
    #[error("hint cannot be read: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
}

#[derive(Deserialize)]
struct VersionWire {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct HintWire {
    v: u32,
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<OpeningWire>,
    #[serde(default)]
    reporters: Vec<ReporterWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probe: Option<LeaseWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forced: Option<ForcedWire>,
    #[serde(default)]
    closed_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct OpeningWire {
    since_ms: u64,
    until_ms: u64,
    row: u32,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct ReporterWire {
    pod: String,
    at_ms: u64,
    until_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct LeaseWire {
    pod: String,
    since_ms: u64,
    until_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct ForcedWire {
    to: ToWire,
    since_ms: u64,
    until_ms: u64,
    by: String,
    reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ToWire {
    Open,
    Closed,
}

impl Hint {
    /// The document that [`Self::decode`] reads. Texts are cut to their limit.
    #[must_use]
    pub fn encode(&self) -> String {
        let wire = HintWire {
            v: VERSION,
            target: self.target.to_string(),
            open: self.opening.as_ref().map(OpeningWire::from),
            reporters: self.reporters.iter().map(ReporterWire::from).collect(),
            probe: self.probe.as_ref().map(LeaseWire::from),
            forced: self.forced.as_ref().map(ForcedWire::from),
            closed_ms: self.closed_at.0,
        };
        // Only texts, numbers and lists: it cannot fail, and what is empty would be refused.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads the hint of `target`; unknown keys are left aside.
    ///
    /// # Errors
    /// [`WireError`] when it is none, or another target's.
    pub fn decode(target: &Target, bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > BREAKER_HINT_BYTES_MAX {
            let size = bytes.len();
            return Err(malformed(format!("{size} bytes, over {BREAKER_HINT_BYTES_MAX}")));
        }
        let VersionWire { v } = read(bytes)?;
        if v > VERSION {
            return Err(WireError::TooNew { version: v });
        }
        let wire: HintWire = read(bytes)?;
        if wire.target != target.to_string() {
            return Err(malformed("it is about another target".to_owned()));
        }
        Ok(Self {
            target: target.clone(),
            opening: wire.open.map(OpeningWire::checked).transpose()?,
            reporters: reporters(wire.reporters)?,
            probe: wire.probe.map(LeaseWire::checked).transpose()?,
            forced: wire.forced.map(ForcedWire::checked).transpose()?,
            closed_at: UnixMillis(wire.closed_ms),
        })
    }
}

fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, WireError> {
    serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))
}

fn malformed(what: String) -> WireError {
    WireError::Malformed { what }
}

fn name(text: &str) -> Result<Name, WireError> {
    Name::new(text).map_err(|error| malformed(error.to_string()))
}

fn text(text: String, what: &str) -> Result<String, WireError> {
    if text.len() > BREAKER_TEXT_BYTES_MAX {
        let limit = BREAKER_TEXT_BYTES_MAX;
        return Err(malformed(format!("{what} has {} bytes, over {limit}", text.len())));
    }
    Ok(text)
}

fn clipped(text: &str) -> String {
    text.get(..text.floor_char_boundary(BREAKER_TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

/// Sorted and without doubles: nobody counts twice.
fn reporters(wires: Vec<ReporterWire>) -> Result<Vec<Reporter>, WireError> {
    if wires.len() > BREAKER_REPORTERS_MAX {
        let (count, limit) = (wires.len(), BREAKER_REPORTERS_MAX);
        return Err(malformed(format!("{count} reporters, over {limit}")));
    }
    let checked = wires.into_iter().map(|wire| {
        let (at, until) = (UnixMillis(wire.at_ms), UnixMillis(wire.until_ms));
        Ok(Reporter { pod: name(&wire.pod)?, at, until })
    });
    let mut reporters = checked.collect::<Result<Vec<_>, WireError>>()?;
    reporters.sort_by(|one, other| one.pod.cmp(&other.pod));
    if reporters.windows(2).any(|two| matches!(two, [one, other] if one.pod == other.pod)) {
        return Err(malformed("a reporter is named twice".to_owned()));
    }
    Ok(reporters)
}

impl OpeningWire {
    fn checked(self) -> Result<Opening, WireError> {
        let reason = Arc::from(text(self.reason, "the reason")?);
        let (since, until) = (UnixMillis(self.since_ms), UnixMillis(self.until_ms));
        Ok(Opening { since, until, row: self.row.max(1), reason })
    }
}

impl LeaseWire {
    fn checked(self) -> Result<Lease, WireError> {
        let (since, until) = (UnixMillis(self.since_ms), UnixMillis(self.until_ms));
        Ok(Lease { pod: name(&self.pod)?, since, until })
    }
}

impl ForcedWire {
    fn checked(self) -> Result<Forced, WireError> {
        let to = match self.to {
            ToWire::Open => ForcedTo::Open,
            ToWire::Closed => ForcedTo::Closed,
        };
        let (since, until) = (UnixMillis(self.since_ms), UnixMillis(self.until_ms));
        let (by, reason) = (text(self.by, "the person")?, text(self.reason, "the reason")?);
        Ok(Forced { to, since, until, by, reason })
    }
}

impl From<&Opening> for OpeningWire {
    fn from(opening: &Opening) -> Self {
        let (since_ms, until_ms) = (opening.since.0, opening.until.0);
        Self { since_ms, until_ms, row: opening.row, reason: clipped(&opening.reason) }
    }
}

impl From<&Reporter> for ReporterWire {
    fn from(reporter: &Reporter) -> Self {
        let (at_ms, until_ms) = (reporter.at.0, reporter.until.0);
        Self { pod: reporter.pod.to_string(), at_ms, until_ms }
    }
}

impl From<&Lease> for LeaseWire {
    fn from(lease: &Lease) -> Self {
        let (since_ms, until_ms) = (lease.since.0, lease.until.0);
        Self { pod: lease.pod.to_string(), since_ms, until_ms }
    }
}

impl From<&Forced> for ForcedWire {
    fn from(forced: &Forced) -> Self {
        let to = match forced.to {
            ForcedTo::Open => ToWire::Open,
            ForcedTo::Closed => ToWire::Closed,
        };
        let (since_ms, until_ms) = (forced.since.0, forced.until.0);
        let (by, reason) = (clipped(&forced.by), clipped(&forced.reason));
        Self { to, since_ms, until_ms, by, reason }
    }
}
