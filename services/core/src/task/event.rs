//! What happened to a task: the content of the log. Never edited, replayed for ever.

use std::{sync::Arc, time::Duration};

use super::{
    ask::Ask,
    input::{Budget, Failure, Fork, Goal, Resource, Usage},
    model_use::ModelUse,
};
use crate::{
    ids::{Name, StepId},
    journal::CallRuling,
    payload::Payload,
    time::UnixMillis,
    workflow::{Grant, Pattern},
};

/// One fact about a task. Several facts with one cause make one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The task exists.
    Accepted {
        /// What is wanted.
        goal: Arc<Goal>,
        /// When the task ends at the latest, on the broker's clock.
        deadline: UnixMillis,
    },
    /// A fan-out knows its items.
    Expanded {
        /// The declared step.
        step: Name,
        /// A JSON list.
        items: Payload,
    },
    /// Several roles begin a step together.
    CrewBegan {
        /// The declared step.
        step: Name,
        /// Who says whose turn is next.
        pattern: Pattern,
        /// Turns in all.
        turns_max: u32,
        /// The step's own input, the same in every turn.
        input: Payload,
    },
    /// What the turn has just completed with goes on to another role.
    HandedOff {
        /// The turn.
        step: StepId,
        /// Who takes the next one.
        to: Name,
        /// Why.
        reason: String,
    },
    /// A crew goes in circles, or has used up its turns: it gets no other turn.
    LoopFound {
        /// The declared step.
        step: Name,
        /// What was found, in one sentence.
        text: String,
        /// What shows it: the sign, and every turn with its fingerprint.
        evidence: Payload,
    },
    /// A work order is owed.
    StepDispatched {
        /// The step.
        step: StepId,
        /// From 1.
        attempt: u32,
        /// Who shall do it.
        role: Name,
        /// Checked against the role's `accepts` contract.
        input: Payload,
        /// When the attempt counts as timed out.
        deadline: UnixMillis,
        /// What the attempt may spend; reserved until it is over.
        grant: Grant,
    },
    /// A step waits for a point in time before its next attempt.
    StepDelayed {
        /// The step.
        step: StepId,
        /// Who shall do the next attempt.
        role: Name,
        /// Why that is not the role that the step names; the output will be marked with it.
        degraded: Option<String>,
        /// What the next attempt gets.
        input: Payload,
        /// When it is dispatched.
        until: UnixMillis,
        /// What it waits for, in one sentence.
        reason: String,
        /// What became of the last attempt; `None` when there was none.
        failure: Option<Failure>,
        /// What the last attempt cost.
        usage: Usage,
    },
    /// A report was accepted.
    StepCompleted {
        /// The step.
        step: StepId,
        /// Checked against the role's `returns` contract.
        output: Payload,
        /// The worker's estimate, 0 to 1.
        confidence: Option<f64>,
        /// Why nobody vouches for the output; `None` when somebody does.
        unsure: Option<String>,
        /// Why the output was made with less than the pack's first choice, beside another role.
        degraded: Option<String>,
        /// What it cost.
        usage: Usage,
    },
    /// A step ended without an output.
    StepFailed {
        /// The step.
        step: StepId,
        /// Why.
        failure: Failure,
        /// What it cost all the same.
        usage: Usage,
    },
    /// A step will not run.
    StepSkipped {
        /// The declared step.
        step: Name,
        /// Why.
        reason: String,
    },
    /// A step waits for a person.
    StepWaiting {
        /// The step.
        step: StepId,
        /// What the person is asked.
        ask: Arc<Ask>,
        /// What it cost so far.
        usage: Usage,
    },
    /// One of several people who must agree has agreed.
    Voted {
        /// The step that waits.
        step: StepId,
        /// Who.
        by: String,
    },
    /// A person knows whether what is in doubt has happened: the next attempt is told.
    CallRuled {
        /// The step that waits.
        step: StepId,
        /// Who.
        by: String,
        /// What they know.
        ruling: CallRuling,
    },
    /// A limit was met: nothing new is dispatched.
    LimitReached {
        /// Which limit, with its value.
        limit: String,
        /// The task waits for a larger budget, rather than coming to its end.
        is_held: bool,
    },
    /// Four fifths of a limit are used or reserved; of the time, past.
    BudgetNear {
        /// Which limit.
        resource: Resource,
        /// With its value, for people.
        text: String,
    },
    /// Somebody made the limits wider.
    BudgetAdded {
        /// Who.
        by: String,
        /// Names the wish, so that it counts once.
        key: String,
        /// By how much.
        budget: Budget,
    },
    /// Nothing new begins.
    Paused {
        /// Who wants that.
        by: String,
    },
    /// It goes on.
    Resumed {
        /// Who wants that.
        by: String,
    },
    /// Somebody asked for something that cannot be; kept so that everybody can see why.
    Refused {
        /// What: the kind of input.
        what: String,
        /// Why not.
        why: String,
    },
    /// The task comes to this end; first what its completed steps have done is undone.
    Compensating {
        /// How it will end.
        status: EndStatus,
        /// Why, in one sentence.
        reason: String,
        /// The aggregator's answer; `None` when it never gave one.
        answer: Option<Payload>,
        /// What the aggregation cost, and the attempts that it stops.
        usage: Usage,
        /// When it ends at the latest.
        until: UnixMillis,
    },
    /// A join has what it wants: the winners count, the others stop.
    Joined {
        /// The step that comes after the others, or the fan-out whose items they are.
        step: Name,
        /// What counts, the best first.
        winners: Vec<StepId>,
        /// Declared steps whose open work is stopped; the fan-out itself for its items.
        stopped: Vec<Name>,
        /// Why these won, in one sentence.
        reason: String,
        /// What the attempts have cost that it stops.
        usage: Usage,
    },
    /// Somebody wants a failed step tried again: its attempts begin anew.
    Retried {
        /// The step.
        step: StepId,
        /// Who wants that.
        by: String,
        /// Declared steps that were skipped because of it, and are not any more.
        freed: Vec<Name>,
    },
    /// A step counts as done because another task has done it.
    TakenOver {
        /// The step.
        step: StepId,
        /// Its output there.
        output: Payload,
        /// The worker's estimate, 0 to 1.
        confidence: Option<f64>,
        /// Why nobody vouches for the output; `None` when somebody does.
        unsure: Option<String>,
        /// The record of the other task that completed it.
        rev: u64,
    },
    /// All that this task takes over from another one is there; the rest runs anew.
    Forked {
        /// What it is a fork of.
        fork: Fork,
    },
    /// The task is over.
    Ended {
        /// How.
        status: EndStatus,
        /// Why, in one sentence.
        reason: String,
        /// The aggregator's answer; `None` when it never gave one.
        answer: Option<Payload>,
        /// What the aggregation cost, and the attempts that it stops.
        usage: Usage,
    },
}

