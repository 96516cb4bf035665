//! What the steps of a task have asked of models and tools, from their journals.

use cadre_core::{
    journal::{CallKind, CallOutcome},
    ports::desk::StepCall,
};
use serde_json::Value;

use super::steps::{clipped, pretty};
use crate::pages::task::{Call, Calls, Told};

/// Calls that one page shows.
const SHOWN: usize = 100;

/// Characters of each document among them.
const DOCUMENT_CHARS: usize = 4_000;

/// The first calls of a task, in order.
pub(super) fn of_task(made: &[StepCall]) -> Calls {
    let left_out = made.len().saturating_sub(SHOWN) as u64;
    Calls { shown: made.iter().take(SHOWN).map(call).collect(), left_out }
}

/// A call as its journal has it.
fn call(made: &StepCall) -> Call {
    let (intent, ended) = (&made.call.intent, made.call.ended.as_ref());
    let (outcome, answered) = match ended.map(|ended| &ended.outcome) {
        None => ("running", None),
        Some(CallOutcome::Done(result)) => {
            ("completed", Some(clipped(pretty(result), DOCUMENT_CHARS)))
        }
        Some(CallOutcome::Failed(failure)) => {
            ("failed", Some(format!("{}: {}", failure.kind.as_str(), failure.message)))
        }
    };
    let told = ended.and_then(|ended| match &ended.outcome {
        CallOutcome::Done(record) if intent.kind == CallKind::Model => told(record.value()),
        CallOutcome::Done(_) | CallOutcome::Failed(_) => None,
    });
    // What a call without an outcome has cost nobody knows: at most what was set aside.
    let cost = ended.map_or(intent.reserved, |ended| ended.cost);
    Call {
        step: format!("{} · {} #{}", made.step, made.role, made.number),
        kind: intent.kind.as_str().to_owned(),
        name: intent.target.clone(),
        description: intent.description.clone(),
        outcome: outcome.to_owned(),
        attempt: made.call.begun.attempt.into(),
        worker: made.call.begun.worker.clone(),
        is_repeatable: intent.is_idempotent,
        ruled_by: ended.and_then(|ended| ended.ruled_by.clone()).unwrap_or_default(),
        tokens: cost.tokens,
        cost_micros: cost.usd_micros,
        told,
        answered,
    }
}

