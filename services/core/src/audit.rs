//! The audit trail: who did what and why, in chains that show when something was changed. Pure.
//!
//! ```text
//!  logs, dead letters ─► Source (deeds) ─┐
//!  commands of people ─► Deed ───────────┴─► Tip::forge ─► page of entries ─► bus, file ─► Verifier
//! ```
//!
//! One chain for each tenant, and one for what concerns the whole fleet. Each entry has a dense number, the
//! hash of the entry before it and its own, and is one line of JSON whose bytes are the only ones it can have.
//! Called by the orchestrator's auditor and by `cadre audit`. Invariant: a byte that is changed, an entry that
//! is dropped or that changes its place is found and named; only what is lost behind a chain's last known entry
//! needs something to compare with: the stream's own count, or an earlier export.

mod deed;
mod entry;
mod look;
pub mod port;
#[cfg(test)]
mod tests;
mod verify;

use std::{collections::BTreeMap, fmt, str::FromStr};

pub use self::{
    deed::{Action, Deed, Source, Whose},
    entry::{Entry, EntryError, Heads, HeadsError, Page, Tip},
    look::{Listed, Query, Spot, SpotError},
    verify::{Fault, FaultKind, Found, Report, Verifier},
};
use crate::ids::{Name, NameError};

/// How far a chain has come in each stream that entries are made from.
pub type Seen = BTreeMap<String, u64>;

/// One chain of entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chain {
    /// What concerns all tenants: packs, breakers, dead letters, features.
    Fleet,
    /// What concerns one tenant's goals and tasks.
    Tenant(Name),
}

/// A text that names no [`Chain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It begins with neither word.
    #[error("{0:?} is no chain: use `fleet` or `tenant.<name>`")]
    Unknown(String),
    /// It names no tenant.
    #[error(transparent)]
    Tenant(#[from] NameError),
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.pad("fleet"),
            Self::Tenant(name) => f.pad(&format!("tenant.{name}")),
        }
    }
}

impl FromStr for Chain {
    type Err = ChainError;

    fn from_str(text: &str) -> Result<Self, ChainError> {
        if text == "fleet" {
            return Ok(Self::Fleet);
        }
        match text.strip_prefix("tenant.") {
            Some(name) => Ok(Self::Tenant(name.parse()?)),
            None => Err(ChainError::Unknown(text.chars().take(80).collect())),
        }
    }
}
