//! Bytes of released versions decode for ever to the same values; today's writer gives the newest.
//!
//! `UPDATE=1` writes only files that do not exist yet: a golden file never changes.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use cadre_core::{
    payload::{Hash, Payload},
    task::{Goal, Order, Record, Report},
};
use cadre_proto::{
    Blobs, ContentType, cancel, control, decision, goal, journal, order, record, report, v1,
};
use serde::Serialize;

use crate::{asked, called, crewed, sample, steered};

fn path(version: &str, name: &str, extension: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(version);
    folder.join(format!("{name}.{extension}"))
}

/// The golden bytes and JSON of `name`; both must be what the writers give today.
fn golden(name: &str, bytes: &Bytes, wire: &impl Serialize) -> (Bytes, Bytes) {
    let json = serde_json::to_string_pretty(wire).unwrap() + "\n";
    let read = |extension: &str, content: &[u8]| {
        let path = path("v2", name, extension);
        if std::env::var_os("UPDATE").is_some() && !path.exists() {
            fs::write(&path, content).unwrap();
        }
        let golden = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(golden == content, "{} is not what is written today", path.display());
        Bytes::from(golden)
    };
    (read("bin", bytes), read("json", json.as_bytes()))
}

/// What a writer of schema 1 gave.
fn old(name: &str) -> (Bytes, Bytes) {
    let read = |extension| Bytes::from(fs::read(path("v1", name, extension)).unwrap());
    (read("bin"), read("json"))
}

/// The message that was written.
fn wire<M: prost::Message + Default>(bytes: &Bytes) -> M {
    M::decode(bytes.clone()).unwrap()
}

fn blobs() -> Blobs {
    let large: Payload = sample::large();
    Blobs::from([(large.blob().unwrap().hash, large)])
}

const BOTH: [ContentType; 2] = [ContentType::Protobuf, ContentType::Json];

fn previous(record: &Record) -> Option<Hash> {
    (record.rev > 1).then(|| Hash::of(b"previous"))
}

/// Checks that a stored record means `expected`, and that its JSON says the same.
fn check_record((bytes, json): (&Bytes, &Bytes), expected: &Record, min_reader: u32) {
    let stored = record::decode(bytes, &blobs()).unwrap();
    assert_eq!(&stored.record, expected);
    let (txn, prev) = (stored.txn, stored.prev);
    assert_eq!((txn, prev), (sample::TXN, previous(expected)));
    assert_eq!((stored.hash, stored.min_reader), (Hash::of(bytes), min_reader));
    assert_eq!(serde_json::from_slice::<v1::Record>(json).unwrap(), wire(bytes));
}

#[test]
fn golden_records_decode_for_ever() {
    for (name, expected) in sample::records() {
        let (bytes, json) = old(name);
        check_record((&bytes, &json), &expected, 1);
    }
    let all = sample::records().into_iter().map(|sample| (sample, 1));
    for ((name, expected), min_reader) in
        all.chain(steered::records().into_iter().chain(crewed::records()).map(|it| (it, 2)))
    {
        let encoded = record::encode(&expected, sample::TXN, previous(&expected));
        let (bytes, json) = golden(name, &encoded.bytes, &wire::<v1::Record>(&encoded.bytes));
        check_record((&bytes, &json), &expected, min_reader);
        assert_eq!(encoded.hash, Hash::of(&bytes));
    }
}

fn check_goal(bodies: (Bytes, Bytes), expected: &Goal) {
    for (body, content) in [bodies.0, bodies.1].into_iter().zip(BOTH) {
        let parsed = goal::parse(&body, content).unwrap();
        assert_eq!(&parsed.into_core(&blobs()).unwrap(), expected);
    }
}

#[test]
fn golden_goals_decode_for_ever() {
    for (name, expected) in sample::goals() {
        let bytes = goal::encode(&expected, ContentType::Protobuf).unwrap();
        check_goal(golden(name, &bytes, &wire::<v1::Goal>(&bytes)), &expected);
        check_goal(old(name), &expected);
    }
}

fn check_order(bodies: (Bytes, Bytes), source: &Order) {
    for (body, content) in [bodies.0, bodies.1].into_iter().zip(BOTH) {
        let order = order::parse(&body, content).unwrap().into_core(&blobs()).unwrap();
        assert_eq!(
            order.attempt.to_string(),
            format!("extractor.{}.extract-3.2", source.goal.task)
        );
        assert_eq!(
            (order.tenant, order.workflow),
            (source.goal.tenant.clone(), source.goal.workflow.clone())
        );
        assert_eq!(order.revision, *source.goal.revision);
        assert_eq!((order.input, order.deadline), (source.input.clone(), source.deadline));
        assert_eq!(order.idempotency_key, source.idempotency_key());
        assert_eq!((order.accepts.as_str(), order.returns.as_str()), ("chunk@1", "terms@2"));
        assert_eq!((order.user, order.grant), (source.goal.user.clone(), source.grant));
        assert_eq!(order.ruled, source.ruled);
    }
}

