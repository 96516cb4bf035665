//! The versioned wire contract and its checked conversion to core types.
//!
//! `cadre/v1/*.proto` is the contract, [`v1`] the code generated from it, and the
//! modules named after a message convert between bytes and core types. Decoding is
//! strict and total: every name, number and variant is checked, hostile bytes give a
//! typed error. Callers are the bus adapter and the services; nothing here does I/O.
//!
//! prost drops fields that it does not know: **never re-encode a record you did not
//! write.** Move its bytes instead.

pub mod body;
pub mod cancel;
pub mod control;
pub mod decision;
pub mod error;
pub mod goal;
pub mod header;
pub mod journal;
pub mod json;
pub mod model;
pub mod order;
pub mod record;
pub mod report;
pub mod subject;
pub mod v1;
pub mod version;

mod blobs;
mod parts;
mod ruling;

pub use blobs::Blobs;
pub use body::ContentType;
pub use error::{DecodeError, EncodeError, Problem};
pub use version::{RELEASE, Reader, Writer};

/// Schema that this build writes and the newest that it reads, unless a [`Reader`] or a [`Writer`] says otherwise.
pub const SCHEMA: u32 = 2;

/// Oldest schema whose readers understand a message of this build with nothing in it that an older
/// reader would need to act on.
pub const MIN_READER: u32 = 1;

/// Oldest schema whose readers know grants, delays, asks, controls and decisions.
pub const NEEDS_STEERING: u32 = 2;
