//! Finds what was changed in a trail, dropped from it, or moved within it.
//!
//! Entries are shown in the order in which they stand: those of one stream by its sequences, those of an export
//! by its lines. A chain is followed entry by entry; behind a fault it is taken up again, so that one fault
//! is one line and not a thousand.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use super::{Entry, EntryError, Heads, Seen};
use crate::{limits::AUDIT_FAULTS_MAX, payload::Hash};

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// It is not as it was written.
    Changed,
    /// It is gone.
    Dropped,
    /// It stands somewhere else than where it was written.
    Reordered,
    /// It, or what it tells of, stands there twice.
    Repeated,
    /// It is of another chain, or no entry at all.
    Foreign,
}

impl FaultKind {
    /// The kind as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Reordered => "reordered",
            Self::Repeated => "repeated",
            Self::Foreign => "foreign",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One fault of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Which chain; `None` where nothing says it.
    pub chain: Option<String>,
    /// The entry's number in its chain; `None` where nothing says it.
    pub number: Option<u64>,
    /// Where: a sequence of the stream, or a line of the file. For what is gone, where it ought to be.
    pub place: u64,
    /// What was found, in one sentence.
    pub text: String,
}

/// What verifying came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Entries that were shown.
    pub entries: u64,
    /// Where each chain ends, as far as it could be followed.
    pub heads: Heads,
    /// What is wrong, in the order in which it was found; at most [`AUDIT_FAULTS_MAX`] are kept.
    pub faults: Vec<Fault>,
    /// How much is wrong.
    pub faults_total: u64,
}

/// One line, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Sequence of its message, or its line in the file.
    pub place: u64,
    /// The chain whose subject it stands on; `None` in a file.
    pub chain: Option<&'a str>,
    /// Its bytes, without the line break.
    pub line: &'a [u8],
}

/// Follows all chains of a trail.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    chains: BTreeMap<String, State>,
    /// What an earlier export knew.
    earlier: Heads,
    last_place: u64,
    report: Report,
}

/// How far one chain has been followed.
#[derive(Debug, Clone)]
struct State {
    /// The number that comes next.
    next: u64,
    /// Hash of the entry before; the outer `None` when that entry could not be read.
    hash: Option<Option<Hash>>,
    place: u64,
    /// First and last number of what has not come yet, with the place where it ought to be.
    missing: BTreeMap<u64, (u64, u64)>,
    seen: Seen,
    source: Option<(String, u64)>,
}

impl Default for State {
    fn default() -> Self {
        let (missing, seen) = (BTreeMap::new(), Seen::new());
        Self { next: 1, hash: Some(None), place: 0, missing, seen, source: None }
    }
}

impl Verifier {
    /// One that also compares with where the chains of an earlier export ended.
    #[must_use]
    pub fn against(earlier: Heads) -> Self {
        Self { earlier, ..Self::default() }
    }

    /// Looks at one message of the stream: all of its lines, and whether one is missing before it.
    pub fn message(&mut self, sequence: u64, chain: &str, body: &[u8]) {
        self.gap(sequence);
        let lines = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n');
        for line in lines {
            self.line(Found { place: sequence, chain: Some(chain), line });
        }
    }

    /// Looks at one line.
    pub fn line(&mut self, found: Found<'_>) {
        self.report.entries += 1;
        match Entry::decode(found.line) {
            Err(error) => self.unreadable(found, &error),
            Ok(entry) => match found.chain {
                Some(chain) if chain != entry.chain => {
                    let text = format!("it stands on the subject of {chain}");
                    let number = Some(entry.number);
                    let (kind, chain) = (FaultKind::Foreign, Some(entry.chain));
                    self.fault(Fault { kind, chain, number, place: found.place, text });
                }
                Some(_) | None => self.follow(&entry, found.place),
            },
        }
    }

    /// The stream ends with this sequence.
    #[must_use]
    pub fn end_of_stream(mut self, last_sequence: u64) -> Report {
        self.gap(last_sequence.saturating_add(1));
        self.finish()
    }

    /// The file ends with this line, or without one that says where its chains end.
    #[must_use]
    pub fn end_of_file(mut self, heads: Option<&Heads>) -> Report {
        match heads {
            None => {
                let text = "the file has no last line with its heads: it was cut off".to_owned();
                let (kind, place) = (FaultKind::Dropped, self.last_place);
                self.fault(Fault { kind, chain: None, number: None, place, text });
            }
            Some(heads) => self.compare(heads, "the file's last line"),
        }
        self.finish()
    }

    fn finish(mut self) -> Report {
        for (chain, state) in std::mem::take(&mut self.chains) {
            for (first, (last, place)) in &state.missing {
                let text = match last == first {
                    true => format!("entry {first} is gone"),
                    false => format!("entries {first} to {last} are gone"),
                };
                self.fault(Fault {
                    kind: FaultKind::Dropped,
                    chain: Some(chain.clone()),
                    number: Some(*first),
                    place: *place,
                    text,
                });
            }
            self.chains.insert(chain, state);
        }
        // Where this trail comes as far, each entry was compared when it was shown.
        let mut earlier = std::mem::take(&mut self.earlier);
        let next = |chain: &String| self.chains.get(chain).map_or(1, |state| state.next);
        earlier.0.retain(|chain, (number, _)| next(chain) <= *number);
        self.compare(&earlier, "an earlier export");
        let heads = self.chains.into_iter().filter_map(|(chain, state)| {
            Some((chain, (state.next.saturating_sub(1), state.hash??)))
        });
        Report { heads: Heads(heads.collect()), ..self.report }
    }

