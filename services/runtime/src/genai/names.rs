//! Every name of the conventions that is used, and ours.

/// Operations.
pub(super) const INVOKE_WORKFLOW: &str = "invoke_workflow";
pub(super) const PLAN: &str = "plan";
pub(super) const INVOKE_AGENT: &str = "invoke_agent";
pub(super) const CHAT: &str = "chat";
pub(super) const EXECUTE_TOOL: &str = "execute_tool";
/// Operations of ours, which the conventions allow.
pub(super) const DECIDE: &str = "decide";
pub(super) const APPROVAL: &str = "approval";
pub(super) const AGGREGATE: &str = "aggregate";

/// Attributes of the conventions.
pub(super) const OPERATION: &str = "gen_ai.operation.name";
pub(super) const PROVIDER: &str = "gen_ai.provider.name";
pub(super) const CONVERSATION: &str = "gen_ai.conversation.id";
pub(super) const WORKFLOW: &str = "gen_ai.workflow.name";
pub(super) const AGENT: &str = "gen_ai.agent.name";
pub(super) const AGENT_VERSION: &str = "gen_ai.agent.version";
pub(super) const MODEL: &str = "gen_ai.request.model";
pub(super) const MODEL_TOKENS_MAX: &str = "gen_ai.request.max_tokens";
pub(super) const TEMPERATURE: &str = "gen_ai.request.temperature";
pub(super) const OUTPUT_TYPE: &str = "gen_ai.output.type";
pub(super) const MODEL_ANSWERED: &str = "gen_ai.response.model";
pub(super) const FINISH: &str = "gen_ai.response.finish_reasons";
pub(super) const TOKENS_IN: &str = "gen_ai.usage.input_tokens";
pub(super) const TOKENS_OUT: &str = "gen_ai.usage.output_tokens";
pub(super) const TOKENS_CACHED: &str = "gen_ai.usage.cache_read.input_tokens";
pub(super) const TOKENS_CACHE_WRITE: &str = "gen_ai.usage.cache_creation.input_tokens";
pub(super) const TOOL: &str = "gen_ai.tool.name";
pub(super) const TOOL_TYPE: &str = "gen_ai.tool.type";
pub(super) const TOOL_CALL: &str = "gen_ai.tool.call.id";
pub(super) const ERROR: &str = "error.type";
/// Content: only where it is asked for.
pub(super) const SYSTEM_CONTENT: &str = "gen_ai.system_instructions";
pub(super) const INPUT_CONTENT: &str = "gen_ai.input.messages";
pub(super) const OUTPUT_CONTENT: &str = "gen_ai.output.messages";
pub(super) const TOOLS_CONTENT: &str = "gen_ai.tool.definitions";
pub(super) const TOOL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
pub(super) const TOOL_RESULT: &str = "gen_ai.tool.call.result";

/// Attributes of ours; they do not change.
pub(super) const TENANT: &str = "cadre.tenant";
pub(super) const STEP: &str = "cadre.step";
pub(super) const ATTEMPT: &str = "cadre.attempt";
pub(super) const DELIVERIES: &str = "cadre.deliveries";
pub(super) const KEY: &str = "cadre.idempotency_key";
pub(super) const CAUSE: &str = "cadre.cause";
pub(super) const CAUSE_SOURCE: &str = "cadre.cause.source";
pub(super) const DECISION: &str = "cadre.decision";
pub(super) const REASON: &str = "cadre.reason";
pub(super) const OUTCOME: &str = "cadre.outcome";
pub(super) const STATUS: &str = "cadre.status";
pub(super) const STEPS: &str = "cadre.steps";
pub(super) const SPENT_USD: &str = "cadre.spent.usd_micros";
pub(super) const SPENT_TOKENS: &str = "cadre.spent.tokens";
pub(super) const GRANT_USD: &str = "cadre.grant.usd_micros";
pub(super) const GRANT_TOKENS: &str = "cadre.grant.tokens";
pub(super) const RESERVED_USD: &str = "cadre.reserved.usd_micros";
pub(super) const RESERVED_TOKENS: &str = "cadre.reserved.tokens";
pub(super) const ASK_KIND: &str = "cadre.approval.kind";
pub(super) const MODEL_WHY: &str = "cadre.model.why";
pub(super) const MODEL_PASSED: &str = "cadre.model.passed";
pub(super) const OMITTED: &str = "cadre.omitted";
pub(super) const OMITTED_INPUT: &str = "cadre.omitted.input";
pub(super) const TOOLS: &str = "cadre.tools";

/// What of the budget was used before and after a decision.
pub(super) const BUDGET: [(&str, &str); 3] = [
    ("cadre.budget.before.usd_micros", "cadre.budget.after.usd_micros"),
    ("cadre.budget.before.tokens", "cadre.budget.after.tokens"),
    ("cadre.budget.before.steps", "cadre.budget.after.steps"),
];

/// A provider as the conventions call it; their own name for those they do not know.
pub(super) fn provider(configured: &str) -> &str {
    match configured {
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        other => other,
    }
}
