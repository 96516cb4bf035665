//! The grammar of `pack.yaml`: what can be written. What it means is checked by the compiler.
//!
//! The doc comments here are the descriptions in `cadre pack schema`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::units::DURATION_PATTERN;
use crate::{
    aggregate::FieldRule,
    workflow::{Join, Otherwise, Runtime, WhenLimited},
};

/// A pack: roles, contracts and one workflow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[schemars(title = "Cadre pack")]
pub(super) struct PackDecl {
    /// Version of this grammar.
    #[serde(rename = "apiVersion")]
    #[expect(dead_code, reason = "one version so far: reading it is the check")]
    pub(super) api_version: ApiVersion,
    /// Name of pack and workflow: lower-case letters, digits, `_` and `-`.
    pub(super) name: String,
    /// What is new in this revision, for people.
    #[serde(default)]
    #[expect(dead_code, reason = "for people; it is part of the revision's hash")]
    pub(super) revision_note: Option<String>,
    /// The kinds of agents that do the work, by name.
    pub(super) roles: BTreeMap<String, RoleDecl>,
    /// What happens with a goal.
    pub(super) workflow: WorkflowDecl,
}

/// Version of the grammar.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) enum ApiVersion {
    /// The first one.
    #[serde(rename = "pack/v1")]
    V1,
}

/// One kind of agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleDecl {
    /// Who runs it.
    pub(super) runtime: RuntimeDecl,
    /// Contract of a step's input: `contracts/<name>.v<version>.json`.
    pub(super) accepts: String,
    /// Contract of a step's output: `contracts/<name>.v<version>.json`.
    pub(super) returns: String,
    /// Hard limits of one step.
    pub(super) limits: RoleLimitsDecl,
    /// Steps of this role in flight over the whole fleet.
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 65536))]
    pub(super) concurrency: u32,
}

fn concurrency() -> u32 {
    64
}

/// Who runs a role's steps.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RuntimeDecl {
    /// The built-in deterministic extractor, driven by `x-rules` in the output contract.
    Rules,
    /// Any process that speaks the worker protocol.
    Remote,
    /// Returns its input unchanged.
    Echo,
}

/// Hard limits of one step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleLimitsDecl {
    /// From dispatch to report.
    pub(super) timeout: DurationDecl,
}

/// A duration: `250ms`, `8s`, `5m`, `72h` or `3d`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct DurationDecl(#[schemars(regex(pattern = DURATION_PATTERN))] pub(super) String);

/// What happens with a goal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkflowDecl {
    /// Contract of a goal's input.
    pub(super) input: String,
    /// Contract of the answer.
    pub(super) output: String,
    /// Hard limits of one task.
    pub(super) limits: TaskLimitsDecl,
    /// What a task that meets a limit does.
    pub(super) when_limited: WhenLimitedDecl,
    /// The steps, by name; each name is a variable that holds the step's output.
    #[schemars(extend("minProperties" = 1))]
    pub(super) steps: BTreeMap<String, StepDecl>,
    /// The answer, field by field of the output contract.
    #[schemars(extend("minProperties" = 1))]
    pub(super) result: BTreeMap<String, ResultDecl>,
}

/// Hard limits of one task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskLimitsDecl {
    /// From acceptance to the end of the task.
    pub(super) deadline: DurationDecl,
    /// Work orders in all, attempts and fan-out items included.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) max_steps: u32,
    /// Money in US dollars, at most 6 decimals.
    pub(super) max_usd: UsdDecl,
    /// Model tokens, in and out.
    #[schemars(range(max = 1_000_000_000_000_u64))]
    pub(super) max_tokens: u64,
}

/// Money in US dollars, at most 6 decimals.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct UsdDecl(#[schemars(extend("type" = ["number", "string"]))] pub(super) Value);

/// What a task that meets a limit does.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WhenLimitedDecl {
    /// Answers with what exists.
    Partial,
    /// Ends as failed.
    Fail,
}

