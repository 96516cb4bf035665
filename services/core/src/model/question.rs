//! One question to a model, and the decision record that its answer becomes.
//!
//! The journal keeps the record as the call's outcome, never the conversation: of what was asked it has
//! hashes, and of what was said just this turn. It is one JSON object:
//!
//! ```text
//! model, alias, why, passed, is_degraded, is_cached    who was asked, and why nobody else
//! purpose, number, stepped_down                        answer | summary; which call; why model_when_low
//! said {text, calls, finish, thoughts}                 what the model said; thoughts only for a tool loop's next turn
//! tokens {input, cached, cache_write, output}          as the provider counts
//! cost {usd_micros, tokens}, took_ms
//! tools {offered, called, errors}                      errors: calls so far that could not be made
//! context {ask_sha256, system_sha256, tools_sha256, input_sha256, turns_sha256, manner_sha256,
//!          tokens_estimated, turns, documents, input_omitted, omitted}   what was passed, and what left out
//! ```

use serde_json::{Value, json};

use super::{
    Choice, Finish, Manner, ModelAnswer, Prompt, Said, Thoughts, TokenUsage, ToolCall, Turn,
    cassette, dialogue::BE_BRIEF, price::Prices, route, tokens::of_turn,
};
use crate::{
    ids::Name,
    payload::{Payload, PayloadError},
    workflow::{Grant, ModelRole, Workflow},
};

/// A question, with why it is asked so.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Which model: a name of the pack's `models`.
    pub alias: Name,
    /// What is asked.
    pub prompt: Prompt,
    /// How it is to be answered.
    pub manner: Manner,
    /// Tokens of the prompt, at most.
    pub tokens: u64,
    /// What for.
    pub purpose: Purpose,
    /// What kind of work it is for.
    pub(super) class: Option<Name>,
    pub(super) number: u32,
    pub(super) number_max: u32,
    /// Why it is not the role's usual model.
    pub(super) stepped_down: Option<String>,
    pub(super) tool_errors: u32,
    /// Fields of the context that the question does not show itself.
    pub(super) context: Vec<(&'static str, Value)>,
}

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To get on with the step.
    Answer,
    /// To sum up turns that are to be left out.
    Summary,
}

impl Purpose {
    /// The purpose as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Summary => "summary",
        }
    }
}

/// A record that means nothing to this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record of a model's answer lacks {0}: another build wrote it")]
pub struct RecordError(&'static str);

/// What a record says that the conversation goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What the model said.
    pub said: Said,
    /// What it cost.
    pub cost: Grant,
    /// Which model answered in whose place, and why; `None` for the pack's first choice.
    pub degraded: Option<String>,
}

impl Question {
    /// The same question when the task's budget is nearly used: to the role's cheaper model, if it has one, and
    /// with the wish to be brief.
    ///
    /// The journal keeps a call under what [`Self::arguments`] says of the question as it was: whether money
    /// is short depends on what others spend, so another attempt may ask it the other way.
    #[must_use]
    pub fn thrifty(&self, terms: &ModelRole) -> Self {
        let mut question = self.clone();
        if question.purpose == Purpose::Summary {
            return question;
        }
        if let Some(low) = terms.alias_when_low.as_ref().filter(|low| **low != question.alias) {
            let why = format!("the task's budget is nearly used: {low} instead of {}", self.alias);
            question.stepped_down = Some(why);
            question.alias = low.clone();
        }
        let wish = Turn::User(BE_BRIEF.to_owned());
        if !question.prompt.turns.contains(&wish) {
            question.tokens = question.tokens.saturating_add(of_turn(&wish));
            question.prompt.turns.push(wish);
        }
        question
    }

    /// Everything that makes it this question and no other, by hashes.
    ///
    /// # Errors
    /// Never, for what is small and flat.
    pub fn arguments(&self) -> Result<Payload, PayloadError> {
        Payload::from_value(json!({
            "alias": self.alias.as_str(),
            "ask_sha256": self.hashes().ask.to_string(),
        }))
    }

    /// What the call does, for people.
    #[must_use]
    pub fn description(&self) -> String {
        let (alias, number, max) = (&self.alias, self.number, self.number_max);
        let what = match self.purpose {
            Purpose::Answer => "for an answer",
            Purpose::Summary => "for a summary of earlier turns",
        };
        let why = self.stepped_down.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        format!("ask {alias} {what}, {number} of {max}{why}")
    }

