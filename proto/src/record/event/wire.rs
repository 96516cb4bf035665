//! Events as they are written.

use cadre_core::{
    ids::{Name, StepId},
    journal::CallRuling,
    payload::Payload,
    task::{Ask, AskKind, Budget, EndStatus, Event, Failure, Goal, Resource, Usage},
    time::UnixMillis,
    workflow::{Grant, WhenExpired},
};

use super::{crew, saga};
use crate::{
    goal,
    json::Json,
    parts::{budget_to_wire, failure_to_wire, grant_to_wire, optional_json, usage_to_wire},
    ruling,
    v1::{self, budget_near, ended, event::Kind, step_waiting},
};

pub(in crate::record) fn to_wire(event: &Event) -> v1::Event {
    let kind = match event {
        Event::Accepted { goal, deadline } => accepted(goal, *deadline),
        Event::Expanded { step, items } => expanded(step.as_str(), items),
        Event::CrewBegan { step, pattern, turns_max, input } => {
            crew::began(step, *pattern, *turns_max, input)
        }
        Event::HandedOff { step, to, reason } => crew::handed_off(step, to, reason),
        Event::LoopFound { step, text, evidence } => crew::loop_found(step, text, evidence),
        Event::StepDispatched { step, attempt, role, input, deadline, grant } => {
            dispatched(step, (*attempt, role), input, (*deadline, *grant))
        }
        Event::StepDelayed { step, role, degraded, input, until, reason, failure, usage } => {
            Kind::StepDelayed(v1::StepDelayed {
                step: step.to_string(),
                role: role.as_str().to_owned(),
                degraded: degraded.clone(),
                input: Some(Json::from(input)),
                until_unix_ms: until.0,
                reason: reason.clone(),
                failure: failure.as_ref().map(failure_to_wire),
                usage: usage_to_wire(*usage),
            })
        }
        Event::StepCompleted { step, output, confidence, unsure, degraded, usage } => {
            Kind::StepCompleted(v1::StepCompleted {
                step: step.to_string(),
                output: Some(Json::from(output)),
                confidence: *confidence,
                unsure: unsure.clone(),
                degraded: degraded.clone(),
                usage: usage_to_wire(*usage),
            })
        }
        Event::StepFailed { step, failure, usage } => failed(step, failure, *usage),
        Event::StepSkipped { step, reason } => skipped(step.as_str(), reason),
        Event::StepWaiting { step, ask, usage } => waiting(step, ask, *usage),
        Event::Voted { step, by } => voted(step, by),
        Event::CallRuled { step, by, ruling } => call_ruled(step, by, ruling),
        Event::LimitReached { limit, is_held } => limit_reached(limit, *is_held),
        Event::BudgetNear { resource, text } => near(*resource, text),
        Event::BudgetAdded { by, key, budget } => added(by, key, *budget),
        Event::Paused { by } => Kind::Paused(v1::Paused { by: by.clone() }),
        Event::Resumed { by } => Kind::Resumed(v1::Resumed { by: by.clone() }),
        Event::Refused { what, why } => refused(what, why),
        Event::Compensating { status, reason, answer, usage, until } => {
            saga::compensating((*status, *until), reason, answer.as_ref(), *usage)
        }
        Event::Joined { step, winners, stopped, reason, usage } => {
            saga::joined(step, (winners, stopped), reason, *usage)
        }
        Event::Retried { step, by, freed } => saga::retried(step, by, freed),
        Event::TakenOver { step, output, confidence, unsure, rev } => {
            saga::taken_over(step, output, (*confidence, unsure.as_deref()), *rev)
        }
        Event::Forked { fork } => saga::forked(fork),
        Event::Ended { status, reason, answer, usage } => {
            end(*status, reason, answer.as_ref(), *usage)
        }
    };
    v1::Event { kind: Some(kind) }
}

fn accepted(goal: &Goal, deadline: UnixMillis) -> Kind {
    let goal = Some(goal::to_wire(goal));
    Kind::Accepted(v1::Accepted { goal, deadline_unix_ms: deadline.0 })
}

fn expanded(step: &str, items: &Payload) -> Kind {
    Kind::Expanded(v1::Expanded { step: step.to_owned(), items: Some(Json::from(items)) })
}

