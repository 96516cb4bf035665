//! Runs the steps of named roles: one supervised actor per role, one child actor per step.
//!
//! Built in are the `rules`, the `script` and the `echo` runtime; roles of the `remote` runtime are worked on
//! by other processes that speak the worker protocol.

pub mod rules;
mod runner;
mod script;
mod service;

pub use self::{
    runner::AgentRunner,
    service::{AgentOptions, AgentService, AgentSnapshot, RoleSelection, StartError},
};
