//! An agent's six calls through a real gateway to a provider that counts: its worker is killed at each entry
//! of its journal and in the middle of each call, and once the gateway is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use cadre::stack::{Stack, StackOptions};
use cadre_agent::AgentRunner;
use cadre_core::ids::{Name, TaskId};
use cadre_inference::local::{Heard, LocalServer, Reply};
use cadre_nats::{
    bus::JetStreamBus,
    connect::{ConnectOptions, connect},
    packs::KvPacks,
};
use cadre_runtime::{
    supervise::{self, Supervisor},
    worker::{Worker, WorkerOptions},
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    decisions::Calls,
    packs,
    process::Process,
    stand_in::{Words, said},
    stumble::{Stop, Stumbling},
    verdict,
};
use serde_json::{Value, json};
use tokio::{
    process::Command,
    time::{interval, timeout},
};

/// Where the broker is, in the process of a worker.
const URL: &str = "CADRE_TEST_JOURNEY_URL";

/// The file that says who has stopped, in the process of a worker that stops where its task's key says.
const FILE: &str = "CADRE_TEST_JOURNEY_FILE";

/// Calls of a model in a step that nobody disturbs.
const TURNS: usize = 6;

/// Entries of its journal: the claim, and two for each call of a model or a tool.
const ENTRIES: usize = 1 + 2 * (TURNS + TOOLS);

/// Calls of tools: one a turn, two in the third, none in the last.
const TOOLS: usize = 6;

/// What each call costs: 20 tokens in and 10 out of this model.
const COST_USD_MICROS: u64 = 24;

const PACK: &str = r#"apiVersion: pack/v1
name: journey
models:
  cheap: {routes: [{model: openai/gpt-4.1-mini-2025-04-14}]}
roles:
  reader:
    runtime: model
    model: cheap
    prompt: prompts/reader.md
    tools: [clock, lookup]
    documents: [documents/handbook.md]
    accepts: contracts/any.v1.json
    returns: contracts/terms.v1.json
    limits: {timeout: 4m, max_usd: 0.1, max_tokens: 90000}
    retry: {attempts: 3, backoff: 100ms}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0.25, max_tokens: 200000}
  when_limited: partial
  steps:
    read: {role: reader, with: "${ goal }"}
  result:
    days: "${ read.days }"
"#;

/// Where each task is disturbed, in words that are its key and its input.
fn places() -> Vec<String> {
    let before = (1..=ENTRIES).map(|entry| format!("before {entry}"));
    let during = (0..TURNS).map(|turn| format!("during {turn}"));
    let rest = [format!("behind {ENTRIES}"), "nowhere".to_owned()];
    before.chain(during).chain(rest).collect()
}

fn task_of(place: &str) -> TaskId {
    TaskId::derive(&Name::new("acme").expect("a name"), place)
}

/// Where a worker stops for the task of this place; it does not for one that is held by the provider.
fn stop_of(place: &str) -> Option<Stop> {
    let (word, number) = place.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "before" => Some(Stop::Before(number)),
        "behind" => Some(Stop::Behind(number)),
        _ => None,
    }
}

/// The turn whose call is lost there: it was paid for, and nobody kept its answer.
fn lost_turn(place: &str) -> Option<usize> {
    if let Some(turn) = place.strip_prefix("during ") {
        return turn.parse().ok();
    }
    // The entries that are the outcome of a model's call, by turn.
    let mut entry = 1;
    (0..TURNS).find(|turn| {
        let outcome = entry + 2;
        entry = outcome + 2 * tools(*turn).len();
        place == format!("before {outcome}")
    })
}

fn tools(turn: usize) -> Vec<(&'static str, Value)> {
    let lookup = || ("lookup", json!({"query": "fees", "max": turn % 5 + 1}));
    match turn {
        2 => vec![lookup(), ("clock", json!({}))],
        turn if turn + 1 == TURNS => Vec::new(),
        _ => vec![lookup()],
    }
}

/// What the provider was asked, by place and turn, and for whom it has not answered.
#[derive(Default)]
struct Book {
    asked: BTreeMap<(String, usize), usize>,
    held: BTreeSet<String>,
    /// The key of whoever asked in vain.
    key: String,
}

type Shared = Arc<Mutex<Book>>;

