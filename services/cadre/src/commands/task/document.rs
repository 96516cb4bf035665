//! Records as JSON documents for programs: times by RFC 3339, durations in milliseconds.

use cadre_core::task::{Event, Record, Usage};
use serde_json::{Value, json};

/// One record.
pub(super) fn record(record: &Record) -> Value {
    json!({
        "rev": record.rev,
        "at": record.at.to_string(),
        "cause": {
            "kind": record.cause.kind,
            "source": record.cause.source,
            "sequence": record.cause.sequence,
            "waited_ms": millis(record.cause.waited),
        },
        "decision": record.decision,
        "reason": record.reason,
        "events": record.events.iter().map(event).collect::<Vec<_>>(),
    })
}

/// The kind of an event, as in its document.
pub(super) fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Accepted { .. } => "accepted",
        Event::Expanded { .. } => "expanded",
        Event::StepDispatched { .. } => "step_dispatched",
        Event::StepCompleted { .. } => "step_completed",
        Event::StepFailed { .. } => "step_failed",
        Event::StepSkipped { .. } => "step_skipped",
        Event::StepWaiting { .. } => "step_waiting",
        Event::LimitReached { .. } => "limit_reached",
        Event::Ended { .. } => "ended",
    }
}

fn event(event: &Event) -> Value {
    let mut document = content(event);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("event".to_owned(), event_name(event).into());
    }
    document
}

fn content(event: &Event) -> Value {
    match event {
        Event::Accepted { goal, deadline } => json!({
            "tenant": goal.tenant.as_str(), "workflow": goal.workflow.as_str(),
            "revision": &*goal.revision, "key": goal.key, "user": goal.user,
            "input": goal.input.value(), "deadline": deadline.to_string(),
        }),
        Event::Expanded { step, items } => {
            json!({"step": step.as_str(), "items": items.value()})
        }
        Event::StepDispatched { step, attempt, role, input, deadline } => json!({
            "step": step.to_string(), "attempt": attempt, "role": role.as_str(),
            "input": input.value(), "deadline": deadline.to_string(),
        }),
        Event::StepCompleted { step, output, confidence, unsure, usage: spent } => json!({
            "step": step.to_string(), "output": output.value(), "confidence": confidence,
            "unsure": unsure, "usage": usage(*spent),
        }),
        Event::StepFailed { step, failure, usage: spent } => json!({
            "step": step.to_string(), "kind": failure.kind.as_str(), "message": failure.message,
            "refused": failure.refused.as_ref().map(|refused| refused.value()),
            "usage": usage(*spent),
        }),
        Event::StepSkipped { step, reason } => json!({"step": step.as_str(), "reason": reason}),
        Event::StepWaiting { step, question, proposal, usage: spent } => json!({
            "step": step.to_string(), "question": question,
            "proposal": proposal.as_ref().map(|proposal| proposal.value()),
            "usage": usage(*spent),
        }),
        Event::LimitReached { limit } => json!({"limit": limit}),
        Event::Ended { status, reason, answer, usage: spent } => json!({
            "status": status.as_str(), "reason": reason,
            "answer": answer.as_ref().map(|answer| answer.value()), "usage": usage(*spent),
        }),
    }
}

/// What work cost.
pub(super) fn usage(usage: Usage) -> Value {
    json!({"usd_micros": usage.usd_micros, "tokens": usage.tokens, "work_ms": usage.work_ms})
}

/// Whole milliseconds.
pub(super) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
