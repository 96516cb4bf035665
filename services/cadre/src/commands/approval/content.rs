//! The document of `--with`.

use std::io;

use cadre_core::payload::Payload;

use crate::exit::{Code, Failure};

/// Reads `@file`, `-` (standard input), or the JSON text itself.
///
/// # Errors
/// [`Code::Usage`] when it cannot be read, or is no JSON.
pub(super) fn read(text: &str) -> Result<Payload, Failure> {
    let usage = |what: &str, error: &dyn std::fmt::Display| {
        Failure::new(Code::Usage, format!("{what}: {error}"))
    };
    let bytes = match text.strip_prefix('@') {
        Some(path) => {
            std::fs::read(path).map_err(|error| usage(&format!("read {path}"), &error))?
        }
        None if text == "-" => io::read_to_string(io::stdin())
            .map_err(|error| usage("read standard input", &error))?
            .into_bytes(),
        None => text.as_bytes().to_vec(),
    };
    let shown = if text == "-" || text.starts_with('@') { text } else { "--with" };
    Payload::parse_unique(&bytes)
        .map_err(|error| usage(&format!("{shown} is no JSON document"), &error))
}
