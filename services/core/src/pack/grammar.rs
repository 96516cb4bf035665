//! The grammar of `pack.yaml`: what can be written. What it means is checked by the compiler.
//!
//! The doc comments here are the descriptions in `cadre pack schema`.

mod ask;
mod crew;
mod model;
mod role;
mod script;
mod step;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub(super) use self::{
    ask::{ApprovalDecl, TermsDecl},
    crew::CrewDecl,
    model::{AliasDecl, LoopDecl, RouteDecl, WhenFullDecl},
    role::{RetryDecl, RoleDecl},
    script::{ScriptActDecl, ScriptRuleDecl},
    step::{CompensateDecl, EachDecl, JoinDecl, StepDecl, TakeDecl},
};
use super::units::DURATION_PATTERN;
use crate::{aggregate::FieldRule, workflow::WhenLimited};

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
    /// What this pack calls a model, by name: whom to ask.
    #[serde(default)]
    pub(super) models: BTreeMap<String, AliasDecl>,
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
    /// When what completed steps have done is undone, and within what time.
    #[serde(default)]
    pub(super) compensation: Option<CompensationDecl>,
    /// The steps, by name; each name is a variable that holds the step's output.
    #[schemars(extend("minProperties" = 1))]
    pub(super) steps: BTreeMap<String, StepDecl>,
    /// The answer, field by field of the output contract.
    #[schemars(extend("minProperties" = 1))]
    pub(super) result: BTreeMap<String, ResultDecl>,
}

/// When what completed steps have done is undone, and within what time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompensationDecl {
    /// From the decision to end the task to its end, past its deadline too; at most 7d. What is not
    /// undone by then is named in the end's reason. Default: 10m.
    #[serde(default)]
    pub(super) within: Option<DurationDecl>,
    /// Also when the answer is partial. Default: false.
    #[serde(default)]
    pub(super) on_partial: bool,
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
    /// Waits for a person to add to the budget; answers with what exists when nobody did by the deadline.
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

impl From<WhenLimitedDecl> for WhenLimited {
    fn from(when: WhenLimitedDecl) -> Self {
        match when {
            WhenLimitedDecl::Partial => Self::Partial,
            WhenLimitedDecl::Fail => Self::Fail,
            WhenLimitedDecl::AskHuman => Self::AskHuman,
        }
    }
}
