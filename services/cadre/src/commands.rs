//! The subcommands, one file each: arguments, help text, and what it does.

pub(crate) mod serve;
