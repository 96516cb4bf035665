//! Numbered clauses and their headings: `1.`, `1.1`, `(a)`, `ARTICLE IV`, `Schedule B`, bare titles.

use std::ops::Range;

use super::{
    limits::TITLE_BYTES_MAX,
    lines::{Line, slice},
};

/// Level of `ARTICLE`, `Schedule` and the like; plain numbers and bare titles come below it.
const LEVEL_WORD: usize = 0;
const LEVEL_ARTICLE: usize = 1;
const LEVEL_NUMBER: usize = 2;
const LEVEL_LETTER: usize = 8;
const LEVEL_ROMAN: usize = 9;
const TITLE_WORDS_MAX: usize = 12;

/// A clause: from its heading to the next heading of the same or a higher level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// The number with what it needs to be found: `5.2(a)`, `Schedule B, 2`; empty for a bare title.
    pub label: String,
    /// The heading's words; empty for a numbered paragraph.
    pub title: String,
    pub level: usize,
    /// From the heading to the end of the last subsection.
    pub range: Range<usize>,
    /// Where the text after the heading begins.
    pub body: usize,
    /// Index of the clause around it.
    pub parent: Option<usize>,
}

struct Heading {
    label: String,
    title: String,
    level: usize,
    start: usize,
    body: usize,
}

/// Finds the clauses of a masked text, in document order.
pub(super) fn sections(text: &str, lines: &[Line]) -> Vec<Section> {
    let mut headings: Vec<Heading> = Vec::new();
    let mut previous: Option<&Line> = None;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let is_taken = headings.last().is_some_and(|last| line.range.start < last.body);
        let after_gap = at == 0 || lines.get(at - 1).is_some_and(Line::is_empty);
        let after_heading = previous
            .is_some_and(|line| headings.last().is_some_and(|last| last.body == line.range.end));
        let after_end = previous.is_some_and(|line| ends_a_unit(slice(text, &line.range)));
        let next = lines.iter().skip(at + 1).find(|line| !line.is_empty());
        let is_alone = lines.get(at + 1).is_none_or(Line::is_empty);
        let text_of = slice(text, &line.range);
        previous = Some(line);
        if is_taken || text_of.contains("....") {
            continue;
        }
        if (after_gap || after_heading || after_end)
            && let Some(heading) = numbered(text, line, next)
        {
            headings.push(heading);
            continue;
        }
        if (after_gap || after_heading) && is_bare_title(text_of, is_alone) {
            headings.push(Heading {
                label: String::new(),
                title: clean_title(text_of),
                level: LEVEL_NUMBER,
                start: line.range.start,
                body: line.range.end,
            });
        }
    }
    nest(headings, text.len())
}

/// Words of a title or phrase, in lower case with single spaces, for comparison.
pub(super) fn normal(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join(" ")
}

fn ends_a_unit(line: &str) -> bool {
    line.ends_with(['.', ':', ';', ',', '!', '?'])
        || line.ends_with(" and")
        || line.ends_with(" or")
}

fn numbered(text: &str, line: &Line, next: Option<&Line>) -> Option<Heading> {
    let full = slice(text, &line.range);
    let bare = full.trim_start_matches(['#', '*', '_', '>', ' ']);
    let (label, level, width) = label(bare)?;
    let rest = bare.get(width..)?;
    let title_part = rest.trim_start_matches(['.', ':', '-', '–', '—', '*', ' ', '\t']);
    let starts_well = title_part.chars().next().is_none_or(|c| {
        c.is_uppercase() || matches!(c, '"' | '“' | '[' | '(' | '\'' | '‘') || level >= LEVEL_LETTER
    });
    let is_plain_number = bare.get(..width)?.bytes().all(|byte| byte.is_ascii_digit());
    let is_title = is_title_case(title_part) && !title_part.contains(|c: char| c.is_ascii_digit());
    if !starts_well || (is_plain_number && !is_title) {
        return None;
    }
    let offset = |part: &str| line.range.end - part.len();
    let (title, body) = if title_part.is_empty() {
        match next.filter(|next| level < LEVEL_LETTER && is_next_title(slice(text, &next.range))) {
            Some(next) => (clean_title(slice(text, &next.range)), next.range.end),
            None => (String::new(), line.range.end),
        }
    } else {
        let (title, width) = lead_in(title_part, level);
        (title, offset(title_part) + width)
    };
    Some(Heading { label, title, level, start: line.range.start, body })
}

