//! What is written is read back, and both encodings say the same.

use cadre_core::ids::Partition;
use cadre_core::{
    journal::CallRuling,
    payload::{BlobRef, Hash, Payload},
    task::{Cancel, Event, Outcome, Ruling},
};
use cadre_proto::{
    Blobs, ContentType, DecodeError, cancel, control, decision, goal, order, record, report,
    subject::{self, Attempt, Subject},
};
use proptest::prelude::*;

use crate::{sample, strategy};

const BOTH: [ContentType; 2] = [ContentType::Protobuf, ContentType::Json];

fn refs(blobs: &Blobs) -> Vec<BlobRef> {
    blobs.values().filter_map(Payload::blob).collect()
}

fn sorted(needed: &[BlobRef]) -> Vec<BlobRef> {
    let mut needed = needed.to_vec();
    needed.sort_by_key(|blob| blob.hash);
    needed.dedup();
    needed
}

proptest! {
    #[test]
    fn records_read_back(expected in strategy::record(), txn: [u8; 16], prev: [u8; 32]) {
        let prev = (expected.rev > 1).then_some(Hash(prev));
        let blobs = strategy::stored(expected.events.iter().flat_map(Event::payloads));
        let encoded = record::encode(&expected, txn, prev);
        let parsed = record::parse(&encoded.bytes).unwrap();
        prop_assert_eq!(sorted(parsed.needed()), refs(&blobs));
        let stored = parsed.into_core(&blobs).unwrap();
        prop_assert_eq!((stored.txn, stored.prev, stored.hash), (txn, prev, encoded.hash));
        let again = record::encode(&stored.record, txn, prev);
        prop_assert_eq!(stored.record, expected);
        prop_assert_eq!(again, encoded);
    }

    #[test]
    fn goals_read_back(expected in strategy::goal()) {
        let blobs = strategy::stored([&expected.input]);
        for content in BOTH {
            let parsed = goal::parse(&goal::encode(&expected, content).unwrap(), content).unwrap();
            prop_assert_eq!(parsed.needed(), refs(&blobs));
            prop_assert_eq!(&parsed.into_core(&blobs).unwrap(), &expected);
        }
    }

    #[test]
    fn work_orders_read_back(source in strategy::order()) {
        let blobs = strategy::stored([&source.input]);
        let orders = BOTH.map(|content| {
            let body = order::encode(&source, sample::CONTRACTS, content).unwrap();
            order::parse(&body, content).unwrap().into_core(&blobs).unwrap()
        });
        let [order, from_json] = orders;
        prop_assert_eq!(&order, &from_json);
        let goal = &source.goal;
        prop_assert_eq!((&order.attempt.task, &order.attempt.step), (&goal.task, &source.step));
        prop_assert_eq!((&order.attempt.role, order.attempt.number), (&source.role, source.attempt));
        prop_assert_eq!((&order.input, order.deadline), (&source.input, source.deadline));
        prop_assert_eq!((order.grant, &order.ruled), (source.grant, &source.ruled));
    }

    #[test]
    fn reports_read_back(task in strategy::task(), expected in strategy::report()) {
        let document = match &expected.outcome {
            Outcome::Completed { output, .. } => Some(output),
            Outcome::Unsure { output, .. } => output.as_ref(),
            Outcome::Failed(failure) => failure.refused.as_ref(),
            Outcome::Handoff { output, .. } => output.as_ref(),
            Outcome::NeedsHuman { .. } => None,
        };
        let blobs = strategy::stored(document);
        for content in BOTH {
            let body = report::encode(&task, &expected, content).unwrap();
            let parsed = report::parse(&body, content).unwrap();
            prop_assert_eq!(parsed.needed(), refs(&blobs));
            let received = parsed.into_core(&blobs).unwrap();
            prop_assert_eq!((&received.task, &received.report), (&task, &expected));
        }
    }

    #[test]
    fn cancels_read_back(by in ".{1,40}", reason: String) {
        let expected = Cancel { by, reason };
        for content in BOTH {
            let body = cancel::encode(&expected, content).unwrap();
            prop_assert_eq!(&cancel::decode(&body, content).unwrap(), &expected);
        }
    }

    #[test]
    fn controls_read_back(expected in strategy::control()) {
        for content in BOTH {
            let body = control::encode(&expected, content).unwrap();
            prop_assert_eq!(&control::decode(&body, content).unwrap(), &expected);
        }
    }

    #[test]
    fn decisions_read_back(expected in strategy::decision()) {
        let document = match &expected.ruling {
            Ruling::GrantWith(content) => Some(content),
            Ruling::Call(CallRuling::Happened(result)) => Some(result),
            Ruling::Grant | Ruling::Deny | Ruling::Call(CallRuling::DidNot) => None,
        };
        let blobs = strategy::stored(document);
        for content in BOTH {
            let body = decision::encode(&expected, content).unwrap();
            let parsed = decision::parse(&body, content).unwrap();
            prop_assert_eq!(parsed.needed(), refs(&blobs));
            prop_assert_eq!(&parsed.into_core(&blobs).unwrap(), &expected);
        }
    }

    #[test]
    fn subjects_read_back(
        role in strategy::name(), task in strategy::task(), step in strategy::step(),
        number in 1_u32.., partition in 0_u16..1024,
    ) {
        let (partition, attempt) = (Partition(partition), Attempt { role, task, step, number });
        let work = subject::work(partition, &attempt);
        prop_assert_eq!(Subject::parse(&work), Ok(Subject::Work(partition, attempt.clone())));
        let report = subject::report(partition, &attempt);
        prop_assert_eq!(subject::report_for(&work), Some(report.clone()));
        prop_assert_eq!(Subject::parse(&report), Ok(Subject::InReport(partition, attempt)));
    }
}

#[test]
fn a_missing_document_is_named() {
    let report = &sample::reports()[1].1;
    let body = report::encode(&sample::goal().task, report, ContentType::Protobuf).unwrap();
    let parsed = report::parse(&body, ContentType::Protobuf).unwrap();
    let hash = sample::large().blob().unwrap().hash;
    let error: DecodeError = parsed.into_core(&Blobs::new()).unwrap_err();
    assert_eq!(error.missing_blob(), Some(hash));
    let expected = format!(
        "report: completed.output refers to the document {hash}, which was not found in the object store"
    );
    assert_eq!(error.to_string(), expected);
}
