//! Whose attempts an event pays for: what figures and the read model tell of money.

use super::{AGGREGATE, Event, Step, StepState, Task, Usage};
use crate::ids::{Name, StepId};

impl Task {
    /// What `event` adds to the task's cost, and the role that it is charged to; `self` is the state before it.
    ///
    /// What attempts have cost that something stops is told in one sum: it is charged to the first one's role,
    /// and to the gate's, if its report comes with it. `None` as the role is a step that never had one.
    #[must_use]
    pub fn bill(&self, event: &Event) -> Option<(Option<&Name>, Usage)> {
        let role = |id: &StepId| self.steps.get(id).and_then(|step| step.role.as_ref());
        match event {
            Event::StepCompleted { step, usage, .. }
            | Event::StepDelayed { step, usage, .. }
            | Event::StepFailed { step, usage, .. }
            | Event::StepWaiting { step, usage, .. } => Some((role(step), *usage)),
            Event::Joined { stopped, usage, .. } => {
                Some((self.first_out(|id| stopped.contains(&id.name)), *usage))
            }
            Event::Compensating { usage, .. } | Event::Ended { usage, .. } => {
                let gate = self.first_out(|id| id.name.as_str() == AGGREGATE);
                Some((gate.or_else(|| self.first_out(|_| true)), *usage))
            }
            Event::Accepted { .. }
            | Event::Expanded { .. }
            | Event::CrewBegan { .. }
            | Event::HandedOff { .. }
            | Event::LoopFound { .. }
            | Event::StepDispatched { .. }
            | Event::StepSkipped { .. }
            | Event::Voted { .. }
            | Event::CallRuled { .. }
            | Event::LimitReached { .. }
            | Event::BudgetNear { .. }
            | Event::BudgetAdded { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Retried { .. }
            | Event::TakenOver { .. }
            | Event::Forked { .. }
            | Event::Refused { .. } => None,
        }
    }

    /// The role of the first of these steps whose attempt is out.
    fn first_out(&self, is_meant: impl Fn(&StepId) -> bool) -> Option<&Name> {
        let is_out = |(id, step): &(&StepId, &Step)| {
            is_meant(id) && matches!(step.state, StepState::Dispatched { .. })
        };
        self.steps.iter().find(is_out).and_then(|(_, step)| step.role.as_ref())
    }
}
