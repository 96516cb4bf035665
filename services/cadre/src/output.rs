//! Data to stdout, talk to stderr.

use std::io::Write as _;

/// Prints one line of data.
pub fn data(line: &str) {
    // A closed pipe is the reader's way to say that it has seen enough.
    let _ = writeln!(anstream::stdout(), "{line}");
}

/// Prints one line for the person who watches.
pub fn say(line: &str) {
    // Nobody can be told that nobody listens.
    let _ = writeln!(anstream::stderr(), "{line}");
}