/// Splits the title off a numbered line: the whole line, or its words up to the first stop.
fn lead_in(line: &str, level: usize) -> (String, usize) {
    let whole = line.trim_end_matches(['.', ':', '*', ' ']);
    let is_one_unit = !whole.contains(". ") && !whole.contains(": ");
    if level < LEVEL_LETTER && is_one_unit && is_title_case(whole) {
        return (clean_title(whole), line.len());
    }
    let stops = [". ", ": ", " – ", " — ", " - "];
    let stop = stops.iter().filter_map(|stop| line.find(stop).map(|at| (at, stop.len()))).min();
    match stop {
        Some((at, width)) if is_title_case(line.get(..at).unwrap_or_default()) => {
            (clean_title(line.get(..at).unwrap_or_default()), at + width)
        }
        Some(_) | None => (String::new(), 0),
    }
}

/// Reads a clause number at the start of a line: label, level, bytes taken.
fn label(line: &str) -> Option<(String, usize, usize)> {
    word_label(line).or_else(|| number_label(line)).or_else(|| letter_label(line))
}

fn word_label(line: &str) -> Option<(String, usize, usize)> {
    let first = line.split(|c: char| !c.is_alphabetic()).next()?;
    let level = match first.to_lowercase().as_str() {
        "schedule" | "exhibit" | "annex" | "appendix" | "attachment" | "addendum" | "amendment" => {
            LEVEL_WORD
        }
        "article" | "part" => LEVEL_ARTICLE,
        "section" | "clause" => LEVEL_NUMBER,
        _ => return None,
    };
    if !first.starts_with(char::is_uppercase) {
        return None;
    }
    let rest = line.get(first.len()..)?;
    let spaced = rest.trim_start_matches([' ', '\t']);
    let number = ["No. ", "No.", "no. ", "NO. "]
        .iter()
        .find_map(|prefix| spaced.strip_prefix(prefix))
        .unwrap_or(spaced);
    let width =
        number.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(number.len());
    let id = number.get(..width)?.trim_end_matches('.');
    let is_id = (1..=8).contains(&id.len())
        && (id.starts_with(|c: char| c.is_ascii_digit())
            || id.len() == 1 && id.bytes().all(|byte| byte.is_ascii_uppercase())
            || id.bytes().all(|byte| b"IVXLC".contains(&byte)));
    let end = line.len() - number.len() + id.len();
    let level = level + id.matches('.').count();
    is_id.then(|| (line.get(..end).unwrap_or_default().to_owned(), level, end))
}

fn number_label(line: &str) -> Option<(String, usize, usize)> {
    let width = line.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(line.len());
    let run = line.get(..width)?;
    let id = run.trim_end_matches('.');
    let parts: Vec<&str> = id.split('.').collect();
    let is_id = parts.len() <= 5 && parts.iter().all(|part| (1..=3).contains(&part.len()));
    let after = line.get(width..)?;
    let closes = after.strip_prefix(')').unwrap_or(after);
    let is_apart = closes.is_empty() || closes.starts_with(char::is_whitespace);
    let end = width + after.len() - closes.len();
    (is_id && is_apart).then(|| (id.to_owned(), LEVEL_NUMBER + parts.len() - 1, end))
}

