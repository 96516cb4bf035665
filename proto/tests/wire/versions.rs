//! Readers and writers of different schemas, side by side.

use std::{fs, path::Path};

use bytes::Bytes;
use cadre_core::payload::Hash;
use cadre_proto::{
    Blobs, DecodeError, MIN_READER, NEEDS_STEERING, Reader, SCHEMA, Writer, record,
    version::NEEDS_WRITER,
};

use crate::{sample, steered};

const NEXT: Writer<'static> = Writer { schema: NEEDS_WRITER, build: "0.2.0" };

fn blobs() -> Blobs {
    let large = sample::large();
    Blobs::from([(large.blob().unwrap().hash, large)])
}

/// Every golden record of a version, by name.
fn golden(version: &str) -> Vec<(String, Bytes)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(version);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let records = files.filter_map(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        let is_one = name.starts_with("record_") && name.ends_with(".bin");
        is_one.then(|| (name, Bytes::from(fs::read(&path).unwrap())))
    });
    let records: Vec<_> = records.collect();
    assert!(records.len() > 10, "{version}");
    records
}

/// The defaults of today's reader are what schema 1 meant: it needs no translation of its own.
#[test]
fn a_later_reader_reads_every_older_record_as_it_was_meant() {
    for version in ["v1", "v2"] {
        for (name, bytes) in golden(version) {
            let today = record::decode(&bytes, &blobs()).unwrap();
            let later = record::parse_by(Reader(9), &bytes).unwrap().into_core(&blobs()).unwrap();
            assert_eq!(later, today, "{version}/{name}");
            assert_eq!(format!("v{}", today.schema), version, "{name}");
        }
    }
}

#[test]
fn an_older_reader_is_told_of_exactly_what_it_would_get_wrong() {
    for (name, bytes) in golden("v2") {
        let min_reader = record::decode(&bytes, &blobs()).unwrap().min_reader;
        let read = record::parse_by(Reader(1), &bytes).map(|_| ());
        let expected = match min_reader {
            MIN_READER => Ok(()),
            _ => Err(DecodeError::TooNew { message: "record", min_reader, reads: 1 }),
        };
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn a_newer_writer_is_read_by_its_own_and_refused_by_us_with_the_next_step() {
    let records = sample::records().into_iter().chain(steered::records());
    for (name, expected) in records {
        let prev = (expected.rev > 1).then(|| Hash::of(b"previous"));
        let encoded = record::encode_by(NEXT, &expected, sample::TXN, prev);
        let refused = record::parse(&encoded.bytes).unwrap_err();
        let says = "record needs a reader of schema 3 and this build reads up to 2: upgrade this \
                    process";
        assert_eq!(refused.to_string(), says, "{name}");
        let parsed = record::parse_by(Reader(NEXT.schema), &encoded.bytes).unwrap();
        assert_eq!(parsed.wire().writer, NEXT.build);
        let stored = parsed.into_core(&blobs()).unwrap();
        assert_eq!((stored.schema, stored.min_reader), (NEXT.schema, NEXT.schema));
        assert_eq!(stored.record, expected, "{name}");
    }
}

#[test]
fn a_newer_build_that_still_writes_for_old_readers_leaves_no_trace() {
    let early = Writer { schema: SCHEMA, ..NEXT };
    for (name, record) in sample::records().into_iter().chain(steered::records()) {
        let prev = (record.rev > 1).then(|| Hash::of(b"previous"));
        let ours = record::encode(&record, sample::TXN, prev);
        assert_eq!(record::encode_by(early, &record, sample::TXN, prev), ours, "{name}");
        assert!(record::decode(&ours.bytes, &blobs()).unwrap().min_reader <= NEEDS_STEERING);
    }
}
