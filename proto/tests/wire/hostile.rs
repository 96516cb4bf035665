//! No bytes and no text make a reader panic.

use std::sync::LazyLock;

use bytes::Bytes;
use cadre_proto::{
    Blobs, ContentType, cancel, control, decision, goal,
    header::{self, GoalHeaders, WorkHeaders},
    order, record, report,
    subject::Subject,
};
use proptest::{collection::vec, prelude::*};

use crate::{sample, steered, strategy};

/// Reads `body` as every message in every encoding; only a panic is wrong.
fn read_all(body: &[u8]) {
    let body = &Bytes::copy_from_slice(body);
    let blobs = Blobs::new();
    drop(record::decode(body, &blobs));
    for content in [ContentType::Protobuf, ContentType::Json] {
        drop(goal::parse(body, content).and_then(|parsed| parsed.into_core(&blobs)));
        drop(order::parse(body, content).and_then(|parsed| parsed.into_core(&blobs)));
        drop(report::parse(body, content).and_then(|parsed| parsed.into_core(&blobs)));
        drop(cancel::decode(body, content));
        drop(control::decode(body, content));
        drop(decision::parse(body, content).and_then(|parsed| parsed.into_core(&blobs)));
    }
}

/// Good messages, to be damaged.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let records = [sample::records(), steered::records()].concat();
    let records =
        records.iter().map(|(_, value)| record::encode(value, sample::TXN, None).bytes.to_vec());
    let (task, reports) = (sample::goal().task, sample::reports());
    let report = |value, content| report::encode(&task, value, content).unwrap().to_vec();
    let reports = reports.iter().flat_map(|(_, value)| {
        [report(value, ContentType::Protobuf), report(value, ContentType::Json)]
    });
    let both = [ContentType::Protobuf, ContentType::Json];
    let controls = steered::controls();
    let controls = controls.iter().flat_map(|(_, value)| {
        both.map(|content| control::encode(value, content).unwrap().to_vec())
    });
    let decisions = steered::decisions();
    let decisions = decisions.iter().flat_map(|(_, value)| {
        both.map(|content| decision::encode(value, content).unwrap().to_vec())
    });
    records.chain(reports).chain(controls).chain(decisions).collect()
});

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in vec(any::<u8>(), 0..300)) {
        read_all(&body);
    }

    #[test]
    fn arbitrary_json_never_panics(body in strategy::payload()) {
        read_all(body.text().as_bytes());
    }

    #[test]
    fn damaged_messages_never_panic(
        index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        byte: u8, cut: bool,
    ) {
        let mut body = BODIES[index.index(BODIES.len())].clone();
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        read_all(&body);
    }

    #[test]
    fn arbitrary_subjects_never_panic(text: String, tail in "[a-z0-9.>*-]{0,60}") {
        for text in [text, format!("cadre.{tail}"), format!("cadre.1.in.{tail}"), tail] {
            if let Ok(subject) = Subject::parse(&text) {
                prop_assert_eq!(subject.to_string(), text);
            }
        }
    }

    #[test]
    fn arbitrary_headers_never_panic(
        name in prop::sample::select(vec![
            header::DEADLINE, header::TIMEOUT_MS, header::BUDGET_USD, header::TRACEPARENT,
            header::TASK, header::STEP, header::SCHEMA, header::CONTENT_TYPE, header::MSG_ID,
        ]),
        other: String, value: String, digits in "[0-9.:TZ+-]{0,40}",
    ) {
        for pairs in [[(name, value.as_str()), (&other, &value)], [(name, &digits), (&other, "")]] {
            drop(GoalHeaders::decode(pairs));
            drop(WorkHeaders::decode(pairs));
        }
    }
}