    /// Says of which chains somebody knows more than what is here.
    fn compare(&mut self, known: &Heads, whose: &str) {
        for (chain, (number, hash)) in &known.0 {
            let state = self.chains.get(chain).cloned().unwrap_or_default();
            let last = state.next.saturating_sub(1);
            let is_other = last == *number && state.hash.is_some_and(|own| own != Some(*hash));
            let (kind, text) = if last < *number {
                let text = format!("{whose} ends with entry {number}, this chain with {last}");
                (FaultKind::Dropped, text)
            } else if is_other {
                (FaultKind::Changed, format!("{whose} has another entry {number}"))
            } else {
                continue;
            };
            let number = Some(if last < *number { last.saturating_add(1) } else { *number });
            let (chain, place) = (Some(chain.clone()), state.place);
            self.fault(Fault { kind, chain, number, place, text });
        }
    }

    /// Says which messages are gone between the last one and this one.
    fn gap(&mut self, sequence: u64) {
        let expected = self.last_place.saturating_add(1);
        if sequence > expected {
            let last = sequence.saturating_sub(1);
            let text = match last == expected {
                true => format!("message {expected} of the stream is gone"),
                false => format!("messages {expected} to {last} of the stream are gone"),
            };
            let (kind, place) = (FaultKind::Dropped, expected);
            self.fault(Fault { kind, chain: None, number: None, place, text });
        }
        self.last_place = self.last_place.max(sequence);
    }

    /// A line that is not as it was written takes the place of the entry that belongs there.
    fn unreadable(&mut self, found: Found<'_>, error: &EntryError) {
        let value: Value = serde_json::from_slice(found.line).unwrap_or_default();
        let stated = value.get("chain").and_then(Value::as_str);
        let chain = match (found.chain, stated) {
            (Some(chain), _) => Some(chain.to_owned()),
            (None, stated) => stated.filter(|it| self.chains.contains_key(*it)).map(str::to_owned),
        };
        let state = chain.as_ref().map(|chain| self.chains.entry(chain.clone()).or_default());
        let number = state.map(|state| {
            let number = state.next;
            (state.next, state.hash) = (number.saturating_add(1), None);
            (state.place, state.source) = (found.place, None);
            number
        });
        let (kind, text) = (FaultKind::Changed, error.to_string());
        self.last_place = self.last_place.max(found.place);
        self.fault(Fault { kind, chain, number, place: found.place, text });
    }

    fn follow(&mut self, entry: &Entry, place: u64) {
        self.last_place = self.last_place.max(place);
        let state = self.chains.entry(entry.chain.clone()).or_default();
        let mut faults = Vec::new();
        if entry.number < state.next {
            let (kind, text) = if state.comes_late(entry.number) {
                (FaultKind::Reordered, format!("it stands behind entry {}", state.next - 1))
            } else {
                (FaultKind::Repeated, format!("the chain has an entry {} already", entry.number))
            };
            faults.push((kind, entry.number, place, text));
        } else {
            if entry.number > state.next {
                state.missing.insert(state.next, (entry.number - 1, place));
            } else if state.hash.is_some_and(|hash| hash != entry.prev) {
                faults.push(state.unbound(entry, place));
            }
            if state.tells_again(entry) {
                let text = "it tells of a message that an entry before it tells of".to_owned();
                faults.push((FaultKind::Repeated, entry.number, place, text));
            }
            state.take(entry, place);
        }
        if let Some((_, hash)) = self.earlier.0.get(&entry.chain).filter(|it| it.0 == entry.number)
            && *hash != entry.hash
        {
            let text = "an earlier export has another entry here".to_owned();
            faults.push((FaultKind::Changed, entry.number, place, text));
        }
        for (kind, number, place, text) in faults {
            let (chain, number) = (Some(entry.chain.clone()), Some(number));
            self.fault(Fault { kind, chain, number, place, text });
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.report.faults_total += 1;
        // What is said twice was found in two ways.
        if self.report.faults.len() < AUDIT_FAULTS_MAX && !self.report.faults.contains(&fault) {
            self.report.faults.push(fault);
        }
    }
}

impl State {
    /// Whether this number was missing until now; it is not any more.
    fn comes_late(&mut self, number: u64) -> bool {
        let range = self.missing.range(..=number).next_back();
        let Some((&first, &(last, place))) = range.filter(|(_, (last, _))| number <= *last) else {
            return false;
        };
        self.missing.remove(&first);
        if first < number {
            self.missing.insert(first, (number - 1, place));
        }
        if number < last {
            self.missing.insert(number + 1, (last, place));
        }
        true
    }

    /// An entry that was not written behind the one that stands before it: that one is not what it was.
    fn unbound(&self, entry: &Entry, place: u64) -> (FaultKind, u64, u64, String) {
        match entry.number {
            0 | 1 => {
                let text = "the first entry names one before it".to_owned();
                (FaultKind::Changed, entry.number, place, text)
            }
            number => {
                let before = number - 1;
                let text = format!("entry {number} was written behind another entry {before}");
                (FaultKind::Changed, before, self.place, text)
            }
        }
    }

    /// Whether an entry before this one came from the same message or a later one; the deeds of one
    /// message stand one behind the other.
    fn tells_again(&self, entry: &Entry) -> bool {
        let Some((stream, sequence)) = &entry.source else { return false };
        let is_next = self.source.as_ref() == entry.source.as_ref();
        !is_next && self.seen.get(stream).is_some_and(|seen| sequence <= seen)
    }

    fn take(&mut self, entry: &Entry, place: u64) {
        self.next = entry.number.saturating_add(1);
        self.hash = Some(Some(entry.hash));
        self.place = place;
        self.source.clone_from(&entry.source);
        self.seen.clone_from(&entry.seen);
    }
}
