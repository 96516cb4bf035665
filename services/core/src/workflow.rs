//! A workflow ready to run: what a pack compiles to, and what [`crate::task`] decides by.
//!
//! Immutable and shared by every task of one pack revision. Its expressions are
//! compiled and reference-checked, its contracts compiled, its steps in
//! topological order: deciding can only meet errors of data, never of the pack.

mod crew;
mod model;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use self::{
    crew::{Crew, LoopTerms, Pattern, ScriptAct, ScriptRule},
    model::{ModelAlias, ModelRole, Route, WhenFull},
};
use crate::{
    aggregate::FieldRule,
    contract::Contract,
    expr::{Expr, Template},
    ids::{Name, StepId},
    limits::COMPENSATION_DEFAULT,
    model::cassette::Cassettes,
};

/// One compiled pack revision.
#[derive(Debug)]
pub struct Workflow {
    /// Name of pack and workflow; the last token of the goal subject.
    pub name: Name,
    /// Content hash of the pack that it was compiled from: 64 hexadecimal digits.
    pub revision: String,
    /// What a goal's input must look like.
    pub input: Arc<Contract>,
    /// What the answer must look like.
    pub output: Arc<Contract>,
    /// Hard limits of one task.
    pub limits: TaskLimits,
    /// What happens at a limit.
    pub when_limited: WhenLimited,
    /// Roles by name.
    pub roles: BTreeMap<Name, Arc<Role>>,
    /// What the pack calls a model, by name.
    pub models: BTreeMap<Name, ModelAlias>,
    /// What simulated models say.
    pub cassettes: Cassettes,
    /// Steps, each behind everything that it comes after.
    pub steps: Vec<StepPlan>,
    /// How the answer is put together, field by field.
    pub result: Vec<ResultField>,
    /// What undoes a completed step when the task ends badly; each comes after the step it undoes.
    pub compensations: Vec<StepPlan>,
    /// When compensations run, and for how long.
    pub compensation: Compensation,
}

impl Workflow {
    /// The declared step of this name.
    #[must_use]
    pub fn step(&self, name: &Name) -> Option<&StepPlan> {
        self.steps.iter().chain(&self.compensations).find(|step| step.name == *name)
    }

    /// What the output of a step must satisfy, whoever gives it; `role` is whose turn it is in a crew.
    /// `None` when anything will do.
    #[must_use]
    pub fn contract_of(&self, step: &StepId, role: Option<&Name>) -> Option<&Contract> {
        let declared = self.step(&step.name)?;
        let contract = match (declared.crew(), step.item) {
            (Some(crew), None) => crew.returns.as_ref(),
            (Some(_), Some(_)) => self.roles.get(role?).map(|role| &role.returns),
            (None, _) => declared.role().map(|role| &role.returns),
        };
        contract.map(AsRef::as_ref)
    }

    /// What undoes the declared step of this name; `None` when nothing does.
    #[must_use]
    pub fn compensation_of(&self, name: &Name) -> Option<&StepPlan> {
        self.compensations.iter().find(|undo| undo.after.contains(name))
    }
}

/// When compensations run, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compensation {
    /// From the decision to end the task to its end, past its deadline too.
    pub within: Duration,
    /// Also when the answer is partial, not only when the task failed, was cancelled or met its
    /// deadline without an answer.
    pub on_partial: bool,
}

impl Default for Compensation {
    fn default() -> Self {
        Self { within: COMPENSATION_DEFAULT, on_partial: false }
    }
}

/// Hard limits of one task; a publisher may narrow them, never widen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskLimits {
    /// From acceptance to the end of the task.
    pub deadline: Duration,
    /// Work orders in all, attempts and fan-out items included, the aggregator's excluded.
    pub steps_max: u32,
    /// Money in millionths of a US dollar.
    pub usd_micros_max: u64,
    /// Model tokens, in and out.
    pub tokens_max: u64,
}

/// What a task that meets a limit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenLimited {
    /// Answers with what exists, status `partial`.
    Partial,
    /// Ends as failed.
    Fail,
    /// Waits for a person to add to the budget, until its deadline; then as `Partial`.
    AskHuman,
}

