//! Fills a compiled schema from one input.

use serde_json::{Map, Value, json};

use super::{
    candidate::{Candidate, rounded},
    check,
    document::Document,
    hint::Hint,
    limits::MATCHES_MAX,
    lines::slice,
    node::{Node, Property},
    search, summary,
};

/// Confidence of a default taken because the property's hint found nothing.
const DEFAULT_CONFIDENCE: f64 = 0.5;
/// What a single value loses when other places of the text give another value.
const RIVAL_COST: f64 = 0.2;

/// One place of the output.
#[derive(Default)]
pub(super) struct Filled {
    pub value: Option<Value>,
    /// Confidence of every value that a hint gave, here and below.
    pub scores: Vec<f64>,
    /// Required places that nothing was found for, as pointers into the output.
    pub missing: Vec<String>,
}

/// The input of one run.
pub(super) struct Filler<'a> {
    pub input: &'a Value,
    /// Present if any hint reads the text.
    pub document: Option<Document<'a>>,
}

impl Filled {
    fn of(value: Value, confidence: f64) -> Self {
        Self { value: Some(value), scores: vec![rounded(confidence)], missing: Vec::new() }
    }

    fn plain(value: Value) -> Self {
        Self { value: Some(value), ..Self::default() }
    }
}

impl Filler<'_> {
    /// Fills one place; `path` is its pointer in the output.
    pub(super) fn fill(&self, node: &Node, path: &str) -> Filled {
        if let Some(hint) = &node.hint {
            let filled = self.hinted(hint, node);
            return match (&filled.value, &node.default) {
                (None, Some(default)) => Filled::of(default.clone(), DEFAULT_CONFIDENCE),
                (_, _) => filled,
            };
        }
        if let Some(value) = node.constant.as_ref().or(node.default.as_ref()) {
            return Filled::plain(value.clone());
        }
        if !node.is_fillable() {
            return Filled::default();
        }
        match &node.items {
            Some(items) if node.kinds.array => self.items(node, items, path),
            Some(_) | None => self.object(node, path),
        }
    }

    fn object(&self, node: &Node, path: &str) -> Filled {
        let mut object = Map::new();
        let mut filled = Filled::default();
        for Property { name, node, is_required } in &node.properties {
            let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
            let inner = self.fill(node, &path);
            let is_whole = inner.value.is_some() && inner.missing.is_empty();
            if !is_whole && !is_required {
                continue;
            }
            filled.scores.extend(inner.scores);
            match inner.value {
                Some(value) => {
                    object.insert(name.clone(), value);
                    filled.missing.extend(inner.missing);
                }
                None => {
                    if node.kinds.null {
                        object.insert(name.clone(), Value::Null);
                    }
                    filled.missing.push(path);
                }
            }
        }
        let is_needed = path.is_empty() || !object.is_empty() || !filled.missing.is_empty();
        filled.value = is_needed.then_some(Value::Object(object));
        filled
    }

    /// An array without a hint of its own: its items' hint gives every match, an object one item.
    fn items(&self, node: &Node, items: &Node, path: &str) -> Filled {
        if let Some(hint) = &items.hint {
            return self.hinted(hint, node);
        }
        let inner = self.fill(items, &format!("{path}/0"));
        let is_whole = inner.missing.is_empty();
        let array = Value::from_iter(inner.value.filter(|_| is_whole));
        let value = node.admits(&array).then_some(array);
        Filled { value, scores: inner.scores, missing: Vec::new() }
    }

    fn hinted(&self, hint: &Hint, node: &Node) -> Filled {
        let place = node.items.as_deref().filter(|_| node.kinds.array);
        let value_node = place.unwrap_or(node).value_node();
        let document = self.document.as_ref();
        match (hint, document) {
            (Hint::Keywords { values, within }, Some(document)) => {
                let found = search::keywords(values, within, document);
                shaped(found, node, document, Order::Best)
            }
            (Hint::Pattern(pattern), Some(document)) => {
                let found = search::pattern(pattern, value_node, document);
                shaped(found, node, document, Order::Text)
            }
            (Hint::Section(titles), Some(document)) => {
                let found = search::sections(titles, value_node, document);
                shaped(found, node, document, Order::Text)
            }
            (Hint::Summary { sentences }, Some(document)) => summarised(*sentences, node, document),
            (
                Hint::Keywords { .. } | Hint::Pattern(_) | Hint::Section(_) | Hint::Summary { .. },
                None,
            ) => Filled::default(),
            (Hint::Constant(value), _) => Filled::plain(value.clone()),
            (Hint::Copy(from), _) => self.copied(&from.select(self.input), node),
            (Hint::Pick { from, by }, _) => match check::pick(from, *by, self.input) {
                Some((finding, confidence)) => picked(&finding, confidence, node),
                None => Filled::default(),
            },
            (Hint::Check(checks), _) => {
                let mut values = check::check(checks, place.unwrap_or(node), self.input);
                let value = match place {
                    Some(_) => admitted_array(values, node),
                    None => values.drain(..).find(|value| node.admits(value)),
                };
                Filled { value, ..Filled::default() }
            }
        }
    }

    fn copied(&self, values: &[&Value], node: &Node) -> Filled {
        let first = values.first().filter(|value| node.admits(value));
        let value = match first {
            Some(value) if values.len() == 1 => Some((*value).clone()),
            Some(_) | None if node.kinds.array => {
                let all = values.iter().flat_map(|value| match value {
                    Value::Array(items) => items.iter().collect(),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Object(_) => vec![*value],
                });
                admitted_array(all.cloned().collect(), node).filter(|_| !values.is_empty())
            }
            Some(value) => Some((*value).clone()),
            None => None,
        };
        Filled { value, ..Filled::default() }
    }
}

