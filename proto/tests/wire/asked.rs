//! Questions to models and what comes of them: they read back whole, and nothing else is read.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use cadre_core::{
    ids::{StepId, TaskId},
    model::{
        Choice, Finish, Manner, ModelAnswer, ModelFailure, ModelRequest, Prompt, Said, Thoughts,
        TokenUsage, ToolCall, ToolSpec, Turn,
        gateway::{LearntLimit, Part, Word},
    },
    task::{Failure, FailureKind},
    workflow::Grant,
};
use cadre_proto::{
    model::{
        Envelope, decode_ask, decode_part, decode_reply, decode_word, encode_ask, encode_part,
        encode_reply, encode_word,
    },
    v1,
};
use prost::Message as _;
use serde_json::json;

use crate::sample::name;

/// The golden files of this module.
pub(crate) const NAMES: [&str; 11] = [
    "model_word_limits",
    "model_ask",
    "model_ask_thoughts",
    "model_reply_thoughts",
    "model_reply_stop",
    "model_reply_length",
    "model_reply_tools",
    "model_reply_filtered",
    "model_reply_failure",
    "model_part",
    "model_word",
];

const GRANT: Grant = Grant { usd_micros: 1_200, tokens: 900 };

fn call() -> ToolCall {
    let arguments = json!({"zone": "utc", "n": 9_007_199_254_740_993_u64});
    ToolCall { id: "call-1".to_owned(), tool: "clock".to_owned(), arguments }
}

