//! What a model's answer looks like, and what it means.
//!
//! A model answers with one JSON object:
//!
//! ```json
//! {"output": …, "confidence": 0.9, "unsure": null, "needs_human": null, "handoff": null}
//! ```
//!
//! `output` is what the role's `returns` contract says, or null for none; `unsure` is what it doubts;
//! `needs_human` a question to a person; `handoff` (`to`, `reason`) is there only for roles of a crew.
//! A field that is missing is null, one that is unknown is ignored; what is left must mean something.

use std::{fmt::Write as _, sync::Arc};

use serde_json::{Map, Value, json};

use crate::{contract::Contract, ids::Name, payload::Payload, task::Outcome};

/// Where the role's contract stands in the schema of the answer.
const OUTPUT_AT: &str = "/properties/output/anyOf/0";

/// What an answer of one role looks like.
#[derive(Debug)]
pub(super) struct AnswerForm {
    returns: Arc<Contract>,
    /// Whom the role can hand off to; empty for a role that cannot.
    team: Vec<Name>,
    schema: Arc<Value>,
}

impl AnswerForm {
    /// The form for a role that returns this, and can hand off to these.
    #[must_use]
    pub(super) fn new(returns: &Arc<Contract>, team: Vec<Name>) -> Self {
        let text = || json!({"type": ["string", "null"]});
        let output = json!({"anyOf": [returns.embedded(OUTPUT_AT), {"type": "null"}]});
        let mut properties = Map::new();
        properties.insert("output".to_owned(), output);
        let confidence = json!({"type": "number", "minimum": 0, "maximum": 1});
        properties.insert("confidence".to_owned(), confidence);
        properties.insert("unsure".to_owned(), text());
        properties.insert("needs_human".to_owned(), text());
        if !team.is_empty() {
            let names: Vec<&str> = team.iter().map(Name::as_str).collect();
            let to = json!({
                "type": "object",
                "properties": {"to": {"enum": names}, "reason": {"type": "string"}},
                "required": ["to", "reason"],
                "additionalProperties": false,
            });
            properties.insert("handoff".to_owned(), json!({"anyOf": [to, {"type": "null"}]}));
        }
        let required: Vec<&String> = properties.keys().collect();
        let schema = json!({
            "type": "object", "required": required, "properties": properties,
            "additionalProperties": false,
        });
        Self { returns: Arc::clone(returns), team, schema: Arc::new(schema) }
    }

    /// JSON Schema of the answer.
    #[must_use]
    pub(super) fn schema(&self) -> &Arc<Value> {
        &self.schema
    }

