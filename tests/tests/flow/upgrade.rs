//! Two builds side by side: rolled forward and back with tasks in flight, and what happens to the
//! old one once the fleet writes what it cannot read.

use std::{collections::BTreeSet, time::Instant};

use cadre_core::ids::TaskId;
use cadre_proto::{NEEDS_STEERING, Reader, record};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    hand::Hand,
    next::{FEATURE, NEXT},
    packs::{ANYTHING, pack},
    plain,
    process::{Process, next_program, program},
    shell::{Said, cadre_of},
};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

/// Each task waits in the middle until a test does its second step by hand.
const PACK: &str = r#"
apiVersion: pack/v1
name: rolling
roles:
  rolling-echo: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
  rolling-hand: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 4m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    first: {role: rolling-echo, with: "${ goal }"}
    second: {role: rolling-hand, after: [first], with: "${ first }"}
    third: {role: rolling-echo, after: [second], with: "${ second }"}
  result:
    echo: "${ third }"
"#;

/// Which of the two builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    Old,
    New,
}

/// A broker, the tasks on it, and who does their second steps.
struct World {
    bed: Bed,
    hand: Hand,
    tasks: Vec<TaskId>,
    done: usize,
}

impl World {
    async fn new() -> Self {
        let bed = Bed::new().await;
        bed.apply(&pack(PACK, &[("contracts/any.v1.json", ANYTHING)])).await;
        let hand = Hand::of(&bed, "rolling-hand").await;
        Self { bed, hand, tasks: Vec::new(), done: 0 }
    }

    fn command(&self, build: Build) -> Command {
        let mut command = Command::new(binary(build));
        command.args(["serve", "--nats", &self.bed.server.urls().join(",")]);
        command
    }

    /// Starts every service of a build in one process.
    async fn start(&self, build: Build) -> Process {
        Process::ready(&format!("{build:?}"), self.command(build)).await
    }

    async fn cadre(&self, build: Build, args: &[&str]) -> Said {
        cadre_of(&binary(build), &self.bed, args).await
    }

    /// Publishes goals; each becomes a task that is in flight until [`Self::finish`].
    async fn publish(&mut self, count: usize) -> TaskId {
        for _ in 0..count {
            let key = format!("goal-{}", self.tasks.len());
            self.tasks.push(self.bed.publish("rolling", &key, &json!({"key": key})).await);
        }
        self.tasks.last().expect("a task").clone()
    }

    /// Does the second step of so many tasks, and waits until as many have ended.
    async fn finish(&mut self, count: usize) {
        for _ in 0..count {
            self.hand.order().await.complete(&json!({"by": "hand"})).await;
        }
        self.done += count;
        for answer in self.bed.answers(self.done).await {
            assert_eq!(answer["status"], "completed", "{answer}");
        }
    }

    /// Ends what is in flight: every accepted task has ended, and no rule is broken.
    async fn finish_all(&mut self) {
        self.finish(self.tasks.len() - self.done).await;
        for stream in ["CADRE_GOALS", "CADRE_IN_0"] {
            plain::emptied(&self.bed, stream).await;
        }
        let said = self.cadre(Build::New, &["check", "--quiescent", "-o", "json"]).await;
        assert_eq!(
            (said.code, &said.json()["counts"]["tasks"]),
            (Some(0), &json!(self.tasks.len()))
        );
        let answered = self.bed.answers(self.tasks.len()).await;
        let answered: BTreeSet<_> = answered.iter().filter_map(|it| it["task"].as_str()).collect();
        assert_eq!(answered.len(), self.tasks.len(), "each task has an answer of its own");
    }

    /// Schema and oldest reader of the first record of `task`, once it is there.
    async fn written(&self, task: &TaskId) -> (u32, u32) {
        let partition = self.bed.bus.streams().partition(task);
        let subject = format!("cadre.{partition}.log.{task}");
        let stream = self.bed.connection.js.get_stream("CADRE_LOG_0").await.expect("stream");
        let first = async {
            loop {
                let found = stream.get_first_raw_message_by_subject(&subject, 1).await;
                if let Ok(message) = found {
                    return message;
                }
            }
        };
        let message = timeout(PATIENCE, first).await.expect("a record in time");
        let parsed = record::parse_by(Reader(NEXT.reads), &message.payload).expect("a record");
        (parsed.wire().schema, parsed.wire().min_reader)
    }

