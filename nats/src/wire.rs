//! What a process reads, and what it writes at the moment.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use cadre_core::fleet::Release;
use cadre_proto::{Reader, Writer};

/// The schema of both directions. Cheap to clone; clones share what is written.
#[derive(Debug, Clone)]
pub struct Wire {
    release: Release,
    writes: Arc<AtomicU32>,
}

impl Wire {
    /// As a process of this build begins: it writes what every member can read.
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self { release, writes: Arc::new(AtomicU32::new(release.writes)) }
    }

    /// The build.
    #[must_use]
    pub fn release(&self) -> Release {
        self.release
    }

    /// Up to where it reads.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader(self.release.reads)
    }

    /// What is written now.
    #[must_use]
    pub fn writer(&self) -> Writer<'static> {
        let schema = self.writes.load(Ordering::Acquire);
        Writer { schema, build: self.release.version }
    }

    /// From now on this is written; never more than is read. Says whether that is news.
    pub(crate) fn write(&self, schema: u32) -> bool {
        let schema = schema.min(self.release.reads);
        self.writes.swap(schema, Ordering::AcqRel) != schema
    }
}
