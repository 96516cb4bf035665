//! Where a task stands: the fold of its log.

mod fan_out;
mod saga;

use std::{collections::BTreeMap, sync::Arc};

pub use self::{
    fan_out::FanOut,
    saga::{Ending, Joined},
};
use super::{
    ask::Ask,
    crew::CrewRun,
    event::{EndStatus, Event, Record},
    input::{Budget, Failure, Goal, Resource, Usage},
};
use crate::{
    ids::{Name, StepId, TaskId},
    journal::{CallRuling, Ruled},
    payload::Payload,
    time::UnixMillis,
    workflow::Grant,
};

/// Name of the final step that every task has, and of the role that does it.
pub const AGGREGATE: &str = "aggregate";

/// How the reason of a step begins that others made needless.
pub(super) const NOT_NEEDED: &str = "not needed: ";

/// Where one task stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// What is wanted.
    pub goal: Arc<Goal>,
    /// Records in the log.
    pub rev: u64,
    /// When the goal was accepted.
    pub accepted_at: UnixMillis,
    /// When the last record was decided.
    pub changed_at: UnixMillis,
    /// When the task ends at the latest.
    pub deadline: UnixMillis,
    /// How far it is.
    pub phase: Phase,
    /// Every step that has begun or was skipped, and each item of a fan-out.
    pub steps: BTreeMap<StepId, Step>,
    /// Fan-outs that know their items.
    pub fan_outs: BTreeMap<Name, FanOut>,
    /// Crews that have begun.
    pub crews: BTreeMap<Name, CrewRun>,
    /// Joins that have chosen, by the step that comes after the others or the fan-out.
    pub joined: BTreeMap<Name, Joined>,
    /// Whether all is there that a fork takes over; false for a task that is no fork.
    pub is_forked: bool,
    /// Work orders so far, the aggregator's excluded.
    pub dispatches: u32,
    /// Cost so far.
    pub usage: Usage,
    /// What attempts that are out may still spend.
    pub reserved: Grant,
    /// What people have added to the limits.
    pub added: Budget,
    /// Names of the wishes that `added` sums up.
    pub additions: Vec<String>,
    /// Wishes that were refused so far.
    pub refusals: u32,
    /// Limits of which four fifths were used when that was last said.
    pub warned: Vec<Resource>,
    /// Who paused it; `None` while it is not.
    pub paused: Option<String>,
    /// The limit for which it waits for a larger budget; `None` while it does not.
    pub held: Option<String>,
    /// The limit that stopped new work; `None` while there is none.
    pub limited: Option<String>,
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Steps run or wait.
    Running,
    /// The aggregator has the parts.
    Aggregating,
    /// It comes to an end, and what its completed steps have done is undone.
    Compensating(Ending),
    /// Over.
    Ended(End),
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// How.
    pub status: EndStatus,
    /// Why, in one sentence.
    pub reason: String,
    /// The aggregator's answer.
    pub answer: Option<Payload>,
    /// When.
    pub at: UnixMillis,
}

/// Where one step, or one item of a fan-out, stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Who does it; `None` for a step that was skipped or failed before it had a work order.
    pub role: Option<Name>,
    /// Attempts so far, by any role.
    pub attempt: u32,
    /// Attempts so far by `role`.
    pub tries: u32,
    /// Why it was done with less than the pack's first choice: by another role, or with another model.
    pub degraded: Option<String>,
    /// What the attempt that is out may spend.
    pub grant: Grant,
    /// What its worker got, while a person is asked about what came of it.
    pub input: Option<Payload>,
    /// What a person knows about calls of former attempts.
    pub ruled: Option<Ruled>,
    /// When its first work order was decided.
    pub started_at: UnixMillis,
    /// When it last changed.
    pub changed_at: UnixMillis,
    /// The record that made its present state.
    pub rev: u64,
    /// Its present state.
    pub state: StepState,
}

