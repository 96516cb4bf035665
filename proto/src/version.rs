//! Who reads and who writes: the schema of each side.
//!
//! A process reads every schema up to its own, always; what it writes is a choice that the whole
//! fleet makes at once (a feature that is enabled). So both are values, not constants of the build.

use cadre_core::fleet::Release;

use crate::{MIN_READER, SCHEMA};

/// This build: what a process is when nobody says otherwise.
pub const RELEASE: Release =
    Release { version: env!("CARGO_PKG_VERSION"), reads: SCHEMA, writes: SCHEMA, features: &[] };

/// The newest schema that a process reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader(pub u32);

impl Default for Reader {
    fn default() -> Self {
        Self(SCHEMA)
    }
}

/// The schema that a process writes, and who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer<'a> {
    /// Fields of a newer schema are left out, and no reader of a newer one is asked for.
    pub schema: u32,
    /// Version of the build.
    pub build: &'a str,
}

impl Default for Writer<'_> {
    fn default() -> Self {
        Self { schema: SCHEMA, build: RELEASE.version }
    }
}

/// Schema of the first records that name their writer. No release writes it yet: it rehearses a
/// change that older readers must not pass over.
pub const NEEDS_WRITER: u32 = 3;

impl Writer<'_> {
    /// Oldest schema whose readers understand what this writer puts into every record.
    pub(crate) fn min_reader(self) -> u32 {
        if self.names_itself() { NEEDS_WRITER } else { MIN_READER }
    }

    /// Whether records say who wrote them.
    pub(crate) fn names_itself(self) -> bool {
        self.schema >= NEEDS_WRITER
    }
}
