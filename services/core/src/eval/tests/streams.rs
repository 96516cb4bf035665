//! What a log and its journals say of a try.

use std::sync::Arc;

use super::*;
use crate::{
    ids::{Name, StepId, TaskId},
    journal::{CallKind, CallOutcome, Claim, Entry, Fact, History, Intent, JournalId},
    pack::{PackSource, compile},
    payload::{Hash, Payload},
    task::{Cause, Event, Failure, FailureKind, Goal, GoalLimits, Record, Usage},
    time::UnixMillis,
    workflow::{Grant, Workflow},
};

const PACK: &str = "apiVersion: pack/v1
name: desk
roles:
  reader:
    runtime: echo
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    limits: {timeout: 8s}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 90s, max_steps: 60, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    read: {role: reader, with: goal}
  result: {days: read.days}
";

fn workflow() -> Workflow {
    let files = [("pack.yaml", PACK), ("contracts/any.v1.json", "{}")];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    compile(&PackSource { files: files.into() }).unwrap_or_else(|errors| panic!("{errors}"))
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn step(text: &str) -> StepId {
    StepId::parse(text).unwrap()
}

fn goal() -> Arc<Goal> {
    let tenant = name("acme");
    Arc::new(Goal {
        task: TaskId::derive(&tenant, "k"),
        tenant,
        workflow: name("desk"),
        revision: "0".repeat(64).into(),
        key: "k".to_owned(),
        digest: Hash::of(b"k"),
        input: Payload::null(),
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        fork: None,
    })
}

/// Records of these events, 100 ms apart.
fn records(events: Vec<Vec<Event>>) -> Vec<Record> {
    let record = |(index, events): (u64, Vec<Event>)| Record {
        rev: index + 1,
        at: UnixMillis(1_000 + index * 100),
        cause: Cause {
            kind: "goal".to_owned(),
            source: String::new(),
            sequence: 1,
            waited: std::time::Duration::ZERO,
            models: Vec::new(),
        },
        decision: "x".to_owned(),
        reason: String::new(),
        events,
    };
    (0..).zip(events).map(record).collect()
}

fn dispatched(id: &str, attempt: u32, role: &str) -> Event {
    let (step, role, input) = (step(id), name(role), Payload::null());
    let deadline = UnixMillis(9_000);
    Event::StepDispatched { step, attempt, role, input, deadline, grant: Grant::default() }
}

/// A journal of these calls of models: attempt, text, tools, tool errors so far.
fn journal(id: &str, calls: &[(u32, &str, &[&str], u32)]) -> (JournalId, History) {
    let mut facts = Vec::new();
    let mut claimed = 0;
    for ((attempt, text, tools, errors), call) in calls.iter().zip(1..) {
        if *attempt != claimed {
            claimed = *attempt;
            let worker = "w".to_owned();
            facts.push(Fact::Claimed(Claim { attempt: *attempt, delivery: 1, worker }));
        }
        let intent = Intent {
            kind: CallKind::Model,
            target: "cheap".to_owned(),
            arguments: Hash::of(&[u8::try_from(call).unwrap()]),
            description: String::new(),
            is_idempotent: true,
            reserved: Grant::default(),
        };
        facts.push(Fact::Begun { call, intent });
        let tools: Vec<_> =
            tools.iter().map(|tool| json!({"id": "c", "tool": tool, "arguments": {}})).collect();
        let hash = "0a".repeat(32);
        let record = json!({
            "model": "openai/m", "purpose": "answer", "number": call, "took_ms": 20,
            "said": {"text": text, "calls": tools, "finish": "stop"},
            "tools": {"errors": errors},
            "context": {
                "ask_sha256": hash, "system_sha256": hash, "tools_sha256": hash,
                "input_sha256": hash, "turns_sha256": hash, "manner_sha256": hash,
            },
        });
        let outcome = CallOutcome::Done(Payload::from_value(record).unwrap());
        facts.push(Fact::Ended { call, outcome, cost: Grant::default(), ruled_by: None });
    }
    let mut history = History::default();
    for (fact, rev) in facts.into_iter().zip(1..) {
        history.apply(&Entry { rev, fact }).unwrap();
    }
    let task = TaskId::derive(&name("acme"), "k");
    (JournalId { role: name("reader"), task, step: step(id) }, history)
}

#[test]
fn a_trace_tells_tools_in_order_wrong_turns_and_loops() {
    let failure = Failure::new(FailureKind::Unavailable, "is away");
    let delayed = Event::StepDelayed {
        step: step("read"),
        role: name("reader"),
        degraded: None,
        input: Payload::null(),
        until: UnixMillis(1_300),
        reason: "waits".to_owned(),
        failure: Some(failure),
        usage: Usage::default(),
    };
    let loop_found = Event::LoopFound {
        step: name("talk"),
        text: "in circles".to_owned(),
        evidence: Payload::null(),
    };
    let records = records(vec![
        vec![Event::Accepted { goal: goal(), deadline: UnixMillis(90_000) }],
        vec![dispatched("read", 1, "reader"), dispatched("add", 1, "reader")],
        vec![delayed],
        vec![dispatched("read", 2, "reader"), loop_found],
    ]);
    // In the order of their names `add` would come first.
    let journals = [
        journal("add", &[(1, "", &["late"], 0), (1, "done", &[], 1)]),
        journal("read", &[(1, "", &["first"], 0), (1, "wrong", &[], 0), (2, "right", &[], 0)]),
    ];
    let trace = Trace::of(&workflow(), &records, &journals, Latency::OfModels).unwrap();
    assert_eq!(trace.tools().collect::<Vec<_>>(), ["first", "late"]);
    let expected = ["read: is away", "add: 1 calls of tools failed"];
    assert_eq!(trace.wrong_turns, expected, "a later attempt repairs nothing");
    assert_eq!((trace.loops, trace.orders, trace.latency_ms), (1, 3, 100));
    assert_eq!((trace.status.as_str(), trace.is_answered), ("waiting", false));
    let whole = Trace::of(&workflow(), &records, &journals, Latency::OfTask).unwrap();
    assert_eq!(whole.latency_ms, 300);

    let repaired = [journal("read", &[(1, "wrong", &[], 0), (1, "right", &[], 0)])];
    let trace = Trace::of(&workflow(), &records, &repaired, Latency::OfModels).unwrap();
    assert_eq!(trace.wrong_turns, ["read: is away", "read: answer 1 did not fit"]);
    assert_eq!(Trace::of(&workflow(), &[], &[], Latency::OfTask), None);
}

#[test]
fn what_models_said_becomes_a_cassette() {
    let journals = [journal("read", &[(1, "", &["lookup"], 0), (1, "done", &[], 0)])];
    let answers = recorded(&journals);
    assert_eq!(answers.iter().map(|it| it.turn).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((answers[1].said.text.as_str(), answers[1].latency_ms), ("done", 20));
    let line = answers[0].to_line();
    let mut cassettes = crate::model::cassette::Cassettes::default();
    cassettes.add(&line).unwrap();
    assert_eq!(cassettes.iter().collect::<Vec<_>>(), [&answers[0]]);
}
