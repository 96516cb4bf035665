//! The rules, by tables; what must hold for every course of things, by properties.

mod alarms;
mod survey;
mod tasks;

use std::time::Duration;

use super::*;
use crate::time::UnixMillis;

/// An arbitrary moment.
const T0: u64 = 1_800_000_000_000;

fn at(seconds: u64) -> UnixMillis {
    UnixMillis(T0 + seconds * 1_000)
}

fn settings() -> Settings {
    Settings::default()
}

fn finding(kind: Kind, subject: &str, cause: &'static str) -> Finding {
    Finding {
        key: Key { kind, subject: subject.to_owned() },
        severity: Severity::Warning,
        cause,
        since: at(0),
        text: "something".to_owned(),
        next: "do something".to_owned(),
        evidence: Evidence::new(),
    }
}

fn causes(findings: &[Finding]) -> Vec<(&'static str, &str, &'static str)> {
    let one = |it: &Finding| (it.key.kind.as_str(), it.key.subject.clone(), it.cause);
    let all: Vec<_> = findings.iter().map(one).collect();
    all.into_iter()
        .zip(findings)
        .map(|((kind, _, cause), it)| (kind, it.key.subject.as_str(), cause))
        .collect()
}

#[test]
fn every_alert_is_a_document_that_reads_back() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        let mut alert = Alert::of(finding(kind, "role.reader", "open"), at(3));
        alert.evidence = evidence([("pending", "7".to_owned())]);
        assert_eq!(Alert::decode(alert.encode().as_bytes()), Ok(alert.clone()));
        assert!(alert.encode().contains(&format!("\"kind\":\"{kind}\"")), "{}", alert.encode());
        alert.ended_at = Some(at(9));
        assert_eq!(Alert::decode(alert.encode().as_bytes()), Ok(alert));
    }
    for bad in [&b"{}"[..], b"", b"\xff", b"{\"v\":1,\"kind\":\"tired\"}"] {
        assert!(matches!(Alert::decode(bad), Err(AlertError::Malformed { .. })), "{bad:?}");
    }
    let newer = Alert::decode(b"{\"v\":2,\"mood\":\"bad\"}");
    assert_eq!(newer, Err(AlertError::TooNew { version: 2 }));
}

#[test]
fn texts_are_cut_to_what_a_reader_takes() {
    let long = Finding { text: "ä".repeat(100_000), ..finding(Kind::Stuck, "x", "y") };
    let alert = Alert::of(long, at(0));
    let read = Alert::decode(alert.encode().as_bytes()).unwrap();
    assert_eq!(read.text.len(), crate::limits::ALERT_TEXT_BYTES_MAX);
}

#[test]
fn spans_are_short() {
    for (ms, expected) in [(1_250, "1.2 s"), (61_000, "1 min 1 s"), (7_300_000, "2 h 1 min")] {
        assert_eq!(span(Duration::from_millis(ms)), expected);
    }
}
