mod crews;
mod doers;
mod meaning;
mod models;
mod saga;
mod shipped;

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    aggregate::FieldRule,
    workflow::{Join, Otherwise, Runtime, TaskLimits, WhenLimited},
};

const PACK: &str = r#"apiVersion: pack/v1
name: intake
roles:
  reader: {runtime: rules, accepts: contracts/text.v1.json, returns: contracts/terms.v2.json, limits: {timeout: 8s}}
  judge:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/verdict.v1.json
    limits: {timeout: 1m}
    concurrency: 4
workflow:
  input: contracts/text.v1.json
  output: contracts/brief.v1.json
  limits: {deadline: 90s, max_steps: 60, max_usd: 0.25, max_tokens: 200000}
  when_limited: partial
  steps:
    first:
      role: reader
      with: {text: "${ goal.text.substring(0, 2000) }"}
    second:
      role: reader
      after: [first]
      when: size(first.parties) > 0
      each: {over: "${ chunks(goal.text, 8000) }", as: chunk, parallel: 6, keep_partial: 0.8}
      with:
        text: "${ chunk.text }"
      optional: true
    check:
      role: judge
      after: [second]
      join: settled
      with: {terms: "${ merge(second) }", task: "${ task.id }", notes: ["of ${ first.kind }"]}
      accept_if: check.score >= 0.7 && !report.unsure
      otherwise: ask_human
      timeout: 30s
  result:
    score: "${ check.score }"
    parties: {from: ["${ second.map(s, s.parties) }", first.parties], each: true, rule: merge, required: false}
"#;

fn contracts() -> Vec<(&'static str, Value)> {
    let text = json!({"type": "object", "required": ["text"], "additionalProperties": false,
        "properties": {"text": {"type": "string"}}});
    let terms = json!({"type": "object", "additionalProperties": false,
        "properties": {"parties": {"type": "array", "items": {"type": "string"}}, "kind": {"type": "string"}}});
    let verdict = json!({"type": "object", "additionalProperties": false,
        "properties": {"score": {"type": "number"}}});
    let brief = json!({"type": "object", "required": ["score"], "additionalProperties": false,
        "properties": {"score": {"type": "number"}, "parties": {"type": "array"}}});
    vec![
        ("contracts/text.v1.json", text),
        ("contracts/terms.v2.json", terms),
        ("contracts/verdict.v1.json", verdict),
        ("contracts/brief.v1.json", brief),
        ("contracts/any.v1.json", json!({"type": "object"})),
    ]
}

fn source(pack: &str) -> PackSource {
    let contracts = contracts().into_iter();
    let mut files: BTreeMap<String, Vec<u8>> = contracts
        .map(|(path, schema)| (path.to_owned(), schema.to_string().into_bytes()))
        .collect();
    files.insert("pack.yaml".to_owned(), pack.as_bytes().to_vec());
    PackSource { files }
}

fn problems(source: &PackSource) -> Vec<String> {
    match compile(source) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_pack_becomes_a_workflow() {
    let source = source(PACK);
    let workflow = compile(&source).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(workflow.name.as_str(), "intake");
    assert_eq!(workflow.revision, source.revision());
    assert_eq!((workflow.input.id(), workflow.output.id()), ("text@1".into(), "brief@1".into()));
    let limits = TaskLimits {
        deadline: Duration::from_secs(90),
        steps_max: 60,
        usd_micros_max: 250_000,
        tokens_max: 200_000,
    };
    assert_eq!((workflow.limits, workflow.when_limited), (limits, WhenLimited::Partial));

    let roles: Vec<_> = workflow.roles.values().collect();
    let [judge, reader] = roles.as_slice() else { panic!("{roles:?}") };
    assert_eq!((judge.runtime, judge.concurrency), (Runtime::Remote, 4));
    assert_eq!((reader.runtime, reader.concurrency), (Runtime::Rules, 64));
    assert_eq!(reader.returns.id(), "terms@2");

    let [first, second, check] = workflow.steps.as_slice() else { panic!("{:?}", workflow.steps) };
    assert_eq!(first.timeout, Duration::from_secs(8));
    assert!(first.after.is_empty() && first.each.is_none() && matches!(first.join, Join::All));
    assert_eq!(second.when.as_ref().unwrap().variables(), ["first"]);
    let each = second.each.as_ref().unwrap();
    assert_eq!((each.item.as_str(), each.parallel, each.keep_partial_permille), ("chunk", 6, 800));
    assert!(second.optional);
    assert!(matches!(check.join, Join::Settled));
    assert_eq!(check.otherwise, Otherwise::AskHuman);
    assert_eq!(check.timeout, Duration::from_secs(30));
    assert_eq!(check.with.variables(), ["first", "second", "task"]);

    let [score, parties] = workflow.result.as_slice() else { panic!("{:?}", workflow.result) };
    assert_eq!(
        (score.name.as_str(), score.rule, score.required),
        ("score", FieldRule::Priority, true)
    );
    assert_eq!((parties.rule, parties.required), (FieldRule::Merge, false));
    assert_eq!(parties.from[1].text, "first.parties");
    assert_eq!(parties.from[0].steps[0].as_str(), "second");
    assert!(parties.from[0].spread && !score.from[0].spread);
}

/// Replaces `from` in the sample pack and expects exactly these problems.
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(PACK.contains(from), "{from}");
    let found = problems(&source(&PACK.replacen(from, to, 1)));
    assert_eq!(found, expected, "{from} -> {to}");
}

