//! Status, missing parts and the contract.

use super::*;

fn brief() -> Contract {
    let schema = json!({
        "type": "object",
        "properties": {"risk": {"enum": ["low", "high"]}, "terms": {"type": "array"}},
        "required": ["risk", "terms"],
    });
    Contract::compile("brief", 2, &schema).unwrap()
}

fn there(name: &str, value: Value) -> Field {
    field(name, FieldRule::Priority, candidates(&[value]))
}

fn absent(name: &str, is_required: bool, missing: Vec<Missing>) -> Field {
    Field { is_required, missing, ..field(name, FieldRule::Priority, Vec::new()) }
}

/// Fields, gaps and limit; then status, part of the reason, and `field/step` of each missing part.
type Row =
    (Vec<Field>, Vec<Missing>, Option<&'static str>, EndStatus, &'static str, Vec<&'static str>);

#[test]
fn the_status_says_what_the_answer_lacks() {
    let boom = || missing("validate", "error: boom");
    let item = || missing("extract-3", "timeout: no report");
    let risk = || there("risk", json!("low"));
    let table: Vec<Row> = vec![
        (vec![risk()], vec![], None, EndStatus::Completed, "every part", vec![]),
        (vec![], vec![], None, EndStatus::Completed, "every part", vec![]),
        // Required and absent.
        (
            vec![risk(), absent("a", true, vec![])],
            vec![],
            None,
            EndStatus::Partial,
            "required field a is missing (nothing gave a value)",
            vec!["a/result"],
        ),
        (
            vec![absent("a", true, vec![boom()])],
            vec![boom()],
            None,
            EndStatus::Failed,
            "required field a is missing (error: boom)",
            vec!["a/validate"],
        ),
        // Optional and absent: lost, or as declared.
        (
            vec![risk(), absent("a", false, vec![boom()])],
            vec![boom()],
            None,
            EndStatus::Partial,
            "field a is missing",
            vec!["a/validate"],
        ),
        (
            vec![risk(), absent("a", false, vec![missing("w", "skipped: when is false: x")])],
            vec![],
            None,
            EndStatus::Completed,
            "every part",
            vec![],
        ),
        (
            vec![absent("a", false, vec![boom()])],
            vec![boom()],
            None,
            EndStatus::Partial,
            "field a",
            vec!["a/validate"],
        ),
        (
            vec![risk(), absent("a", false, vec![missing("extract", "1 of 5")])],
            vec![item()],
            None,
            EndStatus::Partial,
            "field a",
            vec!["a/extract", "/extract-3"],
        ),
        // A gap that no field feels: another step stood in.
        (vec![risk()], vec![boom()], None, EndStatus::Completed, "every part", vec!["/validate"]),
        (
            vec![risk()],
            vec![item(), boom()],
            None,
            EndStatus::Partial,
            "1 items of fan-outs have no output",
            vec!["/extract-3", "/validate"],
        ),
        // Limits.
        (
            vec![risk()],
            vec![],
            Some("max_steps: 5 of 5"),
            EndStatus::Partial,
            "a limit was met: max_steps: 5 of 5",
            vec![],
        ),
        (
            vec![absent("a", true, vec![])],
            vec![],
            Some("deadline"),
            EndStatus::Failed,
            "a limit was met: deadline; required field a",
            vec!["a/result"],
        ),
    ];
    for (fields, gaps, limit, status, reason, expected) in table {
        let request = Request { fields, gaps, limit: limit.map(str::to_owned) };
        let response = answer(&request);
        assert_eq!(response.status, status, "{request:?}");
        assert!(response.reason.contains(reason), "{:?} lacks {reason:?}", response.reason);
        let found = response.missing.iter();
        let found = found.map(|m| format!("{}/{}", m.field.clone().unwrap_or_default(), m.step));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{request:?}");
    }
}

#[test]
fn a_disagreement_leaves_the_field_out() {
    let split = || field("x", FieldRule::Agree, candidates(&[json!(1), json!(2)]));
    for is_required in [true, false] {
        let fields = vec![Field { is_required, ..split() }, there("risk", json!("low"))];
        let response = answer(&request(fields));
        assert_eq!(response.status, EndStatus::Partial);
        assert_eq!(response.result.get("x"), None);
        let document = response.to_value();
        assert_eq!(
            document["missing"],
            json!([
                {"field": "x", "step": "a", "cause": "its candidates disagree"}
            ])
        );
        assert_eq!(
            document["conflicts"],
            json!([{
                "field": "x", "rule": "agree", "resolved": false, "winner": null,
                "losers": [{"value": 1, "from": "a"}, {"value": 2, "from": "b"}],
                "why": "2 different values, and the rule takes none of them",
            }])
        );
    }
}

#[test]
fn a_partial_answer_need_not_have_every_required_key() {
    let gate = Gate::new(&brief()).unwrap();
    let fields = |risk: &str| vec![there("risk", json!(risk)), absent("terms", true, vec![])];
    let response = gate.resolve(&request(fields("low")));
    assert_eq!(response.status, EndStatus::Partial, "{}", response.reason);
    let response = gate.resolve(&request(fields("so-so")));
    assert_eq!(response.status, EndStatus::Failed);
    assert!(response.reason.contains("breaks contract brief@2"), "{}", response.reason);
    assert!(response.reason.contains("required field terms is missing"), "{}", response.reason);
    assert_eq!(response.result["risk"], "so-so", "kept for a person to look at");
}

#[test]
fn a_complete_answer_must_satisfy_the_whole_contract() {
    let gate = Gate::new(&brief()).unwrap();
    let whole = vec![there("risk", json!("high")), there("terms", json!([]))];
    assert_eq!(gate.resolve(&request(whole)).status, EndStatus::Completed);
    let response = gate.resolve(&request(vec![there("risk", json!("high"))]));
    assert_eq!(response.status, EndStatus::Failed);
    assert!(response.reason.contains("terms"), "{}", response.reason);
}

#[test]
fn lists_are_bounded_and_say_so() {
    let fields = (0..150)
        .map(|i| field(&format!("f{i}"), FieldRule::Priority, candidates(&[json!(1), json!(2)])));
    let gaps = (0..5_000).map(|i| missing(&format!("extract-{i}"), &"x".repeat(4_000)));
    let request =
        Request { fields: fields.collect(), gaps: gaps.collect(), limit: Some("x".repeat(9_000)) };
    let response = answer(&request);
    assert_eq!((response.conflicts.len(), response.missing.len()), (100, 201));
    assert_eq!(response.missing[200].cause, "4800 further missing parts are not listed");
    assert!(response.reason.len() < 2_100);
    assert!(response.missing.iter().all(|absence| absence.cause.len() < 2_100));
}

#[test]
fn too_many_candidates_are_a_loss_on_record() {
    let sides = (0..10_002).map(|i| candidate("extract", json!([i]), None)).collect();
    let response = answer(&request(vec![field("x", FieldRule::Merge, sides)]));
    assert_eq!(response.result["x"].as_array().unwrap().len(), 10_000);
    assert_eq!(response.status, EndStatus::Partial);
    assert_eq!(response.missing[0].cause, "2 candidates over 10000 were left out");
}
