//! A person wants a failed step tried again.
//!
//! Only while the task runs: an end is final, and a fork is the way to go on from it. Attempts begin
//! anew with the input made again, and what was skipped because of the step waits for it again.

use std::collections::BTreeSet;

use super::{
    decide::Verdict,
    event::Event,
    input::{Control, FailureKind, Usage, clip},
    person::refuse,
    plan::Planner,
    standing::is_as_declared,
    state::{AGGREGATE, Phase, StepState},
};
use crate::{
    ids::{Name, StepId},
    payload::Payload,
};

pub(super) fn on_retry(
    mut plan: Planner<'_>,
    control: &Control,
    wanted: Option<&StepId>,
) -> Verdict {
    let chosen = match choose(&plan, wanted) {
        Ok(chosen) if chosen.is_empty() => return Verdict::Ignore(super::Seen::Known),
        Ok(chosen) => chosen,
        Err(why) => return refuse(plan, "retry", &why),
    };
    let because =
        if control.reason.is_empty() { String::new() } else { format!(": {}", control.reason) };
    let names: Vec<_> = chosen.iter().take(8).map(|(id, _)| id.to_string()).collect();
    let reason = clip(&format!("{} wants {} tried again{because}", control.by, names.join(", ")));
    for (step, input) in chosen {
        // What finds no room stays failed; the same wish again finds it.
        if !plan.take_room(input.inline_bytes() + reason.len()) {
            break;
        }
        plan.again((step, input), &control.by, &reason);
    }
    plan.advance();
    plan.finish("retry", &reason)
}

/// The failed steps that are meant, each with its input.
fn choose(plan: &Planner<'_>, wanted: Option<&StepId>) -> Result<Vec<(StepId, Payload)>, String> {
    let task = plan.task();
    match &task.phase {
        Phase::Running => {}
        Phase::Aggregating => return Err("the task has all its parts already".to_owned()),
        Phase::Compensating(_) | Phase::Ended(_) => {
            return Err("the task comes to its end: fork it".to_owned());
        }
    }
    if let Some(limit) = &task.limited {
        return Err(format!("the task comes to its end, a limit was met: {limit}"));
    }
    let is_meant = |id: &StepId| {
        wanted.is_none_or(|step| id == step || (step.item.is_none() && id.name == step.name))
    };
    if let Some(step) = wanted
        .filter(|step| !task.steps.keys().any(is_meant) && !task.fan_outs.contains_key(&step.name))
    {
        return Err(format!("step {step} has not begun"));
    }
    let mut chosen = Vec::new();
    for (id, step) in task.steps.iter().filter(|(id, _)| is_meant(id)) {
        match &step.state {
            StepState::Failed(failure) => match plan.can_retry(id, failure.kind) {
                Ok(input) => chosen.push((id.clone(), input)),
                // Of many, those that can be are tried.
                Err(_) if wanted.is_none() => {}
                Err(why) => return Err(format!("step {id} cannot be tried again: {why}")),
            },
            StepState::Completed { .. } | StepState::Skipped(_) | StepState::Cancelled
                if wanted == Some(id) =>
            {
                return Err(format!("step {id} has not failed: it is {}", step.state.as_str()));
            }
            StepState::Dispatched { .. }
            | StepState::Delayed { .. }
            | StepState::Waiting { .. }
            | StepState::Completed { .. }
            | StepState::Skipped(_)
            | StepState::Cancelled => {}
        }
    }
    Ok(chosen)
}

impl Planner<'_> {
    /// The input of another try.
    fn can_retry(&self, id: &StepId, kind: FailureKind) -> Result<Payload, String> {
        let step = self.task().steps.get(id).filter(|step| step.attempt > 0);
        let declared = self.workflow().step(&id.name);
        let role = declared.and_then(|declared| declared.role());
        let (Some(_), Some(declared), Some(role)) = (step, declared, role) else {
            let why = "it had no attempt, and would end in the same way: fork the task with another \
                       input";
            return Err(why.to_owned());
        };
        if matches!(kind, FailureKind::Denied | FailureKind::Expired) {
            return Err("a person has decided, or did not in time: fork the task".to_owned());
        }
        let fan_out = self.task().fan_outs.get(&id.name).filter(|_| id.item.is_some());
        if fan_out.is_some_and(|fan_out| fan_out.closed.is_some()) {
            return Err("others of the fan-out are enough: fork the task".to_owned());
        }
        if self.is_consumed(&id.name) {
            return Err("a later step has begun without it: fork the task".to_owned());
        }
        self.render(declared, id.item, role).map_err(|failure| failure.message)
    }

    /// Whether a step that comes after this one has begun already.
    fn is_consumed(&self, name: &Name) -> bool {
        self.workflow().steps.iter().filter(|step| step.after.contains(name)).any(|step| {
            let id = StepId::single(step.name.clone());
            let state = self.task().steps.get(&id).map(|step| &step.state);
            let is_skipped = matches!(state, Some(StepState::Skipped(why)) if !is_as_declared(why));
            self.task().fan_outs.contains_key(&step.name)
                || self.task().joined.contains_key(&step.name)
                || (state.is_some() && !is_skipped)
        })
    }

    fn again(&mut self, (step, input): (StepId, Payload), by: &str, reason: &str) {
        let declared = self.workflow().step(&step.name).and_then(|declared| declared.role());
        let Some(role) = declared.map(|role| role.name.clone()) else { return };
        let freed = self.freed(&step.name);
        self.emit(Event::Retried { step: step.clone(), by: by.to_owned(), freed });
        let (until, reason, usage) = (self.now(), reason.to_owned(), Usage::default());
        let (degraded, failure) = (None, None);
        self.emit(Event::StepDelayed {
            step,
            role,
            degraded,
            input,
            until,
            reason,
            failure,
            usage,
        });
    }

    /// Steps that were skipped for want of this one, one behind the other.
    fn freed(&self, name: &Name) -> Vec<Name> {
        let mut lost = BTreeSet::from([name]);
        let mut freed = Vec::new();
        for step in &self.workflow().steps {
            let state = self.task().steps.get(&StepId::single(step.name.clone()));
            let is_skipped = state.is_some_and(|step| match &step.state {
                StepState::Skipped(why) => step.attempt == 0 && !why.is_empty(),
                StepState::Dispatched { .. }
                | StepState::Delayed { .. }
                | StepState::Waiting { .. }
                | StepState::Completed { .. }
                | StepState::Failed(_)
                | StepState::Cancelled => false,
            });
            let is_behind = step.after.iter().any(|before| lost.contains(before));
            if is_skipped && is_behind && step.name.as_str() != AGGREGATE {
                lost.insert(&step.name);
                freed.push(step.name.clone());
            }
        }
        freed
    }
}
