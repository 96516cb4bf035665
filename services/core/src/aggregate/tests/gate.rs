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

/// What a status follows from, and what the answer says.
struct Case {
    fields: Vec<Field>,
    gaps: Vec<Missing>,
    limit: Option<&'static str>,
    status: EndStatus,
    reason: &'static str,
    /// `field/step` of each missing part.
    missing: Vec<&'static str>,
}

impl Case {
    fn check(self) {
        let limit = self.limit.map(str::to_owned);
        let request = Request { fields: self.fields, gaps: self.gaps, limit };
        let response = answer(&request);
        assert_eq!(response.status, self.status, "{request:?}");
        assert!(response.reason.contains(self.reason), "{} / {}", response.reason, self.reason);
        let found = response.missing.iter();
        let found = found.map(|m| format!("{}/{}", m.field.clone().unwrap_or_default(), m.step));
        assert_eq!(found.collect::<Vec<_>>(), self.missing, "{request:?}");
    }
}

fn case(fields: Vec<Field>, gaps: Vec<Missing>) -> Case {
    let (status, reason) = (EndStatus::Completed, "every part is there");
    Case { fields, gaps, limit: None, status, reason, missing: Vec::new() }
}

impl Case {
    /// Checks that it is so.
    fn is(self, status: EndStatus, reason: &'static str, missing: &[&'static str]) {
        Self { status, reason, missing: missing.to_vec(), ..self }.check();
    }
}

fn risk() -> Field {
    there("risk", json!("low"))
}

fn boom() -> Missing {
    missing("validate", "error: boom")
}

fn lost_item() -> Missing {
    missing("extract-3", "timeout: no report")
}

#[test]
fn without_a_required_field_an_answer_is_partial_or_failed() {
    case(vec![risk()], vec![]).check();
    case(vec![], vec![]).check();
    let reason = "required field a is missing (nothing gave a value)";
    case(vec![risk(), absent("a", true, vec![])], vec![]).is(
        EndStatus::Partial,
        reason,
        &["a/result"],
    );
    let reason = "required field a is missing (error: boom)";
    let lost = absent("a", true, vec![boom()]);
    case(vec![lost], vec![boom()]).is(EndStatus::Failed, reason, &["a/validate"]);
}

#[test]
fn an_optional_field_counts_when_it_was_lost() {
    let lost = || absent("a", false, vec![boom()]);
    let reason = "field a is missing (error: boom)";
    case(vec![risk(), lost()], vec![boom()]).is(EndStatus::Partial, reason, &["a/validate"]);
    case(vec![lost()], vec![boom()]).is(EndStatus::Partial, reason, &["a/validate"]);
    let declared = absent("a", false, vec![missing("w", "skipped: when is false: x")]);
    case(vec![risk(), declared], vec![]).check();
    let fan_out = absent("a", false, vec![missing("extract", "1 of 5")]);
    let both = ["a/extract", "/extract-3"];
    case(vec![risk(), fan_out], vec![lost_item()]).is(EndStatus::Partial, "(1 of 5)", &both);
}

#[test]
fn a_lost_item_counts_and_a_lost_step_that_no_field_feels_does_not() {
    let reason = "1 fan-out item has no output";
    let both = ["/extract-3", "/validate"];
    case(vec![risk()], vec![lost_item(), boom()]).is(EndStatus::Partial, reason, &both);
    case(vec![risk()], vec![boom()]).is(EndStatus::Completed, "every part", &["/validate"]);
}

#[test]
fn a_limit_makes_an_answer_partial() {
    let limited = |fields| Case { limit: Some("max_steps: 5 of 5"), ..case(fields, vec![]) };
    let reason = "a limit was met: max_steps: 5 of 5";
    limited(vec![risk()]).is(EndStatus::Partial, reason, &[]);
    let reason = "a limit was met: max_steps: 5 of 5; required field a";
    limited(vec![absent("a", true, vec![])]).is(EndStatus::Failed, reason, &["a/result"]);
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
