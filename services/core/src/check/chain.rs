//! The log streams as such: nothing missing, nobody's transaction twice, and how far they were read.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    fact::{Place, RecordFact},
    rule::Rule,
    verdict::Findings,
};

/// How far one log stream goes.
#[derive(Debug, Default)]
struct Reach {
    /// The last message that was seen.
    seen: u64,
    /// The last message before anything else was read.
    settled: u64,
}

/// What is known of the log streams.
#[derive(Debug, Default)]
pub(super) struct Chain {
    reach: BTreeMap<Arc<str>, Reach>,
    /// Every transaction id with its stream and sequence.
    txns: Vec<(u128, Arc<str>, u64)>,
}

impl Chain {
    pub(super) fn settle(&mut self, place: &Place) {
        self.reach.entry(Arc::clone(&place.stream)).or_default().settled = place.sequence;
    }

    /// Whether the record at `place` was there before the first look at anything else.
    pub(super) fn is_settled(&self, place: &Place) -> bool {
        self.reach.get(&place.stream).is_some_and(|reach| place.sequence <= reach.settled)
    }

    /// Takes the next message of a log stream.
    pub(super) fn saw(&mut self, place: &Place, findings: &mut Findings) {
        let reach = self.reach.entry(Arc::clone(&place.stream)).or_default();
        let before = std::mem::replace(&mut reach.seen, place.sequence);
        hole(place, (before + 1, place.sequence.saturating_sub(1)), findings);
    }

    /// The stream's last sequence: what is missing before it was removed.
    pub(super) fn end(&mut self, place: &Place, findings: &mut Findings) {
        let reach = self.reach.entry(Arc::clone(&place.stream)).or_default();
        hole(place, (reach.seen + 1, place.sequence), findings);
    }

    pub(super) fn txn(&mut self, place: &Place, fact: &RecordFact, findings: &mut Findings) {
        let txn = u128::from_be_bytes(fact.txn);
        self.txns.push((txn, Arc::clone(&place.stream), place.sequence));
        if !fact.is_stable {
            let text = "it means something else when it is written again";
            findings.accuse(Rule::SameMeaning, Some(&fact.task), place, text);
        }
    }

    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.txns.sort_unstable();
        for pair in self.txns.windows(2) {
            let [(one, stream, first), (other, twin, sequence)] = pair else { continue };
            if one == other {
                let text = format!(
                    "its transaction id {one:032x} is that of {stream} message {first} too"
                );
                let (stream, sequence) = (Arc::clone(twin), *sequence);
                let place = Place { stream, shard: 0, sequence, at: Default::default() };
                findings.accuse(Rule::UniqueTxn, None, &place, text);
            }
        }
    }
}

fn hole(place: &Place, (first, last): (u64, u64), findings: &mut Findings) {
    if first > last {
        return;
    }
    let text = match last - first {
        0 => "the message is gone".to_owned(),
        more => format!("{} messages are gone, up to sequence {last}", more + 1),
    };
    let place = Place { sequence: first, ..place.clone() };
    findings.accuse(Rule::LogHole, None, &place, text);
}
