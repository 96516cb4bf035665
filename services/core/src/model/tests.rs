//! Conversations with a model that says what the test wants.

mod plans;
mod props;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    pack::{PackSource, compile},
    payload::Payload,
    task::{FailureKind, Outcome},
    workflow::{Grant, Workflow},
};

const PACK: &str = r#"apiVersion: pack/v1
name: desk
models:
  cheap: {routes: [{model: simulated/cheap}]}
  strong: {routes: [{model: simulated/strong}]}
roles:
  reader:
    runtime: model
    model: strong
    model_when_low: cheap
    prompt: prompts/reader.md
    tools: [lookup, clock]
    documents: [documents/handbook.md]
    loop: {max_calls: 4, max_output_tokens: 900, temperature: 0}
    confidence_min: 0.6
    accepts: contracts/ask.v1.json
    returns: contracts/terms.v1.json
    limits: {timeout: 8s, max_usd: 0.01, max_tokens: 9000}
  boss:
    runtime: model
    model: strong
    prompt: prompts/boss.md
    accepts: contracts/any.v1.json
    returns: contracts/terms.v1.json
    limits: {timeout: 8s, max_usd: 0.01, max_tokens: 9000}
workflow:
  input: contracts/ask.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 90s, max_steps: 60, max_usd: 0.25, max_tokens: 200000}
  when_limited: partial
  steps:
    read: {role: reader, with: "${ goal }"}
    talk:
      crew: {pattern: network, lead: boss, team: [boss, other], max_turns: 4}
      with: "${ goal }"
  result: {days: "${ read.days }"}
"#;

const OTHER: &str = "  other:
    runtime: echo
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    limits: {timeout: 8s}
workflow:";

fn workflow(change: impl Fn(&str) -> String) -> Workflow {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let files = [
        ("pack.yaml", change(&PACK.replace("workflow:", OTHER))),
        ("prompts/reader.md", "Read the text.\n\nOn {{ input.subject }}:\n{{ input.text }}".into()),
        ("prompts/boss.md", "Lead.".into()),
        ("documents/handbook.md", "Fees are due in May.".into()),
        ("contracts/any.v1.json", json!({}).to_string()),
        (
            "contracts/ask.v1.json",
            object(json!({"text": {}, "subject": {}, "rest": {}})).to_string(),
        ),
        ("contracts/terms.v1.json", object(json!({"days": {"type": "integer"}})).to_string()),
    ];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes()));
    compile(&PackSource { files: files.collect() }).unwrap_or_else(|errors| panic!("{errors}"))
}

fn brief_of(workflow: &Workflow, role: &str) -> Arc<Brief> {
    let role = &workflow.roles[&role.parse::<Name>().unwrap()];
    let specs = TOOLS_BUILT_IN.iter().filter_map(|name| built_in(&name.parse().unwrap()));
    Arc::new(Brief::new(workflow, role, &specs.collect::<Vec<_>>()).unwrap())
}

fn reader(change: impl Fn(&str) -> String) -> Arc<Brief> {
    brief_of(&workflow(change), "reader")
}

const GRANT: Grant = Grant { usd_micros: 10_000, tokens: 9_000 };

fn begin(brief: &Arc<Brief>) -> Dialogue {
    let input = json!({"text": "Pay in 30 days.", "subject": ["fees"], "rest": "of it"});
    let input = Payload::from_value(input).unwrap();
    Dialogue::new(Arc::clone(brief), &input, (1, GRANT)).unwrap()
}

fn same(pack: &str) -> String {
    pack.to_owned()
}

fn question(dialogue: &mut Dialogue) -> Question {
    match dialogue.act() {
        Ok(Act::Ask(question)) => *question,
        other => panic!("{other:?}"),
    }
}

fn answer(said: Said, usd_micros: u64) -> ModelAnswer {
    let cost = Grant { usd_micros, tokens: 100 };
    ModelAnswer { said, cost, choice: Choice::default(), took: Duration::from_millis(3) }
}

/// Asks, and has the model say this; both by way of the journal's record.
fn say(dialogue: &mut Dialogue, said: Said, usd_micros: u64) -> Question {
    let question = question(dialogue);
    let answer = answer(said, usd_micros);
    let answered = Answered::read(&question.record(&answer).unwrap()).unwrap();
    assert_eq!(answered.said, answer.said);
    dialogue.heard(answered).unwrap();
    question
}

fn text(text: &str) -> Said {
    Said { text: text.to_owned(), ..Said::default() }
}

