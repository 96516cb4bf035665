//! The final gate: an actor on role `aggregate` that makes one answer of all parts.
//!
//! The rules are [`cadre_core::aggregate`]'s; here they are taken to the bus.

mod runner;
mod service;

pub use self::{
    runner::AggregateRunner,
    service::{AggregatorOptions, AggregatorService, AggregatorSnapshot, StartError},
};
