//! A trail to break.

use crate::{
    audit::{Action, Chain, Deed, Found, Report, Source, Tip, Verifier, Whose},
    time::UnixMillis,
};

/// Something that somebody did.
pub(super) fn deed(action: Action, object: &str) -> Deed {
    let (actor, reason) = ("ada".to_owned(), "because \"ß\"\nof it".to_owned());
    Deed { at: UnixMillis(1_700_000_000_123), actor, action, object: object.to_owned(), reason }
}

/// A message of the log with so many deeds.
pub(super) fn source(sequence: u64, deeds: usize) -> Source {
    let object = format!("task/{sequence}");
    let deeds = (0..deeds).map(|_| deed(Action::TaskPaused, &object)).collect();
    Source { stream: "CADRE_LOG_0".into(), sequence, whose: Whose::Fleet, deeds }
}

pub(super) fn acme() -> Chain {
    "tenant.acme".parse().expect("a chain")
}

/// The lines of a chain of `count` entries, each from a message of its own.
pub(super) fn lines(chain: &Chain, count: u64) -> Vec<String> {
    let sources: Vec<_> = (1..=count).map(|n| source(n * 10, 1)).collect();
    let pages = Tip::default().forge(chain, &sources);
    let text: String = pages.into_iter().map(|page| page.text).collect();
    text.lines().map(str::to_owned).collect()
}

/// Verifies lines as messages of their own, on the subject of acme.
pub(super) fn verify(lines: &[impl AsRef<[u8]>]) -> Report {
    let mut verifier = Verifier::default();
    for (place, line) in (1..).zip(lines) {
        verifier.line(Found { place, chain: Some("tenant.acme"), line: line.as_ref() });
    }
    verifier.end_of_stream(lines.len() as u64)
}

/// Kind, number and place of what is wrong.
pub(super) fn faults(report: &Report) -> Vec<(&'static str, Option<u64>, u64)> {
    report.faults.iter().map(|it| (it.kind.as_str(), it.number, it.place)).collect()
}
