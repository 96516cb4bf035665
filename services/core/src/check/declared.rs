//! What the records say, held against the pack revision that the task is pinned to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{fold::Broken, rule::Rule};
use crate::{
    ids::{Name, StepId},
    payload::Payload,
    task::{AGGREGATE, EndStatus, Event, Task, has_done},
    workflow::{Grant, StepPlan, Workflow},
};

/// The pack revisions that were read.
#[derive(Debug, Default)]
pub(super) struct Packs {
    known: BTreeMap<String, Arc<Workflow>>,
    missed: BTreeSet<Arc<str>>,
}

impl Packs {
    pub(super) fn keep(&mut self, pack: Arc<Workflow>) {
        self.known.insert(pack.revision.clone(), pack);
    }

    /// The revision that a task is pinned to; `None` when it was not read.
    pub(super) fn of(&self, task: &Task) -> Option<&Arc<Workflow>> {
        self.known.get(task.goal.revision.as_ref())
    }

    /// Whether the task's revision was not read; true once for each revision.
    pub(super) fn misses(&mut self, task: &Task) -> bool {
        self.of(task).is_none() && self.missed.insert(Arc::clone(&task.goal.revision))
    }
}

/// Compares one event, which is possible in this state, with what is declared.
pub(super) fn check(pack: &Workflow, task: &Task, event: &Event) -> Result<(), Broken> {
    match event {
        Event::StepDispatched { step, .. } if step.name.as_str() == AGGREGATE => Ok(()),
        Event::StepDispatched { step, role, input, grant, .. } => {
            ordered(pack, (step, role), (input, *grant))
        }
        Event::StepDelayed { step, role, .. } => may_do(declared(pack, step)?, step, role),
        Event::StepCompleted { step, output, .. } => {
            let role = task.steps.get(step).and_then(|step| step.role.as_ref());
            made(pack, (step, role), output)
        }
        Event::TakenOver { step, output, .. } => {
            if is_turn(declared(pack, step)?, step) {
                return wrong(format!("step {step} is one turn of a crew and is taken over"));
            }
            made(pack, (step, None), output)
        }
        Event::StepFailed { step, .. }
        | Event::StepWaiting { step, .. }
        | Event::Voted { step, .. }
        | Event::CallRuled { step, .. }
        | Event::Retried { step, .. }
        | Event::HandedOff { step, .. } => declared(pack, step).map(|_| ()),
        Event::Expanded { step, .. }
        | Event::CrewBegan { step, .. }
        | Event::LoopFound { step, .. }
        | Event::StepSkipped { step, .. }
        | Event::Joined { step, .. } => declared(pack, &StepId::single(step.clone())).map(|_| ()),
        Event::Ended { status, reason, answer, .. } => {
            undone(pack, task, (*status, reason))?;
            answered(pack, *status, answer.as_ref())
        }
        Event::Accepted { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Refused { .. }
        | Event::Compensating { .. }
        | Event::Forked { .. } => Ok(()),
    }
}

fn wrong<T>(text: String) -> Result<T, Broken> {
    Err((Rule::AsDeclared, text))
}

fn declared<'a>(pack: &'a Workflow, step: &StepId) -> Result<&'a StepPlan, Broken> {
    pack.step(&step.name)
        .map_or_else(|| wrong(format!("workflow {} has no step {step}", pack.name)), Ok)
}

fn is_turn(declared: &StepPlan, step: &StepId) -> bool {
    declared.crew().is_some() && step.item.is_some()
}

fn may_do(declared: &StepPlan, step: &StepId, role: &Name) -> Result<(), Broken> {
    let single = [declared.role(), declared.fallback()].into_iter().flatten();
    let crew = declared.crew().into_iter().flat_map(|crew| crew.roles());
    if single.chain(crew).any(|known| known.name == *role) {
        return Ok(());
    }
    wrong(format!("step {step} is given to role {role}, which the pack does not name for it"))
}

/// An order is for whom the step names, with that role's grant and an input that it accepts.
fn ordered(
    pack: &Workflow,
    (step, role): (&StepId, &Name),
    (input, grant): (&Payload, Grant),
) -> Result<(), Broken> {
    may_do(declared(pack, step)?, step, role)?;
    let Some(role) = pack.roles.get(role) else {
        return wrong(format!("step {step} is given to role {role}, which the pack has not"));
    };
    if role.grant != grant {
        return wrong(format!("step {step} may spend {grant:?} where {:?} is granted", role.grant));
    }
    role.accepts.check(input.value()).or_else(|violations| {
        wrong(format!("the input of step {step} breaks {}: {violations}", role.accepts.id()))
    })
}

/// What counts as a step's output satisfies its contract.
fn made(
    pack: &Workflow,
    (step, role): (&StepId, Option<&Name>),
    output: &Payload,
) -> Result<(), Broken> {
    let is_turn = is_turn(declared(pack, step)?, step);
    // Who hands off need not have made anything.
    if is_turn && output.value().is_null() {
        return Ok(());
    }
    let Some(contract) = pack.contract_of(step, role) else { return Ok(()) };
    contract.check(output.value()).or_else(|violations| {
        wrong(format!("the output of step {step} breaks {}: {violations}", contract.id()))
    })
}

/// A complete answer satisfies the workflow's contract.
fn answered(pack: &Workflow, status: EndStatus, answer: Option<&Payload>) -> Result<(), Broken> {
    let (EndStatus::Completed, Some(answer)) = (status, answer) else { return Ok(()) };
    let result = answer.value().get("result").unwrap_or(&serde_json::Value::Null);
    pack.output.check(result).or_else(|violations| {
        wrong(format!("the answer breaks {}: {violations}", pack.output.id()))
    })
}

/// At a bad end whatever can be undone was begun to be undone, or the end says that something was not.
fn undone(pack: &Workflow, task: &Task, (status, reason): (EndStatus, &str)) -> Result<(), Broken> {
    let is_bad = match status {
        EndStatus::Completed => false,
        EndStatus::Partial => pack.compensation.on_partial,
        EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete => true,
    };
    if !is_bad || reason.contains("not undone: ") {
        return Ok(());
    }
    let left = task.steps.iter().find(|(id, step)| {
        let undo = pack.compensation_of(&id.name).filter(|_| has_done(task, id, step));
        undo.is_some_and(|undo| {
            !task.steps.contains_key(&StepId { name: undo.name.clone(), item: id.item })
        })
    });
    match left {
        Some((step, _)) => {
            Err((Rule::Compensation, format!("the task ends and step {step} is not undone")))
        }
        None => Ok(()),
    }
}