/// `(a)`, `a)`, `(iv)` and `IV.`
fn letter_label(line: &str) -> Option<(String, usize, usize)> {
    let inner = line.strip_prefix('(').unwrap_or(line);
    let width = inner.find(|c: char| !c.is_ascii_alphanumeric())?;
    let id = inner.get(..width)?;
    let is_roman = id.bytes().all(|byte| b"ivxIVX".contains(&byte)) && !id.is_empty();
    let is_id =
        is_roman || id.len() == 1 || (id.len() == 2 && id.bytes().all(|b| b.is_ascii_digit()));
    let close = inner.as_bytes().get(width)?;
    let end = line.len() - inner.len() + width + 1;
    if *close == b')' && is_id && id.len() <= 5 {
        let level = if is_roman { LEVEL_ROMAN } else { LEVEL_LETTER };
        return Some((format!("({id})"), level, end));
    }
    let is_upper = id.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_number =
        *close == b'.' && is_roman && is_upper && id.len() <= 5 && inner.len() == line.len();
    is_number.then(|| (id.to_owned(), LEVEL_NUMBER, end))
}

fn is_next_title(line: &str) -> bool {
    label(line).is_none() && is_title_case(line.trim_end_matches(['.', ':', '*']))
}

fn is_bare_title(line: &str, is_alone: bool) -> bool {
    let bare = line.trim_matches(['#', '*', '_', ' ']);
    let has_case =
        |upper: bool| bare.chars().any(|c| if upper { c.is_uppercase() } else { c.is_lowercase() });
    let letters = bare.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 3 || bare.starts_with(|c: char| !c.is_alphabetic()) || !is_title_case(bare) {
        return false;
    }
    let is_marked = line.starts_with('#') || line.starts_with("**") && line.ends_with("**");
    let is_capitals = has_case(true) && !has_case(false);
    is_marked || is_capitals || (is_alone && !bare.contains([':', '.', ',', '_', '(']))
}

/// True for a short run of words that start with capitals, little words excepted.
fn is_title_case(text: &str) -> bool {
    let trimmed = text.trim();
    let words = || trimmed.split_whitespace();
    trimmed.len() <= TITLE_BYTES_MAX
        && words().count() <= TITLE_WORDS_MAX
        && trimmed.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '“')
        && !trimmed.ends_with([',', ';', '.'])
        && words().filter(|word| word.chars().count() > 3).all(|word| {
            !word.starts_with(char::is_lowercase)
                || matches!(word, "with" | "from" | "upon" | "between")
        })
}

fn clean_title(text: &str) -> String {
    let trimmed = text.trim_matches(['#', '*', '_', ' ', '.', ':', '"', '“', '”']);
    trimmed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Gives each heading its end, its parent and its full label.
fn nest(headings: Vec<Heading>, end: usize) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::with_capacity(headings.len());
    let mut open: Vec<usize> = Vec::new();
    for heading in headings {
        while let Some(top) = open.last().and_then(|top| sections.get_mut(*top)) {
            if top.level < heading.level {
                break;
            }
            top.range.end = heading.start;
            open.pop();
        }
        let parent = open.last().copied();
        let around = parent.and_then(|parent| sections.get(parent));
        open.push(sections.len());
        sections.push(Section {
            label: full_label(&heading, around),
            title: heading.title,
            level: heading.level,
            range: heading.start..end,
            body: heading.body,
            parent,
        });
    }
    sections
}

fn full_label(heading: &Heading, around: Option<&Section>) -> String {
    let outer = around.map(|section| section.label.as_str()).unwrap_or_default();
    let is_lettered = heading.level >= LEVEL_LETTER;
    if outer.is_empty() || heading.label.is_empty() {
        return heading.label.clone();
    }
    if is_lettered {
        return format!("{outer}{}", heading.label);
    }
    // `5.2` names itself; in a schedule the numbers start again, so the schedule is named too.
    match outer.split_once(", ").map_or(outer, |(first, _)| first) {
        first if first.starts_with(|c: char| c.is_ascii_digit()) => heading.label.clone(),
        first if first.to_lowercase().starts_with("article") => heading.label.clone(),
        first => format!("{first}, {}", heading.label),
    }
}

#[cfg(test)]
mod tests;
