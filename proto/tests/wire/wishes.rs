//! What schema 2 brought is as strict as the rest, and older readers are told when they need it.

use std::time::Duration;

use bytes::Bytes;
use cadre_core::{
    payload::Hash,
    task::{Control, Decision, Event, FailureKind, Outcome, Ruling},
};
use cadre_proto::{
    Blobs, ContentType, DecodeError, control, decision, record,
    report::{self, Received},
    v1,
};
use prost::Message;
use serde_json::{Value, json};

use crate::{sample, steered};

const JSON: ContentType = ContentType::Json;

fn read_control(body: &Value) -> Result<Control, DecodeError> {
    control::decode(&Bytes::from(body.to_string()), JSON)
}

fn read_decision(body: &Value) -> Result<Decision, DecodeError> {
    decision::parse(&Bytes::from(body.to_string()), JSON)?.into_core(&Blobs::new())
}

fn decision_json() -> Value {
    let hash = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    json!({"step": "pay", "by": "ada", "askSha256": hash, "granted": {}})
}

#[test]
fn each_wrong_field_of_a_control_is_named() {
    let by = "control: by must have 1 to 256 bytes without control characters";
    let key = "control: key must have 1 to 256 bytes";
    let good = json!({"by": "ada", "key": "k", "pause": {}});
    assert!(read_control(&good).is_ok());
    for (expected, field, value) in [
        (by, "by", json!("")),
        (by, "by", json!("x".repeat(257))),
        (by, "by", json!("a\u{1b}[2J")),
        (key, "key", json!("")),
        (key, "key", json!("x".repeat(257))),
        ("duplicate field `resume`", "resume", json!({})),
        ("unknown field `wait`", "wait", json!({})),
        ("pause.for: unknown field `for`", "pause", json!({"for": 1})),
        ("control needs a reader of schema 3", "minReader", json!(3)),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let error = read_control(&body).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error:?}");
    }
    let error = read_control(&json!({"by": "ada", "key": "k"})).unwrap_err().to_string();
    assert!(error.starts_with("control: action is not set"), "{error}");
}

#[test]
fn each_wrong_field_of_a_decision_is_named() {
    assert_eq!(read_decision(&decision_json()).unwrap().ruling, Ruling::Grant);
    let by = "decision: by must have 1 to 256 bytes without control characters";
    for (expected, field, value) in [
        ("decision: step is invalid", "step", json!("Pay")),
        (by, "by", json!("")),
        (by, "by", json!("ada\nbob")),
        ("decision: ask_sha256 must have 32 bytes", "askSha256", json!("AAEC")),
        ("duplicate field `", "denied", json!({})),
        ("granted.contents: unknown field", "granted", json!({"contents": 1})),
        ("granted.content: $blob: invalid type", "granted", json!({"content": {"$blob": 1}})),
    ] {
        let mut body = decision_json();
        body[field] = value;
        let error = read_decision(&body).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error:?}");
    }
    let mut body = decision_json();
    body.as_object_mut().unwrap().remove("granted");
    let error = read_decision(&body).unwrap_err().to_string();
    assert!(error.starts_with("decision: ruling is not set"), "{error}");
}

#[test]
fn a_grant_with_null_is_not_a_grant_alone() {
    let mut body = decision_json();
    body["granted"] = json!({"content": null});
    let ruling = read_decision(&body).unwrap().ruling;
    assert_eq!(ruling, Ruling::GrantWith(sample::json("null")));
}

#[test]
fn a_large_content_is_asked_for() {
    let (_, granted) = steered::decisions().remove(3);
    let body = decision::encode(&granted, JSON).unwrap();
    let parsed = decision::parse(&body, JSON).unwrap();
    let hash = sample::large().blob().unwrap().hash;
    assert_eq!(parsed.needed().iter().map(|blob| blob.hash).collect::<Vec<_>>(), [hash]);
    assert_eq!(parsed.into_core(&Blobs::new()).unwrap_err().missing_blob(), Some(hash));
}

#[test]
fn long_texts_of_people_are_cut() {
    let long = "x".repeat(5_000);
    let control = json!({"by": "ada", "key": "k", "kill": {}, "reason": long});
    let reason = read_control(&control).unwrap().reason;
    assert!(reason.len() <= 2_048 && reason.ends_with("bytes more)"), "{reason}");
    let mut body = decision_json();
    body["comment"] = json!(long);
    assert!(read_decision(&body).unwrap().comment.len() <= 2_048);
}

