//! JetStream behind the ports of cadre-core: streams, log, work, timers, packs, blobs, and the server itself.

pub mod audit;
pub mod bench;
pub mod blobs;
pub mod breakers;
pub mod bus;
pub mod clock;
pub mod connect;
mod delivery;
mod inbox;
pub mod letters;
mod log;
mod mend;
mod outbox;
pub mod packs;
mod publish;
mod pull;
pub mod server;
mod signs;
mod stop;
pub mod tail;
mod timer;
pub mod topology;
mod work;

pub use publish::Grouping;
