//! What a stored message says, as a fact.

use std::collections::BTreeMap;

use cadre_core::{
    check::{
        AnswerFact, Attempt, Content, Fact, InputKind, JournalFact, LetterFact, OrderFact,
        RecordFact, RecordProblem,
    },
    ids::{Partition, TaskId},
    journal::{Entry, JournalId},
    limits::MESSAGE_BYTES_MAX,
    payload::{BlobRef, Hash, Payload},
    time::UnixMillis,
};
use cadre_proto::{
    ContentType, DecodeError,
    body::peek,
    header::{CONTENT_TYPE, EXPECTED_LAST_SUBJECT_SEQUENCE, MSG_ID},
    journal,
    record::{self, StoredRecord},
    subject::{self, Subject},
    v1,
};
use serde_json::Value;

use super::{
    AuditError,
    source::{Raw, scheduled},
};
use crate::{blobs::BlobError, bus::JetStreamBus, topology::ANSWERS_STREAM};

/// Makes a fact of a message; documents that it refers to are fetched.
pub(super) async fn decode(bus: &JetStreamBus, raw: Raw) -> Result<Fact, AuditError> {
    let is_log = raw.place.stream.starts_with("CADRE_LOG");
    let content = match Subject::parse(&raw.subject) {
        Err(_) | Ok(Subject::Rejected(_) | Subject::Stop(..)) => {
            Content::Foreign { subject: raw.subject.clone(), is_log }
        }
        Ok(Subject::Log(partition, task)) => read_record(bus, &raw, (partition, task)).await?,
        Ok(Subject::Run { role, task, step, .. }) => {
            let entry = read_entry(bus, &raw).await?;
            let (id, expected) = (JournalId { role, task, step }, guard(&raw));
            Content::Journal(Box::new(JournalFact { id, expected, entry }))
        }
        Ok(Subject::Dead { .. }) => Content::Letter(Box::new(read_letter(bus, &raw).await?)),
        Ok(Subject::Timer(_, task)) => {
            let wake_at = raw.header("Nats-Schedule").and_then(scheduled);
            Content::Timer { task, wake_at }
        }
        Ok(Subject::Due(_, task)) => Content::Due { task },
        Ok(Subject::Work(_, attempt)) => Content::Order(read_order(&raw, &attempt)),
        Ok(Subject::InGoal { task, .. }) => Content::Input { task, kind: InputKind::Goal },
        Ok(Subject::InTimer(_, task)) => Content::Input { task, kind: InputKind::Timer },
        Ok(Subject::InCancel { task, .. }) => Content::Input { task, kind: InputKind::Cancel },
        Ok(Subject::InControl { task, .. } | Subject::InDecision { task, .. }) => {
            Content::Input { task, kind: InputKind::Wish }
        }
        Ok(Subject::InReport(_, attempt)) => {
            let attempt = attempt_of(attempt);
            Content::Input { task: attempt.task.clone(), kind: InputKind::Report(attempt) }
        }
        Ok(Subject::Goals(intake)) => {
            let key = raw.header(MSG_ID);
            Content::Goal { task: key.map(|key| TaskId::derive(intake.tenant(), key)) }
        }
        Ok(Subject::Answer { tenant, workflow, task }) => {
            let (expected, document) = (guard(&raw), read_answer(bus, &raw).await?);
            Content::Answer(Box::new(AnswerFact { tenant, workflow, task, expected, document }))
        }
    };
    Ok(Fact { place: raw.place, content })
}

fn attempt_of(attempt: subject::Attempt) -> Attempt {
    let subject::Attempt { role, task, step, number } = attempt;
    Attempt { task, step, number, role }
}

fn guard(raw: &Raw) -> Option<u64> {
    raw.header(EXPECTED_LAST_SUBJECT_SEQUENCE)?.parse().ok()
}

async fn read_record(
    bus: &JetStreamBus,
    raw: &Raw,
    (partition, task): (Partition, TaskId),
) -> Result<Content, AuditError> {
    let hash = Hash::of(&raw.body);
    let bad = |problem| Ok(Content::BadRecord { task: task.clone(), hash, problem });
    let undecodable = |error: DecodeError| match error {
        DecodeError::TooNew { min_reader, .. } => RecordProblem::TooNew(min_reader),
        other @ (DecodeError::Protobuf { .. }
        | DecodeError::Json { .. }
        | DecodeError::Field { .. }) => RecordProblem::Undecodable(other.to_string()),
    };
    let parsed = match record::parse_by(bus.streams().wire.reader(), &raw.body) {
        Ok(parsed) => parsed,
        Err(error) => return bad(undecodable(error)),
    };
    let mut blobs = BTreeMap::new();
    for blob in parsed.needed() {
        match document(bus, &raw.place.stream, *blob).await? {
            Ok(payload) => blobs.insert(blob.hash, payload),
            Err(why) => return bad(RecordProblem::Document(why)),
        };
    }
    let stored = match parsed.into_core(&blobs) {
        Ok(stored) => stored,
        Err(error) => return bad(undecodable(error)),
    };
    let again = record::encode(&stored.record, stored.txn, stored.prev).bytes;
    let is_stable = again == raw.body
        || record::decode(&again, &blobs).is_ok_and(|again| means_the_same(&stored, &again));
    let StoredRecord { record, txn, prev, hash, .. } = stored;
    let expected = guard(raw);
    let fact = RecordFact { task, partition, expected, txn, prev, hash, is_stable, record };
    Ok(Content::Record(Box::new(fact)))
}