/// The present state of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// A work order is out.
    Dispatched {
        /// What the worker gets.
        input: Payload,
        /// When the attempt counts as timed out.
        deadline: UnixMillis,
    },
    /// The next attempt waits for a point in time.
    Delayed {
        /// What the worker gets.
        input: Payload,
        /// When it is dispatched.
        until: UnixMillis,
        /// What it waits for, in one sentence.
        reason: String,
    },
    /// A person is asked.
    Waiting {
        /// What.
        ask: Arc<Ask>,
        /// Who has agreed so far.
        votes: Vec<String>,
    },
    /// Done.
    Completed {
        /// The output.
        output: Payload,
        /// 0 to 1.
        confidence: Option<f64>,
        /// Why nobody vouches for it.
        unsure: Option<String>,
    },
    /// Ended without an output.
    Failed(Failure),
    /// Will not run.
    Skipped(String),
    /// Was open when the task ended.
    Cancelled,
}

impl StepState {
    /// The state as one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Dispatched { .. } => "dispatched",
            Self::Delayed { .. } => "delayed",
            Self::Waiting { .. } => "waiting",
            Self::Completed { .. } => "completed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the time of what it waits for is over.
    pub(super) fn is_overdue(&self, now: UnixMillis) -> bool {
        match self {
            Self::Dispatched { deadline, .. } => *deadline <= now,
            Self::Waiting { ask, .. } => ask.expires.is_some_and(|at| at <= now),
            Self::Delayed { .. }
            | Self::Completed { .. }
            | Self::Failed(_)
            | Self::Skipped(_)
            | Self::Cancelled => false,
        }
    }

    /// Whether it is done, with an output.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Completed { .. })
    }

    /// Whether a report or an answer can still change it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Dispatched { .. } | Self::Delayed { .. } | Self::Waiting { .. })
    }
}

impl Task {
    /// Rebuilds a task from its log; `None` for an empty log or one that does not begin with an
    /// acceptance.
    #[must_use]
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Option<Self> {
        let mut task = None;
        for record in records {
            Self::fold(&mut task, record);
        }
        task
    }

    /// Folds one record into the state.
    pub fn fold(task: &mut Option<Self>, record: &Record) {
        for event in &record.events {
            if let Some(task) = task.as_mut() {
                task.apply(event, record.rev, record.at);
            } else if let Event::Accepted { goal, deadline } = event {
                *task = Some(Self::accepted(goal, *deadline, record.at));
            }
        }
    }

    /// A task that has its goal, and nothing else yet: as of the first event of its log.
    #[must_use]
    pub fn accepted(goal: &Arc<Goal>, deadline: UnixMillis, at: UnixMillis) -> Self {
        Self {
            goal: Arc::clone(goal),
            rev: 1,
            accepted_at: at,
            changed_at: at,
            deadline,
            phase: Phase::Running,
            steps: BTreeMap::new(),
            fan_outs: BTreeMap::new(),
            crews: BTreeMap::new(),
            joined: BTreeMap::new(),
            is_forked: false,
            dispatches: 0,
            usage: Usage::default(),
            reserved: Grant::default(),
            added: Budget::default(),
            additions: Vec::new(),
            refusals: 0,
            warned: Vec::new(),
            paused: None,
            held: None,
            limited: None,
        }
    }

