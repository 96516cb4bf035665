//! `cadre check` on real streams: clean after a clean run, and each forgery is found by name.

use async_nats::{HeaderMap, jetstream::message::StreamMessage};
use cadre_core::{
    check::{Rule, Verdict},
    ids::{Name, StepId, TaskId},
    payload::Hash,
    task::{Event, Failure, FailureKind, Usage},
};
use cadre_proto::record;
use cadre_tests::{bed::Bed, hand::Hand, packs, plain, verdict};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A pipeline, a fan-out, and a step that nobody does.
const PACK: &str = r#"apiVersion: pack/v1
name: mixed
roles:
  copier: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
  nobody: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 5m, max_steps: 99, max_usd: 0.001, max_tokens: 100}
  when_limited: partial
  steps:
    first: {role: copier, with: "${ goal }"}
    copy:
      role: copier
      after: [first]
      each: {over: "${ goal.items }", as: item}
      with: "${ item }"
    never: {role: nobody, after: [copy], when: has(goal.slow), with: "${ goal }"}
  result:
    copies: {from: ["${ copy }"], required: false}
    never: {from: ["${ never }"], required: false}
"#;

const SLOW: &str = r#"{"items": [{"n": 1}], "slow": true}"#;

async fn bed() -> Bed {
    let bed = Bed::new().await;
    let answer = r#"{"type": "object", "properties": {"copies": {"type": "array"}, "never": {}}}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    bed.apply(&packs::pack(PACK, &contracts)).await;
    bed
}