fn calls(calls: &[(&str, Value)]) -> Said {
    let calls = calls.iter().enumerate().map(|(index, (tool, arguments))| ToolCall {
        id: format!("c{index}"),
        tool: (*tool).to_owned(),
        arguments: arguments.clone(),
    });
    Said { calls: calls.collect(), finish: Finish::Tools, ..Said::default() }
}

fn lookup() -> Said {
    calls(&[("lookup", json!({"query": "fees"}))])
}

const GOOD: &str = r#"{"output": {"days": 30}, "confidence": 0.9}"#;

#[test]
fn a_conversation_asks_calls_tools_and_ends() {
    let mut dialogue = begin(&reader(same));
    let both = calls(&[("lookup", json!({"query": "fees"})), ("clock", json!({}))]);
    let first = say(&mut dialogue, both, 5);
    assert_eq!(first.prompt.turns, [Turn::User("On [\"fees\"]:\nPay in 30 days.".to_owned())]);
    let Ok(Act::Use(calls)) = dialogue.act() else { panic!("{dialogue:?}") };
    assert_eq!(
        calls.iter().map(|call| call.tool.as_str()).collect::<Vec<_>>(),
        ["lookup", "clock"]
    );
    for _ in calls {
        dialogue.returned(ToolAnswer::new("found"));
    }
    let second = say(&mut dialogue, text(GOOD), 5);
    assert_eq!(second.prompt.turns.len(), 4, "input, calls, two answers");
    assert_ne!(first.arguments(), second.arguments());
    let output = Payload::from_value(json!({"days": 30})).unwrap();
    let expected = Outcome::Completed { output, confidence: Some(0.9) };
    assert_eq!(dialogue.act(), Ok(Act::End(expected)));
}

#[test]
fn every_call_begins_with_the_same_bytes() {
    let brief = reader(same);
    let mut dialogue = begin(&brief);
    let first = say(&mut dialogue, text("no"), 0);
    let again = reader(same);
    let other = Payload::from_value(json!({"text": 1, "subject": 2})).unwrap();
    let second = question(&mut Dialogue::new(again, &other, (1, GRANT)).unwrap());
    let third = question(&mut dialogue);
    for question in [&second, &third] {
        assert_eq!(question.prompt.system, first.prompt.system);
        assert_eq!(question.prompt.tools, first.prompt.tools);
        assert_eq!(question.manner, first.manner);
    }
    let names: Vec<&str> = first.prompt.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["clock", "lookup"]);
    assert!(first.prompt.system.starts_with("Read the text.\n\nAnswer with one JSON object"));
    assert!(first.prompt.system.ends_with("`lookup` searches: documents/handbook.md"));
    assert!(third.prompt.turns.starts_with(&first.prompt.turns), "what was said stays");
}

#[test]
fn the_record_says_what_was_decided_and_why() {
    let mut dialogue = begin(&reader(same));
    let question = question(&mut dialogue);
    let usage = TokenUsage { input: 90, cached: 60, cache_write: 5, output: 10 };
    let choice = Choice {
        model: "simulated/strong".to_owned(),
        why: "first".to_owned(),
        passed: vec![("a/b".to_owned(), "no key".to_owned())],
        is_degraded: true,
        is_cached: false,
    };
    let answer = ModelAnswer { choice, ..answer(Said { usage, ..lookup() }, 7) };
    let record = question.record(&answer).unwrap();
    let record = record.value();
    assert_eq!(record["alias"], "strong");
    assert_eq!(record["passed"], json!([{"model": "a/b", "why": "no key"}]));
    assert_eq!(record["tokens"]["cached"], 60);
    assert_eq!(record["cost"], json!({"usd_micros": 7, "tokens": 100}));
    assert_eq!(
        record["tools"],
        json!({"offered": ["clock", "lookup"], "called": ["lookup"], "errors": 0})
    );
    let context = &record["context"];
    assert_eq!(context["documents"], json!(["documents/handbook.md"]));
    assert_eq!(context["input_omitted"], json!(["rest"]), "the prompt does not name it");
    let asked = cassette::Question::of(&question.prompt, &question.manner);
    assert_eq!(context["ask_sha256"], asked.ask.to_string(), "what a cassette has");
    assert_eq!(
        Answered::read(&Payload::null()).unwrap_err().to_string().split(':').next(),
        Some("the record of a model's answer lacks said")
    );
    assert_eq!(question.description(), "ask strong for an answer, 1 of 4");
}

