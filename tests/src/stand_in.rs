//! A stand-in for a model, on OpenAI's wire: answers the samples of the packs that are built in as a model
//! might, and the same each time. It understands nothing: it knows these texts by their words.

use cadre_core::payload::canonical;
use cadre_inference::local::{LocalServer, Reply};
use serde_json::{Value, json};

/// Words of the sample contracts, the list of terms that they belong to, and what they say.
const TERMS: [(&str, &str, &str); 14] = [
    ("Tessel Logistics, Inc., a Delaware", "parties", "\"Tessel Logistics, Inc.\""),
    ("Harrowgate Analytics Limited, a", "parties", "\"Harrowgate Analytics Limited\""),
    ("Bluefen Robotics GmbH, a company", "parties", "\"Bluefen Robotics GmbH\""),
    ("Ostrava Castings s.r.o., a company", "parties", "\"Ostrava Castings s.r.o.\""),
    ("entered into as of 3 March 2025", "effective_dates", "\"2025-03-03\""),
    ("Effective Date: January 15, 2026", "effective_dates", "\"2026-01-15\""),
    ("within thirty (30) days of receipt of the invoice", "payment_days", "30"),
    ("payable net forty-five (45) days", "payment_days", "45"),
    ("~~USD 1,000,000~~ USD 1,500,000", "liability_caps", "\"USD 1,500,000\""),
    ("limited to EUR 250,000", "liability_caps", "\"EUR 250,000\""),
    ("laws of the State of New York", "governing_laws", "\"State of New York\""),
    ("governed by the laws of Germany", "governing_laws", "\"Germany\""),
    ("not less than sixty (60) days’ written notice", "notice_days", "60"),
    ("upon one month’s written notice", "notice_days", "30"),
];

const LISTS: [&str; 6] = [
    "parties",
    "effective_dates",
    "payment_days",
    "liability_caps",
    "governing_laws",
    "notice_days",
];

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
        "You sort contracts." => sort(&user),
        "You find the terms of contracts." => find(&user),
        "You review contracts for the house that signs them." => review(&user, turn),
        "You summarise contracts for people who have one minute." => summarise(&user),
        "You are the front desk of a support team." => front_desk(&user, turn),
        "You plan outings." => plan(&user),
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

fn sort(user: &str) -> Words {
    let kind = match (user.contains("MASTER SERVICES"), user.contains("NON-DISCLOSURE")) {
        (true, _) => "msa",
        (false, true) => "nda",
        (false, false) => "other",
    };
    answer(&json!({"kind": kind}), 0.97)
}

fn find(user: &str) -> Words {
    let words = user.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut terms = json!({});
    for list in LISTS {
        let of_list = TERMS.iter().filter(|(needle, of, _)| *of == list && words.contains(needle));
        let values = of_list.map(|(_, _, value)| serde_json::from_str(value).expect("JSON"));
        terms[list] = Value::Array(values.collect());
    }
    answer(&terms, 0.9)
}

/// The JSON that stands behind a heading of the prompt.
fn behind(user: &str, heading: &str) -> Value {
    let text = user.split_once(heading).map(|(_, text)| text.trim_start()).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    values.next().and_then(Result::ok).unwrap_or_default()
}

fn review(user: &str, turn: usize) -> Words {
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
    let caps = terms["liability_caps"].as_array().cloned().unwrap_or_default();
    let mut issues = Vec::new();
    for cap in caps.iter().filter_map(Value::as_str) {
        let digits: String = cap.chars().filter(char::is_ascii_digit).collect();
        if digits.parse::<u64>().is_ok_and(|amount| amount > 1_000_000) {
            let text = format!("Liability is capped at {cap}; the policy allows 1,000,000.");
            issues.push(json!({"severity": "high", "text": text}));
        }
    }
    if terms["payment_days"].as_array().is_some_and(|days| days.len() > 1) {
        let text = "Two payment terms are stated, 30 and 45 days: which one counts?";
        issues.push(json!({"severity": "medium", "text": text}));
    }
    let risk = issues.first().map_or(json!("low"), |issue| issue["severity"].clone());
    answer(&json!({"issues": issues, "risk": risk}), 0.8)
}

fn summarise(user: &str) -> Words {
    let (terms, issues) = (behind(user, "\nTerms:"), behind(user, "\nIssues:"));
    let first = |list: &str| match &terms[list][0] {
        Value::String(text) => text.clone(),
        Value::Null => "none stated".to_owned(),
        other => other.to_string(),
    };
    let (one, other) = (first("parties"), terms["parties"][1].as_str().unwrap_or("nobody"));
    let mut text = format!(
        "A contract between {one} and {other}, under the law of {}. Liability is capped at {}.",
        first("governing_laws"),
        first("liability_caps")
    );
    if let Some(worst) = issues[0]["text"].as_str() {
        text = format!("{text} The worst issue: {worst}");
    }
    answer(&json!({"text": text}), 0.9)
}

fn front_desk(user: &str, turn: usize) -> Words {
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
        let handled_by: Vec<_> = tried.iter().filter(|role| **role != "front-desk").collect();
        let reply = format!("Dear {customer}, {found}");
        return answer(&json!({"reply": reply, "handled_by": handled_by}), 0.9);
    }
    if turn == 0 && tried.is_empty() {
        return Words::Calls(vec![("lookup", json!({"query": request}))]);
    }
    let wanted = if request.contains("invoice") { "accounts" } else { "engineers" };
    let next = [wanted, "engineers", "accounts"].into_iter().find(|role| !tried.contains(role));
    let (question, handoff) = match next {
        Some(role) => (Value::Null, json!({"to": role, "reason": "the handbook names you"})),
        None => (json!(format!("Nobody knows what to tell {customer}: {request}")), Value::Null),
    };
    let answer = json!({
        "output": null, "confidence": 0.9, "unsure": null, "needs_human": question, "handoff": handoff
    });
    Words::Text(canonical(&answer))
}

fn plan(user: &str) -> Words {
    let line = |key: &str| user.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    let place = line("Place: ");
    let errand = |about: &str| json!({"id": about, "role": "inquirer", "input": {"place": place, "about": about}});
    let agenda = json!({"id": "agenda", "role": "agenda-writer", "input": {
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
