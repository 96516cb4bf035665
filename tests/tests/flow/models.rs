//! Questions to models over a real broker: the gateway in this process, and as a process with planted keys.

use std::time::Duration;

use cadre::{settings::ModelSettings, stack::StackOptions};
use cadre_core::{
    ids::{Name, StepId, TaskId},
    model::{Manner, ModelAnswer, ModelFailure, ModelRequest, Prompt, Turn},
    pack::PackSource,
    ports::Models as _,
    task::FailureKind,
    workflow::Grant,
};
use cadre_inference::{
    ProviderSetup, Secret, Wire,
    local::{LocalServer, Reply},
};
use cadre_proto::{model, subject::infer};
use cadre_tests::{
    bed::Bed,
    collector::Collector,
    packs,
    process::Process,
    tools::{figure, free_port, page},
};
use futures::StreamExt as _;
use serde_json::json;

/// No other text has it in it.
const PLANTED: &str = "sk-planted-9f8e7d6c";

const PACK: &str = r#"
apiVersion: pack/v1
name: asked
models:
  fast: {routes: [{model: openai/gpt-4.1-mini-2025-04-14}]}
  own: {routes: [{model: own/any}], free: true}
roles:
  asker: {runtime: model, model: fast, model_when_low: own, prompt: prompts/ask.md, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 30s, max_usd: 0.5, max_tokens: 100000}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 1m, max_steps: 1, max_usd: 0.5, max_tokens: 100000}
  when_limited: partial
  steps:
    ask: {role: asker, with: "${ goal }"}
  result:
    said: "${ ask }"
"#;

fn pack() -> PackSource {
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/ask.md", "Answer.\n")];
    packs::pack(PACK, &files)
}

fn request(alias: &str) -> ModelRequest {
    let name = |text: &str| Name::new(text).expect("a name");
    ModelRequest {
        tenant: name("acme"),
        task: TaskId::derive(&name("acme"), "asked"),
        step: StepId::single(name("ask")),
        role: name("asker"),
        workflow: name("asked"),
        revision: pack().revision(),
        alias: name(alias),
        key: "asked.ask.1".to_owned(),
        prompt: Prompt {
            system: "Answer.".to_owned(),
            tools: Vec::new(),
            turns: vec![Turn::User("what is the secret of the prompt?".to_owned())],
        },
        manner: Manner { output_tokens_max: 500, ..Manner::default() },
        grant: Grant { usd_micros: 500_000, tokens: 50_000 },
        time_left: Duration::from_secs(20),
        is_followed: false,
        trace: None,
    }
}

/// The gateway alone, whose provider `own` is this server.
fn gateway(server: &LocalServer) -> StackOptions {
    let own = ProviderSetup {
        name: "own".to_owned(),
        wire: Wire::OpenAi,
        base_url: Some(server.url("/v1/")),
        key: Secret::new(PLANTED),
    };
    let inference = ModelSettings { providers: vec![own], ..ModelSettings::default() };
    StackOptions {
        orchestrator: false,
        agents: None,
        aggregator: false,
        inference: Some(inference),
        ..StackOptions::all()
    }
}

