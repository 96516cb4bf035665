//! Every subject on the bus, built and parsed in this one place.
//!
//! [`Subject`] prints as its subject and [`Subject::parse`] reads it back. Parsing is
//! total: a subject has at most [`BYTES_MAX`] bytes, and every token is checked. The
//! free functions build the subjects of the hot path from borrowed ids.

use std::fmt;

use cadre_core::ids::{Name, Partition, StepId, TaskId};

pub mod alerts;
pub mod audit;
pub mod filter;
pub mod infer;
mod parse;

pub use parse::{SubjectError, SubjectProblem};

/// Bytes of a subject: the longest of ours has 250.
pub const BYTES_MAX: usize = 512;

/// Tokens of a dead letter's source that are kept.
const DEAD_TOKENS_MAX: usize = 8;

/// Bytes of each of them.
const DEAD_TOKEN_BYTES_MAX: usize = 40;

/// The tenant that no goal can have: it is the subject of rejected goals.
pub const REJECTED: &str = "rejected";

/// One piece of work: what a work order and its report have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// Who does it.
    pub role: Name,
    /// The task.
    pub task: TaskId,
    /// The step.
    pub step: StepId,
    /// Which try of the step, from 1.
    pub number: u32,
}

/// A subject of Cadre's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// `cadre.<p>.log.<task>`: the task's records.
    Log(Partition, TaskId),
    /// `cadre.<p>.timer.<task>.wake`: the task's scheduled timer.
    Timer(Partition, TaskId),
    /// `cadre.<p>.due.<task>.wake`: the timer fired.
    Due(Partition, TaskId),
    /// `cadre.<p>.dead.<kind>.<source…>`: an input that could not be used.
    Dead {
        /// Partition that met it.
        partition: Partition,
        /// What it should have been.
        kind: Name,
        /// Tokens of the subject that it came on, made safe.
        source: String,
    },
    /// `cadre.<p>.stop.<task>`: the task has ended; in no stream.
    Stop(Partition, TaskId),
    /// `cadre.<p>.work.<role>.<task>.<step>.<attempt>`: a work order.
    Work(Partition, Attempt),
    /// `cadre.<p>.in.goal.<tenant>.<task>`: a goal that passed the intake.
    InGoal {
        /// Partition of the task.
        partition: Partition,
        /// Whose goal it is.
        tenant: Name,
        /// The task that it becomes.
        task: TaskId,
    },
    /// `cadre.<p>.in.timer.wake.<task>`: a timer that fired, moved to its partition's inputs.
    InTimer(Partition, TaskId),
    /// `cadre.<p>.in.report.<role>.<task>.<step>.<attempt>`: the answer to a work order.
    InReport(Partition, Attempt),
    /// `cadre.<p>.in.cancel.<source>.<task>`: somebody wants the task to end.
    InCancel {
        /// Partition of the task.
        partition: Partition,
        /// Which way it came, such as `cli`.
        source: Name,
        /// The task.
        task: TaskId,
    },
    /// `cadre.<p>.in.control.<source>.<task>`: somebody steers the task.
    InControl {
        /// Partition of the task.
        partition: Partition,
        /// Which way it came, such as `cli`.
        source: Name,
        /// The task.
        task: TaskId,
    },
    /// `cadre.<p>.in.decision.<source>.<task>`: a person decides what the task asks.
    InDecision {
        /// Partition of the task.
        partition: Partition,
        /// Which way it came, such as `cli`.
        source: Name,
        /// The task.
        task: TaskId,
    },
    /// `cadre.<p>.run.<role>.<task>.<step>`: the journal of a step.
    Run {
        /// Partition of the task.
        partition: Partition,
        /// Who does the step.
        role: Name,
        /// The task.
        task: TaskId,
        /// The step.
        step: StepId,
    },
    /// `goals.<tenant>.<workflow>`: the public intake; the tenant is never [`REJECTED`] or nobody.
    Goals(Intake),
    /// `goals.rejected.<tenant>`: why a goal was refused.
    Rejected(Name),
    /// `answers.<tenant>.<workflow>.<task>`: how a task ended.
    Answer {
        /// Whose task it was.
        tenant: Name,
        /// Its workflow.
        workflow: Name,
        /// The task.
        task: TaskId,
    },
}

