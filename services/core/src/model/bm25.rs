//! Search in a pack's own documents by BM25: which passages speak of what is asked, and where they are.
//!
//! A word is a run of letters and digits, in lower case; nothing is stemmed, and there are no stop
//! words. So `Fees` finds `fees` and not `fee`, and a script without spaces between words (Chinese,
//! Japanese, Thai) is found only by whole runs. A passage is a few paragraphs of one document.
//!
//! Okapi BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with the
//! inverse document frequency that never falls below zero: ln(1 + (N − n + ½) / (n + ½)).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::limits::PASSAGE_BYTES_MAX;

/// How soon the same word again counts for less.
const K1: f64 = 1.2;
/// How much a long passage counts for less.
const B: f64 = 0.75;

/// Documents, ready to be searched.
#[derive(Debug, Default)]
pub struct Library {
    documents: Vec<(String, Arc<str>)>,
    passages: Vec<Passage>,
    /// Which passages have a word, and how often; in order.
    words: BTreeMap<String, Vec<(usize, u32)>>,
    words_total: u64,
}

#[derive(Debug)]
struct Passage {
    document: usize,
    from: usize,
    to: usize,
    words: u32,
}

/// A passage that speaks of what was asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'a> {
    /// The document's path in the pack.
    pub document: &'a str,
    /// Where the passage begins in it, in bytes.
    pub from: usize,
    /// Where it ends, in bytes.
    pub to: usize,
    /// How well it fits; comparable within one search only.
    pub score: f64,
    /// The passage.
    pub text: &'a str,
}

impl Library {
    /// Reads the documents: paths and texts.
    #[must_use]
    pub fn new(documents: &[(String, Arc<str>)]) -> Self {
        let mut library = Self { documents: documents.to_vec(), ..Self::default() };
        for (document, (_, text)) in documents.iter().enumerate() {
            for (from, to) in passages(text) {
                library.add(document, (from, to), text.get(from..to).unwrap_or_default());
            }
        }
        library
    }

    fn add(&mut self, document: usize, (from, to): (usize, usize), text: &str) {
        let index = self.passages.len();
        let mut words = 0;
        let mut counts = BTreeMap::<String, u32>::new();
        for word in tokens(text) {
            words += 1;
            *counts.entry(word).or_default() += 1;
        }
        for (word, count) in counts {
            self.words.entry(word).or_default().push((index, count));
        }
        self.words_total += u64::from(words);
        self.passages.push(Passage { document, from, to, words });
    }

    /// Whether there is nothing to search.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// The `max` passages that fit best, best first; of two that fit alike the one that comes first.
    #[must_use]
    pub fn search(&self, query: &str, max: usize) -> Vec<Found<'_>> {
        let mut scores = BTreeMap::<usize, f64>::new();
        let asked: BTreeSet<String> = tokens(query).collect();
        for word in asked {
            let Some(hits) = self.words.get(&word) else { continue };
            let rarity = rarity(self.passages.len(), hits.len());
            for (index, count) in hits {
                let Some(passage) = self.passages.get(*index) else { continue };
                *scores.entry(*index).or_default() += rarity * self.weight(passage, *count);
            }
        }
        let mut ranked: Vec<(usize, f64)> = scores.into_iter().collect();
        // Stable, so that ties stay in the order of the documents.
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let found = ranked.into_iter().take(max);
        found.filter_map(|(index, score)| self.found(index, score)).collect()
    }

    /// What a word that comes `count` times in `passage` adds.
    fn weight(&self, passage: &Passage, count: u32) -> f64 {
        let average = float(self.words_total) / float(self.passages.len() as u64).max(1.0);
        let length = f64::from(passage.words) / average.max(1.0);
        let count = f64::from(count);
        count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
    }

    fn found(&self, index: usize, score: f64) -> Option<Found<'_>> {
        let Passage { document, from, to, .. } = *self.passages.get(index)?;
        let (path, text) = self.documents.get(document)?;
        Some(Found { document: path, from, to, score, text: text.get(from..to)? })
    }
}