/// One step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepDecl {
    /// Who does it.
    pub(super) role: String,
    /// Steps that must have ended before.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// What the ends of `after` must have been.
    #[serde(default)]
    pub(super) join: JoinDecl,
    /// Condition (CEL): the step is skipped when it is false.
    #[serde(default)]
    pub(super) when: Option<String>,
    /// The step's input; `${ expr }` (CEL) inside strings is replaced.
    pub(super) with: Value,
    /// One step for every item of a list.
    #[serde(default)]
    pub(super) each: Option<EachDecl>,
    /// Condition (CEL): the output counts only when it holds. Sees the output under the step's name, and `report`.
    #[serde(default)]
    pub(super) accept_if: Option<String>,
    /// What happens when `accept_if` does not hold, or the worker is unsure.
    #[serde(default)]
    pub(super) otherwise: OtherwiseDecl,
    /// The task goes on without this step when it fails.
    #[serde(default)]
    pub(super) optional: bool,
    /// From dispatch to report; at most and by default the role's timeout.
    #[serde(default)]
    pub(super) timeout: Option<DurationDecl>,
}

/// What the ends of a step's predecessors must have been.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JoinDecl {
    /// All completed.
    #[default]
    All,
    /// All ended, however.
    Settled,
}

/// One step for every item of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EachDecl {
    /// The list (CEL).
    pub(super) over: String,
    /// Variable that holds the item in `with` and `accept_if`.
    #[serde(rename = "as")]
    pub(super) item: String,
    /// Items in flight at once.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10000))]
    pub(super) parallel: Option<u32>,
    /// Share of items that must complete: 0 to 1, at most 3 decimals. Default: 1, all of them.
    #[serde(default)]
    #[schemars(with = "Option<f64>", range(min = 0, max = 1))]
    pub(super) keep_partial: Option<Value>,
}

/// What happens with a report that is not good enough.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OtherwiseDecl {
    /// The step fails.
    #[default]
    Fail,
    /// The output is used, marked `unsure`.
    AcceptUnsure,
    /// The task waits for a person.
    AskHuman,
}

/// One field of the answer: an expression, or candidates and a rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ResultDecl {
    /// The value (CEL).
    Value(String),
    /// Candidates and the rule that makes one value of them.
    Rule(ResultRuleDecl),
}

/// Candidates and the rule that makes one value of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultRuleDecl {
    /// Where candidates come from (CEL), in order of priority.
    #[schemars(length(min = 1, max = 64))]
    pub(super) from: Vec<String>,
    /// Each expression gives a list of candidates rather than one.
    #[serde(default)]
    pub(super) each: bool,
    /// How one value is made of the candidates.
    #[serde(default)]
    pub(super) rule: RuleDecl,
    /// The answer is not complete without it.
    #[serde(default = "required")]
    pub(super) required: bool,
}

fn required() -> bool {
    true
}

/// How one value is made of several candidates.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RuleDecl {
    /// They must agree.
    Agree,
    /// The first one.
    #[default]
    Priority,
    /// The one with the latest `as_of`.
    Newest,
    /// The one with the highest confidence.
    HighestConfidence,
    /// The value that most have.
    Vote,
    /// Lists are joined, objects united.
    Merge,
}

impl From<RuleDecl> for FieldRule {
    fn from(rule: RuleDecl) -> Self {
        match rule {
            RuleDecl::Agree => Self::Agree,
            RuleDecl::Priority => Self::Priority,
            RuleDecl::Newest => Self::Newest,
            RuleDecl::HighestConfidence => Self::HighestConfidence,
            RuleDecl::Vote => Self::Vote,
            RuleDecl::Merge => Self::Merge,
        }
    }
}

impl From<RuntimeDecl> for Runtime {
    fn from(runtime: RuntimeDecl) -> Self {
        match runtime {
            RuntimeDecl::Rules => Self::Rules,
            RuntimeDecl::Remote => Self::Remote,
            RuntimeDecl::Echo => Self::Echo,
        }
    }
}

impl From<WhenLimitedDecl> for WhenLimited {
    fn from(when: WhenLimitedDecl) -> Self {
        match when {
            WhenLimitedDecl::Partial => Self::Partial,
            WhenLimitedDecl::Fail => Self::Fail,
        }
    }
}

impl From<JoinDecl> for Join {
    fn from(join: JoinDecl) -> Self {
        match join {
            JoinDecl::All => Self::All,
            JoinDecl::Settled => Self::Settled,
        }
    }
}

impl From<OtherwiseDecl> for Otherwise {
    fn from(otherwise: OtherwiseDecl) -> Self {
        match otherwise {
            OtherwiseDecl::Fail => Self::Fail,
            OtherwiseDecl::AcceptUnsure => Self::AcceptUnsure,
            OtherwiseDecl::AskHuman => Self::AskHuman,
        }
    }
}
