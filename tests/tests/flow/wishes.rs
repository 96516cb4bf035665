//! Controls and decisions reach their task, count once, and leave a record that names them.

use cadre_core::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    ports::BusError,
    task::{Action, Budget, Control, Decision, Event, Record, Ruling},
};
use cadre_tests::{bed::Bed, hand::Hand, packs, plain};
use serde_json::json;

const PACK: &str = r#"apiVersion: pack/v1
name: steered
roles:
  hand: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 1, max_tokens: 100}
  when_limited: partial
  steps:
    first: {role: hand, with: "${ goal }"}
    second: {role: hand, after: [first], with: "${ first }"}
  result:
    echo: {from: ["${ second }"], required: true}
"#;

fn control(key: &str, action: Action) -> Control {
    let (by, reason, key) = ("ada".to_owned(), "the client called".to_owned(), key.to_owned());
    Control { by, reason, key, action }
}

/// The record that came of the message at `sequence`.
async fn record(bed: &Bed, task: &TaskId, sequence: u64) -> Record {
    plain::emptied(bed, "CADRE_IN_0").await;
    let records = bed.bus.read_log(task).await.expect("a log").records;
    let found = records.into_iter().find(|record| record.cause.sequence == sequence);
    found.unwrap_or_else(|| panic!("no record was caused by {sequence}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_counts_once_and_leaves_its_record() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let task = bed.publish("steered", "k", &json!({"n": 1})).await;
    let hand = Hand::of(&bed, "hand").await;
    let first = hand.order().await;

    let pause = control("p", Action::Pause);
    let sequence = bed.bus.control(&task, &pause).await.expect("sent");
    let paused = record(&bed, &task, sequence).await;
    assert_eq!(paused.events, [Event::Paused { by: "ada".to_owned() }]);
    assert_eq!((paused.cause.kind.as_str(), paused.cause.source.as_str()), ("control", "ada#p"));
    assert_eq!(bed.bus.control(&task, &pause).await.expect("known"), sequence);
    first.complete(&json!({"n": 1})).await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert_eq!(bed.task(&task).await.status(), "paused");

    let budget = Budget { steps: 3, usd_micros: 7, ..Budget::default() };
    let added = bed.bus.control(&task, &control("b", Action::AddBudget(budget))).await;
    record(&bed, &task, added.expect("sent")).await;
    assert_eq!(bed.task(&task).await.added, budget);
    let resume = bed.bus.control(&task, &control("r", Action::Resume)).await.expect("sent");
    assert_eq!(record(&bed, &task, resume).await.decision, "resume");
    hand.order().await.complete(&json!({"n": 2})).await;
    assert_eq!(bed.answer(&task).await["status"], "completed");

    let late = bed.bus.control(&task, &control("late", Action::Pause)).await.expect("sent");
    let late = record(&bed, &task, late).await;
    assert!(matches!(&late.events[..], [Event::Refused { .. }]), "{late:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_nothing_is_refused_with_its_content_read() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let task = bed.publish("steered", "k", &json!({"n": 1})).await;
    let _order = Hand::of(&bed, "hand").await.order().await;
    // Large enough to travel by reference.
    let content = Payload::from_value("clause ".repeat(10_000).into()).expect("a document");
    let decision = Decision {
        step: StepId::single(Name::new("first").expect("a name")),
        by: "ada".to_owned(),
        hash: Hash::of(b"what was shown"),
        ruling: Ruling::GrantWith(content),
        comment: String::new(),
    };
    let sequence = bed.bus.decide(&task, &decision).await.expect("sent");
    let refused = record(&bed, &task, sequence).await;
    let [Event::Refused { what, why }] = &refused.events[..] else { panic!("{refused:?}") };
    assert_eq!((what.as_str(), refused.cause.source.as_str()), ("decision", "ada#first"));
    assert!(why.contains("waits for no decision"), "{why}");

    let nameless = Decision { by: String::new(), ..decision };
    let error = bed.bus.decide(&task, &nameless).await.expect_err("nobody");
    assert!(matches!(&error, BusError::Refused(why) if why.contains("by must have")), "{error}");
    stack.stop().await;
}
