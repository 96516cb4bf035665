//! The wire contract: generated code, golden bytes, conversions, hostile input.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod asked;
mod called;
mod codegen;
mod crewed;
mod golden;
mod hostile;
mod readme;
mod roundtrip;
mod sample;
mod steered;
mod strategy;
mod strict;
mod versions;
mod wishes;
