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
        Turn::Model { text: String::new(), calls: vec![asked] },
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
    let setup = ProviderSetup {
        name: "local".to_owned(),
        wire: Wire::OpenAi,
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
