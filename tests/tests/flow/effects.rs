//! Effects outside, by workers that are processes of their own, and are killed or frozen in the midst
//! of them. What happens outside is a line in a file: it can be counted.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cadre::timeline::follow;
use cadre_core::{
    ids::{StepId, TaskId},
    journal::CallRuling,
    payload::Payload,
    task::{Decision, Outcome, Ruling, StepState, Task, Usage},
    workflow::{Grant, Workflow},
};
use cadre_nats::{
    bus::JetStreamBus,
    connect::{ConnectOptions, connect},
    packs::KvPacks,
};
use cadre_runtime::{
    supervise::{self, Supervisor},
    worker::{CallSpec, Made, Making, Ran, Step, StepRunner, Worker, WorkerOptions},
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs,
    process::Process,
    shell::cadre,
    verdict,
};
use futures::StreamExt as _;
use serde_json::json;
use tokio::{
    process::Command,
    time::{interval, timeout},
};

/// Where the broker is, in the process of a worker.
const URL: &str = "CADRE_TEST_EFFECTS_URL";

/// The file of effects, in the process of a worker.
const FILE: &str = "CADRE_TEST_EFFECTS_FILE";

/// Where a worker stops going on: `ask`, `pay` or `report`, behind the effect; `idle`, having called nothing
/// and calling nothing; or nowhere.
const HANGS: &str = "CADRE_TEST_EFFECTS_HANGS";

const PACK: &str = r#"apiVersion: pack/v1
name: bill
roles:
  payer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    effects: once
    limits: {timeout: 60s, max_usd: 0.001, max_tokens: 100}
  clerk: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0.01, max_tokens: 1000}
  when_limited: partial
  steps:
    pay: {role: payer, with: "${ goal }"}
    file: {role: clerk, after: [pay], when: "goal.eur > 1000", with: "${ goal }"}
  result:
    paid: "${ pay }"
"#;

/// Asks a model, then pays, then thanks; each is a line in a file.
struct Payer {
    file: PathBuf,
    hangs: Option<String>,
}

impl Payer {
    async fn happens(&self, what: &str, making: Making) -> Made {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.file).expect("open");
        writeln!(file, "{what} {}", making.key).expect("written");
        self.hang(what).await;
        let cost =
            if what == "ask" { Grant { usd_micros: 30, tokens: 9 } } else { Grant::default() };
        let result = Payload::from_value(json!({ "did": what })).expect("small");
        Made::Done { result, cost }
    }

    async fn hang(&self, what: &str) {
        if self.hangs.as_deref() == Some(what) {
            // Until the test has killed it, or lets it go on.
            let mut look = interval(Duration::from_millis(20));
            while !self.file.with_extension("go").exists() {
                look.tick().await;
            }
        }
    }

    async fn work(&self, step: &Step) -> Result<Payload, cadre_runtime::worker::CallError> {
        let arguments = step.input.clone();
        if self.hangs.as_deref() == Some("idle") {
            fs::write(self.file.with_extension("idle"), "").expect("written");
            self.hang("idle").await;
            return Ok(arguments);
        }
        let most = Grant { usd_micros: 50, tokens: 20 };
        let ask = CallSpec::model("m1", arguments.clone(), most);
        step.call(ask, |making| self.happens("ask", making)).await?;
        let pay = CallSpec::once("bank", arguments.clone(), "pay 30 EUR to Ada");
        let paid = step.call(pay, |making| self.happens("pay", making)).await?;
        let thank = CallSpec::idempotent("mail", arguments, "thank Ada");
        step.call(thank, |making| self.happens("thank", making)).await?;
        self.hang("report").await;
        Ok(paid)
    }
}

impl StepRunner for Payer {
    async fn run(&self, step: &Step, _workflow: Arc<Workflow>) -> Ran {
        let outcome = match self.work(step).await {
            Ok(output) => Outcome::Completed { output, confidence: None },
            Err(error) => Outcome::Failed(error.into()),
        };
        // What it says of its cost does not count.
        let usage = Usage { usd_micros: 999, tokens: 999, work_ms: 0 };
        Ran { outcome, usage, models: Vec::new(), degraded: None }
    }
}

