//! Steps whose workers die anywhere in a conversation, over a bus in memory, on a paused clock.

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    pin::pin,
    sync::LazyLock,
    task::Poll,
    time::Duration,
};

use cadre_core::{
    ids::{StepId, TaskId},
    journal::{CallKind, CallOutcome, Fact, History, JournalId},
    model::{Choice, Finish, ModelAnswer, Said, Turn},
    pack::{PackSource, compile},
    ports::WorkItem,
    task::Outcome,
};
use cadre_runtime::{
    testing::{Memory, Says, Work},
    worker::{Ran, StepRunner},
};

use super::*;
use crate::AgentRunner;

const PACK: &str = r#"apiVersion: pack/v1
name: desk
models:
  cheap: {routes: [{model: simulated/cheap}]}
roles:
  reader:
    runtime: model
    model: cheap
    prompt: prompts/reader.md
    tools: [clock, lookup]
    documents: [documents/handbook.md]
    accepts: contracts/any.v1.json
    returns: contracts/terms.v1.json
    limits: {timeout: 8s, max_usd: 0.1, max_tokens: 90000}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 90s, max_steps: 60, max_usd: 0.25, max_tokens: 200000}
  when_limited: partial
  steps:
    read: {role: reader, with: "${ goal }"}
  result: {days: "${ read.days }"}
"#;

const GRANT: Grant = Grant { usd_micros: 100_000, tokens: 90_000 };
/// What each answer costs.
const COST: Grant = Grant { usd_micros: 70, tokens: 30 };
/// Questions of a step that nobody disturbs.
const QUESTIONS: usize = 6;

/// Compiled once: a runner per death would spend its time on it.
static WORKFLOW: LazyLock<Arc<Workflow>> = LazyLock::new(|| compiled(PACK));

fn workflow() -> Arc<Workflow> {
    Arc::clone(&WORKFLOW)
}

fn compiled(pack: &str) -> Arc<Workflow> {
    let terms = json!({"type": "object", "properties": {"days": {"type": "integer"}}});
    let files = [
        ("pack.yaml", pack.to_owned()),
        ("prompts/reader.md", "Read the text.".to_owned()),
        ("documents/handbook.md", "Fees are due in May.\n\nOffices open at nine.".to_owned()),
        ("contracts/any.v1.json", json!({}).to_string()),
        ("contracts/terms.v1.json", terms.to_string()),
    ];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes()));
    let workflow = compile(&PackSource { files: files.collect() });
    Arc::new(workflow.unwrap_or_else(|errors| panic!("{errors}")))
}

fn id() -> JournalId {
    let role = Name::new("reader").unwrap();
    let task = TaskId::derive(&role, "a");
    JournalId { role, task, step: StepId::single(Name::new("read").unwrap()) }
}

/// One delivery of an attempt at the step, in the hands of a worker of its own.
fn step(memory: &Memory, (attempt, deliveries): (u32, u32), grant: Grant) -> Step {
    let JournalId { role, task, step } = id();
    let item = WorkItem {
        task,
        tenant: role.clone(),
        workflow: Name::new("desk").unwrap(),
        revision: workflow().revision.clone(),
        step,
        attempt,
        role,
        input: Payload::from_value(json!({"text": "Pay in 30 days."})).unwrap(),
        time_left: Duration::from_secs(60),
        grant,
        idempotency_key: "key".to_owned(),
        near: Vec::new(),
        ruled: None,
        trace: None,
        deliveries,
        receipt: Arc::new(()),
    };
    memory.step(item, &format!("w{attempt}.{deliveries}"))
}

fn answered(said: Said) -> ModelAnswer {
    let choice = Choice { model: "simulated/cheap".to_owned(), ..Choice::default() };
    ModelAnswer { said, cost: COST, choice, took: Duration::from_millis(1) }
}

/// Looks things up for five turns, two at once in the third, then answers.
fn five_lookups(request: &ModelRequest) -> ModelAnswer {
    let turns = request.prompt.turns.iter().filter(|turn| matches!(turn, Turn::Model { .. }));
    let turn = turns.count();
    if turn + 1 == QUESTIONS {
        let found = request.prompt.turns.iter().filter_map(|turn| match turn {
            Turn::Tool { result, .. } => Some(result.len()),
            Turn::User(_) | Turn::Model { .. } => None,
        });
        let days = found.sum::<usize>();
        let text = json!({"output": {"days": days}, "confidence": 0.9}).to_string();
        return answered(Said { text, ..Said::default() });
    }
    let call = |id: &str, tool: &str, arguments: Value| ToolCall {
        id: id.to_owned(),
        tool: tool.to_owned(),
        arguments,
    };
    let mut calls = vec![call("a", "lookup", json!({"query": "fees", "max": turn + 1}))];
    if turn == 2 {
        calls.push(call("b", "clock", json!({})));
    }
    answered(Said { calls, finish: Finish::Tools, ..Said::default() })
}

