//! Models: what they are asked, what they say, what it costs, and why this one was asked.
//!
//! ```text
//!  agent loop ─ ModelRequest ─► gateway ─┬─ route, price, pace (pure, here) ─► ProviderCall ─► a provider
//!             ◄─ ModelAnswer ──          └─ what was passed over and why ◄──── Said, or ProviderFailure
//! ```
//!
//! Pure: the gateway's process does the calls, these are the words that it and the workers use.

mod answer;
pub mod bm25;
mod brief;
pub mod cache;
mod canonical;
pub mod cassette;
mod context;
mod dialogue;
pub mod gateway;
pub mod pace;
pub mod price;
mod question;
pub mod route;
pub mod template;
#[cfg(test)]
mod tests;
pub mod tokens;
mod tool;

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    ids::{Name, StepId, TaskId},
    task::Failure,
    workflow::Grant,
};

pub use self::{
    brief::{Brief, BriefError},
    dialogue::{Act, Dialogue},
    question::{Answered, Purpose, Question, RecordError, answered_by},
    tool::{ToolAnswer, ToolRequest, built_in, call_built_in},
};

/// Tools that a pack can offer without saying more: `clock`, and `lookup` over the role's documents.
pub const TOOLS_BUILT_IN: [&str; 2] = ["clock", "lookup"];

/// A prompt: a stable prefix that a provider can cache, and the turns behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prompt {
    /// The instructions; the same bytes for every call of a role in one pack revision.
    pub system: String,
    /// Tools on offer, sorted by name.
    pub tools: Vec<ToolSpec>,
    /// What was said so far, oldest first; begins with [`Turn::User`].
    pub turns: Vec<Turn>,
}

/// A tool as a model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// What it is called by.
    pub name: Name,
    /// What it is good for.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// The runtime speaks: input, context, what was wrong with an answer.
    User(String),
    /// The model spoke.
    Model {
        /// Its text, perhaps empty.
        text: String,
        /// Tools that it called.
        calls: Vec<ToolCall>,
        /// What it thought before, to be handed back to it.
        thoughts: Option<Thoughts>,
    },
    /// A tool answered.
    Tool {
        /// [`ToolCall::id`] of the call.
        call: String,
        /// Which tool.
        name: String,
        /// What came back, as text.
        result: String,
        /// It went wrong; `result` says how.
        is_error: bool,
    },
}

/// What a model thought before it spoke, in its provider's own words: signed or encrypted, to be handed back
/// as they are. Others neither understand nor want them, so they are no part of what makes a question this one.
#[derive(Debug, Clone, PartialEq)]
pub struct Thoughts {
    /// `provider/model` that they are for.
    pub model: String,
    /// A JSON document that only the gateway reads.
    pub parts: Value,
}

/// A call that a model wants made.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Names it within its turn.
    pub id: String,
    /// Which tool, as the model spelled it.
    pub tool: String,
    /// Its arguments, unchecked.
    pub arguments: Value,
}

/// How a model is to answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manner {
    /// JSON Schema of the answer's text; `None` for free text.
    pub returns: Option<Arc<Value>>,
    /// Tokens of one answer at most.
    pub output_tokens_max: u32,
    /// Thousandths, 0 to 2,000; `None` leaves it to the provider.
    pub temperature_millis: Option<u16>,
}

/// A worker asks the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// Whose task: rate limits and caches are the tenant's own.
    pub tenant: Name,
    /// The task.
    pub task: TaskId,
    /// The step.
    pub step: StepId,
    /// Who asks.
    pub role: Name,
    /// Its workflow.
    pub workflow: Name,
    /// Content hash of the pack that says what `alias` means.
    pub revision: String,
    /// Which model: a name of the pack's `models`.
    pub alias: Name,
    /// The call's key, the same however often it is asked: see [`crate::journal::JournalId::effect_key`].
    pub key: String,
    /// What is asked.
    pub prompt: Prompt,
    /// How it is to be answered.
    pub manner: Manner,
    /// What the call may cost at most; nothing is asked that could cost more.
    pub grant: Grant,
    /// What is left of the attempt's time.
    pub time_left: Duration,
    /// Parts of the answer are published as they come, to whoever follows the task.
    pub is_followed: bool,
    /// W3C `traceparent`.
    pub trace: Option<String>,
}

/// The gateway answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// What the model said.
    pub said: Said,
    /// What it cost, by the price table.
    pub cost: Grant,
    /// Who was asked and why.
    pub choice: Choice,
    /// How long it took, waiting for a rate limit included.
    pub took: Duration,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Its text, perhaps empty.
    pub text: String,
    /// Tools that it wants called.
    pub calls: Vec<ToolCall>,
    /// What it thought, where it wants to hear that again; `None` where it does not.
    pub thoughts: Option<Thoughts>,
    /// Why it ended there.
    pub finish: Finish,
    /// What the provider counted.
    pub usage: TokenUsage,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Finish {
    /// It was complete.
    #[default]
    Stop,
    /// [`Manner::output_tokens_max`] was reached.
    Length,
    /// It waits for tools.
    Tools,
    /// The provider kept the rest back.
    Filtered,
}

/// Tokens as a provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Of the prompt in all; the next two are parts of it.
    pub input: u64,
    /// Of these, read from the provider's cache.
    pub cached: u64,
    /// Of these, written to it.
    pub cache_write: u64,
    /// Of the answer, thinking included.
    pub output: u64,
}

/// Who was asked, and why not somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// `provider/model`, as the pack has it.
    pub model: String,
    /// Why this one, for people.
    pub why: String,
    /// Routes that come before it in the pack: which, and why they were passed over.
    pub passed: Vec<(String, String)>,
    /// It is not the first choice of the pack for such a prompt.
    pub is_degraded: bool,
    /// Nobody was asked: this is what the same question was answered before.
    pub is_cached: bool,
}

/// The gateway has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}: {}", .failure.kind.as_str(), .failure.message)]
pub struct ModelFailure {
    /// Why; `rate_limited`, `unavailable` and `timeout` may pass with time, `limit` means that the
    /// grant is too small. Holds nothing of the prompt and no secret.
    pub failure: Failure,
    /// What it cost all the same.
    pub cost: Grant,
    /// Routes that were tried or passed over, and why.
    pub passed: Vec<(String, String)>,
}

/// The gateway asks a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderCall {
    /// The model's name at the provider, with its version.
    pub model: String,
    /// What is asked.
    pub prompt: Arc<Prompt>,
    /// How it is to be answered.
    pub manner: Manner,
    /// Names the prefix for the provider's cache; never shared by tenants.
    pub cache_key: String,
    /// The call's key, for providers that repeat an answer instead of making it again.
    pub key: String,
    /// Somebody hears the answer as it comes; otherwise it is wanted whole.
    pub is_followed: bool,
}

/// Why a provider gave no answer. Holds nothing of the prompt and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProviderFailure {
    /// What kind.
    pub kind: ProviderFailureKind,
    /// For people.
    pub message: String,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// Kinds of provider failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderFailureKind {
    /// 429, or an overload that says when to come again: waiting, not failure.
    RateLimited,
    /// It cannot be reached, broke off, or answers 5xx.
    Unavailable,
    /// It did not answer in time.
    Timeout,
    /// It does not understand or does not want the question; the next one would hear the same.
    Refused,
    /// The prompt is longer than the model's context.
    TooLong,
    /// The key is missing or wrong, or has no right to this model.
    Credentials,
    /// Its answer is none.
    Malformed,
}