    /// What a model is told about it: the same bytes for the same role.
    #[must_use]
    pub(super) fn described(&self) -> String {
        let mut text = "Answer with one JSON object and nothing else. Its fields:\n\
            - output: what is asked of you; null if you have none.\n\
            - confidence: how sure you are that the output is right, from 0 to 1.\n\
            - unsure: null, or what you doubt; then somebody else decides whether the output counts.\n\
            - needs_human: null, or a question without whose answer, by a person, you cannot go on.\n"
            .to_owned();
        if !self.team.is_empty() {
            let names: Vec<&str> = self.team.iter().map(Name::as_str).collect();
            let names = names.join(", ");
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "- handoff: null, or whose turn it is now instead of yours ({names}), and what is \
                 wanted of them."
            );
        }
        let _ = write!(text, "Its JSON Schema:\n{}", self.schema);
        text
    }

    /// What an answer means.
    ///
    /// # Errors
    /// What is wrong with it, for the model to repair.
    pub(super) fn read(&self, text: &str) -> Result<Outcome, String> {
        let payload = Payload::parse_unique(unfenced(text).as_bytes())
            .map_err(|error| format!("the answer is no JSON object: {error}"))?;
        let Value::Object(fields) = payload.value() else {
            return Err("the answer is no JSON object".to_owned());
        };
        let confidence = confidence(fields)?;
        let unsure = words(fields, "unsure")?;
        let question = words(fields, "needs_human")?;
        let handoff = self.handoff(fields)?;
        let given = fields.get("output").unwrap_or(&Value::Null);
        let checked = self.returns.check(given);
        let output = match (given, &checked) {
            (Value::Null, Err(_)) => None,
            (_, Ok(())) => Some(Payload::from_value(given.clone()).map_err(|e| e.to_string())?),
            (_, Err(violations)) => {
                let contract = self.returns.id();
                return Err(format!("`output` breaks contract {contract}: {violations}"));
            }
        };
        match (handoff, question, output, unsure) {
            (Some((to, reason)), _, output, _) => {
                let output = output.filter(|output| !output.value().is_null());
                Ok(Outcome::Handoff { to, reason, output })
            }
            (None, Some(question), _, _) => Ok(Outcome::NeedsHuman { question }),
            (None, None, output, Some(reason)) => {
                Ok(Outcome::Unsure { output, confidence, reason })
            }
            (None, None, Some(output), None) => Ok(Outcome::Completed { output, confidence }),
            (None, None, None, None) if fields.contains_key("output") => {
                Err("`output` is null, and nothing says why: fill it, `unsure` or `needs_human`"
                    .to_owned())
            }
            (None, None, None, None) => Err("the answer lacks `output`".to_owned()),
        }
    }

    fn handoff(&self, fields: &Map<String, Value>) -> Result<Option<(Name, String)>, String> {
        let handoff = match fields.get("handoff") {
            None | Some(Value::Null) => return Ok(None),
            Some(handoff) => handoff,
        };
        let to = handoff.get("to").and_then(Value::as_str);
        let reason = handoff.get("reason").and_then(Value::as_str);
        let (Some(to), Some(reason)) = (to, reason) else {
            return Err("`handoff` is neither null nor has the texts `to` and `reason`".to_owned());
        };
        match self.team.iter().find(|name| name.as_str() == to) {
            Some(name) => Ok(Some((name.clone(), reason.to_owned()))),
            None if self.team.is_empty() => Err("`handoff` is not for you: answer".to_owned()),
            None => {
                let names: Vec<&str> = self.team.iter().map(Name::as_str).collect();
                Err(format!("`handoff.to` is none of {}", names.join(", ")))
            }
        }
    }
}

/// The same, but unsure when the confidence is below `min`, or was not said.
#[must_use]
pub(super) fn doubted(outcome: Outcome, min: Option<f64>) -> Outcome {
    match (outcome, min) {
        (Outcome::Completed { output, confidence }, Some(min))
            if confidence.is_none_or(|confidence| confidence < min) =>
        {
            let reason = match confidence {
                Some(confidence) => format!("its confidence of {confidence} is below {min}"),
                None => format!("it gave no confidence, {min} is wanted"),
            };
            Outcome::Unsure { output: Some(output), confidence, reason }
        }
        (outcome, _) => outcome,
    }
}

fn confidence(fields: &Map<String, Value>) -> Result<Option<f64>, String> {
    match fields.get("confidence") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(confidence) if (0.0..=1.0).contains(&confidence) => Ok(Some(confidence)),
            Some(_) | None => Err("`confidence` is no number from 0 to 1".to_owned()),
        },
    }
}

/// A text that says something; an empty one says nothing.
fn words(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(format!("`{name}` is neither null nor a text"))
        }
    }
}

