//! What people and programs want of the fleet, checked as far as it can be before it is sent.
//!
//! A wish that cannot be fulfilled would only come back as a refusal from its task's partition; here it is
//! answered at once, by the same rules. Called by the command line, the HTTP API and the pages through the
//! port [`crate::ports::desk`]. Pure.

use crate::{
    ids::{Name, TaskId},
    limits::KEY_BYTES_MAX,
    payload::{Hash, Payload, canonical},
    task::{Action, Event, Fork, Goal, GoalLimits, Record, StepState, Task},
    time::UnixMillis,
    workflow::Workflow,
};

/// A goal that somebody wants published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoalWish {
    /// Whose goal it is.
    pub tenant: Name,
    /// Which workflow shall do it.
    pub workflow: Name,
    /// The idempotency key: the same key is the same task.
    pub key: String,
    /// What the workflow gets.
    pub input: Payload,
    /// When nobody cares any more, on the broker's clock.
    pub deadline: Option<UnixMillis>,
    /// Narrower limits than the pack's.
    pub limits: GoalLimits,
    /// Who asks.
    pub user: Option<String>,
    /// W3C `traceparent`.
    pub trace: Option<String>,
}

impl GoalWish {
    /// The task that it becomes, or is already.
    #[must_use]
    pub fn task(&self) -> TaskId {
        TaskId::derive(&self.tenant, &self.key)
    }

    /// Whether the goal of an accepted task asks for the same; a deadline may differ, for whoever tries
    /// again asks for the same later.
    #[must_use]
    pub fn is_same(&self, goal: &Goal) -> bool {
        goal.workflow == self.workflow
            && goal.limits == self.limits
            && goal.fork.is_none()
            && (goal.input == self.input
                || canonical(goal.input.value()) == canonical(self.input.value()))
    }
}

/// What somebody wants of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// It ends, once what it has done is undone where the pack says how.
    Cancel,
    /// It is steered.
    Control(Action),
}

impl Want {
    /// It as one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Control(Action::Pause) => "pause",
            Self::Control(Action::Resume) => "resume",
            Self::Control(Action::Kill) => "kill",
            Self::Control(Action::AddBudget(_)) => "add budget",
            Self::Control(Action::Retry(_)) => "retry",
        }
    }

    /// What becomes of it without being sent; `None` when the task must be asked.
    #[must_use]
    pub fn moot(&self, task: &Task) -> Option<Outcome> {
        let is_paused = task.paused.is_some();
        match (self, task.ended()) {
            (Self::Cancel | Self::Control(Action::Kill), Some(_)) => {
                Some(Outcome::Unchanged(ended(task)))
            }
            (Self::Control(Action::Pause | Action::Resume), Some(_)) => {
                Some(Outcome::Refused(ended(task)))
            }
            (Self::Control(Action::Pause), None) if is_paused => {
                let by = task.paused.as_deref().unwrap_or_default();
                Some(Outcome::Unchanged(format!("paused already by {by}")))
            }
            (Self::Control(Action::Resume), None) if !is_paused => {
                Some(Outcome::Unchanged("it is not paused".to_owned()))
            }
            (Self::Control(Action::Retry(_)), Some(_)) => {
                let end = ended(task);
                Some(Outcome::Refused(format!("{end}: an end is final, fork it instead")))
            }
            (Self::Control(Action::Retry(None)), None) if !has_failed(task) => {
                Some(Outcome::Unchanged("no step of it has failed".to_owned()))
            }
            // What was added under the same key before counts still, also behind the end.
            (
                Self::Cancel
                | Self::Control(Action::Pause | Action::Resume | Action::Kill)
                | Self::Control(Action::AddBudget(_) | Action::Retry(_)),
                _,
            ) => None,
        }
    }
}

fn has_failed(task: &Task) -> bool {
    task.steps.values().any(|step| matches!(step.state, StepState::Failed(_)))
}

fn ended(task: &Task) -> String {
    let Some(end) = task.ended() else { return String::new() };
    format!("the task ended as {} at {}", end.status.as_str(), end.at)
}

/// A wish about one task, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Who.
    pub by: String,
    /// Why; it stands in the task's log.
    pub reason: String,
    /// Names it: the same key again is the same wish.
    pub key: String,
    /// What.
    pub want: Want,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done {
        /// The record that says so.
        rev: u64,
        /// What was decided, as one word.
        decision: String,
        /// In one sentence.
        reason: String,
    },
    /// It was so before, or the same wish had been fulfilled.
    Unchanged(String),
    /// It cannot be; why.
    Refused(String),
    /// Nobody has handled it yet; what is known.
    Unknown(String),
}