    /// Folds one event into the state. Total: what is in the log happened.
    pub fn apply(&mut self, event: &Event, rev: u64, at: UnixMillis) {
        (self.rev, self.changed_at) = (rev, at);
        match event {
            // A second acceptance cannot be decided; the first one stands.
            Event::Accepted { .. } => {}
            Event::Expanded { step, items } => {
                self.fan_outs.insert(step.clone(), FanOut::of(items));
            }
            Event::CrewBegan { .. } | Event::HandedOff { .. } | Event::LoopFound { .. } => {
                self.apply_crew(event);
            }
            Event::StepDispatched { step, attempt, role, input, deadline, grant } => {
                let state = StepState::Dispatched { input: input.clone(), deadline: *deadline };
                self.begin(step, role, (*attempt, *grant));
                self.enter(step, state, Usage::default());
            }
            Event::StepDelayed { step, role, degraded, input, until, reason, failure, usage } => {
                let (input, reason) = (input.clone(), reason.clone());
                let is_patience = failure.as_ref().is_some_and(Failure::is_patience);
                let state = StepState::Delayed { input, until: *until, reason };
                self.enter(step, state, *usage);
                let entry = self.step_entry(step);
                let tries = entry.tries.saturating_sub(u32::from(is_patience));
                entry.tries = if entry.role.as_ref() == Some(role) { tries } else { 0 };
                (entry.role, entry.degraded) = (Some(role.clone()), degraded.clone());
            }
            Event::StepCompleted { .. } => self.apply_completed(event),
            Event::StepFailed { step, failure, usage } => {
                self.enter(step, StepState::Failed(failure.clone()), *usage);
            }
            Event::StepSkipped { step, reason } => {
                let step = StepId::single(step.clone());
                self.enter(&step, StepState::Skipped(reason.clone()), Usage::default());
            }
            Event::StepWaiting { step, ask, usage } => {
                let state = StepState::Waiting { ask: Arc::clone(ask), votes: Vec::new() };
                self.enter(step, state, *usage);
            }
            Event::Voted { step, by } => self.vote(step, by),
            Event::CallRuled { step, by, ruling } => {
                let (by, ruling) = (by.clone(), ruling.clone());
                self.rule(step, by, ruling);
            }
            Event::LimitReached { limit, is_held: true } => self.held = Some(limit.clone()),
            Event::LimitReached { limit, is_held: false } => self.limited = Some(limit.clone()),
            Event::BudgetNear { resource, .. } => self.warned.push(*resource),
            Event::BudgetAdded { key, budget, .. } => self.add(key, *budget),
            Event::Paused { by } => self.paused = Some(by.clone()),
            Event::Resumed { .. } => self.paused = None,
            Event::Refused { .. } => self.refusals = self.refusals.saturating_add(1),
            Event::Compensating { .. }
            | Event::Joined { .. }
            | Event::Retried { .. }
            | Event::TakenOver { .. }
            | Event::Forked { .. } => self.apply_saga(event),
            Event::Ended { status, reason, answer, usage } => {
                self.usage = self.usage.plus(*usage);
                self.end(*status, reason, answer.clone());
            }
        }
    }

    fn apply_completed(&mut self, event: &Event) {
        if let Event::StepCompleted { step, output, confidence, unsure, degraded, usage } = event {
            let (output, unsure) = (output.clone(), unsure.clone());
            let state = StepState::Completed { output, confidence: *confidence, unsure };
            self.enter(step, state, *usage);
            if degraded.is_some() {
                self.step_entry(step).degraded.clone_from(degraded);
            }
        }
    }

    fn apply_crew(&mut self, event: &Event) {
        if let Event::CrewBegan { step, pattern, turns_max, input } = event {
            let run = CrewRun::new(*pattern, *turns_max, input.clone());
            self.crews.insert(step.clone(), run);
        } else if let Event::HandedOff { step, to, reason } = event
            && let (Some(turn), Some(run)) = (step.item, self.crews.get_mut(&step.name))
        {
            run.hand_off(turn, to, reason);
        } else if let Event::LoopFound { step, text, .. } = event
            && let Some(run) = self.crews.get_mut(step)
        {
            run.loop_found = Some(text.clone());
        }
    }

    fn rule(&mut self, step: &StepId, by: String, ruling: CallRuling) {
        let entry = self.step_entry(step);
        entry.ruled = Some(Ruled { attempt: entry.attempt, by, ruling });
    }

    fn vote(&mut self, step: &StepId, by: &str) {
        if let Some(Step { state: StepState::Waiting { votes, .. }, .. }) = self.steps.get_mut(step)
        {
            votes.push(by.to_owned());
        }
    }

    fn add(&mut self, key: &str, budget: Budget) {
        self.additions.push(key.to_owned());
        self.added = self.added.plus(budget);
        self.deadline = self.deadline.after(budget.time);
        // A wider limit is met again, or it is not: said anew.
        self.held = None;
        self.warned.clear();
    }

    fn begin(&mut self, step: &StepId, role: &Name, (attempt, grant): (u32, Grant)) {
        if step.name.as_str() == AGGREGATE {
            self.phase = Phase::Aggregating;
        } else if !matches!(self.phase, Phase::Compensating(_)) {
            self.dispatches = self.dispatches.saturating_add(1);
        }
        if let (Some(index), Some(fan_out)) = (step.item, self.fan_outs.get_mut(&step.name)) {
            fan_out.begun = fan_out.begun.max(index.saturating_add(1));
        }
        let entry = self.step_entry(step);
        let is_same = entry.role.as_ref() == Some(role);
        entry.tries = if is_same { entry.tries.saturating_add(1) } else { 1 };
        (entry.role, entry.attempt, entry.grant) = (Some(role.clone()), attempt, grant);
    }

