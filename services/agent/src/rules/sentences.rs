//! Sentences of a masked text: never across a heading or a paragraph, except over a page break.

use std::ops::Range;

use super::{
    headings::Section,
    lines::{Line, slice},
};

/// Abbreviations whose stop ends no sentence.
const ABBREVIATIONS: [&str; 26] = [
    "no", "nos", "inc", "ltd", "corp", "co", "llc", "plc", "gmbh", "mr", "mrs", "ms", "dr", "st",
    "vs", "cf", "sec", "art", "cl", "para", "approx", "est", "e.g", "i.e", "u.s", "u.k",
];

/// A sentence as a byte range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    pub range: Range<usize>,
    pub is_heading: bool,
}

/// Splits a text into sentences and headings, in document order and without overlap.
pub(super) fn split(text: &str, lines: &[Line], sections: &[Section]) -> Vec<Sentence> {
    let mut breaks = paragraph_breaks(text, lines);
    breaks.retain(|(at, _)| {
        let next = sections.partition_point(|section| section.range.start <= *at);
        let around = next.checked_sub(1).and_then(|around| sections.get(around));
        around.is_none_or(|section| *at >= section.body)
    });
    for section in sections {
        breaks.push((section.range.start, true));
        breaks.push((section.body, false));
    }
    // A heading's start wins over a paragraph's at the same place, and its end over its start.
    breaks.sort_unstable_by_key(|(at, is_heading)| (*at, !is_heading));
    breaks.push((text.len(), false));
    let mut found = Vec::new();
    let (mut start, mut is_heading) = (0, false);
    for (at, next_is_heading) in breaks {
        if at > start {
            if is_heading {
                push(text, start..at, true, &mut found);
            } else {
                split_block(text, start..at, &mut found);
            }
            is_heading = next_is_heading;
        } else {
            is_heading |= next_is_heading;
        }
        start = start.max(at);
    }
    found
}

fn paragraph_breaks(text: &str, lines: &[Line]) -> Vec<(usize, bool)> {
    let mut breaks = Vec::new();
    let mut gap = false;
    let mut page = false;
    let mut last: &str = "";
    for line in lines {
        if line.is_empty() {
            gap = true;
            page |= line.is_furniture;
            continue;
        }
        let this = slice(text, &line.range);
        let runs_on = page && !last.ends_with(['.', ':', ';', '!', '?']) && starts_inside(this);
        if gap && !runs_on {
            breaks.push((line.range.start, false));
        }
        (gap, page, last) = (false, false, this);
    }
    breaks
}

fn starts_inside(line: &str) -> bool {
    line.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit() || c == '(' || c == '$')
}

fn split_block(text: &str, block: Range<usize>, found: &mut Vec<Sentence>) {
    let body = slice(text, &block);
    let mut start = 0;
    let ends = body.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?'));
    for (at, mark) in ends {
        let after = body.get(at + 1..).unwrap_or_default();
        let tail = after.trim_start_matches(['"', '”', '’', ')', ']']);
        let gap = tail.len() - tail.trim_start().len();
        let starts = tail.trim_start().chars().next().is_none_or(|c| !c.is_lowercase());
        if gap == 0 && !tail.is_empty() || !starts {
            continue;
        }
        if mark == '.' && is_abbreviation(body.get(start..at).unwrap_or_default()) {
            continue;
        }
        let end = body.len() - tail.len();
        if end <= start {
            continue;
        }
        push(text, block.start + start..block.start + end, false, found);
        start = end;
    }
    push(text, block.start + start..block.end, false, found);
}

fn is_abbreviation(before: &str) -> bool {
    let word = before
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '"' | '“'))
        .next()
        .unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    is_initial || (word.len() <= 6 && ABBREVIATIONS.contains(&word.to_lowercase().as_str()))
}

fn push(text: &str, range: Range<usize>, is_heading: bool, found: &mut Vec<Sentence>) {
    let part = slice(text, &range);
    let start = range.start + part.len() - part.trim_start().len();
    let end = start + part.trim().len();
    if start < end {
        found.push(Sentence { range: start..end, is_heading });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::headings, super::lines, *};

    fn sentences(text: &str) -> Vec<String> {
        let lines = lines::split(text);
        let masked = lines::mask(text, &lines);
        let sections = headings::sections(&masked, &lines);
        let found = split(&masked, &lines, &sections);
        found.iter().filter(|s| !s.is_heading).map(|s| slice(text, &s.range).to_owned()).collect()
    }

    #[test]
    fn abbreviations_and_clause_numbers_end_no_sentence() {
        let text = "See clause 5.2 of Acme Inc. of Ohio. J. Doe, e.g. a buyer (No. 4), agrees.  Ünal pays? Yes!";
        let want = [
            "See clause 5.2 of Acme Inc. of Ohio.",
            "J. Doe, e.g. a buyer (No. 4), agrees.",
            "Ünal pays?",
            "Yes!",
        ];
        assert_eq!(sentences(text), want);
    }

    #[test]
    fn headings_and_paragraphs_part_sentences() {
        let text = "1. Fees\r\n\r\nCustomer pays\r\nin time. It\r\n\r\nNo stop here\r\n\r\n2. Term. One year.\r\n";
        assert_eq!(
            sentences(text),
            ["Customer pays\r\nin time.", "It", "No stop here", "One year."]
        );
    }

    #[test]
    fn a_sentence_runs_on_over_a_page_break() {
        let text = "Pay within\n\nPage 3 of 9\n\nthirty days. Done.";
        assert_eq!(sentences(text), ["Pay within\n\nPage 3 of 9\n\nthirty days.", "Done."]);
    }
}
