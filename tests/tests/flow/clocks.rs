//! Time is the broker's: what a process believes of the time of day decides nothing.

use std::time::Duration;

use cadre::stack::StackOptions;
use cadre_agent::RoleSelection;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    ports::{OrchestratorBus as _, OrderTerms},
    task::{FailureKind, Goal, GoalLimits, Order, StepState},
    time::UnixMillis,
    workflow::Grant,
};
use cadre_proto::{Blobs, ContentType, order, subject::infer};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs, plain,
    process::{Process, program},
    skew::Skew,
    verdict,
};
use futures::StreamExt as _;
use serde_json::json;
use tokio::{process::Command, time::timeout};

/// The pause between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How late an end may be. Measured were 12 to 19 ms, on two cores that others kept busy.
const LATE_MAX: Duration = Duration::from_secs(1);

/// Five minutes.
const SKEW_S: i64 = 300;

/// Steps that are done at once, and one that nobody does.
const PACK: &str = r#"apiVersion: pack/v1
name: timed
roles:
  nobody: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
  copier: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 20s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    quick: {role: copier, with: "${ goal }"}
    never: {role: nobody, when: "goal.wait", with: "${ goal }"}
  result:
    quick: {from: ["${ quick }"], required: false}
    never: {from: ["${ never }"], required: false}
"#;

