//! The wire contract: generated code, golden bytes, conversions, hostile input.

mod codegen;
