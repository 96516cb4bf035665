//! One table per hint.

use super::*;

/// Fills one property from a text; null when it was left out.
fn fill(property: &Value, text: &str) -> Value {
    run(&schema(property), &json!({"text": text})).output["x"].clone()
}

/// The same with kind and hint apart.
fn fill_hinted(kind: &Value, hint: &Value, text: &str) -> Value {
    let mut property = kind.clone();
    property["x-rules"] = hint.clone();
    fill(&property, text)
}

#[test]
fn a_pattern_with_a_unit_counts_in_it() {
    let hint = json!({"pattern": "within (?P<value>{period})", "unit": "days"});
    for (kind, text, want) in [
        (json!({"type": "integer"}), "within thirty\r\n(30) days", json!(30)),
        (json!({"type": "integer"}), "within two weeks", json!(14)),
        (json!({"type": "integer"}), "within one month", json!(30)),
        (json!({"type": "integer"}), "at once", Value::Null),
        (json!({"type": "integer"}), "", Value::Null),
        (json!({"type": "integer", "maximum": 20}), "within 30 days", Value::Null),
        (json!({"type": "string"}), "within 30\n days", json!("30 days")),
    ] {
        assert_eq!(fill_hinted(&kind, &hint, text), want, "{text}");
    }
}

#[test]
fn patterns_give_typed_values() {
    let integer = json!({"type": "integer"});
    let list = json!({"type": "array", "items": integer});
    let date = json!({"type": "string", "format": "date"});
    let currency = json!({"type": "string", "enum": ["EUR", "USD"]});
    let (number, string, flag) =
        (json!({"type": "number"}), json!({"type": "string"}), json!({"type": "boolean"}));
    for (kind, pattern, text, want) in [
        (&integer, "(?:over|exceed) {money}", "exceed $1.5 million", json!(1_500_000)),
        (&number, "rate ([0-9.]+)%", "rate 1.25%", json!(1.25)),
        (&integer, "rate ([0-9.]+)%", "rate 1.25%", Value::Null),
        (&date, "(?i)dated {date}", "Dated the 1st day of March, 2026.", json!("2026-03-01")),
        (&date, "(?i)dated {date}", "Dated 03/04/2026.", Value::Null),
        (&string, "laws? of (\\S+ ?\\S*)", "law of Ö\n Ü", json!("Ö Ü")),
        (&currency, "in (\\w+)", "in usd", json!("USD")),
        (&flag, "(?i)renews", "It Renews.", json!(true)),
        (&list, "[0-9]+", "3, 4 and 3", json!([3, 4])),
        (&list, "[0-9]+", "none", json!([])),
    ] {
        assert_eq!(fill_hinted(kind, &json!({"pattern": pattern}), text), want, "{text}");
    }
    let hint = json!({"pattern": "[0-9]+ days", "within": ["Fees", "Schedule B"]});
    let text = "1. Term\n\n10 days.\n\nSCHEDULE B\n\n45 days.\n\nSCHEDULE C\n\n9 days.\n";
    assert_eq!(fill_hinted(&integer, &hint, text), json!(45));
}

#[test]
fn a_finding_has_value_confidence_date_and_source() {
    let hint =
        json!({"pattern": "pay[^.]* (?P<value>{period})", "unit": "days", "as_of": "from {date}"});
    let property = json!({"type": "array", "items": {"$ref": "#/$defs/count"}, "x-rules": hint});
    let text = "Üb – see.\r\n\r\n5.2 Terms. You pay in thirty (45) days.\n\nSCHEDULE B\n\n\
                2. As from 1 March 2026 you pay in 60 days.\n";
    let outcome = run(&schema(&property), &json!({"text": text, "offset": 1_000}));
    let start = |part: &str| 1_000 + text[..text.find(part).unwrap()].chars().count();
    let found = &outcome.output["x"];
    assert_eq!(found[0]["value"], 45);
    assert_eq!(found[0]["confidence"], 0.6, "words and digits disagree");
    assert_eq!(found[0].get("as_of"), None, "no date in clause 5");
    let source = json!({
        "start": start("You pay"),
        "end": start("You pay") + 32,
        "quote": "You pay in thirty (45) days.",
        "clause": "5.2",
    });
    assert_eq!(found[0]["source"]["quote"], source["quote"]);
    assert_eq!(found[0]["source"]["start"], source["start"]);
    assert_eq!(found[0]["source"]["clause"], source["clause"]);
    assert_eq!(found[1]["as_of"], "2026-03-01");
    assert_eq!(found[1]["source"]["clause"], "SCHEDULE B, 2");
    assert_eq!(outcome.confidence, 0.75, "mean of 0.6 and 0.9");
}

