//! Hostile and mistaken schemas and inputs.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_bad_schema_is_refused_with_its_place() {
    let text = |hint: Value| schema(&json!({"type": "string", "x-rules": hint}));
    for (schema, want) in [
        (text(json!({"patern": "x"})), "/properties/x/x-rules/patern"),
        (text(json!({})), "/properties/x/x-rules"),
        (text(json!("x")), "/properties/x/x-rules"),
        (text(json!({"pattern": "("})), "/properties/x/x-rules"),
        (text(json!({"pattern": "{dates}"})), "{dates}"),
        (text(json!({"pattern": "(?:\\w{500}){500}"})), "size limit"),
        (text(json!({"pattern": "(".repeat(100) + &")".repeat(100)})), "/properties/x/x-rules"),
        (text(json!({"pattern": "a".repeat(3_000)})), "longer than"),
        (text(json!({"pattern": "a", "copy": "/a"})), "exactly one"),
        (text(json!({"pattern": []})), "1 to 8"),
        (text(json!({"unit": "days"})), "need a `pattern`"),
        (text(json!({"copy": "a"})), "no JSON pointer"),
        (text(json!({"summary": {"sentences": 2}})), "array"),
        (text(json!({"keywords": {"a": ["b"]}})), "no value of the property's enum"),
        (text(json!({"check": [{"from": "/a", "when": "missing", "then": 3}]})), "does not fit"),
        (text(json!({"check": [{"from": "/a", "when": "odd", "then": "x"}]})), "odd"),
        (text(json!({"check": [{"from": "/a", "when": "missing", "then": "x", "y": 1}]})), "`y`"),
        (schema(&json!({"type": "object", "x-rules": {"pattern": "a"}})), "`pattern` fills"),
        (
            schema(&json!({"type": "string", "not": {}, "x-rules": {"pattern": "a"}})),
            "/properties/x/not",
        ),
        (schema(&json!({"$ref": "#/$defs/none"})), "/properties/x/$ref"),
        (schema(&json!({"$ref": "http://example.com/a.json"})), "within the schema"),
        (schema(&json!({"type": "integer", "default": "a"})), "/properties/x/default"),
        (schema(&json!({"type": "int"})), "/properties/x/type"),
        (schema(&json!(3)), "`/properties/x`"),
        (json!({"x-rules-text": 3}), "/x-rules-text"),
    ] {
        let error = Rules::compile(&schema).expect_err(want).to_string();
        assert!(error.contains(want), "{error} names {want}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_or_doubles_ends_at_a_limit() {
    let looped = json!({"properties": {"a": {"$ref": "#"}}});
    assert!(matches!(Rules::compile(&looped), Err(RulesError::TooDeep { .. })));
    let mut doubling = json!({"$ref": "#/$defs/n0", "$defs": {"n7": {"type": "string"}}});
    for level in 0..7 {
        let below = json!({"$ref": format!("#/$defs/n{}", level + 1)});
        let names = ["a", "b", "c", "d", "e", "f"];
        let fields = names.iter().map(|name| ((*name).to_owned(), below.clone()));
        doubling["$defs"][format!("n{level}")] = json!({"properties": Value::from_iter(fields)});
    }
    assert!(matches!(
        Rules::compile(&doubling),
        Err(RulesError::TooLarge { .. } | RulesError::TooDeep { .. })
    ));
}

#[test]
fn an_input_without_a_usable_text_is_refused() {
    let rules =
        Rules::compile(&schema(&json!({"type": "string", "x-rules": {"pattern": "a"}}))).unwrap();
    let long = "a".repeat(limits::TEXT_BYTES_MAX + 1);
    for (input, want) in [
        (json!({}), "`/text` is no string"),
        (json!({"text": 3}), "`/text` is no string"),
        (json!({"text": long}), "limit is 4194304"),
        (json!({"text": "a", "offset": -1}), "`/offset`"),
        (json!({"text": "a", "offset": "0"}), "`/offset`"),
    ] {
        let error = rules.run(&input).expect_err(want).to_string();
        assert!(error.contains(want), "{error}");
    }
    let structured = Rules::compile(&schema(&json!({"type": "string", "x-rules": {"copy": "/a"}})));
    assert!(structured.unwrap().run(&json!({})).is_ok(), "no text is needed to copy");
}

/// Best of three, so that a busy machine does not decide.
fn duration(rules: &Rules, text: &str) -> Duration {
    let input = json!({"text": text});
    let once = || {
        let start = Instant::now();
        rules.run(&input).expect("an outcome");
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

#[test]
fn time_grows_with_the_text_and_not_faster() {
    let everything = json!({"type": "object", "properties": {
        "days": {"type": "array", "items": {"type": "integer"}, "x-rules": {"pattern": "[^.]{0,50}(?P<value>{period})", "as_of": "from {date}"}},
        "law": {"type": "string", "x-rules": {"pattern": "x*y"}},
        "cap": {"type": "string", "x-rules": {"section": ["Cap"]}},
        "kind": {"type": "string", "enum": ["a"], "x-rules": {"keywords": {"a": ["clause"]}}},
        "summary": {"type": "array", "items": {"type": "string"}, "x-rules": {"summary": {"sentences": 5}}},
    }});
    let rules = Rules::compile(&everything).expect("a schema");
    let paragraph = "1. Cap. Each party – also B – shall pay in ten (10) days under clause 4.\n\n(a) xxxxxxxxxxxxx\n";
    for paragraph in [paragraph, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "(a)\n", "~~[", "A. "] {
        let (small, large) = (
            paragraph.repeat(16_000 / paragraph.len()),
            paragraph.repeat(256_000 / paragraph.len()),
        );
        let (small, large) = (duration(&rules, &small), duration(&rules, &large));
        let allowed = small * 16 * 5 + Duration::from_millis(100);
        assert!(large < allowed, "{paragraph:?}: {small:?} for 16 kB, {large:?} for 256 kB");
    }
}
