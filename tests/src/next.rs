//! The next release, as a build of its own: `cadre-next` beside `cadre`.

use cadre_core::fleet::{Feature, Release};
use cadre_proto::{RELEASE, version::NEEDS_WRITER};

/// The feature with which its records are of schema 3.
pub const FEATURE: &str = "schema-3";

/// Reads schema 3, and writes it once its feature is on.
pub const NEXT: Release = Release {
    version: "0.2.0-next",
    reads: NEEDS_WRITER,
    features: &[Feature { name: FEATURE, writes: NEEDS_WRITER }],
    ..RELEASE
};