#[test]
fn what_the_grammar_has_not_is_refused() {
    check(
        "name: intake",
        "nam: intake",
        &["pack.yaml:1:1: lacks `name`", "pack.yaml:2:1: nam: unknown key: did you mean `name`?"],
    );
    check("pack/v1", "pack/v2", &["pack.yaml:1:13: apiVersion: is none of \"pack/v1\""]);
    check(
        "runtime: rules",
        "runtime: python",
        &[
            "pack.yaml:4:21: roles.reader.runtime: is none of \"rules\", \"remote\", \"echo\", \"script\", \"model\"",
        ],
    );
    check(", max_usd: 0.25", "", &["pack.yaml:14:3: workflow.limits: lacks `max_usd`"]);
    check(
        "after: [first]",
        "after: first",
        &["pack.yaml:22:14: workflow.steps.second.after: is not of type array"],
    );
    check(
        "timeout: 8s",
        "timeout: 8",
        &[
            "pack.yaml:4:113: roles.reader.limits.timeout: is no duration: write 250ms, 8s, 5m, 72h or 3d",
        ],
    );
    check(
        "deadline: 90s",
        "deadline: 1.5h",
        &[
            "pack.yaml:14:22: workflow.limits.deadline: is no duration: write 250ms, 8s, 5m, 72h or 3d",
        ],
    );
}

#[test]
fn values_out_of_the_grammars_range_are_refused() {
    check(
        "parallel: 6",
        "parallel: 0",
        &["pack.yaml:24:73: workflow.steps.second.each.parallel: is less than the minimum of 1"],
    );
    check(
        "keep_partial: 0.8",
        "keep_partial: 1.2",
        &[
            "pack.yaml:24:90: workflow.steps.second.each.keep_partial: is greater than the maximum of 1",
        ],
    );
    check(
        "rule: merge",
        "rule: best",
        &[
            "pack.yaml:38:89: workflow.result.parties.rule: is none of \"agree\", \"priority\", \"newest\", \"highest_confidence\", \"vote\", \"merge\"",
        ],
    );
    check(
        "rule: merge",
        "rul: merge",
        &["pack.yaml:38:83: workflow.result.parties.rul: unknown key: did you mean `rule`?"],
    );
    check(
        "\"${ check.score }\"",
        "7",
        &["pack.yaml:37:12: workflow.result.score: is not of type string or object"],
    );
    check(
        "    optional: true",
        "    optional: yes",
        &["pack.yaml:27:17: workflow.steps.second.optional: is not of type boolean"],
    );
    check(
        "      role: judge\n",
        "",
        &["pack.yaml:28:5: workflow.steps.check: lacks `role` or `approval` or `crew`"],
    );
}

#[test]
fn bad_yaml_is_refused_with_its_place() {
    check(
        "name: intake",
        "name: 'intake",
        &["pack.yaml:3:1: invalid indentation in multiline quoted scalar"],
    );
    check(
        "name: intake",
        "name: {intake",
        &["pack.yaml:4:9: while parsing a flow mapping, did not find expected ',' or '}'"],
    );
    check(
        "name: intake",
        "name: intake\nname: again",
        &["pack.yaml:3:1: duplicate mapping key: name"],
    );
    let mut source = source("");
    assert_eq!(problems(&source).len(), 1);
    source.files.insert("pack.yaml".to_owned(), vec![0xff]);
    assert_eq!(problems(&source), ["pack.yaml: file pack.yaml is not UTF-8 text"]);
    source.files.remove("pack.yaml");
    assert_eq!(problems(&source), ["pack.yaml: the pack has no such file"]);
}

