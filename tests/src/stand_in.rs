//! A stand-in for a model, on OpenAI's wire: answers the samples of the packs that are built in as a model
//! might, and the same each time. It understands nothing: contracts it reads as the runtime `rules` does, and
//! the other samples it knows by their words.

use cadre::packs::BuiltIn;
use cadre_agent::rules::Rules;
use cadre_core::payload::canonical;
use cadre_inference::local::{LocalServer, Reply};
use serde_json::{Value, json};

/// Starts it.
///
/// # Panics
/// When there is no free port.
pub async fn stand_in() -> LocalServer {
    LocalServer::start(|_, heard| respond(&heard.body)).await.expect("a free port")
}

/// What a model says: a text, or tools that it wants called.
pub enum Words {
    /// An answer.
    Text(String),
    /// Tools by name, with their arguments.
    Calls(Vec<(&'static str, Value)>),
}

fn respond(body: &Value) -> Reply {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let text = |message: &Value| match &message["content"] {
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        content => content.as_str().unwrap_or_default().to_owned(),
    };
    let system = messages.first().map(text).unwrap_or_default();
    let user = messages.iter().find(|it| it["role"] == "user").map(text).unwrap_or_default();
    let turn = messages.iter().filter(|it| it["role"] == "assistant").count();
    let words = match system.lines().next().unwrap_or_default() {
        "You classify contracts." => classify(&user),
        "You extract the terms of contracts." => extract(&user),
        "You validate contracts for the house that signs them." => validate(&user, turn),
        "You write briefs of contracts, for people who have one minute." => brief(&user),
        "You triage requests for a support team." => triage(&user, turn),
        "You plan outings." => plan(&user, turn),
        other => panic!("the stand-in does not know the prompt {other:?}"),
    };
    let prompt = body["messages"].to_string().len() as u64 / 4;
    // A real one would have kept the prefix since the turn before.
    let cached = if turn == 0 { 0 } else { system.len() as u64 / 4 };
    said(&words, turn, (prompt, cached))
}

fn answer(output: &Value, confidence: f64) -> Words {
    let answer =
        json!({"output": output, "confidence": confidence, "unsure": null, "needs_human": null});
    Words::Text(canonical(&answer))
}

/// What the rules of one of the contract pack's contracts make of an input.
fn by_rules(contract: &str, input: &Value) -> Value {
    let pack = BuiltIn::find("contract").expect("it ships");
    let schema = pack.file(&format!("contracts/{contract}.json")).expect("a contract");
    let schema = serde_json::from_slice(schema).expect("JSON");
    Rules::compile(&schema).expect("rules").run(input).expect("an outcome").output
}

/// Takes out what a model cannot count: where in the document a quote begins and ends.
fn without_offsets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| key != "start" && key != "end");
            fields.values_mut().for_each(without_offsets);
        }
        Value::Array(items) => items.iter_mut().for_each(without_offsets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text_behind<'u>(user: &'u str, heading: &str) -> &'u str {
    user.split_once(heading).map(|(_, text)| text.trim_start()).unwrap_or_default()
}

fn kind(user: &str) -> &str {
    text_behind(user, "Kind of contract:").lines().next().unwrap_or_default().trim()
}

/// Its prompt ends with the text: all before it is the same for every call, and so no part of the turn.
fn classify(user: &str) -> Words {
    answer(&by_rules("classification.v1", &json!({"text": user})), 0.97)
}

fn extract(user: &str) -> Words {
    let text = text_behind(user, "The piece:");
    let mut terms = by_rules("terms.v2", &json!({"text": text, "offset": 0, "kind": kind(user)}));
    without_offsets(&mut terms);
    answer(&terms, 0.9)
}

/// The JSON that stands behind a heading of the prompt.
fn behind(user: &str, heading: &str) -> Value {
    let text = user.split_once(heading).map(|(_, text)| text.trim_start()).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    values.next().and_then(Result::ok).unwrap_or_default()
}

fn validate(user: &str, turn: usize) -> Words {
    let lookup = |query: &str| ("lookup", json!({"query": query, "max": 2}));
    match turn {
        0 => {
            let cap = lookup("liability cap for each contract");
            return Words::Calls(vec![("clock", json!({})), lookup("payment terms invoice"), cap]);
        }
        1 => return Words::Calls(vec![lookup("governing law accept")]),
        _ => {}
    }
    let terms = behind(user, "Terms that were found:");
    answer(&by_rules("findings.v1", &json!({"kind": kind(user), "terms": terms})), 0.8)
}

