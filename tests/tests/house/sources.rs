//! What a text search can see in the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent").to_path_buf()
}

/// Every Rust source of ours with its text, generated ones excepted.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["services", "proto", "nats", "tests"] {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 50, "the search finds the sources");
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "generated" && name != "target" {
                collect(&path, found);
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("text");
            let shown = path.strip_prefix(root()).expect("below the root");
            found.push((shown.to_string_lossy().into_owned(), text));
        }
    }
}

fn offenders(sources: &[(String, String)], is_bad: impl Fn(&str, &str) -> bool) -> Vec<&str> {
    sources
        .iter()
        .filter(|(path, text)| is_bad(path, text))
        .map(|(path, _)| path.as_str())
        .collect()
}

#[test]
fn no_file_is_longer_than_a_reader_wants_to_scroll() {
    let too_long = |_: &str, text: &str| text.lines().count() > LINES_MAX;
    assert_eq!(offenders(&sources(), too_long), Vec::<&str>::new());
    let planted = [("long.rs".to_owned(), "\n".repeat(LINES_MAX + 1))];
    assert_eq!(offenders(&planted, too_long), ["long.rs"]);
}

#[test]
fn the_environment_is_read_in_one_place() {
    let needle = ["env::", "var"].concat();
    let reads = |path: &str, text: &str| {
        let allowed = path.starts_with("services/cadre/src/settings")
            || path.starts_with("tests/")
            || path.contains("/tests")
            || path.ends_with("testing.rs");
        !allowed && text.contains(&needle)
    };
    assert_eq!(offenders(&sources(), reads), Vec::<&str>::new());
}

#[test]
fn the_time_of_day_is_asked_of_the_broker_only() {
    let needles = [["SystemTime::", "now"].concat(), ["UNIX_EPOCH.", "elapsed"].concat()];
    // How far the two clocks are apart, and ages on a page for people; no decision.
    let pages = ["services/cadre/src/commands/doctor/", "services/cadre/src/broker.rs"];
    let asks = |path: &str, text: &str| {
        let is_test = path.starts_with("tests/") || path.ends_with("/tests.rs");
        let is_allowed = is_test || pages.iter().any(|at| path.starts_with(at));
        !is_allowed && needles.iter().any(|needle| text.contains(needle))
    };
    assert_eq!(offenders(&sources(), asks), Vec::<&str>::new());
    let planted = [("nats/src/x.rs".to_owned(), needles.concat())];
    assert_eq!(offenders(&planted, asks), ["nats/src/x.rs"]);
}

#[test]
fn no_test_is_ignored() {
    let needle = ["#[", "ignore"].concat();
    assert_eq!(offenders(&sources(), |_, text| text.contains(&needle)), Vec::<&str>::new());
}
