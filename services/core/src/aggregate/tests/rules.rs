//! One table per rule.

use super::*;

/// Candidates, the value that must come out, the losers, and a part of the reason.
type Row = (Vec<Value>, Option<Value>, Vec<Value>, &'static str);

fn check(rule: FieldRule, table: Vec<Row>) {
    for (values, expected, losers, why) in table {
        let response = answer(&request(vec![field("x", rule, candidates(&values))]));
        assert_eq!(response.result.get("x"), expected.as_ref(), "{rule:?} of {values:?}");
        let found: Vec<_> = response.conflicts.iter().flat_map(|c| &c.losers).collect();
        let found: Vec<_> = found.into_iter().map(|claim| claim.value.clone()).collect();
        assert_eq!(found, losers, "losers by {rule:?} of {values:?}");
        let text = response.conflicts.first().map_or("", |conflict| conflict.why.as_str());
        assert!(text.contains(why), "{rule:?} of {values:?}: {text:?} lacks {why:?}");
        assert_eq!(text.is_empty(), losers.is_empty(), "{rule:?} of {values:?}: {text:?}");
    }
}

#[test]
fn equal_values_are_agreement_under_every_rule() {
    let pairs = [
        (json!(30), json!(30.0)),
        (json!({"a": 1, "b": [2]}), json!({"b": [2.0], "a": 1})),
        (json!("x"), json!({"value": "x", "confidence": 0.0})),
        (json!(0), json!(-0.0)),
        (json!(u64::MAX), json!(u64::MAX)),
        (json!(1_152_921_504_606_846_976_i64), json!(1.152_921_504_606_847e18)),
    ];
    let all = ["agree", "priority", "newest", "highest_confidence", "vote", "merge"];
    for (a, b) in pairs {
        for rule in all.map(|rule| FieldRule::parse(rule).unwrap()) {
            let response =
                answer(&request(vec![field("x", rule, candidates(&[a.clone(), b.clone()]))]));
            assert_eq!(response.result.get("x"), Some(&a), "{rule:?}");
            assert_eq!(response.conflicts, [], "{rule:?}");
            assert_eq!(response.status, EndStatus::Completed);
        }
    }
}

#[test]
fn agree_takes_no_side() {
    check(
        FieldRule::Agree,
        vec![
            (vec![json!("x")], Some(json!("x")), vec![], ""),
            (
                vec![json!("x"), json!("X")],
                None,
                vec![json!("x"), json!("X")],
                "2 different values",
            ),
            (vec![json!("1"), json!(1)], None, vec![json!("1"), json!(1)], "2 different values"),
            (vec![json!(1), json!(1.5), json!(1)], None, vec![json!(1), json!(1.5)], "takes none"),
            (
                vec![json!([1, 2]), json!([2, 1])],
                None,
                vec![json!([1, 2]), json!([2, 1])],
                "2 diff",
            ),
        ],
    );
}

#[test]
fn priority_takes_the_first_declared() {
    check(
        FieldRule::Priority,
        vec![
            (vec![json!(1), json!(2), json!(2)], Some(json!(1)), vec![json!(2)], "declared order"),
            (
                vec![json!(false), json!(true)],
                Some(json!(false)),
                vec![json!(true)],
                "declared order",
            ),
        ],
    );
}

#[test]
fn newest_takes_the_latest_date() {
    let (old, new) = (finding(1, 0.9, "2023-01-01"), finding(2, 0.1, "2024-01-01"));
    let later = finding(3, 0.5, "2024-01-01T00:00:01+00:00");
    let (sure, none) = (finding(4, 0.3, "2024-01-01T01:00:00+01:00"), json!(5));
    check(
        FieldRule::Newest,
        vec![
            (
                vec![old.clone(), new.clone()],
                Some(new.clone()),
                vec![json!(1)],
                "the newest: as of \"2024",
            ),
            (vec![later.clone(), new.clone()], Some(later), vec![json!(2)], "it is the newest"),
            (vec![none.clone(), old.clone()], Some(old), vec![json!(5)], "only one with a date"),
            (
                vec![new.clone(), sure.clone()],
                Some(sure),
                vec![json!(2)],
                "equally new; its confidence",
            ),
            (
                vec![none.clone(), json!(6)],
                Some(none),
                vec![json!(6)],
                "nothing has a date; it comes first",
            ),
            (vec![finding(7, 0.5, "soon"), new.clone()], Some(new), vec![json!(7)], "only one"),
            (
                vec![
                    json!({"value": 1, "as_of": 1_704_067_200_000_i64}),
                    json!({"value": 2, "as_of": 2}),
                ],
                Some(json!({"value": 1, "as_of": 1_704_067_200_000_i64})),
                vec![json!(2)],
                "the newest: as of 1704067200000, the next of 2",
            ),
        ],
    );
}

#[test]
fn the_newest_of_equal_values_stands_for_them() {
    let (sure, new) = (finding(1, 0.9, "2023-01-01"), finding(1, 0.1, "2025-01-01"));
    let other = finding(2, 0.9, "2024-01-01");
    check(
        FieldRule::Newest,
        vec![(vec![sure, other, new.clone()], Some(new), vec![json!(2)], "newest")],
    );
}

#[test]
fn highest_confidence_takes_the_surest() {
    let (low, high) =
        (json!({"value": 1, "confidence": 0.2}), json!({"value": 2, "confidence": 0.9}));
    let equal = json!({"value": 3, "confidence": 0.9});
    check(
        FieldRule::HighestConfidence,
        vec![
            (
                vec![low.clone(), high.clone()],
                Some(high.clone()),
                vec![json!(1)],
                "highest: 0.9, the next 0.2",
            ),
            (vec![json!(5), low.clone()], Some(low), vec![json!(5)], "the next 0"),
            (
                vec![equal.clone(), high],
                Some(equal),
                vec![json!(2)],
                "equally confident; it comes first",
            ),
            (vec![json!(5), json!(6)], Some(json!(5)), vec![json!(6)], "comes first"),
        ],
    );
}

#[test]
fn a_bare_value_has_its_reports_confidence_and_a_finding_its_own() {
    let sides = vec![
        candidate("a", json!("low"), Some(0.4)),
        candidate("b", json!({"value": "own", "confidence": 0.3}), Some(1.0)),
        candidate("c", json!({"value": "inherits"}), Some(0.8)),
        candidate("d", json!("broken"), Some(f64::NAN)),
    ];
    let response = answer(&request(vec![field("x", FieldRule::HighestConfidence, sides)]));
    assert_eq!(response.result["x"], json!({"value": "inherits"}));
    let confidences: Vec<_> = response.conflicts[0].losers.iter().map(|l| l.confidence).collect();
    assert_eq!(confidences, [Some(0.4), Some(0.3), None]);
}

#[test]
fn vote_takes_what_most_have() {
    let (weak, strong) =
        (json!({"value": "w", "confidence": 0.1}), json!({"value": "s", "confidence": 0.8}));
    check(
        FieldRule::Vote,
        vec![
            (
                vec![json!(1), json!(2), json!(2.0)],
                Some(json!(2)),
                vec![json!(1)],
                "most candidates have it: 2, the next 1",
            ),
            (
                vec![weak.clone(), strong.clone(), strong.clone(), weak.clone()],
                Some(strong.clone()),
                vec![json!("w")],
                "the vote is tied; its confidence sums up to 1.600, the next to 0.200",
            ),
            (vec![json!(1), json!(2)], Some(json!(1)), vec![json!(2)], "tied; it comes first"),
            (vec![strong, weak.clone(), weak.clone()], Some(weak), vec![json!("s")], "most"),
        ],
    );
}

#[test]
fn merge_joins_and_unites() {
    check(
        FieldRule::Merge,
        vec![
            (vec![json!([1, 2]), json!([2.0, 3]), json!([])], Some(json!([1, 2, 3])), vec![], ""),
            (vec![json!({"a": 1}), json!({"b": [1]})], Some(json!({"a": 1, "b": [1]})), vec![], ""),
            (
                vec![
                    json!({"a": {"x": [1]}}),
                    json!({"a": {"x": [2], "y": null}}),
                    json!({"a": {"y": 3}}),
                ],
                Some(json!({"a": {"x": [1, 2], "y": 3}})),
                vec![],
                "",
            ),
            (
                vec![json!({"a": 1}), json!({"a": 2, "b": 3})],
                Some(json!({"a": 1, "b": 3})),
                vec![json!(2)],
                "first",
            ),
            (vec![json!("s"), json!([1])], Some(json!("s")), vec![json!([1])], "cannot be merged"),
            (
                vec![json!({"a": []}), json!([1])],
                Some(json!({"a": []})),
                vec![json!([1])],
                "cannot",
            ),
            (vec![json!({"value": [1]}), json!([2])], Some(json!([1, 2])), vec![], ""),
            (
                vec![json!({"a": null}), json!({"a": null, "b": 1})],
                Some(json!({"a": null, "b": 1})),
                vec![],
                "",
            ),
        ],
    );
}

#[test]
fn merge_records_each_differing_path() {
    let sides = candidates(&[
        json!({"pay": {"days": 30, "late": {"pct": 1}}, "law": "DE"}),
        json!({"pay": {"days": 45, "late": {"pct": 2}}, "law": "DE"}),
        json!({"pay": {"days": 60}}),
    ]);
    let response = answer(&request(vec![field("terms", FieldRule::Merge, sides)]));
    let paths: Vec<_> =
        response.conflicts.iter().map(|c| (c.field.as_str(), c.losers.len())).collect();
    assert_eq!(paths, [("terms.pay.days", 2), ("terms.pay.late.pct", 1)]);
    let winner = response.conflicts[0].winner.as_ref().unwrap();
    assert_eq!((&winner.value, winner.from.as_str()), (&json!(30), "a"));
    assert_eq!(response.conflicts[0].losers[1].from, "c");
}

#[test]
fn merge_never_mixes_two_findings() {
    let cap = |value: u32, source: &str| json!({"cap": {"value": value, "source": source}});
    let response = answer(&request(vec![field(
        "terms",
        FieldRule::Merge,
        candidates(&[cap(5, "p. 1"), cap(9, "p. 7")]),
    )]));
    assert_eq!(response.result["terms"], cap(5, "p. 1"));
    assert_eq!(response.conflicts[0].field, "terms.cap");
    assert_eq!(response.conflicts[0].losers[0].value, json!(9));
}

#[test]
fn of_equal_values_the_surest_stands_for_them() {
    let (weak, strong) =
        (json!({"value": 1, "confidence": 0.2}), json!({"value": 1.0, "confidence": 0.9}));
    let rules = [FieldRule::Agree, FieldRule::Priority, FieldRule::Vote, FieldRule::Merge];
    for rule in rules {
        let sides = candidates(&[weak.clone(), strong.clone()]);
        let response = answer(&request(vec![field("x", rule, sides)]));
        assert_eq!(response.result["x"], strong, "{rule:?}");
    }
}

#[test]
fn what_a_conflict_repeats_is_bounded() {
    let text = |size: usize| json!("x".repeat(size));
    let mut sides = candidates(&[text(100_000), text(1022), text(1023)]);
    sides.extend((0..50).map(|i| candidate(&"s".repeat(5000), json!(i), None)));
    let response = answer(&request(vec![field("x", FieldRule::Priority, sides)]));
    let conflict = &response.conflicts[0];
    assert_eq!(conflict.winner.as_ref().unwrap().value["omitted_bytes"], 100_002);
    assert_eq!(conflict.losers[0].value, text(1022));
    assert_eq!(conflict.losers[1].value["omitted_bytes"], 1025);
    assert_eq!(conflict.losers.len(), 8);
    assert!(conflict.why.ends_with("(44 further losers are not listed)"), "{}", conflict.why);
    assert_eq!(response.result["x"], text(100_000), "the answer itself is whole");
    assert!(response.to_value()["conflicts"].to_string().len() < 24_000);
}
