//! Steps of a task: their bars, their place in the plan, and one of them in full.

use cadre_core::{ids::TaskId, payload::Payload, task::Event};
use serde_json::Value;

use super::{Visit, or_empty};
use crate::{
    http::Problem,
    model::rows::{AttemptRow, EventRow, QuestionRow, SpanKind, StepRow},
    pages::{
        task::{Answer, Attempt, Bar, BarKind, Conflict, Lane, Missing, Node, StepView},
        text::span,
    },
};

/// Characters of a document that a page shows, where there is one of it.
const DOCUMENT_CHARS: usize = 20_000;

/// Lines of the timeline, in order of beginning; items stand below their step.
pub(super) fn lanes(rows: &[StepRow]) -> Vec<Lane> {
    let mut rows: Vec<&StepRow> = rows.iter().collect();
    let begun = |name: &str| {
        let of_step = rows.iter().filter(|row| row.name == name);
        of_step.map(|row| row.started_at_ms).min().unwrap_or(u64::MAX)
    };
    let mut keyed: Vec<(u64, &StepRow)> = rows.iter().map(|row| (begun(&row.name), *row)).collect();
    keyed.sort_by(|(a, one), (b, two)| (a, &one.name, one.item).cmp(&(b, &two.name, two.item)));
    rows = keyed.into_iter().map(|(_, row)| row).collect();
    rows.into_iter().map(lane).collect()
}

fn lane(row: &StepRow) -> Lane {
    let bars = row.spans.iter().map(|span| {
        let attempt = row.tries.iter().find(|one| one.attempt == span.attempt);
        let is_lost = attempt.is_some_and(|one| one.outcome == "failed");
        let kind = match span.kind {
            SpanKind::Run | SpanKind::Out if is_lost => BarKind::Lost,
            SpanKind::Run | SpanKind::Out => BarKind::Run,
            SpanKind::Queue => BarKind::Queue,
            SpanKind::Person => BarKind::Human,
            SpanKind::Delay => BarKind::Delay,
        };
        Bar { kind, from_ms: span.from_ms, to_ms: span.until_ms }
    });
    let is_person = row.role.is_none() && !row.questions.is_empty();
    Lane {
        name: row.step.clone(),
        role: if is_person { "a person".to_owned() } else { or_empty(row.role.clone()) },
        depth: u8::from(row.item.is_some()),
        state: row.state.clone(),
        bars: bars.collect(),
        retries: retries(&row.tries),
        is_degraded: row.degraded.is_some(),
        is_person,
        cost_micros: row.cost_micros,
    }
}

fn retries(tries: &[AttemptRow]) -> u64 {
    (tries.len() as u64).saturating_sub(1)
}

/// What has become of a planned step.
pub(super) fn mark(node: &mut Node, rows: &[StepRow]) {
    let of_step: Vec<&StepRow> = rows.iter().filter(|row| row.name == node.name).collect();
    let items = of_step.iter().filter(|row| row.item.is_some()).count() as u64;
    let Some(first) = of_step.first() else { return };
    node.state = state_of(&of_step);
    node.items = items;
    let begin = of_step.iter().map(|row| row.started_at_ms).min().unwrap_or(first.started_at_ms);
    let end = of_step.iter().filter_map(|row| row.ended_at_ms).max();
    if let Some(end) = end {
        node.detail = format!("{} · {}", node.detail, span(end.saturating_sub(begin)));
    }
}

/// The state of a step whose items these are.
pub(super) fn state_of(rows: &[&StepRow]) -> String {
    let is_any = |state: &str| rows.iter().any(|row| row.state == state);
    let order = ["waiting", "delayed", "dispatched", "failed", "completed", "skipped", "cancelled"];
    // What is still open says most; of what has ended, a failure.
    let state = order.into_iter().find(|state| is_any(state)).unwrap_or("planned");
    if state == "dispatched" { "running".to_owned() } else { state.to_owned() }
}

