//! What holds for every text.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Pieces that meet every branch: numbering, furniture, deletions, amounts, odd white space.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "1. Fees\n",
            "5.2 Payment Terms. ",
            "ARTICLE IV\n\n",
            "LIMITATION OF LIABILITY\n",
            "(a) ",
            "Schedule B\n",
            "Page 3 of 9\n",
            "HEADER\n",
            "~~",
            "[DELETED: ",
            "]",
            "within thirty (30) days",
            "net 45 ",
            "USD 1,500,000",
            "$1.5 million",
            "1 March 2026",
            "2026-02-30",
            "shall pay. ",
            "\r\n",
            "\n\n",
            "“Fees” means ",
            "\u{a0}",
            "\u{2028}",
            "İ",
            "ß",
            "e\u{301}",
            "🧾",
            "governed by the laws of England and Wales. ",
            ". ",
            "- 3 -\n",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        "[a-zA-Z0-9 .,()\n]{0,40}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A contract with every hint that reads text, some places required.
fn contract() -> Value {
    let mut contract = schema(
        &json!({"type": "array", "items": {"$ref": "#/$defs/count"}, "x-rules": {
            "pattern": ["within (?P<value>{period})", "net ([0-9]+)"], "unit": "days", "as_of": "{date}",
        }}),
    );
    let more = json!({
        "kind": {"type": "string", "enum": ["fees", "law"], "x-rules": {"keywords": {"fees": ["fees", "pay"], "law": ["laws of"]}}},
        "cap": {"type": "number", "minimum": 1, "x-rules": {"pattern": "{money}"}},
        "day": {"type": "string", "format": "date", "x-rules": {"pattern": "{date}", "within": ["Fees"]}},
        "word": {"$ref": "#/$defs/text", "x-rules": {"pattern": "\\w+"}},
        "any": {"type": "array", "items": {"$ref": "#/$defs/text"}, "uniqueItems": true, "maxItems": 5, "x-rules": {"pattern": "(?s).{1,900}"}},
        "clause": {"$ref": "#/$defs/text", "x-rules": {"section": ["Limitation of Liability", "Schedule B"]}},
        "short": {"type": "string", "maxLength": 12, "x-rules": {"section": ["Fees"]}},
        "named": {"type": "string", "x-rules": {"pattern": ".*[.]"}},
        "summary": {"type": "array", "items": {"type": "object", "properties": {
            "text": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"},
        }, "required": ["text", "start", "end"]}, "x-rules": {"summary": {"sentences": 3}}},
    });
    let fields = contract["properties"].as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    contract["required"] = json!(["x", "kind", "summary"]);
    contract
}

/// Compiled once: what varies is the text.
static CONTRACT: LazyLock<(Value, Rules)> = LazyLock::new(|| {
    let schema = contract();
    let rules = Rules::compile(&schema).expect("a contract");
    (schema, rules)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_kept_outcome(text in text(), offset in 0_u64..1_000_000) {
        let (schema, rules) = &*CONTRACT;
        let input = json!({"text": text, "offset": offset});
        let outcome = rules.run(&input).expect("an outcome");
        prop_assert_eq!(&rules.run(&input).expect("an outcome"), &outcome, "two runs give the same");
        assert_kept(schema, &input, &outcome);
    }

    #[test]
    fn any_expression_compiles_or_is_refused(pattern in ".{0,40}", text in text()) {
        let schema = schema(&json!({"type": "array", "items": {"$ref": "#/$defs/text"}, "x-rules": {"pattern": pattern}}));
        if Rules::compile(&schema).is_ok() {
            run(&schema, &json!({"text": text}));
        }
    }
}
