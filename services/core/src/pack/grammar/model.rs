//! What a pack says of models, and of roles that ask them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{DurationDecl, UsdDecl};
use crate::limits::{MODEL_CALLS_MAX, MODEL_ROUTES_MAX};

/// What the pack calls a model: whom to ask.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct AliasDecl {
    /// The first one that can be asked is asked, the next ones when it fails.
    #[schemars(length(min = 1, max = MODEL_ROUTES_MAX))]
    pub(in crate::pack) routes: Vec<RouteDecl>,
    /// Answers a question that the same tenant asked before with what was answered then, at no cost.
    /// Only at temperature 0. Default: false.
    #[serde(default)]
    pub(in crate::pack) cache_answers: bool,
    /// A model without a known price costs nothing, such as one on a machine of your own. Otherwise it
    /// is not asked. Default: false.
    #[serde(default)]
    pub(in crate::pack) free: bool,
}

/// One model that can be asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct RouteDecl {
    /// `provider/model`, with the model's version. Providers: anthropic, openai, openai-responses,
    /// gemini, ollama, simulated, or a name that the gateway was given with a URL.
    pub(in crate::pack) model: String,
    /// Passed over by roles whose `class` is none of these. Default: for every role.
    #[serde(default)]
    pub(in crate::pack) classes: Vec<String>,
    /// Passed over when the prompt has more tokens than this.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000_000_u64))]
    pub(in crate::pack) context_max: Option<u64>,
    /// Passed over when less money than this is left to the attempt, in US dollars.
    #[serde(default)]
    pub(in crate::pack) usd_left_min: Option<UsdDecl>,
    /// When there is no answer after so long, the next route is asked as well: the first answer counts, and
    /// both are paid. Default: never.
    #[serde(default)]
    pub(in crate::pack) hedge_after: Option<DurationDecl>,
}

/// Bounds of one attempt's conversation with a model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::pack) struct LoopDecl {
    /// Calls of models in one attempt. Default: 6.
    #[schemars(range(min = 1, max = MODEL_CALLS_MAX))]
    pub(in crate::pack) max_calls: u32,
    /// Tokens of one answer. Default: 2000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(in crate::pack) max_output_tokens: u32,
    /// 0 to 2, at most 3 decimals. Default: what the provider takes.
    #[schemars(extend("type" = ["number", "null"], "minimum" = 0, "maximum" = 2))]
    pub(in crate::pack) temperature: Option<Value>,
    /// Tokens of one prompt. Default: 16000.
    #[schemars(range(min = 256, max = 1_000_000_000_u64))]
    pub(in crate::pack) context_tokens: u64,
    /// What happens with a conversation that grows longer. Default: trim.
    pub(in crate::pack) when_full: WhenFullDecl,
    /// The model that sums up, for `when_full: summarise`: a name of `models`.
    pub(in crate::pack) summarise_with: Option<String>,
}

impl Default for LoopDecl {
    fn default() -> Self {
        Self {
            max_calls: 6,
            max_output_tokens: 2_000,
            temperature: None,
            context_tokens: 16_000,
            when_full: WhenFullDecl::Trim,
            summarise_with: None,
        }
    }
}

/// What happens with a conversation that grows too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum WhenFullDecl {
    /// The oldest turns are left out; which is recorded.
    Trim,
    /// A model sums the oldest turns up.
    Summarise,
    /// The attempt fails.
    Fail,
}