impl Outcome {
    /// What the record says that came of a wish.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let reason = record.reason.clone();
        match record.decision.as_str() {
            "refuse" => Self::Refused(reason),
            _ => Self::Done { rev: record.rev, decision: record.decision.clone(), reason },
        }
    }

    /// It as one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Unchanged(_) => "unchanged",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
        }
    }

    /// In one sentence.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Done { reason, .. } => reason,
            Self::Unchanged(why) | Self::Refused(why) | Self::Unknown(why) => why,
        }
    }
}

/// A new task that goes on from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkWish {
    /// The first step that runs anew.
    pub from: Name,
    /// The fork's idempotency key.
    pub key: String,
    /// Its input; `None` keeps the other task's.
    pub input: Option<Payload>,
    /// Who wants it; `None` keeps who asked for the other task.
    pub user: Option<String>,
    /// W3C `traceparent`.
    pub trace: Option<String>,
}

/// Why something that was asked for cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// What it names is not there.
    #[error("{0}")]
    NotFound(String),
    /// It is no such wish; whoever has it must correct it.
    #[error("{0}")]
    Invalid(String),
    /// Its input breaks the workflow's contract.
    #[error("input breaks contract {contract}: {violations}")]
    Input {
        /// The contract, as `name@version`.
        contract: String,
        /// Where.
        violations: crate::contract::Violations,
    },
    /// It contradicts how things stand.
    #[error("{0}")]
    Refused(String),
}

impl ForkWish {
    /// The goal of the fork, checked as the intake checks one.
    ///
    /// # Errors
    /// [`Unfit`] when the step is not there, or the input or the key is none.
    pub fn goal(self, task: &Task, workflow: &Workflow) -> Result<Goal, Unfit> {
        if !workflow.steps.iter().any(|step| step.name == self.from) {
            let names: Vec<_> = workflow.steps.iter().map(|step| step.name.as_str()).collect();
            let (name, from, names) = (&workflow.name, &self.from, names.join(", "));
            return Err(Unfit::NotFound(format!("workflow {name} has no step {from}: {names}")));
        }
        let input = self.input.unwrap_or_else(|| task.goal.input.clone());
        check_input(workflow, &input)?;
        check_key(&self.key)?;
        let fork = Fork { task: task.id().clone(), rev: task.rev, from: self.from };
        let text = format!("fork\n{}\n{}\n{}", fork.task, fork.from, canonical(input.value()));
        Ok(Goal {
            task: TaskId::derive(&task.goal.tenant, &self.key),
            key: self.key,
            digest: Hash::of(text.as_bytes()),
            input,
            deadline: None,
            user: self.user.or_else(|| task.goal.user.clone()),
            trace: self.trace,
            fork: Some(fork),
            ..Goal::clone(&task.goal)
        })
    }
}

/// Fails when the first record of a fork's log says that its key belongs to another goal, or that it could
/// not go on.
///
/// # Errors
/// The goal's key is taken ([`Unfit::Refused`]), or the reason of its end ([`Unfit::Invalid`]).
pub fn begun(first: &Record, goal: &Goal) -> Result<(), Unfit> {
    for event in &first.events {
        if let Event::Accepted { goal: known, .. } = event
            && known.digest != goal.digest
        {
            let text = format!("key {:?} belongs to task {} of another goal", goal.key, goal.task);
            return Err(Unfit::Refused(text));
        }
        if let Event::Ended { reason, .. } = event {
            return Err(Unfit::Invalid(reason.clone()));
        }
    }
    Ok(())
}

/// Whether a workflow takes this input.
///
/// # Errors
/// [`Unfit::Input`] with the places where it does not.
pub fn check_input(workflow: &Workflow, input: &Payload) -> Result<(), Unfit> {
    let contract = || workflow.input.id();
    let checked = workflow.input.check(input.value());
    checked.map_err(|violations| Unfit::Input { contract: contract(), violations })
}

/// Whether this is an idempotency key.
///
/// # Errors
/// [`Unfit::Invalid`] when it is empty, too long, or no value of a header.
pub fn check_key(key: &str) -> Result<(), Unfit> {
    let is_printable = key.bytes().all(|c| (0x20..=0x7e).contains(&c));
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !is_printable {
        let text = format!(
            "the idempotency key has {} bytes, allowed are 1 to {KEY_BYTES_MAX} of printable ASCII",
            key.len()
        );
        return Err(Unfit::Invalid(text));
    }
    Ok(())
}
