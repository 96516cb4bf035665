//! The subcommands, one file each: arguments, help text, and what it does.

pub(crate) mod alert;
pub(crate) mod approval;
pub(crate) mod bench;
pub(crate) mod breaker;
pub(crate) mod bus;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod dlq;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod goal;
pub(crate) mod init;
pub(crate) mod pack;
pub(crate) mod process;
pub(crate) mod serve;
pub(crate) mod task;
pub(crate) mod upgrade;
pub(crate) mod version;
pub(crate) mod wish;
