//! The router over a desk and a log in memory.

mod api;
mod audit;
mod follow;
mod guard;
pub(crate) mod kit;
mod listen;
mod webhooks;
