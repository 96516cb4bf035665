//! The hints that read the text: patterns, keywords and sections.

use std::{cmp::Ordering, collections::BTreeMap, ops::Range};

use regex::{Captures, Regex};
use serde_json::Value;

use super::{
    candidate::{Candidate, number},
    date,
    document::{Document, clip},
    hint::Pattern,
    limits::{MATCHES_MAX, RAW_MATCHES_MAX, SECTION_CHARS_MAX},
    lines::slice,
    node::Node,
    quantity,
};

/// Confidence of the first expression of a pattern; each further one is a step weaker.
const PATTERN_CONFIDENCE: f64 = 0.9;
const PATTERN_STEP: f64 = 0.1;
const PATTERN_CONFIDENCE_MIN: f64 = 0.5;
/// Words and digits disagree (`thirty (45) days`).
const DISPUTED: f64 = 0.3;
/// A month counted as 30 days, a year as 365.
const CUSTOMARY: f64 = 0.1;
/// How far behind a number its unit may stand, in bytes.
const UNIT_REACH: usize = 32;
/// A phrase in a heading says more about a text than one in passing.
const HEADING_WEIGHT: f64 = 3.0;
/// Mentions in passing count up to here: a word that a text uses often is not what the text is.
const PASSING_MAX: f64 = 3.0;
/// Score from which keywords alone are trusted fully.
const ENOUGH_SCORE: f64 = 3.0;

/// Every match of the expressions in document order; a place belongs to the strongest expression.
pub(super) fn pattern(pattern: &Pattern, value: &Node, document: &Document) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut dates = Dates { expression: pattern.as_of.as_ref(), by_scope: BTreeMap::new() };
    for (rank, expression) in (0_u8..).zip(&pattern.expressions) {
        let base = PATTERN_CONFIDENCE - f64::from(rank) * PATTERN_STEP;
        let base = base.max(PATTERN_CONFIDENCE_MIN);
        let mut fresh = Vec::new();
        for range in document.ranges(&pattern.within) {
            let part = slice(&document.masked, &range);
            for captures in expression.captures_iter(part).take(RAW_MATCHES_MAX) {
                if fresh.len() >= MATCHES_MAX {
                    break;
                }
                let Some(candidate) = candidate(&captures, range.start, value, pattern) else {
                    continue;
                };
                if !found.iter().any(|other| overlap(&other.found, &candidate.found)) {
                    let confidence = candidate.confidence + base;
                    let as_of = dates.nearest(&candidate.found, document);
                    fresh.push(Candidate { confidence, as_of, ..candidate });
                }
            }
        }
        found.append(&mut fresh);
    }
    found.sort_by_key(|candidate| candidate.found.start);
    found.truncate(MATCHES_MAX);
    found
}

/// One match as a candidate whose confidence is only what must be taken off.
fn candidate(
    captures: &Captures,
    shift: usize,
    value: &Node,
    pattern: &Pattern,
) -> Option<Candidate> {
    let whole = captures.get(0)?;
    let group = captures.name("value").or_else(|| captures.get(1)).unwrap_or(whole);
    let text = group.as_str();
    let (value, penalty) = if value.kinds.boolean {
        (Value::Bool(true), 0.0)
    } else if value.kinds.integer || value.kinds.number {
        quantity_value(text, after(captures, group.end()), pattern)?
    } else if value.bounds.is_date {
        (Value::String(date::find(text)?), 0.0)
    } else {
        (Value::String(words(text, value)?), 0.0)
    };
    let lead = whole.as_str().len() - whole.as_str().trim_start().len();
    let start = shift + whole.start() + lead;
    let end = start + whole.as_str().trim().len();
    (start < end).then(|| Candidate {
        value,
        confidence: -penalty,
        found: start..end,
        as_of: None,
        is_whole: false,
    })
}

/// The rest of the match behind the group, where the unit of a bare number stands.
fn after<'t>(captures: &Captures<'t>, at: usize) -> &'t str {
    let Some(whole) = captures.get(0) else { return "" };
    let rest = whole.as_str().get(at.saturating_sub(whole.start())..).unwrap_or_default();
    rest.get(..rest.floor_char_boundary(UNIT_REACH)).unwrap_or_default()
}

fn quantity_value(text: &str, after: &str, pattern: &Pattern) -> Option<(Value, f64)> {
    let quantity = quantity::find(text)?;
    let disputed = if quantity.is_disputed { DISPUTED } else { 0.0 };
    let Some(unit) = pattern.unit else { return Some((number(quantity.value)?, disputed)) };
    let written = quantity.unit.or_else(|| quantity::unit(after)).unwrap_or(unit);
    let (value, is_customary) = quantity::convert(quantity.value, written, unit)?;
    Some((number(value)?, disputed + if is_customary { CUSTOMARY } else { 0.0 }))
}

