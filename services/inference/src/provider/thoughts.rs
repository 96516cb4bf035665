//! What a model thought before it called tools, as it goes back to it with their answers.
//!
//! Anthropic refuses the next turn of a tool loop without its signed thinking blocks, Gemini wants the
//! signature that came with a call on that call, OpenAI's responses their encrypted reasoning before the calls,
//! OpenRouter its reasoning details, DeepSeek and Kimi their plain reasoning. They are kept as one list in the
//! order in which they came: `{"signature": …}`, `{"reasoning": …}`, `{"block": …}`, and
//! `{"call": n, "signatures": […]}` for the call of that place. Journals have it: entries may be added to it,
//! not changed.

use cadre_core::model::Thoughts;
use genai::chat::{ContentPart, MessageContent};
use serde_json::{Value, json};

/// What `content`, and `plain` reasoning beside it, have of it for `model`; `None` where no tool is called.
pub(super) fn of(content: &MessageContent, plain: Option<&str>, model: &str) -> Option<Thoughts> {
    let plain = plain.filter(|text| !text.is_empty()).map(|text| json!({ "reasoning": text }));
    let (mut parts, mut calls) = (Vec::from_iter(plain), 0_usize);
    for part in content.parts() {
        parts.extend(entry(part, calls));
        calls += usize::from(part.as_tool_call().is_some());
    }
    let is_wanted = calls > 0 && !parts.is_empty();
    is_wanted.then(|| Thoughts { model: model.to_owned(), parts: Value::Array(parts) })
}

fn entry(part: &ContentPart, place: usize) -> Option<Value> {
    if let Some(text) = part.as_reasoning_content() {
        return Some(json!({ "reasoning": text }));
    }
    if let Some(signature) = part.as_thought_signature() {
        return (!signature.is_empty()).then(|| json!({ "signature": signature }));
    }
    if let Some(custom) = part.as_custom() {
        return Some(json!({ "block": custom.data }));
    }
    let signatures = part.as_tool_call()?.thought_signatures.as_ref()?;
    Some(json!({ "call": place, "signatures": signatures }))
}

/// What goes before the text and the calls of a turn.
pub(super) fn leading(thoughts: Option<&Thoughts>) -> Vec<ContentPart> {
    let part = |entry: &Value| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let block =
            || entry.get("block").map(|block| ContentPart::from_custom(block.clone(), None));
        text("signature")
            .map(ContentPart::ThoughtSignature)
            .or_else(|| text("reasoning").map(ContentPart::ReasoningContent))
            .or_else(block)
    };
    entries(thoughts).iter().filter_map(part).collect()
}

/// What goes with the call of this place.
pub(super) fn of_call(thoughts: Option<&Thoughts>, place: usize) -> Option<Vec<String>> {
    let place = u64::try_from(place).ok()?;
    let is_its = |entry: &&Value| entry.get("call").and_then(Value::as_u64) == Some(place);
    let entry = entries(thoughts).iter().find(is_its)?;
    let signatures = entry.get("signatures")?.as_array()?.iter();
    Some(signatures.filter_map(Value::as_str).map(str::to_owned).collect())
}

fn entries(thoughts: Option<&Thoughts>) -> &[Value] {
    thoughts.and_then(|thoughts| thoughts.parts.as_array()).map_or(&[], Vec::as_slice)
}
