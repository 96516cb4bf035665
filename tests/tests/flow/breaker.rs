//! `cadre breaker` as people run it, and what the processes make of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cadre_core::{
    breaker::{Call, CallOutcome, Permit, Settings, Target},
    ports::OrchestratorBus as _,
    task::Outcome,
    workflow::{Grant, Workflow},
};
use cadre_nats::{
    breakers::KvBreakers,
    connect::{ConnectOptions, connect},
};
use cadre_runtime::{
    breaker::{BreakerOptions, BreakerService, Breakers},
    supervise::{self, Supervisor},
    worker::{CallSpec, Made, Ran, Step, StepRunner, Worker, WorkerOptions},
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
    process::program,
};
use serde_json::Value;
use tokio::{process::Command, time::timeout};

/// The program on this broker: its exit code, data and talk.
async fn cadre(bed: &Bed, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(program());
    command.args(args).args(["--nats", &bed.server.url()]).env("NO_COLOR", "1");
    command.env("USER", "ann").env_remove("CADRE_OUTPUT");
    let output = command.output().await.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

async fn rows(bed: &Bed, args: &[&str]) -> Vec<Value> {
    let (code, data, talk) = cadre(bed, args).await;
    assert_eq!(code, 0, "cadre {args:?}\n{talk}");
    data.lines().map(|line| serde_json::from_str(line).expect("json")).collect()
}

async fn service(bed: &Bed, pod: &str) -> BreakerService {
    let options = ConnectOptions::new(bed.server.url(), pod);
    let connection = connect(options).await.expect("connected");
    let clock = bed.bus.streams().clock.clone();
    let board = KvBreakers::open(&connection.js, clock).await.expect("a board");
    let options =
        BreakerOptions { pod: pod.parse().expect("a name"), settings: Settings::default() };
    BreakerService::start(board, options, None).await.expect("started")
}

fn target() -> Target {
    "role.echoes-r1".parse().expect("a target")
}

/// Waits until calls of the target may go out, or not; how long that took.
async fn becomes(breakers: &Breakers, target: &Target, is_open: bool) -> Duration {
    let began = tokio::time::Instant::now();
    let reached = async {
        while matches!(breakers.permit(target), Permit::No { .. }) != is_open {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("in time");
    began.elapsed()
}

fn fail(breakers: &Breakers) {
    let outcome = CallOutcome::InfrastructureFailure;
    let call = Call { outcome, took: Duration::from_millis(5), usd_micros: 0 };
    (0..20).for_each(|_| breakers.record(&target(), call));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_holds_a_breaker_and_every_process_obeys() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let (one, two) = (service(&bed, "one").await, service(&bed, "two").await);
    assert_eq!(rows(&bed, &["breaker", "ls", "-o", "ndjson"]).await, Vec::<Value>::new());

    let open = ["breaker", "open", "role.echoes-r1", "--for", "10m", "--reason", "a rollout"];
    let (code, data, talk) = cadre(&bed, &open).await;
    assert_eq!(code, 0, "{talk}");
    assert!(data.contains("forced open") && data.contains("a rollout"), "{data}");
    for service in [&one, &two] {
        let took = becomes(&service.breakers(), &target(), true).await;
        assert!(took < Duration::from_secs(1), "heard within a second of the answer: {took:?}");
    }
    let listed = rows(&bed, &["breaker", "ls", "-o", "ndjson"]).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let row = &listed[0];
    assert_eq!((&row["target"], &row["state"]), (&"role.echoes-r1".into(), &"forced open".into()));
    assert_eq!((&row["reason"], &row["forced_by"]), (&"a rollout".into(), &"ann".into()));

    rows(&bed, &["breaker", "close", "role.echoes-r1", "-o", "ndjson"]).await;
    becomes(&one.breakers(), &target(), false).await;
    fail(&one.breakers());
    assert_eq!(one.breakers().permit(&target()), Permit::Yes, "held closed");

    let reset = rows(&bed, &["breaker", "reset", "role.echoes-r1", "-o", "ndjson"]).await;
    assert_eq!(reset[0]["state"], "closed");
    assert_eq!(cadre(&bed, &["breaker", "ls", "-o", "id"]).await.1, "");
    assert_eq!(cadre(&bed, &["breaker", "ls", "--all", "-o", "id"]).await.1, "role.echoes-r1\n");
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_see_failures_stop_the_third_within_a_second() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let (one, two) = (service(&bed, "one").await, service(&bed, "two").await);
    let three = service(&bed, "three").await;
    // A report that comes after all beats cannot be taken for one of a fleet of two.
    let clock = bed.bus.streams().clock.clone();
    let board = KvBreakers::open(&bed.connection.js, clock).await.expect("a board");
    let are_known = async { while board.content().await.expect("read").pods.len() < 3 {} };
    timeout(PATIENCE, are_known).await.expect("three beats");
    fail(&one.breakers());
    let is_reported =
        async { while rows(&bed, &["breaker", "ls", "-o", "ndjson"]).await.is_empty() {} };
    timeout(PATIENCE, is_reported).await.expect("reported");
    assert_eq!(three.breakers().permit(&target()), Permit::Yes, "one is not enough");
    fail(&two.breakers());
    let took = becomes(&three.breakers(), &target(), true).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    let listed = rows(&bed, &["breaker", "ls", "-o", "ndjson"]).await;
    assert_eq!(listed[0]["reporters"], serde_json::json!(["one", "two"]), "{listed:?}");
    assert_eq!(listed[0]["reason"], "20 of 20 calls failed within 30 s");
    for service in [one, two, three] {
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_of_now_however_quiet_the_broker_was() {
    /// Longer than anything that the broker stamps travels.
    const QUIET: Duration = Duration::from_secs(3);
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let one = service(&bed, "one").await;
    fail(&one.breakers());
    let is_reported =
        async { while rows(&bed, &["breaker", "ls", "-o", "ndjson"]).await.is_empty() {} };
    timeout(PATIENCE, is_reported).await.expect("reported");
    one.stop().await;
    // Nothing is stored any more, so no message tells what time it is.
    let (quiet, mut look) = (bed.bus.now().after(QUIET), tokio::time::interval(QUIET / 50));
    while bed.bus.now() < quiet {
        look.tick().await;
    }
    let before = bed.bus.now();
    rows(&bed, &["breaker", "reset", "role.echoes-r1", "-o", "ndjson"]).await;
    let clock = bed.bus.streams().clock.clone();
    let board = KvBreakers::open(&bed.connection.js, clock).await.expect("a board");
    let hints = board.content().await.expect("read").hints;
    let hints = hints.into_iter().filter_map(|(_, posted)| posted.hint.ok().flatten());
    let closed: Vec<_> = hints.map(|hint| hint.closed_at).collect();
    assert!(closed.len() == 1 && closed[0] >= before, "{closed:?} is not after {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_role_is_refused_unless_it_is_meant() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let (code, data, talk) = cadre(&bed, &["breaker", "open", "role.echos"]).await;
    assert_eq!((code, data.as_str()), (3, ""), "{talk}");
    assert!(
        talk.contains("role echos (roles are echoes-r1)") && talk.contains("--force"),
        "{talk}"
    );
    let (code, _, talk) = cadre(&bed, &["breaker", "open", "role.echos", "--force"]).await;
    assert!(code == 0 && talk.contains("warning: no pack"), "{talk}");
    assert_eq!(
        cadre(&bed, &["breaker", "open", "model.large"]).await.0,
        0,
        "nobody declares models"
    );
    for bad in [
        &["breaker", "open", "extractor"][..],
        &["breaker", "open", "role.echoes-r1", "--for", "8d"],
        &["breaker", "open", "role.echoes-r1", "--for", "0s"],
    ] {
        assert_eq!(cadre(&bed, bad).await.0, 2, "{bad:?}");
    }
}

/// Calls the tool `bank`, and says what came of it.
struct Caller(Arc<AtomicUsize>);

impl StepRunner for Caller {
    async fn run(&self, step: &Step, _workflow: Arc<Workflow>) -> Ran {
        let pay = CallSpec::once("bank", step.input.clone(), "pay");
        let paid = step.call(pay, |_| async {
            self.0.fetch_add(1, Ordering::SeqCst);
            Made::Done { result: step.input.clone(), cost: Grant::default() }
        });
        match paid.await {
            Ok(output) => Outcome::Completed { output, confidence: None }.into(),
            Err(error) => Outcome::Failed(error.into()).into(),
        }
    }
}

const PAYING: &str = r#"apiVersion: pack/v1
name: paying
roles:
  caller: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 20s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 1m, max_steps: 3, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    pay: {role: caller, with: "${ goal }"}
  result:
    paid: {from: ["${ pay }"], required: false}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_held_open_is_not_called_and_the_answer_says_so() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PAYING, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let bank: Target = "tool.bank".parse().expect("a target");
    let (guard, calls) = (service(&bed, "worker").await, Arc::new(AtomicUsize::new(0)));
    let options = WorkerOptions { breakers: Some(guard.breakers()), ..WorkerOptions::default() };
    let runner = Caller(Arc::clone(&calls));
    let worker = Worker::new(bed.bus.clone(), bed.packs.clone(), runner, options);
    let (_door, child) = worker.role("caller".parse().expect("a name"));
    let options = supervise::Options::default();
    let payer = Supervisor::start("payer", options, vec![child], None).await.expect("up");

    let open = ["breaker", "open", "tool.bank", "--for", "10m", "--reason", "it is mended"];
    assert_eq!(cadre(&bed, &open).await.0, 0);
    becomes(&guard.breakers(), &bank, true).await;
    let task = bed.publish("paying", "shut", &serde_json::json!({"n": 1})).await;
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "partial", "{answer}");
    let cause = answer["missing"][0]["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("tool.bank") && cause.contains("it is mended"), "{answer}");
    assert_eq!(calls.load(Ordering::SeqCst), 0);

    assert_eq!(cadre(&bed, &["breaker", "reset", "tool.bank"]).await.0, 0);
    becomes(&guard.breakers(), &bank, false).await;
    let task = bed.publish("paying", "open", &serde_json::json!({"n": 1})).await;
    assert_eq!(bed.answer(&task).await["status"], "completed");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    payer.stop().await;
    guard.stop().await;
    stack.stop().await;
}