/// A provider that says the same whenever it is asked the same, and counts. Where a place says so, it does not
/// answer the first time.
async fn provider(book: &Shared) -> LocalServer {
    let book = Arc::clone(book);
    LocalServer::start(move |_, heard| respond(&mut book.lock().expect("open"), heard))
        .await
        .expect("a server")
}

fn respond(book: &mut Book, heard: &Heard) -> Reply {
    let messages = heard.body["messages"].as_array().cloned().unwrap_or_default();
    let turn = messages.iter().filter(|it| it["role"] == "assistant").count();
    let text = heard.body.to_string();
    let is_meant = |place: &String| text.contains(&format!("\\\"{place}\\\""));
    let place = places().into_iter().find(is_meant).expect("a place");
    let asked = book.asked.entry((place.clone(), turn)).or_default();
    *asked += 1;
    if *asked == 1 && place == format!("during {turn}") {
        book.held.insert(place);
        let bearer = heard.head.lines().find_map(|line| line.split_once("Bearer "));
        book.key = bearer.map(|(_, key)| key.trim().to_owned()).unwrap_or_default();
        return Reply::After(Duration::from_secs(3_600), Box::new(Reply::Nothing));
    }
    let tools = tools(turn);
    let words = match tools.is_empty() {
        true => Words::Text(json!({"output": {"days": 30}, "confidence": 0.9}).to_string()),
        false => Words::Calls(tools),
    };
    counted(said(&words, turn, (20, 0)))
}

/// The same with ten tokens of an answer, however long it is.
fn counted(reply: Reply) -> Reply {
    let Reply::Events(events) = reply else { return reply };
    let events = events.into_iter().map(|event| {
        let Ok(mut event) = serde_json::from_str::<Value>(&event) else { return event };
        if event["usage"].is_object() {
            event["usage"]["completion_tokens"] = 10.into();
        }
        event.to_string()
    });
    Reply::Events(events.collect())
}

/// A worker, in a process of its own; in the suite it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker() {
    let Ok(url) = std::env::var(URL) else { return };
    let log = tracing_subscriber::fmt().with_env_filter("warn").with_ansi(false);
    log.with_writer(std::io::stderr).init();
    let connection = connect(ConnectOptions::new(url, "reader")).await.expect("connection");
    let bus = JetStreamBus::open(&connection).await.expect("bus");
    let topology = bus.streams().topology;
    let packs = KvPacks::open(connection.js.clone(), topology).await.expect("packs");
    let file = std::env::var(FILE).ok();
    let all = places().into_iter().filter(|_| file.is_some());
    let stops = all.filter_map(|place| Some((task_of(&place), stop_of(&place)?))).collect();
    let stumbling = Stumbling::new(bus.clone(), stops, move |task| {
        let file = file.as_deref().expect("it stops nowhere else");
        let mut file = OpenOptions::new().append(true).create(true).open(file).expect("open");
        file.write_all(format!("{task}\n").as_bytes()).expect("written");
    });
    let worker = Worker::new(stumbling, packs, AgentRunner::new(bus), WorkerOptions::default());
    let (_handle, child) = worker.role("reader".parse().expect("a name"));
    let options = supervise::Options::default();
    let _supervisor = Supervisor::start("reader", options, vec![child], None).await.expect("up");
    std::future::pending::<()>().await;
}

