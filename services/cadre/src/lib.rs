//! The one binary: subcommands, configuration, wiring; nothing else.
//!
//! [`main`] reads the command line, gathers [`settings`], and runs one of the
//! `commands`. [`broker`] finds or starts a NATS server, [`stack`] starts the
//! services on it. The library exists so that tests run the very same code.

pub mod answer;
pub mod broker;
mod cli;
mod commands;
pub mod exit;
mod figures;
pub mod output;
pub mod packs;
pub mod settings;
pub mod stack;
pub mod timeline;

pub use cli::{main, main_as};