async fn ask(bed: &Bed, request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
    bed.bus.ask(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_over_the_bus_and_its_parts_can_be_followed() {
    let server = LocalServer::start(|number, _| match number {
        0 => Reply::After(
            Duration::from_millis(2_500),
            Box::new(Reply::chat("{\"told\": true}", 30, 7)),
        ),
        _ => Reply::chat_parts(&["once ", "upon"], 30, 7),
    });
    let (server, bed) = (server.await.expect("a server"), Bed::new().await);
    bed.apply(&pack()).await;
    let stack = bed.stack_of(gateway(&server)).await;

    // Longer than a beat: the worker hears that it is being worked on.
    let answer = ask(&bed, request("own")).await.expect("an answer");
    assert_eq!(answer.said.text, "{\"told\": true}");
    assert_eq!((answer.cost, answer.said.usage.input), (Grant { usd_micros: 0, tokens: 37 }, 30));
    assert_eq!(answer.choice.model, "own/any");

    let followed = ModelRequest { is_followed: true, ..request("own") };
    let partition = bed.bus.streams().partition(&followed.task);
    let subject = infer::said(partition, &followed.task, &followed.step);
    let mut parts = bed.connection.client.subscribe(subject).await.expect("subscribed");
    bed.connection.client.flush().await.expect("flushed");
    assert_eq!(ask(&bed, followed).await.expect("an answer").said.text, "once upon");
    let mut heard = String::new();
    loop {
        let part = parts.next().await.expect("a part");
        let (key, offset, text, is_end) = model::decode_part(&part.payload).expect("a part");
        assert_eq!((key.as_str(), offset), ("asked.ask.1", heard.len() as u64));
        heard += &text;
        if is_end {
            break;
        }
    }
    assert_eq!(heard, "once upon");

    let unset = ask(&bed, request("fast")).await.expect_err("no key").failure;
    assert_eq!(unset.kind, FailureKind::Error, "{unset:?}");
    let large = Prompt { system: "x".repeat(300_000), ..Prompt::default() };
    let refused = ask(&bed, ModelRequest { prompt: large, ..request("own") }).await;
    let refused = refused.expect_err("too large").failure;
    assert!(refused.message.contains("give the role less context"), "{refused:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gateway_the_failure_says_what_to_start() {
    let bed = Bed::new().await;
    let hasty = ModelRequest { time_left: Duration::from_secs(1), ..request("own") };
    let failure = ask(&bed, hasty).await.expect_err("nobody").failure;
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(failure.message.contains("cadre serve --role inference"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_starts_later_hears_a_question_that_was_asked_before() {
    let server = LocalServer::start(|_, _| Reply::chat("{}", 30, 7)).await.expect("a server");
    let bed = Bed::new().await;
    bed.apply(&pack()).await;
    let (answer, stack) = tokio::join!(ask(&bed, request("own")), bed.stack_of(gateway(&server)));
    assert_eq!(answer.expect("an answer").said.text, "{}");
    assert_eq!(server.heard().len(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_share_the_questions_and_ask_once_for_each() {
    let server = LocalServer::start(|_, _| Reply::chat("{}", 30, 7)).await.expect("a server");
    let bed = Bed::new().await;
    bed.apply(&pack()).await;
    let stacks = [bed.stack_of(gateway(&server)).await, bed.stack_of(gateway(&server)).await];
    let asked = (0..40).map(|number| {
        let request = ModelRequest { key: format!("asked.ask.{number}"), ..request("own") };
        ask(&bed, request)
    });
    let answers = futures::future::join_all(asked).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(server.heard().len(), 40);
    for stack in stacks {
        stack.stop().await;
    }
}

/// Everything that the broker keeps, as text.
async fn everything(bed: &Bed) -> String {
    let mut all = String::new();
    let mut names = bed.connection.js.stream_names();
    while let Some(name) = names.next().await {
        let name = name.expect("a name");
        let mut stream = bed.connection.js.get_stream(&name).await.expect("a stream");
        let state = stream.info().await.expect("info").state.clone();
        for sequence in state.first_sequence..=state.last_sequence {
            // What was settled is gone.
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            all += &format!("{} {:?}\n", message.subject, message.headers);
            all += &String::from_utf8_lossy(&message.payload);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_keys_are_nowhere_but_at_their_provider() {
    let echo = json!({"error": {"message": format!("Incorrect API key provided: {PLANTED}")}});
    let json = vec!["content-type: application/json".to_owned()];
    let server = LocalServer::start(move |number, heard| {
        let is_whole = !heard.body.to_string().contains("\"stream\":true");
        match (number % 3, is_whole) {
            (0, _) => Reply::Http(401, json.clone(), echo.to_string()),
            (1, true) => Reply::Http(200, json.clone(), format!("{{\"odd\": \"{PLANTED}\"}}")),
            (1, false) => Reply::Events(vec![echo.to_string()]),
            (_, true) => Reply::chat("{}", 30, 7),
            (_, false) => Reply::chat_parts(&["{}"], 30, 7),
        }
    });
    let (server, bed) = (server.await.expect("a server"), Bed::new().await);
    bed.apply(&pack()).await;
    let mut collector = Collector::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, PLANTED).expect("written");
    let providers = format!("openai={}", server.url("/v1/"));
    let variables = [
        ("CADRE_PROVIDERS", providers.as_str()),
        ("CADRE_PROVIDER_OPENAI_KEY_FILE", file.to_str().expect("a path")),
        ("ANTHROPIC_API_KEY", PLANTED),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("CADRE_TRACE_CONTENT", "true"),
        ("CADRE_LOG", "trace,genai::adapter=trace,h2::codec=trace"),
    ];
    let url = bed.server.url();
    let mut gateway = Process::serve_with(&url, &[], &variables).await;
    let mut said = String::new();
    for is_followed in [false, true] {
        for _ in 0..3 {
            let asked = ask(&bed, ModelRequest { is_followed, ..request("fast") }).await;
            said += &format!("{asked:?}\n");
        }
    }
    let at_provider = server.heard().iter().filter(|heard| heard.head.contains(PLANTED)).count();
    assert_eq!(at_provider, 6, "the provider gets its key");
    assert!(said.contains("Ok(") && said.contains("its key is wrong"), "{said}");
    said += &everything(&bed).await;
    gateway.stop().await;
    let mut traces = String::new();
    while let Ok(request) = collector.spans.try_recv() {
        traces += &format!("{request:?}\n");
    }
    assert!(traces.contains("the secret of the prompt"), "content was asked for: {traces}");
    assert!(!traces.contains(PLANTED), "a key is in the traces");
    let log = gateway.lines().join("\n");
    assert!(log.len() > 10_000, "the log is a full one");
    assert!(!said.contains(PLANTED), "a key is on the bus or in an error");
    let leak = log.lines().find(|line| line.contains(PLANTED));
    assert_eq!(leak, None, "a key is in the log");
    // The bus's own client shows its messages at trace, where payloads may be.
    let above = log.lines().filter(|line| !line.contains(" TRACE "));
    let prompt = above.into_iter().find(|line| line.contains("the secret of the prompt"));
    assert_eq!(prompt, None, "a prompt is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_caches_hold_and_save_is_measured() {
    // The second question finds most of its prompt in the provider's cache.
    let server = LocalServer::start(|number, _| {
        let cached = if number == 0 { 0 } else { 800 };
        let body = json!({
            "id": "x", "object": "chat.completion", "created": 0, "model": "any",
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "{}"}}],
            "usage": {"prompt_tokens": 1_000, "completion_tokens": 10, "total_tokens": 1_010,
                "prompt_tokens_details": {"cached_tokens": cached}}
        });
        let head = vec!["content-type: application/json".to_owned()];
        Reply::Http(200, head, body.to_string())
    });
    let (server, bed) = (server.await.expect("a server"), Bed::new().await);
    let kept = PACK.replace("2025-04-14}]}", "2025-04-14}], cache_answers: true}");
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/ask.md", "Answer.\n")];
    let kept = packs::pack(&kept, &files);
    bed.apply(&kept).await;
    let figures = format!("127.0.0.1:{}", free_port());
    let providers = format!("openai={}", server.url("/v1/"));
    let variables = [("CADRE_PROVIDERS", providers.as_str()), ("OPENAI_API_KEY", PLANTED)];
    let args = ["--role", "inference", "--metrics", &figures];
    let _gateway = Process::serve_with(&bed.server.url(), &args, &variables).await;
    let mut paid = Vec::new();
    for (turn, is_kept) in [("why?", false), ("how?", false), ("how?", true)] {
        let mut asked = ModelRequest { revision: kept.revision(), ..request("fast") };
        asked.prompt.turns = vec![Turn::User(turn.to_owned())];
        asked.manner.temperature_millis = Some(0);
        let answer = ask(&bed, asked).await.expect("an answer");
        assert_eq!(answer.choice.is_cached, is_kept, "{turn}");
        paid.push(answer.cost.usd_micros);
    }
    // By the table: 0.4 dollars a million, 0.1 from the cache, 1.6 for the answer.
    assert_eq!(paid, [400 + 16, 80 + 80 + 16, 0]);
    let (_, page) = page(&format!("http://{figures}/metrics"), None).await.expect("a page");
    let tokens =
        |kind: &str| figure(&page, "cadre_model_tokens_total", &format!("kind=\"{kind}\""));
    assert_eq!((tokens("input"), tokens("cached"), tokens("output")), (2_000, 800, 20), "{page}");
    let saved =
        |by: &str| figure(&page, "cadre_model_saved_usd_micros_total", &format!("by=\"{by}\""));
    assert_eq!((saved("prompt"), saved("answer")), (240, 176), "{page}");
    assert_eq!(figure(&page, "cadre_model_answers_reused_total", ""), 1, "{page}");
}
