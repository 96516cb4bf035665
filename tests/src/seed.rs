//! One number that every choice of a test follows from.

use std::fmt;

use cadre_core::payload::Hash;

/// A seed; the choices are named, so that none depends on the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// What `CADRE_CHAOS_SEED` says, else `default`.
    ///
    /// # Panics
    /// When it is no number.
    #[must_use]
    pub fn or(default: u64) -> Self {
        Self(number("CADRE_CHAOS_SEED", default))
    }

    /// A number below `end`.
    #[must_use]
    pub fn below(self, end: u64, choice: &str) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = Hash::of(format!("{self} {choice}").as_bytes()).0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) % end.max(1)
    }

    /// True in so many of a hundred choices.
    #[must_use]
    pub fn percent(self, share: u64, choice: &str) -> bool {
        self.below(100, choice) < share
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number that a variable holds, else `default`.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => default,
    }
}
