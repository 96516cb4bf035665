//! What a record says, in one line for lists. Pure.

use cadre_core::task::{Event, Record, Usage};

use super::text::brief;

/// Characters of one line.
const LINE_CHARS_MAX: usize = 320;

/// Events of one record that are told one by one.
const EVENTS_MAX: usize = 6;

/// Characters of a text from elsewhere within a line.
const TEXT_CHARS_MAX: usize = 120;

/// What follows from a record.
pub(super) fn line(record: &Record) -> String {
    let mut parts: Vec<_> = record.events.iter().take(EVENTS_MAX).map(event).collect();
    let more = record.events.len().saturating_sub(EVENTS_MAX);
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    brief(&parts.join(" · "), LINE_CHARS_MAX)
}

fn event(event: &Event) -> String {
    match event {
        Event::Accepted { goal, .. } => format!("goal for {}", goal.workflow),
        Event::Expanded { step, items } => {
            format!("{step} has {} items", items.value().as_array().map_or(0, Vec::len))
        }
        Event::CrewBegan { step, pattern, turns_max, .. } => {
            format!("{step} begins: {pattern}, at most {turns_max} turns")
        }
        Event::HandedOff { step, to, reason } => {
            format!("{step} hands off to {to}: {}", short(reason))
        }
        Event::LoopFound { step, text, .. } => format!("{step} goes in circles: {}", short(text)),
        Event::StepDispatched { step, attempt: 1, role, .. } => format!("{step} → {role}"),
        Event::StepDispatched { step, attempt, role, .. } => {
            format!("{step} → {role}, attempt {attempt}")
        }
        Event::StepDelayed { step, role, degraded, failure, reason, .. } => delayed(
            &step.to_string(),
            role.as_str(),
            (degraded.is_some(), failure.is_some()),
            reason,
        ),
        Event::StepCompleted { step, unsure: None, degraded: None, usage, .. } => {
            format!("{step} completed{}", cost(*usage))
        }
        Event::StepCompleted { step, unsure: None, degraded: Some(why), usage, .. } => {
            format!("{step} completed, degraded: {}{}", short(why), cost(*usage))
        }
        Event::StepCompleted { step, unsure: Some(doubt), usage, .. } => {
            format!("{step} completed, unsure: {}{}", short(doubt), cost(*usage))
        }
        Event::StepFailed { step, failure, usage } => {
            let (kind, text) = (failure.kind.as_str(), short(&failure.message));
            format!("{step} failed, {kind}: {text}{}", cost(*usage))
        }
        Event::StepSkipped { step, reason } => format!("{step} skipped: {}", short(reason)),
        Event::StepWaiting { step, ask, .. } => {
            format!("{step} asks ({}): {}", ask.kind.as_str(), short(&ask.question))
        }
        Event::Voted { step, by } => format!("{} agrees to {step}", short(by)),
        Event::CallRuled { step, by, ruling } => {
            format!("{} knows about {step}: {}", short(by), ruling.as_str())
        }
        Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Refused { .. } => steered(event),
        Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Ended { .. } => turned(event),
    }
}

fn delayed(
    step: &str,
    role: &str,
    (is_degraded, has_failed): (bool, bool),
    reason: &str,
) -> String {
    let reason = short(reason);
    match (is_degraded, has_failed) {
        (true, _) => format!("{step} goes to {role} as a fallback: {reason}"),
        (false, true) => format!("{step} is tried again: {reason}"),
        (false, false) => format!("{step} waits: {reason}"),
    }
}

/// Limits and wishes; any other event says nothing here.
fn steered(event: &Event) -> String {
    if let Event::LimitReached { limit, is_held } = event {
        let what = if *is_held { "waits for a larger budget" } else { "limit met" };
        return format!("{what}: {}", short(limit));
    }
    if let Event::BudgetNear { text, .. } = event {
        return format!("budget: {}", short(text));
    }
    if let Event::BudgetAdded { by, budget, .. } = event {
        let seconds = budget.time.as_secs();
        return format!(
            "{} adds {} steps, {}, {} tokens, {seconds} s",
            short(by),
            budget.steps,
            dollars(budget.usd_micros),
            budget.tokens
        );
    }
    if let Event::Paused { by } = event {
        return format!("paused by {}", short(by));
    }
    if let Event::Resumed { by } = event {
        return format!("resumed by {}", short(by));
    }
    let Event::Refused { what, why } = event else { return String::new() };
    format!("{what} refused: {}", short(why))
}

/// Turns that a task takes as a whole; any other event says nothing here.
fn turned(event: &Event) -> String {
    if let Event::Compensating { status, reason, .. } = event {
        return format!("undoes its steps, then ends as {}: {}", status.as_str(), short(reason));
    }
    if let Event::Joined { step, reason, .. } = event {
        return format!("{step} has what it wants: {}", short(reason));
    }
    if let Event::Retried { step, by, .. } = event {
        return format!("{} wants {step} tried again", short(by));
    }
    if let Event::TakenOver { step, .. } = event {
        return format!("{step} taken over");
    }
    if let Event::Forked { fork } = event {
        return format!("goes on from {} of task {}", fork.from, fork.task);
    }
    let Event::Ended { status, reason, .. } = event else { return String::new() };
    format!("ends as {}: {}", status.as_str(), short(reason))
}

fn short(text: &str) -> String {
    brief(text, TEXT_CHARS_MAX)
}

/// Exact, in the unit that people think in.
fn dollars(micros: u64) -> String {
    format!("${}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn cost(usage: Usage) -> String {
    match (usage.usd_micros, usage.tokens) {
        (0, 0) => String::new(),
        (micros, 0) => format!(" ({})", dollars(micros)),
        (micros, tokens) => format!(" ({}, {tokens} tokens)", dollars(micros)),
    }
}