/// One step in full, with what it got and gave, from the log.
pub(super) async fn one(visit: &Visit, task: &TaskId, row: &StepRow) -> Result<StepView, Problem> {
    let last = row.tries.last();
    let input = match last {
        Some(attempt) => document(visit, task, (attempt.sent_rev, &row.step), input_of).await?,
        None => None,
    };
    let output = match (row.state.as_str(), last.and_then(|attempt| attempt.ended_rev)) {
        ("completed", Some(rev)) => document(visit, task, (rev, &row.step), output_of).await?,
        ("completed", None) => document(visit, task, (row.rev, &row.step), output_of).await?,
        _ => None,
    };
    let failure = match (&row.failure_kind, &row.failure_text) {
        (Some(kind), Some(text)) => format!("{kind}: {text}"),
        (Some(kind), None) => kind.clone(),
        _ => String::new(),
    };
    let is_unsure = row.state == "completed" && row.note.is_some();
    let note = or_empty(row.note.clone());
    Ok(StepView {
        name: row.step.clone(),
        role: or_empty(row.role.clone()),
        state: row.state.clone(),
        reason: if failure.is_empty() && !is_unsure { note.clone() } else { failure },
        decision: decision(visit, task, row.rev).await?,
        degraded: or_empty(row.degraded.clone()),
        confidence_percent: row
            .confidence
            .map(|share| (share.clamp(0.0, 1.0) * 100.0).round() as u64),
        unsure: if is_unsure { note } else { String::new() },
        attempts: row.tries.iter().map(attempt).collect(),
        queued_ms: row.queued_ms,
        running_ms: row.running_ms,
        asked_ms: row.asked_ms,
        questions: row.questions.iter().map(asked).collect(),
        grant_micros: row.grant_micros,
        cost_micros: row.cost_micros,
        grant_tokens: row.grant_tokens,
        tokens: row.tokens,
        input: input.map(|payload| clip(pretty(&payload))),
        output: output.map(|payload| clip(pretty(&payload))),
    })
}

/// A question, and what became of it.
fn asked(row: &QuestionRow) -> (String, String) {
    let outcome = match (&row.decided_by, &row.decision) {
        (Some(by), Some(decision)) => format!("{} by {by}: {decision}", row.state),
        (Some(by), None) => format!("{} by {by}", row.state),
        (None, _) => row.state.clone(),
    };
    (row.question.clone(), outcome)
}

/// What was decided last about a step, why, and what led to it.
async fn decision(visit: &Visit, task: &TaskId, rev: u64) -> Result<String, Problem> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    let events = model.events(scope, task, rev.saturating_sub(1), 1).await?;
    let found = events.and_then(|events| events.into_iter().find(|event| event.rev == rev));
    Ok(found.map_or_else(String::new, |event| {
        let EventRow { decision, reason, cause, source, .. } = event;
        let by = if source.is_empty() { cause } else { format!("{cause} {source}") };
        format!("{decision}: {reason} · by {by} · record #{rev}")
    }))
}

fn attempt(row: &AttemptRow) -> Attempt {
    let state = match row.outcome.as_str() {
        "out" => "running",
        "asked" => "waiting",
        "stopped" => "cancelled",
        other => other,
    };
    Attempt {
        number: row.attempt.into(),
        role: row.role.clone(),
        state: state.to_owned(),
        note: match (&row.failure_kind, &row.failure_text) {
            (Some(kind), Some(text)) => format!("{kind}: {text}"),
            (Some(kind), None) => kind.clone(),
            _ => String::new(),
        },
        took_ms: row.ended_at_ms.map(|ended| ended.saturating_sub(row.sent_at_ms)),
        cost_micros: row.cost_micros,
    }
}

/// A document out of one record of the log; `None` when it is not there, or cannot be read.
async fn document(
    visit: &Visit,
    task: &TaskId,
    (rev, step): (u64, &str),
    of: fn(&Event, &str) -> Option<Payload>,
) -> Result<Option<Payload>, Problem> {
    let model = visit.app.model();
    let scope = visit.identity.scope();
    let events = model.events(scope, task, rev.saturating_sub(1), 1).await?;
    let Some(event) = events.and_then(|events| events.into_iter().next()) else { return Ok(None) };
    let items = model.records(task, event.sequence.saturating_sub(1)).await?;
    let Some(Ok(linked)) = items.into_iter().next().map(|item| item.content) else {
        return Ok(None);
    };
    let found = linked.record.events.iter().find_map(|event| of(event, step));
    match found {
        Some(payload) => Ok(Some(whole(visit, &payload).await)),
        None => Ok(None),
    }
}