    /// What to set aside for it of what is `left` of the grant: what it may cost if each of its routes is
    /// tried and only the last one answers. Where nobody knows that, all that is left. The prompt has so many
    /// tokens at most for each route of its alias.
    #[must_use]
    pub fn reserve(
        &self,
        workflow: &Workflow,
        (prices, prompt_tokens): (&Prices, &[u64]),
        left: Grant,
    ) -> Grant {
        let max = self.manner.output_tokens_max;
        let Some(alias) = workflow.models.get(&self.alias) else {
            let tokens = self.tokens.saturating_add(u64::from(max));
            return Grant { usd_micros: left.usd_micros, tokens };
        };
        let (mut most, mut least, mut once) = (Grant::default(), 0, 0);
        let routes = alias.routes.iter().enumerate();
        for (index, route) in routes.filter(|(_, route)| route.is_for(self.class.as_ref())) {
            let counted = route::counted(prompt_tokens, index);
            let usd_micros = match prices.of(route) {
                Some(price) => price.estimate(counted, max).usd_micros,
                None if alias.is_free => 0,
                None => left.usd_micros,
            };
            let tokens = counted.saturating_add(u64::from(max));
            once = once.max(tokens);
            most = most.plus(Grant { usd_micros, tokens });
            // A route for those who have much left is to see that there is as much.
            let wants = route.usd_left_min_micros.filter(|wants| *wants <= left.usd_micros);
            least = least.max(wants.unwrap_or(0));
        }
        Grant {
            usd_micros: most.usd_micros.max(least).min(left.usd_micros),
            // Never less than one try takes: who has not that much left is to hear of it.
            tokens: most.tokens.min(left.tokens).max(once),
        }
    }