#[test]
fn an_answer_that_does_not_fit_is_repaired_once() {
    let mut dialogue = begin(&reader(same));
    say(&mut dialogue, text(r#"{"output": {"days": "x"}}"#), 0);
    let question = question(&mut dialogue);
    let Some(Turn::User(repair)) = question.prompt.turns.last() else { panic!("{question:?}") };
    assert!(repair.contains("breaks contract terms@1: /days"), "{repair}");
    let record = question.record(&answer(text("nothing"), 0)).unwrap();
    let failure = dialogue.heard(Answered::read(&record).unwrap()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidOutput);
    assert_eq!(failure.refused.unwrap().value(), "nothing");

    let mut dialogue = begin(&reader(same));
    say(&mut dialogue, text("no"), 0);
    say(&mut dialogue, text(GOOD), 0);
    assert!(matches!(dialogue.act(), Ok(Act::End(Outcome::Completed { .. }))));
}

#[test]
fn an_answer_that_was_kept_back_or_cut_is_none() {
    for (finish, said, expected) in [
        (Finish::Filtered, GOOD, "was kept back by the model's provider"),
        (Finish::Length, r#"{"output": {"#, "cut after 900 tokens"),
    ] {
        let mut dialogue = begin(&reader(same));
        say(&mut dialogue, Said { finish, ..text(said) }, 0);
        let turns = question(&mut dialogue).prompt.turns;
        let Some(Turn::User(repair)) = turns.last() else { panic!("{turns:?}") };
        assert!(repair.contains(expected), "{repair}");
    }
}

/// A conversation of this attempt, after the model has said all this; perhaps it has failed by then.
fn attempt(number: u32, said: &[Said]) -> (Dialogue, Vec<Payload>, Option<FailureKind>) {
    let input = Payload::from_value(json!({"text": 1, "subject": 2})).unwrap();
    let mut dialogue = Dialogue::new(reader(same), &input, (number, GRANT)).unwrap();
    let (mut asked, mut failed) = (Vec::new(), None);
    for said in said {
        loop {
            match dialogue.act() {
                Ok(Act::Use(_)) => dialogue.returned(ToolAnswer::new("found")),
                Ok(Act::Ask(question)) => {
                    asked.push(question.arguments().unwrap());
                    let answered =
                        Answered { said: said.clone(), cost: Grant::default(), degraded: None };
                    failed = dialogue.heard(answered).err().map(|failure| failure.kind);
                    break;
                }
                Ok(Act::End(_)) | Err(_) => return (dialogue, asked, failed),
            }
        }
    }
    (dialogue, asked, failed)
}

#[test]
fn a_later_attempt_goes_on_where_the_conversation_was_given_up() {
    let bad = [text("a"), text("b")];
    let (_, first, failed) = attempt(1, &bad);
    assert_eq!(failed, Some(FailureKind::InvalidOutput));
    let (mut dialogue, second, failed) = attempt(2, &bad);
    assert_eq!((failed, &second), (None, &first), "the journal knows these calls");
    say(&mut dialogue, text(GOOD), 0);
    assert!(matches!(dialogue.act(), Ok(Act::End(Outcome::Completed { .. }))));

    let tireless = [lookup(), lookup(), lookup(), lookup()];
    let (mut dialogue, first, _) = attempt(1, &tireless);
    dialogue.returned(ToolAnswer::new("found"));
    assert_eq!(dialogue.act().unwrap_err().kind, FailureKind::Limit);
    let (mut dialogue, second, _) = attempt(2, &tireless);
    assert_eq!(second, first);
    dialogue.returned(ToolAnswer::new("found"));
    assert_eq!(question(&mut dialogue).description(), "ask strong for an answer, 5 of 8");
}

#[test]
fn little_confidence_is_left_to_the_pack() {
    let mut dialogue = begin(&reader(same));
    say(&mut dialogue, text(r#"{"output": {"days": 1}, "confidence": 0.2}"#), 0);
    let Ok(Act::End(Outcome::Unsure { reason, .. })) = dialogue.act() else { panic!() };
    assert_eq!(reason, "its confidence of 0.2 is below 0.6");
}

#[test]
fn a_call_that_cannot_be_made_is_told_to_the_model() {
    let mut dialogue = begin(&reader(same));
    let mixed = calls(&[
        ("mail", json!({})),
        ("lookup", json!({"query": 1})),
        ("clock", json!({})),
        ("lookup", json!({})),
    ]);
    say(&mut dialogue, mixed, 0);
    let Ok(Act::Use(left)) = dialogue.act() else { panic!("{dialogue:?}") };
    let left: Vec<_> = left.iter().map(|call| (call.tool.as_str(), call.id.as_str())).collect();
    assert_eq!(left, [("clock", "c2")]);
    dialogue.returned(ToolAnswer::new("noon"));
    let question = question(&mut dialogue);
    let told: Vec<_> = question
        .prompt
        .turns
        .iter()
        .filter_map(|turn| match turn {
            Turn::Tool { result, is_error, .. } => Some((result.as_str(), *is_error)),
            Turn::User(_) | Turn::Model { .. } => None,
        })
        .collect();
    assert_eq!(told[0], ("there is no tool `mail`; you have: clock, lookup", true));
    assert!(told[1].0.starts_with("the arguments do not fit: /query") && told[1].1, "{told:?}");
    assert!(told[2].0.contains("lacks `query`"));
    assert_eq!(told[3], ("noon", false), "what could be called is answered last");
    assert_eq!(question.record(&answer(text(""), 0)).unwrap().value()["tools"]["errors"], 3);
}

#[test]
fn more_calls_than_a_turn_may_have_are_not_made() {
    let mut dialogue = begin(&reader(same));
    let many: Vec<_> = (0..20).map(|_| ("clock", json!({}))).collect();
    say(&mut dialogue, calls(&many), 0);
    let mut made = 0;
    while let Ok(Act::Use(_)) = dialogue.act() {
        made += 1;
        dialogue.returned(ToolAnswer::new("noon"));
    }
    assert_eq!(made, crate::limits::TURN_CALLS_MAX);
    assert_eq!(question(&mut dialogue).prompt.turns.len(), 2 + 20, "each is answered");
}

#[test]
fn a_model_that_never_answers_meets_the_limit() {
    let mut dialogue = begin(&reader(same));
    for _ in 0..4 {
        say(&mut dialogue, lookup(), 0);
        assert!(matches!(dialogue.act(), Ok(Act::Use(_))));
        dialogue.returned(ToolAnswer::new("found"));
    }
    let failure = dialogue.act().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("raise loop.max_calls of role reader"), "{failure:?}");
}

#[test]
fn who_is_nearly_out_of_budget_or_turns_is_told() {
    let mut dialogue = begin(&reader(same));
    let rich = say(&mut dialogue, lookup(), 8_100);
    assert_eq!((rich.alias.as_str(), rich.stepped_down), ("strong", None));
    dialogue.returned(ToolAnswer::new("found"));
    let poor = say(&mut dialogue, lookup(), 100);
    assert_eq!((poor.alias.as_str(), poor.stepped_down.is_some()), ("cheap", true));
    let what =
        "ask cheap for an answer, 2 of 4; 19 % of the grant is left: cheap instead of strong";
    assert_eq!(poor.description(), what);
    assert!(
        matches!(poor.prompt.turns.last(), Some(Turn::User(text)) if text.contains("be brief"))
    );
    dialogue.returned(ToolAnswer::new("found"));
    say(&mut dialogue, lookup(), 100);
    dialogue.returned(ToolAnswer::new("found"));
    let last = question(&mut dialogue);
    assert_eq!(last, question(&mut dialogue), "asking again changes nothing");
    assert!(
        matches!(last.prompt.turns.last(), Some(Turn::User(text)) if text.contains("last turn"))
    );
    let told = last.prompt.turns.iter().filter(|turn| matches!(turn, Turn::User(_)));
    assert_eq!(told.count(), 3, "input, once to be brief, once that it is the last turn");
}

/// A conversation of rounds that do not all fit.
fn long(when_full: &str) -> (Dialogue, Result<Act, crate::task::Failure>) {
    let change = |pack: &str| {
        let bounds = "max_calls: 4, max_output_tokens: 900";
        let wanted =
            format!("max_calls: 9, max_output_tokens: 900, context_tokens: 3000, {when_full}");
        assert!(pack.contains(bounds));
        pack.replace(bounds, &wanted)
    };
    let mut dialogue = begin(&reader(change));
    for _ in 0..3 {
        let Ok(Act::Ask(_)) = dialogue.act() else { break };
        say(&mut dialogue, lookup(), 0);
        dialogue.returned(ToolAnswer::new(&"found it. ".repeat(200)));
    }
    let next = dialogue.act();
    (dialogue, next)
}

#[test]
fn a_conversation_that_is_too_long_is_trimmed() {
    let (_, next) = long("when_full: trim");
    let Ok(Act::Ask(question)) = next else { panic!("{next:?}") };
    assert_eq!(question.purpose, Purpose::Answer);
    assert!(question.tokens <= 3_000, "{}", question.tokens);
    assert!(matches!(&question.prompt.turns[1], Turn::User(text) if text.contains("left out")));
    let record = question.record(&answer(text(""), 0)).unwrap();
    let omitted = &record.value()["context"]["omitted"];
    assert_eq!((&omitted[0]["how"], &omitted[0]["turns"][0]), (&json!("trimmed"), &json!(1)));
}

#[test]
fn a_conversation_that_is_too_long_is_summed_up() {
    let (mut dialogue, next) = long("when_full: summarise, summarise_with: cheap");
    let Ok(Act::Ask(summary)) = next else { panic!("{next:?}") };
    assert_eq!((summary.purpose, summary.alias.as_str()), (Purpose::Summary, "cheap"));
    assert!(matches!(&summary.prompt.turns[..], [Turn::User(text)] if text.contains("found it.")));
    assert!(summary.prompt.tools.is_empty() && summary.manner.returns.is_none());
    say(&mut dialogue, text("They found it."), 0);
    let question = question(&mut dialogue);
    assert_eq!(question.purpose, Purpose::Answer);
    assert!(
        matches!(&question.prompt.turns[1], Turn::User(text) if text.ends_with("They found it."))
    );
    let record = question.record(&answer(text(""), 0)).unwrap();
    assert_eq!(record.value()["context"]["omitted"][0]["how"], "summarised");
}

#[test]
fn a_conversation_that_is_too_long_fails_if_told_to() {
    let (_, next) = long("when_full: fail");
    let failure = next.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("raise loop.context_tokens (3000)"), "{failure:?}");
}

#[test]
fn only_members_of_a_crew_can_hand_off() {
    let workflow = workflow(same);
    let boss = brief_of(&workflow, "boss");
    let mut dialogue = Dialogue::new(boss, &Payload::null(), (1, GRANT)).unwrap();
    let first = question(&mut dialogue);
    assert!(
        first
            .prompt
            .system
            .contains("- handoff: null, or whose turn it is now instead of yours (other)")
    );
    assert_eq!(first.prompt.turns, [Turn::User("Input:\nnull".to_owned())]);
    say(&mut dialogue, text(r#"{"handoff": {"to": "other", "reason": "fees"}}"#), 0);
    assert!(matches!(dialogue.act(), Ok(Act::End(Outcome::Handoff { .. }))));
    let alone = question(&mut begin(&brief_of(&workflow, "reader")));
    assert!(!alone.prompt.system.contains("handoff"));
}

#[test]
fn a_prompt_that_lacks_its_input_fails() {
    let input = Payload::from_value(json!({"text": 1})).unwrap();
    let failure = Dialogue::new(reader(same), &input, (1, GRANT)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Expression);
    assert!(failure.message.starts_with("prompt of role reader: `input.subject`"), "{failure:?}");
}

#[test]
fn a_call_sets_aside_what_its_routes_may_cost() {
    let table = r#"{"version": "1", "source": "", "models": {
        "a/b": {"input": 1, "output": 2}, "c/d": {"input": 3, "output": 4}}}"#;
    let prices = price::Prices::parse(table).unwrap();
    let left = Grant { usd_micros: 9_000_000, tokens: 9_000 };
    for (written, tries, usd_micros) in [
        ("routes: [{model: a/b}]", 1, None),
        ("routes: [{model: a/b}, {model: c/d}]", 2, None),
        ("routes: [{model: c/d}, {model: a/b, usd_left_min: 5}]", 2, Some(5_000_000)),
        ("routes: [{model: a/b, usd_left_min: 10}]", 1, None),
        ("routes: [{model: x/y}]", 1, Some(9_000_000)),
        ("free: true, routes: [{model: x/y}]", 1, Some(0)),
    ] {
        let routes = |pack: &str| pack.replace("routes: [{model: simulated/strong}]", written);
        let workflow = workflow(routes);
        let question = question(&mut begin(&brief_of(&workflow, "reader")));
        let cheap = question.tokens + 900 * 2;
        let sum = if tries == 2 { cheap + question.tokens * 3 + 900 * 4 } else { cheap };
        let once = question.tokens + 900;
        let expected = Grant { usd_micros: usd_micros.unwrap_or(sum), tokens: once * tries };
        let counted = (&prices, &[question.tokens; 2][..]);
        assert_eq!(question.reserve(&workflow, counted, left), expected, "{written}");
        let little = question.reserve(&workflow, counted, Grant { usd_micros: 7, tokens: 1 });
        let expected = Grant { usd_micros: usd_micros.unwrap_or(sum).min(7), tokens: once };
        assert_eq!(little, expected, "{written}");
    }
}
