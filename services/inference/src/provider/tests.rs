//! Providers over real HTTP, against a server that does what no server does on request.

use cadre_core::{
    ids::Name,
    model::{Finish, Manner, Prompt, ProviderFailureKind as Kind, ToolSpec, Turn},
};
use serde_json::{Value, json};
use std::sync::Mutex;

use super::*;
use crate::local::{LocalServer, Reply};

const KEY: &str = "sk-planted-0123456789";

fn call(is_followed: bool) -> ProviderCall {
    let tool = ToolSpec {
        name: Name::new("clock").unwrap(),
        description: "says the time".to_owned(),
        parameters: json!({"type": "object", "properties": {}}),
    };
    let asked = cadre_core::model::ToolCall {
        id: "call-1".to_owned(),
        tool: "clock".to_owned(),
        arguments: json!({}),
    };
    let turns = vec![
        Turn::User("what time is it?".to_owned()),
        Turn::Model { text: String::new(), calls: vec![asked], thoughts: None },
        Turn::Tool {
            call: "call-1".to_owned(),
            name: "clock".to_owned(),
            result: "noon".to_owned(),
            is_error: false,
        },
    ];
    ProviderCall {
        model: "fast-1".to_owned(),
        prompt: Arc::new(Prompt { system: "Be brief.".to_owned(), tools: vec![tool], turns }),
        manner: Manner {
            returns: Some(Arc::new(json!({
                "type": "object", "properties": {"time": {"type": "string"}}, "required": ["time"]
            }))),
            output_tokens_max: 100,
            temperature_millis: Some(500),
        },
        cache_key: "prefix-1".to_owned(),
        key: "task.step.1".to_owned(),
        is_followed,
    }
}

fn open(url: String) -> Providers {
    open_as(Wire::OpenAi, url)
}

fn open_as(wire: Wire, url: String) -> Providers {
    let setup = ProviderSetup {
        name: "local".to_owned(),
        wire,
        base_url: Some(url),
        key: Secret::new(KEY),
    };
    Providers::open(&[setup]).unwrap()
}

async fn failure_of(reply: Reply, is_followed: bool) -> ProviderFailure {
    let server = LocalServer::start(move |_, _| reply.clone()).await.unwrap();
    let providers = open(server.url("/v1"));
    let failure = providers.call("local", call(is_followed)).await.unwrap_err();
    assert!(!format!("{failure:?}").contains("planted"), "{failure:?}");
    failure
}

#[tokio::test]
async fn a_question_goes_out_whole_and_its_answer_comes_back() {
    let server =
        LocalServer::start(|_, _| Reply::chat("{\"time\": \"noon\"}", 30, 7)).await.unwrap();
    let said = open(server.url("/v1")).call("local", call(false)).await.unwrap();
    assert_eq!((said.text.as_str(), said.finish), ("{\"time\": \"noon\"}", Finish::Stop));
    assert_eq!((said.usage.input, said.usage.output), (30, 7));

    let [heard] = server.heard().try_into().unwrap();
    assert_eq!(heard.path, "/v1/chat/completions");
    assert!(heard.head.to_lowercase().contains(&format!("authorization: bearer {KEY}")));
    let body = &heard.body;
    assert_eq!((&body["model"], &body["max_tokens"]), (&json!("fast-1"), &json!(100)));
    assert_eq!(body["temperature"], json!(0.5));
    let roles: Vec<&Value> =
        body["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"]);
    assert_eq!(body["messages"][3]["tool_call_id"], "call-1");
    assert_eq!(body["tools"][0]["function"]["name"], "clock");
    assert_eq!(body["response_format"]["json_schema"]["schema"]["required"], json!(["time"]));
    assert_eq!(body["prompt_cache_key"], "prefix-1");
}