fn rarity(passages: usize, hits: usize) -> f64 {
    let (passages, hits) = (float(passages as u64), float(hits as u64));
    (1.0 + (passages - hits + 0.5) / (hits + 0.5)).ln()
}

/// Counts stay far below 2^32.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn tokens(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

/// Byte ranges of passages: paragraphs (with an empty line behind) as long as they fit into
/// [`PASSAGE_BYTES_MAX`] together; a longer one is cut between words.
fn passages(text: &str) -> Vec<(usize, usize)> {
    let mut passages: Vec<(usize, usize)> = Vec::new();
    for (from, to) in paragraphs(text) {
        match passages.last_mut() {
            Some(last) if to - last.0 <= PASSAGE_BYTES_MAX => last.1 = to,
            _ => {
                let mut start = from;
                while to - start > PASSAGE_BYTES_MAX {
                    let end = cut(text, start);
                    passages.push((start, end));
                    start = end;
                }
                passages.push((start, to));
            }
        }
    }
    passages
}

/// Where a passage from `start` that is too long ends: behind its last space, or somewhere.
fn cut(text: &str, start: usize) -> usize {
    let end = text.floor_char_boundary(start + PASSAGE_BYTES_MAX);
    let space = text.get(start..end).and_then(|part| part.rfind(char::is_whitespace));
    // A space of several bytes is cut in front of; the first character is never the cut.
    space.filter(|at| *at > 0).map_or(end, |at| start + at)
}

/// Byte ranges of the runs of lines that are not empty.
fn paragraphs(text: &str) -> Vec<(usize, usize)> {
    let mut paragraphs: Vec<(usize, usize)> = Vec::new();
    let (mut at, mut is_open) = (0, false);
    for line in text.split_inclusive('\n') {
        let end = at + line.trim_end().len();
        if line.trim().is_empty() {
            is_open = false;
        } else if let Some(last) = paragraphs.last_mut().filter(|_| is_open) {
            last.1 = end;
        } else {
            paragraphs.push((at, end));
            is_open = true;
        }
        at += line.len();
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn library(documents: &[(&str, &str)]) -> Library {
        let documents = documents.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        Library::new(&documents.collect::<Vec<_>>())
    }

    #[test]
    fn what_speaks_of_it_most_comes_first() {
        let filler = "Nothing of interest stands here. ".repeat(40);
        let hr = format!("Holidays.\n\n{filler}\n\nSick leave: call the office.\n");
        let it = format!("Passwords expire.\n\n{filler}\n\nThe VPN needs a password. VPN, VPN!");
        let library = library(&[("hr.md", &hr), ("it.md", &it)]);
        let found = library.search("How does the VPN work", 3);
        assert_eq!(found[0].document, "it.md");
        assert!(found[0].text.contains("The VPN needs"), "{found:?}");
        assert_eq!(&it[found[0].from..found[0].to], found[0].text);
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        assert_eq!(library.search("sick", 1)[0].document, "hr.md");
        assert!(library.search("zebra", 3).is_empty() && library.search("…", 3).is_empty());
        assert!(Library::new(&[]).search("a", 3).is_empty());
    }

    #[test]
    fn a_rare_word_counts_more_than_a_frequent_one() {
        let common = "the contract ".repeat(50);
        let library = library(&[("a", &common), ("b", &common), ("c", "the indemnity")]);
        assert_eq!(library.search("the contract indemnity", 1)[0].document, "c");
        let tie = library.search("contract", 2);
        assert_eq!((tie[0].document, tie[1].document), ("a", "b"));
    }

    proptest! {
        #[test]
        fn passages_hold_every_word_once(text in "([a-zäß]{1,30}|[ \n]|\n\n|[ß]{1500}){0,80}") {
            let library = library(&[("d", &text)]);
            let words = |text: &str| tokens(text).collect::<String>();
            let passages = passages(&text);
            let joined: String = passages.iter().map(|(from, to)| words(&text[*from..*to])).collect();
            prop_assert_eq!(joined, words(&text));
            prop_assert!(passages.iter().all(|(from, to)| to - from <= PASSAGE_BYTES_MAX));
            prop_assert!(passages.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            prop_assert_eq!(library.is_empty(), passages.is_empty());
        }
    }
}
