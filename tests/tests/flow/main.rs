//! Goals through the real services on a real nats-server.

mod approvals;
mod breaker;
mod check;
mod contract_pack;
mod dead;
mod duplicates;
mod effects;
mod failures;
mod fan_out;
mod intake;
mod limits;
mod pipeline;
mod poison;
mod reports;
mod steer;
mod timers;
mod wishes;