#[tokio::test]
async fn parts_are_heard_as_they_come() {
    let server = LocalServer::start(|_, _| Reply::chat_parts(&["It ", "is ", "noon."], 30, 7))
        .await
        .unwrap();
    let heard = Mutex::new(Vec::new());
    let listen = |part: &str| heard.lock().unwrap().push(part.to_owned());
    let door = open(server.url("/v1")).get("local").unwrap();
    let said = door.complete(call(true), &listen).await.unwrap();
    assert_eq!(said.text, "It is noon.");
    assert_eq!((said.usage.input, said.usage.output), (30, 7));
    assert_eq!(heard.into_inner().unwrap().concat(), "It is noon.");
}

/// Each wire: where it takes a question, where in it the answer's schema is, and what names or marks the prefix.
const FORMS: [(Wire, &str, &str, (&str, &str)); 5] = [
    (
        Wire::OpenAi,
        "/v1/chat/completions",
        "/response_format/json_schema/schema",
        ("/prompt_cache_key", "\"prefix-1\""),
    ),
    (
        Wire::OpenAiResponses,
        "/v1/responses",
        "/text/format/schema",
        ("/prompt_cache_key", "\"prefix-1\""),
    ),
    (
        Wire::Anthropic,
        "/v1/messages",
        "/output_config/format/schema",
        ("/system/0/cache_control", "{\"type\":\"ephemeral\"}"),
    ),
    (
        Wire::Gemini,
        "/v1/models/fast-1:generateContent",
        "/generationConfig/responseJsonSchema",
        ("/cachedContent", "null"),
    ),
    (
        Wire::Ollama,
        "/v1/chat/completions",
        "/response_format/json_schema/schema",
        ("/prompt_cache_key", "null"),
    ),
];

#[tokio::test]
async fn every_wire_is_sent_the_schema_and_told_what_it_may_cache() {
    for (wire, path, schema, (place, marked)) in FORMS {
        let server = LocalServer::start(|_, _| Reply::status(500, &[])).await.unwrap();
        // Whatever it answers: it is the question that counts.
        let _ = open_as(wire, server.url("/v1/")).call("local", call(false)).await;
        let [heard] = server.heard().try_into().unwrap();
        let body = &heard.body;
        assert_eq!(heard.path, path, "{wire:?}");
        let sent = body.pointer(schema).unwrap_or_else(|| panic!("{wire:?}: {body:#}"));
        assert_eq!(sent["required"], json!(["time"]), "{wire:?}");
        assert_eq!(sent["properties"]["time"]["type"], "string", "{wire:?}");
        let found = body.pointer(place).map_or_else(|| "null".to_owned(), Value::to_string);
        assert_eq!(found, marked, "{wire:?}: {body:#}");
        // What changes from call to call, and may be a tenant's, is never marked.
        let marks = body.to_string().matches("cache_control").count();
        assert_eq!(marks, usize::from(wire == Wire::Anthropic), "{wire:?}: {body:#}");
    }
}

/// An answer of OpenAI's responses that thinks, and calls a tool.
fn thinking_response() -> Value {
    json!({
        "id": "r", "object": "response", "created_at": 0, "status": "completed", "model": "fast-1",
        "output": [
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "c2lnbmVk"},
            {"type": "function_call", "id": "f", "call_id": "c", "name": "clock", "arguments": "{}",
             "status": "completed"}
        ],
        "usage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
    })
}

/// The same as it comes, part by part.
fn in_parts(response: &Value) -> Reply {
    let mut events: Vec<String> = Vec::new();
    for (index, item) in response["output"].as_array().unwrap().iter().enumerate() {
        for kind in ["response.output_item.added", "response.output_item.done"] {
            events.push(json!({"type": kind, "output_index": index, "item": item}).to_string());
        }
    }
    events.push(json!({"type": "response.completed", "response": response}).to_string());
    Reply::Events(events)
}

