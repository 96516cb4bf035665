//! Messages of the wire contract, in both encodings.

use std::time::Duration;

use bytes::Bytes;
use cadre_core::task::{Goal, GoalLimits, Order};
use cadre_core::{ids::Name, payload::Hash};
use cadre_proto::{
    Blobs, ContentType, cancel, control, decision, goal, journal,
    model::{self, Envelope},
    order::{self, Contracts, WorkOrder},
    record, report,
};

use super::{same, words};

/// Reads `bytes` in each encoding; a value goes through the encoder and back.
fn both<T, E, D>(what: &str, bytes: &[u8], decode: D, encode: E) -> usize
where
    T: PartialEq + std::fmt::Debug,
    D: Fn(&Bytes, ContentType) -> Result<T, String>,
    E: Fn(&T, ContentType) -> Bytes,
{
    let body = Bytes::copy_from_slice(bytes);
    let kinds = [ContentType::Protobuf, ContentType::Json];
    let read = kinds.map(|kind| match decode(&body, kind) {
        Err(error) => error.len(),
        Ok(value) => kinds
            .map(|other| {
                let again = decode(&encode(&value, other), other);
                let again = again.unwrap_or_else(|error| panic!("{what}: {value:?}\n{error}"));
                same(what, &value, &again)
            })
            .iter()
            .sum(),
    });
    read.iter().sum()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(super) fn goal(bytes: &[u8]) -> usize {
    let decode = |body: &Bytes, kind| {
        goal::parse(body, kind).and_then(|parsed| parsed.into_core(&Blobs::new())).map_err(text)
    };
    both("goal", bytes, decode, |goal, kind| goal::encode(goal, kind).expect("it can be written"))
}

pub(super) fn report(bytes: &[u8]) -> usize {
    let decode = |body: &Bytes, kind| {
        report::parse(body, kind).and_then(|parsed| parsed.into_core(&Blobs::new())).map_err(text)
    };
    both("report", bytes, decode, |received, kind| {
        report::encode(&received.task, &received.report, kind).expect("it can be written")
    })
}

pub(super) fn decision(bytes: &[u8]) -> usize {
    let decode = |body: &Bytes, kind| {
        decision::parse(body, kind).and_then(|parsed| parsed.into_core(&Blobs::new())).map_err(text)
    };
    both("decision", bytes, decode, |it, kind| {
        decision::encode(it, kind).expect("it can be written")
    })
}

/// What people and operators ask for: cancel and control.
pub(super) fn wish(bytes: &[u8]) -> usize {
    let cancels = both(
        "cancel",
        bytes,
        |body, kind| cancel::decode(body, kind).map_err(text),
        |it, kind| cancel::encode(it, kind).expect("it can be written"),
    );
    let controls = both(
        "control",
        bytes,
        |body, kind| control::decode(body, kind).map_err(text),
        |it, kind| control::encode(it, kind).expect("it can be written"),
    );
    cancels + controls
}

pub(super) fn order(bytes: &[u8]) -> usize {
    let decode = |body: &Bytes, kind| {
        let parsed = order::parse(body, kind).and_then(|it| it.into_core(&Blobs::new()));
        // The key follows from task and step when it is written.
        parsed.map(|order| WorkOrder { idempotency_key: String::new(), ..order }).map_err(text)
    };
    both("order", bytes, decode, |order, kind| {
        let contracts = Contracts { accepts: &order.accepts, returns: &order.returns };
        order::encode(&as_sent(order), contracts, kind).expect("it can be written")
    })
}

fn as_sent(order: &WorkOrder) -> Order {
    let goal = Goal {
        task: order.attempt.task.clone(),
        tenant: order.tenant.clone(),
        workflow: order.workflow.clone(),
        revision: order.revision.as_str().into(),
        key: String::new(),
        digest: Hash::of(b""),
        input: order.input.clone(),
        deadline: None,
        limits: GoalLimits::default(),
        user: order.user.clone(),
        trace: None,
        fork: None,
    };
    Order {
        goal: goal.into(),
        step: order.attempt.step.clone(),
        attempt: order.attempt.number,
        role: order.attempt.role.clone(),
        input: order.input.clone(),
        deadline: order.deadline,
        grant: order.grant,
        ruled: order.ruled.clone(),
        near: order.near.clone(),
        rev: 1,
    }
}

pub(super) fn record(bytes: &[u8]) -> usize {
    let (body, blobs) = (Bytes::copy_from_slice(bytes), Blobs::new());
    match record::decode(&body, &blobs) {
        Err(error) => words(&error),
        Ok(stored) => {
            let encoded = record::encode(&stored.record, stored.txn, stored.prev);
            let again = record::decode(&encoded.bytes, &blobs)
                .unwrap_or_else(|error| panic!("{stored:?}\n{error}"));
            assert_eq!((again.txn, again.prev), (stored.txn, stored.prev));
            same("record", &stored.record, &again.record)
        }
    }
}

/// An entry of a step's journal.
pub(super) fn journal(bytes: &[u8]) -> usize {
    let decode = |body: &Bytes, kind| {
        journal::parse(body, kind).and_then(|parsed| parsed.into_core(&Blobs::new())).map_err(text)
    };
    both("journal", bytes, decode, |it, kind| journal::encode(it, kind).expect("it can be written"))
}

/// What is asked of models, and what comes of it.
pub(super) fn model(bytes: &[u8]) -> usize {
    let body = Bytes::copy_from_slice(bytes);
    let envelope = || Envelope { tenant: Name::nobody(), time_left: Duration::ZERO, trace: None };
    let asked = match model::decode_ask(&body, envelope()) {
        Err(error) => words(&error),
        Ok(request) => {
            let again = model::decode_ask(&model::encode_ask(&request), envelope());
            same("model ask", &request, &again.unwrap_or_else(|error| panic!("{error}")))
        }
    };
    let replied = match model::decode_reply(&body) {
        Err(error) => words(&error),
        Ok(outcome) => {
            let again = model::decode_reply(&model::encode_reply(&outcome));
            same("model reply", &outcome, &again.unwrap_or_else(|error| panic!("{error}")))
        }
    };
    asked + replied + model::decode_word(&body).map_or_else(|error| words(&error), |_| 0)
}