/// A bus with this model behind it.
fn memory(says: impl Fn(&ModelRequest) -> ModelAnswer + Send + Sync + 'static) -> Memory {
    let memory = Memory::default();
    memory.world().says = Some(Says::new(move |request| Ok(says(request))));
    memory.world().flags.journal_yields = true;
    memory
}

/// Runs the step on a runner of its own, as a new process would.
async fn run(memory: &Memory, deliveries: u32) -> Ran {
    let step = step(memory, (1, deliveries), GRANT);
    AgentRunner::new(memory.clone()).run(&step, workflow()).await
}

/// What comes of a future that is dropped after `polls`; `None` if nothing came by then.
async fn killed<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn history(memory: &Memory) -> History {
    let mut history = History::default();
    for entry in memory.journal(&id()) {
        history.apply(&entry).unwrap();
    }
    history
}

/// What the ended calls cost together, and how many there are of models and of tools.
fn paid(memory: &Memory) -> (Grant, usize, usize) {
    let mut paid = (Grant::default(), 0, 0);
    for (_, call) in history(memory).calls() {
        let ended = call.ended.as_ref().expect("every call has ended");
        paid.0 = paid.0.plus(ended.cost);
        match call.intent.kind {
            CallKind::Model => paid.1 += 1,
            CallKind::Tool => paid.2 += 1,
        }
    }
    paid
}

#[tokio::test(start_paused = true)]
async fn whoever_dies_where_ever_nothing_is_asked_twice_but_what_was_out() {
    let memory = || memory(five_lookups);
    let calm = memory();
    let undisturbed = run(&calm, 1).await;
    assert!(matches!(undisturbed.outcome, Outcome::Completed { .. }), "{undisturbed:?}");
    assert_eq!(calm.world().asked.len(), QUESTIONS);
    let cost = paid(&calm);
    assert_eq!(cost, (Grant { usd_micros: 6 * 70, tokens: 6 * 30 }, QUESTIONS, 6));

    let mut again = 0;
    for polls in 1.. {
        let memory = memory();
        if killed(polls, run(&memory, 1)).await.is_some() {
            assert!(polls > 50, "it was killed at {polls} places only");
            break;
        }
        let ran = run(&memory, 2).await;
        assert_eq!(ran, undisturbed, "killed after {polls}");
        let asked = memory.world().asked.clone();
        assert!((QUESTIONS..=QUESTIONS + 1).contains(&asked.len()), "killed after {polls}");
        again += asked.len() - QUESTIONS;
        let keys: BTreeSet<&String> = asked.iter().map(|request| &request.key).collect();
        assert_eq!(keys.len(), QUESTIONS, "a question asked again has the same key");
        assert_eq!(paid(&memory), cost, "killed after {polls}");
        let ledger = history(&memory).ledger(1, GRANT);
        let lost = ledger.spent.minus(cost.0);
        assert_eq!(lost.usd_micros > 0, asked.len() > QUESTIONS || lost.tokens > 0);
        assert!(GRANT.covers(ledger.spent));
    }
    assert!((QUESTIONS..=QUESTIONS * 3).contains(&again), "{again} questions were out");
}

