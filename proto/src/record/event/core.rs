//! Events as they are read: every field is checked.

use std::sync::Arc;

use cadre_core::{
    task::{Ask, AskKind, Budget, EndStatus, Event, Resource},
    time::UnixMillis,
    workflow::WhenExpired,
};

use super::{crew, saga};
use crate::{
    Blobs, Problem,
    error::Fault,
    goal,
    parts::{
        attempt, budget_to_core, confidence, document, failure_to_core, grant_to_core, name,
        optional_document, required, step, usage_to_core,
    },
    ruling,
    v1::{self, budget_near, ended::Status, event::Kind, step_waiting},
};

pub(in crate::record) fn to_core(event: v1::Event, blobs: &Blobs) -> Result<Event, Fault> {
    let kind = event.kind.ok_or_else(|| Fault::new("kind", Problem::UnknownKind))?;
    match kind {
        Kind::Accepted(e) => accepted(e, blobs).map_err(|f| f.inside("accepted")),
        Kind::Expanded(e) => expanded(e, blobs).map_err(|f| f.inside("expanded")),
        Kind::CrewBegan(e) => crew::to_began(e, blobs).map_err(|f| f.inside("crew_began")),
        Kind::HandedOff(e) => crew::to_handed_off(e).map_err(|f| f.inside("handed_off")),
        Kind::LoopFound(e) => crew::to_loop_found(e, blobs).map_err(|f| f.inside("loop_found")),
        Kind::StepDispatched(e) => dispatched(e, blobs).map_err(|f| f.inside("step_dispatched")),
        Kind::StepDelayed(e) => delayed(e, blobs).map_err(|f| f.inside("step_delayed")),
        Kind::StepCompleted(e) => completed(e, blobs).map_err(|f| f.inside("step_completed")),
        Kind::StepFailed(e) => failed(e, blobs).map_err(|f| f.inside("step_failed")),
        Kind::StepSkipped(e) => {
            let step = name("step", &e.step).map_err(|f| f.inside("step_skipped"))?;
            Ok(Event::StepSkipped { step, reason: e.reason })
        }
        Kind::StepWaiting(e) => waiting(e, blobs).map_err(|f| f.inside("step_waiting")),
        Kind::Voted(e) => {
            let step = step(&e.step).map_err(|f| f.inside("voted"))?;
            Ok(Event::Voted { step, by: e.by })
        }
        Kind::CallRuled(e) => ruled(e, blobs).map_err(|f| f.inside("call_ruled")),
        Kind::LimitReached(e) => Ok(Event::LimitReached { limit: e.limit, is_held: e.is_held }),
        Kind::BudgetNear(e) => near(e).map_err(|f| f.inside("budget_near")),
        Kind::BudgetAdded(e) => {
            let budget = e.budget.map_or_else(Budget::default, budget_to_core);
            Ok(Event::BudgetAdded { by: e.by, key: e.key, budget })
        }
        Kind::Paused(e) => Ok(Event::Paused { by: e.by }),
        Kind::Resumed(e) => Ok(Event::Resumed { by: e.by }),
        Kind::Refused(e) => Ok(Event::Refused { what: e.what, why: e.why }),
        Kind::Compensating(e) => {
            saga::compensating_to_core(e, blobs).map_err(|f| f.inside("compensating"))
        }
        Kind::Joined(e) => saga::joined_to_core(e).map_err(|f| f.inside("joined")),
        Kind::Retried(e) => saga::retried_to_core(e).map_err(|f| f.inside("retried")),
        Kind::TakenOver(e) => {
            saga::taken_over_to_core(e, blobs).map_err(|f| f.inside("taken_over"))
        }
        Kind::Forked(e) => saga::forked_to_core(e).map_err(|f| f.inside("forked")),
        Kind::Ended(e) => ended(e, blobs).map_err(|f| f.inside("ended")),
    }
}

fn accepted(wire: v1::Accepted, blobs: &Blobs) -> Result<Event, Fault> {
    let goal = required("goal", wire.goal)?;
    let goal = goal::to_core(goal, blobs).map_err(|fault| fault.inside("goal"))?;
    Ok(Event::Accepted { goal: Arc::new(goal), deadline: UnixMillis(wire.deadline_unix_ms) })
}

fn expanded(wire: v1::Expanded, blobs: &Blobs) -> Result<Event, Fault> {
    let items = document("items", wire.items, blobs)?;
    if !items.value().is_array() {
        return Err(Fault::new("items", Problem::Range("must be a list")));
    }
    Ok(Event::Expanded { step: name("step", &wire.step)?, items })
}

fn dispatched(wire: v1::StepDispatched, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::StepDispatched {
        step: step(&wire.step)?,
        attempt: attempt(wire.attempt)?,
        role: name("role", &wire.role)?,
        input: document("input", wire.input, blobs)?,
        deadline: UnixMillis(wire.deadline_unix_ms),
        grant: grant_to_core(wire.grant),
    })
}