#[test]
fn a_single_value_takes_the_surest_match_and_says_that_others_differ() {
    let hint = json!({"pattern": ["net ([0-9]+)", "within ([0-9]+)"]});
    let property = json!({"type": "integer", "x-rules": hint});
    let run = |text: &str| run(&schema(&property), &json!({"text": text}));
    let (alone, rivals) = (run("net 45"), run("within 30 or net 45"));
    assert_eq!((&alone.output["x"], alone.confidence), (&json!(45), 0.9));
    assert_eq!((&rivals.output["x"], rivals.confidence), (&json!(45), 0.7));
}

#[test]
fn page_breaks_and_deleted_text_do_not_hide_or_give_values() {
    let property = json!({"type": "array", "items": {"$ref": "#/$defs/count"}, "x-rules": {
        "pattern": "within (?P<value>{period})",
    }});
    let text =
        "Pay within\nPage 3 of 9\n~~sixty (60)~~ thirty (30) days. [DELETED: within 90 days]";
    let found = fill(&property, text);
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["value"], 30);
    assert_eq!(
        found[0]["source"]["quote"].as_str().map(|quote| quote.contains("Page 3")),
        Some(true)
    );
}

#[test]
fn keywords_choose_the_value_whose_phrases_weigh_most() {
    let property = json!({"type": "string", "enum": ["msa", "nda", "other"], "default": "other", "x-rules": {
        "keywords": {"msa": ["master services agreement", "services"], "nda": ["non-disclosure", "NDA"]},
    }});
    for (text, want, confidence) in [
        ("MASTER SERVICES\nAGREEMENT\n\nText of an nda.", "msa", 0.8),
        ("Mutual Non-Disclosure Agreement\n\nno services", "nda", 0.8),
        ("the services; one NDA", "msa", 0.5),
        ("NDAs and disservices", "other", 0.5),
        ("", "other", 0.5),
        ("Über NDA\n\nNDA, NDA", "nda", 0.95),
    ] {
        let outcome = run(&schema(&property), &json!({"text": text}));
        assert_eq!(outcome.output["x"], want, "{text}");
        assert!((outcome.confidence - confidence).abs() < 0.16, "{text}: {}", outcome.confidence);
    }
    let topics = json!({"type": "array", "items": {"type": "string", "enum": ["a", "b", "c"]}, "x-rules": {
        "keywords": {"a": ["alpha"], "b": ["beta"], "c": ["gamma"]},
    }});
    assert_eq!(fill(&topics, "beta alpha beta"), json!(["b", "a"]));
}

#[test]
fn sections_are_found_by_heading_and_quoted() {
    let property =
        json!({"$ref": "#/$defs/text", "x-rules": {"section": ["Limitation of Liability"]}});
    for (text, want, clause) in [
        (
            "1. Fees\nHigh.\n\n8. LIMITATION OF LIABILITY\n8.1 Cap. One dollar.\n\n9. Term\nLong.",
            "8. LIMITATION OF LIABILITY\n8.1 Cap. One dollar.",
            json!("8"),
        ),
        (
            "ARTICLE IV\n\nLimitation of Liability\n\nOne dollar.\n\nARTICLE V\n\nTerm",
            "ARTICLE IV\n\nLimitation of Liability\n\nOne dollar.",
            json!("ARTICLE IV"),
        ),
        (
            "Limitation of Liability\r\n\r\nOne.\r\n",
            "Limitation of Liability\r\n\r\nOne.",
            json!("Limitation of Liability"),
        ),
    ] {
        let found = fill(&property, text);
        assert_eq!(found["value"], want, "{text}");
        assert_eq!(found["source"]["quote"], want);
        assert_eq!(found["source"]["clause"], clause);
    }
    assert_eq!(fill(&property, "The limitation of liability is high."), Value::Null);
    let short = json!({"type": "string", "maxLength": 9, "x-rules": {"section": ["Fees"]}});
    assert_eq!(fill(&short, "1. Fees\nHöher und mehr.\n"), "1. Fees\nH");
}

#[test]
fn summaries_are_ordered_sentences_with_offsets() {
    let items = json!({"type": "object", "properties": {
        "text": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"},
    }, "required": ["text", "start", "end"], "additionalProperties": false});
    let property =
        json!({"type": "array", "items": items, "x-rules": {"summary": {"sentences": 2}}});
    let text = "1. Fees\n\nCustomer – the buyer – shall pay USD 5 for each day. It rained a lot on that day \
                here.\n\n2. Term\n\nCustomer shall end this on 1 May 2026 by letter.\n";
    let found = fill(&property, text);
    assert_eq!(found.as_array().map(Vec::len), Some(2));
    assert!(found[0]["start"].as_u64() < found[1]["start"].as_u64());
    assert!(found[0]["text"].as_str().unwrap().starts_with("Customer – the buyer"), "{found}");
    assert_eq!(fill(&property, ""), json!([]));
    let strings = json!({"type": "array", "items": {"type": "string"}, "x-rules": {"summary": {"sentences": 1}}});
    assert_eq!(fill(&strings, text).as_array().map(Vec::len), Some(1));
}

