//! Readers refuse what they do not fully understand, and say which field.

use bytes::Bytes;
use cadre_core::payload::Hash;
use cadre_proto::{
    Blobs, ContentType, DecodeError, Problem, cancel, goal, order, record, report,
    subject::Attempt, v1,
};
use prost::Message;
use serde_json::{Value, json};

use crate::sample;

const JSON: ContentType = ContentType::Json;

fn report_json() -> Value {
    json!({
        "task": "vs3tl6e2t2bmylf5r7pg2ndlxn", "step": "extract-3", "attempt": 2,
        "role": "extractor", "completed": {"output": {"terms": []}},
    })
}

fn read_report(body: &Value) -> Result<report::Received, DecodeError> {
    let body = Bytes::from(body.to_string());
    report::parse(&body, JSON)?.into_core(&Blobs::new())
}

fn report_error(change: impl FnOnce(&mut Value)) -> String {
    let mut body = report_json();
    change(&mut body);
    read_report(&body).unwrap_err().to_string()
}

#[test]
fn a_worker_needs_to_write_no_more_than_this() {
    let received = read_report(&report_json()).unwrap();
    assert_eq!(received.report.worker, "");
    let mut snake = report_json();
    snake["needs_human"] = json!({"question": "?"});
    snake.as_object_mut().unwrap().remove("completed");
    snake["usage"] = json!({"usd_micros": "7", "workMs": 3});
    let received = read_report(&snake).unwrap();
    assert_eq!((received.report.usage.usd_micros, received.report.usage.work_ms), (7, 3));
}

#[test]
fn each_wrong_field_of_a_report_is_named() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 16] = [
        ("report: task is invalid", |r| r["task"] = json!("x")),
        ("report: task is invalid", |r| drop(r.as_object_mut().unwrap().remove("task"))),
        ("report: step is invalid", |r| r["step"] = json!("extract-03")),
        ("report: attempt must be 1 or more", |r| r["attempt"] = json!(0)),
        ("report: role is invalid", |r| r["role"] = json!("Extractor")),
        ("report: outcome is not set", |r| drop(r.as_object_mut().unwrap().remove("completed"))),
        ("report: completed.output is missing", |r| r["completed"] = json!({})),
        ("report: completed.confidence must be", |r| r["completed"]["confidence"] = json!(1.01)),
        ("report: completed.confidence must be", |r| r["completed"]["confidence"] = json!("NaN")),
        ("unknown field `compleated`", |r| r["compleated"] = json!(1)),
        ("completed.outputs: unknown field `outputs`", |r| r["completed"]["outputs"] = json!(1)),
        ("duplicate field `failed`", |r| r["failed"] = json!({"kind": "ERROR"})),
        ("attempt: not a number that this field can hold", |r| r["attempt"] = json!(-1)),
        ("report: failed.kind is missing", |r| {
            r.as_object_mut().unwrap().remove("completed");
            r["failed"] = json!({"message": "x"});
        }),
        ("failed.kind: unknown variant `BAD`", |r| {
            r.as_object_mut().unwrap().remove("completed");
            r["failed"] = json!({"kind": "BAD"});
        }),
        ("report: worker must have at most 256 bytes", |r| r["worker"] = json!("x".repeat(257))),
    ];
    for (expected, change) in cases {
        let error = report_error(change);
        assert!(error.contains(expected), "{expected:?} is not in {error:?}");
    }
}

#[test]
fn null_is_a_document_and_absence_is_not() {
    let mut body = report_json();
    body["completed"] = json!({"output": null});
    assert!(read_report(&body).is_ok());
}

