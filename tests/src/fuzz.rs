//! Hostile bytes for every decoder: seeds, mutations that follow from a number, and what must hold.
//!
//! A [`Target`] takes any bytes. It must not panic, must be done soon, must not say much more than it was
//! given, and what it understood must mean the same after another turn through its encoder. The suite runs each
//! over its corpus and over mutations of it; `tests/fuzz` gives the same functions to `cargo fuzz`.

use std::{
    fs,
    path::{Path, PathBuf},
};

mod bodies;
mod documents;
mod mutate;
mod texts;

pub use mutate::Mutator;

/// One decoder.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name; the folder of its corpus, too.
    pub name: &'static str,
    /// Reads any bytes; says how many bytes of text it made of them.
    pub decode: fn(&[u8]) -> usize,
    /// Files and folders beside its corpus whose content it can read, below the project's root; a name
    /// with `*` at its end stands for all that begin so.
    pub seeds: &'static [&'static str],
    /// Mutations in the test suite: as many as its decoder does in about a second, unoptimised.
    pub runs: u32,
}

/// Every decoder of bytes that others write.
pub const TARGETS: [Target; 28] = [
    Target::of("subject", texts::subject, &[], 4_000),
    Target::of("headers_goal", texts::headers_goal, &[], 4_000),
    Target::of("headers_work", texts::headers_work, &[], 4_000),
    Target::of("publication", texts::publication, &[], 2_500),
    Target::of("goal", bodies::goal, &["proto/golden/v1/goal*", "proto/golden/v2/goal*"], 2_500),
    Target::of("order", bodies::order, &["proto/golden/v1/work*", "proto/golden/v2/work*"], 2_500),
    Target::of("report", bodies::report, &["proto/golden/v2/report*"], 2_500),
    Target::of("wish", bodies::wish, &["proto/golden/v2/c*"], 2_500),
    Target::of("decision", bodies::decision, &["proto/golden/v2/decision*"], 2_500),
    Target::of(
        "record",
        bodies::record,
        &["proto/golden/v1/record*", "proto/golden/v2/record*"],
        2_500,
    ),
    Target::of("journal", bodies::journal, &["proto/golden/v2/journal*"], 2_500),
    Target::of("model", bodies::model, &["proto/golden/v2/model*"], 2_500),
    Target::of("dead_letter", texts::dead_letter, &[], 2_500),
    Target::of("hint", texts::hint, &[], 2_500),
    Target::of("settings", texts::settings, &[], 1_500),
    Target::of("alert", documents::alert, &[], 2_500),
    Target::of("audit", documents::audit, &[], 2_500),
    Target::of("webhook", documents::webhook, &[], 2_500),
    Target::of("token", documents::token, &[], 2_500),
    Target::of("fleet", documents::fleet, &[], 2_500),
    Target::of("request", documents::request, &[], 2_500),
    Target::of("answered", documents::answered, &[], 2_500),
    Target::of(
        "cassette",
        documents::cassette,
        &["services/cadre/packs/support/cassettes/stray*"],
        600,
    ),
    Target::of(
        "files",
        documents::files,
        &["services/cadre/packs/support/evals/*", "services/core/src/model/prices.json"],
        300,
    ),
    Target::of("expression", texts::expression, &[], 3_000),
    Target::of("contract", texts::contract, &["services/cadre/packs/contract/contracts/*"], 600),
    Target::of("rules", texts::rules, &["services/cadre/packs/contract/contracts/*"], 200),
    Target::of(
        "pack",
        texts::pack,
        &[
            "services/cadre/packs/contract/pack.yaml",
            "tests/packs/order/pack.yaml",
            "services/cadre/packs/refund/pack.yaml",
        ],
        60,
    ),
];

impl Target {
    const fn of(
        name: &'static str,
        decode: fn(&[u8]) -> usize,
        seeds: &'static [&'static str],
        runs: u32,
    ) -> Self {
        Self { name, decode, seeds, runs }
    }

    /// The corpus and the seeds, by name.
    ///
    /// # Panics
    /// When there are none: a target without a beginning finds nothing.
    #[must_use]
    pub fn corpus(&self) -> Vec<(String, Vec<u8>)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent");
        let own = format!("tests/corpus/{}/*", self.name);
        let mut found = Vec::new();
        for pattern in self.seeds.iter().copied().chain([own.as_str()]) {
            let paths = matching(root, pattern);
            found.extend(paths.into_iter().map(|path| {
                let bytes = fs::read(&path).expect("a readable seed");
                let name = path.strip_prefix(root).expect("below the root");
                (name.display().to_string(), bytes)
            }));
        }
        assert!(!found.is_empty(), "{} has no corpus", self.name);
        found
    }

    /// Reads `bytes` and checks what can be checked from outside.
    ///
    /// # Panics
    /// When it says much more than it was given.
    pub fn try_on(&self, bytes: &[u8]) {
        let said = (self.decode)(bytes);
        // Texts are shown with escapes; lists have names around each item.
        let allowed = 64 * 1024 + 64 * bytes.len();
        assert!(said <= allowed, "{}: {said} bytes out of {}", self.name, bytes.len());
    }
}

fn matching(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let Some(prefix) = pattern.strip_suffix('*') else { return vec![root.join(pattern)] };
    let (folder, start) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

/// The bytes of an error's text.
fn words(error: &dyn std::fmt::Display) -> usize {
    error.to_string().len()
}

/// Panics unless both are the same; numbers that are none are, too.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, before: &T, after: &T) -> usize {
    let shown = format!("{before:?}");
    assert!(
        before == after || shown == format!("{after:?}"),
        "{what}: {before:?}\nbecame {after:?}"
    );
    shown.len()
}
