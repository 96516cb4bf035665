//! JetStream behind the ports of cadre-core: streams, log, work, timers, packs, blobs, and the server itself.

pub mod audit;
mod backlog;
pub mod bench;
pub mod blobs;
pub mod breakers;
pub mod bus;
pub mod clock;
pub mod connect;
mod delivery;
pub mod fleet;
mod inbox;
mod journal;
pub mod letters;
mod log;
mod mend;
pub mod models;
mod outbox;
pub mod packs;
mod pages;
mod publish;
mod pull;
pub mod server;
mod signs;
mod stop;
pub mod survey;
pub mod tail;
mod timer;
pub mod topology;
pub mod trail;
pub mod watch;
mod wire;
mod work;

pub use publish::Grouping;
pub use wire::Wire;
