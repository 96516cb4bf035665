//! Bytes of released versions decode for ever to the same values, and today's writer gives them.
//!
//! `UPDATE=1` writes only files that do not exist yet: a golden file never changes.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use cadre_core::payload::{Hash, Payload};
use cadre_proto::{Blobs, ContentType, cancel, goal, order, record, report, v1};
use serde::Serialize;

use crate::sample;

fn path(name: &str, extension: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/v1");
    folder.join(format!("{name}.{extension}"))
}

/// The golden bytes and JSON of `name`; both must be what the writers give today.
fn golden(name: &str, bytes: &Bytes, wire: &impl Serialize) -> (Bytes, Bytes) {
    let json = serde_json::to_string_pretty(wire).unwrap() + "\n";
    let read = |extension: &str, content: &[u8]| {
        let path = path(name, extension);
        if std::env::var_os("UPDATE").is_some() && !path.exists() {
            fs::write(&path, content).unwrap();
        }
        let golden = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(golden == content, "{} is not what is written today", path.display());
        Bytes::from(golden)
    };
    (read("bin", bytes), read("json", json.as_bytes()))
}

/// The message that was written.
fn wire<M: prost::Message + Default>(bytes: &Bytes) -> M {
    M::decode(bytes.clone()).unwrap()
}

fn blobs() -> Blobs {
    let large: Payload = sample::large();
    Blobs::from([(large.blob().unwrap().hash, large)])
}

#[test]
fn golden_records_decode_for_ever() {
    for (name, expected) in sample::records() {
        let prev = (expected.rev > 1).then(|| Hash::of(b"previous"));
        let encoded = record::encode(&expected, sample::TXN, prev);
        let message: v1::Record = wire(&encoded.bytes);
        let (bytes, json) = golden(name, &encoded.bytes, &message);

        let stored = record::decode(&bytes, &blobs()).unwrap();
        assert_eq!(stored.record, expected, "{name}");
        assert_eq!((stored.txn, stored.prev, stored.min_reader), (sample::TXN, prev, 1));
        assert_eq!((stored.hash, encoded.hash), (Hash::of(&bytes), Hash::of(&bytes)));
        assert_eq!(serde_json::from_slice::<v1::Record>(&json).unwrap(), message);
    }
}

#[test]
fn golden_goals_decode_for_ever() {
    for (name, expected) in sample::goals() {
        let bytes = goal::encode(&expected, ContentType::Protobuf).unwrap();
        let (bytes, json) = golden(name, &bytes, &wire::<v1::Goal>(&bytes));
        for (body, content) in [(bytes, ContentType::Protobuf), (json, ContentType::Json)] {
            let parsed = goal::parse(&body, content).unwrap();
            assert_eq!(parsed.into_core(&blobs()).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn golden_work_orders_decode_for_ever() {
    let source = sample::order();
    let bytes = order::encode(&source, sample::CONTRACTS, ContentType::Protobuf).unwrap();
    let (bytes, json) = golden("work_order", &bytes, &wire::<v1::WorkOrder>(&bytes));
    for (body, content) in [(bytes, ContentType::Protobuf), (json, ContentType::Json)] {
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
        assert_eq!(order.user, source.goal.user);
    }
}

#[test]
fn golden_reports_decode_for_ever() {
    let task = sample::goal().task;
    for (name, expected) in sample::reports() {
        let bytes = report::encode(&task, &expected, ContentType::Protobuf).unwrap();
        let (bytes, json) = golden(name, &bytes, &wire::<v1::Report>(&bytes));
        for (body, content) in [(bytes, ContentType::Protobuf), (json, ContentType::Json)] {
            let received = report::parse(&body, content).unwrap().into_core(&blobs()).unwrap();
            assert_eq!(
                (received.task, received.report),
                (task.clone(), expected.clone()),
                "{name}"
            );
        }
    }
}

#[test]
fn golden_cancels_decode_for_ever() {
    let expected = sample::cancel();
    let bytes = cancel::encode(&expected, ContentType::Protobuf).unwrap();
    let (bytes, json) = golden("cancel", &bytes, &wire::<v1::Cancel>(&bytes));
    assert_eq!(cancel::decode(&bytes, ContentType::Protobuf).unwrap(), expected);
    assert_eq!(cancel::decode(&json, ContentType::Json).unwrap(), expected);
}

#[test]
fn every_golden_file_is_read_by_a_test() {
    let names = sample::records().into_iter().map(|(name, _)| name);
    let names = names.chain(sample::goals().into_iter().map(|(name, _)| name));
    let names = names.chain(sample::reports().into_iter().map(|(name, _)| name));
    let known: Vec<&str> = names.chain(["work_order", "cancel"]).collect();
    for entry in fs::read_dir(path("x", "bin").parent().unwrap()).unwrap() {
        let file = entry.unwrap().path();
        let stem = file.file_stem().unwrap().to_str().unwrap();
        assert!(known.contains(&stem), "{} is read by no test", file.display());
    }
}