fn failed(failure: &Value) -> Received {
    let body = json!({
        "task": "vs3tl6e2t2bmylf5r7pg2ndlxn", "step": "extract-3", "attempt": 2,
        "role": "extractor", "failed": failure,
    });
    let parsed = report::parse(&Bytes::from(body.to_string()), JSON).unwrap();
    parsed.into_core(&Blobs::new()).unwrap()
}

#[test]
fn a_retry_after_counts_for_an_hour_at_most() {
    for (ms, expected) in [(json!(0), 0), (json!(1_500), 1_500), (json!("3600001"), 3_600_000)] {
        let received = failed(&json!({"kind": "RATE_LIMITED", "retryAfterMs": ms}));
        let Outcome::Failed(failure) = received.report.outcome else { panic!("{received:?}") };
        assert_eq!(failure.kind, FailureKind::RateLimited);
        assert_eq!(failure.retry_after, Some(Duration::from_millis(expected)));
    }
    let Outcome::Failed(failure) = failed(&json!({"kind": "UNAVAILABLE"})).report.outcome else {
        panic!("it failed")
    };
    assert_eq!((failure.kind, failure.retry_after), (FailureKind::Unavailable, None));
}

#[test]
fn readers_that_could_not_act_on_it_are_told_to_stop() {
    let min_reader = |event: &Event| {
        let sample = sample::record(5, vec![event.clone()]);
        let encoded = record::encode(&sample, sample::TXN, Some(Hash::of(b"")));
        v1::Record::decode(encoded.bytes).unwrap().min_reader
    };
    for (name, record) in sample::records() {
        assert!(record.events.iter().all(|event| min_reader(event) == 1), "{name}");
    }
    for (name, record) in steered::records() {
        assert!(record.events.iter().all(|event| min_reader(event) == 2), "{name}");
    }
    let both = [sample::records().remove(1).1.events, steered::records().remove(1).1.events];
    let mixed = record::encode(&sample::record(5, both.concat()), sample::TXN, None);
    assert_eq!(v1::Record::decode(mixed.bytes).unwrap().min_reader, 2);

    let task = &sample::goal().task;
    let of = |body: Bytes| v1::Report::decode(body).unwrap().min_reader;
    for (name, report) in sample::reports() {
        assert_eq!(of(report::encode(task, &report, ContentType::Protobuf).unwrap()), 1, "{name}");
    }
    let limited = report::encode(task, &steered::report(), ContentType::Protobuf).unwrap();
    assert_eq!(of(limited), 2);
}

#[test]
fn wrong_values_of_events_are_named() {
    type Change = fn(&mut v1::event::Kind);
    let cases: [(&str, &str, Change); 4] = [
        ("record_step_waiting", "events[0].step_waiting.kind has the unknown value 7", |kind| {
            let v1::event::Kind::StepWaiting(event) = kind else { panic!("another sample") };
            event.kind = 7;
        }),
        ("record_step_waiting", "events[0].step_waiting.when_expired has the unknown", |kind| {
            let v1::event::Kind::StepWaiting(event) = kind else { panic!("another sample") };
            event.when_expired = 7;
        }),
        ("record_budget_near", "events[0].budget_near.resource is missing", |kind| {
            let v1::event::Kind::BudgetNear(event) = kind else { panic!("another sample") };
            event.resource = 0;
        }),
        ("record_step_delayed", "events[0].step_delayed.failure.kind is missing", |kind| {
            let v1::event::Kind::StepDelayed(event) = kind else { panic!("another sample") };
            event.failure.as_mut().unwrap().kind = 0;
        }),
    ];
    let samples = [sample::records(), steered::records()].concat();
    for (name, expected, change) in cases {
        let (_, record) = samples.iter().find(|(known, _)| *known == name).unwrap();
        let encoded = record::encode(record, sample::TXN, Some(Hash::of(b"")));
        let mut wire = v1::Record::decode(encoded.bytes).unwrap();
        change(wire.events[0].kind.as_mut().unwrap());
        let body = Bytes::from(wire.encode_to_vec());
        let error = record::decode(&body, &Blobs::new()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("record: {expected}")), "{error}");
    }
}
