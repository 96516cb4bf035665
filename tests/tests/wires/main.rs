//! Wires, against programs that nobody here wrote: those of providers, and our own HTTP API.

mod api;
mod llama;
#[cfg(feature = "phoenix")]
mod phoenix;
mod prometheus;

mod packs;

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::Name,
    model::{
        Finish, Manner, Prompt, ProviderCall, ProviderFailure, ProviderFailureKind as Kind, Said,
        ToolSpec, Turn,
    },
};
use cadre_inference::{ProviderSetup, Providers, Secret, Wire};
use cadre_tests::aimock::Aimock;
use serde_json::{Value, json};

const KEY: &str = "sk-planted-0123456789";

/// Each wire, where its server is, and a model of it.
const WIRES: [(Wire, &str, &str); 5] = [
    (Wire::OpenAi, "/v1/", "gpt-4.1-mini-2025-04-14"),
    (Wire::OpenAiResponses, "/v1/", "gpt-4.1-mini-2025-04-14"),
    (Wire::Anthropic, "/v1/", "claude-haiku-4-5-20251001"),
    (Wire::Gemini, "/v1beta/", "gemini-2.5-flash"),
    (Wire::Ollama, "/", "qwen3:8b"),
];

fn fixtures() -> Value {
    let usage = json!({"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45});
    let clock = json!({"name": "clock", "arguments": "{\"zone\":\"utc\"}"});
    json!({"fixtures": [
        {"match": {"userMessage": "hello", "hasToolResult": false},
         "response": {"content": "Hi there, how are you?", "usage": usage}},
        {"match": {"userMessage": "time", "hasToolResult": false}, "response": {"toolCalls": [clock]}},
        {"match": {"userMessage": "time", "hasToolResult": true}, "response": {"content": "It is noon."}},
    ]})
}

fn providers(server: &Aimock) -> Providers {
    let setup = |(wire, path, _): &(Wire, &str, &str)| ProviderSetup {
        name: format!("{wire:?}").to_lowercase(),
        wire: *wire,
        base_url: Some(server.url(path)),
        key: Secret::new(KEY),
    };
    Providers::open(&WIRES.iter().map(setup).collect::<Vec<_>>()).unwrap()
}

fn call(model: &str, turns: Vec<Turn>, is_followed: bool) -> ProviderCall {
    let clock = ToolSpec {
        name: Name::new("clock").unwrap(),
        description: "says the time".to_owned(),
        parameters: json!({"type": "object", "properties": {"zone": {"type": "string"}}}),
    };
    ProviderCall {
        model: model.to_owned(),
        prompt: Arc::new(Prompt { system: "Be brief.".to_owned(), tools: vec![clock], turns }),
        manner: Manner { output_tokens_max: 100, temperature_millis: Some(0), returns: None },
        cache_key: "prefix".to_owned(),
        key: "key.1".to_owned(),
        is_followed,
    }
}

fn user(text: &str) -> Vec<Turn> {
    vec![Turn::User(text.to_owned())]
}

async fn ask(
    providers: &Providers,
    (wire, _, model): (Wire, &str, &str),
    turns: Vec<Turn>,
    is_followed: bool,
) -> Result<Said, ProviderFailure> {
    let name = format!("{wire:?}").to_lowercase();
    let asked = providers.call(&name, call(model, turns, is_followed));
    tokio::time::timeout(Duration::from_secs(30), asked).await.expect("an end in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wire_says_what_the_server_says() {
    let server = Aimock::start(&fixtures(), &[]).await;
    let providers = providers(&server);
    for wire in WIRES {
        for is_followed in [false, true] {
            let said = ask(&providers, wire, user("hello"), is_followed).await;
            let said = said.unwrap_or_else(|failure| panic!("{wire:?} {is_followed}: {failure}"));
            assert_eq!(said.text, "Hi there, how are you?", "{wire:?} {is_followed}");
            assert_eq!(said.finish, Finish::Stop, "{wire:?} {is_followed}");
            let counted = (said.usage.input, said.usage.output);
            assert_eq!(counted, (40, 5), "{wire:?} {is_followed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_called_and_their_results_are_heard_on_every_wire() {
    let server = Aimock::start(&fixtures(), &[]).await;
    let providers = providers(&server);
    for wire in WIRES {
        for is_followed in [false, true] {
            let said = ask(&providers, wire, user("time"), is_followed).await;
            let said = said.unwrap_or_else(|failure| panic!("{wire:?} {is_followed}: {failure}"));
            assert_eq!(said.finish, Finish::Tools, "{wire:?} {is_followed}");
            let [wanted] = said.calls.as_slice() else { panic!("{wire:?}: {said:?}") };
            assert_eq!(wanted.tool, "clock");
            assert_eq!(wanted.arguments, json!({"zone": "utc"}), "{wire:?} {is_followed}");
            let mut turns = user("time");
            let calls = vec![wanted.clone()];
            turns.push(Turn::Model { text: said.text, calls, thoughts: said.thoughts });
            turns.push(Turn::Tool {
                call: wanted.id.clone(),
                name: "clock".to_owned(),
                result: "noon".to_owned(),
                is_error: false,
            });
            let said = ask(&providers, wire, turns, is_followed).await;
            let said = said.unwrap_or_else(|failure| panic!("{wire:?} {is_followed}: {failure}"));
            assert_eq!(said.text, "It is noon.", "{wire:?} {is_followed}");
        }
    }
}

/// What the model thought is kept whole, and the server takes the turn in which it comes back. What is sent is
/// tested beside the conversion: this server does not look at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_thinking_models_thoughts_are_kept_whole_and_may_come_back() {
    let clock = json!({"name": "clock", "arguments": "{}"});
    let thought = json!({"toolCalls": [clock], "reasoning": "I need the time.",
        "reasoningSignature": "c2lnbmVk", "redactedThinking": ["ZW5jcnlwdGVk"]});
    let fixtures = json!({"fixtures": [
        {"match": {"userMessage": "time", "hasToolResult": false}, "response": thought},
        {"match": {"userMessage": "time", "hasToolResult": true}, "response": {"content": "It is noon."}},
    ]});
    let server = Aimock::start(&fixtures, &[]).await;
    let providers = providers(&server);
    // The last word switches thinking on.
    let wire = (Wire::Anthropic, "/v1/", "claude-haiku-4-5-20251001-low");
    for is_followed in [false, true] {
        let said = ask(&providers, wire, user("time"), is_followed).await.expect("a call");
        let thoughts = said.thoughts.clone().expect("thoughts");
        let text = thoughts.parts.to_string();
        assert!(text.contains("c2lnbmVk") && text.contains("ZW5jcnlwdGVk"), "{text}");
        let [wanted] = said.calls.as_slice() else { panic!("{said:?}") };
        let turns = {
            let calls = vec![wanted.clone()];
            let result = Turn::Tool {
                call: wanted.id.clone(),
                name: "clock".to_owned(),
                result: "noon".to_owned(),
                is_error: false,
            };
            let (text, thoughts) = (said.text.clone(), Some(thoughts));
            let spoken = Turn::Model { text, calls, thoughts };
            [user("time"), vec![spoken, result]].concat()
        };
        let said = ask(&providers, wire, turns, is_followed).await;
        assert_eq!(said.expect("an answer").text, "It is noon.", "followed: {is_followed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_chaos_is_told_apart_on_every_wire() {
    let expected: [(&[&str], &[Kind]); 4] = [
        (&["--chaos-ratelimit", "1"], &[Kind::RateLimited]),
        (&["--chaos-drop", "1"], &[Kind::Unavailable]),
        (&["--chaos-malformed", "1"], &[Kind::Malformed]),
        // Before or in the middle of an answer.
        (&["--chaos-disconnect", "1"], &[Kind::Unavailable, Kind::Malformed]),
    ];
    for (flags, kinds) in expected {
        let server = Aimock::start(&fixtures(), flags).await;
        let providers = providers(&server);
        for wire in WIRES {
            for is_followed in [false, true] {
                let said = ask(&providers, wire, user("hello"), is_followed).await;
                let failure = said.expect_err("chaos");
                let at = format!("{wire:?} {flags:?} followed: {is_followed}: {failure}");
                assert!(kinds.contains(&failure.kind), "{at}");
                assert!(!at.contains("planted") && !at.contains("haos:"), "{at}");
                if failure.kind == Kind::RateLimited {
                    assert_eq!(failure.retry_after, Some(Duration::from_secs(1)), "{at}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_no_broken_one() {
    let server = Aimock::start(&fixtures(), &["--chaos-latency", "300"]).await;
    let providers = providers(&server);
    for wire in WIRES {
        let said = ask(&providers, wire, user("hello"), false).await;
        assert!(said.is_ok(), "{wire:?}: {said:?}");
    }
}