#[test]
fn contract_files_are_checked() {
    let with = |path: &str, text: &str| {
        let mut source = source(PACK);
        source.files.insert(path.to_owned(), text.as_bytes().to_vec());
        problems(&source)
    };
    assert_eq!(
        with("contracts/any.v1.json", "{\n  \"type\": }"),
        ["contracts/any.v1.json:2:11: not valid JSON: expected value",]
    );
    assert_eq!(
        with("contracts/any.v1.json", "{\n"),
        ["contracts/any.v1.json:2:1: not valid JSON: EOF while parsing an object"]
    );
    assert_eq!(
        with("contracts/any.v1.json", "{\"type\": \"objct\"}"),
        [
            "contracts/any.v1.json: /type: is not valid under any of the schemas listed in the 'anyOf' keyword",
        ]
    );
    assert_eq!(
        with("contracts/any.v1.json", "{\"$ref\": \"text.v1.json\"}"),
        [
            "contracts/any.v1.json: /$ref: `text.v1.json` is outside of this file: copy it into `$defs`",
        ]
    );
    assert_eq!(
        with("contracts/more.json", "{}"),
        [
            "contracts/more.json: a contract's file is named contracts/<name>.v<version>.json",
            "contracts/more.json: no role and no workflow uses this contract",
        ]
    );
    assert_eq!(
        with("../evil", ""),
        [
            "pack.yaml: file \"../evil\" is no part of a pack: it has pack.yaml, contracts/*.json, prompts/*, documents/* and cassettes/*.jsonl",
        ]
    );
    assert_eq!(with("prompts/reader.md", "Read."), Vec::<String>::new());
}

#[test]
fn all_problems_are_listed_at_once() {
    let pack = PACK
        .replace("timeout: 8s", "timeout: 8m")
        .replace("role: judge", "role: juge")
        .replace("goal.text.substring", "goal.txt.substring");
    assert_eq!(problems(&source(&pack)).len(), 4);
}

#[test]
fn steps_keep_their_declared_order() {
    let independent = PACK
        .replace("      after: [first]\n      when: size(first.parties) > 0\n", "")
        .replace("    first:\n", "    zero:\n")
        .replace("first.kind", "second[0].kind")
        .replace(", first.parties", "");
    let workflow = compile(&source(&independent)).unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<_> = workflow.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["zero", "second", "check"]);
}

#[test]
fn the_grammar_has_a_schema() {
    let schema = schema();
    assert_eq!(schema["title"], "Cadre pack");
    assert_eq!(schema["additionalProperties"], false);
    let step = &schema["$defs"]["StepDecl"];
    assert_eq!(step["required"], json!(["with"]));
    assert_eq!(
        step["oneOf"],
        json!([{"required": ["role"]}, {"required": ["approval"]}, {"required": ["crew"]}])
    );
    let described = |schema: &Value| -> bool {
        schema["properties"]
            .as_object()
            .unwrap()
            .values()
            .all(|field| field["description"].is_string())
    };
    assert!(described(&schema));
    for name in ["StepDecl", "ApprovalDecl", "AskDecl", "RoleDecl", "RoleLimitsDecl", "RetryDecl"] {
        assert!(described(&schema["$defs"][name]), "{name}");
    }
}

#[test]
fn aliases_keep_a_pack_short() {
    let pack = PACK.replacen("limits: {timeout: 1m}", "limits: &limits {timeout: 1m}", 1);
    let pack = pack.replacen("limits: {timeout: 8s}", "limits: *limits", 1);
    assert_eq!(problems(&source(&pack)), ["pack.yaml:4:103: alias references unknown anchor"]);
    let pack = PACK.replacen("limits: {timeout: 8s}", "limits: &limits {timeout: 8s}", 1);
    let pack = pack.replacen("limits: {timeout: 1m}", "limits: *limits", 1);
    let pack = pack.replacen("      timeout: 30s\n", "", 1);
    assert_eq!(problems(&source(&pack)), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(at in 0..PACK.len(), cut in 0_usize..40, put in "(?s)[ -~\n]{0,12}") {
        let end = (at + cut).min(PACK.len());
        let pack = format!("{}{put}{}", &PACK[..at], &PACK[end..]);
        if let Err(errors) = compile(&source(&pack)) {
            prop_assert!(!errors.0.is_empty());
        }
    }

    #[test]
    fn no_contract_makes_it_panic(text in "[\\[\\]{}\":,a$/#0-9 ]{0,60}") {
        let mut source = source(PACK);
        source.files.insert("contracts/any.v1.json".to_owned(), text.into_bytes());
        let _result = compile(&source);
    }
}
