//! The wire contract: generated code, golden bytes, conversions, hostile input.

mod codegen;
mod golden;
mod hostile;
mod roundtrip;
mod sample;
mod strategy;
mod strict;
