//! A provider that goes away under a hundred tasks, and comes back. Everything is a tenth of what it is in
//! production: the outage of half a minute, the breakers' window of 30 s, and the time that they stay open.
//! With `CADRE_TEST_OUTAGE=1` it has its real size, and says what it saw.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use cadre::{
    settings::ModelSettings,
    stack::{Stack, StackOptions},
};
use cadre_core::{breaker::Settings, ids::TaskId};
use cadre_inference::{
    ProviderSetup, Wire,
    local::{LocalServer, Reply},
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    decisions::Calls,
    packs, verdict,
};
use futures::{StreamExt as _, future::join_all};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

/// Tasks in flight.
const TASKS: usize = 100;

/// How long the provider is away at least: a little longer than the breakers' window.
const OUTAGE: Duration = Duration::from_secs(32);

/// Whether times have their real size, or a tenth of it.
const REAL_SIZE: &str = "CADRE_TEST_OUTAGE";

/// Answers that the other provider gives meanwhile: far more than calls that went out before the breaker opened.
const BACKED_UP: usize = 2 * TASKS;

/// Probes that one outage can see; each waits twice as long as the one before it.
const PROBES: usize = 6;

/// How long it takes to answer once it is back: whoever asks meanwhile asks beside the probe.
const PROBE_TAKES: Duration = Duration::from_millis(400);

/// What times are divided by.
fn scale() -> u32 {
    if std::env::var_os(REAL_SIZE).is_some() { 1 } else { 10 }
}

/// Breakers with the usual times, to scale.
fn breakers() -> Settings {
    let (usual, scale) = (Settings::default(), scale());
    Settings {
        window: usual.window / scale,
        open_first: usual.open_first / scale,
        open_max: usual.open_max / scale,
        probe_for: usual.probe_for / scale,
        ask_again: usual.ask_again / scale,
        linger: usual.linger / scale,
        ..usual
    }
}

const PACK: &str = r#"apiVersion: pack/v1
name: outage
models:
  both: {routes: [{model: main/large}, {model: backup/small}], free: true}
roles:
  asker:
    runtime: model
    model: both
    prompt: prompts/ask.md
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    limits: {timeout: 60s, max_tokens: 100000}
    concurrency: 200
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 2m, max_steps: 2, max_usd: 0, max_tokens: 100000}
  when_limited: partial
  steps:
    ask: {role: asker, with: "${ goal }"}
  result:
    said: "${ ask }"
"#;

/// What the main provider was asked: when, and whether it was there.
#[derive(Default)]
struct Book {
    asked: Vec<(Instant, bool)>,
    answered: usize,
    backed_up: usize,
}

/// The other provider.
async fn backup_provider(book: &Arc<Mutex<Book>>) -> LocalServer {
    let (book, said) = (Arc::clone(book), said());
    let respond = move |_: usize, _: &_| {
        book.lock().expect("open").backed_up += 1;
        Reply::After(Duration::from_millis(50), Box::new(said.clone()))
    };
    LocalServer::start(respond).await.expect("a server")
}

/// The main provider: hangs up for the time of the outage, from the first question on.
async fn main_provider(book: &Arc<Mutex<Book>>) -> LocalServer {
    let book = Arc::clone(book);
    let respond = move |_: usize, _: &_| {
        let mut book = book.lock().expect("open");
        let now = Instant::now();
        let first = book.asked.first().map_or(now, |(at, _)| *at);
        let is_up = now.duration_since(first) >= OUTAGE / scale() && book.backed_up >= BACKED_UP;
        book.asked.push((now, is_up));
        if !is_up {
            return Reply::Nothing;
        }
        book.answered += 1;
        Reply::After(PROBE_TAKES, Box::new(said()))
    };
    LocalServer::start(respond).await.expect("a server")
}

fn said() -> Reply {
    let text = json!({"output": {"ok": true}, "confidence": 1}).to_string();
    Reply::chat_parts(&[&text], 30, 7)
}

/// Answers as they come, by task.
type Waiting = Arc<Mutex<HashMap<TaskId, oneshot::Sender<Value>>>>;

async fn hear_answers(bed: &Bed) -> Waiting {
    let waiting = Waiting::default();
    let mut answers = bed.connection.client.subscribe("answers.>").await.expect("subscribed");
    bed.connection.client.flush().await.expect("flushed");
    let known = Arc::clone(&waiting);
    tokio::spawn(async move {
        while let Some(message) = answers.next().await {
            let answer: Value = serde_json::from_slice(&message.payload).expect("json");
            let task = answer["task"].as_str().and_then(|task| TaskId::parse(task).ok());
            let sender = task.and_then(|task| known.lock().expect("open").remove(&task));
            // Whoever waited has given up: the test fails there.
            sender.map(|sender| sender.send(answer).ok());
        }
    });
    waiting
}

/// A task, and what its answer says of who stood in.
type Told = (TaskId, Value);

