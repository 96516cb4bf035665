//! The hints of `x-rules`: their written form, checked into what a run needs.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

use super::{
    headings::normal,
    limits::{
        CHECKS_MAX, PATTERN_BYTES_MAX, PATTERNS_MAX, PHRASES_MAX, REGEX_BYTES_MAX, SUMMARY_MAX,
    },
    macros,
    node::Node,
    pointer::Pointer,
    quantity::Unit,
};

/// Keys of `x-rules`, in the order of the vocabulary table.
pub(super) const KEYS: [&str; 11] = [
    "keywords", "pattern", "within", "as_of", "unit", "section", "summary", "const", "copy",
    "pick", "check",
];

/// How one property is filled.
#[derive(Debug)]
pub(super) enum Hint {
    Keywords { values: Vec<(String, Regex)>, within: Vec<String> },
    Pattern(Pattern),
    Section(Vec<String>),
    Summary { sentences: usize },
    Constant(Value),
    Copy(Pointer),
    Pick { from: Pointer, by: By },
    Check(Vec<Check>),
}

/// Expressions, strongest first, and what to make of a match.
#[derive(Debug)]
pub(super) struct Pattern {
    pub expressions: Vec<Regex>,
    pub within: Vec<String>,
    pub as_of: Option<Regex>,
    pub unit: Option<Unit>,
}

/// How one of several findings is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    First,
    Newest,
    HighestConfidence,
}

/// One rule of a `check`: when all conditions hold, `then` is the value.
#[derive(Debug)]
pub(super) struct Check {
    pub conditions: Vec<(Pointer, When)>,
    pub then: Value,
}

