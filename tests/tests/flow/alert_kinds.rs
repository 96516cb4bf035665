//! Every kind of alert that other tests do not bring about, at once on one broker: on the bus, in
//! `cadre alert ls`, and in `cadre alert watch` as it is raised.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::Duration,
};

use async_nats::jetstream::stream::Config;
use cadre::stack::StackOptions;
use cadre_core::{
    ids::{Name, Partition, TaskId},
    watch::Settings,
};
use cadre_tests::{
    alerts::{Alerts, hasty},
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs, plain,
    process::program,
    shell::fine,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

/// What is to be said: kind and cause.
const EXPECTED: [(&str, &str); 8] = [
    ("backlog", "growing"),
    ("budget_over", "held"),
    ("errors", "failing"),
    ("question_expiring", "expiring"),
    ("stream_full", "filling"),
    ("stuck", "damaged_log"),
    ("stuck", "no_owner"),
    ("stuck", "too_new"),
];

/// One remote step, for its role's `limits`.
fn one_step(name: &str, timeout: &str) -> String {
    format!(
        r#"apiVersion: pack/v1
name: {name}
roles:
  {name}-clerk: {{runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {{timeout: {timeout}}}}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {{deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}}
  when_limited: ask_human
  steps:
    first: {{role: {name}-clerk, with: "${{ goal }}"}}
    last: {{role: {name}-clerk, after: [first], with: "${{ goal }}"}}
  result:
    last: {{from: ["${{ last }}"], required: false}}
"#
    )
}

const QUESTION: &str = r#"apiVersion: pack/v1
name: question
roles: {}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    allow: {approval: {question: "May I?", expires: 12s}, with: "${ goal }"}
  result:
    by: {from: ["${ allow.by }"], required: false}
"#;

async fn bed() -> Bed {
    let bed = Bed::new().await;
    let names = ["slow", "behind", "failing", "dear"].map(|name| one_step(name, "60s"));
    for yaml in names.into_iter().chain([one_step("brief", "4s"), QUESTION.to_owned()]) {
        bed.apply(&packs::pack(&yaml, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    }
    bed
}

/// A watch that sees growth and silence within seconds.
fn settings() -> Settings {
    let silent_for = Duration::from_secs(1);
    Settings {
        window: Duration::from_secs(3),
        errors_min: 2,
        backlog_min: 6,
        silent_for,
        ..hasty()
    }
}

/// `cadre alert watch`, and the kind and cause of each line that it has printed.
fn alert_watch(bed: &Bed) -> (Child, watch::Receiver<BTreeSet<(String, String)>>) {
    let mut command = Command::new(program());
    command.args(["alert", "watch", "-o", "ndjson", "--nats", &bed.server.url()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("cadre runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (sender, said) = watch::channel(BTreeSet::new());
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let line: Value = serde_json::from_str(&line).expect("a line of JSON");
            let text = |key: &str| line[key].as_str().expect("a text").to_owned();
            sender.send_modify(|said| {
                said.insert((text("kind"), text("cause")));
            });
        }
    });
    (child, said)
}

/// Puts what is no record of this build behind the task's log.
async fn spoil(bed: &Bed, task: &TaskId, record: &[u8]) {
    let subject = format!("cadre.{}.log.{task}", bed.bus.streams().partition(task));
    plain::publish(bed, &subject, plain::headers(&[]), record).await;
}

/// Waits until so many messages lie on subjects of a stream.
async fn holds(bed: &Bed, stream: &str, filter: &str, count: usize) {
    let look = async {
        while plain::count(bed, stream, filter).await < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, look).await.expect("stored in time");
}

/// A key whose task lives in this partition.
fn key_in(bed: &Bed, partition: Partition) -> String {
    let acme = Name::new("acme").expect("a name");
    let lives_there =
        |key: &String| bed.bus.streams().partition(&TaskId::derive(&acme, key)) == partition;
    (0..).map(|number| format!("near-{number}")).find(lives_there).expect("there is one")
}

/// A partition that nobody owns any more, and a task in it that is due.
async fn forsake(bed: &Bed) -> [TaskId; 2] {
    let newer = bed.publish("slow", "newer", &json!({})).await;
    let partition = bed.bus.streams().partition(&newer);
    let forsaken = bed.publish("brief", &key_in(bed, partition), &json!({})).await;
    for task in [&newer, &forsaken] {
        holds(bed, "CADRE_WORK_0", &format!("cadre.*.work.*.{task}.>"), 1).await;
    }
    // Schema 99, min_reader 99: its owner lets go of the partition when it reads that.
    spoil(bed, &newer, &[0x08, 99, 0x10, 99]).await;
    bed.bus.cancel(&newer, "ada", "to be read").await.expect("sent");
    [newer, forsaken]
}

/// Nearly fills a stream that refuses.
async fn fill(bed: &Bed) {
    let mut runs = bed.connection.js.get_stream("CADRE_RUN_0").await.expect("stream");
    let config = runs.info().await.expect("info").config.clone();
    let small = Config { max_bytes: 10_000, ..config };
    bed.connection.js.update_stream(small).await.expect("updated");
    let subject = "cadre.0.run.filler.aaaaaaaaaaaaaaaaaaaaaaaaaa.x";
    plain::publish(bed, subject, plain::headers(&[]), &[b'x'; 8_500]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_raised_listed_and_printed() {
    let bed = bed().await;
    let stack = bed.stack_of(StackOptions { watch: settings(), ..StackOptions::all() }).await;
    let mut alerts = Alerts::on(&bed, "alerts.*.>").await;
    let (mut child, mut printed) = alert_watch(&bed);
    bed.publish("question", "q", &json!({})).await;

    // Its second step is one too many.
    let steps = plain::headers(&[("Nats-Msg-Id", "dear"), ("Cadre-Budget-Steps", "1")]);
    plain::publish(&bed, "goals.acme.dear", steps, b"{}").await;
    Hand::of(&bed, "dear-clerk").await.order().await.complete(&json!({})).await;
    let failing = Hand::of(&bed, "failing-clerk").await;
    for number in 0..3 {
        bed.publish("failing", &format!("failing-{number}"), &json!({})).await;
        let failed = json!({"failed": {"kind": "ERROR", "message": "no such table"}});
        failing.order().await.answer(failed).await;
    }
    for number in 0..9 {
        bed.publish("behind", &format!("behind-{number}"), &json!({})).await;
    }
    let damaged = bed.publish("slow", "damaged", &json!({})).await;
    holds(&bed, "CADRE_WORK_0", &format!("cadre.*.work.*.{damaged}.>"), 1).await;
    spoil(&bed, &damaged, b"\xff\xff no record").await;
    let [newer, forsaken] = forsake(&bed).await;
    fill(&bed).await;

    let expected = EXPECTED.map(|(kind, cause)| (kind.to_owned(), cause.to_owned()));
    let expected = BTreeSet::from(expected);
    let mut raised = BTreeMap::new();
    while !expected.iter().all(|one| raised.contains_key(one)) {
        let alert = alerts.next().await;
        assert!(!alert.next.is_empty() && !alert.text.is_empty(), "{alert:?}");
        raised.insert((alert.key.kind.to_string(), alert.cause), alert.key.subject);
    }
    let of = |kind: &str, cause: &str| raised[&(kind.to_owned(), cause.to_owned())].as_str();
    assert_eq!(of("stuck", "damaged_log"), damaged.as_str());
    assert_eq!(of("stuck", "too_new"), newer.as_str());
    assert_eq!(of("stuck", "no_owner"), forsaken.as_str());
    assert_eq!(of("errors", "failing"), "role.failing-clerk");
    assert_eq!(of("stream_full", "filling"), "CADRE_RUN_0");

    let all = fine(&bed, &["alert", "ls", "--all", "-o", "json"]).await.json();
    let rows = all.as_array().expect("a list");
    for (kind, cause) in &expected {
        let is_it = |row: &Value| row["kind"] == **kind && row["subject"] == of(kind, cause);
        assert!(rows.iter().any(is_it), "{kind} {cause}: {all}");
    }
    let is_all = |said: &BTreeSet<_>| expected.is_subset(said);
    let said = timeout(PATIENCE, printed.wait_for(is_all)).await.map(|said| said.is_ok());
    assert_eq!(said, Ok(true), "printed {:?}", *printed.borrow());
    child.kill().await.expect("killed");
    stack.stop().await;
}