/// Has one task after the other done until the provider has answered somebody again.
async fn customer(bed: &Bed, waiting: &Waiting, book: &Mutex<Book>, number: usize) -> Vec<Told> {
    let mut tasks = Vec::new();
    loop {
        let key = format!("{number}-{}", tasks.len());
        let (sender, answer) = oneshot::channel();
        let task = TaskId::derive(&"acme".parse().expect("a name"), &key);
        waiting.lock().expect("open").insert(task.clone(), sender);
        bed.publish("outage", &key, &json!({ "key": key })).await;
        let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
        assert_eq!(answer["status"], "completed", "{answer}");
        assert_eq!(answer["steps"], 1, "no attempt was lost: {answer}");
        tasks.push((task, answer["degraded"].clone()));
        if book.lock().expect("open").answered > 1 {
            return tasks;
        }
    }
}

async fn gateway(bed: &Bed, main: &LocalServer, backup: &LocalServer) -> Stack {
    let setup = |name: &str, server: &LocalServer| {
        let (name, base_url) = (name.to_owned(), Some(server.url("/v1/")));
        ProviderSetup { name, wire: Wire::OpenAi, base_url, key: None }
    };
    let providers = vec![setup("main", main), setup("backup", backup)];
    let inference = Some(ModelSettings { providers, ..ModelSettings::default() });
    let breakers = breakers();
    let (orchestrator, agents, aggregator) = (false, None, false);
    let options = StackOptions {
        orchestrator,
        agents,
        aggregator,
        inference,
        breakers,
        ..StackOptions::all()
    };
    bed.stack_of(options).await
}

/// Whether an answer says that the other provider stood in, and why.
fn is_stand_ins(told: &Value) -> bool {
    match told.as_array().map(Vec::as_slice) {
        Some([one]) => {
            let why = one["reason"].as_str().expect("a reason");
            assert!(why.starts_with("model backup/small answered, not main/large: "), "{one}");
            assert_eq!((&one["step"], &one["role"]), (&json!("ask"), &json!("asker")));
            true
        }
        Some([]) => false,
        Some(_) | None => panic!("{told}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_tasks_outlive_their_provider_and_one_probe_brings_it_back() {
    let book = Arc::new(Mutex::new(Book::default()));
    let main = main_provider(&book).await;
    let backup = backup_provider(&book).await;
    let bed = Bed::new().await;
    let answer = r#"{"type": "object", "properties": {"said": {}}, "required": ["said"]}"#;
    let files = [
        ("contracts/any.v1.json", packs::ANYTHING),
        ("contracts/answer.v1.json", answer),
        ("prompts/ask.md", "Answer.\n"),
    ];
    bed.apply(&packs::pack(PACK, &files)).await;
    let gateways = [gateway(&bed, &main, &backup).await, gateway(&bed, &main, &backup).await];
    let workers = StackOptions { inference: None, in_flight: 2 * TASKS, ..StackOptions::all() };
    let stack = bed.stack_of(workers).await;
    let waiting = hear_answers(&bed).await;

    let customers = (0..TASKS).map(|number| customer(&bed, &waiting, &book, number));
    let tasks: Vec<Told> = join_all(customers).await.into_iter().flatten().collect();

    let asked = book.lock().expect("open").asked.clone();
    let (begun, back) = (asked[0].0, asked.iter().position(|(_, is_up)| *is_up).expect("back"));
    let (down, up) = asked.split_at(back);
    // It opens within its window: whoever was out then is told, and from then on only probes ask.
    assert!(down.len() <= TASKS + PROBES, "{} calls of {} went down", down.len(), tasks.len());
    let later = down.iter().filter(|(at, _)| at.duration_since(begun) >= breakers().window).count();
    assert!(later <= PROBES, "{later} calls when the breaker must have been open");
    // One probe of the whole fleet: nobody asks beside it.
    let (probe, next) = (up[0].0, up.get(1).expect("others follow").0);
    let between = next.duration_since(probe);
    assert!(between >= PROBE_TAKES, "somebody asked {between:?} after the probe");

    let named = tasks.iter().filter(|(_, told)| is_stand_ins(told)).count();
    let (mut degraded, mut first) = (0, 0);
    for (task, told) in tasks.iter().take(TASKS) {
        let calls = Calls::of(&bed, task).await.models;
        let [(record, _)] = calls.as_slice() else { panic!("one call: {calls:?}") };
        let is_backup = record["model"] == "backup/small";
        assert_eq!(record["is_degraded"], is_backup, "{record}");
        assert_eq!(is_stand_ins(told), is_backup, "{record}");
        *(if is_backup { &mut degraded } else { &mut first }) += 1;
        assert_eq!(record["passed"][0]["model"] == "main/large", is_backup, "{record}");
    }
    assert!(degraded > first, "{degraded} {first}");
    let last = down.iter().map(|(at, _)| at.duration_since(begun)).max().unwrap_or_default();
    eprintln!(
        "{} tasks completed, {named} degraded; {} calls went down, {later} of them after the window of {:?}, the \
         last after {last:.1?}; one probe after {:.1?}, the next call {between:.1?} behind it",
        tasks.len(),
        down.len(),
        breakers().window,
        probe.duration_since(begun)
    );
    verdict::is_clean(&bed).await;
    stack.stop().await;
    for gateway in gateways {
        gateway.stop().await;
    }
}