fn brief(user: &str) -> Words {
    let (findings, terms) = (behind(user, "The review:"), behind(user, "Terms that were found:"));
    let mut summary: Vec<Value> = Vec::new();
    for term in ["parties", "effective_date", "payment_days", "liability_cap", "governing_law"] {
        let quote = terms.pointer(&format!("/{term}/0/source/quote"));
        let line = quote.map(|quote| json!({"text": quote}));
        // Two terms may stand in one sentence.
        summary.extend(line.filter(|line| !summary.contains(line)));
    }
    let dossier = json!({"kind": kind(user), "terms": terms, "findings": findings, "text": "-"});
    let mut brief = by_rules("brief.v1", &dossier);
    brief["summary"] = summary.into();
    answer(&brief, 0.9)
}

fn triage(user: &str, turn: usize) -> Words {
    let line = |key: &str| {
        let found = user.lines().find_map(|line| line.strip_prefix(key));
        found.unwrap_or_default().trim().to_owned()
    };
    let (customer, request) = (line("The customer:"), line("The request:"));
    let tried = behind(user, "Turns so far:");
    let tried: Vec<&str> =
        tried.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let found = behind(user, "What the last of them found out:");
    if let Some(found) = found["answer"].as_str().filter(|found| !found.is_empty()) {
        let handled_by: Vec<_> = tried.iter().filter(|role| **role != "triage").collect();
        let reply = format!("Dear {customer}, {found}");
        return answer(&json!({"reply": reply, "handled_by": handled_by}), 0.9);
    }
    if turn == 0 && tried.is_empty() {
        return Words::Calls(vec![("lookup", json!({"query": request}))]);
    }
    let is_about_money = request.contains("invoice") || request.contains("charged");
    let wanted = if is_about_money { "billing" } else { "technology" };
    let next = [wanted, "technology", "billing"].into_iter().find(|role| !tried.contains(role));
    let (question, handoff) = match next {
        Some(role) => (Value::Null, json!({"to": role, "reason": "the handbook names you"})),
        None => {
            (json!(format!("Nobody in the team can answer {customer}: {request}")), Value::Null)
        }
    };
    let answer = json!({
        "output": null, "confidence": 0.9, "unsure": null, "needs_human": question, "handoff": handoff
    });
    Words::Text(canonical(&answer))
}

/// At first a plan that cannot be done, as models sometimes make one.
fn plan(user: &str, turn: usize) -> Words {
    let line = |key: &str| user.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    let place = line("Place: ");
    if turn == 0 {
        let step = json!({"id": "venue", "role": "estate-agent", "input": {"place": place}});
        return answer(&json!({"steps": [step]}), 0.9);
    }
    let errand = |about: &str| json!({"id": about, "role": "scout", "input": {"place": place, "about": about}});
    let agenda = json!({"id": "agenda", "role": "drafter", "input": {
        "guests": {"$from": "input.guests"},
        "facts": [{"$from": "venue.fact"}, {"$from": "weather.fact"}]
    }});
    answer(&json!({"steps": [errand("venue"), errand("weather"), agenda]}), 0.95)
}

/// The words as server-sent events, which is how a followed answer comes; with the tokens of the prompt, and
/// how many of them were cached. An answer of four bytes is one token.
#[must_use]
pub fn said(words: &Words, turn: usize, (prompt, cached): (u64, u64)) -> Reply {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let kind = "chat.completion.chunk";
        json!({"id": "s", "object": kind, "created": 0, "model": "s", "choices": [choice]})
            .to_string()
    };
    let (mut events, length) = match words {
        Words::Text(text) => {
            let text_chunk = chunk(json!({"role": "assistant", "content": text}), Value::Null);
            (vec![text_chunk, chunk(json!({}), json!("stop"))], text.len())
        }
        Words::Calls(calls) => {
            let calls: Vec<_> = calls
                .iter()
                .enumerate()
                .map(|(index, (name, arguments))| {
                    json!({
                        "index": index, "id": format!("call_{turn}_{index}"), "type": "function",
                        "function": {"name": name, "arguments": arguments.to_string()}
                    })
                })
                .collect();
            let length = json!(calls).to_string().len();
            let calls = chunk(json!({"role": "assistant", "tool_calls": calls}), Value::Null);
            (vec![calls, chunk(json!({}), json!("tool_calls"))], length)
        }
    };
    let output = length as u64 / 4;
    let usage = json!({
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached}
    });
    events.push(json!({"id": "s", "choices": [], "usage": usage}).to_string());
    events.push("[DONE]".to_owned());
    Reply::Events(events)
}