/// A worker, in a process of its own; in the suite it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker() {
    let Ok(url) = std::env::var(URL) else { return };
    let log = tracing_subscriber::fmt().with_env_filter("warn").with_ansi(false);
    log.with_writer(std::io::stderr).init();
    let file = PathBuf::from(std::env::var(FILE).expect("a file"));
    let hangs = std::env::var(HANGS).ok();
    let connection = connect(ConnectOptions::new(url, "payer")).await.expect("connection");
    let bus = JetStreamBus::open(&connection).await.expect("bus");
    let topology = bus.streams().topology;
    let packs = KvPacks::open(connection.js.clone(), topology).await.expect("packs");
    let worker = hangs.clone().unwrap_or_else(|| "healthy".to_owned());
    let options = WorkerOptions { worker, ..WorkerOptions::default() };
    let worker = Worker::new(bus, packs, Payer { file, hangs }, options);
    let (_handle, child) = worker.role("payer".parse().expect("a name"));
    let options = supervise::Options::default();
    let _supervisor = Supervisor::start("payer", options, vec![child], None).await.expect("up");
    std::future::pending::<()>().await;
}

/// How long a payment may take, in the pack.
const TIMEOUT: &str = "timeout: 60s, max_usd";

struct World {
    bed: Bed,
    stack: cadre::stack::Stack,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::within(TIMEOUT).await
    }

    /// The same, with a payment that may take less long.
    async fn within(payment: &str) -> Self {
        let bed = Bed::new().await;
        let answer = r#"{"type": "object", "properties": {"paid": {}}, "required": ["paid"]}"#;
        let contracts =
            [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
        assert!(PACK.contains(TIMEOUT), "{PACK}");
        bed.apply(&packs::pack(&PACK.replace(TIMEOUT, payment), &contracts)).await;
        let stack = bed.stack().await;
        Self { bed, stack, folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("effects")
    }

    /// Starts a worker that hangs behind the effect of this name.
    fn worker(&self, hangs: Option<&str>) -> Process {
        let mut command = Command::new(std::env::current_exe().expect("a test"));
        command.args(["--exact", "effects::a_worker", "--nocapture"]);
        command.env(URL, self.bed.server.urls().join(",")).env(FILE, self.file());
        if let Some(hangs) = hangs {
            command.env(HANGS, hangs);
        }
        Process::spawn(&format!("worker that hangs at {hangs:?}"), command)
    }

    /// Waits until an effect has happened.
    async fn happened(&self, what: &str) {
        let seen = async {
            let mut look = interval(Duration::from_millis(20));
            while effects(&self.file(), what) == 0 {
                look.tick().await;
            }
        };
        timeout(PATIENCE, seen).await.expect("an effect in time");
    }

    /// Follows the task until something holds.
    async fn until(&self, task: &TaskId, what: impl Fn(&Task) -> bool) -> Task {
        let reached = async {
            let mut records = follow(&self.bed.bus, task).await.expect("a log");
            let mut state = None;
            while let Some(record) = records.next().await {
                Task::fold(&mut state, &record.expect("a record"));
                if let Some(state) = state.as_ref().filter(|state| what(state)) {
                    return state.clone();
                }
            }
            panic!("task {task} ended before: {state:?}");
        };
        timeout(PATIENCE, reached).await.expect("in time")
    }

    /// Waits until a person is asked, and answers as one who has looked.
    async fn rule(&self, task: &TaskId, ruling: CallRuling) {
        let id = StepId::parse("pay").expect("a step");
        let asks = |task: &Task| matches!(step(task), Some(StepState::Waiting { .. }));
        let asked = self.until(task, asks).await;
        let Some(StepState::Waiting { ask, .. }) = step(&asked) else { panic!("{asked:?}") };
        let attempt = asked.steps[&id].attempt;
        let shown = ask.content.as_ref().expect("evidence").value();
        assert_eq!(shown["calls"][0]["description"], "pay 30 EUR to Ada", "{shown}");
        assert_eq!(shown["calls"][0]["key"], format!("{task}.pay.2"));
        let hash = ask.hash(task, &id, attempt);
        let (by, comment, ruling) = ("ada".to_owned(), String::new(), Ruling::Call(ruling));
        let decision = Decision { step: id, by, hash, ruling, comment };
        self.bed.bus.decide(task, &decision).await.expect("sent");
    }

    /// Answers the question what has come of an attempt without a report, with the step's output.
    async fn answer_doubt(&self, task: &TaskId) {
        let id = StepId::parse("pay").expect("a step");
        let asked = self.bed.task(task).await;
        let Some(StepState::Waiting { ask, .. }) = step(&asked) else { panic!("{asked:?}") };
        let hash = ask.hash(task, &id, asked.steps[&id].attempt);
        let output = Payload::from_value(json!({"did": "pay, says the bank"})).expect("small");
        let (by, comment, ruling) = ("ada".to_owned(), String::new(), Ruling::GrantWith(output));
        let decision = Decision { step: id, by, hash, ruling, comment };
        self.bed.bus.decide(task, &decision).await.expect("sent");
    }

    /// The end: completed, every rule holds, and so many of each effect.
    async fn ends(self, task: TaskId, expected: [usize; 3]) {
        let answer = self.bed.answer(&task).await;
        assert_eq!(answer["status"], "completed", "{answer}");
        let counted = ["ask", "pay", "thank"].map(|what| effects(&self.file(), what));
        assert_eq!(counted, expected);
        verdict::is_clean_at_rest(&self.bed, &[task]).await;
        self.stack.stop().await;
    }
}

fn step(task: &Task) -> Option<&StepState> {
    task.steps.get(&StepId::parse("pay").ok()?).map(|step| &step.state)
}

fn effects(file: &Path, what: &str) -> usize {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| line.split(' ').next() == Some(what)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_behind_its_calls_costs_nothing_twice() {
    let world = World::new().await;
    let mut first = world.worker(Some("report"));
    let task = world.bed.publish("bill", "a", &json!({"eur": 30})).await;
    world.happened("thank").await;
    // Its outcome is durable before the runner goes on; the kill may still be faster than that.
    let journals = async {
        let mut look = interval(Duration::from_millis(20));
        loop {
            look.tick().await;
            let journals = world.bed.bus.read_journals(&task).await.expect("journals");
            if journals.first().is_some_and(|(_, pages)| pages.entries.len() == 7) {
                return;
            }
        }
    };
    timeout(PATIENCE, journals).await.expect("whole in time");
    first.kill().await;
    let _second = world.worker(None);
    let answer = world.bed.answer(&task).await;
    assert_eq!((&answer["tokens"], &answer["usd_micros"]), (&json!(9), &json!(30)));
    let said = cadre(&world.bed, &["task", "calls", task.as_str(), "-o", "json"]).await;
    assert_eq!(said.code, Some(0), "{}", said.talk);
    let calls: serde_json::Value = serde_json::from_str(said.text()).expect("json");
    let outcomes: Vec<_> = calls["calls"].as_array().expect("calls").iter().collect();
    assert_eq!(outcomes.len(), 3, "{calls}");
    assert!(outcomes.iter().all(|call| call["outcome"] == "done"), "{calls}");
    world.ends(task, [1, 1, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_the_midst_of_a_payment_asks_a_person() {
    let world = World::new().await;
    let mut first = world.worker(Some("pay"));
    let task = world.bed.publish("bill", "a", &json!({"eur": 30})).await;
    world.happened("pay").await;
    first.kill().await;
    let _second = world.worker(None);
    let receipt = Payload::from_value(json!({"did": "pay, says the bank"})).expect("small");
    world.rule(&task, CallRuling::Happened(receipt)).await;
    let answer = world.bed.answer(&task).await;
    assert_eq!(answer["result"]["paid"]["did"], "pay, says the bank");
    // The first attempt reported what the model cost; the second has asked no model.
    assert_eq!((&answer["tokens"], &answer["usd_micros"]), (&json!(9), &json!(30)));
    world.ends(task, [1, 1, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_did_not_happen_is_made_again() {
    let world = World::new().await;
    let mut first = world.worker(Some("pay"));
    let task = world.bed.publish("bill", "a", &json!({"eur": 30})).await;
    world.happened("pay").await;
    first.kill().await;
    let _second = world.worker(None);
    world.rule(&task, CallRuling::DidNot).await;
    // Whoever says so answers for it.
    world.ends(task, [1, 2, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_frozen_in_the_midst_of_a_call_is_replaced_for_good() {
    let world = World::new().await;
    let frozen = world.worker(Some("ask"));
    let task = world.bed.publish("bill", "a", &json!({"eur": 30})).await;
    world.happened("ask").await;
    frozen.freeze().await;
    let _second = world.worker(None);
    world.until(&task, |task| task.ended().is_some()).await;
    // Thawed, it makes an end of its call, and finds that nobody waits for it.
    fs::write(world.file().with_extension("go"), "").expect("written");
    frozen.thaw().await;
    let gives_up = async {
        let mut look = interval(Duration::from_millis(50));
        while !frozen.lines().iter().any(|line| line.contains("taken over by another worker")) {
            look.tick().await;
        }
    };
    timeout(PATIENCE, gives_up).await.expect("given up in time");
    world.ends(task, [2, 1, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_that_called_nothing_sees_that_its_report_is_late() {
    let world = World::new().await;
    let frozen = world.worker(Some("idle"));
    let task = world.bed.publish("bill", "a", &json!({"eur": 2_000})).await;
    let begun = async {
        let mut look = interval(Duration::from_millis(20));
        while !world.file().with_extension("idle").exists() {
            look.tick().await;
        }
    };
    timeout(PATIENCE, begun).await.expect("begun in time");
    frozen.freeze().await;
    let _second = world.worker(None);
    // The task goes on, so nobody tells anybody to stop.
    let paid = |task: &Task| matches!(step(task), Some(StepState::Completed { .. }));
    let rev = world.until(&task, paid).await.rev;
    fs::write(world.file().with_extension("go"), "").expect("written");
    frozen.thaw().await;
    let gives_up = async {
        let mut look = interval(Duration::from_millis(50));
        while !frozen.lines().iter().any(|line| line.contains("its report comes too late")) {
            look.tick().await;
        }
    };
    timeout(PATIENCE, gives_up).await.expect("refused in time");
    assert_eq!(world.bed.task(&task).await.rev, rev, "nobody else has heard of it");
    Hand::of(&world.bed, "clerk").await.order().await.complete(&json!({})).await;
    world.ends(task, [1, 1, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_without_a_report_costs_what_its_journal_says_and_once() {
    let world = World::within("timeout: 4s, max_usd").await;
    let mut first = world.worker(Some("pay"));
    let task = world.bed.publish("bill", "a", &json!({"eur": 30})).await;
    world.happened("pay").await;
    first.kill().await;
    // Nobody takes it over: its time runs out, and a person is asked.
    let asks = |task: &Task| matches!(step(task), Some(StepState::Waiting { .. }));
    let asked = world.until(&task, asks).await;
    assert_eq!((asked.usage.tokens, asked.usage.usd_micros), (9, 30), "{asked:?}");

    // A worker comes, too late for that attempt: it says nothing about it any more.
    let _second = world.worker(None);
    world.answer_doubt(&task).await;
    let answer = world.bed.answer(&task).await;
    assert_eq!((&answer["tokens"], &answer["usd_micros"]), (&json!(9), &json!(30)), "{answer}");
    verdict::is_clean_at_rest(&world.bed, &[task]).await;
    world.stack.stop().await;
}