impl Event {
    /// Every document that the event holds; the large ones must be kept before the event is.
    #[must_use]
    pub fn payloads(&self) -> Vec<&Payload> {
        match self {
            Self::Accepted { goal, .. } => vec![&goal.input],
            Self::Expanded { items, .. } => vec![items],
            Self::CrewBegan { input, .. } => vec![input],
            Self::LoopFound { evidence, .. } => vec![evidence],
            Self::StepDispatched { input, .. } => vec![input],
            Self::StepCompleted { output, .. } | Self::TakenOver { output, .. } => vec![output],
            Self::StepFailed { failure, .. } => failure.refused.iter().collect(),
            Self::StepDelayed { input, failure, .. } => {
                let refused = failure.as_ref().and_then(|failure| failure.refused.as_ref());
                [Some(input), refused].into_iter().flatten().collect()
            }
            Self::StepWaiting { ask, .. } => ask.content.iter().collect(),
            Self::CallRuled { ruling: CallRuling::Happened(result), .. } => vec![result],
            Self::Ended { answer, .. } | Self::Compensating { answer, .. } => {
                answer.iter().collect()
            }
            Self::StepSkipped { .. }
            | Self::HandedOff { .. }
            | Self::Voted { .. }
            | Self::CallRuled { ruling: CallRuling::DidNot, .. }
            | Self::LimitReached { .. }
            | Self::BudgetNear { .. }
            | Self::BudgetAdded { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::Joined { .. }
            | Self::Retried { .. }
            | Self::Forked { .. }
            | Self::Refused { .. } => Vec::new(),
        }
    }
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndStatus {
    /// A valid answer with every required part.
    Completed,
    /// A valid answer with parts missing; each has its cause.
    Partial,
    /// No valid answer could be made.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// The deadline passed before an answer was there.
    Incomplete,
}

impl EndStatus {
    /// The status as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Incomplete => "incomplete",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Completed, Self::Partial, Self::Failed, Self::Cancelled, Self::Incomplete]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// One transition as it stands in the log, without what the log itself adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Dense position in the task's log: 1, 2, 3…
    pub rev: u64,
    /// When it was decided, on the broker's clock.
    pub at: UnixMillis,
    /// What caused it.
    pub cause: Cause,
    /// What was decided, as one word.
    pub decision: String,
    /// Why, in one sentence.
    pub reason: String,
    /// What follows.
    pub events: Vec<Event>,
}

/// What made a transition happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `goal`, `report`, `timer`, `cancel`, `control`, `decision` or `advance`.
    pub kind: String,
    /// Who or what in particular: a step and attempt, a person.
    pub source: String,
    /// Where the causing message stood in its stream; 0 for an advance.
    pub sequence: u64,
    /// From the causing message's arrival in the stream to the decision.
    pub waited: Duration,
    /// What models have done of the attempt that is reported; empty for any other cause.
    pub models: Vec<ModelUse>,
}

impl Cause {
    /// The [`Self::source`] of what the report of this attempt causes.
    #[must_use]
    pub fn attempt(step: &StepId, attempt: u32) -> String {
        format!("{step}#{attempt}")
    }

    /// Whether the report of this attempt is the cause.
    #[must_use]
    pub fn is_report_of(&self, step: &StepId, attempt: u32) -> bool {
        self.kind == "report" && self.source == Self::attempt(step, attempt)
    }
}