/// A subject of the public intake; its tenant is none that is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    tenant: Name,
    workflow: Name,
}

/// A tenant by this name cannot publish goals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tenant {0} is reserved for the answers to rejected goals: choose another name")]
pub struct ReservedTenant(pub Name);

impl Intake {
    /// The intake of a tenant's workflow.
    ///
    /// # Errors
    /// [`ReservedTenant`] for the tenant [`REJECTED`], and for [`Name::nobody`]: whoever has no usable name is answered there.
    pub fn new(tenant: Name, workflow: Name) -> Result<Self, ReservedTenant> {
        if tenant.as_str() == REJECTED || tenant == Name::nobody() {
            return Err(ReservedTenant(tenant));
        }
        Ok(Self { tenant, workflow })
    }

    /// Whose goals arrive there.
    #[must_use]
    pub fn tenant(&self) -> &Name {
        &self.tenant
    }

    /// The workflow that does them.
    #[must_use]
    pub fn workflow(&self) -> &Name {
        &self.workflow
    }
}

impl fmt::Display for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goals.{}.{}", self.tenant, self.workflow)
    }
}

impl fmt::Display for Attempt {
    /// `<role>.<task>.<step>.<attempt>`, as at the end of its subjects.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.role, self.task, self.step, self.number)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(p, task) => write!(f, "cadre.{p}.log.{task}"),
            Self::Timer(p, task) => write!(f, "cadre.{p}.timer.{task}.wake"),
            Self::Due(p, task) => write!(f, "cadre.{p}.due.{task}.wake"),
            Self::Stop(p, task) => write!(f, "cadre.{p}.stop.{task}"),
            Self::Dead { partition, kind, source } => {
                write!(f, "cadre.{partition}.dead.{kind}.{source}")
            }
            Self::Work(p, attempt) => write!(f, "cadre.{p}.work.{attempt}"),
            Self::InGoal { partition, tenant, task } => {
                write!(f, "cadre.{partition}.in.goal.{tenant}.{task}")
            }
            Self::InReport(p, attempt) => write!(f, "cadre.{p}.in.report.{attempt}"),
            Self::InTimer(p, task) => write!(f, "cadre.{p}.in.timer.wake.{task}"),
            Self::InCancel { partition, source, task } => {
                write!(f, "cadre.{partition}.in.cancel.{source}.{task}")
            }
            Self::InControl { partition, source, task } => {
                write!(f, "cadre.{partition}.in.control.{source}.{task}")
            }
            Self::InDecision { partition, source, task } => {
                write!(f, "cadre.{partition}.in.decision.{source}.{task}")
            }
            Self::Run { partition, role, task, step } => {
                write!(f, "cadre.{partition}.run.{role}.{task}.{step}")
            }
            Self::Goals(intake) => intake.fmt(f),
            Self::Rejected(tenant) => write!(f, "goals.{REJECTED}.{tenant}"),
            Self::Answer { tenant, workflow, task } => {
                write!(f, "answers.{tenant}.{workflow}.{task}")
            }
        }
    }
}

/// `cadre.<p>.log.<task>`.
#[must_use]
pub fn log(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.log.{task}")
}

/// `cadre.<p>.timer.<task>.wake`.
#[must_use]
pub fn timer(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.timer.{task}.wake")
}

/// `cadre.<p>.due.<task>.wake`.
#[must_use]
pub fn due(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.due.{task}.wake")
}

/// `cadre.<p>.work.<role>.<task>.<step>.<attempt>`.
#[must_use]
pub fn work(partition: Partition, attempt: &Attempt) -> String {
    format!("cadre.{partition}.work.{attempt}")
}

