//! A workflow ready to run: what a pack compiles to, and what [`crate::task`] decides by.
//!
//! Immutable and shared by every task of one pack revision. Its expressions are
//! compiled and reference-checked, its contracts compiled, its steps in
//! topological order: deciding can only meet errors of data, never of the pack.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    aggregate::FieldRule,
    contract::Contract,
    expr::{Expr, Template},
    ids::Name,
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
    /// Steps, each behind everything that it comes after.
    pub steps: Vec<StepPlan>,
    /// How the answer is put together, field by field.
    pub result: Vec<ResultField>,
}

impl Workflow {
    /// The declared step of this name.
    #[must_use]
    pub fn step(&self, name: &Name) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.name == *name)
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
}

/// One declared step.
#[derive(Debug)]
pub struct StepPlan {
    /// Name, also the variable that holds its output.
    pub name: Name,
    /// Who does it.
    pub role: Arc<Role>,
    /// Steps that must have ended before.
    pub after: Vec<Name>,
    /// What the ends of `after` must have been.
    pub join: Join,
    /// Skipped when this is false.
    pub when: Option<Expr>,
    /// The step's input.
    pub with: Template,
    /// Fan-out over a list.
    pub each: Option<Each>,
    /// The report counts only when this holds; sees the step's own output under its name.
    pub accept_if: Option<Expr>,
    /// What happens when `accept_if` does not hold, or the worker is unsure.
    pub otherwise: Otherwise,
    /// The task goes on without this step when it fails.
    pub optional: bool,
    /// From dispatch to report; never above the role's timeout.
    pub timeout: Duration,
}

/// What the ends of a step's predecessors must have been for it to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// All completed; a skipped or failed one skips this step too, unless it was `optional`.
    All,
    /// All ended, however.
    Settled,
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