fn rules(verdict: &Verdict) -> Vec<Rule> {
    let mut rules: Vec<_> = verdict.violations.iter().map(|violation| violation.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn slow() -> serde_json::Value {
    serde_json::from_str(SLOW).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_everything_is_clean() {
    let bed = bed().await;
    let stack = bed.stack().await;
    let items: Vec<_> = (0..40).map(|n| json!({ "n": n })).collect();
    let done = bed.publish("mixed", "done", &json!({ "items": items })).await;
    let cancelled = bed.publish("mixed", "cancelled", &slow()).await;
    let open = bed.publish("mixed", "open", &slow()).await;
    bed.answer(&done).await;
    let order = Hand::of(&bed, "nobody").await.order().await;
    let task = TaskId::parse(order.header("Cadre-Task")).expect("a task");
    let other = if task == cancelled { &open } else { &cancelled };
    bed.bus.cancel(other, "ada", "enough").await.expect("sent");
    bed.answer(other).await;
    for number in 0..20 {
        plain::publish(
            &bed,
            "goals.acme.mixed",
            plain::headers(&[]),
            format!("[{number}").as_bytes(),
        )
        .await;
    }
    plain::dead_letters(&bed, 20).await;

    // While it works, and one task is open.
    verdict::is_clean(&bed).await;
    let verdict = verdict::check_with(&bed, true, &[]).await;
    assert_eq!(rules(&verdict), [Rule::GoalEnded], "{:#?}", verdict.violations);

    order.complete(&json!({"n": 1})).await;
    bed.answer(&task).await;
    let verdict = verdict::is_clean_at_rest(&bed, &[done, cancelled, open]).await;
    let counts = verdict.counts;
    assert_eq!((counts.tasks, counts.open, counts.answers, counts.letters), (3, 0, 3, 20));
    stack.stop().await;
    verdict::is_clean(&bed).await;
}

/// A bed with one task done and one whose last step is out, at rest; nobody works any more.
async fn resting() -> (Bed, TaskId, TaskId) {
    let bed = bed().await;
    let stack = bed.stack().await;
    let done = bed.publish("mixed", "done", &json!({"items": [{"n": 1}]})).await;
    let open = bed.publish("mixed", "open", &slow()).await;
    bed.answer(&done).await;
    // Given back unanswered: it lies in its stream.
    drop(Hand::of(&bed, "nobody").await.order().await);
    plain::emptied(&bed, "CADRE_IN_0").await;
    stack.stop().await;
    verdict::is_clean(&bed).await;
    (bed, done, open)
}

async fn last(bed: &Bed, stream: &str, subject: &str) -> StreamMessage {
    let stream = bed.connection.js.get_stream(stream).await.expect("stream");
    stream.get_last_raw_message_by_subject(subject).await.expect("a message")
}

async fn delete(bed: &Bed, stream: &str, sequence: u64) {
    let stream = bed.connection.js.get_stream(stream).await.expect("stream");
    assert!(stream.delete_message(sequence).await.expect("deleted"));
}

/// The rules that do not hold, and every violation's task and sequence.
async fn found(bed: &Bed) -> (Vec<Rule>, Vec<(Option<TaskId>, u64)>) {
    let verdict = verdict::check(bed).await;
    let places = verdict.violations.iter().map(|it| (it.task.clone(), it.sequence)).collect();
    (rules(&verdict), places)
}

fn guard(sequence: u64) -> HeaderMap {
    plain::headers(&[("Nats-Expected-Last-Subject-Sequence", &sequence.to_string())])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_record_is_found() {
    let (bed, _, open) = resting().await;
    let log = bed.bus.streams().partition(&open);
    let last = last(&bed, "CADRE_LOG_0", &format!("cadre.{log}.log.{open}")).await;
    delete(&bed, "CADRE_LOG_0", last.sequence).await;
    let (rules, places) = found(&bed).await;
    // The order that it decided is still out; what it answered must be asked again.
    assert!(rules.contains(&Rule::LogHole) && rules.contains(&Rule::OrderFromRecord), "{rules:?}");
    assert!(places.contains(&(None, last.sequence)), "{places:?}");

    let (bed, done, _) = resting().await;
    let log = bed.bus.streams().partition(&done);
    let stream = bed.connection.js.get_stream("CADRE_LOG_0").await.expect("stream");
    let subject = format!("cadre.{log}.log.{done}");
    let first = stream.direct_get_builder().sequence(1).next_by_subject(subject).send().await;
    delete(&bed, "CADRE_LOG_0", first.expect("a record").sequence).await;
    assert_eq!(found(&bed).await.0, [Rule::LogHole, Rule::DenseRevisions]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_record_with_the_right_guard_is_found() {
    let (bed, done, open) = resting().await;
    for (task, expected) in [
        (&open, vec![Rule::HashChain, Rule::AttemptOnce]),
        // Its own next record, once more: what the first one ended does not end again.
        (&done, vec![Rule::HashChain, Rule::LegalFold]),
    ] {
        let subject = format!("cadre.{}.log.{task}", bed.bus.streams().partition(task));
        let last = last(&bed, "CADRE_LOG_0", &subject).await;
        let loaded = bed.bus.read_log(task).await.expect("a whole log");
        let mut record = loaded.records.last().expect("a record").clone();
        record.rev += 1;
        record.events = match task == &open {
            true => vec![Event::StepFailed {
                step: "first".parse::<Name>().map(StepId::single).expect("a step"),
                failure: Failure::new(FailureKind::Error, "forged"),
                usage: Usage::default(),
            }],
            false => record.events,
        };
        let forged = record::encode(&record, [7; 16], Some(Hash::of(b"forged"))).bytes;
        let ack = plain::publish(&bed, &subject, guard(last.sequence), &forged).await;
        let (rules, places) = found(&bed).await;
        assert!(expected.iter().all(|rule| rules.contains(rule)), "{rules:?}");
        assert!(places.contains(&(Some(task.clone()), ack.sequence)), "{places:?}");
    }
    // Both forgeries had the same transaction id.
    assert!(found(&bed).await.0.contains(&Rule::UniqueTxn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_order_and_a_lost_one_are_found() {
    let (bed, _, open) = resting().await;
    let partition = bed.bus.streams().partition(&open);
    let subject = |step: &str| format!("cadre.{partition}.work.nobody.{open}.{step}.1");
    let real = last(&bed, "CADRE_WORK_0", &subject("never")).await;
    let body = String::from_utf8(real.payload.to_vec()).expect("JSON");
    let headers = plain::headers(&[("Content-Type", "application/json")]);
    let other = body.replace("\"never\"", "\"other\"");
    let ack = plain::publish(&bed, &subject("other"), headers, other.as_bytes()).await;
    let (rules, places) = found(&bed).await;
    assert_eq!(rules, [Rule::OrderFromRecord]);
    assert_eq!(places, [(Some(open.clone()), ack.sequence)]);

    delete(&bed, "CADRE_WORK_0", ack.sequence).await;
    verdict::is_clean(&bed).await;
    delete(&bed, "CADRE_WORK_0", real.sequence).await;
    assert_eq!(found(&bed).await.0, [Rule::OrderPaid]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_timer_is_found() {
    let (bed, _, open) = resting().await;
    let partition = bed.bus.streams().partition(&open);
    let timer = last(&bed, "CADRE_TIMER_0", &format!("cadre.{partition}.timer.{open}.wake")).await;
    delete(&bed, "CADRE_TIMER_0", timer.sequence).await;
    assert_eq!(found(&bed).await.0, [Rule::TimerPaid]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_and_a_second_one_are_found() {
    let (bed, done, _) = resting().await;
    let subject = format!("answers.acme.mixed.{done}");
    let real = last(&bed, "CADRE_ANSWERS", &subject).await;
    let body = String::from_utf8(real.payload.to_vec()).expect("JSON");

    let ack = plain::publish(&bed, &subject, guard(real.sequence), body.as_bytes()).await;
    let (rules, places) = found(&bed).await;
    assert_eq!((rules, places), (vec![Rule::OneAnswer], vec![(Some(done.clone()), ack.sequence)]));

    let other = body.replace("\"completed\"", "\"failed\"");
    plain::publish(&bed, &subject, guard(ack.sequence), other.as_bytes()).await;
    assert_eq!(found(&bed).await.0, [Rule::AnswerFromEnd, Rule::OneAnswer]);

    let second = last(&bed, "CADRE_ANSWERS", &subject).await;
    delete(&bed, "CADRE_ANSWERS", second.sequence).await;
    assert_eq!(found(&bed).await.0, [Rule::AnswerPaid]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_document_is_found() {
    let bed = bed().await;
    let stack = bed.stack().await;
    let large = json!({"items": [], "text": "x".repeat(100_000)});
    let task = bed.publish("mixed", "large", &large).await;
    bed.answer(&task).await;
    verdict::is_clean_at_rest(&bed, std::slice::from_ref(&task)).await;
    let blob = bed.task(&task).await.goal.input.blob().expect("a large document");
    let store = bed.connection.js.get_object_store("CADRE_BLOBS").await.expect("a store");
    store.delete(blob.hash.to_string()).await.expect("deleted");
    let verdict = verdict::check(&bed).await;
    assert!(rules(&verdict).contains(&Rule::DocumentKept), "{:#?}", verdict.violations);
    stack.stop().await;
}

/// Headers that are no text end a client's connection: not this one's.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_client_can_read_does_not_stop_the_check() {
    let bed = bed().await;
    let head = b"NATS/1.0\r\nCadre-User: \xff\xfe\r\n\r\n";
    let line = format!("HPUB goals.acme.mixed {} {}\r\n", head.len(), head.len() + 2);
    let url = bed.server.urls()[0].clone();
    let address = url.trim_start_matches("nats://").to_owned();
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("a socket");
    socket.write_all(b"CONNECT {\"headers\":true,\"verbose\":false}\r\n").await.expect("sent");
    socket.write_all(line.as_bytes()).await.expect("sent");
    socket.write_all(&[&head[..], b"{}\r\nPING\r\n"].concat()).await.expect("sent");
    let mut heard = [0; 4096];
    while !String::from_utf8_lossy(&heard).contains("PONG") {
        assert!(socket.read(&mut heard).await.expect("read") > 0);
    }
    let verdict = verdict::check(&bed).await;
    assert_eq!((verdict.violations_total, verdict.counts.goals_waiting), (0, 1));
}
