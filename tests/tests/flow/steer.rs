//! People steer tasks: pause, resume, kill, budgets, many at once; and look at how they stood.

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use cadre_core::{ids::Name, workflow::Workflow};
use cadre_runtime::{
    supervise::{self, Supervisor},
    worker::{Ran, Step, StepRunner, Worker, WorkerOptions},
};
use cadre_tests::{
    bed::PATIENCE,
    hand::Hand,
    payment::{Payment, state, step},
    verdict,
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};

fn bill() -> Value {
    json!({"usd": 5, "to": "bolt"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_outlives_the_orchestrator() {
    let mut payment = Payment::new().await;
    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    let paused = payment.ends(0, &["task", "pause", id, "--reason", "audit", "-o", "json"]).await;
    assert_eq!(paused.json()[0]["outcome"], "done", "{}", paused.text());
    let again = payment.ends(0, &["task", "pause", id, "-o", "json"]).await.json();
    assert_eq!(again[0]["outcome"], "unchanged", "{again}");

    payment.stack.stop().await;
    payment.stack = payment.bed.stack().await;
    payment.ends(0, &["approval", "grant", id, "--as", "ann"]).await;
    let still = payment.bed.task(&task).await;
    assert_eq!((still.status(), state(&still, "pay")), ("paused", None));
    let listed = payment.ends(0, &["task", "ls", "--status", "paused", "-o", "id"]).await;
    assert_eq!(listed.text().trim(), id);

    payment.ends(0, &["task", "resume", id]).await;
    Hand::of(&payment.bed, "bank").await.order().await.complete(&bill()).await;
    assert_eq!(payment.bed.answer(&task).await["status"], "completed");
    let late = payment.ends(14, &["task", "pause", id]).await;
    assert!(late.talk.contains("ended as completed"), "{}", late.talk);
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
async fn a_kill_stops_the_worker_within_two_seconds() {
    let payment = Payment::new().await;
    let (said, mut heard) = mpsc::unbounded_channel();
    let (bus, packs) = (payment.bed.bus.clone(), payment.bed.packs.clone());
    let worker = Worker::new(bus, packs, Endless(said), WorkerOptions::default());
    let (_door, child) = worker.role(Name::new("bank").expect("a name"));
    let options = supervise::Options::default();
    let slow = Supervisor::start("slow", options, vec![child], None).await.expect("started");

    let task = payment.wants("k", &[], &bill()).await;
    payment.asked(&task).await;
    let id = task.as_str();
    payment.ends(0, &["approval", "grant", id]).await;
    assert_eq!(timeout(PATIENCE, heard.recv()).await.expect("in time"), Some("began"));
    let began = Instant::now();
    payment.ends(0, &["task", "kill", id, "--reason", "it loops"]).await;
    assert_eq!(timeout(PATIENCE, heard.recv()).await.expect("in time"), Some("stopped"));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let answer = payment.bed.answer(&task).await;
    assert_eq!(answer["status"], "cancelled", "{answer}");
    assert!(answer["reason"].as_str().unwrap_or("").ends_with("it loops"), "{answer}");
    let again = payment.ends(0, &["task", "kill", id, "-o", "json"]).await.json();
    assert_eq!(again[0]["outcome"], "unchanged", "{again}");
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
    let last = payment.ends(0, &["task", "replay", id]).await;
    assert!(last.text().starts_with(&format!("record {newest} of {newest}, at ")));
    assert!(last.text().contains("  the answer"), "{}", last.text());
    payment.ends(3, &["task", "replay", id, "--to", "99"]).await;
    assert_eq!(payment.bed.task(&task).await.rev, newest, "nothing was changed");
    payment.stack.stop().await;
}
