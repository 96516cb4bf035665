//! Records as JSON documents for programs: times by RFC 3339, durations in milliseconds.
//!
//! Called by the command line and the HTTP API, so that both show the same. Field names are part of both: they
//! are added to, never renamed.

use serde_json::{Value, json};

use crate::{
    ids::StepId,
    journal::CallRuling,
    payload::Payload,
    task::{Ask, Budget, Event, Failure, Record, Usage},
    workflow::{Grant, WhenExpired},
};

/// One record.
#[must_use]
pub fn record(record: &Record) -> Value {
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
#[must_use]
pub fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Accepted { .. } => "accepted",
        Event::Expanded { .. } => "expanded",
        Event::CrewBegan { .. } => "crew_began",
        Event::HandedOff { .. } => "handed_off",
        Event::LoopFound { .. } => "loop_found",
        Event::StepDispatched { .. } => "step_dispatched",
        Event::StepDelayed { .. } => "step_delayed",
        Event::StepCompleted { .. } => "step_completed",
        Event::StepFailed { .. } => "step_failed",
        Event::StepSkipped { .. } => "step_skipped",
        Event::StepWaiting { .. } => "step_waiting",
        Event::Voted { .. } => "voted",
        Event::CallRuled { .. } => "call_ruled",
        Event::LimitReached { .. } => "limit_reached",
        Event::BudgetNear { .. } => "budget_near",
        Event::BudgetAdded { .. } => "budget_added",
        Event::Paused { .. } => "paused",
        Event::Resumed { .. } => "resumed",
        Event::Refused { .. } => "refused",
        Event::Compensating { .. } => "compensating",
        Event::Joined { .. } => "joined",
        Event::Retried { .. } => "retried",
        Event::TakenOver { .. } => "taken_over",
        Event::Forked { .. } => "forked",
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

fn ruled(step: &StepId, by: &str, ruling: &CallRuling) -> Value {
    json!({"step": step.to_string(), "by": by, "ruling": ruling.as_str()})
}

fn topped_up(by: &str, key: &str, added: Budget) -> Value {
    json!({"by": by, "key": key, "budget": budget(added)})
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
        Event::CrewBegan { .. } | Event::HandedOff { .. } | Event::LoopFound { .. } => crew(event),
        Event::StepDispatched { step, attempt, role, input, deadline, grant: granted } => json!({
            "step": step.to_string(), "attempt": attempt, "role": role.as_str(),
            "input": input.value(), "deadline": deadline.to_string(), "grant": grant(*granted),
        }),
        Event::StepDelayed {
            step,
            role,
            degraded,
            input,
            until,
            reason,
            failure,
            usage: spent,
        } => {
            json!({
                "step": step.to_string(), "role": role.as_str(), "degraded": degraded,
                "input": input.value(), "until": until.to_string(), "reason": reason,
                "failure": failure.as_ref().map(failed), "usage": usage(*spent),
            })
        }
        Event::StepCompleted { step, output, confidence, unsure, degraded, usage: spent } => {
            json!({
                "step": step.to_string(), "output": output.value(), "confidence": confidence,
                "unsure": unsure, "degraded": degraded, "usage": usage(*spent),
            })
        }
        Event::StepFailed { step, failure, usage } => step_failed(step, failure, *usage),
        Event::StepSkipped { step, reason } => json!({"step": step.as_str(), "reason": reason}),
        Event::StepWaiting { step, ask: asked, usage: spent } => {
            json!({"step": step.to_string(), "ask": ask(asked), "usage": usage(*spent)})
        }
        Event::Voted { step, by } => json!({"step": step.to_string(), "by": by}),
        Event::CallRuled { step, by, ruling } => ruled(step, by, ruling),
        Event::LimitReached { limit, is_held } => json!({"limit": limit, "held": is_held}),
        Event::BudgetNear { resource, text } => {
            json!({"resource": resource.as_str(), "text": text})
        }
        Event::BudgetAdded { by, key, budget: added } => topped_up(by, key, *added),
        Event::Paused { by } | Event::Resumed { by } => json!({"by": by}),
        Event::Refused { what, why } => json!({"what": what, "why": why}),
        Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. } => saga(event),
        Event::Ended { status, reason, answer, usage: spent } => json!({
            "status": status.as_str(), "reason": reason,
            "answer": answer.as_ref().map(|answer| answer.value()), "usage": usage(*spent),
        }),
    }
}