/// Matched words with single spaces; for an enum the listed value that they spell.
fn words(text: &str, value: &Node) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return None;
    }
    let Some(listed) = &value.values else { return Some(text) };
    let lower = text.to_lowercase();
    let mut names = listed.iter().filter_map(Value::as_str);
    names.find(|name| name.to_lowercase() == lower).map(str::to_owned)
}

/// Dates of outermost clauses, found once per clause: (start, date).
struct Dates<'p> {
    expression: Option<&'p Regex>,
    by_scope: BTreeMap<usize, Vec<(usize, String)>>,
}

impl Dates<'_> {
    /// The last date before the match's end in its outermost clause, else the first after it.
    fn nearest(&mut self, found: &Range<usize>, document: &Document) -> Option<String> {
        let expression = self.expression?;
        let scope = document.scope_at(found.start);
        let start = scope.start;
        let dates = self.by_scope.entry(start).or_insert_with(|| {
            let part = slice(&document.masked, &scope);
            let matches = expression.captures_iter(part).take(RAW_MATCHES_MAX);
            let dated = matches.filter_map(|captures| {
                let named = captures.name("value").or_else(|| captures.get(1));
                let group = named.or_else(|| captures.get(0))?;
                Some((start + group.start(), date::find(group.as_str())?))
            });
            dated.collect()
        });
        let before = dates.iter().take_while(|(at, _)| *at < found.end).last();
        before.or_else(|| dates.first()).map(|(_, date)| date.clone())
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Each enum value that its phrases name, best first; confidence from the margin over the next.
pub(super) fn keywords(
    values: &[(String, Regex)],
    within: &[String],
    document: &Document,
) -> Vec<Candidate> {
    let ranges = document.ranges(within);
    let mut scored: Vec<(f64, Candidate)> = values
        .iter()
        .filter_map(|(value, phrases)| score(value, phrases, &ranges, document))
        .collect();
    scored.sort_by(|(one, a), (other, b)| {
        let by_score = other.partial_cmp(one).unwrap_or(Ordering::Equal);
        by_score.then(a.found.start.cmp(&b.found.start))
    });
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let second = scored.get(1).map_or(0.0, |(score, _)| *score);
    let candidates = scored.into_iter().map(|(score, candidate)| {
        let rival = if score == best { second } else { best };
        let margin = (score - rival) / score.max(rival);
        let evidence = (score / ENOUGH_SCORE).min(1.0);
        let confidence = (0.5 + 0.45 * margin * evidence).max(0.1);
        Candidate { confidence, ..candidate }
    });
    candidates.collect()
}

fn score(
    value: &str,
    phrases: &Regex,
    ranges: &[Range<usize>],
    document: &Document,
) -> Option<(f64, Candidate)> {
    let (mut headings, mut passing) = (0.0, 0.0);
    let mut best: Option<(bool, Range<usize>)> = None;
    for range in ranges {
        let part = slice(&document.masked, range);
        for found in phrases.find_iter(part).take(RAW_MATCHES_MAX) {
            let place = range.start + found.start()..range.start + found.end();
            let is_heading = document.is_heading(place.start);
            if is_heading {
                headings += HEADING_WEIGHT;
            } else {
                passing += 1.0;
            }
            if best.as_ref().is_none_or(|(other, _)| is_heading && !other) {
                best = Some((is_heading, place));
            }
        }
    }
    let (_, found) = best?;
    let value = Value::String(value.to_owned());
    let score = headings + f64::min(passing, PASSING_MAX);
    Some((score, Candidate { value, confidence: 0.0, found, as_of: None, is_whole: false }))
}

/// The clauses under one of the titles, quoted from their heading on.
pub(super) fn sections(titles: &[String], value: &Node, document: &Document) -> Vec<Candidate> {
    let limit = value.bounds.length_max.unwrap_or(usize::MAX).min(SECTION_CHARS_MAX);
    let candidates = document.titled(titles).map(|(section, is_exact)| {
        let full = slice(&document.masked, &section.range);
        let range = section.range.start..section.range.start + full.trim_end().len();
        let range = clip(document.text, &range, limit);
        let has_body = range.end > section.body;
        let text = Value::String(slice(document.text, &range).to_owned());
        let value = if value.kinds.boolean { Value::Bool(true) } else { text };
        let confidence = match (has_body, is_exact) {
            (true, true) => 0.95,
            (true, false) => 0.85,
            (false, _) => 0.5,
        };
        Candidate { value, confidence, found: range, as_of: None, is_whole: true }
    });
    candidates.take(MATCHES_MAX).collect()
}
