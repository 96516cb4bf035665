use serde_json::json;

use super::*;

fn document() -> Value {
    json!({
        "task": "vs3tl6e2t2bmylf5r7pg2ndlxn", "tenant": "acme", "workflow": "contract-intake",
        "key": "k", "status": "partial", "reason": "1 part is missing",
        "result": {
            "kind": "supply", "parties": ["Acme", "Bolt"], "empty": [], "ok": true,
            "clauses": [{"no": 1, "text": "pays"}],
            "summary": "a long text that does not fit on one line of this width",
        },
        "conflicts": [{
            "field": "payment_days", "rule": "newest",
            "winner": {"value": 30, "from": "extract-1", "as_of": "2024-05-01"},
            "losers": [{"value": 60, "from": "extract-0", "confidence": 0.9}],
            "resolved": true, "why": "2024-05-01 is the latest date",
        }],
        "missing": [{"step": "extract-3", "cause": "timeout: no report"}, {"field": "law", "step": "x", "cause": "y"}],
        "steps": 9, "usd_micros": 1200, "tokens": 0, "duration_ms": 1250,
    })
}

#[test]
fn an_answer_is_printed_whole() {
    let expected = "\
partial  contract-intake  vs3tl6e2t2bmylf5r7pg2ndlxn
1 part is missing

result
  clauses:
    - no: 1
      text: pays
  empty: []
  kind: supply
  ok: true
  parties:
    - Acme
    - Bolt
  summary:
    a long text that does not fit on one
    line of this width

conflicts (1)
  payment_days  (rule newest)
    won   30  as of 2024-05-01  from extract-1
    lost  60  confidence 0.90  from extract-0
    2024-05-01 is the latest date

missing (2)
  extract-3: timeout: no report
  law: x: y

9 steps, 1.2 s, $0.0012";
    let mut lines = lines(&document(), Style::plain(), 42);
    // Whether a JSON object keeps its order is a build feature of the library.
    let keys = lines[4..15].to_vec();
    let expected: Vec<_> = expected.lines().map(str::to_owned).collect();
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(keys), sorted(expected[4..15].to_vec()), "{lines:#?}");
    lines.drain(4..15);
    let rest: Vec<_> = [&expected[..4], &expected[15..]].concat();
    assert_eq!(lines, rest);
}

#[test]
fn a_document_of_another_shape_is_printed_as_far_as_it_goes() {
    for document in [json!(null), json!({}), json!({"status": 1, "conflicts": {}, "missing": [1]})]
    {
        assert!(!lines(&document, Style::plain(), 80).is_empty());
        assert_eq!(status(&document), None);
    }
}

#[test]
fn what_did_not_end_well_has_no_empty_result() {
    for (status, is_shown) in [
        ("completed", true),
        ("partial", true),
        ("failed", false),
        ("cancelled", false),
        ("incomplete", false),
    ] {
        let lines = lines(&json!({"status": status, "result": {}}), Style::plain(), 80);
        assert_eq!(lines.contains(&"result".to_owned()), is_shown, "{status} {lines:?}");
    }
    let failed = json!({"status": "failed", "result": {"a": 1}});
    assert!(lines(&failed, Style::plain(), 80).contains(&"  a: 1".to_owned()));
}

#[test]
fn findings_are_values_with_a_note() {
    let source = json!({"clause": "5.2", "start": 1, "end": 9, "quote": "pays in\n45 days"});
    let document = json!({"status": "completed", "result": {
        "days": {"value": 45, "confidence": 0.8, "as_of": "2026-03-01", "source": source},
        "long": {"value": "words that fill more than the rest of this line", "confidence": 1.0},
        "where": [source],
        "other": {"value": 1, "unit": "USD"},
        "texts": [{"start": 3, "end": 4, "text": "one"}],
    }});
    let lines = lines(&document, Style::plain(), 50);
    for expected in [
        "  days: 45  (0.80, as of 2026-03-01, 5.2)",
        "  long: (1.00)",
        "    words that fill more than the rest of this",
        "    - (5.2)",
        "      pays in",
        "  other:",
        "    value: 1",
        "    - one  (3-4)",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected:?} {lines:#?}");
    }
}

#[test]
fn nothing_in_an_answer_can_steer_a_terminal() {
    let evil = "\u{1b}[2J\u{7}";
    let document = json!({
        "status": evil, "workflow": evil, "task": evil, "reason": evil,
        "result": {evil: evil, "list": [evil, [evil]],
                   "finding": {"value": evil, "as_of": evil, "source": {"clause": evil, "quote": evil}}},
        "conflicts": [{"field": evil, "rule": evil, "winner": {"value": evil, "from": evil, "as_of": evil},
                       "losers": [{"value": {evil: evil}, "from": evil}], "why": evil}],
        "missing": [{"field": evil, "step": evil, "cause": evil}],
    });
    let text = lines(&document, Style::plain(), 80).join("\n");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
}

#[test]
fn each_end_has_its_exit_code() {
    assert_eq!(code(EndStatus::Completed), None);
    assert_eq!(code(EndStatus::Partial), Some(Code::TaskPartial));
    for status in [EndStatus::Failed, EndStatus::Cancelled, EndStatus::Incomplete] {
        assert_eq!(code(status), Some(Code::TaskFailed));
    }
}

#[test]
fn degraded_steps_are_named_with_their_stand_in() {
    let mut document = document();
    assert!(!lines(&document, Style::plain(), 80).iter().any(|line| line.contains("degraded")));
    document["degraded"] = json!([
        {"step": "extract-0", "role": "extractor-small", "reason": "role extractor failed:\nerror"},
    ]);
    let text = lines(&document, Style::plain(), 80).join("\n");
    let expected =
        "\ndegraded (1)\n  extract-0: done by role extractor-small: role extractor failed: error\n";
    assert!(text.contains(expected), "{text}");
}
