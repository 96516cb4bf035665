//! Owns tasks: takes goals in, decides, appends, pays what is owed, acknowledges.
//!
//! `service` starts everything under one supervisor: one `partition` actor per
//! partition, the `intake` and the timer forwarder; beside it `watch` looks for what needs a
//! person, and `audit` writes down who did what. Several processes may run it at
//! once: ownership of a partition is an optimisation, the guarded append is the
//! correctness. Nothing is acknowledged before it is durable and paid for.

mod audit;
mod intake;
mod partition;
mod service;
mod timers;
mod watch;

pub use audit::{AuditOptions, AuditService};
pub use partition::PartitionOptions;
pub use service::{Orchestrator, OrchestratorOptions};
pub use watch::{WatchOptions, WatchService};
