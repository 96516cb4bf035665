//! The `cadre` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    cadre::main()
}