/// What kind of agent does a step.
#[derive(Debug)]
pub struct Role {
    /// Name, unique over all packs of a deployment: it names a consumer.
    pub name: Name,
    /// Who runs it.
    pub runtime: Runtime,
    /// Contract of the step's input.
    pub accepts: Arc<Contract>,
    /// Contract of the step's output.
    pub returns: Arc<Contract>,
    /// From dispatch to report.
    pub timeout: Duration,
    /// Steps of this role in flight over the whole fleet.
    pub concurrency: u32,
    /// What one attempt may spend; reserved before it is dispatched. Zero for a role that spends nothing.
    pub grant: Grant,
    /// What the role does to the world outside.
    pub effects: Effects,
    /// When and how often a failed attempt is tried again.
    pub retry: Retry,
    /// What it does, for the runtime `script`; empty for all others. The first rule that fits counts.
    pub script: Vec<ScriptRule>,
    /// What it does, for the runtime `model`; `None` for all others.
    pub model: Option<Arc<ModelRole>>,
}

/// What one attempt may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grant {
    /// Millionths of a US dollar.
    pub usd_micros: u64,
    /// Model tokens, in and out.
    pub tokens: u64,
}

impl Grant {
    /// Both together; saturates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            usd_micros: self.usd_micros.saturating_add(other.usd_micros),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    /// What is left without `other`; zero at least.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            usd_micros: self.usd_micros.saturating_sub(other.usd_micros),
            tokens: self.tokens.saturating_sub(other.tokens),
        }
    }

    /// Whether `self` is enough for `other`.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.usd_micros >= other.usd_micros && self.tokens >= other.tokens
    }
}

/// What a role does to the world outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effects {
    /// Nothing, or only what may happen twice under one idempotency key: it can be tried again.
    #[default]
    Repeatable,
    /// What must not happen twice: an attempt whose outcome is unknown is never repeated.
    Once,
}

/// When and how often a failed attempt is tried again. Only transient failures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts by one role in all, the first included; 1 means no retry.
    pub attempts_max: u32,
    /// Ceiling of the first wait; doubles with each attempt. The wait itself is anything from zero
    /// to the ceiling ("full jitter", AWS Architecture Blog, 2015).
    pub backoff: Duration,
    /// Where doubling stops.
    pub backoff_max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts_max: 1,
            backoff: Duration::from_millis(200),
            backoff_max: Duration::from_secs(30),
        }
    }
}

/// How a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskTerms {
    /// From the question to its expiry; `None` leaves it to the task's deadline.
    pub expires: Option<Duration>,
    /// What an expired question does.
    pub when_expired: WhenExpired,
    /// People who must agree, at least 1.
    pub quorum: u32,
    /// Whoever published the goal cannot decide.
    pub four_eyes: bool,
    /// Whoever grants may change the content first.
    pub editable: bool,
}

impl Default for AskTerms {
    fn default() -> Self {
        Self {
            expires: None,
            when_expired: WhenExpired::Fail,
            quorum: 1,
            four_eyes: false,
            editable: true,
        }
    }
}

/// What an expired question does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenExpired {
    /// The step fails as expired.
    #[default]
    Fail,
    /// The content counts, marked `unsure`; without content the step fails.
    Accept,
}

/// A step that a person does: look at something and say yes or no.
#[derive(Debug)]
pub struct Approval {
    /// What the person is asked; a text when rendered.
    pub question: Template,
    /// How.
    pub terms: AskTerms,
}

/// Who does a step.
#[derive(Debug)]
pub enum Doer {
    /// An agent.
    Role {
        /// Which.
        role: Arc<Role>,
        /// Who does it when the role cannot; same contracts. Its output is marked degraded.
        fallback: Option<Arc<Role>>,
    },
    /// A person.
    Person(Approval),
    /// Several agents, turn by turn.
    Crew(Crew),
}

/// Who runs a role's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// The built-in deterministic extractor, driven by hints in the output contract.
    Rules,
    /// Any process that speaks the worker protocol; `cadre serve` leaves these alone.
    Remote,
    /// Returns its input unchanged: for trying out a pack, and for benchmarks.
    Echo,
    /// The built-in deterministic runtime that follows the rules of the role's `script`.
    Script,
    /// The built-in agent loop: asks a model, calls tools for it, and reports what it says.
    Model,
}

