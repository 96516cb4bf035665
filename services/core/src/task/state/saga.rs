//! The fold of compensations, races, retries and forks.

use super::{NOT_NEEDED, Phase, StepState, Task};
use crate::{
    ids::{Name, StepId},
    payload::Payload,
    task::{EndStatus, Event, Usage},
    time::UnixMillis,
};

/// How a task will end once its compensations are over.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// How.
    pub status: EndStatus,
    /// Why, in one sentence.
    pub reason: String,
    /// The aggregator's answer.
    pub answer: Option<Payload>,
    /// When at the latest.
    pub until: UnixMillis,
    /// The record that decided it.
    pub rev: u64,
}

/// What a join has decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// What counts, the best first.
    pub winners: Vec<StepId>,
    /// Why these, in one sentence.
    pub reason: String,
}

impl Task {
    /// Folds such an event into the state; any other changes nothing here.
    pub(super) fn apply_saga(&mut self, event: &Event) {
        match event {
            Event::Compensating { status, reason, answer, usage, until } => {
                self.usage = self.usage.plus(*usage);
                self.compensating((*status, *until), reason, answer.as_ref());
            }
            Event::Joined { step, winners, stopped, reason, usage } => {
                self.usage = self.usage.plus(*usage);
                let joined = Joined { winners: winners.clone(), reason: reason.clone() };
                self.joined.insert(step.clone(), joined);
                stopped.iter().for_each(|loser| self.lose(loser, step));
            }
            Event::Retried { step, freed, .. } => {
                self.step_entry(step).tries = 0;
                for name in freed {
                    self.steps.remove(&StepId::single(name.clone()));
                }
            }
            Event::TakenOver { step, output, confidence, unsure, .. } => {
                let (output, unsure) = (output.clone(), unsure.clone());
                let state = StepState::Completed { output, confidence: *confidence, unsure };
                self.enter(step, state, Usage::default());
            }
            Event::Forked { .. } => self.is_forked = true,
            // The caller has these.
            Event::Accepted { .. }
            | Event::Expanded { .. }
            | Event::CrewBegan { .. }
            | Event::HandedOff { .. }
            | Event::LoopFound { .. }
            | Event::StepDispatched { .. }
            | Event::StepDelayed { .. }
            | Event::StepCompleted { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped { .. }
            | Event::StepWaiting { .. }
            | Event::Voted { .. }
            | Event::CallRuled { .. }
            | Event::LimitReached { .. }
            | Event::BudgetNear { .. }
            | Event::BudgetAdded { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Refused { .. }
            | Event::Ended { .. } => {}
        }
    }

    fn compensating(
        &mut self,
        (status, until): (EndStatus, UnixMillis),
        reason: &str,
        answer: Option<&Payload>,
    ) {
        self.close(answer);
        // Nothing holds up an end.
        (self.paused, self.held) = (None, None);
        let (reason, answer) = (reason.to_owned(), answer.cloned());
        self.phase = Phase::Compensating(Ending { status, reason, answer, until, rev: self.rev });
    }

    /// Whatever is open of a declared step is stopped, and nothing more of it begins.
    fn lose(&mut self, loser: &Name, to: &Name) {
        let reason = format!("{NOT_NEEDED}{to} has what it wants");
        // Items of a fan-out, turns of a crew.
        let range = StepId::item(loser.clone(), 0)..=StepId::item(loser.clone(), u32::MAX);
        let open = self.steps.range(range).filter(|(_, step)| step.state.is_open());
        for id in open.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.enter(&id, StepState::Skipped(reason.clone()), Usage::default());
        }
        if let Some(fan_out) = self.fan_outs.get_mut(loser) {
            fan_out.closed = Some(reason);
            return;
        }
        let id = StepId::single(loser.clone());
        if self.steps.get(&id).is_none_or(|step| step.state.is_open()) {
            self.enter(&id, StepState::Skipped(reason), Usage::default());
        }
    }

    /// When no work order may be out any more.
    #[must_use]
    pub fn ends_at(&self) -> UnixMillis {
        match &self.phase {
            Phase::Compensating(ending) => ending.until,
            Phase::Running | Phase::Aggregating | Phase::Ended(_) => self.deadline,
        }
    }

    /// The record that made its present phase: all steps that it stopped have it, or earlier ones.
    #[must_use]
    pub fn rev_of_end(&self) -> u64 {
        match &self.phase {
            Phase::Compensating(ending) => ending.rev,
            Phase::Running | Phase::Aggregating | Phase::Ended(_) => u64::MAX,
        }
    }

    /// Whether it is a fork that lacks some of what it takes over.
    #[must_use]
    pub fn is_forking(&self) -> bool {
        self.goal.fork.is_some() && !self.is_forked && self.ended().is_none()
    }
}

impl StepState {
    /// Whether it was open when nobody needed it any more.
    pub(in crate::task) fn is_given_up(&self) -> bool {
        match self {
            Self::Cancelled | Self::Skipped(_) => true,
            Self::Dispatched { .. }
            | Self::Delayed { .. }
            | Self::Waiting { .. }
            | Self::Completed { .. }
            | Self::Failed(_) => false,
        }
    }
}
