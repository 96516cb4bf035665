//! What Cadre *means*: ids, task machine, contracts, packs, aggregation and the port traits.
//!
//! Pure: no tokio, no clock, no randomness, no I/O. Everything that may happen is
//! decided here as data; the crates above make it happen.

pub mod access;
pub mod aggregate;
pub mod audit;
pub mod breaker;
pub mod check;
pub mod contract;
pub mod document;
pub mod eval;
pub mod expr;
pub mod fleet;
pub mod ids;
pub mod journal;
pub mod limits;
pub mod model;
pub mod pack;
pub mod payload;
pub mod ports;
pub mod question;
pub mod retry;
pub mod task;
pub mod text;
pub mod time;
pub mod watch;
pub mod webhook;
pub mod wish;
pub mod workflow;
