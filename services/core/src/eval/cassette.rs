//! Recorded answers out of journals: a task that models have done can be played again without them.

use serde_json::Value;

use super::trace::done;
use crate::{
    journal::{CallKind, History, JournalId},
    model::{
        Answered,
        cassette::{Question, Recorded},
    },
    payload::{Hash, Payload},
};

/// Every answer that these journals have, as a cassette has it; none where an older build wrote the journal,
/// which did not keep every hash of the question.
#[must_use]
pub fn recorded(journals: &[(JournalId, History)]) -> Vec<Recorded> {
    let mut answers = Vec::new();
    for (journal, history) in journals {
        let models = history.calls().filter(|(_, call)| call.intent.kind == CallKind::Model);
        answers.extend(models.filter_map(|(_, call)| answer(journal, done(call)?)));
    }
    answers
}

fn answer(journal: &JournalId, record: &Value) -> Option<Recorded> {
    let hash = |part: &str| {
        let text = record.pointer(&format!("/context/{part}_sha256"))?.as_str()?;
        Hash::parse(text)
    };
    let question = Question {
        ask: hash("ask")?,
        system: hash("system")?,
        tools: hash("tools")?,
        input: hash("input")?,
        turns: hash("turns")?,
        manner: hash("manner")?,
    };
    let number =
        |pointer: &str| record.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let said = Answered::read(&Payload::from_value(record.clone()).ok()?).ok()?.said;
    Some(Recorded {
        role: journal.role.clone(),
        model: record.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
        question,
        turn: u32::try_from(number("/number")).unwrap_or(u32::MAX),
        said,
        latency_ms: number("/took_ms"),
    })
}