#[test]
fn a_report_must_answer_the_work_of_its_subject() {
    let received = read_report(&report_json()).unwrap();
    let right = Attempt {
        role: sample::name("extractor"),
        task: received.task.clone(),
        step: received.report.step.clone(),
        number: 2,
    };
    assert_eq!(received.check(&right), Ok(()));
    let role = Attempt { role: sample::name("other"), ..right.clone() };
    assert_eq!(received.check(&role).unwrap_err().field, "role");
    let number = Attempt { number: 3, ..right.clone() };
    let text = received.check(&number).unwrap_err().to_string();
    assert_eq!(text, r#"report: attempt is "2" in the body and "3" in the subject"#);
    let step = Attempt { step: cadre_core::ids::StepId::single(sample::name("extract")), ..right };
    assert_eq!(received.check(&step).unwrap_err().field, "step");
}

/// A golden record, changed.
fn record_error(change: impl FnOnce(&mut v1::Record)) -> DecodeError {
    let (_, sample) = &sample::records()[2];
    let encoded = record::encode(sample, sample::TXN, Some(Hash::of(b"")));
    let mut wire = v1::Record::decode(encoded.bytes).unwrap();
    change(&mut wire);
    record::decode(&Bytes::from(wire.encode_to_vec()), &Blobs::new()).unwrap_err()
}

#[test]
fn each_wrong_field_of_a_record_is_named() {
    type Change = fn(&mut v1::Record);
    let cases: [(&str, Change); 9] = [
        ("record: schema is missing", |r| r.schema = 0),
        ("record: min_reader is missing", |r| r.min_reader = 0),
        ("record: rev is missing", |r| r.rev = 0),
        ("record: txn must have 16 bytes", |r| r.txn = Bytes::from_static(b"short")),
        ("record: prev_sha256 must have 32 bytes", |r| r.prev_sha256 = Bytes::new()),
        ("record: prev_sha256 must be empty for rev 1", |r| r.rev = 1),
        ("record: cause is missing", |r| r.cause = None),
        ("record: events[1].kind is not set", |r| r.events.push(v1::Event { kind: None })),
        ("record: events[0].step_dispatched.attempt must be 1 or more", |r| {
            let Some(v1::event::Kind::StepDispatched(event)) = &mut r.events[0].kind else {
                panic!("the sample changed")
            };
            event.attempt = 0;
        }),
    ];
    for (expected, change) in cases {
        let error = record_error(change).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

fn too_new(message: &'static str) -> DecodeError {
    DecodeError::TooNew { message, min_reader: 3, reads: 2 }
}

#[test]
fn a_message_for_newer_readers_is_recognised_before_its_syntax() {
    let error = record_error(|r| (r.schema, r.min_reader) = (4, 3));
    assert_eq!(error, too_new("record"));

    // Schema 4, readable from 3 on, and a field of another type than ours.
    let later = Bytes::from_static(b"\x08\x04\x10\x03\x18\x01\x22\x01");
    let later = [&later[..], b"\x00\x2a\x00\x1a\x00"].concat();
    let error = record::parse(&Bytes::from(later)).unwrap_err();
    assert_eq!(error, too_new("record"));

    for body in
        [r#"{"schema":3,"minReader":3,"new":{}}"#, r#"{"min_reader":3,"new":{},"schema":3}"#]
    {
        let error = cancel::decode(&Bytes::from(body), JSON).unwrap_err();
        assert_eq!(error, too_new("cancel"));
    }
}

#[test]
fn a_newer_message_that_says_so_is_read_without_its_new_fields() {
    let mut body = v1::Cancel { schema: 9, min_reader: 1, by: "ada".into(), reason: String::new() }
        .encode_to_vec();
    body.extend(b"\xf8\x01\x07");
    let cancel = cancel::decode(&Bytes::from(body), ContentType::Protobuf).unwrap();
    assert_eq!(cancel.by, "ada");
}

#[test]
fn wrong_goals_and_orders_are_named() {
    let goal = sample::goal();
    let change = |change: fn(&mut v1::Goal)| {
        let body = goal::encode(&goal, ContentType::Protobuf).unwrap();
        let mut wire = v1::Goal::decode(body).unwrap();
        change(&mut wire);
        let body = Bytes::from(wire.encode_to_vec());
        let parsed = goal::parse(&body, ContentType::Protobuf).unwrap();
        parsed.into_core(&Blobs::new()).unwrap_err()
    };
    let range = |field: &str, text: &'static str| DecodeError::Field {
        message: "goal",
        field: field.to_owned(),
        problem: Problem::Range(text),
    };
    assert_eq!(change(|g| g.digest = Bytes::new()), range("digest", "must have 32 bytes"));
    assert_eq!(change(|g| g.key.clear()), range("key", "must have 1 to 256 bytes"));
    let ascii = "must be 1 to 256 bytes of printable ASCII";
    assert_eq!(change(|g| g.user = Some("a\r\n".to_owned())), range("user", ascii));

    let body = order::encode(&sample::order(), sample::CONTRACTS, JSON).unwrap();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["accepts"] = json!("");
    let parsed = order::parse(&Bytes::from(body.to_string()), JSON).unwrap();
    let error = parsed.into_core(&Blobs::new()).unwrap_err().to_string();
    assert_eq!(error, "work order: accepts is missing");
}