    /// The decision record of what was answered.
    ///
    /// # Errors
    /// [`PayloadError`] when the model said what nobody can keep.
    pub fn record(&self, answer: &ModelAnswer) -> Result<Payload, PayloadError> {
        let ModelAnswer { said, cost, choice, took } = answer;
        let Choice { model, why, passed, is_degraded, is_cached } = choice;
        let TokenUsage { input, cached, cache_write, output } = said.usage;
        let offered = self.prompt.tools.iter().map(|tool| tool.name.as_str());
        let hashes = self.hashes();
        let mut spoken = json!({
            "text": said.text,
            "calls": said.calls.iter().map(call_value).collect::<Vec<_>>(),
            "finish": said.finish.as_str(),
        });
        if let (Some(thoughts), Some(fields)) = (&said.thoughts, spoken.as_object_mut()) {
            let value = json!({"model": thoughts.model, "parts": thoughts.parts});
            fields.insert("thoughts".to_owned(), value);
        }
        let mut context = json!({
            "ask_sha256": hashes.ask.to_string(),
            "system_sha256": hashes.system.to_string(),
            "tools_sha256": hashes.tools.to_string(),
            "input_sha256": hashes.input.to_string(),
            "turns_sha256": hashes.turns.to_string(),
            "manner_sha256": hashes.manner.to_string(),
            "tokens_estimated": self.tokens,
            "turns": self.prompt.turns.len(),
        });
        if let Some(fields) = context.as_object_mut() {
            fields
                .extend(self.context.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        }
        let called: Vec<&str> = said.calls.iter().map(|call| call.tool.as_str()).collect();
        Payload::from_value(json!({
            "model": model,
            "alias": self.alias.as_str(),
            "why": why,
            "passed": passed.iter().map(|(route, why)| json!({"model": route, "why": why}))
                .collect::<Vec<_>>(),
            "is_degraded": is_degraded,
            "is_cached": is_cached,
            "purpose": self.purpose.as_str(),
            "number": self.number,
            "stepped_down": self.stepped_down,
            "said": spoken,
            "tokens": {
                "input": input, "cached": cached, "cache_write": cache_write, "output": output,
            },
            "cost": {"usd_micros": cost.usd_micros, "tokens": cost.tokens},
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "tools": {
                "offered": offered.collect::<Vec<_>>(), "called": called, "errors": self.tool_errors,
            },
            "context": context,
        }))
    }

    /// The same as a cassette has them.
    fn hashes(&self) -> cassette::Question {
        cassette::Question::of(&self.prompt, &self.manner)
    }
}

impl Answered {
    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError`] names what is missing.
    pub fn read(record: &Payload) -> Result<Self, RecordError> {
        let record = record.value();
        let said = record.get("said").ok_or(RecordError("said"))?;
        let text = said.get("text").and_then(Value::as_str).ok_or(RecordError("said.text"))?;
        let calls = said.get("calls").and_then(Value::as_array).ok_or(RecordError("said.calls"))?;
        let calls: Option<Vec<ToolCall>> = calls.iter().map(read_call).collect();
        let finish = said.get("finish").and_then(Value::as_str).and_then(Finish::parse);
        let count = |pointer: &str| record.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let usage = TokenUsage {
            input: count("/tokens/input"),
            cached: count("/tokens/cached"),
            cache_write: count("/tokens/cache_write"),
            output: count("/tokens/output"),
        };
        let cost = Grant { usd_micros: count("/cost/usd_micros"), tokens: count("/cost/tokens") };
        let said = Said {
            text: text.to_owned(),
            calls: calls.ok_or(RecordError("a call's id or tool"))?,
            thoughts: said.get("thoughts").and_then(read_thoughts),
            finish: finish.ok_or(RecordError("said.finish"))?,
            usage,
        };
        Ok(Self { said, cost, degraded: degraded(record) })
    }
}

/// Who gave the answer that a record is about, as `provider/model`; `None` when it is none of ours.
#[must_use]
pub fn answered_by(record: &Payload) -> Option<&str> {
    record.value().get("model").and_then(Value::as_str).filter(|model| !model.is_empty())
}

/// In one sentence: the role stepped down to a cheaper model, or its model's first routes were passed over.
fn degraded(record: &Value) -> Option<String> {
    let stepped_down = record.get("stepped_down").and_then(Value::as_str).map(str::to_owned);
    let is_other = record.get("is_degraded").and_then(Value::as_bool).unwrap_or_default();
    let other = is_other.then(|| {
        let text = |value: &Value, key: &str| {
            value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let passed = record.get("passed").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let passed: Vec<_> = passed
            .iter()
            .map(|one| format!("{}: {}", text(one, "model"), text(one, "why")))
            .collect();
        format!("model {} answered, not {}", text(record, "model"), passed.join(", "))
    });
    let all: Vec<_> = stepped_down.into_iter().chain(other).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

impl Finish {
    /// The reason as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Tools => "tools",
            Self::Filtered => "filtered",
        }
    }

    /// Reads the word; `None` when it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Stop, Self::Length, Self::Tools, Self::Filtered]
            .into_iter()
            .find(|finish| finish.as_str() == text)
    }
}

fn read_thoughts(thoughts: &Value) -> Option<Thoughts> {
    let model = thoughts.get("model")?.as_str()?.to_owned();
    Some(Thoughts { model, parts: thoughts.get("parts")?.clone() })
}

fn call_value(call: &ToolCall) -> Value {
    json!({"id": call.id, "tool": call.tool, "arguments": call.arguments})
}

fn read_call(call: &Value) -> Option<ToolCall> {
    let text = |key| call.get(key).and_then(Value::as_str).map(str::to_owned);
    let arguments = call.get("arguments").cloned().unwrap_or_default();
    Some(ToolCall { id: text("id")?, tool: text("tool")?, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As journals have it: a build that cannot read it cannot take such steps over.
    const KEPT: &str = r#"{"alias":"cheap","context":{"ask_sha256":"0a","turns":1},
        "cost":{"tokens":97,"usd_micros":12},"is_cached":false,"is_degraded":false,
        "model":"simulated/cheap","number":1,"passed":[],"purpose":"answer",
        "said":{"calls":[{"arguments":{"query":"fees"},"id":"c0","tool":"lookup"}],
        "finish":"tools","text":""},"stepped_down":null,"took_ms":3,
        "tokens":{"cache_write":0,"cached":60,"input":90,"output":7},
        "tools":{"called":["lookup"],"errors":0,"offered":["lookup"]},"why":"first choice"}"#;

    #[test]
    fn what_journals_have_is_read_for_ever() {
        let answered = Answered::read(&Payload::parse(KEPT.as_bytes()).unwrap()).unwrap();
        let call = ToolCall {
            id: "c0".to_owned(),
            tool: "lookup".to_owned(),
            arguments: json!({"query": "fees"}),
        };
        let usage = TokenUsage { input: 90, cached: 60, cache_write: 0, output: 7 };
        let said = Said { calls: vec![call], finish: Finish::Tools, usage, ..Said::default() };
        let cost = Grant { usd_micros: 12, tokens: 97 };
        assert_eq!(answered, Answered { said, cost, degraded: None });
    }

    #[test]
    fn a_stand_in_says_whose_place_it_took_and_why() {
        let read = |change: &[(&str, Value)]| {
            let mut record: Value = serde_json::from_str(KEPT).unwrap();
            for (key, value) in change {
                record[key] = value.clone();
            }
            Answered::read(&Payload::from_value(record).unwrap()).unwrap().degraded
        };
        let passed = json!([{"model": "a/large", "why": "its breaker is open: 5 of 5 failed"}]);
        let other = [("is_degraded", json!(true)), ("passed", passed.clone())];
        let text =
            "model simulated/cheap answered, not a/large: its breaker is open: 5 of 5 failed";
        assert_eq!(read(&other).as_deref(), Some(text));
        let low = ("stepped_down", json!("12 % of the grant is left: cheap instead of strong"));
        assert_eq!(read(std::slice::from_ref(&low)).as_deref(), low.1.as_str());
        let both = [&other[..], &[low]].concat();
        assert_eq!(
            read(&both).unwrap(),
            format!("12 % of the grant is left: cheap instead of strong; {text}")
        );
        assert_eq!(read(&[("passed", passed)]), None, "a route for longer prompts is no fallback");
    }
}
