//! Agents that ask models, in processes of their own that are killed anywhere in a conversation. What the
//! model's provider is asked is a line in a file: it can be counted.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::PathBuf,
    time::Duration,
};

use cadre::stack::StackOptions;
use cadre_agent::AgentRunner;
use cadre_core::{
    ids::TaskId,
    model::{Choice, Finish, ModelAnswer, ModelFailure, ModelRequest, Said, ToolCall, Turn},
    ports::{Clock, Models},
    time::UnixMillis,
    workflow::Grant,
};
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
    packs,
    process::Process,
    shell::{cadre, fine},
    verdict,
};
use serde_json::{Value, json};
use tokio::{
    process::Command,
    time::{interval, timeout},
};

/// Where the broker is, in the process of a worker.
const URL: &str = "CADRE_TEST_AGENTS_URL";

/// The file of questions, in the process of a worker.
const FILE: &str = "CADRE_TEST_AGENTS_FILE";

/// Whether a worker stops where its task's input says.
const HANGS: &str = "CADRE_TEST_AGENTS_HANGS";

/// Questions of a step that nobody disturbs.
const QUESTIONS: usize = 6;

/// What each answer costs.
const COST: Grant = Grant { usd_micros: 70, tokens: 30 };

/// More than what one call sets aside, and less than two do: by the table up to 2,000 tokens of an answer cost
/// 10,000 millionths of a dollar, and the prompt is short.
const RESERVED_MAX: u64 = 16_000;

const PACK: &str = r#"apiVersion: pack/v1
name: reading
models:
  cheap: {routes: [{model: simulated/cheap}]}
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

/// A provider that writes down each question, and says the same whenever it is asked the same.
#[derive(Clone)]
struct Oracle {
    bus: JetStreamBus,
    file: PathBuf,
    hangs: bool,
}

impl Clock for Oracle {
    fn time(&self) -> UnixMillis {
        self.bus.time()
    }
}

impl Models for Oracle {
    async fn ask(&self, request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
        let turns = request.prompt.turns.iter().filter(|turn| matches!(turn, Turn::Model { .. }));
        let turn = turns.count();
        self.hang(&request, &format!("before {turn}")).await;
        self.note(&format!("asked {}", request.key));
        self.hang(&request, &format!("behind {turn}")).await;
        let choice = Choice { model: "simulated/cheap".to_owned(), ..Choice::default() };
        let took = Duration::from_millis(1);
        Ok(ModelAnswer { said: say(turn), cost: COST, choice, took })
    }
}

impl Oracle {
    /// Stops going on where the task's input says, if this is such a worker.
    async fn hang(&self, request: &ModelRequest, place: &str) {
        let Some(Turn::User(input)) = request.prompt.turns.first() else { return };
        if self.hangs && input.contains(&format!("\"{place}\"")) {
            self.note(&format!("hangs {}", request.task));
            std::future::pending::<()>().await;
        }
    }

    fn note(&self, line: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file).expect("open");
        // One write, so that lines of several tasks do not mix.
        file.write_all(format!("{line}\n").as_bytes()).expect("written");
    }
}

/// Looks things up for five turns, two at once in the third, then answers.
fn say(turn: usize) -> Said {
    if turn + 1 == QUESTIONS {
        let text = json!({"output": {"days": 30}, "confidence": 0.9}).to_string();
        return Said { text, ..Said::default() };
    }
    let call = |id: &str, tool: &str, arguments: Value| ToolCall {
        id: id.to_owned(),
        tool: tool.to_owned(),
        arguments,
    };
    let mut calls = vec![call("a", "lookup", json!({"query": "fees", "max": turn % 5 + 1}))];
    if turn == 2 {
        calls.push(call("b", "clock", json!({})));
    }
    Said { calls, finish: Finish::Tools, ..Said::default() }
}

/// A worker, in a process of its own; in the suite it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker() {
    let Ok(url) = std::env::var(URL) else { return };
    let log = tracing_subscriber::fmt().with_env_filter("warn").with_ansi(false);
    log.with_writer(std::io::stderr).init();
    let file = PathBuf::from(std::env::var(FILE).expect("a file"));
    let connection = connect(ConnectOptions::new(url, "reader")).await.expect("connection");
    let bus = JetStreamBus::open(&connection).await.expect("bus");
    let topology = bus.streams().topology;
    let packs = KvPacks::open(connection.js.clone(), topology).await.expect("packs");
    let oracle = Oracle { bus: bus.clone(), file, hangs: std::env::var(HANGS).is_ok() };
    let options = WorkerOptions::default();
    let worker = Worker::new(bus, packs, AgentRunner::new(oracle), options);
    let (_handle, child) = worker.role("reader".parse().expect("a name"));
    let options = supervise::Options::default();
    let _supervisor = Supervisor::start("reader", options, vec![child], None).await.expect("up");
    std::future::pending::<()>().await;
}

