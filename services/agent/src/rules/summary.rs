//! Extractive summary: the sentences that carry a text, verbatim and in document order.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{date, document::Document, headings::normal, lines::slice, sentences::Sentence};

/// Sentences outside these bounds are fragments or lists, in words and bytes.
const WORDS_MIN: usize = 6;
const BYTES_MAX: usize = 600;
/// What a further sentence of the same outermost clause loses: a summary covers the text.
const REPEAT_COST: f64 = 0.5;
/// Verbs that bind a party.
const OBLIGATIONS: [&str; 9] =
    ["shall", "must", "agrees", "agree", "undertakes", "warrants", "may", "will", "terminate"];
/// Words of four letters and more that say nothing about the subject.
const COMMON: [&str; 30] = [
    "that", "this", "with", "from", "such", "shall", "which", "have", "will", "under", "been",
    "other", "their", "these", "those", "than", "upon", "into", "each", "only", "does", "where",
    "when", "there", "made", "also", "would", "must", "being", "either",
];

/// Picks at most `count` sentences, in document order.
pub(super) fn pick<'d>(document: &'d Document, count: usize) -> Vec<&'d Sentence> {
    let eligible: Vec<(&Sentence, String)> = document
        .sentences
        .iter()
        .filter(|sentence| !sentence.is_heading && sentence.range.len() <= BYTES_MAX)
        .map(|sentence| (sentence, normal(slice(&document.masked, &sentence.range))))
        .filter(|(sentence, words)| {
            // A sentence with a hidden part would quote what is not the contract's text.
            words.split(' ').count() >= WORDS_MIN && !is_masked(document, sentence)
        })
        .collect();
    let mut frequency: HashMap<&str, u32> = HashMap::new();
    for (_, words) in &eligible {
        for word in terms(words) {
            *frequency.entry(word).or_default() += 1;
        }
    }
    let most = f64::from(frequency.values().copied().max().unwrap_or(1));
    let first = eligible.first().map(|(sentence, _)| *sentence);
    let scored: Vec<(f64, usize, &Sentence)> = eligible
        .iter()
        .map(|(sentence, words)| {
            let weight = weight(words, &frequency) / most;
            let opening = if first == Some(*sentence) { 0.4 } else { 0.0 };
            let scope = document.scope_at(sentence.range.start).start;
            (weight + opening + bonus(document, sentence, words), scope, *sentence)
        })
        .collect();
    let mut picked = greedy(scored, count);
    picked.sort_by_key(|sentence| sentence.range.start);
    picked
}

/// Takes the best sentence again and again, each time weaker for clauses already present.
fn greedy(mut scored: Vec<(f64, usize, &Sentence)>, count: usize) -> Vec<&Sentence> {
    let mut picked = Vec::new();
    let mut taken: BTreeMap<usize, f64> = BTreeMap::new();
    while picked.len() < count {
        let worth = |(score, scope, _): &(f64, usize, &Sentence)| {
            score - taken.get(scope).copied().unwrap_or_default()
        };
        let best = scored.iter().enumerate().max_by(|(first, one), (second, other)| {
            let by_worth = worth(one).partial_cmp(&worth(other)).unwrap_or(Ordering::Equal);
            by_worth.then(second.cmp(first))
        });
        let Some((at, _)) = best else { break };
        let (_, scope, sentence) = scored.remove(at);
        *taken.entry(scope).or_default() += REPEAT_COST;
        picked.push(sentence);
    }
    picked
}

/// How often the sentence's words stand in the text; long sentences gain less than their length.
fn weight(words: &str, frequency: &HashMap<&str, u32>) -> f64 {
    let distinct: BTreeSet<&str> = terms(words).collect();
    let count = |word: &&str| f64::from(frequency.get(*word).copied().unwrap_or_default());
    let many = f64::from(u32::try_from(distinct.len()).unwrap_or(u32::MAX).max(1));
    distinct.iter().map(count).sum::<f64>() / many.sqrt()
}

fn bonus(document: &Document, sentence: &Sentence, words: &str) -> f64 {
    let text = slice(&document.masked, &sentence.range);
    let section = document.section_at(sentence.range.start);
    let title = section.and_then(|at| document.sections.get(at)).map(|s| normal(&s.title));
    let is_in = |term: &str| words.split(' ').any(|word| word == term);
    let names_title = title.is_some_and(|title| terms(&title).any(is_in));
    let defines = text.contains(['“', '"']) || text.contains(" means ");
    let binds = words.split(' ').any(|word| OBLIGATIONS.contains(&word));
    let has_figure = text.contains(['$', '€', '£']) || text.bytes().any(|b| b.is_ascii_digit());
    let flags = [
        (names_title, 0.2),
        (defines, 0.05),
        (binds, 0.2),
        (has_figure, 0.15),
        (has_figure && date::find(text).is_some(), 0.15),
    ];
    flags.iter().filter(|(is_set, _)| *is_set).map(|(_, points)| points).sum()
}

fn is_masked(document: &Document, sentence: &Sentence) -> bool {
    slice(&document.masked, &sentence.range) != slice(document.text, &sentence.range)
}

fn terms(words: &str) -> impl Iterator<Item = &str> {
    words.split(' ').filter(|word| word.chars().count() > 3 && !COMMON.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_verbatim_ordered_and_spread_over_clauses() {
        let text = "1. Fees\n\nCustomer shall pay the fees of USD 500 within 30 days. Customer shall \
                    pay late fees of USD 50 after 60 days.\n\n2. Weather\n\nSome of us talked about \
                    the weather once.\n\n3. Term\n\nThis agreement starts on 1 May 2026 and may be \
                    terminated by Customer.\n";
        let document = Document::new(text, 0);
        let picked: Vec<&str> = pick(&document, 2).iter().map(|s| slice(text, &s.range)).collect();
        assert_eq!(picked.len(), 2);
        assert!(picked[0].contains("USD 500") && picked[1].contains("1 May 2026"), "{picked:?}");
        assert_eq!(pick(&Document::new("", 0), 3).len(), 0);
    }
}