fn dispatched(
    step: &StepId,
    (attempt, role): (u32, &Name),
    input: &Payload,
    (deadline, grant): (UnixMillis, Grant),
) -> Kind {
    Kind::StepDispatched(v1::StepDispatched {
        step: step.to_string(),
        attempt,
        role: role.as_str().to_owned(),
        input: Some(Json::from(input)),
        deadline_unix_ms: deadline.0,
        grant: grant_to_wire(grant),
    })
}

fn call_ruled(step: &StepId, by: &str, ruling: &CallRuling) -> Kind {
    let (step, ruling) = (step.to_string(), Some(ruling::to_wire(ruling)));
    Kind::CallRuled(v1::CallRuled { step, by: by.to_owned(), ruling })
}

fn failed(step: &StepId, failure: &Failure, usage: Usage) -> Kind {
    Kind::StepFailed(v1::StepFailed {
        step: step.to_string(),
        failure: Some(failure_to_wire(failure)),
        usage: usage_to_wire(usage),
    })
}

fn skipped(step: &str, reason: &str) -> Kind {
    Kind::StepSkipped(v1::StepSkipped { step: step.to_owned(), reason: reason.to_owned() })
}

fn waiting(step: &StepId, ask: &Ask, usage: Usage) -> Kind {
    Kind::StepWaiting(v1::StepWaiting {
        step: step.to_string(),
        question: ask.question.clone(),
        proposal: optional_json(ask.content.as_ref()),
        usage: usage_to_wire(usage),
        kind: kind_to_wire(ask.kind) as i32,
        expires_unix_ms: ask.expires.map(|at| at.0),
        when_expired: when_expired_to_wire(ask.when_expired) as i32,
        quorum: ask.quorum,
        four_eyes: ask.four_eyes,
        editable: Some(ask.editable),
    })
}

fn voted(step: &StepId, by: &str) -> Kind {
    Kind::Voted(v1::Voted { step: step.to_string(), by: by.to_owned() })
}

fn limit_reached(limit: &str, is_held: bool) -> Kind {
    Kind::LimitReached(v1::LimitReached { limit: limit.to_owned(), is_held })
}

fn near(resource: Resource, text: &str) -> Kind {
    let resource = resource_to_wire(resource) as i32;
    Kind::BudgetNear(v1::BudgetNear { resource, text: text.to_owned() })
}

fn added(by: &str, key: &str, budget: Budget) -> Kind {
    Kind::BudgetAdded(v1::BudgetAdded {
        by: by.to_owned(),
        key: key.to_owned(),
        budget: Some(budget_to_wire(budget)),
    })
}

fn refused(what: &str, why: &str) -> Kind {
    Kind::Refused(v1::Refused { what: what.to_owned(), why: why.to_owned() })
}

fn end(status: EndStatus, reason: &str, answer: Option<&Payload>, usage: Usage) -> Kind {
    Kind::Ended(v1::Ended {
        status: status_to_wire(status) as i32,
        reason: reason.to_owned(),
        answer: optional_json(answer),
        usage: usage_to_wire(usage),
    })
}

pub(super) fn status_to_wire(status: EndStatus) -> ended::Status {
    match status {
        EndStatus::Completed => ended::Status::Completed,
        EndStatus::Partial => ended::Status::Partial,
        EndStatus::Failed => ended::Status::Failed,
        EndStatus::Cancelled => ended::Status::Cancelled,
        EndStatus::Incomplete => ended::Status::Incomplete,
    }
}

fn kind_to_wire(kind: AskKind) -> step_waiting::Kind {
    match kind {
        AskKind::Question => step_waiting::Kind::Question,
        AskKind::Approval => step_waiting::Kind::Approval,
        AskKind::Doubt => step_waiting::Kind::Doubt,
    }
}

fn when_expired_to_wire(when_expired: WhenExpired) -> step_waiting::WhenExpired {
    match when_expired {
        WhenExpired::Fail => step_waiting::WhenExpired::Fail,
        WhenExpired::Accept => step_waiting::WhenExpired::Accept,
    }
}

fn resource_to_wire(resource: Resource) -> budget_near::Resource {
    match resource {
        Resource::Steps => budget_near::Resource::Steps,
        Resource::Usd => budget_near::Resource::Usd,
        Resource::Time => budget_near::Resource::Time,
        Resource::Tokens => budget_near::Resource::Tokens,
    }
}