/// An entry of a journal; the inner error is one that cannot be read.
async fn read_entry(bus: &JetStreamBus, raw: &Raw) -> Result<Result<Entry, String>, AuditError> {
    let content = ContentType::of(raw.header(CONTENT_TYPE), &raw.body);
    let parsed = content
        .map_err(|error| error.to_string())
        .and_then(|content| journal::parse(&raw.body, content).map_err(|e| e.to_string()));
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(why) => return Ok(Err(why)),
    };
    let mut blobs = BTreeMap::new();
    for blob in parsed.needed() {
        match document(bus, &raw.place.stream, *blob).await? {
            Ok(payload) => blobs.insert(blob.hash, payload),
            Err(why) => return Ok(Err(why)),
        };
    }
    Ok(parsed.into_core(&blobs).map_err(|error| error.to_string()))
}

/// A newer writer's record has other bytes, and perhaps another version.
fn means_the_same(one: &StoredRecord, other: &StoredRecord) -> bool {
    one.record == other.record && one.txn == other.txn && one.prev == other.prev
}

/// A document from the object store; the inner error is one that is gone or changed.
async fn document(
    bus: &JetStreamBus,
    stream: &str,
    blob: BlobRef,
) -> Result<Result<Payload, String>, AuditError> {
    match Box::pin(bus.blobs().get(blob)).await {
        Ok(payload) => Ok(Ok(payload)),
        Err(BlobError::Bus(error)) => Err(AuditError::new(stream, &error)),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn read_order(raw: &Raw, subject: &subject::Attempt) -> OrderFact {
    let body = ContentType::of(raw.header(CONTENT_TYPE), &raw.body)
        .map_err(|error| error.to_string())
        .and_then(|content| peek::<v1::WorkOrder>(content, &raw.body));
    let deadline = body.and_then(|order| {
        let is_it = order.task == subject.task.as_str()
            && order.step == subject.step.to_string()
            && order.attempt == subject.number
            && order.role == subject.role.as_str();
        let other = || format!("it is for step {} of task {}", order.step, order.task);
        is_it.then_some(UnixMillis(order.deadline_unix_ms)).ok_or_else(other)
    });
    OrderFact { attempt: attempt_of(subject.clone()), deadline }
}

/// The reference that stands in place of a large body.
fn reference(body: &[u8]) -> Option<BlobRef> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let blob = value.get("$blob").filter(|_| value.as_object().is_some_and(|it| it.len() == 1))?;
    let hash = blob.get("sha256").and_then(Value::as_str).and_then(Hash::parse)?;
    Some(BlobRef { hash, size_bytes: blob.get("size").and_then(Value::as_u64)? })
}

async fn read_answer(bus: &JetStreamBus, raw: &Raw) -> Result<Result<Payload, String>, AuditError> {
    match reference(&raw.body) {
        Some(blob) => document(bus, ANSWERS_STREAM, blob).await,
        None => Ok(Payload::parse(&raw.body).map_err(|error| error.to_string())),
    }
}

async fn read_letter(bus: &JetStreamBus, raw: &Raw) -> Result<LetterFact, AuditError> {
    let text = |name: &str| raw.header(name).unwrap_or_default();
    let came_on = text("Cadre-Dead-Subject");
    let came = Subject::parse(came_on).ok();
    let key = raw.header("Cadre-Dead-Header-Nats-Msg-Id");
    let (order, goal) = match came {
        Some(Subject::Work(_, attempt)) => (Some(attempt_of(attempt)), None),
        Some(Subject::Goals(intake)) => (None, key.map(|key| TaskId::derive(intake.tenant(), key))),
        Some(Subject::InGoal { task, .. }) => (None, Some(task)),
        Some(
            Subject::Log(..)
            | Subject::Timer(..)
            | Subject::Due(..)
            | Subject::Dead { .. }
            | Subject::InReport(..)
            | Subject::InTimer(..)
            | Subject::InCancel { .. }
            | Subject::InControl { .. }
            | Subject::InDecision { .. }
            | Subject::Stop(..)
            | Subject::Run { .. }
            | Subject::Rejected(_)
            | Subject::Answer { .. },
        )
        | None => (None, None),
    };
    Ok(LetterFact {
        reason: text("Cadre-Dead-Reason").to_owned(),
        came_on: came_on.to_owned(),
        order,
        goal,
        body_problem: body_problem(bus, raw).await?,
    })
}

/// What is missing of the body of a letter that was too large for a message.
async fn body_problem(bus: &JetStreamBus, raw: &Raw) -> Result<Option<String>, AuditError> {
    let Some(size) = raw.header("Cadre-Dead-Size") else { return Ok(None) };
    let Some(hash) = raw.header("Cadre-Dead-Blob") else {
        // Larger than anything that is kept: its beginning stands for it.
        let is_there = raw.body.len() == MESSAGE_BYTES_MAX;
        return Ok((!is_there).then(|| format!("of {size} bytes {} are kept", raw.body.len())));
    };
    let (Some(hash), Ok(size_bytes)) = (Hash::parse(hash), size.parse()) else {
        return Ok(Some(format!("its body of {size} bytes is to be in {hash}, which is no hash")));
    };
    match Box::pin(bus.blobs().get_bytes(BlobRef { hash, size_bytes })).await {
        Ok(_) => Ok(None),
        Err(BlobError::Bus(error)) => Err(AuditError::new(&raw.place.stream, &error)),
        Err(error) => Ok(Some(error.to_string())),
    }
}
