//! The decision records of a task's calls of models, in words: whom each step asked, why, and what was passed.

use std::fmt::Write as _;

use serde_json::Value;

use crate::output::text::clean;

/// One sentence for each call of a model among `calls`, as `cadre task calls` has them.
pub(super) fn told(calls: &[Value]) -> Vec<String> {
    let models = calls.iter().filter(|call| text(call, "/kind") == "model");
    models.map(sentence).collect()
}

fn sentence(call: &Value) -> String {
    let (step, number) = (text(call, "/step"), number(call, "/call"));
    let target = text(call, "/target");
    let mut told = match call.get("outcome").and_then(Value::as_str) {
        Some("done") => answered(call),
        Some(_) => format!("asked {target}, failed: {}", text(call, "/result/message")),
        None => format!("asked {target}, no answer yet"),
    };
    if let Some(why) = call.pointer("/result/stepped_down").and_then(Value::as_str) {
        // Writing to a string cannot fail.
        let _ = write!(told, "; {why}");
    }
    clean(&format!("Step {step}, call {number}: {told}."))
}

fn answered(call: &Value) -> String {
    let mut told = format!("asked {}", text(call, "/result/model"));
    let why = text(call, "/result/why");
    let passed = call.pointer("/result/passed").and_then(Value::as_array);
    let passed = passed.into_iter().flatten();
    let passed = passed.map(|it| format!("not {} ({})", text(it, "/model"), text(it, "/why")));
    let why = Some(why.to_owned()).filter(|why| !why.is_empty());
    let reasons: Vec<String> = why.into_iter().chain(passed).collect();
    if !reasons.is_empty() {
        let _ = write!(told, " ({})", reasons.join(", "));
    }
    let count = |key: &str| number(call, &format!("/result/tokens/{key}"));
    let (input, cached, output) = (count("input"), count("cached"), count("output"));
    let (cost, took) = (number(call, "/result/cost/usd_micros"), number(call, "/result/took_ms"));
    let _ = write!(
        told,
        "; {input} tokens in ({cached} cached), {output} out, {cost} micro-USD, {took} ms"
    );
    let called = list(call, "/result/tools/called");
    if !called.is_empty() {
        let _ = write!(told, "; it called {called} of {}", list(call, "/result/tools/offered"));
    }
    let omitted = omitted(call);
    if !omitted.is_empty() {
        let _ = write!(told, "; left out: {}", omitted.join(", "));
    }
    told
}

/// What the model was not told.
fn omitted(call: &Value) -> Vec<String> {
    let mut omitted = Vec::new();
    let input = list(call, "/result/context/input_omitted");
    if !input.is_empty() {
        omitted.push(format!("{input} of the input"));
    }
    let turns = call.pointer("/result/context/omitted").and_then(Value::as_array);
    for gone in turns.into_iter().flatten() {
        let (first, last) = (number(gone, "/turns/0"), number(gone, "/turns/1"));
        let (tokens, how) = (number(gone, "/tokens"), text(gone, "/how"));
        omitted.push(format!("turns {first} to {last} ({tokens} tokens, {how})"));
    }
    omitted
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn list(value: &Value, pointer: &str) -> String {
    let items = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_one_sentence() {
        let record = json!({
            "model": "a/b", "why": "the one before it was passed over",
            "passed": [{"model": "c/d", "why": "has no key"}],
            "stepped_down": "19 % of the grant is left: cheap instead of strong",
            "tokens": {"input": 90, "cached": 60, "cache_write": 0, "output": 7},
            "cost": {"usd_micros": 12, "tokens": 97}, "took_ms": 5,
            "tools": {"offered": ["clock", "lookup"], "called": ["lookup"], "errors": 0},
            "context": {"input_omitted": ["notes"], "omitted": [
                {"turns": [1, 4], "tokens": 800, "how": "trimmed"}]},
        });
        let call = |kind: &str, outcome: Value, result: Value| {
            json!({"step": "read", "call": 3, "kind": kind, "target": "cheap",
                "outcome": outcome, "result": result})
        };
        let calls = [
            call("model", json!("done"), record),
            call("tool", json!("done"), json!({"text": "x"})),
            call("model", json!("failed"), json!({"kind": "limit", "message": "too dear"})),
            call("model", Value::Null, Value::Null),
        ];
        assert_eq!(
            told(&calls),
            [
                "Step read, call 3: asked a/b (the one before it was passed over, not c/d (has no \
                 key)); 90 tokens in (60 cached), 7 out, 12 micro-USD, 5 ms; it called lookup of \
                 clock, lookup; left out: notes of the input, turns 1 to 4 (800 tokens, trimmed); \
                 19 % of the grant is left: cheap instead of strong.",
                "Step read, call 3: asked cheap, failed: too dear.",
                "Step read, call 3: asked cheap, no answer yet.",
            ]
        );
        let other = json!([{"kind": "model", "outcome": "done", "result": "not ours"}]);
        assert_eq!(told(other.as_array().unwrap()).len(), 1, "whatever a worker kept");
    }
}