fn step_failed(step: &StepId, failure: &Failure, spent: Usage) -> Value {
    let mut document = failed(failure);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("step".to_owned(), step.to_string().into());
        fields.insert("usage".to_owned(), usage(spent));
    }
    document
}

fn crew(event: &Event) -> Value {
    if let Event::CrewBegan { step, pattern, turns_max, input } = event {
        let (step, pattern, input) = (step.as_str(), pattern.as_str(), input.value());
        json!({"step": step, "pattern": pattern, "turns_max": turns_max, "input": input})
    } else if let Event::HandedOff { step, to, reason } = event {
        json!({"step": step.to_string(), "to": to.as_str(), "reason": reason})
    } else if let Event::LoopFound { step, text, evidence } = event {
        json!({"step": step.as_str(), "text": text, "evidence": evidence.value()})
    } else {
        Value::Null
    }
}

fn saga(event: &Event) -> Value {
    if let Event::Compensating { status, reason, answer, usage: spent, until } = event {
        json!({
            "status": status.as_str(), "reason": reason, "until": until.to_string(),
            "answer": answer.as_ref().map(|answer| answer.value()), "usage": usage(*spent),
        })
    } else if let Event::Joined { step, winners, stopped, reason, usage: spent } = event {
        json!({
            "step": step.as_str(), "reason": reason,
            "winners": texts(winners), "stopped": texts(stopped), "usage": usage(*spent),
        })
    } else if let Event::Retried { step, by, freed } = event {
        json!({"step": step.to_string(), "by": by, "freed": texts(freed)})
    } else if let Event::TakenOver { step, output, confidence, unsure, rev } = event {
        json!({
            "step": step.to_string(), "output": output.value(), "confidence": confidence,
            "unsure": unsure, "rev": rev,
        })
    } else if let Event::Forked { fork } = event {
        json!({"task": fork.task.as_str(), "rev": fork.rev, "from": fork.from.as_str()})
    } else {
        Value::Null
    }
}

fn texts(names: &[impl ToString]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn failed(failure: &Failure) -> Value {
    json!({
        "kind": failure.kind.as_str(),
        "message": failure.message,
        "refused": failure.refused.as_ref().map(Payload::value),
        "retry_after_ms": failure.retry_after.map(millis),
    })
}

/// What a person is asked.
#[must_use]
pub fn ask(ask: &Ask) -> Value {
    let when_expired = match ask.when_expired {
        WhenExpired::Fail => "fail",
        WhenExpired::Accept => "accept",
    };
    json!({
        "kind": ask.kind.as_str(),
        "question": ask.question,
        "content": ask.content.as_ref().map(Payload::value),
        "expires": ask.expires.map(|at| at.to_string()),
        "when_expired": when_expired,
        "quorum": ask.quorum,
        "four_eyes": ask.four_eyes,
        "editable": ask.editable,
    })
}

/// What an attempt may spend.
#[must_use]
pub fn grant(grant: Grant) -> Value {
    json!({"usd_micros": grant.usd_micros, "tokens": grant.tokens})
}

/// What limits grow by.
#[must_use]
pub fn budget(budget: Budget) -> Value {
    json!({
        "steps": budget.steps,
        "usd_micros": budget.usd_micros,
        "tokens": budget.tokens,
        "time_ms": millis(budget.time),
    })
}

/// What work cost.
#[must_use]
pub fn usage(usage: Usage) -> Value {
    json!({"usd_micros": usage.usd_micros, "tokens": usage.tokens, "work_ms": usage.work_ms})
}

/// Whole milliseconds.
#[must_use]
pub fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
