//! The real services in a simulated world: seeded storms, and a crash behind every write.

mod boundaries;
mod overload;
mod payments;
mod projection;
mod seeds;