async fn bed() -> Bed {
    let answer = r#"{"type": "object", "properties": {"quick": {}, "never": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &contracts)).await;
    bed
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn agents_alone() -> StackOptions {
    StackOptions {
        orchestrator: false,
        aggregator: false,
        agents: Some(RoleSelection::All),
        ..StackOptions::all()
    }
}

/// A work order as an orchestrator would have written it.
async fn order(bed: &Bed, key: &str, deadline: UnixMillis) {
    let goal = Goal {
        task: TaskId::derive(&name("acme"), key),
        tenant: name("acme"),
        workflow: name("timed"),
        revision: "none".into(),
        key: key.to_owned(),
        digest: Hash::of(b""),
        input: Payload::null(),
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        fork: None,
    };
    let order = Order {
        goal: goal.into(),
        step: StepId::single(name("quick")),
        attempt: 1,
        role: name("copier"),
        input: Payload::from_value(json!({})).expect("small"),
        deadline,
        grant: Grant::default(),
        ruled: None,
        near: Vec::new(),
        rev: 1,
    };
    let (accepts, returns) = ("any@1".to_owned(), "any@1".to_owned());
    let terms = OrderTerms { accepts, returns, is_remote: false };
    bed.bus.order(order, terms, None).await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_worker_does_not_begin_what_ran_out_of_time_in_the_stream() {
    let bed = bed().await;
    let deadline = bed.bus.now().after(Duration::from_millis(300));
    order(&bed, "late", deadline).await;
    let mut look = tokio::time::interval(LOOK_EVERY);
    while bed.bus.now() <= deadline {
        look.tick().await;
    }
    // Its first message is the old order: nothing but asking the broker tells it how late it is.
    let stack = bed.stack_of(agents_alone()).await;
    plain::emptied(&bed, "CADRE_WORK_0").await;
    assert_eq!(plain::count(&bed, "CADRE_IN_0", "cadre.*.in.report.>").await, 0, "it ran");

    order(&bed, "early", bed.bus.now().after(Duration::from_secs(20))).await;
    plain::emptied(&bed, "CADRE_WORK_0").await;
    assert_eq!(plain::count(&bed, "CADRE_IN_0", "cadre.*.in.report.>").await, 1, "it did not run");
    stack.stop().await;
}

/// Publishes a goal that ends `within`, waits for that and says how late it was.
async fn deadline_met(bed: &Bed, key: &str, within: Duration) -> (TaskId, Duration) {
    let limit = within.as_millis().to_string();
    let headers = plain::headers(&[("Nats-Msg-Id", key), ("Cadre-Timeout-Ms", &limit)]);
    plain::publish(bed, "goals.acme.timed", headers, br#"{"wait": true}"#).await;
    let task = TaskId::derive(&name("acme"), key);
    let answer = bed.answer(&task).await;
    assert_eq!(answer["status"], "partial", "{answer}");
    assert_eq!(answer["result"]["quick"], json!({"wait": true}), "{answer}");
    assert_eq!(answer["missing"].as_array().map(Vec::len), Some(1), "{answer}");
    let missing = &answer["missing"][0];
    let cause = missing["cause"].as_str().unwrap_or_default();
    assert!(missing["step"] == "never" && cause.contains("deadline"), "{answer}");

    let stream = bed.connection.js.get_stream("CADRE_ANSWERS").await.expect("stream");
    let subject = format!("answers.acme.timed.{task}");
    let stored = stream.get_last_raw_message_by_subject(&subject).await.expect("an answer");
    let ended = stored.time.unix_timestamp_nanos() / 1_000_000;
    let ended = UnixMillis(u64::try_from(ended).expect("after 1970"));
    let after = bed.task(&task).await;
    let never = &after.steps[&StepId::single(name("never"))].state;
    let is_limited =
        matches!(never, StepState::Failed(failure) if failure.kind == FailureKind::Limit);
    assert!(is_limited, "{never:?}");
    assert!(ended >= after.deadline, "{key} ended before its deadline");
    // The broker fires a timer up to a quarter of a second late; the rest is ours.
    let log = bed.bus.read_log(&task).await.expect("a log");
    let decided = log.records.iter().map(|record| record.at).find(|at| *at >= after.deadline);
    let fired = decided.expect("a decision").since(after.deadline);
    let late = ended.since(after.deadline);
    eprintln!(
        "{key}: answered {} ms late, decided {} ms late",
        late.as_millis(),
        fired.as_millis()
    );
    (task, late)
}

/// Everything works with these clocks, and ends when the broker says that it is time.
async fn work(bed: &Bed, orchestrator: Vec<(String, String)>, workers: Vec<(String, String)>) {
    fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
    let url = bed.server.url();
    let (args, others) = (["--role", "orchestrator"], ["--role", "agent,aggregator"]);
    let mut orchestrator = Process::serve_with(&url, &args, &borrowed(&orchestrator)).await;
    let mut workers = Process::serve_with(&url, &others, &borrowed(&workers)).await;
    let mut tasks = Vec::new();
    for number in 0..8 {
        let input = json!({"wait": false, "n": number});
        tasks.push(bed.publish("timed", &format!("quick-{number}"), &input).await);
    }
    let (one, two) = (Duration::from_millis(700), Duration::from_millis(1_200));
    let (first, second) =
        tokio::join!(deadline_met(bed, "first", one), deadline_met(bed, "second", two));
    for (task, late) in [first, second] {
        assert!(late < LATE_MAX, "{late:?} late");
        tasks.push(task);
    }
    for task in &tasks[..8] {
        assert_eq!(bed.answer(task).await["status"], "completed");
    }
    let begun = bed.task(&tasks[0]).await.accepted_at;
    assert!(bed.bus.now().since(begun) < PATIENCE, "records have the broker's time");
    verdict::is_clean_at_rest(bed, &tasks).await;
    assert_eq!((orchestrator.stop().await, workers.stop().await), (Some(0), Some(0)));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_clock_of_a_process_matters_even_five_minutes_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let skew = Skew::build(folder.path()).await;
    for seconds in [SKEW_S, -SKEW_S] {
        let bed = bed().await;
        // First of all: the clock is wrong indeed.
        let mut doctor = Command::new(program());
        doctor.args(["doctor", "--nats", &bed.server.url()]).envs(skew.variables(seconds));
        let said = doctor.env("NO_COLOR", "1").output().await.expect("it runs");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let clock = said.lines().find(|line| line.contains("clock")).unwrap_or_default();
        assert!(clock.contains("5 min") || clock.contains("4 min 59 s"), "{said}");

        let (one, other) = (skew.variables(seconds), skew.variables(-seconds));
        work(&bed, one.into(), other.into()).await;
    }
}

/// One hop to a program, one to a worker of ours, and one from there to a gateway.
const HOPS: &str = r#"apiVersion: pack/v1
name: hops
models:
  own: {routes: [{model: own/any}], free: true}
roles:
  typist: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
  asker: {runtime: model, model: own, prompt: prompts/ask.md, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s, max_tokens: 100000}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 3, max_usd: 0, max_tokens: 100000}
  when_limited: partial
  steps:
    typed: {role: typist, with: "${ goal }"}
    asked: {role: asker, after: [typed], with: "${ typed }"}
  result:
    asked: {from: ["${ asked }"], required: false}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_hop_has_less_time_than_the_one_before_it() {
    const WHOLE_MS: u64 = 20_000;
    let bed = Bed::new().await;
    let files = [("contracts/any.v1.json", packs::ANYTHING), ("prompts/ask.md", "Answer.\n")];
    bed.apply(&packs::pack(HOPS, &files)).await;
    let stack = bed.stack_of(StackOptions { inference: None, ..StackOptions::all() }).await;
    // This test is the gateway.
    let asks = infer::ask(&name("acme"));
    let mut asks = bed.connection.client.subscribe(asks).await.expect("subscribed");
    bed.connection.client.flush().await.expect("flushed");
    let whole = WHOLE_MS.to_string();
    let headers = plain::headers(&[("Nats-Msg-Id", "k"), ("Cadre-Timeout-Ms", &whole)]);
    plain::publish(&bed, "goals.acme.hops", headers, b"{}").await;

    let typed = Hand::of(&bed, "typist").await.order().await;
    let first: u64 = typed.header("Cadre-Timeout-Ms").parse().expect("a number");
    typed.complete(&json!({})).await;
    let ask = timeout(PATIENCE, asks.next()).await.expect("in time").expect("a question");
    let work = bed.connection.js.get_stream("CADRE_WORK_0").await.expect("stream");
    let order = work.get_last_raw_message_by_subject("cadre.*.work.asker.>").await;
    let order = order.expect("it is not acknowledged yet");
    let stored = order.time.unix_timestamp_nanos() / 1_000_000;
    let stored = UnixMillis(u64::try_from(stored).expect("after 1970"));
    let parsed = order::parse(&order.payload, ContentType::Protobuf).expect("an order");
    let deadline = parsed.into_core(&Blobs::new()).expect("an order").deadline;
    let second = u64::try_from(deadline.since(stored).as_millis()).expect("short");
    let headers = ask.headers.expect("headers");
    let third = headers.get("Cadre-Timeout-Ms").map(|ms| ms.as_str().parse::<u64>());
    let third = third.expect("it is there").expect("a number");
    let hops = [WHOLE_MS, first, second, third];
    assert!(hops.is_sorted_by(|before, after| before > after), "{hops:?}");
    assert!(third > WHOLE_MS / 2, "what is left is passed on: {hops:?}");

    let task = TaskId::derive(&name("acme"), "k");
    bed.bus.cancel(&task, "ada", "seen").await.expect("sent");
    assert_eq!(bed.answer(&task).await["status"], "cancelled");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}
