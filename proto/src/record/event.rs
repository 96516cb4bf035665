//! Events inside a record.

use cadre_core::{
    payload::BlobRef,
    task::{Ask, AskKind, Event},
    workflow::Grant,
};

use crate::{
    MIN_READER, NEEDS_STEERING, blobs,
    error::Fault,
    parts::failure_min_reader,
    ruling,
    v1::{self, event::Kind},
};

mod core;
mod crew;
mod saga;
mod wire;

pub(super) use core::to_core;
pub(super) use wire::to_wire;

/// Oldest schema whose reader can go on behind an event: an older one could not read it, or would
/// decide as if half of it were not there.
pub(super) fn min_reader(event: &Event) -> u32 {
    match event {
        Event::StepDispatched { grant, .. } if *grant != Grant::default() => NEEDS_STEERING,
        Event::StepWaiting { ask, .. } if !is_plain(ask) => NEEDS_STEERING,
        Event::LimitReached { is_held: true, .. }
        | Event::StepDelayed { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Refused { .. } => NEEDS_STEERING,
        Event::Accepted { goal, .. } if goal.fork.is_some() => NEEDS_STEERING,
        // An older one would lose the mark.
        Event::StepCompleted { degraded: Some(_), .. } => NEEDS_STEERING,
        Event::StepFailed { failure, .. } => failure_min_reader(failure),
        Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::StepDispatched { .. }
        | Event::StepCompleted { degraded: None, .. }
        | Event::StepSkipped { .. }
        | Event::StepWaiting { .. }
        | Event::LimitReached { is_held: false, .. }
        | Event::Ended { .. } => MIN_READER,
    }
}

/// Whether it is what schema 1 could ask: an output is wanted, from anybody, until the task ends.
fn is_plain(ask: &Ask) -> bool {
    ask.kind == AskKind::Question && ask.expires.is_none() && ask.quorum <= 1 && !ask.four_eyes
}

/// The documents that an event refers to.
pub(super) fn needed(event: &v1::Event) -> Result<Vec<BlobRef>, Fault> {
    let document = match &event.kind {
        Some(Kind::Accepted(e)) => {
            let input = e.goal.as_ref().map(|goal| ("accepted.goal.input", &goal.input));
            return blobs::needed(input);
        }
        Some(Kind::Expanded(e)) => ("expanded.items", &e.items),
        Some(Kind::CrewBegan(e)) => ("crew_began.input", &e.input),
        Some(Kind::LoopFound(e)) => ("loop_found.evidence", &e.evidence),
        Some(Kind::StepDispatched(e)) => ("step_dispatched.input", &e.input),
        Some(Kind::StepDelayed(e)) => {
            let refused = |failure| ("step_delayed.failure.refused", failure);
            let refused = e.failure.as_ref().map(|failure| refused(&failure.refused));
            return blobs::needed([("step_delayed.input", &e.input)].into_iter().chain(refused));
        }
        Some(Kind::StepCompleted(e)) => ("step_completed.output", &e.output),
        Some(Kind::StepFailed(e)) => {
            let refused = |f| ("step_failed.failure.refused", f);
            return blobs::needed(e.failure.as_ref().map(|failure| refused(&failure.refused)));
        }
        Some(Kind::StepWaiting(e)) => ("step_waiting.proposal", &e.proposal),
        Some(Kind::Compensating(e)) => ("compensating.answer", &e.answer),
        Some(Kind::TakenOver(e)) => ("taken_over.output", &e.output),
        Some(Kind::CallRuled(e)) => {
            return blobs::needed(ruling::result("call_ruled.ruling.happened.result", &e.ruling));
        }
        Some(Kind::Ended(e)) => ("ended.answer", &e.answer),
        Some(
            Kind::StepSkipped(_)
            | Kind::HandedOff(_)
            | Kind::LimitReached(_)
            | Kind::Voted(_)
            | Kind::BudgetNear(_)
            | Kind::BudgetAdded(_)
            | Kind::Paused(_)
            | Kind::Resumed(_)
            | Kind::Joined(_)
            | Kind::Retried(_)
            | Kind::Forked(_)
            | Kind::Refused(_),
        )
        | None => return Ok(Vec::new()),
    };
    blobs::needed([document])
}
