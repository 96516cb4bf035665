//! Goals through the real services on a real nats-server.

mod approvals;
mod breaker;
mod check;
mod clocks;
mod contract_pack;
mod dead;
mod duplicates;
mod failures;
mod fan_out;
mod hostile;
mod intake;
mod limits;
mod overload;
mod pipeline;
mod poison;
mod reports;
mod steer;
mod timers;
mod wishes;