#[tokio::test]
async fn openais_responses_show_their_thoughts_in_both_manners_without_a_summary() {
    for is_followed in [false, true] {
        let server = LocalServer::start(move |_, _| match is_followed {
            true => in_parts(&thinking_response()),
            false => json_reply(&thinking_response()),
        });
        let server = server.await.unwrap();
        let providers = open_as(Wire::OpenAiResponses, server.url("/v1/"));
        let said = providers.call("local", call(is_followed)).await.unwrap();
        let thoughts = said.thoughts.expect("thoughts");
        assert_eq!(thoughts.parts, json!([{"signature": "c2lnbmVk"}]), "once: {is_followed}");
        let [heard] = server.heard().try_into().unwrap();
        assert_eq!(heard.body["include"], json!(["reasoning.encrypted_content"]));
        assert_eq!(heard.body["reasoning"], json!({}), "a summary is not everybody's");
        assert_eq!(heard.body["store"], false, "nothing is kept there");
    }
}

#[tokio::test]
async fn a_model_that_shows_no_thoughts_is_asked_without_them_from_then_on() {
    let no = json!({"error": {"message": "Encrypted content is not supported with this model."}});
    let server = LocalServer::start(move |_, heard| match heard.body.get("include") {
        Some(_) => {
            let head = vec!["content-type: application/json".to_owned()];
            Reply::Http(400, head, no.to_string())
        }
        None => json_reply(&thinking_response()),
    });
    let server = server.await.unwrap();
    let providers = open_as(Wire::OpenAiResponses, server.url("/v1/"));
    for calls in [2, 3] {
        assert!(providers.call("local", call(false)).await.is_ok());
        assert_eq!(server.heard().len(), calls);
    }
    let mut without_tools = call(false);
    Arc::make_mut(&mut without_tools.prompt).tools.clear();
    without_tools.model = "other-1".to_owned();
    assert!(providers.call("local", without_tools).await.is_ok());
    assert_eq!(server.heard().len(), 4, "thoughts are of use in a tool loop only");
}

fn json_reply(body: &Value) -> Reply {
    Reply::Http(200, vec!["content-type: application/json".to_owned()], body.to_string())
}

/// How each wire sends what a model thought before it called a tool, and where it wants it back.
fn thinking() -> [(Wire, Value, &'static str, Value); 4] {
    let gemini = json!({
        "candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [
            {"functionCall": {"name": "clock", "args": {}}, "thoughtSignature": "c2lnbmVk"},
            {"functionCall": {"name": "clock", "args": {}}, "thoughtSignature": "b3RoZXI"}
        ]}}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11}
    });
    let redacted = json!({"type": "redacted_thinking", "data": "c2lnbmVk"});
    let thinking = json!({"type": "thinking", "thinking": "Time?", "signature": "c2lnbmVk"});
    let anthropic = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "fast-1",
        "content": [redacted, thinking, {"type": "tool_use", "id": "c", "name": "clock", "input": {}}],
        "stop_reason": "tool_use", "usage": {"input_tokens": 9, "output_tokens": 2}
    });
    let detail = json!({"type": "reasoning.encrypted", "data": "c2lnbmVk", "index": 0});
    let called =
        json!({"id": "c", "type": "function", "function": {"name": "clock", "arguments": "{}"}});
    let openai = json!({
        "id": "x", "object": "chat.completion", "created": 0, "model": "fast-1",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": null, "reasoning": "Time?",
            "reasoning_details": [detail], "tool_calls": [called]
        }}]
    });
    let thoughts = json!([redacted, thinking]);
    [
        (Wire::Gemini, gemini, "/contents/1/parts/1/thoughtSignature", json!("b3RoZXI")),
        (Wire::Anthropic, anthropic, "/messages/1/content", thoughts),
        (Wire::OpenAi, openai, "/messages/2/reasoning_details", json!([detail])),
        (
            Wire::OpenAiResponses,
            thinking_response(),
            "/input/2/encrypted_content",
            json!("c2lnbmVk"),
        ),
    ]
}