/// Which candidate a single value takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The candidates come best first.
    Best,
    /// The candidates come in document order.
    Text,
}

/// Shapes candidates for a place: all of them for an array, else the most confident.
fn shaped(found: Vec<Candidate>, node: &Node, document: &Document, order: Order) -> Filled {
    if let Some(items) = node.items.as_ref().filter(|_| node.kinds.array) {
        let shaped: Vec<(Value, f64)> = found
            .iter()
            .filter_map(|found| Some((found.shape(items, document)?, found.confidence)))
            .take(MATCHES_MAX)
            .collect();
        let scores = shaped.iter().map(|(_, confidence)| rounded(*confidence)).collect();
        let values = distinct(shaped.into_iter().map(|(value, _)| value).collect());
        return Filled { value: admitted_array(values, node), scores, missing: Vec::new() };
    }
    let mut usable: Vec<(Candidate, Value)> = found
        .into_iter()
        .filter_map(|found| found.shape(node, document).map(|value| (found, value)))
        .collect();
    if order == Order::Text {
        // Stable: of equals the first in the text stays first.
        usable.sort_by(|(one, _), (other, _)| other.confidence.total_cmp(&one.confidence));
    }
    let mut usable = usable.into_iter();
    let Some((best, value)) = usable.next() else { return Filled::default() };
    let has_rival = order == Order::Text && usable.any(|(other, _)| other.value != best.value);
    Filled::of(value, best.confidence - if has_rival { RIVAL_COST } else { 0.0 })
}

fn summarised(count: usize, node: &Node, document: &Document) -> Filled {
    let Some(items) = node.items.as_ref() else { return Filled::default() };
    let sentences = summary::pick(document, count);
    let values = sentences.iter().map(|sentence| {
        let text = slice(document.text, &sentence.range);
        if items.kinds.object {
            let start = document.char_offset(sentence.range.start);
            let end = document.char_offset(sentence.range.end);
            json!({"text": text, "start": start, "end": end})
        } else {
            json!(text)
        }
    });
    let values: Vec<Value> = values.filter(|value| items.admits(value)).collect();
    if values.is_empty() && !sentences.is_empty() {
        return Filled::default();
    }
    Filled { value: admitted_array(values, node), ..Filled::default() }
}

/// A picked finding as it is, or its bare value where the schema wants that.
fn picked(finding: &Value, confidence: f64, node: &Node) -> Filled {
    let bare = finding.get("value");
    let fits = std::iter::once(finding).chain(bare).find(|value| node.admits(value));
    fits.map(|value| Filled::of(value.clone(), confidence)).unwrap_or_default()
}

/// Cuts an array to `maxItems`; None when the schema still refuses it.
fn admitted_array(mut values: Vec<Value>, node: &Node) -> Option<Value> {
    let items = node.items.as_deref();
    values.retain(|value| items.is_none_or(|items| items.admits(value)));
    if node.bounds.is_unique {
        values = distinct(values);
    }
    values.truncate(node.bounds.items_max.unwrap_or(usize::MAX));
    let array = Value::Array(values);
    node.admits(&array).then_some(array)
}

fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