struct World {
    bed: Bed,
    stack: Stack,
    book: Shared,
    server: LocalServer,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let (book, bed) = (Shared::default(), Bed::new().await);
        let server = provider(&book).await;
        let answer = r#"{"type": "object", "properties": {"days": {}}, "required": ["days"]}"#;
        let terms = r#"{"type": "object", "properties": {"days": {"type": "integer"}}}"#;
        let files = [
            ("contracts/any.v1.json", packs::ANYTHING),
            ("contracts/answer.v1.json", answer),
            ("contracts/terms.v1.json", terms),
            ("prompts/reader.md", "Read the text."),
            ("documents/handbook.md", "Fees are due in May."),
        ];
        bed.apply(&packs::pack(PACK, &files)).await;
        let services = StackOptions { agents: None, inference: None, ..StackOptions::all() };
        let stack = bed.stack_of(services).await;
        Self { bed, stack, book, server, folder: tempfile::tempdir().expect("a folder") }
    }

    /// A gateway, in a process of its own.
    async fn gateway(&self, key: &str) -> Process {
        let providers = format!("openai={}", self.server.url("/v1/"));
        let variables = [("CADRE_PROVIDERS", providers.as_str()), ("OPENAI_API_KEY", key)];
        Process::serve_with(&self.bed.server.url(), &["--role", "inference"], &variables).await
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("stopped")
    }

    fn worker(&self, file: Option<&Path>) -> Process {
        let mut command = Command::new(std::env::current_exe().expect("a test"));
        command.args(["--exact", "journey::a_worker", "--nocapture"]);
        command.env(URL, self.bed.server.urls().join(","));
        if let Some(file) = file {
            command.env(FILE, file);
        }
        Process::spawn(&format!("worker, stops: {}", file.is_some()), command)
    }

    async fn publish(&self, place: &str) -> TaskId {
        self.bed.publish("journey", place, &json!({ "place": place })).await
    }

    /// Waits until so many tasks have stopped at their places.
    async fn stopped(&self, count: usize) {
        let all = async {
            let mut look = interval(Duration::from_millis(20));
            loop {
                let stopped = fs::read_to_string(self.file()).unwrap_or_default().lines().count();
                if stopped + self.book.lock().expect("open").held.len() >= count {
                    return;
                }
                look.tick().await;
            }
        };
        timeout(PATIENCE, all).await.expect("all stop in time");
    }

    /// How often each turn of the place was asked.
    fn asked(&self, place: &str) -> Vec<usize> {
        let book = self.book.lock().expect("open");
        let count = |turn| book.asked.get(&(place.to_owned(), turn)).copied().unwrap_or_default();
        (0..TURNS).map(count).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_each_entry_of_its_journal_has_nothing_paid_twice() {
    let world = World::new().await;
    let _gateway = world.gateway("sk-one").await;
    let mut first = world.worker(Some(&world.file()));
    let mut tasks = Vec::new();
    for place in places() {
        let task = world.publish(&place).await;
        tasks.push((place, task));
    }
    world.stopped(tasks.len() - 1).await;
    first.kill().await;
    let _second = world.worker(None);
    for (place, task) in &tasks {
        let answer = world.bed.answer(task).await;
        assert_eq!(answer["status"], "completed", "{place}: {answer}");
        assert_eq!(answer["result"], json!({"days": 30}), "{place}");
        let mut expected = [1; TURNS];
        let lost = lost_turn(place);
        if let Some(turn) = lost {
            expected[turn] += 1;
        }
        assert_eq!(world.asked(place), expected, "{place}");
        let all = COST_USD_MICROS * TURNS as u64;
        let calls = Calls::of(&world.bed, task).await;
        let counted = (calls.models.len(), calls.tools, calls.usd_micros());
        assert_eq!(counted, (TURNS, TOOLS, all), "{place}");
        // Nobody knows what a lost call cost: what was set aside for it counts, and nothing else.
        let cost = answer["usd_micros"].as_u64().expect("a cost");
        assert_eq!(cost > all, lost.is_some(), "{place}: {cost} for {all}");
    }
    let tasks: Vec<TaskId> = tasks.into_iter().map(|(_, task)| task).collect();
    verdict::is_clean_at_rest(&world.bed, &tasks).await;
    world.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_in_mid_call_costs_that_call_and_another_one_answers() {
    let world = World::new().await;
    let mut gateways = [world.gateway("sk-one").await, world.gateway("sk-two").await];
    let _worker = world.worker(None);
    let task = world.publish("during 3").await;
    world.stopped(1).await;
    let is_first = world.book.lock().expect("open").key == "sk-one";
    gateways[usize::from(!is_first)].kill().await;
    let answer = world.bed.answer(&task).await;
    assert_eq!((&answer["status"], &answer["result"]), (&json!("completed"), &json!({"days": 30})));
    assert_eq!(world.asked("during 3"), [1, 1, 1, 2, 1, 1], "what was answered is not asked again");
    let (all, cost) = (COST_USD_MICROS * TURNS as u64, answer["usd_micros"].as_u64());
    assert!(cost.is_some_and(|cost| cost > all), "the lost call may be on the bill: {answer}");
    verdict::is_clean_at_rest(&world.bed, &[task]).await;
    world.stack.stop().await;
}
