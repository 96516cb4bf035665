//! What the read model wants to know of a pack revision: limits and steps. Pure.

use cadre_core::{
    ids::Name,
    task::Task,
    workflow::{TaskLimits, Workflow},
};

/// One pack revision, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    limits: TaskLimits,
    /// Declared steps, those that undo others excluded.
    pub(super) steps: Vec<Name>,
    /// Steps that undo others.
    pub(super) compensations: Vec<Name>,
}

/// What a task may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    pub(super) dispatches: u32,
    pub(super) cost: u64,
    pub(super) tokens: u64,
}

impl Terms {
    pub(super) fn of(pack: &Workflow) -> Self {
        Self {
            limits: pack.limits,
            steps: pack.steps.iter().map(|step| step.name.clone()).collect(),
            compensations: pack.compensations.iter().map(|step| step.name.clone()).collect(),
        }
    }

    /// The pack's limits, narrowed by the publisher, widened by people: as the task machine has them.
    pub(super) fn limits(&self, task: &Task) -> Limits {
        let (pack, goal, added) = (&self.limits, &task.goal.limits, &task.added);
        let narrow = |pack: u64, goal: Option<u64>| goal.map_or(pack, |wanted| wanted.min(pack));
        let dispatches = goal.steps_max.map_or(pack.steps_max, |max| max.min(pack.steps_max));
        Limits {
            dispatches: dispatches.saturating_add(added.steps),
            cost: narrow(pack.usd_micros_max, goal.usd_micros_max).saturating_add(added.usd_micros),
            tokens: narrow(pack.tokens_max, goal.tokens_max).saturating_add(added.tokens),
        }
    }
}
