//! A broker that comes back with a consumer that has passed over what it never gave out.
//!
//! The state is made by hand: the broker is killed, and the file that holds the consumer's place is written as a
//! consumer would write it that has given out and seen settled everything up to some message.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cadre::stack::StackOptions;
use cadre_core::ids::{Name, TaskId};
use cadre_proto::header::own_key;
use cadre_tests::{bed::Bed, packs, plain, verdict};
use serde_json::json;

/// A step that nobody does.
const DESK: &str = r#"apiVersion: pack/v1
name: desk
roles:
  clerk: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    stamp: {role: clerk, with: "${ goal }"}
  result:
    stamp: {from: ["${ stamp }"], required: false}
"#;

/// Where the broker keeps the place of a consumer.
fn place_of(folder: &Path, stream: &str, consumer: &str) -> Option<PathBuf> {
    let end: PathBuf = [stream, "obs", consumer, "o.dat"].iter().collect();
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let found = if path.is_dir() { place_of(&path, stream, consumer) } else { None };
        if let Some(found) = found.or_else(|| path.ends_with(&end).then_some(path)) {
            return Some(found);
        }
    }
    None
}

/// Makes a killed broker believe that the consumer is done with everything up to `sequence`.
fn pass_over(bed: &Bed, stream: &str, consumer: &str, sequence: u64) {
    let place = place_of(bed.server.store_dir(), stream, consumer);
    let place = place.unwrap_or_else(|| panic!("{stream} has no consumer {consumer}"));
    // Magic and version, then acknowledged and delivered, each by consumer and by stream; nothing is out.
    let mut bytes = vec![22, 2];
    for number in [sequence; 4] {
        let mut rest = number;
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes.extend([0, 0]);
    fs::write(place, bytes).expect("written");
}

async fn last(bed: &Bed, stream: &str) -> u64 {
    let mut stream = bed.connection.js.get_stream(stream).await.expect("stream");
    let state = &stream.info().await.expect("info").state;
    assert!(state.messages > 0, "nothing lies in {state:?}");
    state.last_sequence
}

async fn holds(bed: &Bed, stream: &str, filter: &str, count: usize) {
    let look = async {
        while plain::count(bed, stream, filter).await < count {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(cadre_tests::bed::PATIENCE, look).await.expect("stored in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_has_passed_over_is_done_all_the_same() {
    let mut bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    bed.apply(&packs::pack(DESK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;

    // An order that waits, a cancel that waits, and two goals that do, one of them without a key.
    let alone = StackOptions { aggregator: false, agents: None, ..StackOptions::all() };
    let stack = bed.stack_of(alone).await;
    let ordered = bed.publish("echoes", "ordered", &json!({"n": 1})).await;
    let unwanted = bed.publish("desk", "unwanted", &json!({"n": 2})).await;
    holds(&bed, "CADRE_WORK_0", "cadre.*.work.>", 2).await;
    stack.stop().await;
    bed.bus.cancel(&unwanted, "ada", "not wanted").await.expect("sent");
    let named = bed.publish("echoes", "named", &json!({"n": 3})).await;
    let sent = plain::publish(&bed, "goals.acme.echoes", plain::headers(&[]), br#"{"n": 4}"#).await;
    let goals = bed.connection.js.get_stream("CADRE_GOALS").await.expect("stream");
    let epoch = goals.cached_info().created.unix_timestamp().to_string();
    let acme = Name::new("acme").expect("a name");
    let keyless = TaskId::derive(&acme, &own_key(&epoch, sent.sequence));

    let partition = format!("p{}", bed.bus.streams().partition(&unwanted));
    let places = [
        ("CADRE_GOALS", "intake", last(&bed, "CADRE_GOALS").await),
        ("CADRE_IN_0", partition.as_str(), last(&bed, "CADRE_IN_0").await),
        ("CADRE_WORK_0", "role-echoes-r1", last(&bed, "CADRE_WORK_0").await),
    ];
    bed.server.kill().await.expect("killed");
    for (stream, consumer, sequence) in places {
        pass_over(&bed, stream, consumer, sequence);
    }
    bed.server.restart().await.expect("restarted");
    for (stream, consumer, sequence) in places {
        let stream = bed.connection.js.get_stream(stream).await.expect("stream");
        let info = stream.consumer_info(consumer).await.expect("consumer");
        assert_eq!((info.num_pending, info.ack_floor.stream_sequence), (0, sequence), "{consumer}");
    }

    let stack = bed.stack().await;
    for (task, status) in [
        (&ordered, "completed"),
        (&unwanted, "cancelled"),
        (&named, "completed"),
        (&keyless, "completed"),
    ] {
        assert_eq!(bed.answer(task).await["status"], status);
    }
    verdict::is_clean_at_rest(&bed, &[ordered, unwanted, named, keyless]).await;
    assert_eq!(plain::count(&bed, "CADRE_ANSWERS", "answers.>").await, 4, "nothing twice");
    stack.stop().await;
}
