//! The read model: the log, folded into SQLite for lists, filters and sums.
//!
//! ```text
//!  core::ports::History ─► service (reads ahead) ─► projector (one writer) ─► SQLite file
//!                                                        │ changes, lag         │
//!             pages, routes  ◄── ReadModel ◄─────────────┴──────────────────────┘ queries
//! ```
//!
//! [`ModelService::start`] keeps it at the log's end; [`ReadModel`] asks it. It never is the truth: deleted, damaged
//! or of another version, it is folded anew. Large documents stay in the log and are fetched when looked at.
//! Invariant: what is shown is one state of the log, with every record of each shard up to a place in it.

mod card;
mod columns;
pub mod filter;
mod folder;
mod follow;
pub mod lag;
mod lines;
mod money;
mod notes;
mod open;
mod ordinal;
mod overview;
mod projector;
mod questions;
mod read;
mod roles;
pub mod rows;
mod service;
mod source;
mod spend;
mod status;
mod steps;
mod store;
pub mod sums;
mod tally;
mod tasks;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod write;

pub use self::{
    filter::{Cursor, Page, QuestionFilter, SpendBy, TaskFilter},
    lag::{Change, Lag},
    read::{ModelError, ReadModel},
    service::{ModelOptions, ModelService, StartError},
    status::{Status, StatusError},
    store::StoreError,
};