#[test]
fn golden_work_orders_decode_for_ever() {
    for (name, source) in [
        ("work_order", sample::order()),
        ("work_order_grant", steered::granted_order()),
        ("work_order_ruled", called::ruled_order()),
        ("work_order_near", steered::near_order()),
    ] {
        let bytes = order::encode(&source, sample::CONTRACTS, ContentType::Protobuf).unwrap();
        check_order(golden(name, &bytes, &wire::<v1::WorkOrder>(&bytes)), &source);
    }
    check_order(old("work_order"), &sample::order());
}

fn check_report(bodies: (Bytes, Bytes), expected: &Report) {
    for (body, content) in [bodies.0, bodies.1].into_iter().zip(BOTH) {
        let received = report::parse(&body, content).unwrap().into_core(&blobs()).unwrap();
        assert_eq!((&received.task, &received.report), (&sample::goal().task, expected));
    }
}

#[test]
fn golden_reports_decode_for_ever() {
    let task = sample::goal().task;
    let limited = ("report_rate_limited", steered::report());
    let made = ("report_handoff_output", crewed::report());
    let unknown = ("report_outcome_unknown", called::report());
    let degraded = ("report_degraded", steered::degraded_report());
    let models = ("report_models", steered::models_report());
    let others = [limited, made, unknown, degraded, models];
    for (name, expected) in sample::reports().into_iter().chain(others) {
        let bytes = report::encode(&task, &expected, ContentType::Protobuf).unwrap();
        check_report(golden(name, &bytes, &wire::<v1::Report>(&bytes)), &expected);
    }
    for (name, expected) in sample::reports() {
        check_report(old(name), &expected);
    }
}

#[test]
fn golden_cancels_decode_for_ever() {
    let expected = sample::cancel();
    let bytes = cancel::encode(&expected, ContentType::Protobuf).unwrap();
    for bodies in [golden("cancel", &bytes, &wire::<v1::Cancel>(&bytes)), old("cancel")] {
        for (body, content) in [bodies.0, bodies.1].into_iter().zip(BOTH) {
            assert_eq!(cancel::decode(&body, content).unwrap(), expected);
        }
    }
}

#[test]
fn golden_controls_decode_for_ever() {
    for (name, expected) in steered::controls() {
        let bytes = control::encode(&expected, ContentType::Protobuf).unwrap();
        let message = wire::<v1::Control>(&bytes);
        assert_eq!((message.schema, message.min_reader), (2, 2));
        let (bytes, json) = golden(name, &bytes, &message);
        for (body, content) in [bytes, json].into_iter().zip(BOTH) {
            assert_eq!(control::decode(&body, content).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn golden_decisions_decode_for_ever() {
    for (name, expected) in steered::decisions() {
        let bytes = decision::encode(&expected, ContentType::Protobuf).unwrap();
        let message = wire::<v1::Decision>(&bytes);
        assert_eq!((message.schema, message.min_reader), (2, 2));
        let (bytes, json) = golden(name, &bytes, &message);
        for (body, content) in [bytes, json].into_iter().zip(BOTH) {
            let decision = decision::parse(&body, content).unwrap().into_core(&blobs()).unwrap();
            assert_eq!(decision, expected, "{name}");
        }
    }
}

#[test]
fn golden_journal_entries_decode_for_ever() {
    for (name, expected) in called::entries() {
        let bytes = journal::encode(&expected, ContentType::Protobuf).unwrap();
        let message = wire::<v1::JournalEntry>(&bytes);
        assert_eq!((message.schema, message.min_reader), (2, 2));
        let (bytes, json) = golden(name, &bytes, &message);
        for (body, content) in [bytes, json].into_iter().zip(BOTH) {
            let entry = journal::parse(&body, content).unwrap().into_core(&blobs()).unwrap();
            assert_eq!(entry, expected, "{name}");
        }
    }
}

#[test]
fn every_golden_file_is_read_by_a_test() {
    let names = sample::records().into_iter().map(|(name, _)| name);
    let names = names.chain(sample::goals().into_iter().map(|(name, _)| name));
    let names = names.chain(sample::reports().into_iter().map(|(name, _)| name));
    let first: Vec<&str> = names.chain(["work_order", "cancel"]).collect();
    let records = steered::records().into_iter().chain(crewed::records());
    let names = records.map(|(name, _)| name);
    let names = names.chain(steered::controls().into_iter().map(|(name, _)| name));
    let names = names.chain(steered::decisions().into_iter().map(|(name, _)| name));
    let names = names.chain(called::entries().into_iter().map(|(name, _)| name));
    let names = names.chain(["work_order_grant", "report_rate_limited", "report_handoff_output"]);
    let names = names.chain(["work_order_ruled", "report_outcome_unknown", "work_order_near"]);
    let names = names.chain(["report_degraded", "report_models"]);
    let names = names.chain(asked::NAMES);
    let second: Vec<&str> = first.iter().copied().chain(names).collect();
    for (version, known) in [("v1", first), ("v2", second)] {
        for entry in fs::read_dir(path(version, "x", "bin").parent().unwrap()).unwrap() {
            let file = entry.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap();
            assert!(known.contains(&stem), "{} is read by no test", file.display());
        }
    }
}