/// One declared step.
#[derive(Debug)]
pub struct StepPlan {
    /// Name, also the variable that holds its output.
    pub name: Name,
    /// Who does it.
    pub doer: Doer,
    /// How a person is asked when a report is not good enough, or asks for one.
    pub ask: AskTerms,
    /// Steps that must have ended before.
    pub after: Vec<Name>,
    /// What the ends of `after` must have been.
    pub join: Join,
    /// Skipped when this is false.
    pub when: Option<Expr>,
    /// The step's input, or what a person is shown.
    pub with: Template,
    /// Fan-out over a list.
    pub each: Option<Each>,
    /// The report counts only when this holds; sees the step's own output under its name.
    pub accept_if: Option<Expr>,
    /// What happens when `accept_if` does not hold, or the worker is unsure; who asks a person also asks when
    /// what was sent fits no contract and nobody else can do it.
    pub otherwise: Otherwise,
    /// The task goes on without this step when it fails.
    pub optional: bool,
    /// From dispatch to report; an attempt gets no more than its role's timeout.
    pub timeout: Duration,
}

impl StepPlan {
    /// The role that does it; `None` when a person or a crew does.
    #[must_use]
    pub fn role(&self) -> Option<&Arc<Role>> {
        match &self.doer {
            Doer::Role { role, .. } => Some(role),
            Doer::Person(_) | Doer::Crew(_) => None,
        }
    }

    /// Who does it when the role cannot.
    #[must_use]
    pub fn fallback(&self) -> Option<&Arc<Role>> {
        match &self.doer {
            Doer::Role { fallback, .. } => fallback.as_ref(),
            Doer::Person(_) | Doer::Crew(_) => None,
        }
    }

    /// The roles that do it turn by turn; `None` when one role or a person does.
    #[must_use]
    pub fn crew(&self) -> Option<&Crew> {
        match &self.doer {
            Doer::Crew(crew) => Some(crew),
            Doer::Role { .. } | Doer::Person(_) => None,
        }
    }
}

/// What the ends of a step's predecessors must have been for it to run.
#[derive(Debug)]
pub enum Join {
    /// All completed; a skipped or failed one skips this step too, unless it was `optional`.
    All,
    /// All ended, however.
    Settled,
    /// Some are enough.
    Race(Race),
}

/// How many of several are enough, and which.
#[derive(Debug)]
pub enum Race {
    /// The first ones that complete, so many of them.
    Quorum(u32),
    /// Of all that complete the one with the highest score; sees `output`, `confidence` and `step`.
    Best(Expr),
}

/// Fan-out over a list.
#[derive(Debug)]
pub struct Each {
    /// The list.
    pub over: Expr,
    /// Variable that holds the item in `with` and `accept_if`.
    pub item: Name,
    /// Items in flight at once, at least 1.
    pub parallel: u32,
    /// Share of items, in thousandths, that must complete for the step to count as completed.
    pub keep_partial_permille: u16,
    /// Which items count; `None` for all that complete.
    pub take: Option<Race>,
}

/// What happens with a report that is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The step fails.
    Fail,
    /// The output is used, marked `unsure`.
    AcceptUnsure,
    /// The task waits for a person, until its deadline.
    AskHuman,
}

/// One field of the answer.
#[derive(Debug)]
pub struct ResultField {
    /// Key in the answer.
    pub name: Name,
    /// Each gives one candidate, or several when it gives a list and the rule wants many.
    pub from: Vec<Source>,
    /// How one value is made of the candidates.
    pub rule: FieldRule,
    /// The task cannot complete without it.
    pub required: bool,
}

/// Where candidates of a field come from.
#[derive(Debug)]
pub struct Source {
    /// Its source text, for records and people.
    pub text: String,
    /// The expression.
    pub expr: Expr,
    /// Steps that it reads, to say why a part is missing.
    pub steps: Vec<Name>,
    /// The value is a list of candidates rather than one candidate.
    pub spread: bool,
}
