//! The turns of a crew so far, read from the state: whose they were, and what came of them.

use serde_json::{Value, json};

use super::super::{
    input::{Failure, clip_to},
    state::{StepState, Task},
};
use super::run::{CrewRun, HandOff};
use crate::{
    ids::{Name, StepId},
    limits::CREW_HISTORY_BYTES_MAX,
    payload::{Hash, Payload, canonical},
    workflow::{Crew, Pattern, StepPlan},
};

/// Bytes of a reason that a router gets of an earlier turn.
const REASON_BYTES_MAX: usize = 256;

/// The turns so far.
pub(super) struct History<'a> {
    pub(super) run: &'a CrewRun,
    pub(super) turns: Vec<Past<'a>>,
}

/// One turn.
pub(super) struct Past<'a> {
    /// Its item.
    pub(super) index: u32,
    /// Whose it is.
    pub(super) role: Name,
    /// What came of it.
    pub(super) result: Outcome<'a>,
}

/// What came of a turn.
pub(super) enum Outcome<'a> {
    /// It is not over.
    Open,
    /// It gave an output; `null` when it handed off without one.
    Done {
        output: &'a Payload,
        confidence: Option<f64>,
        unsure: Option<&'a str>,
        hand_off: Option<&'a HandOff>,
    },
    /// It gave none.
    Failed(&'a Failure),
}

impl<'a> History<'a> {
    /// The turns of the crew that does `declared`; `None` when it has not begun, is over, or waits
    /// as a whole.
    pub(super) fn of(task: &'a Task, declared: &StepPlan, crew: &Crew) -> Option<Self> {
        let run = task.crews.get(&declared.name)?;
        let single = StepId::single(declared.name.clone());
        if task.steps.contains_key(&single) {
            return None;
        }
        let range = single..=StepId::item(declared.name.clone(), u32::MAX);
        let mut turns: Vec<Past> = Vec::new();
        for (id, step) in task.steps.range(range) {
            let index = id.item.unwrap_or_default();
            let result = match &step.state {
                StepState::Dispatched { .. }
                | StepState::Delayed { .. }
                | StepState::Waiting { .. } => Outcome::Open,
                StepState::Completed { output, confidence, unsure } => Outcome::Done {
                    output,
                    confidence: *confidence,
                    unsure: unsure.as_deref(),
                    hand_off: run.hand_offs.get(&index),
                },
                StepState::Failed(failure) => Outcome::Failed(failure),
                // Only the end of a task cancels a turn, and no turn is skipped.
                StepState::Skipped(_) | StepState::Cancelled => return None,
            };
            // A turn that failed before it had an order has no role of its own.
            let role = step.role.clone().unwrap_or_else(|| expected(crew, turns.last()));
            turns.push(Past { index, role, result });
        }
        Some(Self { run, turns })
    }

    /// The last output that any turn has given.
    pub(super) fn last_output(&self) -> Option<&'a Payload> {
        self.turns.iter().rev().find_map(Past::output)
    }

    /// What the next turn gets, whoever takes it.
    pub(super) fn input(&self) -> Value {
        let last = self.turns.last();
        json!({
            "input": self.run.input.value(),
            "from": last.map(|turn| turn.role.as_str()),
            "reason": last.and_then(Past::reason),
            "previous": self.last_output().map(Payload::value),
        })
    }

    /// What a router gets beside: every turn, with the newest outputs as far as there is room.
    pub(super) fn listed(&self) -> Value {
        let mut left = CREW_HISTORY_BYTES_MAX;
        let mut listed: Vec<Value> =
            self.turns.iter().rev().map(|turn| turn.shown(&mut left)).collect();
        listed.reverse();
        Value::Array(listed)
    }
}

/// Whose turn comes after this one in a crew without a plan.
pub(super) fn expected(crew: &Crew, last: Option<&Past>) -> Name {
    let hand_off = last.and_then(|turn| match &turn.result {
        Outcome::Done { hand_off, .. } => *hand_off,
        Outcome::Open | Outcome::Failed(_) => None,
    });
    hand_off.map_or_else(|| crew.lead.name.clone(), |hand_off| hand_off.to.clone())
}

impl<'a> Past<'a> {
    /// What it has made; `None` when it has made nothing.
    pub(super) fn output(&self) -> Option<&'a Payload> {
        match &self.result {
            Outcome::Done { output, .. } => {
                Some(*output).filter(|output| !output.value().is_null())
            }
            Outcome::Open | Outcome::Failed(_) => None,
        }
    }

    /// Why the next turn is somebody else's, as far as that was said.
    pub(super) fn reason(&self) -> Option<String> {
        match &self.result {
            Outcome::Done { hand_off, .. } => hand_off.map(|hand_off| hand_off.reason.clone()),
            Outcome::Failed(failure) => {
                Some(format!("failed ({}): {}", failure.kind.as_str(), failure.message))
            }
            Outcome::Open => None,
        }
    }

    /// The result as one word and whom it concerns.
    pub(super) fn class(&self) -> String {
        match &self.result {
            Outcome::Open => "open".to_owned(),
            Outcome::Done { hand_off: Some(hand_off), .. } => {
                format!("handed off to {}", hand_off.to)
            }
            Outcome::Done { hand_off: None, .. } => "completed".to_owned(),
            Outcome::Failed(failure) => format!("failed ({})", failure.kind.as_str()),
        }
    }

    fn shown(&self, left: &mut usize) -> Value {
        let reason = self.reason().map(|reason| clip_to(&reason, REASON_BYTES_MAX));
        let mut shown = json!({
            "turn": self.index, "role": self.role.as_str(), "result": self.class(), "reason": reason,
        });
        if let (Some(output), Some(fields)) = (self.output(), shown.as_object_mut()) {
            let size = output.text().len();
            if size <= *left {
                *left -= size;
                fields.insert("output".to_owned(), output.value().clone());
            } else {
                // A smaller, older one must not look newer than this one.
                *left = 0;
                fields.insert("omitted_bytes".to_owned(), size.into());
            }
        }
        shown
    }
}

/// What two documents that mean the same have in common.
pub(super) fn digest(value: &Value) -> Hash {
    Hash::of(canonical(value).as_bytes())
}

/// Whether a turn of this role may end the crew.
pub(super) fn may_complete(crew: &Crew, role: &Name) -> bool {
    match crew.pattern {
        Pattern::Network => true,
        Pattern::Supervisor => *role == crew.lead.name,
        Pattern::Planner => false,
    }
}
