//! What a pack says of one role.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DurationDecl, UsdDecl, model::LoopDecl, script::ScriptRuleDecl};
use crate::{
    limits::{ATTEMPTS_MAX, SCRIPT_RULES_MAX},
    workflow::{Effects, Runtime},
};

/// One kind of agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RoleDecl {
    /// Who runs it.
    pub(in crate::pack) runtime: RuntimeDecl,
    /// Contract of a step's input: `contracts/<name>.v<version>.json`.
    pub(in crate::pack) accepts: String,
    /// Contract of a step's output: `contracts/<name>.v<version>.json`.
    pub(in crate::pack) returns: String,
    /// Hard limits of one attempt.
    pub(in crate::pack) limits: RoleLimitsDecl,
    /// Attempts of this role in flight over the whole fleet.
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 65536))]
    pub(in crate::pack) concurrency: u32,
    /// What it does to the world outside.
    #[serde(default)]
    pub(in crate::pack) effects: EffectsDecl,
    /// When and how often a failed attempt is tried again. Default: never.
    #[serde(default)]
    pub(in crate::pack) retry: Option<RetryDecl>,
    /// What it does, for the runtime `script`: the first rule that fits counts.
    #[serde(default)]
    #[schemars(length(min = 1, max = SCRIPT_RULES_MAX))]
    pub(in crate::pack) script: Option<Vec<ScriptRuleDecl>>,
    /// Whom it asks, for the runtime `model`: a name of `models`.
    #[serde(default)]
    pub(in crate::pack) model: Option<String>,
    /// What kind of work it does, in one word of yours such as `extract`: routes with `classes` are for some
    /// kinds only.
    #[serde(default)]
    pub(in crate::pack) class: Option<String>,
    /// Whom it asks instead when under 20 % of the attempt's money or tokens are left: a name of
    /// `models`. That it did is recorded with the call.
    #[serde(default)]
    pub(in crate::pack) model_when_low: Option<String>,
    /// What the model is told: `prompts/<name>`, with `{{ expr }}` (CEL) that sees `input`. Put what
    /// changes with the input at the end: what comes before can be cached.
    #[serde(default)]
    pub(in crate::pack) prompt: Option<String>,
    /// Tools that the model can call: `clock`, and `lookup`, which searches `documents`.
    #[serde(default)]
    pub(in crate::pack) tools: Vec<String>,
    /// What `lookup` searches: `documents/<name>`.
    #[serde(default)]
    pub(in crate::pack) documents: Vec<String>,
    /// Bounds of one attempt's conversation with the model.
    #[serde(default, rename = "loop")]
    pub(in crate::pack) bounds: Option<LoopDecl>,
    /// A report of less confidence counts as unsure, so that the step's `otherwise` decides; 0 to 1.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::pack) confidence_min: Option<f64>,
}

fn concurrency() -> u32 {
    64
}

/// Who runs a role's steps.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum RuntimeDecl {
    /// The built-in deterministic extractor, driven by `x-rules` in the output contract.
    Rules,
    /// Any process that speaks the worker protocol.
    Remote,
    /// Returns its input unchanged.
    Echo,
    /// The built-in runtime that follows the role's `script`: for roles that need no model.
    Script,
    /// The built-in agent loop: asks the role's `model`, calls tools for it, reports what it says.
    Model,
}

/// Hard limits of one attempt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RoleLimitsDecl {
    /// From dispatch to report.
    pub(in crate::pack) timeout: DurationDecl,
    /// Money that one attempt may spend, in US dollars with at most 6 decimals. It is set aside
    /// before the attempt begins, and what was not spent comes back. Default: 0, spends nothing.
    #[serde(default)]
    pub(in crate::pack) max_usd: Option<UsdDecl>,
    /// Model tokens that one attempt may use, in and out; set aside as money is. Default: 0.
    #[serde(default)]
    #[schemars(range(max = 1_000_000_000_000_u64))]
    pub(in crate::pack) max_tokens: u64,
}

/// What a role does to the world outside.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum EffectsDecl {
    /// Nothing, or only what may happen twice under one idempotency key.
    #[default]
    Repeatable,
    /// What must not happen twice. An attempt whose outcome nobody knows is never repeated:
    /// a person is asked. `retry` then only helps where nothing has happened for certain.
    Once,
}

/// When and how often a failed attempt is tried again. Only what may pass is: a role that is
/// unavailable, limited in its rate, or out of time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RetryDecl {
    /// Attempts in all, the first one included.
    #[schemars(range(min = 1, max = ATTEMPTS_MAX))]
    pub(in crate::pack) attempts: u32,
    /// Longest wait before the second attempt; doubles with each further one. The wait itself is
    /// anything from zero to that, so that many tasks do not come back at once. Default: 200ms.
    #[serde(default)]
    pub(in crate::pack) backoff: Option<DurationDecl>,
    /// Where doubling stops. Default: 30s.
    #[serde(default)]
    pub(in crate::pack) backoff_max: Option<DurationDecl>,
}

impl From<RuntimeDecl> for Runtime {
    fn from(runtime: RuntimeDecl) -> Self {
        match runtime {
            RuntimeDecl::Rules => Self::Rules,
            RuntimeDecl::Remote => Self::Remote,
            RuntimeDecl::Echo => Self::Echo,
            RuntimeDecl::Script => Self::Script,
            RuntimeDecl::Model => Self::Model,
        }
    }
}

impl From<EffectsDecl> for Effects {
    fn from(effects: EffectsDecl) -> Self {
        match effects {
            EffectsDecl::Repeatable => Self::Repeatable,
            EffectsDecl::Once => Self::Once,
        }
    }
}
