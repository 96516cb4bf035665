//! The one binary: subcommands, configuration, wiring.
