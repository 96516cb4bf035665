//! Money at a provider that counts: three workers in two processes cannot spend more than their goal has, and
//! two tenants share nothing that was kept.

use std::time::Duration;

use cadre::{settings::ModelSettings, stack::StackOptions};
use cadre_core::{
    ids::{Name, StepId, TaskId},
    model::{Manner, ModelRequest, Prompt, Turn},
    ports::Models as _,
    workflow::Grant,
};
use cadre_inference::{
    ProviderSetup, Wire,
    local::{LocalServer, Reply},
};
use cadre_tests::{bed::Bed, packs, plain, process::Process, shell::fine, verdict};
use futures::future::join_all;
use serde_json::{Value, json};

/// What one call costs by the provider's own count: 500 tokens of a prompt and 2,375 of an answer.
const CALL_USD_MICROS: u64 = 20_000;

const PACK: &str = r#"apiVersion: pack/v1
name: spending
models:
  dear: {routes: [{model: openai/gpt-4.1-2025-04-14}]}
roles:
  reader:
    runtime: model
    model: dear
    prompt: prompts/read.md
    loop: {max_calls: 1, max_output_tokens: 2375}
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    limits: {timeout: 60s, max_usd: 0.0225, max_tokens: 20000}
workflow:
  input: contracts/list.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 2m, max_steps: 20, max_usd: 1, max_tokens: 1000000}
  when_limited: partial
  steps:
    read: {role: reader, each: {over: "${ goal.items }", as: item, parallel: 10}, with: "${ item }"}
  result:
    read: {from: ["${ read }"], required: false}
"#;

const LIST: &str =
    r#"{"type": "object", "properties": {"items": {"type": "array"}}, "required": ["items"]}"#;
const ANSWER: &str = r#"{"type": "object", "properties": {"read": {}}}"#;

/// A model that takes its time, so that calls are out together.
async fn dear() -> LocalServer {
    let text = json!({"output": {"ok": true}, "confidence": 1}).to_string();
    let reply = Reply::chat_parts(&[&text], 500, 2_375);
    let slow = Reply::After(Duration::from_millis(150), Box::new(reply));
    LocalServer::start(move |_, _| slow.clone()).await.expect("a server")
}

/// Requests so far that are of the goal.
fn asked(server: &LocalServer, goal: &str) -> u64 {
    let mark = format!("\\\"{goal}\\\"");
    server.heard().iter().filter(|heard| heard.body.to_string().contains(&mark)).count() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_on_two_processes_never_spend_more_than_the_goal_has() {
    let (server, bed) = (dear().await, Bed::new().await);
    // More tokens than the provider counts, as estimates are.
    let prompt = format!("{}\n", "Read what you are given, and say that it is well. ".repeat(60));
    let files = [
        ("contracts/any.v1.json", packs::ANYTHING),
        ("contracts/list.v1.json", LIST),
        ("contracts/answer.v1.json", ANSWER),
        ("prompts/read.md", prompt.as_str()),
    ];
    bed.apply(&packs::pack(PACK, &files)).await;
    let services = StackOptions { agents: None, inference: None, ..StackOptions::all() };
    let stack = bed.stack_of(services).await;
    let (url, providers) = (bed.server.url(), format!("openai={}", server.url("/v1/")));
    let worker = |steps| ["--role", "agent", "--agents", "reader", "--in-flight", steps];
    let variables = [("CADRE_PROVIDERS", providers.as_str())];
    let _processes = [
        Process::serve_with(&url, &["--role", "inference"], &variables).await,
        Process::serve(&url, &worker("2")).await,
        Process::serve(&url, &worker("1")).await,
    ];

    // The last one has what it needs: it is the money that stops the others.
    let goals = [
        ("goal-1", "0.05"),
        ("goal-2", "0.05"),
        ("goal-3", "0.05"),
        ("goal-4", "0.05"),
        ("rich", "1"),
    ];
    let mut tasks = Vec::new();
    for (goal, usd) in goals {
        let items: Vec<Value> = (0..6).map(|item| json!({"goal": goal, "item": item})).collect();
        let headers = plain::headers(&[("Nats-Msg-Id", goal), ("Cadre-Budget-Usd", usd)]);
        let body = json!({ "items": items }).to_string();
        plain::publish(&bed, "goals.acme.spending", headers, body.as_bytes()).await;
        tasks.push(TaskId::derive(&Name::new("acme").expect("a name"), goal));
    }
    let answers = join_all(tasks.iter().map(|task| bed.answer(task))).await;
    for ((goal, usd), answer) in goals.iter().zip(&answers) {
        let (calls, is_rich) = (asked(&server, goal), *usd == "1");
        let most = if is_rich { 1_000_000 } else { 50_000 };
        let bill = calls * CALL_USD_MICROS;
        assert!(bill <= most, "{goal}: {calls} calls are {bill} of {most}");
        assert_eq!(calls, if is_rich { 6 } else { 2 }, "{goal}: {answer}");
        assert_eq!(answer["usd_micros"], bill, "{goal}: the books are the provider's: {answer}");
        assert_eq!(answer["status"], if is_rich { "completed" } else { "partial" }, "{answer}");
        let is_told = answer["reason"].as_str().unwrap_or_default().contains("max_usd");
        assert_eq!(is_told, !is_rich, "{answer}");
    }
    verdict::is_clean_at_rest(&bed, &tasks).await;
    stack.stop().await;
}

const KEPT: &str = r#"apiVersion: pack/v1
name: kept
models:
  cold: {routes: [{model: openai/any}], free: true, cache_answers: true}
roles:
  asker: {runtime: model, model: cold, prompt: prompts/ask.md, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 30s, max_tokens: 100000}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 1m, max_steps: 1, max_usd: 0, max_tokens: 100000}
  when_limited: partial
  steps:
    ask: {role: asker, with: "${ goal }"}
  result:
    said: "${ ask }"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_with_the_same_prompt_share_no_cache_entry() {
    let server = LocalServer::start(|number, _| Reply::chat(&format!("said {number}"), 30, 7));
    let (server, bed) = (server.await.expect("a server"), Bed::new().await);
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/ask.md", "Answer.\n")];
    let pack = packs::pack(KEPT, &files);
    bed.apply(&pack).await;
    let (name, base_url) = ("openai".to_owned(), Some(server.url("/v1/")));
    let providers = vec![ProviderSetup { name, wire: Wire::OpenAi, base_url, key: None }];
    let inference = Some(ModelSettings { providers, ..ModelSettings::default() });
    let gateway = StackOptions {
        orchestrator: false,
        agents: None,
        aggregator: false,
        inference,
        ..StackOptions::all()
    };
    let stack = bed.stack_of(gateway).await;
    let ask = async |tenant: &str, turn: &str| {
        let name = |text: &str| Name::new(text).expect("a name");
        let manner = Manner { output_tokens_max: 50, temperature_millis: Some(0), returns: None };
        let (system, turns) = ("Answer.".to_owned(), vec![Turn::User(turn.to_owned())]);
        let request = ModelRequest {
            task: TaskId::derive(&name(tenant), "kept"),
            step: StepId::single(name("ask")),
            role: name("asker"),
            workflow: name("kept"),
            revision: pack.revision(),
            alias: name("cold"),
            key: "kept.ask.1".to_owned(),
            prompt: Prompt { system, tools: Vec::new(), turns },
            manner,
            grant: Grant { usd_micros: 0, tokens: 50_000 },
            time_left: Duration::from_secs(20),
            is_followed: false,
            trace: None,
            tenant: name(tenant),
        };
        let answer = bed.bus.ask(request).await.expect("an answer");
        (answer.said.text, answer.choice.is_cached)
    };
    assert_eq!(ask("acme", "why?").await, ("said 0".to_owned(), false));
    assert_eq!(ask("acme", "why?").await, ("said 0".to_owned(), true), "kept for its own tenant");
    assert_eq!(ask("globex", "why?").await, ("said 1".to_owned(), false), "asked for the other");
    assert_eq!(ask("acme", "how?").await, ("said 2".to_owned(), false));
    assert_eq!(ask("globex", "why?").await, ("said 1".to_owned(), true));
    // What names the prefix at the provider, on the wire.
    let heard = server.heard();
    let keys: Vec<_> = heard.iter().map(|it| it.body["prompt_cache_key"].as_str()).collect();
    let [Some(acme), Some(globex), Some(again)] = keys.as_slice() else { panic!("{heard:?}") };
    assert_eq!(acme, again, "one tenant's prefix is one entry, whatever comes behind it");
    assert_ne!(acme, globex, "the same prompt of two tenants is two entries");
    let prompts: Vec<_> = heard.iter().map(|it| it.body["messages"].clone()).collect();
    assert_eq!(prompts[0], prompts[1], "the tenants have asked the same");
    stack.stop().await;
}