/// A model's decision record taken apart; `None` for what another kind of worker kept.
///
/// `core::model::Question::record` says what stands where.
fn told(record: &Value) -> Option<Told> {
    let model = record.get("model").and_then(Value::as_str)?;
    let text = |at: &str| record.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |at: &str| record.pointer(at).and_then(Value::as_u64).unwrap_or_default();
    let said = text("/said/text");
    // What models answer is a document mostly.
    let said = match serde_json::from_str::<Value>(&said) {
        Ok(document) => serde_json::to_string_pretty(&document).unwrap_or(said),
        Err(_) => said,
    };
    Some(Told {
        model: model.to_owned(),
        why: text("/why"),
        passed_over: pairs(record.pointer("/passed"), ("model", "why")),
        stepped_down: text("/stepped_down"),
        is_cached: record.get("is_cached").and_then(Value::as_bool).unwrap_or(false),
        offered: names(record.pointer("/tools/offered")),
        called: called(record),
        turns: number("/context/turns"),
        tokens_estimated: number("/context/tokens_estimated"),
        documents: names(record.pointer("/context/documents")),
        omitted: omitted(record),
        tokens: (number("/tokens/input"), number("/tokens/cached"), number("/tokens/output")),
        took_ms: number("/took_ms"),
        said: clipped(said, DOCUMENT_CHARS),
    })
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn names(value: Option<&Value>) -> Vec<String> {
    list(value).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn pairs(value: Option<&Value>, (one, other): (&str, &str)) -> Vec<(String, String)> {
    let text = |item: &Value, key: &str| {
        item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    list(value).map(|item| (text(item, one), text(item, other))).collect()
}

/// Tools with their arguments.
fn called(record: &Value) -> Vec<(String, String)> {
    let calls = list(record.pointer("/said/calls"));
    let call = |call: &Value| {
        let tool = call.get("tool").and_then(Value::as_str).unwrap_or_default().to_owned();
        let arguments = call.get("arguments").map(serde_json::to_string_pretty);
        let arguments = arguments.and_then(Result::ok).unwrap_or_default();
        (tool, clipped(arguments, DOCUMENT_CHARS))
    };
    calls.map(call).collect()
}

/// What the model was not told, a line each.
fn omitted(record: &Value) -> Vec<String> {
    let fields = names(record.pointer("/context/input_omitted"));
    let fields = fields.into_iter().map(|field| format!("{field} of the input"));
    let turns = list(record.pointer("/context/omitted")).map(|gone| {
        let number = |at: &str| gone.pointer(at).and_then(Value::as_u64).unwrap_or_default();
        let how = gone.get("how").and_then(Value::as_str).unwrap_or("left out");
        let (first, last, tokens) = (number("/turns/0"), number("/turns/1"), number("/tokens"));
        format!("turns {first} to {last}, {tokens} tokens: {how}")
    });
    fields.chain(turns).collect()
}

#[cfg(test)]
mod tests {
    use cadre_core::{
        journal::{Claim, Ended, Intent},
        payload::{Hash, Payload},
        workflow::Grant,
    };
    use serde_json::json;

    use super::*;

    fn made(kind: CallKind, outcome: Value) -> StepCall {
        let name = |text: &str| text.parse().unwrap();
        let intent = Intent {
            kind,
            target: "cheap".to_owned(),
            arguments: Hash::of(b"x"),
            description: "ask cheap for an answer, 1 of 4".to_owned(),
            is_idempotent: true,
            reserved: Grant::default(),
        };
        let outcome = CallOutcome::Done(Payload::from_value(outcome).unwrap());
        let begun = Claim { attempt: 1, delivery: 1, worker: "w1".to_owned() };
        let ended = Ended { outcome, cost: Grant::default(), ruled_by: None };
        let call = cadre_core::journal::Call { intent, begun, ended: Some(ended) };
        StepCall { step: name_of_step(), role: name("reader"), number: 3, call }
    }

    fn name_of_step() -> cadre_core::ids::StepId {
        cadre_core::ids::StepId::parse("read").unwrap()
    }

    #[test]
    fn a_record_is_taken_apart() {
        let record = json!({
            "model": "a/b", "why": "the one before it was passed over",
            "passed": [{"model": "c/d", "why": "has no key"}],
            "stepped_down": null, "is_cached": true,
            "said": {"text": "{\"output\":1}", "calls": [{"tool": "lookup", "arguments": {"q": 1}}]},
            "tokens": {"input": 90, "cached": 60, "output": 7}, "took_ms": 5,
            "tools": {"offered": ["clock", "lookup"], "called": ["lookup"], "errors": 0},
            "context": {"turns": 3, "tokens_estimated": 120, "documents": ["law.md"],
                "input_omitted": ["notes"],
                "omitted": [{"turns": [1, 4], "tokens": 800, "how": "trimmed"}]},
        });
        let calls = of_task(&[made(CallKind::Model, record)]);
        let told = calls.shown[0].told.as_ref().unwrap();
        assert_eq!(told.passed_over, [("c/d".to_owned(), "has no key".to_owned())]);
        assert_eq!(told.omitted, ["notes of the input", "turns 1 to 4, 800 tokens: trimmed"]);
        assert_eq!((told.offered.len(), told.called[0].0.as_str()), (2, "lookup"));
        assert_eq!((told.tokens, told.turns, told.is_cached), ((90, 60, 7), 3, true));
        assert_eq!(told.said, "{\n  \"output\": 1\n}");
    }

    #[test]
    fn what_another_worker_kept_is_shown_as_it_is() {
        for (kind, kept) in
            [(CallKind::Model, json!("free text")), (CallKind::Tool, json!({"model": "x"}))]
        {
            let calls = of_task(&[made(kind, kept)]);
            assert!(calls.shown[0].told.is_none() && calls.shown[0].answered.is_some());
        }
    }

    #[test]
    fn a_page_has_so_many_calls_and_says_how_many_it_has_not() {
        let many = vec![made(CallKind::Tool, json!("x".repeat(9_000))); 120];
        let calls = of_task(&many);
        assert_eq!((calls.shown.len(), calls.left_out), (100, 20));
        let shown = calls.shown[0].answered.as_ref().unwrap();
        assert!(shown.ends_with('…') && shown.chars().count() < 4_010);
    }
}
