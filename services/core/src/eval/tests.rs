//! Suites, scores and comparisons by hand; what is read of streams by way of hand-made records.

mod streams;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn case(expect: &str) -> Case {
    Case::parse(&format!("goal: {{}}\nexpect:\n{expect}")).unwrap_or_else(|error| panic!("{error}"))
}

fn trace() -> Trace {
    let call = |tools: &str| ModelCall { tools: names(tools), ..ModelCall::default() };
    Trace {
        status: "completed".to_owned(),
        result: json!({"kind": "msa", "days": 45, "parties": ["A", "B"], "law": {"of": "NY", "by": 1}}),
        is_answered: true,
        calls: vec![call("clock lookup"), call("lookup")],
        orders: 5,
        usd_micros: 1_500,
        tokens: 900,
        latency_ms: 800,
        ..Trace::default()
    }
}

#[test]
fn suites_and_cases_are_read_and_mistakes_named() {
    let suite = Suite::parse("apiVersion: eval/v1\npack: contract\ntries: 3").unwrap();
    assert_eq!((suite.pack.as_str(), suite.tries), ("contract", 3));
    let whole = "  status: partial\n  result: [{at: /a, equals: null}, {matches: x+}]\n  tools: {any_order: [a, b]}\n  \
         max_steps: 3\n  max_usd: 0.05\n  max_latency: 8s\n";
    let read = case(whole);
    assert_eq!(read.expect.max_usd, Some(suite::Usd(50_000)));
    assert_eq!(read.expect.max_latency, Some(suite::Within(8_000)));
    assert_eq!(read.expect.result[0].equals, Some(Value::Null));
    let written = serde_saphyr::to_string(&read).unwrap();
    assert_eq!(Case::parse(&written).unwrap(), read, "{written}");
    for (text, expected) in [
        ("goal: {}\nsample: a", "either `goal` or `sample`"),
        ("expect: {}", "either `goal` or `sample`"),
        ("goal: {}\nexpect: {result: [{at: a.b, equals: 1}]}", "write /a/b"),
        ("goal: {}\nexpect: {result: [{at: /a}]}", "lacks `equals`"),
        ("goal: {}\nexpect: {result: [{matches: '('}]}", "`matches` at ``"),
        ("goal: {}\nexpect: {max_latency: soon}", "is no duration"),
        ("goal: {}\nexpect: {max_usd: much}", "is no amount"),
        ("goal: {}\nexpects: {}", "unknown field `expects`"),
        ("goal: {}\ntries: 0", "`tries` is 0"),
        ("goal: {\n", "line "),
    ] {
        let error = Case::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn tools_are_compared_in_order_and_in_any_order() {
    for (expected, called, in_order, any_order) in [
        ("", "", 1_000, 1_000),
        ("a b c", "a b c", 1_000, 1_000),
        ("a b c", "c b a", 333, 1_000),
        ("a b", "a x b", 666, 666),
        ("a a b", "a b", 666, 666),
        ("a b", "a a b b", 500, 500),
        ("a b c d", "b d", 500, 500),
        ("a b", "b a", 500, 1_000),
        ("a", "", 0, 0),
        ("", "a", 0, 0),
        ("a b", "x y", 0, 0),
    ] {
        let called: Vec<_> = called.split_whitespace().collect();
        let found = accuracy(&names(expected), &called);
        let found = (found.in_order_permille, found.any_order_permille);
        assert_eq!(found, (in_order, any_order), "{expected} / {called:?}");
    }
}

#[test]
fn what_is_missed_is_said() {
    for (expect, missed) in [
        ("  status: completed", ""),
        ("  status: waiting", "status is completed, not waiting"),
        ("  result: [{at: /kind, equals: msa}, {at: /parties/1, equals: B}]", ""),
        ("  result: [{at: /kind, equals: nda}]", "/kind is \"msa\", not \"nda\""),
        ("  result: [{at: /none, equals: 1}]", "/none is missing"),
        ("  result: [{at: /kind, contains: ms}, {at: /parties, contains: A}]", ""),
        ("  result: [{at: /law, contains: {of: NY}}, {contains: {days: 45}}]", ""),
        ("  result: [{at: /parties, contains: C}]", "/parties is [\"A\",\"B\"], without \"C\""),
        ("  result: [{at: /days, matches: '^4\\d$'}]", ""),
        ("  result: [{at: /kind, matches: '^n'}]", "/kind is \"msa\", which does not match ^n"),
        ("  tools: {in_order: [clock, lookup, lookup]}", ""),
        ("  tools: {any_order: [lookup, lookup, clock]}", ""),
        (
            "  tools: {in_order: [lookup, lookup, clock]}",
            "tools: clock, lookup, lookup; expected in this order: lookup, lookup, clock",
        ),
        ("  tools: {any_order: []}", "tools: clock, lookup, lookup; expected in any order: none"),
        ("  max_steps: 5\n  max_usd: 0.0015\n  max_tokens: 900\n  max_latency: 800ms", ""),
        ("  max_steps: 4", "steps: 5, at most 4 expected"),
        ("  max_usd: 0.001", "cost: $0.0015, at most $0.001 expected"),
        ("  max_latency: 1ms", "latency in ms: 800, at most 1 expected"),
    ] {
        let found = grade(&case(expect).expect, &trace());
        assert_eq!(found.join("; "), missed, "{expect}");
    }
    let broken = Trace { violations: "/kind: is missing".to_owned(), ..trace() };
    let found = grade(&Expect::default(), &broken);
    assert_eq!(found, ["the result breaks its contract: /kind: is missing"]);
}

/// The score of tries of which these pass.
fn score(expect: &str, passes: &[bool]) -> CaseScore {
    let (mut score, expect) = (CaseScore::default(), case(expect).expect);
    for passes in passes {
        let mut trace = trace();
        if !passes {
            trace.status = "partial".to_owned();
        }
        assert_eq!(score.count(&expect, &trace).is_empty(), *passes);
    }
    score
}

#[test]
fn pass_k_needs_every_try_of_a_case() {
    let plain = "  status: completed";
    let cases = BTreeMap::from([
        ("always".to_owned(), score(plain, &[true, true, true])),
        ("mostly".to_owned(), score(plain, &[true, false, true])),
        ("never".to_owned(), score(plain, &[false, false, false])),
        ("once".to_owned(), score("  tools: {in_order: [lookup, clock, lookup]}", &[])),
    ]);
    let totals = Totals::of(&cases);
    assert_eq!((totals.cases, totals.tries), (4, 9));
    assert_eq!((totals.success_rate, totals.pass_k), (0.556, 0.25));
    assert_eq!((totals.contract_validity, totals.steps, totals.latency_ms), (1.0, 5.0, 800.0));
    assert_eq!((totals.usd_micros, totals.tools_in_order), (13_500, None));
    let mut tools = CaseScore::default();
    tools.count(&case("  tools: {in_order: [lookup, clock, lookup]}").expect, &trace());
    let totals = Totals::of(&BTreeMap::from([("one".to_owned(), tools)]));
    assert_eq!((totals.tools_in_order, totals.tools_any_order), (Some(0.666), Some(1.0)));
    assert_eq!((totals.success_rate, totals.pass_k), (0.0, 0.0));
}

fn changed(tries: &[bool], change: impl FnOnce(&mut CaseScore)) -> Vec<(String, bool)> {
    let expect = "  tools: {in_order: [clock, lookup, lookup]}";
    let before = BTreeMap::from([("one".to_owned(), score(expect, &[true, true]))]);
    let mut after = score(expect, tries);
    change(&mut after);
    let changes = compare(&before, &BTreeMap::from([("one".to_owned(), after)]));
    let line = |it: Change| (format!("{}: {} -> {}", it.what, it.before, it.after), it.is_regress);
    changes.into_iter().map(line).collect()
}

#[test]
fn what_is_worse_than_the_baseline_is_a_regress() {
    assert_eq!(changed(&[true, true], |_| {}), []);
    assert_eq!(changed(&[true, true, true], |_| {}), [], "per try it is the same");
    let line = "passed: 2 in 2 tries -> 1 in 2 tries".to_owned();
    assert_eq!(changed(&[true, false], |_| {}), [(line, true)]);
    type Change = fn(&mut CaseScore);
    let table: [(Change, bool); 10] = [
        (|it| it.steps += 1, true),
        (|it| it.steps -= 1, false),
        (|it| it.wrong_turns += 1, true),
        (|it| it.loops += 1, true),
        (|it| it.valid -= 1, true),
        (|it| it.tools_in_order_permille = Some(1_999), true),
        (|it| it.usd_micros += 300, false),
        (|it| it.usd_micros += 301, true),
        (|it| it.latency_ms += 161, true),
        (|it| it.tokens -= 1, false),
    ];
    for (number, (change, is_regress)) in table.into_iter().enumerate() {
        let found = changed(&[true, true], change);
        assert_eq!(found.len(), 1, "{number}: {found:?}");
        assert_eq!(found[0].1, is_regress, "{number}: {found:?}");
    }
}

#[test]
fn a_case_that_is_gone_is_a_regress_and_a_new_one_is_not() {
    let one = BTreeMap::from([("one".to_owned(), CaseScore::default())]);
    let (gone, new) = (compare(&one, &BTreeMap::new()), compare(&BTreeMap::new(), &one));
    assert!(gone[0].is_regress && gone[0].after == "is gone");
    assert!(!new[0].is_regress && new[0].after == "is new");
}

#[test]
fn secrets_are_found_by_name_and_by_form() {
    let document = json!({
        "user": {"password": "hunter2", "name": "ann"},
        "access_token": "abc", "tokens": 7, "note": "token",
        "text": "use sk-planted-0123456789abcdef, please",
        "list": ["AKIAABCDEFGHIJKLMNOP", "postgres://ann:pw@db/x", "fine"],
        "empty": {"secret": ""},
    });
    let found = suspects(&document);
    let expected = ["/access_token", "/list/0", "/list/1", "/text", "/user/password"];
    let mut sorted = found;
    sorted.sort();
    assert_eq!(sorted, expected);
    let clean = redacted(&document);
    assert_eq!(clean["text"], "use [redacted], please");
    assert_eq!(clean["user"], json!({"password": "[redacted]", "name": "ann"}));
    assert_eq!(clean["list"][1], "[redacted]db/x");
    assert_eq!(suspects(&clean), Vec::<String>::new());
}
