//! The documents that travel.

use serde_json::{Value, json};

use super::{super::*, kit::*};
use crate::limits::{BREAKER_HINT_BYTES_MAX, BREAKER_REPORTERS_MAX, BREAKER_TEXT_BYTES_MAX};

fn full() -> Hint {
    let reporter = |name: &str| Reporter { pod: pod(name), at: ms(1), until: ms(2) };
    let forced = Forced {
        to: ForcedTo::Closed,
        since: ms(3),
        until: ms(4),
        by: "ann".to_owned(),
        reason: "\"because\"\n".to_owned(),
    };
    let opening = Opening { since: ms(5), until: ms(6), row: 3, reason: "it failed".into() };
    Hint {
        target: target(),
        opening: Some(opening),
        reporters: vec![reporter("a"), reporter("b")],
        probe: Some(Lease { pod: pod("c"), since: ms(7), until: ms(8) }),
        forced: Some(forced),
        closed_at: ms(9),
    }
}

fn document() -> Value {
    serde_json::from_str(&full().encode()).unwrap()
}

fn refusal(document: &Value) -> String {
    Hint::decode(&target(), document.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_hint_reads_back() {
    for hint in [full(), Hint::new(target())] {
        assert_eq!(Hint::decode(&target(), hint.encode().as_bytes()), Ok(hint));
    }
}

#[test]
fn the_first_version_stays_readable() {
    // Golden: pods of an earlier build write this during an upgrade.
    let text = r#"{"v":1,"target":"role.extractor","open":{"since_ms":1,"until_ms":2,"row":1,"reason":"r"},"reporters":[{"pod":"a","at_ms":1,"until_ms":2}],"closed_ms":0}"#;
    let hint = Hint::decode(&target(), text.as_bytes()).unwrap();
    assert_eq!(hint.encode(), text);
}

#[test]
fn unknown_keys_are_left_aside_and_newer_versions_are_named() {
    let mut document = document();
    document["later"] = json!({"x": 1});
    assert_eq!(Hint::decode(&target(), document.to_string().as_bytes()), Ok(full()));
    document["v"] = json!(2);
    document["reporters"] = json!("another shape");
    let error = Hint::decode(&target(), document.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, WireError::TooNew { version: 2 });
}

#[test]
fn hostile_documents_are_refused() {
    let broken = |pointer: &str, value: Value| {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        refusal(&document)
    };
    let long = "x".repeat(BREAKER_TEXT_BYTES_MAX + 1);
    for (pointer, value, expected) in [
        ("/v", json!("1"), "invalid type"),
        ("/v", json!(-1), "invalid value"),
        ("/target", json!("role.other"), "another target"),
        ("/reporters", json!({}), "invalid type"),
        ("/reporters/1/pod", json!("a"), "named twice"),
        ("/reporters/0/pod", json!("A*"), "is not a name"),
        ("/reporters/0/until_ms", json!(-5), "invalid value"),
        ("/reporters/0/until_ms", json!(1e300), "invalid type"),
        ("/probe/pod", json!(">"), "is not a name"),
        ("/open/row", json!(5_000_000_000_u64), "invalid value"),
        ("/open/reason", json!(long), "the reason has 513 bytes"),
        ("/forced/by", json!(long), "the person has 513 bytes"),
        ("/forced/to", json!("ajar"), "unknown variant"),
    ] {
        let error = broken(pointer, value);
        assert!(error.contains(expected), "{pointer}: {error}");
    }
    let crowd: Vec<_> = (0..=BREAKER_REPORTERS_MAX)
        .map(|number| json!({"pod": format!("p{number}"), "at_ms": 1, "until_ms": 2}))
        .collect();
    assert!(broken("/reporters", json!(crowd)).contains("9 reporters, over 8"));
    for bytes in [&b""[..], b"[]", b"null", b"{\"v\":1}", b"\xff\xfe", b"{\"v\":1,\"v\":1}"] {
        assert!(Hint::decode(&target(), bytes).is_err(), "{bytes:?}");
    }
    let huge = format!("{}{}", full().encode(), " ".repeat(BREAKER_HINT_BYTES_MAX));
    assert!(Hint::decode(&target(), huge.as_bytes()).is_err());
}

#[test]
fn the_largest_hint_fits_its_limit_and_longer_texts_are_cut() {
    let mut hint = full();
    let long = "\u{1}".repeat(BREAKER_TEXT_BYTES_MAX * 2);
    let name = "a".repeat(62);
    let reporters = (0..BREAKER_REPORTERS_MAX).map(|number| Reporter {
        pod: pod(&format!("{name}{number}")),
        at: UnixMillis(u64::MAX),
        until: UnixMillis(u64::MAX),
    });
    hint.reporters = reporters.collect();
    hint.opening = Some(Opening { reason: long.as_str().into(), ..hint.opening.unwrap() });
    hint.forced = Some(Forced { by: long.clone(), reason: long, ..hint.forced.unwrap() });
    let text = hint.encode();
    assert!(text.len() <= BREAKER_HINT_BYTES_MAX, "{} bytes", text.len());
    let read = Hint::decode(&target(), text.as_bytes()).unwrap();
    assert_eq!(read.forced.unwrap().by.len(), BREAKER_TEXT_BYTES_MAX);
}
