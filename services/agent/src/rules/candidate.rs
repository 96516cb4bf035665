//! What hints find in a text, before it is shaped by the schema.

use std::ops::Range;

use serde_json::{Map, Number, Value, json};

use super::{
    document::{Document, clip},
    limits::{QUOTE_CHARS_MAX, SECTION_CHARS_MAX},
    lines::slice,
    node::Node,
};

/// A value with the place it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub value: Value,
    /// 0 to 1.
    pub confidence: f64,
    /// Byte range in the text.
    pub found: Range<usize>,
    /// ISO date that the text gives for this value.
    pub as_of: Option<String>,
    /// Quote the range itself rather than the sentence around it.
    pub is_whole: bool,
}

impl Candidate {
    /// Shapes the candidate for a place: a finding with its source, or the bare value.
    ///
    /// None when the schema does not admit it.
    pub(super) fn shape(&self, place: &Node, document: &Document) -> Option<Value> {
        let value =
            if place.is_finding() { self.finding(place, document) } else { self.value.clone() };
        place.admits(&value).then_some(value)
    }

    fn finding(&self, place: &Node, document: &Document) -> Value {
        let source_node = place.property("source");
        let limit = source_node
            .and_then(|source| source.property("quote"))
            .and_then(|quote| quote.bounds.length_max)
            .unwrap_or(usize::MAX);
        let range = if self.is_whole {
            clip(document.text, &self.found, limit.min(SECTION_CHARS_MAX))
        } else {
            document.quote_range(&self.found, limit.min(QUOTE_CHARS_MAX))
        };
        let mut source = source(document, &range);
        let takes = |node: Option<&Node>, name: &str| node.and_then(|n| n.property(name)).is_some();
        if takes(source_node, "clause") {
            let clause = document.clause_at(self.found.start).map(Value::String);
            source.extend(clause.map(|clause| ("clause".to_owned(), clause)));
        }
        let mut finding = Map::new();
        finding.insert("value".to_owned(), self.value.clone());
        finding.insert("confidence".to_owned(), json!(rounded(self.confidence)));
        if let Some(node) = place.property("as_of") {
            let date = self.as_of.clone().map(Value::String);
            let date = date.or_else(|| node.kinds.null.then_some(Value::Null));
            finding.extend(date.map(|date| ("as_of".to_owned(), date)));
        }
        finding.insert("source".to_owned(), Value::Object(source));
        Value::Object(finding)
    }
}

/// `{start, end, quote}` of a byte range: characters of the whole document, and the text verbatim.
fn source(document: &Document, range: &Range<usize>) -> Map<String, Value> {
    let mut source = Map::new();
    source.insert("start".to_owned(), json!(document.char_offset(range.start)));
    source.insert("end".to_owned(), json!(document.char_offset(range.end)));
    source.insert("quote".to_owned(), json!(slice(document.text, range)));
    source
}

/// A number as JSON: whole numbers without a fraction. None for what JSON cannot hold.
pub(super) fn number(value: f64) -> Option<Value> {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= WHOLE_MAX {
        // Whole and below 2^53, so the text has no fraction and always parses.
        return format!("{value:.0}").parse::<i64>().ok().map(Value::from);
    }
    Number::from_f64(value).map(Value::Number)
}

/// Confidence in hundredths, so that equal inputs print equal answers.
pub(super) fn rounded(confidence: f64) -> f64 {
    (confidence.clamp(0.0, 1.0) * 100.0).round() / 100.0
}