#[tokio::test]
async fn what_a_model_thought_goes_back_to_it_and_to_nobody_else() {
    for (wire, body, place, expected) in thinking() {
        let reply = json_reply(&body);
        let server = LocalServer::start(move |_, _| reply.clone()).await.unwrap();
        let providers = open_as(wire, server.url("/v1/"));
        let said = providers.call("local", call(false)).await.unwrap();
        assert!(!said.calls.is_empty(), "{wire:?}");
        let mut next = call(false);
        let prompt = Arc::make_mut(&mut next.prompt);
        let (text, calls, thoughts) = (String::new(), said.calls, said.thoughts);
        prompt.turns[1] = Turn::Model { text, calls, thoughts };
        providers.call("local", next.clone()).await.unwrap();
        // A fallback route of the same provider.
        let other = ProviderCall { model: "other-1".to_owned(), ..next };
        providers.call("local", other).await.unwrap();
        let heard = server.heard();
        let found = heard[1].body.pointer(place).cloned().unwrap_or_default();
        let is_there = match (&found, &expected) {
            // Calls come behind what leads to them.
            (Value::Array(found), Value::Array(expected)) => found.starts_with(expected),
            (found, expected) => found == expected,
        };
        assert!(is_there, "{wire:?}: {found}");
        for (number, is_signed) in [(0, false), (1, true), (2, false)] {
            let text = heard[number].body.to_string();
            assert_eq!(text.contains("c2lnbmVk"), is_signed, "{wire:?} {number}: {text}");
        }
    }
}

#[tokio::test]
async fn failures_are_told_apart_and_repeat_nothing() {
    let echo = format!("{{\"error\": \"your key {KEY} and your prompt\"}}");
    let json = vec!["content-type: application/json".to_owned()];
    for is_followed in [false, true] {
        for (reply, expected) in [
            (Reply::status(429, &["retry-after: 3"]), Kind::RateLimited),
            (Reply::status(500, &[]), Kind::Unavailable),
            (Reply::Http(401, json.clone(), echo.clone()), Kind::Credentials),
            (Reply::Http(400, json.clone(), echo.clone()), Kind::Refused),
            (Reply::Nothing, Kind::Unavailable),
        ] {
            let failure = failure_of(reply.clone(), is_followed).await;
            assert_eq!(failure.kind, expected, "{reply:?} followed: {is_followed}");
        }
    }
    let limited = failure_of(Reply::status(429, &["retry-after: 3"]), false).await;
    assert_eq!(limited.retry_after, Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn what_may_be_on_the_bill_is_no_mere_unavailability() {
    let json = vec!["content-type: application/json".to_owned()];
    for reply in [
        Reply::Half,
        Reply::Http(200, json.clone(), "{\"choices\": [".to_owned()),
        Reply::Http(200, json.clone(), "{}".to_owned()),
        Reply::Http(200, vec!["content-type: text/html".to_owned()], "<html>".to_owned()),
    ] {
        assert_eq!(failure_of(reply.clone(), false).await.kind, Kind::Malformed, "{reply:?}");
    }
}

#[tokio::test]
async fn nobody_there_costs_nothing() {
    let server = LocalServer::start(|_, _| Reply::Nothing).await.unwrap();
    let url = server.url("/v1");
    drop(server);
    let failure = open(url).call("local", call(false)).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Unavailable);
    let unknown = Providers::default().call("local", call(false)).await.unwrap_err();
    assert_eq!(unknown.kind, Kind::Credentials);
}

#[test]
fn addresses_are_checked_and_keys_are_not_printed() {
    let setup = |url: &str| ProviderSetup {
        name: "local".to_owned(),
        wire: Wire::OpenAi,
        base_url: Some(url.to_owned()),
        key: Secret::new(KEY),
    };
    for bad in ["", "local", "ftp://host/", "http://"] {
        assert!(Providers::open(&[setup(bad)]).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", setup("http://host")).contains("planted"));
    assert_eq!(Secret::new(" \n"), None);
    let without = ProviderSetup { base_url: None, key: None, ..setup("") };
    assert!(!without.is_usable());
    assert!(ProviderSetup { wire: Wire::Ollama, ..without }.is_usable());
}
