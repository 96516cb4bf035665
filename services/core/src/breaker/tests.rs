//! One breaker, a fleet of them over a board in memory, and what travels between them.

mod fleet;
mod kit;
mod own;
mod props;
mod wire;