fn request() -> ModelRequest {
    let tool = ToolSpec {
        name: name("clock"),
        description: "says the time".to_owned(),
        parameters: json!({"type": "object"}),
    };
    let turns = vec![
        Turn::User("Wie spät ist es?".to_owned()),
        Turn::Model { text: String::new(), calls: vec![call()], thoughts: None },
        Turn::Tool {
            call: "call-1".to_owned(),
            name: "clock".to_owned(),
            result: "noon".to_owned(),
            is_error: true,
        },
    ];
    ModelRequest {
        tenant: name("acme"),
        task: TaskId::derive(&name("acme"), "order-7"),
        step: StepId::single(name("extract")),
        role: name("extractor"),
        workflow: name("contract-intake"),
        revision: "5f1d".repeat(16),
        alias: name("cheap"),
        key: "key.1".to_owned(),
        prompt: Prompt { system: "Be brief.".to_owned(), tools: vec![tool], turns },
        manner: Manner {
            returns: Some(Arc::new(json!({"type": "object", "required": ["b", "a"]}))),
            output_tokens_max: 2_000,
            temperature_millis: Some(0),
        },
        grant: GRANT,
        time_left: Duration::from_secs(9),
        is_followed: true,
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

fn envelope(request: &ModelRequest) -> Envelope {
    let (tenant, trace) = (request.tenant.clone(), request.trace.clone());
    Envelope { tenant, time_left: request.time_left, trace }
}

/// The golden bytes of `name`, which must be what is written today; `UPDATE=1` writes only what is missing.
fn golden(name: &str, bytes: &Bytes) -> Bytes {
    let path = format!("{}/golden/v2/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() && !Path::new(&path).exists() {
        fs::write(&path, bytes).unwrap();
    }
    let golden = Bytes::from(fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")));
    assert!(golden == *bytes, "{path} is not what is written today");
    golden
}

fn wire() -> v1::ModelAsk {
    v1::ModelAsk::decode(encode_ask(&request())).unwrap()
}

fn refused(wire: &v1::ModelAsk) -> String {
    let body = Bytes::from(wire.encode_to_vec());
    decode_ask(&body, envelope(&request())).unwrap_err().to_string()
}

#[test]
fn a_question_reads_back_whole() {
    let request = request();
    let body = golden("model_ask", &encode_ask(&request));
    assert_eq!(decode_ask(&body, envelope(&request)), Ok(request.clone()));
    let bare = ModelRequest {
        prompt: Prompt::default(),
        manner: Manner::default(),
        grant: Grant::default(),
        is_followed: false,
        ..request
    };
    assert_eq!(decode_ask(&encode_ask(&bare), envelope(&bare)), Ok(bare));
}

#[test]
fn what_a_model_thought_travels_both_ways() {
    let parts =
        json!([{"reasoning": "Zeit?"}, {"signature": "c2ln"}, {"call": 0, "signatures": ["x"]}]);
    let thoughts = Thoughts { model: "anthropic/large".to_owned(), parts };
    let mut request = request();
    let (text, calls) = (String::new(), vec![call()]);
    request.prompt.turns[1] = Turn::Model { text, calls, thoughts: Some(thoughts.clone()) };
    let body = golden("model_ask_thoughts", &encode_ask(&request));
    assert_eq!(decode_ask(&body, envelope(&request)), Ok(request.clone()));
    let said = Said { calls: vec![call()], thoughts: Some(thoughts), ..Said::default() };
    let (choice, took) = (Choice::default(), Duration::ZERO);
    let outcome = Ok(ModelAnswer { said, cost: GRANT, choice, took });
    assert_eq!(decode_reply(&golden("model_reply_thoughts", &encode_reply(&outcome))), Ok(outcome));
    let mut odd = v1::ModelAsk::decode(encode_ask(&request)).unwrap();
    let Some(v1::model_turn::Turn::Model(spoke)) = &mut odd.prompt.as_mut().unwrap().turns[1].turn
    else {
        panic!("a turn of the model")
    };
    spoke.thoughts.as_mut().unwrap().parts = "{".to_owned();
    assert!(refused(&odd).contains("prompt.thoughts.parts"), "{}", refused(&odd));
}

#[test]
fn what_is_wrong_with_a_question_is_named() {
    assert!(refused(&v1::ModelAsk { alias: "No".to_owned(), ..wire() }).contains("alias"));
    assert!(refused(&v1::ModelAsk { key: String::new(), ..wire() }).contains("key"));
    assert!(refused(&v1::ModelAsk { prompt: None, ..wire() }).contains("prompt"));
    assert!(refused(&v1::ModelAsk { revision: "../x".to_owned(), ..wire() }).contains("revision"));
    assert!(refused(&v1::ModelAsk { min_reader: 3, schema: 3, ..wire() }).contains("schema 3"));
    let mut odd = wire();
    odd.manner.as_mut().unwrap().temperature_millis = Some(2_001);
    assert!(refused(&odd).contains("manner.temperature_millis"));
    let mut odd = wire();
    odd.prompt.as_mut().unwrap().tools[0].parameters = "{".to_owned();
    assert!(refused(&odd).contains("prompt.tools.parameters"));
    let mut odd = wire();
    odd.prompt.as_mut().unwrap().turns[0].turn = None;
    assert!(refused(&odd).contains("prompt.turns"));
    assert!(decode_ask(&Bytes::from_static(b"\xff"), envelope(&request())).is_err());
}

#[test]
fn replies_read_back_whole() {
    let passed = vec![("anthropic/large".to_owned(), "its breaker is open".to_owned())];
    let usage = TokenUsage { input: 1_000, cached: 600, cache_write: 100, output: 50 };
    for finish in [Finish::Stop, Finish::Length, Finish::Tools, Finish::Filtered] {
        let (text, calls, thoughts) = ("{}".to_owned(), vec![call()], None);
        let said = Said { text, calls, thoughts, finish, usage };
        let choice = Choice {
            model: "openai/small".to_owned(),
            why: "the one before it was passed over".to_owned(),
            passed: passed.clone(),
            is_degraded: true,
            is_cached: true,
        };
        let took = Duration::from_millis(1_234);
        let outcome = Ok(ModelAnswer { said, cost: GRANT, choice, took });
        let body =
            golden(&format!("model_reply_{finish:?}").to_lowercase(), &encode_reply(&outcome));
        assert_eq!(decode_reply(&body), Ok(outcome));
    }
    let mut failure = Failure::new(FailureKind::RateLimited, "too many");
    failure.retry_after = Some(Duration::from_secs(3));
    let outcome = Err(ModelFailure { failure, cost: GRANT, passed });
    let body = golden("model_reply_failure", &encode_reply(&outcome));
    assert_eq!(decode_reply(&body), Ok(outcome));
    for bad in [&b""[..], b"\xff", b"\x08\x02\x10\x02"] {
        assert!(decode_reply(&Bytes::from_static(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn parts_and_words_read_back() {
    let part = Part {
        task: request().task,
        step: request().step,
        key: "key.1".to_owned(),
        offset: 7,
        text: "half an ans".to_owned(),
        is_end: false,
    };
    let body = golden("model_part", &encode_part(&part).unwrap());
    assert_eq!(decode_part(&body), Ok((part.key, 7, part.text, false)));
    let holds = vec![("openai/small".to_owned(), Duration::from_millis(2_500))];
    let word = Word { pod: name("pod-1"), holds, limits: Vec::new(), is_leaving: true };
    assert_eq!(decode_word(&golden("model_word", &encode_word(&word))), Ok(word.clone()));
    let age = Duration::from_millis(12_500);
    let limits = vec![LearntLimit { model: "openai/small".to_owned(), per_minute: 180, age }];
    let word = Word { limits, ..word };
    assert_eq!(decode_word(&golden("model_word_limits", &encode_word(&word))), Ok(word));
}
