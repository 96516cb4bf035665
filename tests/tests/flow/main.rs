//! Goals through the real services on a real nats-server.

mod alert_kinds;
mod alerts;
mod approvals;
mod breaker;
mod check;
mod clocks;
mod contract_pack;
mod crews;
mod dead;
mod duplicates;
mod effects;
mod failures;
mod fan_out;
mod hostile;
mod intake;
mod limits;
mod overload;
mod passed_over;
mod pipeline;
mod poison;
mod reports;
mod saga;
mod steer;
mod timers;
mod upgrade;
mod wishes;