#[test]
fn structured_input_is_copied_picked_and_checked() {
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "string", "x-rules": {"copy": "/id"}},
        "all": {"type": "array", "items": {"type": "integer"}, "x-rules": {"copy": "/parts/*/n"}},
        "best": {"type": "integer", "x-rules": {"pick": {"from": "/found", "by": "newest"}}},
        "fixed": {"type": "string", "x-rules": {"const": "v1"}},
        "also": {"const": 7},
        "wrong": {"type": "integer", "x-rules": {"copy": "/id"}},
        "risk": {"type": "string", "enum": ["low", "high"], "default": "low", "x-rules": {"check": [
            {"from": "/found", "when": "differs", "then": "high"},
        ]}},
        "issues": {"type": "array", "items": {"type": "object", "properties": {
            "code": {"type": "string"}, "message": {"type": "string"}, "sources": {"type": "array"},
        }, "required": ["code"], "additionalProperties": false}, "x-rules": {"check": [
            {"from": "/found", "when": "differs", "then": {"code": "d", "message": "n: {values}"}},
            {"from": "/none", "when": "missing", "and": [{"from": "/id", "when": {"equals": "y"}}], "then": {"code": "m"}},
        ]}},
    }, "additionalProperties": false});
    let input = json!({"id": "a", "parts": [{"n": 1}, {}, {"n": 2}], "found": [
        {"value": 30, "confidence": 0.9, "source": {"clause": "5.2"}},
        {"value": 45, "confidence": 0.8, "as_of": "2026-03-01", "source": {}},
    ]});
    let outcome = run(&schema, &input);
    let want = json!({
        "id": "a", "all": [1, 2], "best": 45, "fixed": "v1", "also": 7, "risk": "high",
        "issues": [{"code": "d", "message": "n: 30 (5.2), 45", "sources": [{"clause": "5.2"}, {}]}],
    });
    assert_eq!(outcome.output, want);
    assert_eq!((outcome.confidence, outcome.unsure), (0.8, None));
    let bare = run(&schema, &json!({"id": "y"})).output;
    assert_eq!(bare["issues"], json!([{"code": "m"}]));
    assert_eq!(bare["risk"], "low");
}

#[test]
fn what_is_required_and_not_found_makes_the_outcome_unsure() {
    let hint = json!({"pattern": "net ([0-9]+)"});
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "integer", "x-rules": hint},
        "b": {"type": ["integer", "null"], "x-rules": hint},
        "c": {"type": "string"},
        "d": {"type": "string", "default": "d"},
        "inner": {"type": "object", "properties": {"n": {"type": "integer", "x-rules": hint}}, "required": ["n"]},
        "maybe": {"type": "object", "properties": {"n": {"type": "integer", "x-rules": hint}}, "required": ["n"]},
        "left": {"type": "integer", "x-rules": hint},
        "list": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "x-rules": hint},
    }, "required": ["a", "b", "c", "d", "inner", "list"]});
    let outcome = run(&schema, &json!({"text": "nothing here"}));
    assert_eq!(outcome.output, json!({"b": null, "d": "d", "inner": {}}));
    let reason = "nothing found for /a, /b, /c, /inner/n, /list";
    assert_eq!((outcome.unsure.as_deref(), outcome.confidence), (Some(reason), 0.0));
    let outcome = run(&schema, &json!({"text": "net 5"}));
    assert_eq!(outcome.unsure.as_deref(), Some("nothing found for /c"));
    assert_eq!(outcome.output["maybe"], json!({"n": 5}));
}

#[test]
fn the_text_may_stand_elsewhere_with_its_offset_beside_it() {
    let mut schema = schema(&json!({"$ref": "#/$defs/count", "x-rules": {"pattern": "[0-9]+"}}));
    schema["x-rules-text"] = json!("/chunk/body");
    let rules = Rules::compile(&schema).expect("a schema");
    let outcome = rules.run(&json!({"chunk": {"body": "ä 7", "offset": 40}})).expect("an outcome");
    assert_eq!(outcome.output["x"]["source"], json!({"start": 40, "end": 43, "quote": "ä 7"}));
}
