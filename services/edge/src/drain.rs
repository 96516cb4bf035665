//! How long consumers take to deal with what waits for them, at the pace at which they were seen to.
//!
//! The bus says how much was ever done, never how fast: this keeps what was said at the last looks. Whoever
//! shows consumers looks; without a look a moment ago nothing is known. Pure but for what it keeps.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use cadre_core::{ports::desk::ConsumerView, time::UnixMillis};

/// How far back a pace is taken from: long enough for a steady figure, short enough to follow a change.
const WINDOW: Duration = Duration::from_secs(60);

/// The shortest time between two looks that are kept, and over which a pace is known.
const APART: Duration = Duration::from_secs(2);

/// How long until nothing waits any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drain {
    /// It was not looked at for long enough.
    #[default]
    Unknown,
    /// Nothing waits.
    Empty,
    /// Nothing is being done about what waits.
    Never,
    /// As long as this, if nothing else comes.
    In(Duration),
}

type Key = (String, String);

/// What was seen at the last looks.
#[derive(Debug, Default)]
pub(crate) struct Drains {
    looks: BTreeMap<Key, VecDeque<(UnixMillis, u64)>>,
}

impl Drains {
    /// Notes what is done by now, and says of each consumer how long the rest takes; in the same order.
    pub(crate) fn look(&mut self, now: UnixMillis, consumers: &[ConsumerView]) -> Vec<Drain> {
        let mut before = std::mem::take(&mut self.looks);
        let mut drains = Vec::with_capacity(consumers.len());
        for one in consumers {
            let key = (one.stream.clone(), one.name.clone());
            let mut seen = before.remove(&key).unwrap_or_default();
            // A consumer that was made anew counts from nothing.
            if seen.back().is_some_and(|(_, done)| *done > one.done) {
                seen.clear();
            }
            while seen.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
                seen.pop_front();
            }
            drains.push(drain(one, seen.front().copied(), now));
            if seen.back().is_none_or(|(at, _)| now.since(*at) >= APART) {
                seen.push_back((now, one.done));
            }
            self.looks.insert(key, seen);
        }
        drains
    }
}

fn drain(one: &ConsumerView, first: Option<(UnixMillis, u64)>, now: UnixMillis) -> Drain {
    let left = one.pending.saturating_add(one.ack_pending);
    if left == 0 {
        return Drain::Empty;
    }
    let Some((at, done)) = first.filter(|(at, _)| now.since(*at) >= APART) else {
        return Drain::Unknown;
    };
    let (took, made) = (now.since(at), one.done.saturating_sub(done));
    if made == 0 {
        return Drain::Never;
    }
    let ms = took.as_millis().saturating_mul(u128::from(left)) / u128::from(made);
    Drain::In(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumer(pending: u64, done: u64) -> ConsumerView {
        let (stream, name) = ("CADRE_WORK_0".to_owned(), "role-reader".to_owned());
        ConsumerView { stream, name, pending, done, ..ConsumerView::default() }
    }

    fn told(looks: &[(u64, u64, u64)]) -> Vec<Drain> {
        let mut drains = Drains::default();
        let mut look = |(at, pending, done): &(u64, u64, u64)| {
            drains.look(UnixMillis(*at), &[consumer(*pending, *done)]).remove(0)
        };
        looks.iter().map(&mut look).collect()
    }

    #[test]
    fn the_pace_seen_says_how_long_the_rest_takes() {
        let seconds = |seconds| Drain::In(Duration::from_secs(seconds));
        assert_eq!(
            told(&[(0, 100, 10), (1_000, 95, 15), (5_000, 50, 60), (10_000, 0, 110)]),
            [Drain::Unknown, Drain::Unknown, seconds(5), Drain::Empty]
        );
        assert_eq!(told(&[(0, 7, 10), (5_000, 9, 10)])[1], Drain::Never, "nobody takes it");
    }

    #[test]
    fn what_is_long_ago_or_of_another_consumer_says_nothing() {
        assert_eq!(told(&[(0, 9, 10), (90_000, 9, 1_000)])[1], Drain::Unknown);
        assert_eq!(told(&[(0, 9, 10), (5_000, 9, 3)])[1], Drain::Unknown, "made anew");
        let mut drains = Drains::default();
        drains.look(UnixMillis(0), &[consumer(1, 1)]);
        drains.look(UnixMillis(3_000), &[]);
        assert!(drains.looks.is_empty(), "a consumer that is gone is forgotten");
    }

    #[test]
    fn looks_are_bounded() {
        let mut drains = Drains::default();
        for at in 0..10_000 {
            drains.look(UnixMillis(at * 100), &[consumer(1, at)]);
        }
        let kept: Vec<usize> = drains.looks.values().map(VecDeque::len).collect();
        assert!(kept == [31] || kept == [30], "{kept:?}");
    }
}