fn input_of(event: &Event, wanted: &str) -> Option<Payload> {
    if let Event::StepDispatched { step, input, .. } = event
        && step.to_string() == wanted
    {
        return Some(input.clone());
    }
    None
}

fn output_of(event: &Event, wanted: &str) -> Option<Payload> {
    if let Event::StepCompleted { step, output, .. } | Event::TakenOver { step, output, .. } = event
        && step.to_string() == wanted
    {
        return Some(output.clone());
    }
    None
}

/// A document that may lie outside of its record; what is left of it when it is gone.
pub(super) async fn whole(visit: &Visit, payload: &Payload) -> Payload {
    match payload.blob() {
        Some(blob) => visit.app.model().document(blob).await.unwrap_or_else(|_| payload.clone()),
        None => payload.clone(),
    }
}

/// A document on several lines, as it was written.
pub(super) fn pretty(payload: &Payload) -> String {
    serde_json::to_string_pretty(payload.value()).unwrap_or_else(|_| payload.text().to_owned())
}

fn clip(text: String) -> String {
    clipped(text, DOCUMENT_CHARS)
}

/// The beginning of a long text.
pub(super) fn clipped(text: String, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}\n…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The answer's document, taken apart.
pub(super) fn answer(
    status: &str,
    reason: &str,
    document: Option<&Payload>,
    degraded: Vec<String>,
) -> Answer {
    let value = document.map(|payload| payload.value());
    let list = |key: &str| {
        value
            .and_then(|value| value.get(key))
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let missing = list("missing").into_iter().map(|part| {
        let part = &part;
        let (field, step) = (text_of(part, "field"), text_of(part, "step"));
        let step = if field.is_empty() { step } else { format!("{field} ({step})") };
        Missing { step, cause: text_of(part, "cause") }
    });
    let result = value.and_then(|value| value.get("result"));
    Answer {
        status: status.to_owned(),
        reason: reason.to_owned(),
        document: result
            .map(|result| clip(serde_json::to_string_pretty(result).unwrap_or_default())),
        conflicts: list("conflicts").iter().map(conflict).collect(),
        missing: missing.collect(),
        degraded,
    }
}

fn text_of(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn conflict(value: &Value) -> Conflict {
    let claim = |claim: &Value| {
        let shown = claim.get("value").map(ToString::to_string).unwrap_or_default();
        let confidence = claim.get("confidence").and_then(Value::as_f64);
        let as_of = claim
            .get("as_of")
            .map(|as_of| as_of.as_str().map_or_else(|| as_of.to_string(), str::to_owned));
        let parts = [
            as_of.map(|as_of| format!("as of {as_of}")),
            confidence.map(|share| format!("confidence {share:.2}")),
            Some(format!("from {}", text_of(claim, "from"))),
        ];
        (shown, parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    };
    let losers = value.get("losers").and_then(Value::as_array);
    Conflict {
        field: text_of(value, "field"),
        rule: text_of(value, "rule"),
        why: text_of(value, "why"),
        won: value.get("winner").filter(|winner| !winner.is_null()).map(claim),
        lost: losers.into_iter().flatten().map(claim).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let text = br#"{"status": "partial", "reason": "r", "result": {"days": 45},
            "missing": [{"field": "term", "step": "lookup", "cause": "timeout"}],
            "conflicts": [{"field": "days", "rule": "newest", "why": "w", "resolved": true,
              "winner": {"value": 45, "from": "a", "as_of": "2026-03-01"},
              "losers": [{"value": 30, "from": "b", "confidence": 0.9}]}]}"#;
        let payload = Payload::parse(text).unwrap();
        let answer = answer("partial", "r", Some(&payload), Vec::new());
        assert_eq!(answer.missing[0].step, "term (lookup)");
        let conflict = &answer.conflicts[0];
        assert_eq!(conflict.won.as_ref().unwrap().1, "as of 2026-03-01, from a");
        assert_eq!(conflict.lost[0].1, "confidence 0.90, from b");
        assert_eq!(answer.document.as_deref(), Some("{\n  \"days\": 45\n}"));
    }
}
