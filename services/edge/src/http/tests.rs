//! The router over a desk and a log in memory.

mod api;
mod follow;
mod guard;
pub(crate) mod kit;
