//! What fails each time is given up, what it belongs to waits for a person, and the others go on.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    limits::DELIVERIES_MAX,
    payload::{Hash, Payload},
    ports::OrchestratorBus as _,
    task::{Goal, GoalLimits, Record},
};
use cadre_proto::{Blobs, record};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    books::Books,
    hand::{Hand, Order},
    packs,
    plain::{self, DeadLetter, Rejections},
    shell::fine,
};
use serde_json::{Value, json};

/// Redelivers fast enough for a test.
const ACK_WAIT: Duration = Duration::from_millis(100);

/// The pause between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A pack whose step `first` is done by hand.
async fn handwork() -> Bed {
    let pack = "apiVersion: pack/v1
name: handwork
roles:
  hand: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 1, max_tokens: 1000}
  when_limited: partial
  steps:
    first: {role: hand, with: \"${ goal }\"}
  result:
    echo: \"${ first }\"
";
    let bed = Bed::new().await;
    bed.apply(&packs::pack(pack, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    bed
}

/// What stands under a key of the packs' bucket, and something else from now on.
async fn replace(bed: &Bed, key: &str, value: &[u8]) -> Vec<u8> {
    let packs = bed.connection.js.get_key_value("CADRE_PACKS").await.expect("bucket");
    let before = packs.get(key).await.expect("read").expect("a value");
    packs.put(key, value.to_vec().into()).await.expect("stored");
    before.to_vec()
}

/// Makes a consumer deliver again sooner.
async fn hurry(bed: &Bed, stream: &str, consumer: &str) {
    let ask = async |api: String, body: Value| {
        let client = &bed.connection.client;
        let reply = client.request(format!("$JS.API.{api}"), body.to_string().into()).await;
        let reply: Value = serde_json::from_slice(&reply.expect("a reply").payload).expect("json");
        assert!(reply.get("error").is_none(), "{reply}");
        reply
    };
    let info = ask(format!("CONSUMER.INFO.{stream}.{consumer}"), json!({})).await;
    let mut config = info["config"].clone();
    config["ack_wait"] = u64::try_from(ACK_WAIT.as_nanos()).expect("short").into();
    let body = json!({"stream_name": stream, "config": config, "action": "update"});
    ask(format!("CONSUMER.CREATE.{stream}.{consumer}"), body).await;
}

async fn hurry_all(bed: &Bed) {
    for partition in 0..4 {
        hurry(bed, "CADRE_IN_0", &format!("p{partition}")).await;
    }
}

/// Tasks enough that each partition has some: all of them complete.
async fn others_go_on(bed: &Bed, round: &str) {
    let mut tasks = Vec::new();
    for number in 0..16 {
        let key = format!("{round}-{number}");
        tasks.push(bed.publish("echoes", &key, &json!({"n": number})).await);
    }
    for task in &tasks {
        assert_eq!(bed.answer(task).await["status"], "completed", "{round}");
    }
}

async fn letter(bed: &Bed) -> DeadLetter {
    plain::dead_letters(bed, 1).await.remove(0)
}

fn deliveries(letter: &DeadLetter) -> u32 {
    let count = letter.headers.get("Cadre-Dead-Deliveries").expect("a count");
    count.as_str().parse().expect("a number")
}

async fn replay_all(bed: &Bed) {
    let said = fine(bed, &["dlq", "replay", "--all"]).await;
    assert!(said.talk.contains("1 letter replayed"), "{said:?}");
}

/// A task of `handwork` whose step is in our hands.
async fn begun(bed: &Bed) -> (TaskId, Order) {
    let task = bed.publish("handwork", "begun", &json!({})).await;
    (task, Hand::of(bed, "hand").await.order().await)
}

/// Puts bytes behind the task's log that no orchestrator has written; says where.
async fn append(bed: &Bed, task: &TaskId, record: &[u8]) -> u64 {
    let partition = bed.bus.streams().partition(task);
    let subject = format!("cadre.{partition}.log.{task}");
    plain::publish(bed, &subject, plain::headers(&[]), record).await.sequence
}

async fn remove(bed: &Bed, sequence: u64) {
    let log = bed.connection.js.get_stream("CADRE_LOG_0").await.expect("stream");
    assert!(log.delete_message(sequence).await.expect("deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_whose_pack_is_broken_is_given_up_and_can_be_replayed() {
    let bed = handwork().await;
    let none = Hash::of(b"no pack").to_string();
    let before = replace(&bed, "current.echoes", none.as_bytes()).await;
    hurry(&bed, "CADRE_GOALS", "intake").await;
    let mut rejections = Rejections::listen(&bed).await;
    let stack = bed.stack().await;
    let task = bed.publish("echoes", "poison", &json!({"n": 1})).await;

    let rejection = rejections.next().await.document;
    assert_eq!((&rejection["code"], &rejection["key"]), (&json!("poison"), &json!("poison")));
    let letter = letter(&bed).await;
    assert!(letter.reason.starts_with("poison: it failed at each of 10 deliveries"), "{letter:?}");
    assert_eq!(deliveries(&letter), DELIVERIES_MAX);
    plain::emptied(&bed, "CADRE_GOALS").await;

    replace(&bed, "current.echoes", &before).await;
    others_go_on(&bed, "after").await;
    replay_all(&bed).await;
    assert_eq!(bed.answer(&task).await["status"], "completed");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admitted_goal_without_a_pack_is_given_up_and_its_partition_goes_on() {
    let bed = handwork().await;
    hurry_all(&bed).await;
    let stack = bed.stack().await;
    let name = |text: &str| Name::new(text).expect("a name");
    let goal = Goal {
        task: TaskId::derive(&name("acme"), "poison"),
        tenant: name("acme"),
        workflow: name("echoes"),
        revision: Hash::of(b"no pack").to_string().into(),
        key: "poison".to_owned(),
        digest: Hash::of(b""),
        input: Payload::null(),
        deadline: None,
        limits: GoalLimits::default(),
        user: None,
        trace: None,
        fork: None,
    };
    bed.bus.submit(Arc::new(goal)).await.expect("sent");
    others_go_on(&bed, "during").await;
    let letter = letter(&bed).await;
    assert!(letter.reason.starts_with("failed at each of"), "{letter:?}");
    assert!(letter.reason.contains("is unknown: see `cadre pack ls`"), "{letter:?}");
    assert!((DELIVERIES_MAX..100).contains(&deliveries(&letter)), "{letter:?}");
    plain::emptied(&bed, "CADRE_IN_0").await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_for_a_task_without_its_pack_is_given_up_and_can_be_replayed() {
    let bed = handwork().await;
    hurry_all(&bed).await;
    let stack = bed.stack().await;
    let (task, order) = begun(&bed).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    stack.stop().await;
    let key = format!("rev.{}", bed.task(&task).await.goal.revision);
    let before = replace(&bed, &key, b"").await;

    let stack = bed.stack().await;
    order.complete(&json!({"n": 1})).await;
    others_go_on(&bed, "during").await;
    let letter = letter(&bed).await;
    assert_eq!(letter.came_on, order.report_subject());
    assert!(deliveries(&letter) >= DELIVERIES_MAX, "{letter:?}");
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert!(bed.task(&task).await.ended().is_none());

    replace(&bed, &key, &before).await;
    replay_all(&bed).await;
    assert_eq!(bed.answer(&task).await["result"]["echo"], json!({"n": 1}));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_stops_its_task_alone_until_somebody_repairs_it() {
    let bed = handwork().await;
    let stack = bed.stack().await;
    let (task, order) = begun(&bed).await;
    let sequence = append(&bed, &task, b"\xff\xff no record").await;
    order.complete(&json!({"n": 1})).await;

    let letter = letter(&bed).await;
    assert!(letter.reason.starts_with(&format!("task {task} is quarantined: ")), "{letter:?}");
    assert_eq!(letter.came_on, order.report_subject());
    others_go_on(&bed, "during").await;
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", &format!("cadre.*.log.{task}")).await, 2);
    // Still so: what is replayed too early comes back.
    replay_all(&bed).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert_eq!(plain::dead_letters(&bed, 1).await.len(), 1);

    remove(&bed, sequence).await;
    replay_all(&bed).await;
    assert_eq!(bed.answer(&task).await["result"]["echo"], json!({"n": 1}));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_a_hole_or_a_torn_chain_stops_its_task_alone() {
    let bed = handwork().await;
    let stack = bed.stack().await;
    let (task, order) = begun(&bed).await;
    let books = Books::read(&bed).await;
    let body = &books.log[*books.records(&task).last().expect("a record")].body;
    let stored = record::decode(body, &Blobs::new()).expect("a record");
    let forged = |ahead: u64, prev: Hash| {
        let record = Record { rev: stored.record.rev + ahead, ..stored.record.clone() };
        record::encode(&record, [7; 16], Some(prev)).bytes
    };
    let is_quarantined = format!("task {task} is quarantined: ");

    let hole = append(&bed, &task, &forged(2, Hash::of(body))).await;
    order.complete(&json!({"n": 1})).await;
    let of_hole = letter(&bed).await.reason;
    assert!(of_hole.starts_with(&is_quarantined), "{of_hole}");
    remove(&bed, hole).await;

    let torn = append(&bed, &task, &forged(1, Hash::of(b"another record"))).await;
    replay_all(&bed).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    let of_chain = letter(&bed).await.reason;
    assert!(of_chain.starts_with(&is_quarantined) && of_chain != of_hole, "{of_chain}");
    others_go_on(&bed, "during").await;

    remove(&bed, torn).await;
    replay_all(&bed).await;
    assert_eq!(bed.answer(&task).await["result"]["echo"], json!({"n": 1}));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_for_a_newer_reader_releases_the_partition_and_loses_nothing() {
    let bed = handwork().await;
    let stack = bed.stack().await;
    let (task, order) = begun(&bed).await;
    // schema 99, min_reader 99.
    let sequence = append(&bed, &task, &[0x08, 99, 0x10, 99]).await;
    order.complete(&json!({"n": 1})).await;
    let partition = bed.bus.streams().partition(&task);
    released(&bed, &format!("p{partition}")).await;
    stack.stop().await;
    hurry_all(&bed).await;
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", "cadre.*.dead.>").await, 0, "no letter");
    assert_eq!(plain::count(&bed, "CADRE_IN_0", &order.report_subject()).await, 1, "not taken");
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", &format!("cadre.*.log.{task}")).await, 2);

    remove(&bed, sequence).await;
    let stack = bed.stack().await;
    assert_eq!(bed.answer(&task).await["result"]["echo"], json!({"n": 1}));
    others_go_on(&bed, "after").await;
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", "cadre.*.dead.>").await, 0);
    stack.stop().await;
}

/// Waits until nobody asks for a partition's inputs any more: between two pulls it is for a moment only.
async fn released(bed: &Bed, consumer: &str) {
    /// Looks in a row that must find nobody.
    const LOOKS: usize = 50;
    let look = async {
        let stream = bed.connection.js.get_stream("CADRE_IN_0").await.expect("stream");
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut looks = 0;
        while looks < LOOKS {
            look.tick().await;
            let info = stream.consumer_info(consumer).await.expect("consumer");
            assert_eq!(info.num_redelivered, 0, "it was asked for again");
            looks = if info.num_waiting == 0 { looks + 1 } else { 0 };
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("released in time");
}