fn worker(bed: &Bed, file: &PathBuf, hangs: bool) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("a test"));
    command.args(["--exact", "agents::a_worker", "--nocapture"]);
    command.env(URL, bed.server.urls().join(",")).env(FILE, file);
    if hangs {
        command.env(HANGS, "1");
    }
    Process::spawn(&format!("worker, hangs: {hangs}"), command)
}

/// Lines of the file that begin so, by what comes behind.
fn lines(file: &PathBuf, verb: &str) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        if let Some((_, what)) = line.split_once(' ').filter(|(first, _)| *first == verb) {
            *counted.entry(what.to_owned()).or_default() += 1;
        }
    }
    counted
}

/// What the journal of the task's step says: so many calls of each kind, and what models cost in all.
async fn paid(bed: &Bed, task: &TaskId) -> (usize, usize, u64) {
    let said = cadre(bed, &["task", "calls", task.as_str(), "-o", "json"]).await;
    assert_eq!(said.code, Some(0), "{}", said.talk);
    let calls: Value = serde_json::from_str(said.text()).expect("json");
    let calls = calls["calls"].as_array().expect("calls").clone();
    assert!(calls.iter().all(|call| call["outcome"] == "done"), "{calls:?}");
    let models: Vec<_> = calls.iter().filter(|call| call["kind"] == "model").collect();
    let cost = models.iter().filter_map(|call| call["usd_micros"].as_u64()).sum();
    (models.len(), calls.len() - models.len(), cost)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_at_any_call_pays_for_nothing_twice() {
    let bed = Bed::new().await;
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
    let stack = bed.stack_of(StackOptions { agents: None, ..StackOptions::all() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("questions");

    let mut first = worker(&bed, &file, true);
    let places = (0..QUESTIONS).flat_map(|n| [format!("before {n}"), format!("behind {n}")]);
    let mut tasks = Vec::new();
    for place in places.chain(["nowhere".to_owned()]) {
        let task = bed.publish("reading", &place, &json!({ "hang": place })).await;
        tasks.push((place, task));
    }
    let all_hang = async {
        let mut look = interval(Duration::from_millis(20));
        while lines(&file, "hangs").len() + 1 < tasks.len() {
            look.tick().await;
        }
    };
    timeout(PATIENCE, all_hang).await.expect("all hang in time");
    first.kill().await;
    let _second = worker(&bed, &file, false);

    for (place, task) in &tasks {
        let answer = bed.answer(task).await;
        assert_eq!(
            (&answer["status"], &answer["result"]["days"]),
            (&json!("completed"), &json!(30))
        );
        let models_cost = COST.usd_micros * QUESTIONS as u64;
        assert_eq!(paid(&bed, task).await, (QUESTIONS, 6, models_cost), "{place}");
        // Each answer is billed once; of the call that was out nobody knows, so it counts as what it may cost.
        let bill = answer["usd_micros"].as_u64().expect("a bill");
        let lost = bill.checked_sub(models_cost).expect("no answer is missing on the bill");
        assert!(lost < RESERVED_MAX, "{place}: {lost} beside the answers");
        assert!(place == "nowhere" || lost > 0, "{place}: the call that was out is free");
        let asked = lines(&file, "asked");
        let asked = asked.iter().filter(|(key, _)| key.starts_with(task.as_str()));
        let counts: Vec<usize> = asked.map(|(_, count)| *count).collect();
        assert_eq!(counts.len(), QUESTIONS, "{place}: each question has a key of its own");
        // Only the question that was out when the worker died may be asked again.
        let again = usize::from(place.starts_with("behind"));
        assert_eq!(counts.iter().sum::<usize>(), QUESTIONS + again, "{place}");
    }
    let why = fine(&bed, &["task", "why", tasks[0].1.as_str()]).await;
    let told =
        "Step read, call 1: asked simulated/cheap; 0 tokens in (0 cached), 0 out, 70 micro-USD";
    assert!(why.text().contains(told), "{}", why.text());
    let tasks: Vec<TaskId> = tasks.into_iter().map(|(_, task)| task).collect();
    verdict::is_clean_at_rest(&bed, &tasks).await;
    stack.stop().await;
}
