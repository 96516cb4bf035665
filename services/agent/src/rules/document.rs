//! A text prepared once per run: mask, clauses, sentences and character offsets.

use std::{borrow::Cow, ops::Range};

use super::{
    headings::{self, Section, normal},
    lines::{self, slice},
    sentences::{self, Sentence},
};

/// Bytes between two known character counts: one count stays a short scan.
const MARK_BYTES: usize = 1024;

/// The text of one run with everything that hints ask of it.
pub(super) struct Document<'a> {
    /// The text as given; quotes come from here.
    pub text: &'a str,
    /// The text to search: furniture and struck-out passages are spaces.
    pub masked: Cow<'a, str>,
    pub sections: Vec<Section>,
    pub sentences: Vec<Sentence>,
    titles: Vec<String>,
    first_line: Range<usize>,
    offset: u64,
    marks: Vec<(usize, u64)>,
}

impl<'a> Document<'a> {
    /// Prepares a text whose first character has the given offset in the whole document.
    pub(super) fn new(text: &'a str, offset: u64) -> Self {
        let lines = lines::split(text);
        let masked = lines::mask(text, &lines);
        let sections = headings::sections(&masked, &lines);
        let sentences = sentences::split(&masked, &lines, &sections);
        let titles = sections
            .iter()
            .map(|section| format!(" {} {} ", normal(&section.label), normal(&section.title)))
            .collect();
        let first = lines.iter().find(|line| !line.is_empty());
        let first_line = first.map(|line| line.range.clone()).unwrap_or_default();
        let marks = marks(text);
        Self { text, masked, sections, sentences, titles, first_line, offset, marks }
    }

    /// Offset of a byte in Unicode scalar values, counted from the start of the whole document.
    pub(super) fn char_offset(&self, byte: usize) -> u64 {
        let known = self.marks.partition_point(|(at, _)| *at <= byte).saturating_sub(1);
        let (at, count) = self.marks.get(known).copied().unwrap_or_default();
        let rest = slice(self.text, &(at..byte)).chars().map(|_| 1).sum::<u64>();
        self.offset.saturating_add(count).saturating_add(rest)
    }

    /// Index of the innermost clause that holds a byte.
    pub(super) fn section_at(&self, byte: usize) -> Option<usize> {
        self.sections.partition_point(|section| section.range.start <= byte).checked_sub(1)
    }

    /// Number of the clause that holds a byte, or its title if no clause around has a number.
    pub(super) fn clause_at(&self, byte: usize) -> Option<String> {
        let inner = self.sections.get(self.section_at(byte)?)?;
        let mut section = inner;
        while section.label.is_empty() {
            match section.parent.and_then(|parent| self.sections.get(parent)) {
                Some(parent) => section = parent,
                None => return (!inner.title.is_empty()).then(|| inner.title.clone()),
            }
        }
        Some(section.label.clone())
    }

    /// The outermost clause that holds a byte; before the first heading, the text up to it.
    pub(super) fn scope_at(&self, byte: usize) -> Range<usize> {
        let Some(mut section) = self.section_at(byte).and_then(|at| self.sections.get(at)) else {
            return 0..self.sections.first().map_or(self.text.len(), |first| first.range.start);
        };
        while let Some(parent) = section.parent.and_then(|parent| self.sections.get(parent)) {
            section = parent;
        }
        section.range.clone()
    }

    /// True inside a heading or the first line of the text.
    pub(super) fn is_heading(&self, byte: usize) -> bool {
        let section = self.section_at(byte).and_then(|at| self.sections.get(at));
        self.first_line.contains(&byte) || section.is_some_and(|section| byte < section.body)
    }

    /// Clauses whose number and title hold one of the normalised phrases, with whether it is the whole title.
    pub(super) fn titled<'s>(
        &'s self,
        phrases: &'s [String],
    ) -> impl Iterator<Item = (&'s Section, bool)> {
        self.sections.iter().zip(&self.titles).filter_map(|(section, title)| {
            let hit = phrases.iter().find(|phrase| title.contains(&format!(" {phrase} ")))?;
            Some((section, normal(&section.title) == *hit || normal(&section.label) == *hit))
        })
    }

    /// Where to search: the titled clauses without repeats, or everything when no title is asked.
    pub(super) fn ranges(&self, phrases: &[String]) -> Vec<Range<usize>> {
        if phrases.is_empty() {
            return Vec::from([Range { start: 0, end: self.text.len() }]);
        }
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (section, _) in self.titled(phrases) {
            if ranges.last().is_none_or(|last| last.end <= section.range.start) {
                ranges.push(section.range.clone());
            }
        }
        ranges
    }

    /// The sentences around a match, or the match alone when they are longer than `chars_max`.
    pub(super) fn quote_range(&self, found: &Range<usize>, chars_max: usize) -> Range<usize> {
        let first = self.sentences.partition_point(|sentence| sentence.range.end <= found.start);
        let around = self.sentences.iter().skip(first);
        let mut wide = found.clone();
        for sentence in around.take_while(|sentence| sentence.range.start < found.end) {
            wide.start = wide.start.min(sentence.range.start);
            wide.end = wide.end.max(sentence.range.end);
        }
        if slice(self.text, &wide).chars().nth(chars_max).is_none() {
            return wide;
        }
        clip(self.text, found, chars_max)
    }
}

/// Cuts a range after so many characters.
pub(super) fn clip(text: &str, range: &Range<usize>, chars_max: usize) -> Range<usize> {
    let cut = slice(text, range).char_indices().nth(chars_max);
    range.start..cut.map_or(range.end, |(at, _)| range.start + at)
}

fn marks(text: &str) -> Vec<(usize, u64)> {
    let mut marks = Vec::with_capacity(text.len() / MARK_BYTES + 1);
    for (count, (at, _)) in (0_u64..).zip(text.char_indices()) {
        if at >= marks.len() * MARK_BYTES {
            marks.push((at, count));
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_characters_from_the_whole_document() {
        let text = "ü".repeat(3_000) + "x";
        let document = Document::new(&text, 100);
        for (byte, want) in [(0, 100), (2, 101), (2_048, 1_124), (6_000, 3_100), (6_001, 3_101)] {
            assert_eq!(document.char_offset(byte), want, "byte {byte}");
        }
        assert_eq!(Document::new("", 7).char_offset(0), 7);
    }

    #[test]
    fn the_innermost_numbered_clause_names_a_place() {
        let text =
            "Preamble\n\nSCHEDULE B\nFees\n\n2. Invoices\n\n(a) Net 45 days.\n\nSIGNATURES\n\nx";
        let document = Document::new(text, 0);
        let at = |needle: &str| text.find(needle).unwrap();
        assert_eq!(document.clause_at(at("45")).as_deref(), Some("SCHEDULE B, 2(a)"));
        assert_eq!(document.clause_at(at("Invoices")).as_deref(), Some("SCHEDULE B, 2"));
        let scope = document.scope_at(at("45"));
        assert_eq!(scope.start, at("SCHEDULE"));
        assert_eq!(document.ranges(&["schedule b".to_owned()]).len(), 1);
        assert!(document.ranges(&["schedule c".to_owned()]).is_empty());
        assert_eq!(document.titled(&["invoices".to_owned()]).count(), 1);
    }
}
