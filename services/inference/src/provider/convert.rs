//! Prompts and answers in the words of `genai`.

use cadre_core::model::{
    Finish, Prompt, ProviderCall, ProviderFailure, Said, TokenUsage, ToolCall, Turn,
};
use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, ContentPart, JsonSpec,
    MessageContent, ReasoningEffort, StopReason, Tool, ToolResponse, Usage,
};
use serde_json::json;

use super::{Wire, fault, thoughts};

/// What stands for a turn without content: some providers refuse an empty one.
const NOTHING: &str = "(nothing)";

/// What the JSON Schema of an answer is called on the wire.
const ANSWER: &str = "answer";

/// The stable prefix first, marked where the provider wants a mark to cache it. What others than `model`
/// thought stays behind.
pub(super) fn request(prompt: &Prompt, wire: Wire, model: &str) -> ChatRequest {
    let system = ChatMessage::system(prompt.system.as_str());
    // Tools are before the instructions on this wire: one mark covers both.
    let system = match wire {
        Wire::Anthropic => system.with_options(CacheControl::Ephemeral),
        Wire::OpenAi | Wire::OpenAiResponses | Wire::Gemini | Wire::Ollama => system,
    };
    let mut messages = Vec::with_capacity(prompt.turns.len() + 1);
    if !prompt.system.is_empty() {
        messages.push(system);
    }
    messages.extend(turns(&prompt.turns, model));
    let request = ChatRequest::from_messages(messages);
    if prompt.tools.is_empty() {
        return request;
    }
    request.with_tools(prompt.tools.iter().map(|tool| {
        Tool::new(tool.name.to_string())
            .with_description(tool.description.as_str())
            .with_schema(tool.parameters.clone())
    }))
}

/// Tools that answered one turn answer together: a model's calls want one reply.
fn turns(turns: &[Turn], model: &str) -> Vec<ChatMessage> {
    let mut messages = Vec::new();
    let mut answered: Vec<ToolResponse> = Vec::new();
    for turn in turns {
        if let Turn::Tool { call, name, result, is_error } = turn {
            let text = if *is_error { format!("error: {result}") } else { result.clone() };
            answered.push(ToolResponse::new(call.as_str(), text).with_fn_name(name.as_str()));
            continue;
        }
        if !answered.is_empty() {
            messages.push(ChatMessage::from(std::mem::take(&mut answered)));
        }
        messages.extend(spoken(turn, model));
    }
    if !answered.is_empty() {
        messages.push(ChatMessage::from(answered));
    }
    messages
}

fn spoken(turn: &Turn, model: &str) -> Option<ChatMessage> {
    match turn {
        Turn::User(text) => Some(ChatMessage::user(text.as_str())),
        Turn::Model { text, calls, thoughts: thought } => {
            let thought = thought.as_ref().filter(|thought| thought.model == model);
            let text = match (text.as_str(), calls.is_empty()) {
                ("", true) => Some(NOTHING),
                ("", false) => None,
                (text, _) => Some(text),
            };
            let text = text.map(|text| ContentPart::Text(text.to_owned()));
            let calls = calls.iter().enumerate().map(|(place, call)| {
                ContentPart::ToolCall(genai::chat::ToolCall {
                    call_id: call.id.clone(),
                    fn_name: call.tool.clone(),
                    fn_arguments: call.arguments.clone(),
                    thought_signatures: thoughts::of_call(thought, place),
                })
            });
            let mut parts = thoughts::leading(thought);
            parts.extend(text.into_iter().chain(calls));
            Some(ChatMessage::assistant(MessageContent::from_parts(parts)))
        }
        Turn::Tool { .. } => None,
    }
}

