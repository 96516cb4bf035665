//! Tests of the rules and the gate.

mod gate;
mod props;
mod rules;
mod wire;

use serde_json::{Value, json};

use super::*;
use crate::contract::Contract;

/// A candidate of source `from` with the report's confidence.
fn candidate(from: &str, value: Value, confidence: Option<f64>) -> Candidate {
    Candidate { value, from: from.to_owned(), confidence }
}

/// Candidates of sources `a`, `b`, `c`… in this order.
fn candidates(values: &[Value]) -> Vec<Candidate> {
    let named = ('a'..).zip(values);
    named.map(|(from, value)| candidate(&from.to_string(), value.clone(), None)).collect()
}

/// A required field without missing sources.
fn field(name: &str, rule: FieldRule, candidates: Vec<Candidate>) -> Field {
    Field { name: name.to_owned(), rule, is_required: true, candidates, missing: Vec::new() }
}

fn missing(step: &str, cause: &str) -> Missing {
    Missing { step: step.to_owned(), cause: cause.to_owned() }
}

fn request(fields: Vec<Field>) -> Request {
    Request { fields, gaps: Vec::new(), limit: None }
}

/// Resolves against a contract that takes everything.
fn answer(request: &Request) -> Response {
    let anything = Contract::compile("anything", 1, &json!(true)).unwrap();
    resolve(request, &anything).unwrap()
}

/// A finding.
fn finding(value: u32, confidence: f64, as_of: &str) -> Value {
    json!({"value": value, "confidence": confidence, "as_of": as_of})
}
