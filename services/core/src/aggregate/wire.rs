//! Requests and responses as the JSON documents that travel over the bus.

use serde_json::{Map, Value, json};

use super::{Absence, Candidate, Claim, Conflict, Field, FieldRule, Missing, Request, Response};

/// A document that is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A part has another type than it must have, or is not there.
    #[error("{path} of the aggregation request is not {expected}")]
    Shape {
        /// JSON pointer to the part.
        path: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A newer orchestrator knows more rules than this build.
    #[error(
        "{path} of the aggregation request names the unknown rule {rule:?}: update this process"
    )]
    Rule {
        /// JSON pointer to the field.
        path: String,
        /// What stands there.
        rule: String,
    },
}

impl Request {
    /// The document that the aggregator's work order holds.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let candidate =
            |c: &Candidate| json!({"value": c.value, "from": c.from, "confidence": c.confidence});
        let gap = |m: &Missing| json!({"step": m.step, "cause": m.cause});
        let field = |f: &Field| {
            json!({
                "name": f.name,
                "rule": f.rule.as_str(),
                "required": f.is_required,
                "candidates": f.candidates.iter().map(candidate).collect::<Vec<_>>(),
                "missing": f.missing.iter().map(gap).collect::<Vec<_>>(),
            })
        };
        json!({
            "fields": self.fields.iter().map(field).collect::<Vec<_>>(),
            "gaps": self.gaps.iter().map(gap).collect::<Vec<_>>(),
            "limit": self.limit,
        })
    }

    /// Reads what [`Self::to_value`] wrote; unknown keys are left aside.
    ///
    /// # Errors
    /// [`RequestError`] names the first part that is not as it must be.
    pub fn from_value(value: &Value) -> Result<Self, RequestError> {
        let root = Part { value, path: String::new() };
        let limit = root.maybe("limit").map(|limit| limit.text()).transpose()?;
        Ok(Self {
            fields: root.list("fields", read_field)?,
            gaps: root.list("gaps", read_missing)?,
            limit,
        })
    }
}

fn read_field(part: &Part<'_>) -> Result<Field, RequestError> {
    let rule = part.get("rule")?;
    let text = rule.text()?;
    let rule = FieldRule::parse(&text)
        .ok_or_else(|| RequestError::Rule { path: rule.path.clone(), rule: text })?;
    let required = part.get("required")?;
    Ok(Field {
        name: part.get("name")?.text()?,
        rule,
        is_required: required.value.as_bool().ok_or_else(|| required.is_not("a boolean"))?,
        candidates: part.list("candidates", read_candidate)?,
        missing: part.list("missing", read_missing)?,
    })
}

fn read_candidate(part: &Part<'_>) -> Result<Candidate, RequestError> {
    let confidence = part
        .maybe("confidence")
        .map(|number| number.value.as_f64().ok_or_else(|| number.is_not("a number or null")));
    Ok(Candidate {
        value: part.get("value")?.value.clone(),
        from: part.get("from")?.text()?,
        confidence: confidence.transpose()?,
    })
}

fn read_missing(part: &Part<'_>) -> Result<Missing, RequestError> {
    Ok(Missing { step: part.get("step")?.text()?, cause: part.get("cause")?.text()? })
}

/// A part of the document that knows where it stands.
struct Part<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Part<'a> {
    fn at(&self, key: impl std::fmt::Display, value: &'a Value) -> Self {
        Self { value, path: format!("{}/{key}", self.path) }
    }

    fn get(&self, key: &str) -> Result<Self, RequestError> {
        let fields = self.value.as_object().ok_or_else(|| self.is_not("an object"))?;
        let value = fields.get(key);
        value
            .map(|value| self.at(key, value))
            .ok_or_else(|| self.at(key, &Value::Null).is_not("there"))
    }

    /// `None` when it is absent or null.
    fn maybe(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null());
        value.map(|value| self.at(key, value))
    }

    fn text(&self) -> Result<String, RequestError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.is_not("a string"))
    }

    fn list<T>(
        &self,
        key: &str,
        read: fn(&Part<'_>) -> Result<T, RequestError>,
    ) -> Result<Vec<T>, RequestError> {
        let list = self.get(key)?;
        let items = list.value.as_array().ok_or_else(|| list.is_not("a list"))?;
        items.iter().enumerate().map(|(index, item)| read(&list.at(index, item))).collect()
    }

    fn is_not(&self, expected: &'static str) -> RequestError {
        let path = if self.path.is_empty() { "/".to_owned() } else { self.path.clone() };
        RequestError::Shape { path, expected }
    }
}

impl Response {
    /// The document that the aggregator reports: `status reason result missing conflicts`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "status": self.status.as_str(),
            "reason": self.reason,
            "result": self.result,
            "missing": self.missing.iter().map(absence).collect::<Vec<_>>(),
            "conflicts": self.conflicts.iter().map(conflict).collect::<Vec<_>>(),
        })
    }
}

fn absence(absence: &Absence) -> Value {
    let mut document = Map::new();
    if let Some(field) = &absence.field {
        document.insert("field".to_owned(), json!(field));
    }
    document.insert("step".to_owned(), json!(absence.step));
    document.insert("cause".to_owned(), json!(absence.cause));
    Value::Object(document)
}

fn conflict(conflict: &Conflict) -> Value {
    json!({
        "field": conflict.field,
        "rule": conflict.rule.as_str(),
        "winner": conflict.winner.as_ref().map(claim),
        "losers": conflict.losers.iter().map(claim).collect::<Vec<_>>(),
        "resolved": conflict.winner.is_some(),
        "why": conflict.why,
    })
}

fn claim(claim: &Claim) -> Value {
    let mut document = Map::new();
    document.insert("value".to_owned(), claim.value.clone());
    document.insert("from".to_owned(), json!(claim.from));
    if let Some(confidence) = claim.confidence {
        document.insert("confidence".to_owned(), json!(confidence));
    }
    if let Some(as_of) = &claim.as_of {
        document.insert("as_of".to_owned(), as_of.clone());
    }
    Value::Object(document)
}
