//! Goals through the real services on a real nats-server.

mod contract_pack;
mod duplicates;
mod fan_out;
mod intake;
mod limits;
mod pipeline;
mod reports;
mod wishes;
