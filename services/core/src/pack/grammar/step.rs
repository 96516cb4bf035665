//! What a pack says of one step.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    DurationDecl,
    ask::{ApprovalDecl, AskDecl},
    crew::CrewDecl,
};
use crate::workflow::Otherwise;

/// One step, done by a role, by a person or by several roles together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["role"]}, {"required": ["approval"]}, {"required": ["crew"]}]))]
pub(in crate::pack) struct StepDecl {
    /// The role that does it. A step has a role, an approval or a crew.
    #[serde(default)]
    pub(in crate::pack) role: Option<String>,
    /// A person does it: looks at `with` and says yes or no. Expressions see what came of it as
    /// `{decision, by, content}`: decision is `granted` or `expired`, by lists who agreed.
    #[serde(default)]
    pub(in crate::pack) approval: Option<ApprovalDecl>,
    /// Several roles do it together, turn by turn. Without an `otherwise` a person is asked when
    /// they go in circles.
    #[serde(default)]
    pub(in crate::pack) crew: Option<CrewDecl>,
    /// The role that does it when the other one cannot; it has the same contracts. The answer is
    /// then marked degraded.
    #[serde(default)]
    pub(in crate::pack) fallback: Option<String>,
    /// How a person is asked when the role's report is not good enough, or asks for one.
    #[serde(default)]
    pub(in crate::pack) ask: Option<AskDecl>,
    /// Steps that must have ended before.
    #[serde(default)]
    pub(in crate::pack) after: Vec<String>,
    /// What the ends of `after` must have been.
    #[serde(default)]
    pub(in crate::pack) join: JoinDecl,
    /// Condition (CEL): the step is skipped when it is false.
    #[serde(default)]
    pub(in crate::pack) when: Option<String>,
    /// The step's input, or what a person is shown; `${ expr }` (CEL) inside strings is replaced.
    pub(in crate::pack) with: Value,
    /// One step for every item of a list.
    #[serde(default)]
    pub(in crate::pack) each: Option<EachDecl>,
    /// Condition (CEL): the output counts only when it holds. Sees the output under the step's name, and `report`.
    #[serde(default)]
    pub(in crate::pack) accept_if: Option<String>,
    /// What happens when `accept_if` does not hold, or the worker is unsure; `ask_human` also when what was
    /// sent fits no contract and nobody else can do it. Default: fail.
    #[serde(default)]
    pub(in crate::pack) otherwise: Option<OtherwiseDecl>,
    /// The task goes on without this step when it fails.
    #[serde(default)]
    pub(in crate::pack) optional: bool,
    /// From dispatch to report of one attempt; at most and by default the role's timeout, or its
    /// fallback's where that is longer. Neither role gets more than its own.
    #[serde(default)]
    pub(in crate::pack) timeout: Option<DurationDecl>,
    /// What undoes it, once it has completed, when the task is cancelled, fails or meets its deadline
    /// without an answer. The step that completed last is undone first, each once.
    #[serde(default)]
    pub(in crate::pack) compensate: Option<CompensateDecl>,
}

/// What the ends of a step's predecessors must have been.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum JoinDecl {
    /// All completed.
    #[default]
    All,
    /// All ended, however.
    Settled,
    /// One completed: the first. What is open of the others is stopped.
    First,
    /// So many completed: the first ones. What is open of the others is stopped.
    Quorum(#[schemars(range(min = 1, max = 256))] u32),
    /// All ended; the completed one with the highest score (CEL, a number) wins. Sees `output`,
    /// `confidence` and `step`.
    Best(#[schemars(length(min = 1))] String),
}

/// Which items of a fan-out count. Expressions see them as `task.winners.<step>`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum TakeDecl {
    /// The first one that completes; the others are stopped.
    First,
    /// The first ones that complete, so many; the others are stopped.
    Quorum(#[schemars(range(min = 1, max = 10000))] u32),
    /// The one with the highest score (CEL, a number) once all have ended. Sees the item, `output`,
    /// `confidence` and `step`.
    Best(#[schemars(length(min = 1))] String),
}

/// What undoes the step when the task ends badly.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct CompensateDecl {
    /// The role that does it; its limits name no money and no tokens, for the budget may be used up.
    pub(in crate::pack) role: String,
    /// Its input; `${ expr }` (CEL) inside strings is replaced. Sees what the step saw, and the
    /// step's own output under its name.
    pub(in crate::pack) with: Value,
    /// From dispatch to report of one attempt; at most and by default the role's timeout.
    #[serde(default)]
    pub(in crate::pack) timeout: Option<DurationDecl>,
}

/// One step for every item of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct EachDecl {
    /// The list (CEL).
    pub(in crate::pack) over: String,
    /// Variable that holds the item in `with`, `accept_if` and `question`.
    #[serde(rename = "as")]
    pub(in crate::pack) item: String,
    /// Items in flight at once.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10000))]
    pub(in crate::pack) parallel: Option<u32>,
    /// Share of items that must complete: 0 to 1, at most 3 decimals. Default: 1, all of them.
    #[serde(default)]
    #[schemars(with = "Option<f64>", range(min = 0, max = 1))]
    pub(in crate::pack) keep_partial: Option<Value>,
    /// Which items count. Default: all that complete. Not together with `keep_partial`.
    #[serde(default)]
    pub(in crate::pack) take: Option<TakeDecl>,
}

/// What happens with a report that is not good enough.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum OtherwiseDecl {
    /// The step fails.
    #[default]
    Fail,
    /// The output is used, marked `unsure`.
    AcceptUnsure,
    /// The task waits for a person.
    AskHuman,
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
