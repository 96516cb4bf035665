//! `cadre` as the next release could be; what tests roll out and back beside the real one.

use std::process::ExitCode;

fn main() -> ExitCode {
    cadre::main_as(cadre_tests::next::NEXT)
}
