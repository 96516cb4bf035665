//! Lines of a text, the page furniture among them, and the mask that hides what is not the text.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

/// How far from a page number a repeated line is still a page header or footer.
const FURNITURE_REACH: usize = 3;
/// Longest struck-out passage, in bytes: a missing end mark must not hide the rest of the text.
const STRUCK_BYTES_MAX: usize = 400;

/// One line without its surrounding space, as a byte range.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub range: Range<usize>,
    /// A page number, or a header that repeats beside page numbers.
    pub is_furniture: bool,
}

impl Line {
    /// True when nothing of the contract stands on this line.
    pub(super) fn is_empty(&self) -> bool {
        self.range.is_empty() || self.is_furniture
    }
}

/// Splits a text into lines (LF or CRLF) and marks page furniture.
pub(super) fn split(text: &str) -> Vec<Line> {
    let mut start = 0;
    let mut lines: Vec<Line> = text
        .split_inclusive('\n')
        .map(|line| {
            let lead = line.len() - line.trim_start().len();
            let range = start + lead..start + lead.max(line.trim_end().len());
            start += line.len();
            Line { is_furniture: is_page_number(slice(text, &range)), range }
        })
        .collect();
    mark_repeated(text, &mut lines);
    lines
}

/// Hides furniture and struck-out passages behind as many spaces as they have bytes.
///
/// Offsets stay the same, so a pattern reads over a page break or a deleted number.
pub(super) fn mask<'a>(text: &'a str, lines: &[Line]) -> Cow<'a, str> {
    let furniture = lines.iter().filter(|line| line.is_furniture).map(|line| line.range.clone());
    let mut hidden: Vec<Range<usize>> = furniture.chain(struck(text)).collect();
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    hidden.sort_by_key(|range| (range.start, range.end));
    let mut masked = String::with_capacity(text.len());
    for range in hidden.iter().filter(|range| !range.is_empty()) {
        masked.push_str(text.get(masked.len()..range.start).unwrap_or_default());
        let spaces = range.end.saturating_sub(masked.len());
        masked.extend(std::iter::repeat_n(' ', spaces));
    }
    masked.push_str(text.get(masked.len()..).unwrap_or_default());
    debug_assert_eq!(masked.len(), text.len(), "a mask keeps offsets");
    Cow::Owned(masked)
}

/// Text of a range; empty for a range that is not one.
pub(super) fn slice<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.clone()).unwrap_or_default()
}

fn is_page_number(line: &str) -> bool {
    if line.len() > 120 {
        return false;
    }
    let lower = line.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_number = |word: &str| word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit());
    match words.as_slice() {
        ["page", number] => is_number(number),
        [.., "page", number, "of", total] => is_number(number) && is_number(total),
        [number, "of", total] => is_number(number) && is_number(total),
        [number] => is_number(number) && line.starts_with(['-', '–', '—']),
        [..] => false,
    }
}

fn mark_repeated(text: &str, lines: &mut [Line]) {
    let mut near = vec![0_usize; lines.len()];
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.is_furniture) {
        let first = at.saturating_sub(FURNITURE_REACH);
        for mark in near.iter_mut().skip(first).take(2 * FURNITURE_REACH + 1) {
            *mark = 1;
        }
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let is_candidate = |line: &Line| !line.is_empty() && line.range.len() <= 80;
    for line in lines.iter().zip(&near).filter(|(line, near)| **near > 0 && is_candidate(line)) {
        *seen.entry(slice(text, &line.0.range)).or_default() += 1;
    }
    for (line, near) in lines.iter_mut().zip(near) {
        let count = seen.get(slice(text, &line.range)).copied().unwrap_or_default();
        line.is_furniture |= near > 0 && count > 1 && is_candidate(line);
    }
}

/// Passages marked as deleted: `~~…~~` and `[deleted: …]`.
fn struck(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find(['~', '['])) {
        let start = at + start;
        let tail = text.get(start..).unwrap_or_default();
        let opened = ["~~", "[deleted:", "[DELETED:", "[Deleted:"];
        let open = opened.iter().find(|open| tail.starts_with(**open));
        let close = if tail.starts_with('~') { "~~" } else { "]" };
        let end = open.and_then(|open| {
            let inner = start + open.len();
            let limit = text.floor_char_boundary(inner + STRUCK_BYTES_MAX);
            text.get(inner..limit)?.find(close).map(|end| inner + end + close.len())
        });
        found.extend(end.map(|end| start..end));
        at = end.unwrap_or(start + 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_furniture_is_hidden_and_offsets_stay() {
        let text =
            "within\n\nACME MSA\n- Page 3 of 9 -\n\nthirty days\nACME MSA\n4 of 9\nACME MSA\r\n";
        let lines = split(text);
        let masked = mask(text, &lines);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>(), ["within", "thirty", "days"]);
    }

    #[test]
    fn struck_out_text_is_hidden() {
        let text = "exceed ~~USD 1 – one~~ USD 2 [DELETED: or 3] ~~open ~ [x]";
        let masked = mask(text, &split(text));
        assert_eq!(masked.len(), text.len());
        let words: Vec<_> = masked.split_whitespace().collect();
        assert_eq!(words, ["exceed", "USD", "2", "~~open", "~", "[x]"]);
    }

    #[test]
    fn an_ordinary_repeated_line_stays() {
        let text = "By: ______\n\nBy: ______\n";
        assert!(matches!(mask(text, &split(text)), Cow::Borrowed(_)));
    }
}
