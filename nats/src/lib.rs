//! JetStream behind the ports of cadre-core: streams, log, work, timers, packs, blobs, and the server itself.

pub mod bench;
pub mod blobs;
pub mod connect;
pub mod packs;
pub mod server;
pub mod tail;
pub mod topology;
pub mod bus;
pub mod clock;
mod inbox;
mod log;
mod outbox;
mod publish;
mod pull;
mod timer;
mod work;
