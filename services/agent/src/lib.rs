//! Runs the steps of named roles: one supervised actor per role, one child actor per step.
//!
//! Built in are the runtimes `model`, `rules`, `script` and `echo`; roles of the `remote` runtime are worked
//! on by other processes that speak the worker protocol.

mod model;
pub mod rules;
mod runner;
mod script;
mod service;

pub use self::{
    runner::AgentRunner,
    service::{AgentOptions, AgentService, AgentSnapshot, RoleSelection, StartError},
};
