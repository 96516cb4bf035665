use serde_json::json;

use super::*;

fn contract() -> Contract {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "required": ["parties"], "additionalProperties": false,
        "properties": {
            "parties": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/party"}},
            "kind": {"enum": ["msa", "nda"], "x-rules": {"keywords": {"msa": ["master"]}}},
            "code": {"type": "string", "pattern": "^(a+)+$"},
            "cap": {"type": ["integer", "null"], "minimum": 0}
        },
        "$defs": {"party": {
            "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}
        }}
    });
    Contract::compile("terms", 2, &schema).unwrap()
}

#[test]
fn a_valid_document_passes() {
    let contract = contract();
    assert_eq!(contract.id(), "terms@2");
    assert_eq!(
        contract.check(&json!({"parties": [{"name": "Acme"}], "kind": "nda", "cap": null})),
        Ok(())
    );
}

#[test]
fn violations_say_where_and_what() {
    let check = |value: Value| contract().check(&value).unwrap_err().to_string();
    assert_eq!(check(json!([])), "/: is not of type object");
    assert_eq!(check(json!({})), "/: lacks `parties`");
    assert_eq!(check(json!({"parties": [{"name": 7}]})), "/parties/0/name: is not of type string");
    assert_eq!(check(json!({"parties": []})), "/parties: has less than 1 item");
    let two = check(json!({"parties": [{}], "kind": "memo", "cap": "x"}));
    for part in [
        "/parties/0: lacks `name`",
        "/kind: is none of \"msa\", \"nda\"",
        "/cap: is not of type null or integer",
    ] {
        assert!(two.contains(part), "{two}");
    }
    assert_eq!(check(json!({"parties": [{"name": ""}], "x": 1})), "/: has the unknown field `x`");
}

#[test]
fn violations_are_bounded() {
    let many: Vec<Value> = (0..1_000).map(|_| json!({"name": "n".repeat(10_000) })).collect();
    let contract = Contract::compile(
        "short",
        1,
        &json!({"items": {"properties": {"name": {"maxLength": 3}}}}),
    );
    let violations = contract.unwrap().check(&Value::Array(many)).unwrap_err();
    assert_eq!(violations.0.len(), VIOLATIONS_MAX);
    assert!(violations.to_string().len() < 2_000, "{violations}");

    let wide = json!({"parties": [{"name": ""}], "y".repeat(10_000): 1});
    let violations = super::tests::contract().check(&wide).unwrap_err();
    assert!(violations.to_string().len() < 200, "{violations}");
}

#[test]
fn a_hostile_pattern_stays_linear() {
    let value = json!({"parties": [{"name": ""}], "code": "a".repeat(200_000) + "!"});
    assert!(contract().check(&value).is_err());
}

#[test]
fn a_schema_that_is_none_is_refused() {
    for (schema, reason) in [
        (
            json!({"type": "strin"}),
            "/type: is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
        (json!([]), "/: is not of type boolean or object"),
        (
            json!({"$ref": "other.json"}),
            "/$ref: `other.json` is outside of this file: copy it into `$defs`",
        ),
        (
            json!({"properties": {"a": {"$ref": "https://example.com/x"}}}),
            "/properties/a/$ref: `https://example.com/x` is outside of this file: copy it into `$defs`",
        ),
        (
            json!({"$ref": "#/$defs/none"}),
            "/$ref: nothing is at `#/$defs/none`: write a JSON pointer such as #/$defs/party",
        ),
        (json!({"requierd": ["a"]}), "/requierd: unknown keyword: did you mean `required`?"),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            "/$schema: only https://json-schema.org/draft/2020-12/schema is supported",
        ),
        (json!({"$ref": "#"}), "#: refers to itself without going down into the value"),
        (
            json!({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
            "#/$defs/a: refers to itself without going down into the value",
        ),
        (json!({"pattern": "("}), "/pattern: is not a \"regex\""),
        (
            json!({"format": "dat"}),
            "/format: Unknown format: 'dat'. Adjust configuration to ignore unrecognized formats",
        ),
    ] {
        let error = Contract::compile("x", 1, &schema).unwrap_err();
        assert_eq!(error.to_string(), format!("contract x@1: {reason}"), "{schema}");
    }
}

#[test]
fn a_recursive_schema_is_fine_when_it_goes_down() {
    let tree = json!({"type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": false});
    let contract = Contract::compile("tree", 1, &tree).unwrap();
    let mut value = json!({});
    for _ in 0..60 {
        value = json!({"child": value});
    }
    assert_eq!(contract.check(&value), Ok(()));
}

#[test]
fn a_chain_of_references_is_cut() {
    let link = |next: u32| json!({"$ref": format!("#/$defs/d{next}")});
    let links: serde_json::Map<_, _> =
        (0..5_000).map(|i| (format!("d{i}"), link((i + 1).min(4_999)))).collect();
    let mut schema = json!({"$ref": "#/$defs/d0", "$defs": links});
    schema["$defs"]["d4999"] = json!({});
    let error = Contract::compile("x", 1, &schema).unwrap_err();
    assert!(error.reason.contains("64 references"), "{error}");
}

#[test]
fn a_contract_crosses_threads() {
    fn crosses<T: fmt::Debug + Send + Sync>() {}
    crosses::<Contract>();
}

#[test]
fn a_contract_inside_another_schema_means_the_same() {
    let schema = json!({
        "$id": "terms", "x-rules": {"any": 1}, "type": "object", "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item", "x-hint": 1}}},
        "$defs": {"item": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
    });
    let contract = Contract::compile("terms", 1, &schema).unwrap();
    let inside = contract.embedded("/properties/output");
    let text = inside.to_string();
    assert!(!text.contains("x-") && !text.contains("$id"), "{text}");
    let outer = json!({"properties": {"output": inside}});
    let outer = Contract::compile("outer", 1, &outer).unwrap();
    assert!(outer.check(&json!({"output": {"items": [1, null]}})).is_ok());
    assert!(outer.check(&json!({"output": {"items": ["x"]}})).is_err());
}
