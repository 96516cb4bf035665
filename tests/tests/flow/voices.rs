//! What models say, heard by people while they say it: `task watch --partial`, `goal publish --follow --partial`.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cadre::{
    settings::ModelSettings,
    stack::{Stack, StackOptions},
};
use cadre_inference::{
    ProviderSetup, Wire,
    local::{LocalServer, Reply},
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
    process::program,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::timeout,
};

const PACK: &str = r#"apiVersion: pack/v1
name: voices
models:
  own: {routes: [{model: own/any}], free: true}
roles:
  teller: {runtime: model, model: own, prompt: prompts/tell.md, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 50s, max_tokens: 100000}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 55s, max_steps: 2, max_usd: 0, max_tokens: 100000}
  when_limited: partial
  steps:
    tell: {role: teller, with: "${ goal }"}
  result:
    told: "${ tell }"
"#;

/// What the model says, part by part: longer than one line.
fn parts() -> Vec<String> {
    let words = (0..30).map(|number| format!("word-{number} "));
    let text = json!({"output": {"text": words.collect::<String>()}, "confidence": 1}).to_string();
    text.as_bytes().chunks(7).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// A model that asks for patience until somebody listens.
async fn model(is_heard: &Arc<AtomicBool>) -> LocalServer {
    let is_heard = Arc::clone(is_heard);
    let all = parts();
    let respond = move |_: usize, _: &_| match is_heard.load(Ordering::Acquire) {
        true => Reply::chat_parts(&all.iter().map(String::as_str).collect::<Vec<_>>(), 30, 7),
        false => Reply::status(429, &["retry-after-ms: 300"]),
    };
    LocalServer::start(respond).await.expect("a server")
}

async fn world(is_heard: &Arc<AtomicBool>) -> (Bed, Stack, LocalServer) {
    let (server, bed) = (model(is_heard).await, Bed::new().await);
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/tell.md", "Tell.\n")];
    bed.apply(&packs::pack(PACK, &files)).await;
    let (name, base_url) = ("own".to_owned(), Some(server.url("/v1/")));
    let providers = vec![ProviderSetup { name, wire: Wire::OpenAi, base_url, key: None }];
    let inference = Some(ModelSettings { providers, ..ModelSettings::default() });
    let stack = bed.stack_of(StackOptions { inference, ..StackOptions::all() }).await;
    (bed, stack, server)
}

/// Runs the program to its end; once it has shown that the step has begun, the model speaks.
async fn lines(bed: &Bed, args: &[&str], is_heard: &AtomicBool) -> Vec<String> {
    let mut command = Command::new(program());
    command.args(["--nats", &bed.server.url(), "--tenant", "acme"]).args(args);
    command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("cadre runs");
    let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
    let read = async {
        let mut lines = Vec::new();
        while let Some(line) = output.next_line().await.expect("text") {
            if line.contains("start") || line.contains("step_dispatched") {
                is_heard.store(true, Ordering::Release);
            }
            lines.push(line);
        }
        lines
    };
    let lines = timeout(PATIENCE, read).await.expect("an end in time");
    assert!(child.wait().await.expect("a status").success(), "{lines:#?}");
    lines
}

/// What was said in lines is the whole answer.
fn check(lines: &[String]) {
    let said = lines.iter().filter_map(|line| line.trim_start().strip_prefix("said   tell"));
    let said: Vec<&str> = said.map(str::trim).collect();
    assert!(said.len() > 2, "several lines: {lines:#?}");
    let (said, whole) = (said.concat().replace(' ', ""), parts().concat().replace(' ', ""));
    assert_eq!(said, whole, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_model_says_is_shown_in_lines_while_it_says_it() {
    let is_heard = Arc::new(AtomicBool::new(false));
    let (bed, stack, server) = world(&is_heard).await;
    let task = bed.publish("voices", "watched", &json!({})).await;
    let watched = lines(&bed, &["task", "watch", task.as_str(), "--partial"], &is_heard).await;
    check(&watched);

    is_heard.store(false, Ordering::Release);
    let publish = ["goal", "publish", "voices", "-i", "a=1", "--follow", "--partial"];
    check(&lines(&bed, &publish, &is_heard).await);

    is_heard.store(false, Ordering::Release);
    let task = bed.publish("voices", "documents", &json!({})).await;
    let watch = ["task", "watch", task.as_str(), "--partial", "-o", "ndjson"];
    let documents = lines(&bed, &watch, &is_heard).await;
    let documents = documents.iter().map(|line| serde_json::from_str::<Value>(line).expect("json"));
    let said: Vec<Value> =
        documents.map(|it| it["said"].clone()).filter(Value::is_object).collect();
    let text: String = said.iter().filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(text, parts().concat());
    assert_eq!(said.last().map(|it| it["end"].clone()), Some(json!(true)));

    // Whoever comes late hears nothing: no stream has it.
    let late = lines(&bed, &["task", "watch", task.as_str(), "--partial"], &is_heard).await;
    assert!(late.iter().all(|line| !line.contains("said")), "{late:#?}");
    assert!(server.heard().len() >= 3);
    stack.stop().await;
}
