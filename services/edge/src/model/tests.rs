//! Tests of the read model over a log in memory.

mod folding;
pub(crate) mod kit;
mod lists;
mod shown;