fn delayed(wire: v1::StepDelayed, blobs: &Blobs) -> Result<Event, Fault> {
    let failure = wire.failure.map(|failure| failure_to_core(failure, blobs)).transpose();
    Ok(Event::StepDelayed {
        step: step(&wire.step)?,
        role: name("role", &wire.role)?,
        degraded: wire.degraded,
        input: document("input", wire.input, blobs)?,
        until: UnixMillis(wire.until_unix_ms),
        reason: wire.reason,
        failure: failure.map_err(|fault| fault.inside("failure"))?,
        usage: usage_to_core(wire.usage),
    })
}

fn completed(wire: v1::StepCompleted, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::StepCompleted {
        step: step(&wire.step)?,
        output: document("output", wire.output, blobs)?,
        confidence: confidence(wire.confidence)?,
        unsure: wire.unsure,
        degraded: wire.degraded,
        usage: usage_to_core(wire.usage),
    })
}

fn failed(wire: v1::StepFailed, blobs: &Blobs) -> Result<Event, Fault> {
    let failure = required("failure", wire.failure)?;
    let failure = failure_to_core(failure, blobs).map_err(|fault| fault.inside("failure"))?;
    Ok(Event::StepFailed { step: step(&wire.step)?, failure, usage: usage_to_core(wire.usage) })
}

fn waiting(wire: v1::StepWaiting, blobs: &Blobs) -> Result<Event, Fault> {
    let ask = Ask {
        kind: kind_to_core(wire.kind)?,
        question: wire.question,
        content: optional_document("proposal", wire.proposal, blobs)?,
        expires: wire.expires_unix_ms.map(UnixMillis),
        when_expired: when_expired_to_core(wire.when_expired)?,
        // Schema 1 had none of these: one person could answer as seemed right.
        quorum: wire.quorum.max(1),
        four_eyes: wire.four_eyes,
        editable: wire.editable.unwrap_or(true),
    };
    let usage = usage_to_core(wire.usage);
    Ok(Event::StepWaiting { step: step(&wire.step)?, ask: Arc::new(ask), usage })
}

fn ruled(wire: v1::CallRuled, blobs: &Blobs) -> Result<Event, Fault> {
    let ruling = ruling::to_core(wire.ruling, blobs)?;
    Ok(Event::CallRuled { step: step(&wire.step)?, by: wire.by, ruling })
}

fn near(wire: v1::BudgetNear) -> Result<Event, Fault> {
    Ok(Event::BudgetNear { resource: resource_to_core(wire.resource)?, text: wire.text })
}

fn ended(wire: v1::Ended, blobs: &Blobs) -> Result<Event, Fault> {
    Ok(Event::Ended {
        status: status_to_core(wire.status).map_err(|problem| Fault::new("status", problem))?,
        reason: wire.reason,
        answer: optional_document("answer", wire.answer, blobs)?,
        usage: usage_to_core(wire.usage),
    })
}

pub(super) fn status_to_core(number: i32) -> Result<EndStatus, Problem> {
    match Status::try_from(number).map_err(|_| Problem::UnknownValue(number))? {
        Status::Unspecified => Err(Problem::Missing),
        Status::Completed => Ok(EndStatus::Completed),
        Status::Partial => Ok(EndStatus::Partial),
        Status::Failed => Ok(EndStatus::Failed),
        Status::Cancelled => Ok(EndStatus::Cancelled),
        Status::Incomplete => Ok(EndStatus::Incomplete),
    }
}

fn kind_to_core(number: i32) -> Result<AskKind, Fault> {
    use step_waiting::Kind;
    match Kind::try_from(number).map_err(|_| unknown("kind", number))? {
        Kind::Question => Ok(AskKind::Question),
        Kind::Approval => Ok(AskKind::Approval),
        Kind::Doubt => Ok(AskKind::Doubt),
    }
}

fn when_expired_to_core(number: i32) -> Result<WhenExpired, Fault> {
    use step_waiting::WhenExpired as Wire;
    match Wire::try_from(number).map_err(|_| unknown("when_expired", number))? {
        Wire::Fail => Ok(WhenExpired::Fail),
        Wire::Accept => Ok(WhenExpired::Accept),
    }
}

fn resource_to_core(number: i32) -> Result<Resource, Fault> {
    use budget_near::Resource as Wire;
    match Wire::try_from(number).map_err(|_| unknown("resource", number))? {
        Wire::Unspecified => Err(Fault::new("resource", Problem::Missing)),
        Wire::Steps => Ok(Resource::Steps),
        Wire::Usd => Ok(Resource::Usd),
        Wire::Time => Ok(Resource::Time),
        Wire::Tokens => Ok(Resource::Tokens),
    }
}

fn unknown(field: &str, number: i32) -> Fault {
    Fault::new(field, Problem::UnknownValue(number))
}
