//! People steer tasks: pause, resume, kill, budgets, many at once; and look at how they stood.

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use cadre_core::{ids::Name, task::Task, workflow::Workflow};
use cadre_runtime::{
    supervise::{self, Supervisor},
    worker::{Ran, Step, StepRunner, Worker, WorkerOptions},
};
use cadre_tests::{
    bed::PATIENCE,
    hand::Hand,
    packs,
    payment::{Payment, state, step},
    verdict,
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};

fn bill() -> Value {
    json!({"usd": 5, "to": "bolt"})
}

/// Ends every service and the broker, with `kill -9`, and starts them again.
async fn restart_everything(payment: Payment) -> Payment {
    let Payment { mut bed, stack } = payment;
    stack.stop().await;
    bed.server.kill().await.expect("killed");
    bed.server.restart().await.expect("restarted");
    let stack = bed.stack().await;
    Payment { bed, stack }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_and_a_resume_outlive_a_restart_of_everything() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    let paused = payment.ends(0, &["task", "pause", id, "--reason", "audit", "-o", "json"]).await;
    assert_eq!(paused.json()[0]["outcome"], "done", "{}", paused.text());
    let again = payment.ends(0, &["task", "pause", id, "-o", "json"]).await.json();
    assert_eq!(again[0]["outcome"], "unchanged", "{again}");

    let payment = restart_everything(payment).await;
    payment.ends(0, &["approval", "grant", id, "--as", "ann"]).await;
    let still = payment.bed.task(&task).await;
    assert_eq!((still.status(), state(&still, "pay")), ("paused", None));
    let listed = payment.ends(0, &["task", "ls", "--status", "paused", "-o", "id"]).await;
    assert_eq!(listed.text().trim(), id);

    payment.ends(0, &["task", "resume", id]).await;
    payment.until(&task, |task| state(task, "pay") == Some("dispatched")).await;
    let payment = restart_everything(payment).await;
    assert_eq!(payment.bed.task(&task).await.paused, None, "it is not paused again");
    Hand::of(&payment.bed, "bank").await.order().await.complete(&bill()).await;
    assert_eq!(payment.bed.answer(&task).await["status"], "completed");
    let late = payment.ends(14, &["task", "pause", id]).await;
    assert!(late.talk.contains("ended as completed"), "{}", late.talk);
    assert_eq!(late.text(), "", "said once");
    payment.ends(3, &["task", "pause", "b3xlc6fpudch6yiinfqcwapkdp"]).await;
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_handles_yet_is_unknown_and_happens_later() {
    let mut payment = Payment::new().await;
    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    payment.stack.stop().await;
    let late = payment.ends(11, &["task", "pause", task.as_str(), "-o", "json"]).await;
    assert_eq!(late.json()[0]["outcome"], "unknown", "{}", late.text());
    assert!(late.talk.contains("stored, but nobody has handled it"), "{}", late.talk);
    payment.stack = payment.bed.stack().await;
    payment.until(&task, |task| task.paused.is_some()).await;
    payment.stack.stop().await;
}

/// Works for ever, and says when it begins and when it is stopped.
struct Endless(mpsc::UnboundedSender<&'static str>);

/// Says so when it is dropped.
struct Stopped(mpsc::UnboundedSender<&'static str>);

impl Drop for Stopped {
    fn drop(&mut self) {
        // Nobody listens any more when the test has failed.
        let _ = self.0.send("stopped");
    }
}

impl StepRunner for Endless {
    async fn run(&self, _step: &Step, _workflow: Arc<Workflow>) -> Ran {
        let _stopped = Stopped(self.0.clone());
        let _ = self.0.send("began");
        pending().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_and_a_kill_stop_the_worker_within_two_seconds() {
    let payment = Payment::new().await;
    let (said, mut heard) = mpsc::unbounded_channel();
    let (bus, packs) = (payment.bed.bus.clone(), payment.bed.packs.clone());
    let worker = Worker::new(bus, packs, Endless(said), WorkerOptions::default());
    let (_door, child) = worker.role(Name::new("bank").expect("a name"));
    let options = supervise::Options::default();
    let slow = Supervisor::start("slow", options, vec![child], None).await.expect("started");

    for wish in ["cancel", "kill"] {
        let task = payment.wants(wish, &[], &bill()).await;
        payment.asked(&task).await;
        let id = task.as_str();
        payment.ends(0, &["approval", "grant", id]).await;
        assert_eq!(timeout(PATIENCE, heard.recv()).await.expect("in time"), Some("began"));
        let began = Instant::now();
        payment.ends(0, &["task", wish, id, "--reason", "it loops"]).await;
        assert_eq!(timeout(PATIENCE, heard.recv()).await.expect("in time"), Some("stopped"));
        assert!(began.elapsed() < Duration::from_secs(2), "{wish}: {:?}", began.elapsed());
        let answer = payment.bed.answer(&task).await;
        assert_eq!(answer["status"], "cancelled", "{answer}");
        assert!(answer["reason"].as_str().unwrap_or("").ends_with("it loops"), "{answer}");

        // Once more is harmless; what was done stays, and nothing new has begun.
        let before = payment.bed.task(&task).await;
        let again = payment.ends(0, &["task", wish, id, "-o", "json"]).await.json();
        assert_eq!(again[0]["outcome"], "unchanged", "{again}");
        let after = payment.bed.task(&task).await;
        assert_eq!((after.rev, after.dispatches), (before.rev, before.dispatches));
        assert_eq!(state(&after, "draft"), Some("completed"));
        assert!(heard.try_recv().is_err(), "somebody works again");
    }
    verdict::is_clean(&payment.bed).await;
    slow.stop().await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_budget_goes_on_from_the_open_step() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[("Cadre-Budget-Steps", "1")], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    payment.ends(0, &["approval", "grant", id]).await;
    let held = payment.until(&task, |task| task.held.is_some()).await;
    assert_eq!((held.status(), held.dispatches), ("waiting", 1));
    let listed = payment.ends(0, &["task", "ls"]).await;
    assert!(listed.text().contains("waiting (budget)"), "{}", listed.text());

    payment.ends(2, &["task", "budget", "add", id]).await;
    let add = ["task", "budget", "add", id, "--steps", "1", "--key", "ticket-1", "-o", "json"];
    let added = payment.ends(0, &add).await.json();
    assert_eq!((&added["outcome"], &added["key"]), (&json!("done"), &json!("ticket-1")), "{added}");
    Hand::of(&payment.bed, "bank").await.order().await.complete(&bill()).await;
    assert_eq!(payment.bed.answer(&task).await["status"], "completed");
    let done = payment.bed.task(&task).await;
    let draft = step(&done, "draft").expect("a step");
    assert_eq!((done.dispatches, draft.attempt, done.added.steps), (2, 1, 1));

    // The same wish has counted: whatever becomes of the task, it is no error.
    let args = ["task", "budget", "add", id, "--steps", "2", "--key", "ticket-1"];
    assert!(payment.ends(0, &args).await.text().contains("counted already"));
    payment.ends(14, &["task", "budget", "add", id, "--usd", "0.05"]).await;
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

/// Two steps that may cost 30 millionths of a dollar each, in a task that may cost 50.
const DEAR: &str = r#"apiVersion: pack/v1
name: dear
roles:
  spender: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s, max_usd: 0.00003, max_tokens: 9}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0.00005, max_tokens: 100}
  when_limited: ask_human
  steps:
    first: {role: spender, with: "${ goal }"}
    second: {role: spender, after: [first], with: "${ first }"}
  result:
    second: "${ second }"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn more_money_goes_on_from_the_open_step_and_repeats_nothing() {
    let payment = Payment::new().await;
    payment.bed.apply(&packs::pack(DEAR, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let task = payment.bed.publish("dear", "k", &json!({"n": 1})).await;
    let spender = Hand::of(&payment.bed, "spender").await;
    let first = spender.order().await;
    assert_eq!(first.header("Cadre-Grant-Usd-Micros"), "30");
    let spent = json!({"usdMicros": 30, "tokens": 1});
    first.answer(json!({"completed": {"output": {"n": 2}}, "usage": spent})).await;
    let held = payment.until(&task, |task| task.held.is_some()).await;
    assert_eq!((held.status(), held.dispatches, held.usage.usd_micros), ("waiting", 1, 30));

    payment.ends(0, &["task", "budget", "add", task.as_str(), "--usd", "0.05"]).await;
    let second = spender.order().await;
    assert_eq!((second.header("Cadre-Step"), second.header("Cadre-Attempt")), ("second", "1"));
    second.answer(json!({"completed": {"output": {"n": 3}}, "usage": spent})).await;
    let answer = payment.bed.answer(&task).await;
    assert_eq!((&answer["status"], &answer["usd_micros"]), (&json!("completed"), &json!(60)));
    assert_eq!(answer["steps"], 2, "nothing was done again: {answer}");
    verdict::is_clean_at_rest(&payment.bed, &[task]).await;
    payment.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_are_looked_at_before_they_are_cancelled() {
    let payment = Payment::new().await;
    let mut tasks = Vec::new();
    for key in ["a", "b", "c"] {
        let task = payment.wants(key, &[], &bill()).await;
        payment.asked(&task).await;
        tasks.push(task);
    }
    payment.ends(0, &["task", "cancel", tasks[2].as_str()]).await;
    let all = ["task", "cancel", "--all", "--workflow", "payment", "--status", "waiting"];
    let dry = payment.ends(0, &[&all[..], &["--dry-run", "-o", "id"]].concat()).await;
    let open = format!("{}\n{}\n", tasks[0], tasks[1]);
    assert_eq!(dry.text(), open, "oldest first, without the ended one");
    assert!(dry.talk.contains("2 tasks would be cancelled, nothing was changed"), "{}", dry.talk);
    let unsure = payment.ends(2, &all).await;
    assert!(unsure.talk.contains("2 tasks of tenant acme would be cancelled"), "{}", unsure.talk);
    for none in [&["--older-than", "1h"][..], &["--workflow", "other"]] {
        let args = [&["task", "cancel", "--all", "--yes", "-o", "json"], none].concat();
        assert_eq!(payment.ends(0, &args).await.json(), json!([]));
    }
    payment.ends(2, &["task", "cancel", "--workflow", "payment"]).await;
    payment.ends(2, &["task", "pause"]).await;
    let done = payment.ends(0, &[&all[..], &["--yes", "-o", "json"]].concat()).await.json();
    assert_eq!(done.as_array().map(Vec::len), Some(2), "{done}");
    for task in &tasks {
        assert_eq!(payment.bed.answer(task).await["status"], "cancelled");
    }
    let none = payment.ends(0, &["task", "cancel", "--all", "--yes", "-o", "json"]).await;
    assert_eq!(none.json(), json!([]), "ended ones are none of them");
    verdict::is_clean(&payment.bed).await;
    payment.stack.stop().await;
}

/// How much was ever written to each stream that a task is made of.
async fn lengths(payment: &Payment) -> Vec<u64> {
    let mut lengths = Vec::new();
    for name in ["CADRE_LOG_0", "CADRE_IN_0", "CADRE_WORK_0", "CADRE_TIMER_0", "CADRE_ANSWERS"] {
        let stream = payment.bed.connection.js.get_stream(name).await.expect("stream");
        lengths.push(stream.cached_info().state.last_sequence);
    }
    lengths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_can_be_seen_as_it_stood() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    payment.ends(0, &["task", "kill", id]).await;
    let newest = payment.bed.task(&task).await.rev;
    let first = payment.ends(0, &["task", "replay", id, "--to", "1", "-o", "json"]).await.json();
    assert_eq!((&first["status"], &first["rev"]), (&json!("running"), &json!(1)), "{first}");
    let order = &first["owed"]["orders"][0];
    assert_eq!((&order["step"], &order["role"]), (&json!("draft"), &json!("clerk")), "{first}");
    assert_eq!(first["owed"]["answer"], false);
    let records = payment.bed.bus.read_log(&task).await.expect("a log").records;
    let before = lengths(&payment).await;
    for rev in 1..=newest {
        let stood = Task::replay(&records[..usize::try_from(rev).expect("few")]).expect("a task");
        let to = rev.to_string();
        let shown =
            payment.ends(0, &["task", "replay", id, "--to", &to, "-o", "json"]).await.json();
        assert_eq!((&shown["rev"], &shown["status"]), (&json!(rev), &json!(stood.status())));
    }
    assert_eq!(lengths(&payment).await, before, "it only reads");
    let last = payment.ends(0, &["task", "replay", id]).await;
    assert!(last.text().starts_with(&format!("record {newest} of {newest}, at ")));
    assert!(last.text().contains("  the answer"), "{}", last.text());
    payment.ends(3, &["task", "replay", id, "--to", "99"]).await;
    assert_eq!(payment.bed.task(&task).await.rev, newest, "nothing was changed");
    payment.stack.stop().await;
}