/// `cadre.<p>.in.report.<role>.<task>.<step>.<attempt>`.
#[must_use]
pub fn report(partition: Partition, attempt: &Attempt) -> String {
    format!("cadre.{partition}.in.report.{attempt}")
}

/// The subject that answers a work order's subject; `None` when `work` is no such subject.
#[must_use]
pub fn report_for(work: &str) -> Option<String> {
    match Subject::parse(work).ok()? {
        Subject::Work(partition, attempt) => Some(report(partition, &attempt)),
        Subject::Log(..)
        | Subject::Timer(..)
        | Subject::Due(..)
        | Subject::Stop(..)
        | Subject::Dead { .. }
        | Subject::InGoal { .. }
        | Subject::InReport(..)
        | Subject::InTimer(..)
        | Subject::InCancel { .. }
        | Subject::InControl { .. }
        | Subject::InDecision { .. }
        | Subject::Run { .. }
        | Subject::Goals(_)
        | Subject::Rejected(_)
        | Subject::Answer { .. } => None,
    }
}

/// `cadre.<p>.in.goal.<tenant>.<task>`.
#[must_use]
pub fn goal(partition: Partition, tenant: &Name, task: &TaskId) -> String {
    format!("cadre.{partition}.in.goal.{tenant}.{task}")
}

/// `cadre.<p>.in.timer.wake.<task>`.
#[must_use]
pub fn in_timer(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.in.timer.wake.{task}")
}

/// Every stop signal.
pub const STOP_ALL: &str = "cadre.*.stop.*";

/// `cadre.<p>.stop.<task>`.
#[must_use]
pub fn stop(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.stop.{task}")
}

/// Filter for every work order of a task.
#[must_use]
pub fn work_of(partition: Partition, task: &TaskId) -> String {
    format!("cadre.{partition}.work.*.{task}.>")
}

/// `cadre.<p>.in.cancel.<source>.<task>`.
#[must_use]
pub fn cancel(partition: Partition, source: &Name, task: &TaskId) -> String {
    format!("cadre.{partition}.in.cancel.{source}.{task}")
}

/// `cadre.<p>.in.control.<source>.<task>`.
#[must_use]
pub fn control(partition: Partition, source: &Name, task: &TaskId) -> String {
    format!("cadre.{partition}.in.control.{source}.{task}")
}

/// `cadre.<p>.in.decision.<source>.<task>`.
#[must_use]
pub fn decision(partition: Partition, source: &Name, task: &TaskId) -> String {
    format!("cadre.{partition}.in.decision.{source}.{task}")
}

/// `cadre.<p>.run.<role>.<task>.<step>`.
#[must_use]
pub fn run(partition: Partition, role: &Name, task: &TaskId, step: &StepId) -> String {
    format!("cadre.{partition}.run.{role}.{task}.{step}")
}

/// `goals.rejected.<tenant>`.
#[must_use]
pub fn rejected(tenant: &Name) -> String {
    format!("goals.{REJECTED}.{tenant}")
}

/// `answers.<tenant>.<workflow>.<task>`.
#[must_use]
pub fn answer(tenant: &Name, workflow: &Name, task: &TaskId) -> String {
    format!("answers.{tenant}.{workflow}.{task}")
}

/// `cadre.<p>.dead.<kind>.<source…>`, safe whatever subject the input came on.
///
/// Characters other than ASCII letters, digits, `-` and `_` become `_`; long sources are cut.
#[must_use]
pub fn dead(partition: Partition, kind: &Name, source: &str) -> String {
    format!("cadre.{partition}.dead.{kind}.{}", dead_source(source))
}

fn dead_source(source: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let token = |token: &str| match token {
        "" => "_".to_owned(),
        token => token.chars().take(DEAD_TOKEN_BYTES_MAX).map(safe).collect(),
    };
    let tokens: Vec<String> = source.split('.').take(DEAD_TOKENS_MAX).map(token).collect();
    tokens.join(".")
}

#[cfg(test)]
mod tests;
