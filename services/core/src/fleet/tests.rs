use super::*;

const NOW: UnixMillis = UnixMillis(1_000_000);

const NEXT: Release = Release {
    version: "2",
    reads: 4,
    writes: 2,
    features: &[Feature { name: "third", writes: 3 }, Feature { name: "fourth", writes: 4 }],
};

const OLD: Release = Release { version: "1", reads: 2, writes: 2, features: &[] };

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn flag(feature: &str, stage: Stage) -> Flag {
    Flag { feature: name(feature), stage, by: "ada".to_owned(), at: NOW }
}

#[test]
fn what_is_written_follows_from_what_is_on() {
    for (flags, expected) in [
        (vec![], 2),
        (vec![flag("third", Stage::Proposed)], 2),
        (vec![flag("third", Stage::On)], 3),
        (vec![flag("third", Stage::On), flag("fourth", Stage::Off)], 3),
        (vec![flag("third", Stage::On), flag("fourth", Stage::On)], 4),
        (vec![flag("unknown", Stage::On)], 2),
    ] {
        assert_eq!(NEXT.writes_under(&flags), expected, "{flags:?}");
        assert_eq!(OLD.writes_under(&flags), 2, "{flags:?}");
    }
}

#[test]
fn a_build_without_a_feature_that_is_on_must_not_serve() {
    let flags =
        [flag("third", Stage::On), flag("fourth", Stage::Proposed), flag("fifth", Stage::Off)];
    assert!(NEXT.lacks(&flags, NOW).is_empty());
    assert_eq!(OLD.lacks(&flags, NOW), [&name("third"), &name("fourth")]);
    let later = NOW.after(PROPOSAL_LIVES_FOR);
    assert_eq!(OLD.lacks(&flags, later), [&name("third")], "a proposal is forgotten");
}

#[test]
fn members_without_a_feature_are_named() {
    let old = Member::new(name("pod-1"), &OLD, vec!["orchestrator".to_owned()]);
    let new = Member::new(name("pod-2"), &NEXT, vec!["agent".to_owned(), "aggregator".to_owned()]);
    let members = [old.clone(), new];
    assert_eq!(without(&members, &name("third")), [&old]);
    assert_eq!(old.to_string(), "pod-1 (orchestrator, build 1)");
}

#[test]
fn documents_come_back_and_unreadable_ones_count_as_the_worst() {
    let member = Member::new(name("pod-2"), &NEXT, vec!["agent".to_owned()]);
    assert_eq!(Member::decode(name("pod-2"), member.encode().as_bytes()), member);
    let more = member.encode().replacen('{', r#"{"later": 7, "#, 1);
    assert_eq!(Member::decode(name("pod-2"), more.as_bytes()), member);
    let nothing = Member::decode(name("pod-2"), b"{}");
    assert_eq!(without(&[nothing], &name("third")).len(), 1);
    for stage in [Stage::Off, Stage::Proposed, Stage::On] {
        let text = Flag::encode(stage, "ada");
        assert_eq!(Flag::decode(name("third"), text.as_bytes(), NOW), flag("third", stage));
    }
    for (bytes, stage) in [(&b""[..], Stage::Off), (b"{}", Stage::On), (b"\xff", Stage::On)] {
        assert_eq!(Flag::decode(name("third"), bytes, NOW).stage, stage);
    }
}