    fn step_entry(&mut self, step: &StepId) -> &mut Step {
        let (rev, at) = (self.rev, self.changed_at);
        self.steps.entry(step.clone()).or_insert_with(|| Step {
            role: None,
            attempt: 0,
            tries: 0,
            degraded: None,
            grant: Grant::default(),
            input: None,
            ruled: None,
            started_at: at,
            changed_at: at,
            rev,
            state: StepState::Cancelled,
        })
    }

    fn enter(&mut self, step: &StepId, state: StepState, usage: Usage) {
        self.usage = self.usage.plus(usage);
        let (rev, at) = (self.rev, self.changed_at);
        let entry = self.step_entry(step);
        let before = std::mem::replace(&mut entry.state, state);
        (entry.rev, entry.changed_at) = (rev, at);
        entry.input = match (&before, &entry.state) {
            (StepState::Dispatched { input, .. }, StepState::Waiting { .. }) => Some(input.clone()),
            (_, _) => None,
        };
        let (is_out, grant) = (matches!(entry.state, StepState::Dispatched { .. }), entry.grant);
        if matches!(before, StepState::Dispatched { .. }) {
            self.reserved = self.reserved.minus(grant);
        }
        if is_out {
            self.reserved = self.reserved.plus(grant);
        }
        let fan_out = self.fan_outs.get_mut(&step.name);
        if let (Some(index), Some(fan_out), Some(entry)) =
            (step.item, fan_out, self.steps.get(step))
        {
            fan_out.begun = fan_out.begun.max(index.saturating_add(1));
            fan_out.count(&before, &entry.state);
        }
    }

    fn end(&mut self, status: EndStatus, reason: &str, answer: Option<Payload>) {
        self.close(answer.as_ref());
        let at = self.changed_at;
        self.phase = Phase::Ended(End { status, reason: reason.to_owned(), answer, at });
    }

    /// Nothing is open any more.
    fn close(&mut self, answer: Option<&Payload>) {
        let (rev, at) = (self.rev, self.changed_at);
        for (id, step) in self.steps.iter_mut().filter(|(_, step)| step.state.is_open()) {
            step.state = match answer {
                // The answer is the last step's own output.
                Some(answer) if id.name.as_str() == AGGREGATE => {
                    StepState::Completed { output: answer.clone(), confidence: None, unsure: None }
                }
                Some(_) | None => StepState::Cancelled,
            };
            (step.rev, step.changed_at) = (rev, at);
        }
        self.fan_outs.values_mut().for_each(|fan_out| fan_out.open = 0);
        self.reserved = Grant::default();
    }

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.goal.task
    }

    /// How it ended; `None` while it is open.
    #[must_use]
    pub fn ended(&self) -> Option<&End> {
        match &self.phase {
            Phase::Ended(end) => Some(end),
            Phase::Running | Phase::Aggregating | Phase::Compensating(_) => None,
        }
    }

    /// Whether nothing new begins until a person says so. A limit that was met ends the waiting.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.limited.is_none() && (self.paused.is_some() || self.held.is_some())
    }

    /// The task's state as one word: `running paused waiting aggregating compensating`, or how it ended.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match &self.phase {
            Phase::Ended(end) => end.status.as_str(),
            Phase::Aggregating => "aggregating",
            Phase::Compensating(_) => "compensating",
            Phase::Running if self.paused.is_some() && self.is_still() => "paused",
            Phase::Running => {
                let mut open = self.steps.values().filter(|step| step.state.is_open());
                let waiting = |step: &Step| matches!(step.state, StepState::Waiting { .. });
                // `all` of nothing is true: between two records a task without open steps runs.
                let any = open.clone().next().is_some();
                let is_waiting = (any || self.is_still()) && open.all(waiting);
                if is_waiting { "waiting" } else { "running" }
            }
        }
    }
}
