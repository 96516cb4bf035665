//! A role on a real llama.cpp server: what its prefix cache keeps is in our books, and what its grammar
//! allows is within our contracts. Its model is random: without a grammar it says nothing that is JSON.

use std::sync::Arc;

use cadre::{
    settings::ModelSettings,
    stack::{Stack, StackOptions},
};
use cadre_core::{
    model::{
        Manner, Prompt, ProviderCall, TokenUsage, Turn,
        price::{Price, Prices},
    },
    workflow::Route,
};
use cadre_inference::{ProviderSetup, Providers, Wire};
use cadre_tests::{bed::Bed, decisions::Calls, llama::Llama, packs};
use serde_json::{Value, json};

/// A priced model: the server does not care what it is called.
const MODEL: &str = "gpt-4.1-mini-2025-04-14";

const PACK: &str = r#"apiVersion: pack/v1
name: sorting
models:
  local: {routes: [{model: openai/gpt-4.1-mini-2025-04-14}]}
roles:
  sorter:
    runtime: model
    model: local
    prompt: prompts/sorter.md
    loop: {max_calls: 1, max_output_tokens: 300, temperature: 0}
    accepts: contracts/text.v1.json
    returns: contracts/sorted.v1.json
    limits: {timeout: 2m, max_usd: 0.1, max_tokens: 90000}
workflow:
  input: contracts/text.v1.json
  output: contracts/sorted.v1.json
  limits: {deadline: 3m, max_steps: 3, max_usd: 0.1, max_tokens: 90000}
  when_limited: partial
  steps:
    sort: {role: sorter, with: "${ goal }"}
  result: {kind: "${ sort.kind }", days: "${ sort.days }"}
"#;

const TEXT: &str =
    r#"{"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}"#;

const SORTED: &str = r#"{"type": "object", "required": ["kind", "days"], "additionalProperties": false,
    "properties": {"kind": {"enum": ["nda", "msa", "other"]}, "days": {"type": "integer", "minimum": 0, "maximum": 365}}}"#;

fn setup(server: &Llama) -> ProviderSetup {
    let (name, base_url) = ("openai".to_owned(), Some(server.url("/v1/")));
    ProviderSetup { name, wire: Wire::OpenAi, base_url, key: None }
}

async fn stack(bed: &Bed, server: &Llama) -> Stack {
    let files = [
        ("contracts/text.v1.json", TEXT),
        ("contracts/sorted.v1.json", SORTED),
        ("prompts/sorter.md", "Sort the contract.\n{{ input.text }}\n"),
    ];
    bed.apply(&packs::pack(PACK, &files)).await;
    let inference = ModelSettings { providers: vec![setup(server)], ..ModelSettings::default() };
    bed.stack_of(StackOptions { inference: Some(inference), ..StackOptions::all() }).await
}

fn usage(record: &Value) -> TokenUsage {
    let count = |key: &str| record["tokens"][key].as_u64().expect("a count");
    TokenUsage {
        input: count("input"),
        cached: count("cached"),
        cache_write: count("cache_write"),
        output: count("output"),
    }
}

fn price() -> Price {
    Prices::built_in().expect("a table").of(&Route::new("openai", MODEL)).expect("a price")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_servers_cache_is_in_the_books_and_its_grammar_keeps_the_contract() {
    let (server, bed) = (Llama::start().await, Bed::new().await);
    let stack = stack(&bed, &server).await;
    let mut seen = Vec::new();
    for text in ["This is an NDA.", "A master services agreement, of another party."] {
        let task = bed.publish("sorting", text, &json!({ "text": text })).await;
        let answer = bed.answer(&task).await;
        assert_eq!(answer["status"], "completed", "{answer}");
        assert!(["nda", "msa", "other"].contains(&answer["result"]["kind"].as_str().unwrap_or("")));
        let calls = Calls::of(&bed, &task).await.models;
        let [(record, cost)] = calls.as_slice() else { panic!("valid at once: {calls:?}") };
        let usage = usage(record);
        assert_eq!(*cost, price().settle(usage), "{record}");
        assert_eq!(answer["usd_micros"], cost.usd_micros, "{answer}");
        seen.push((usage, record["context"]["system_sha256"].clone()));
    }
    let [(cold, prefix), (warm, same)] = seen.as_slice() else { panic!("two tasks") };
    assert_eq!(prefix, same, "the stable part is the same bytes");
    assert_eq!(cold.cached, 0, "nobody has asked before");
    // All before the input: most of the prompt.
    assert!(warm.cached * 10 > warm.input * 8 && warm.cached < warm.input, "{warm:?}");
    assert!(price().saved(*warm) > 0, "{warm:?}");
    stack.stop().await;

    let free = Manner { output_tokens_max: 40, temperature_millis: Some(0), returns: None };
    let turns = vec![Turn::User("Sort.".to_owned())];
    let call = ProviderCall {
        model: MODEL.to_owned(),
        prompt: Arc::new(Prompt { turns, ..Prompt::default() }),
        manner: free,
        cache_key: String::new(),
        key: "k".to_owned(),
        is_followed: false,
    };
    let said = Providers::open(&[setup(&server)]).expect("open").call("openai", call).await;
    let said = said.expect("an answer").text;
    let is_json = serde_json::from_str::<Value>(&said).is_ok();
    assert!(!is_json, "the model itself does not know what JSON is: {said}");
}