    /// Enables the feature, and publishes until a record is written with it.
    async fn enable(&mut self) -> TaskId {
        let said = self.cadre(Build::New, &["upgrade", "enable", FEATURE, "-o", "json"]).await;
        assert_eq!((said.code, &said.json()[0]["state"]), (Some(0), &json!("on")), "{said:?}");
        let enabled = Instant::now();
        loop {
            let task = self.publish(1).await;
            let written = self.written(&task).await;
            if written == (NEXT.reads, NEXT.reads) {
                eprintln!("the first record of schema 3 was there {:?} later", enabled.elapsed());
                return task;
            }
            assert!(written.1 <= NEEDS_STEERING && enabled.elapsed() < PATIENCE, "{written:?}");
        }
    }
}

fn binary(build: Build) -> std::path::PathBuf {
    match build {
        Build::Old => program(),
        Build::New => next_program(),
    }
}

fn ids(rows: &Value, key: &str) -> BTreeSet<String> {
    let rows = rows.as_array().expect("rows");
    rows.iter().filter_map(|row| Some(row[key].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_are_rolled_forward_and_back_and_a_feature_waits_for_the_last_old_one() {
    let mut world = World::new().await;
    let mut old = world.start(Build::Old).await;
    world.publish(4).await;
    world.finish(1).await;

    // Forward. While one old member lives, nothing of a new schema is written.
    let mut new = world.start(Build::New).await;
    let members = world.cadre(Build::Old, &["upgrade", "members", "-o", "json"]).await.json();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(ids(&members, "version"), [version, NEXT.version].map(str::to_owned).into());
    let doctor = world.cadre(Build::Old, &["doctor", "-o", "json"]).await.json();
    let rows = doctor.as_array().expect("checks");
    let check = rows.iter().find(|row| row["name"] == "members").expect("a check of members");
    let text = check["text"].as_str().expect("a text");
    for part in ["builds differ", version, NEXT.version, "schema 3, schema-3"] {
        assert!(check["level"] == "yellow" && text.contains(part), "{part}: {check}");
    }
    let rows = members.as_array().expect("rows");
    let first = rows.iter().find(|row| row["version"] == version).expect("the old one");
    let first = first["member"].as_str().expect("an id").to_owned();
    let said = world.cadre(Build::New, &["upgrade", "enable", FEATURE]).await;
    assert_eq!(said.code, Some(15));
    assert!(said.talk.contains(&first) && said.talk.contains("orchestrator"), "{}", said.talk);
    world.publish(2).await;
    assert_eq!(old.stop().await, Some(0));
    let task = world.publish(2).await;
    world.finish(2).await;
    assert!(world.written(&task).await.1 <= NEEDS_STEERING);
    let said = world.cadre(Build::Old, &["upgrade", "check"]).await;
    assert_eq!(said.code, Some(0), "nothing stands against going back: {}", said.text());

    // Back, and forward again.
    let mut old = world.start(Build::Old).await;
    assert_eq!(new.stop().await, Some(0));
    world.publish(2).await;
    world.finish(2).await;
    let _new = world.start(Build::New).await;
    assert_eq!(old.stop().await, Some(0));

    // No old member is left.
    let task = world.enable().await;
    let mut late = Process::spawn("late", world.command(Build::Old));
    assert_eq!(late.ended().await, Some(15));
    late.says(&format!("feature {FEATURE} is on, and this build")).await;
    let members = world.cadre(Build::New, &["upgrade", "members", "-o", "json"]).await.json();
    assert_eq!(ids(&members, "version"), [NEXT.version.to_owned()].into());

    let said = world.cadre(Build::Old, &["upgrade", "check", "-o", "json"]).await;
    assert_eq!((said.code, &said.json()["lacks"]), (Some(15), &json!([FEATURE])));
    let stuck = ids(&said.json()["tasks"], "task");
    assert!(stuck.contains(task.as_str()) && !stuck.contains(world.tasks[0].as_str()), "{stuck:?}");
    let said = world.cadre(Build::New, &["upgrade", "check", "--to-schema", "2"]).await;
    assert_eq!(said.code, Some(15));
    let said = world.cadre(Build::New, &["upgrade", "check"]).await;
    assert_eq!(said.code, Some(0), "{}", said.text());
    world.finish_all().await;
}

/// The flag is what keeps an old build away. Should it be lost, the records themselves do.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_build_that_meets_a_newer_record_lets_go_of_the_partition() {
    let mut world = World::new().await;
    let mut new = world.start(Build::New).await;
    world.enable().await;
    let features = world.bed.connection.js.get_key_value("CADRE_FEATURES").await.expect("a bucket");
    features.purge(FEATURE).await.expect("purged");
    let mut old = world.start(Build::Old).await;
    // With the goal's record of schema 3 behind it, the task waits for its second step.
    let order = world.hand.order().await;
    assert_eq!(new.stop().await, Some(0));
    order.complete(&json!({"by": "hand"})).await;
    old.says("partition was released to a newer build").await;

    // The old one goes on with what it can read, the new one with the rest.
    let _new = world.start(Build::New).await;
    world.done += 1;
    world.publish(4).await;
    world.finish_all().await;
    let met = |line: &String| world.tasks.iter().find(|task| line.contains(task.as_str()));
    let lines = old.lines();
    let released = lines.iter().filter(|line| line.contains("was released")).filter_map(met);
    let released: Vec<_> = released.map(|task| world.bed.bus.streams().partition(task)).collect();
    let once: BTreeSet<_> = released.iter().collect();
    assert_eq!(once.len(), released.len(), "each partition once at most: {lines:?}");
    assert!(!lines.iter().any(|line| line.contains("quarantined")), "{lines:?}");

    // As if it had been away while the feature was enabled.
    features.put(FEATURE, r#"{"stage": "on", "by": "ada"}"#.into()).await.expect("put");
    assert_eq!(old.ended().await, Some(15));
    old.says("does not know it").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_for_a_newer_build_is_left_for_it() {
    let mut world = World::new().await;
    let stack = world.bed.stack().await;
    let task = world.publish(1).await;
    let order = world.hand.order().await;
    let outcome = json!({"completed": {"output": {}}, "schema": 3, "minReader": 3});
    let subject = order.report_subject();
    let report = order.report(outcome).to_string();
    assert_eq!(order.send(&subject, "application/json", report).await, Ok(()));
    order.message.double_ack().await.expect("acknowledged");
    let js = &world.bed.connection.js;
    let inputs = js.get_stream("CADRE_IN_0").await.expect("stream");
    let partition = world.bed.bus.streams().partition(&task);
    let is_seen = async {
        while inputs.consumer_info(format!("p{partition}")).await.expect("info").num_ack_pending
            == 0
        {}
    };
    timeout(PATIENCE, is_seen).await.expect("delivered");
    assert_eq!(world.bed.task(&task).await.status(), "running");
    assert_eq!(plain::count(&world.bed, "CADRE_LOG_0", "cadre.*.dead.>").await, 0);

    // Once it is out of the way, one that this build can read has its place.
    let waiting = inputs.get_last_raw_message_by_subject(&subject).await.expect("it waits");
    inputs.delete_message(waiting.sequence).await.expect("deleted");
    order.complete(&json!({"by": "hand"})).await;
    assert_eq!(world.bed.answer(&task).await["status"], "completed");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_whose_pack_is_gone_or_cannot_be_compiled_are_named() {
    let mut world = World::new().await;
    let stack = world.bed.stack().await;
    let task = world.publish(1).await;
    world.hand.order().await;
    stack.stop().await;
    let said = world.cadre(Build::Old, &["upgrade", "check", "-o", "id"]).await;
    assert_eq!((said.code, said.text()), (Some(0), ""));

    let revision = world.bed.task(&task).await.goal.revision.to_string();
    let key = format!("rev.{revision}");
    let packs = world.bed.connection.js.get_key_value("CADRE_PACKS").await.expect("a bucket");
    let later = pack(&PACK.replace("pack/v1", "pack/v9"), &[("contracts/any.v1.json", ANYTHING)]);
    let document = later.encode().expect("a document");
    let blob = world.bed.bus.blobs().put_bytes(document.as_bytes()).await.expect("stored");
    let place = json!({"$blob": blob.hash.to_string(), "size_bytes": blob.size_bytes});
    packs.put(&key, place.to_string().into()).await.expect("put");
    let said = world.cadre(Build::Old, &["upgrade", "check", "-o", "json"]).await;
    let problem = said.json()["tasks"][0]["problems"][0].to_string();
    assert_eq!((said.code, problem.contains("does not compile with this build")), (Some(15), true));

    packs.purge(&key).await.expect("purged");
    let said = world.cadre(Build::Old, &["upgrade", "check"]).await;
    assert_eq!(said.code, Some(15));
    let is_named = said.text().contains(task.as_str()) && said.text().contains("is not stored");
    assert!(is_named, "{}", said.text());
}
