//! How large records get.

use crate::{
    payload::Payload,
    task::{Event, Failure},
};

/// What an event takes in a record, roughly and from above.
pub(super) fn bytes(event: &Event) -> usize {
    const ENVELOPE: usize = 160;
    let failure = |failure: &Failure| {
        failure.message.len() + failure.refused.as_ref().map_or(0, Payload::inline_bytes)
    };
    ENVELOPE
        + match event {
            Event::Accepted { goal, .. } => goal.input.inline_bytes(),
            Event::Expanded { items, .. } => items.inline_bytes(),
            Event::CrewBegan { input, .. } => input.inline_bytes(),
            Event::HandedOff { reason, .. } => reason.len(),
            Event::LoopFound { text, evidence, .. } => text.len() + evidence.inline_bytes(),
            Event::StepDispatched { input, .. } => input.inline_bytes(),
            Event::StepCompleted { output, unsure, .. } => {
                output.inline_bytes() + unsure.as_ref().map_or(0, String::len)
            }
            Event::TakenOver { output, .. } => output.inline_bytes(),
            Event::Joined { winners, stopped, reason, .. } => {
                80 * (winners.len() + stopped.len()) + reason.len()
            }
            Event::Retried { freed, .. } => 80 * freed.len(),
            Event::Forked { .. } => 100,
            Event::StepFailed { failure: why, .. } => failure(why),
            Event::StepSkipped { reason, .. } => reason.len(),
            Event::StepDelayed { input, reason, failure: why, .. } => {
                input.inline_bytes() + reason.len() + why.as_ref().map_or(0, failure)
            }
            Event::StepWaiting { ask, .. } => {
                ask.question.len() + ask.content.as_ref().map_or(0, Payload::inline_bytes)
            }
            Event::LimitReached { limit, .. } => limit.len(),
            Event::BudgetNear { text, .. } => text.len(),
            Event::Refused { what, why } => what.len() + why.len(),
            Event::CallRuled { by, ruling, .. } => by.len() + ruling.as_str().len(),
            Event::Voted { by, .. }
            | Event::BudgetAdded { by, .. }
            | Event::Paused { by }
            | Event::Resumed { by } => by.len(),
            Event::Ended { reason, answer, .. } | Event::Compensating { reason, answer, .. } => {
                reason.len() + answer.as_ref().map_or(0, Payload::inline_bytes)
            }
        }
}