const TWO_ROUTES: &str = r#"apiVersion: pack/v1
name: routed
models:
  any: {routes: [{model: own/first}, {model: openai/second}], free: true}
roles:
  asker: {runtime: model, model: any, prompt: prompts/ask.md, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s, max_tokens: 100000}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 2m, max_steps: 3, max_usd: 0, max_tokens: 100000}
  when_limited: partial
  steps:
    ask: {role: asker, with: "${ goal }"}
  result:
    said: {from: ["${ ask }"]}
"#;

/// From the gateway's answer over journal, report and record to the command that shows what the page shows.
#[tokio::test(flavor = "multi_thread")]
async fn spend_names_the_model_that_answered_and_not_the_packs_first() {
    let text = json!({"output": {"ok": true}, "confidence": 1}).to_string();
    let server = LocalServer::start(move |_, _| Reply::chat_parts(&[&text], 30, 7)).await;
    let (server, bed) = (server.expect("a server"), Bed::new().await);
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/ask.md", "Answer.\n")];
    bed.apply(&packs::pack(TWO_ROUTES, &files)).await;
    let (name, base_url) = ("openai".to_owned(), Some(server.url("/v1/")));
    let providers = vec![ProviderSetup { name, wire: Wire::OpenAi, base_url, key: None }];
    let inference = Some(ModelSettings { providers, ..ModelSettings::default() });
    let stack = bed.stack_of(StackOptions { inference, ..StackOptions::all() }).await;
    for key in ["one", "two"] {
        let task = bed.publish("routed", key, &json!({"why": key})).await;
        let answer = bed.answer(&task).await;
        assert_eq!(answer["status"], "completed", "{answer}");
    }
    let spend = ["show", "spend", "--by", "model", "--tenant", "acme", "-o", "json"];
    let rows = fine(&bed, &spend).await.json();
    let of = |row: &Value| (row["model"].clone(), row["calls"].clone(), row["tokens"].clone());
    let rows: Vec<_> = rows.as_array().expect("a list").iter().map(of).collect();
    assert!(rows.contains(&(json!("openai/second"), json!(2), json!(74))), "{rows:?}");
    assert!(rows.iter().all(|(model, ..)| model != "own/first"), "{rows:?}");
    stack.stop().await;
}
