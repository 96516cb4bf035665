//! A compiled schema: what a value must be, and the hint that finds it.

use regex::Regex;
use serde_json::Value;

use super::{date, hint::Hint};

/// JSON types that a schema allows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds {
    pub null: bool,
    pub boolean: bool,
    pub integer: bool,
    pub number: bool,
    pub string: bool,
    pub array: bool,
    pub object: bool,
}

/// Bounds of numbers, lengths of strings and arrays.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub above: Option<f64>,
    pub below: Option<f64>,
    pub length_min: Option<usize>,
    pub length_max: Option<usize>,
    pub items_min: Option<usize>,
    pub items_max: Option<usize>,
    pub pattern: Option<Regex>,
    pub is_date: bool,
    pub is_unique: bool,
}

/// One property of an object.
#[derive(Debug)]
pub(super) struct Property {
    pub name: String,
    pub node: Node,
    pub is_required: bool,
}

/// One place of the schema.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// JSON pointer of this place in the schema.
    pub at: String,
    pub kinds: Kinds,
    pub bounds: Bounds,
    pub values: Option<Vec<Value>>,
    pub constant: Option<Value>,
    pub default: Option<Value>,
    pub properties: Vec<Property>,
    /// No other properties than these.
    pub is_closed: bool,
    pub items: Option<Box<Node>>,
    pub hint: Option<Hint>,
    /// A keyword here that the rules cannot check.
    pub unsupported: Option<String>,
}

impl Node {
    /// True if the value meets every keyword that the rules know.
    pub(super) fn admits(&self, value: &Value) -> bool {
        let is_listed = self.values.as_ref().is_none_or(|values| values.contains(value));
        let is_constant = self.constant.as_ref().is_none_or(|constant| constant == value);
        is_listed
            && is_constant
            && match value {
                Value::Null => self.kinds.null,
                Value::Bool(_) => self.kinds.boolean,
                Value::Number(number) => {
                    number.as_f64().is_some_and(|number| self.admits_number(number))
                }
                Value::String(text) => self.kinds.string && self.bounds.admit_text(text),
                Value::Array(items) => self.kinds.array && self.admits_items(items),
                Value::Object(fields) => {
                    let is_known = |name| self.properties.iter().any(|p| &p.name == name);
                    self.kinds.object
                        && (!self.is_closed || fields.keys().all(is_known))
                        && self.properties.iter().all(|property| {
                            fields
                                .get(&property.name)
                                .map_or(!property.is_required, |value| property.node.admits(value))
                        })
                }
            }
    }

    /// The property of this name.
    pub(super) fn property(&self, name: &str) -> Option<&Node> {
        self.properties.iter().find(|property| property.name == name).map(|p| &p.node)
    }

    /// True for an object `{value, confidence, source: {start, end, quote}}`, `as_of` and `clause` allowed.
    pub(super) fn is_finding(&self) -> bool {
        let is_known = |name: &str| matches!(name, "value" | "confidence" | "source" | "as_of");
        let has =
            |node: &Node, names: &[&str]| names.iter().all(|name| node.property(name).is_some());
        has(self, &["value", "confidence"])
            && self.property("source").is_some_and(|source| has(source, &["start", "end", "quote"]))
            && self.properties.iter().all(|property| is_known(&property.name))
    }

    /// The place that holds the bare value: of a finding, its `value`.
    pub(super) fn value_node(&self) -> &Node {
        if self.is_finding() { self.property("value").unwrap_or(self) } else { self }
    }

    /// First unsupported keyword here or below, with its place.
    pub(super) fn unsupported_below(&self) -> Option<(&str, &str)> {
        let here = self.unsupported.as_ref().map(|keyword| (self.at.as_str(), keyword.as_str()));
        let items = || self.items.as_ref().and_then(|items| items.unsupported_below());
        let properties =
            || self.properties.iter().find_map(|property| property.node.unsupported_below());
        here.or_else(items).or_else(properties)
    }

    /// True if something here or below can be filled in: a hint, a constant or a default.
    pub(super) fn is_fillable(&self) -> bool {
        self.hint.is_some()
            || self.constant.is_some()
            || self.default.is_some()
            || self.items.as_ref().is_some_and(|items| items.is_fillable())
            || self.properties.iter().any(|property| property.node.is_fillable())
    }

    /// True if a hint here or below reads the text.
    pub(super) fn needs_text(&self) -> bool {
        self.hint.as_ref().is_some_and(Hint::needs_text)
            || self.items.as_ref().is_some_and(|items| items.needs_text())
            || self.properties.iter().any(|property| property.node.needs_text())
    }

    fn admits_number(&self, number: f64) -> bool {
        let bounds = &self.bounds;
        (self.kinds.number || (self.kinds.integer && number.fract() == 0.0))
            && bounds.minimum.is_none_or(|minimum| number >= minimum)
            && bounds.maximum.is_none_or(|maximum| number <= maximum)
            && bounds.above.is_none_or(|above| number > above)
            && bounds.below.is_none_or(|below| number < below)
    }

    fn admits_items(&self, items: &[Value]) -> bool {
        let bounds = &self.bounds;
        let is_repeated = |(at, item): (usize, &Value)| items.iter().take(at).any(|i| i == item);
        bounds.items_min.is_none_or(|least| items.len() >= least)
            && bounds.items_max.is_none_or(|most| items.len() <= most)
            && (!bounds.is_unique || !items.iter().enumerate().any(is_repeated))
            && self.items.as_ref().is_none_or(|node| items.iter().all(|item| node.admits(item)))
    }
}

impl Bounds {
    fn admit_text(&self, text: &str) -> bool {
        let count = || text.chars().count();
        self.length_min.is_none_or(|least| count() >= least)
            && self.length_max.is_none_or(|most| count() <= most)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && (!self.is_date || date::is_iso(text))
    }
}