/// The text without the fence of a code block, which many models put around JSON.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    match inner {
        Some(inner) => inner.strip_prefix("json").unwrap_or(inner).trim(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(team: &[&str]) -> AnswerForm {
        let returns = json!({
            "type": "object", "required": ["days"], "additionalProperties": false,
            "properties": {"days": {"$ref": "#/$defs/days"}},
            "$defs": {"days": {"type": "integer"}}
        });
        let returns = Arc::new(Contract::compile("terms", 1, &returns).unwrap());
        AnswerForm::new(&returns, team.iter().map(|name| name.parse().unwrap()).collect())
    }

    #[test]
    fn an_answer_means_one_thing() {
        let days = || Payload::from_value(json!({"days": 3})).unwrap();
        let to: Name = "boss".parse().unwrap();
        let cases = [
            (
                r#"{"output": {"days": 3}, "confidence": 0.5}"#,
                Outcome::Completed { output: days(), confidence: Some(0.5) },
            ),
            (
                "```json\n{\"output\": {\"days\": 3}, \"unsure\": \"\", \"other\": 1}\n```",
                Outcome::Completed { output: days(), confidence: None },
            ),
            (
                r#"{"output": {"days": 3}, "unsure": "the year"}"#,
                Outcome::Unsure {
                    output: Some(days()),
                    confidence: None,
                    reason: "the year".to_owned(),
                },
            ),
            (
                r#"{"output": null, "confidence": 0, "unsure": "no date"}"#,
                Outcome::Unsure {
                    output: None,
                    confidence: Some(0.0),
                    reason: "no date".to_owned(),
                },
            ),
            (
                r#"{"output": null, "needs_human": "which year?"}"#,
                Outcome::NeedsHuman { question: "which year?".to_owned() },
            ),
            (
                r#"{"output": null, "handoff": {"to": "boss", "reason": "too hard"}}"#,
                Outcome::Handoff { to, reason: "too hard".to_owned(), output: None },
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(form(&["boss"]).read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            ("30 days", "the answer is no JSON object: not valid JSON"),
            ("[3]", "the answer is no JSON object"),
            ("{}", "the answer lacks `output`"),
            (r#"{"output": null}"#, "`output` is null, and nothing says why"),
            (r#"{"output": {"days": "3"}}"#, "`output` breaks contract terms@1: /days"),
            (r#"{"output": {"days": 3}, "confidence": 2}"#, "`confidence` is no number"),
            (r#"{"output": {"days": 3}, "unsure": 1}"#, "`unsure` is neither"),
            (r#"{"handoff": {"to": "x", "reason": "y"}}"#, "`handoff.to` is none of boss"),
            (r#"{"handoff": "boss"}"#, "`handoff` is neither null"),
        ];
        for (text, expected) in cases {
            let wrong = form(&["boss"]).read(text).unwrap_err();
            assert!(wrong.starts_with(expected), "{text}: {wrong}");
        }
        let alone = form(&[]).read(r#"{"handoff": {"to": "x", "reason": "y"}}"#).unwrap_err();
        assert!(alone.starts_with("`handoff` is not for you"), "{alone}");
    }

    #[test]
    fn the_schema_takes_what_is_understood() {
        let form = form(&["boss"]);
        let schema = Contract::compile("answer", 1, form.schema()).unwrap();
        let answer = |output: Value, handoff: Value| {
            json!({"output": output, "confidence": 1, "unsure": null, "needs_human": null,
                "handoff": handoff})
        };
        let to = json!({"to": "boss", "reason": "r"});
        for (answer, fits) in [
            (answer(json!({"days": 3}), Value::Null), true),
            (answer(Value::Null, to.clone()), true),
            (answer(json!({"days": "x"}), Value::Null), false),
            (answer(Value::Null, json!({"to": "x", "reason": "r"})), false),
        ] {
            assert_eq!(schema.check(&answer).is_ok(), fits, "{answer}");
            assert_eq!(form.read(&answer.to_string()).is_ok(), fits, "{answer}");
        }
        assert!(form.described().ends_with(&form.schema().to_string()));
    }

    #[test]
    fn little_confidence_is_doubt() {
        let output = || Payload::from_value(json!({"days": 3})).unwrap();
        let completed = |confidence| Outcome::Completed { output: output(), confidence };
        assert_eq!(doubted(completed(Some(0.6)), Some(0.6)), completed(Some(0.6)));
        assert_eq!(doubted(completed(None), None), completed(None));
        for confidence in [Some(0.59), None] {
            let outcome = doubted(completed(confidence), Some(0.6));
            assert!(matches!(outcome, Outcome::Unsure { output: Some(_), .. }), "{outcome:?}");
        }
    }
}