#[tokio::test(start_paused = true)]
async fn whoever_dies_again_and_again_comes_to_the_same_end() {
    let calm = memory(five_lookups);
    let undisturbed = run(&calm, 1).await;
    for polls in (5..60).step_by(7) {
        let memory = memory(five_lookups);
        for delivery in 1..4 {
            // The last ones may come to the end: it is the same again.
            drop(killed(polls, run(&memory, delivery)).await);
        }
        assert_eq!(run(&memory, 4).await, undisturbed, "killed after {polls}");
        assert!(memory.world().asked.len() <= QUESTIONS + 3, "one that was out for each death");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_clock_said_stays_said() {
    let memory = memory(five_lookups);
    let clock = |memory: &Memory| {
        history(memory).calls().find_map(|(_, call)| match &call.ended.as_ref()?.outcome {
            CallOutcome::Done(said) if call.intent.target == "clock" => Some(said.clone()),
            CallOutcome::Done(_) | CallOutcome::Failed(_) => None,
        })
    };
    let mut delivery = 0;
    let said = loop {
        delivery += 1;
        assert!(killed(12, run(&memory, delivery)).await.is_none(), "the clock is never asked");
        if let Some(said) = clock(&memory) {
            break said;
        }
    };
    tokio::time::advance(Duration::from_secs(3_600)).await;
    run(&memory, delivery + 1).await;
    let asked = memory.world().asked.clone();
    let told = asked.last().unwrap().prompt.turns.iter().find_map(|turn| match turn {
        Turn::Tool { name, result, .. } if name == "clock" => Some(result.clone()),
        Turn::Tool { .. } | Turn::User(_) | Turn::Model { .. } => None,
    });
    assert_eq!(said.value()["text"], told.unwrap());
    assert_eq!(clock(&memory), Some(said));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_with_why_and_what() {
    let memory = memory(five_lookups);
    run(&memory, 1).await;
    let history = history(&memory);
    let calls: Vec<_> = history.calls().map(|(_, call)| call).collect();
    assert_eq!(calls[0].intent.description, "ask cheap for an answer, 1 of 6");
    assert_eq!(calls[1].intent.description, r#"lookup {"max":1,"query":"fees"}"#);
    assert_eq!(calls[1].intent.kind, CallKind::Tool);
    let CallOutcome::Done(record) = &calls[0].ended.as_ref().unwrap().outcome else { panic!() };
    assert_eq!(record.value()["model"], "simulated/cheap");
    assert_eq!(record.value()["tools"]["called"], json!(["lookup"]));
    let asked = memory.world().asked.clone();
    assert!(asked.iter().all(|request| request.prompt.system == asked[0].prompt.system));
    assert!(asked.iter().all(|request| request.time_left > Duration::from_secs(50)));
    assert!(asked.iter().all(|request| GRANT.covers(request.grant)));
    let told = asked.last().unwrap().prompt.system.as_str();
    for entry in memory.journal(&id()) {
        if let Fact::Ended { outcome: CallOutcome::Done(payload), .. } = &entry.fact {
            let text = payload.value().to_string();
            assert!(!text.contains(told) && !text.contains("Read the text"), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_takes_over_hands_back_what_the_model_thought() {
    let thoughts = |turn: usize| {
        let parts = json!([{"signature": format!("s{turn}")}]);
        cadre_core::model::Thoughts { model: "simulated/cheap".to_owned(), parts }
    };
    let calm = memory(move |request| {
        let mut answer = five_lookups(request);
        if !answer.said.calls.is_empty() {
            answer.said.thoughts = Some(thoughts(request.prompt.turns.len()));
        }
        answer
    });
    drop(killed(40, run(&calm, 1)).await);
    let before = calm.world().asked.len();
    assert!((2..QUESTIONS).contains(&before), "it died in the middle, after {before}");
    run(&calm, 2).await;
    let asked = calm.world().asked.clone();
    let last = asked.last().expect("questions");
    let kept = last.prompt.turns.iter().enumerate().filter_map(|(at, turn)| match turn {
        Turn::Model { thoughts, .. } => Some((at, thoughts.clone())),
        Turn::User(_) | Turn::Tool { .. } => None,
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept.len(), QUESTIONS - 1);
    for (at, kept) in kept {
        assert_eq!(kept, Some(thoughts(at)), "turn {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_too_small_asks_nobody() {
    let memory = memory(five_lookups);
    let little = step(&memory, (1, 1), Grant { usd_micros: 100_000, tokens: 100 });
    let ran = AgentRunner::new(memory.clone()).run(&little, workflow()).await;
    let Outcome::Failed(failure) = ran.outcome else { panic!("{ran:?}") };
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(memory.world().asked.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_retry_goes_on_where_the_model_was_given_up() {
    let memory = memory(|request| {
        let text = match request.prompt.turns.len() {
            5.. => r#"{"output": {"days": 3}}"#,
            _ => "no JSON",
        };
        answered(Said { text: text.to_owned(), ..Said::default() })
    });
    let Outcome::Failed(failure) = run(&memory, 1).await.outcome else { panic!() };
    assert_eq!(failure.kind, FailureKind::InvalidOutput);
    assert_eq!(memory.world().asked.len(), 2);
    let again = step(&memory, (2, 1), GRANT);
    let ran = AgentRunner::new(memory.clone()).run(&again, workflow()).await;
    assert!(matches!(ran.outcome, Outcome::Completed { .. }), "{ran:?}");
    assert_eq!(memory.world().asked.len(), 3, "what was said before is known");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_short_of_money_asks_the_cheaper_model_and_is_brief() {
    let both = "models:\n  strong: {routes: [{model: simulated/strong}]}\n";
    let pack = PACK.replace("models:\n", both);
    let pack = pack.replace("    model: cheap\n", "    model: strong\n    model_when_low: cheap\n");
    let workflow = compiled(&pack);
    for (near, alias) in [
        (vec![], "strong"),
        (vec![Resource::Steps], "strong"),
        (vec![Resource::Usd], "cheap"),
        (vec![Resource::Steps, Resource::Tokens], "cheap"),
    ] {
        let memory = Memory::default();
        let refuses = std::sync::atomic::AtomicBool::new(true);
        memory.world().says = Some(Says::new(move |_| {
            if refuses.swap(false, std::sync::atomic::Ordering::Relaxed) {
                let failure = Failure::new(FailureKind::RateLimited, "come again");
                return Err(ModelFailure { failure, cost: Grant::default(), passed: Vec::new() });
            }
            let text = r#"{"output": {"days": 3}}"#.to_owned();
            Ok(answered(Said { text, ..Said::default() }))
        }));
        let runner = AgentRunner::new(memory.clone());
        let first = step(&memory, (1, 1), GRANT);
        runner.run(&first, Arc::clone(&workflow)).await;
        // The same question, asked in another attempt that knows more: it is no other call.
        let mut second = step(&memory, (2, 1), GRANT);
        second.near = near;
        let ran = runner.run(&second, Arc::clone(&workflow)).await;
        assert!(matches!(ran.outcome, Outcome::Completed { .. }), "{ran:?}");
        let asked = memory.world().asked.clone();
        assert_eq!(asked[0].alias.as_str(), "strong");
        assert_eq!((asked.len(), asked[1].alias.as_str()), (2, alias));
        let last = asked[1].prompt.turns.last();
        let is_brief = matches!(last, Some(Turn::User(text)) if text.contains("be brief"));
        assert_eq!(is_brief, alias == "cheap");
        let text = "the task's budget is nearly used: cheap instead of strong";
        assert_eq!(ran.degraded.as_deref(), is_brief.then_some(text));
        let history = history(&memory);
        let (_, call) = history.calls().next().expect("a call");
        assert_eq!(call.intent.description.contains("nearly used"), is_brief, "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_an_answer_is_the_steps_failure() {
    let memory = Memory::default();
    memory.world().says = Some(Says::new(|_| {
        let retry_after = Some(Duration::from_secs(3));
        let failure = Failure::new(FailureKind::RateLimited, "come again");
        let passed = vec![("a/b".to_owned(), "no key".to_owned())];
        let failure = Failure { retry_after, ..failure };
        Err(ModelFailure { failure, cost: Grant::default(), passed })
    }));
    let ran = run(&memory, 1).await;
    let Outcome::Failed(failure) = ran.outcome else { panic!("{ran:?}") };
    assert_eq!(
        (failure.kind, failure.retry_after),
        (FailureKind::RateLimited, Some(Duration::from_secs(3)))
    );
    assert_eq!(failure.message, "come again (a/b: no key)");
}

#[tokio::test(start_paused = true)]
async fn the_service_reports_what_it_cost() {
    let memory = memory(five_lookups);
    memory.apply_workflow(workflow());
    let options = crate::AgentOptions::default();
    let service = crate::AgentService::start(memory.clone(), memory.clone(), options, None);
    let service = service.await.unwrap();
    let revision = workflow().revision.clone();
    let input = json!({"text": "Pay."});
    let role = Name::new("reader").unwrap();
    memory.order(Work { revision, input, grant: GRANT, ..Work::of(&role) });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let report = memory.reports().pop().unwrap();
    assert!(matches!(report.outcome, Outcome::Completed { .. }), "{report:?}");
    assert_eq!((report.usage.usd_micros, report.usage.tokens), (6 * 70, 6 * 30));
    service.stop().await;
}

#[test]
fn why_a_route_was_passed_over_is_told_once() {
    let told = |passed: &[(&str, &str)]| {
        let passed = passed.iter().map(|(route, why)| ((*route).to_owned(), (*why).to_owned()));
        let failure = Failure::new(FailureKind::Error, "openai/a: no such model");
        let (passed, cost) = (passed.collect(), Grant::default());
        super::told(ModelFailure { failure, cost, passed }).message
    };
    assert_eq!(told(&[]), "openai/a: no such model");
    assert_eq!(told(&[("openai/a", "no such model")]), "openai/a: no such model");
    let two = [("gemini/b", "its breaker is open"), ("openai/a", "no such model")];
    assert_eq!(told(&two), "openai/a: no such model (gemini/b: its breaker is open)");
}
