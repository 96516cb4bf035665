//! The time axis of a timeline: where a moment lies, and which idle times are folded away.
//!
//! Pure. A fold keeps a fixed small width, so that a night of waiting leaves room for the seconds of work.

use super::super::text;

/// Share of the width that one fold keeps, in percent.
const FOLD_PERCENT: f64 = 4.0;

/// An idle time shorter than this share of the whole is left as it is.
const FOLD_FROM_PERCENT: u64 = 12;

/// Lines on the axis at most.
const TICKS_MAX: u64 = 5;

/// Distance of two tick labels at least, in percent.
const TICK_APART: f64 = 11.0;

/// Distances of ticks that people can count in, in milliseconds.
const STEPS: [u64; 27] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
];

/// A piece of time and its place; within it time runs evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    from: u64,
    to: u64,
    /// Percent of the width.
    left: f64,
    right: f64,
    is_folded: bool,
}

/// Maps moments to percent of the width.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pieces: Vec<Piece>,
    from: u64,
    to: u64,
}

/// A line on the axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Percent of the width.
    pub(super) at: f64,
    /// Time since the beginning.
    pub(super) label: String,
}

impl Axis {
    /// An axis from `from` to `to`; with `busy` times it folds what lies between them.
    pub(super) fn new(from: u64, to: u64, busy: Option<&[(u64, u64)]>) -> Self {
        let to = to.max(from + 1);
        let idle = busy.map(|busy| idle(from, to, busy)).unwrap_or_default();
        let mut bounds = Vec::new();
        let mut at = from;
        for (begin, end) in idle {
            if at < begin {
                bounds.push((at, begin, false));
            }
            bounds.push((begin, end, true));
            at = end;
        }
        if at < to {
            bounds.push((at, to, false));
        }
        Self { pieces: place(&bounds), from, to }
    }

    /// Percent of the width; moments outside lie at the edges.
    pub(super) fn at(&self, ms: u64) -> f64 {
        let ms = ms.clamp(self.from, self.to);
        let piece = self.pieces.iter().find(|piece| ms <= piece.to).or(self.pieces.last());
        piece.map_or(0.0, |piece| {
            let share = (ms - piece.from.min(ms)) as f64 / (piece.to - piece.from).max(1) as f64;
            piece.left + share * (piece.right - piece.left)
        })
    }

    /// Lines at round times, folded ones left out.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let shown: u64 = self
            .pieces
            .iter()
            .filter(|piece| !piece.is_folded)
            .map(|piece| piece.to - piece.from)
            .sum();
        let step = STEPS.into_iter().find(|step| shown / step <= TICKS_MAX).unwrap_or(604_800_000);
        let mut ticks: Vec<Tick> = Vec::new();
        for piece in self.pieces.iter().filter(|piece| !piece.is_folded) {
            let mut after = (piece.from - self.from).div_ceil(step) * step;
            while self.from + after <= piece.to && ticks.len() < 24 {
                let at = self.at(self.from + after);
                let is_apart = ticks.last().is_none_or(|last| at - last.at >= TICK_APART);
                if is_apart && at <= 94.0 {
                    let label = if after == 0 { "0".to_owned() } else { round(after) };
                    ticks.push(Tick { at, label });
                }
                after += step;
            }
        }
        ticks
    }

    /// The middle of each fold, and how much time lies in it.
    pub(super) fn folds(&self) -> Vec<(f64, u64)> {
        let folded = self.pieces.iter().filter(|piece| piece.is_folded);
        folded.map(|piece| ((piece.left + piece.right) / 2.0, piece.to - piece.from)).collect()
    }
}

/// A round time with one unit: `500 ms`, `12 s`, `5 min`.
fn round(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        60_000..3_600_000 if ms.is_multiple_of(60_000) => format!("{} min", ms / 60_000),
        3_600_000.. if ms.is_multiple_of(3_600_000) => format!("{} h", ms / 3_600_000),
        _ => text::span(ms),
    }
}

/// Times in which nothing of `busy` happens and that are long enough to be folded.
fn idle(from: u64, to: u64, busy: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut busy = busy.to_vec();
    busy.sort_unstable();
    let least = ((to - from) * FOLD_FROM_PERCENT / 100).max(2);
    // A little of the idle time stays, so that bars do not touch the fold.
    let margin = |length: u64| length / 50;
    let mut found = Vec::new();
    let mut at = from;
    for (begin, end) in busy.into_iter().chain([(to, to)]) {
        let begin = begin.clamp(from, to);
        if begin > at && begin - at >= least {
            let margin = margin(begin - at);
            found.push((at + margin, begin - margin));
        }
        at = at.max(end.min(to));
    }
    found
}

fn place(bounds: &[(u64, u64, bool)]) -> Vec<Piece> {
    let folds = bounds.iter().filter(|(_, _, is_folded)| *is_folded).count() as f64;
    let shown: u64 =
        bounds.iter().filter(|(_, _, is_folded)| !is_folded).map(|(from, to, _)| to - from).sum();
    let room = (100.0 - folds * FOLD_PERCENT).max(10.0);
    let mut left = 0.0;
    let mut pieces = Vec::with_capacity(bounds.len());
    for &(from, to, is_folded) in bounds {
        let width =
            if is_folded { FOLD_PERCENT } else { room * (to - from) as f64 / shown.max(1) as f64 };
        pieces.push(Piece { from, to, left, right: left + width, is_folded });
        left += width;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_folds_time_runs_evenly() {
        let axis = Axis::new(1_000, 2_000, None);
        assert_eq!([axis.at(1_000), axis.at(1_500), axis.at(2_000)], [0.0, 50.0, 100.0]);
        assert_eq!([axis.at(0), axis.at(9_000)], [0.0, 100.0], "outside lies at the edges");
        assert!(axis.folds().is_empty());
    }

    #[test]
    fn a_long_wait_becomes_a_fold() {
        let hour = 3_600_000;
        let axis = Axis::new(0, 2 * hour, Some(&[(0, 4_000), (2 * hour - 6_000, 2 * hour)]));
        let [(at, hidden)] = axis.folds()[..] else { panic!("one fold") };
        assert!(hidden > hour && (30.0..70.0).contains(&at), "{at} {hidden}");
        assert!(axis.at(4_000) > 1.0, "what happened before is visible again");
    }

    #[test]
    fn moments_keep_their_order() {
        let busy = [(5, 10), (400, 420), (410, 500), (900, 1_000)];
        let axis = Axis::new(0, 1_000, Some(&busy));
        let places: Vec<f64> = (0..=1_000).map(|ms| axis.at(ms)).collect();
        assert!(places.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!((99.9..=100.1).contains(&places[1_000]), "{}", places[1_000]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let labels =
            |axis: &Axis| axis.ticks().into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(&Axis::new(0, 48_000, None)), ["0", "10 s", "20 s", "30 s", "40 s"]);
        assert_eq!(labels(&Axis::new(7, 7, None)), ["0"]);
        for length in [1, 17, 999, 61_000, 7_300_000, 900_000_000, 9_000_000_000_000] {
            let ticks = Axis::new(0, length, None).ticks();
            assert!(!ticks.is_empty() && ticks.len() <= 24, "{length}");
        }
    }
}