/// How the answer is wanted; perhaps with what is thought before it.
pub(super) fn options(call: &ProviderCall, wire: Wire, wants_thoughts: bool) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_max_tokens(call.manner.output_tokens_max)
        .with_capture_content(true)
        .with_capture_tool_calls(true)
        .with_capture_usage(true);
    if let Some(millis) = call.manner.temperature_millis {
        options = options.with_temperature(f64::from(millis) / 1_000.0);
    }
    if let Some(schema) = &call.manner.returns {
        let spec = JsonSpec::new(ANSWER, schema.as_ref().clone());
        options = options.with_response_format(ChatResponseFormat::JsonSpec(spec));
    }
    // Gemini's signatures come unasked.
    options = match wire {
        Wire::Anthropic | Wire::OpenAi => options.with_capture_reasoning_content(true),
        Wire::OpenAiResponses if wants_thoughts => encrypted_thoughts(options, call),
        Wire::OpenAiResponses | Wire::Gemini | Wire::Ollama => options,
    };
    match wire {
        Wire::OpenAi | Wire::OpenAiResponses if !call.cache_key.is_empty() => {
            options.with_prompt_cache_key(call.cache_key.as_str())
        }
        Wire::OpenAi | Wire::OpenAiResponses | Wire::Anthropic | Wire::Gemini | Wire::Ollama => {
            options
        }
    }
}

/// Asks OpenAI's responses for what is thought, encrypted: nothing of it is stored there. The crate asks for a
/// summary as well, which not every account may have, so what it says of it is overwritten.
fn encrypted_thoughts(options: ChatOptions, call: &ProviderCall) -> ChatOptions {
    let (effort, _) = ReasoningEffort::from_model_name(&call.model);
    let effort = match effort {
        Some(ReasoningEffort::Zero) => Some("none"),
        effort => effort.as_ref().and_then(ReasoningEffort::as_keyword),
    };
    let reasoning = effort.map_or_else(|| json!({}), |effort| json!({ "effort": effort }));
    let body = json!({ "include": ["reasoning.encrypted_content"], "reasoning": reasoning });
    options.with_capture_reasoning_content(true).with_extra_body(body)
}

/// What a provider sent: content, reasoning that has no place in it, and whose it is.
pub(super) type Heard<'a> = (&'a MessageContent, Option<&'a str>, &'a str);

/// What the model said.
///
/// # Errors
/// [`cadre_core::model::ProviderFailureKind::Malformed`] when it said nothing and does not say why.
pub(super) fn said(
    (content, plain, model): Heard<'_>,
    stop: Option<&StopReason>,
    usage: &Usage,
) -> Result<Said, ProviderFailure> {
    let text = content.texts().concat();
    let call = |call: &genai::chat::ToolCall| ToolCall {
        id: call.call_id.clone(),
        tool: call.fn_name.clone(),
        arguments: call.fn_arguments.clone(),
    };
    let calls: Vec<_> = content.tool_calls().into_iter().map(call).collect();
    if text.is_empty() && calls.is_empty() && stop.is_none() {
        return Err(fault::empty());
    }
    let finish = match stop {
        Some(StopReason::MaxTokens(_)) => Finish::Length,
        Some(StopReason::ContentFilter(_)) => Finish::Filtered,
        Some(
            StopReason::Completed(_)
            | StopReason::ToolCall(_)
            | StopReason::StopSequence(_)
            | StopReason::Other(_),
        )
        | None
            if !calls.is_empty() =>
        {
            Finish::Tools
        }
        Some(
            StopReason::Completed(_)
            | StopReason::ToolCall(_)
            | StopReason::StopSequence(_)
            | StopReason::Other(_),
        )
        | None => Finish::Stop,
    };
    let thoughts = thoughts::of(content, plain, model);
    Ok(Said { text, calls, thoughts, finish, usage: tokens(usage) })
}

/// All zero when the provider did not count.
fn tokens(usage: &Usage) -> TokenUsage {
    let count = |tokens: Option<i32>| u64::try_from(tokens.unwrap_or_default()).unwrap_or_default();
    let details = usage.prompt_tokens_details.as_ref();
    TokenUsage {
        input: count(usage.prompt_tokens),
        cached: count(details.and_then(|details| details.cached_tokens)),
        cache_write: count(details.and_then(|details| details.cache_creation_tokens)),
        output: count(usage.completion_tokens),
    }
}