/// A question to the values that a pointer reaches.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum When {
    Missing,
    Exists,
    Differs,
    Above(f64),
    Below(f64),
    Equals(Value),
    Contains(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    keywords: Option<BTreeMap<String, Vec<String>>>,
    pattern: Option<OneOrMore>,
    within: Option<Vec<String>>,
    as_of: Option<String>,
    unit: Option<Unit>,
    section: Option<Vec<String>>,
    summary: Option<WrittenSummary>,
    #[serde(rename = "const")]
    constant: Option<Value>,
    copy: Option<String>,
    pick: Option<WrittenPick>,
    check: Option<Vec<WrittenCheck>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSummary {
    sentences: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPick {
    from: String,
    by: By,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCheck {
    from: String,
    when: When,
    #[serde(default)]
    and: Vec<WrittenCondition>,
    then: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCondition {
    from: String,
    when: When,
}

impl Hint {
    /// Parses the hint of a node; the error says what is wrong with it.
    pub(super) fn parse(written: &Value, node: &Node) -> Result<Self, String> {
        let written: Written =
            serde_json::from_value(written.clone()).map_err(|error| error.to_string())?;
        let has_pattern = written.pattern.is_some();
        if !has_pattern && (written.as_of.is_some() || written.unit.is_some()) {
            return Err("`as_of` and `unit` need a `pattern` beside them".to_owned());
        }
        if !has_pattern && written.keywords.is_none() && written.within.is_some() {
            return Err("`within` needs `pattern` or `keywords` beside it".to_owned());
        }
        let hint = written.into_hint()?;
        hint.fit(node).map(|()| hint)
    }

    /// True if the hint reads the text rather than the rest of the input.
    pub(super) fn needs_text(&self) -> bool {
        match self {
            Self::Keywords { .. } | Self::Pattern(_) | Self::Section(_) | Self::Summary { .. } => {
                true
            }
            Self::Constant(_) | Self::Copy(_) | Self::Pick { .. } | Self::Check(_) => false,
        }
    }

    /// Refuses a hint that the type of its property cannot hold.
    fn fit(&self, node: &Node) -> Result<(), String> {
        let place = node.items.as_deref().unwrap_or(node);
        let value = place.value_node();
        match self {
            Self::Keywords { values, .. } => {
                let is_listed = |name: &str| {
                    let listed = value.values.as_ref();
                    listed.is_some_and(|values| values.iter().any(|value| value == name))
                };
                match values.iter().find(|(name, _)| !is_listed(name)) {
                    Some((name, _)) => Err(format!("`{name}` is no value of the property's enum")),
                    None => Ok(()),
                }
            }
            Self::Pattern(_) if value.kinds.object || value.kinds.array => {
                Err("`pattern` fills a string, a number, a boolean or a finding of one".to_owned())
            }
            Self::Section(_) if !value.kinds.string && !value.kinds.boolean => {
                Err("`section` fills a string, a boolean or a finding of one".to_owned())
            }
            Self::Summary { .. } if node.items.is_none() => {
                Err("`summary` fills an array of {text, start, end} or of strings".to_owned())
            }
            Self::Constant(constant) if !node.admits(constant) => {
                Err("`const` does not fit its own property".to_owned())
            }
            Self::Check(checks) => match checks.iter().find(|check| !place.admits(&check.then)) {
                Some(check) => Err(format!("`then` does not fit its property: {}", check.then)),
                None => Ok(()),
            },
            Self::Pattern(_)
            | Self::Section(_)
            | Self::Summary { .. }
            | Self::Constant(_)
            | Self::Copy(_)
            | Self::Pick { .. } => Ok(()),
        }
    }
}

impl Written {
    fn into_hint(self) -> Result<Hint, String> {
        let within = titles(&self.within.unwrap_or_default())?;
        let mut hints = Vec::new();
        if let Some(keywords) = self.keywords {
            hints.push(Hint::Keywords { values: phrases(keywords)?, within: within.clone() });
        }
        if let Some(pattern) = self.pattern {
            let as_of = self.as_of.as_deref().map(expression).transpose()?;
            let expressions = expressions(pattern)?;
            hints.push(Hint::Pattern(Pattern { expressions, within, as_of, unit: self.unit }));
        }
        if let Some(section) = self.section {
            hints.push(Hint::Section(titles(&section)?));
        }
        if let Some(WrittenSummary { sentences }) = self.summary {
            if !(1..=SUMMARY_MAX).contains(&sentences) {
                return Err(format!("`sentences` must be 1 to {SUMMARY_MAX}"));
            }
            hints.push(Hint::Summary { sentences });
        }
        hints.extend(self.constant.map(Hint::Constant));
        if let Some(copy) = self.copy {
            hints.push(Hint::Copy(pointer(&copy)?));
        }
        if let Some(WrittenPick { from, by }) = self.pick {
            hints.push(Hint::Pick { from: pointer(&from)?, by });
        }
        if let Some(checks) = self.check {
            hints.push(Hint::Check(rules(checks)?));
        }
        let mut hints = hints.into_iter();
        match (hints.next(), hints.next()) {
            (Some(hint), None) => Ok(hint),
            (_, _) => Err("give exactly one of keywords, pattern, section, summary, const, copy, \
                           pick, check"
                .to_owned()),
        }
    }
}

/// Compiles an expression as the vocabulary reads it: macros, and a space for any white space.
pub(super) fn expression(text: &str) -> Result<Regex, String> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(format!("an expression is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    compile(&macros::expand(text)?)
}

fn compile(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .nest_limit(32)
        .build();
    built.map_err(|error| error.to_string())
}

fn expressions(written: OneOrMore) -> Result<Vec<Regex>, String> {
    let texts = match written {
        OneOrMore::One(text) => vec![text],
        OneOrMore::More(texts) => texts,
    };
    if !(1..=PATTERNS_MAX).contains(&texts.len()) {
        return Err(format!("`pattern` takes 1 to {PATTERNS_MAX} expressions"));
    }
    texts.iter().map(|text| expression(text)).collect()
}

fn phrases(keywords: BTreeMap<String, Vec<String>>) -> Result<Vec<(String, Regex)>, String> {
    let compile_value = |(value, phrases): (String, Vec<String>)| {
        if !(1..=PHRASES_MAX).contains(&phrases.len()) {
            return Err(format!("`{value}` takes 1 to {PHRASES_MAX} phrases"));
        }
        let mut parts = phrases
            .iter()
            .map(|phrase| phrase_expression(phrase))
            .collect::<Result<Vec<_>, String>>()?;
        // The longest phrase first, since the first alternative that fits wins.
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        Ok((value, compile(&format!("(?i)(?:{})", parts.join("|")))?))
    };
    keywords.into_iter().map(compile_value).collect()
}

/// A phrase as an expression: any white space between words, word boundaries at its ends.
fn phrase_expression(phrase: &str) -> Result<String, String> {
    let words: Vec<String> = phrase.split_whitespace().map(regex::escape).collect();
    let joined = words.join(r"\s+");
    let edge = |c: Option<char>| if c.is_some_and(char::is_alphanumeric) { r"\b" } else { "" };
    if joined.is_empty() || phrase.len() > PATTERN_BYTES_MAX {
        return Err("a keyword phrase is empty or too long".to_owned());
    }
    let (first, last) = (edge(phrase.trim().chars().next()), edge(phrase.trim().chars().last()));
    Ok(format!("{first}{joined}{last}"))
}

fn titles(titles: &[String]) -> Result<Vec<String>, String> {
    let normal: Vec<String> = titles.iter().map(|title| normal(title)).collect();
    if normal.len() > PHRASES_MAX || normal.iter().any(String::is_empty) {
        return Err(format!("section titles must be words, at most {PHRASES_MAX}"));
    }
    Ok(normal)
}

fn pointer(text: &str) -> Result<Pointer, String> {
    Pointer::parse(text).ok_or_else(|| format!("`{text}` is no JSON pointer; start it with `/`"))
}

fn rules(written: Vec<WrittenCheck>) -> Result<Vec<Check>, String> {
    if !(1..=CHECKS_MAX).contains(&written.len()) {
        return Err(format!("`check` takes 1 to {CHECKS_MAX} rules"));
    }
    let rule = |check: WrittenCheck| {
        let first = WrittenCondition { from: check.from, when: check.when };
        let conditions = std::iter::once(first).chain(check.and).take(CHECKS_MAX);
        let conditions = conditions.map(|c| Ok((pointer(&c.from)?, c.when)));
        Ok(Check { conditions: conditions.collect::<Result<_, String>>()?, then: check.then })
    };
    written.into_iter().map(rule).collect()
}
