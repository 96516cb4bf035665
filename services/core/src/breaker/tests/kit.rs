//! A fleet of breakers of one target over a board that is one hint and its revision.

use std::time::Duration;

use super::super::*;

pub(super) const T0: UnixMillis = UnixMillis(1_800_000_000_000);

pub(super) fn ms(text: u64) -> UnixMillis {
    T0.after(Duration::from_millis(text))
}

pub(super) fn target() -> Target {
    "role.extractor".parse().unwrap()
}

pub(super) fn pod(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn call(outcome: CallOutcome) -> Call {
    Call { outcome, took: Duration::from_millis(5), usd_micros: 0 }
}

pub(super) const GOOD: CallOutcome = CallOutcome::Success;
pub(super) const BAD: CallOutcome = CallOutcome::InfrastructureFailure;

pub(super) fn alone(now: UnixMillis) -> Moment {
    Moment { now, live_pods: 1 }
}

pub(super) fn breaker(name: &str) -> Breaker {
    Breaker::new(target(), pod(name), Settings::default())
}

/// Fails until the breaker opens.
pub(super) fn open(breaker: &mut Breaker, at: Moment) {
    for _ in 0..Settings::default().calls_min {
        breaker.record(call(BAD), at);
    }
}

/// The fleet and its board.
pub(super) struct Fleet {
    pub(super) pods: Vec<Breaker>,
    pub(super) board: Posted,
}

impl Fleet {
    pub(super) fn of(names: &[&str]) -> Self {
        let pods = names.iter().map(|name| breaker(name)).collect();
        Self { pods, board: Posted { hint: Ok(None), revision: 0 } }
    }

    pub(super) fn at(&self, now: UnixMillis) -> Moment {
        Moment { now, live_pods: self.pods.len() }
    }

    /// One pod pays what it owes, as the shell does.
    pub(super) fn pay(&mut self, index: usize, now: UnixMillis) {
        let (at, board) = (self.at(now), &mut self.board);
        for _ in 0..3 {
            let Some(debt) = self.pods[index].owes(at) else { return };
            if debt.revision != board.revision {
                self.pods[index].learn(board.clone(), now);
                continue;
            }
            let (hint, revision) = (debt.hint.clone(), board.revision + 1);
            *board = Posted { hint: Ok(Some(hint)), revision };
            self.pods[index].paid(debt, revision, now);
        }
        assert_eq!(self.pods[index].owes(at), None, "debts can be paid");
    }

    /// Everybody learns what is on the board.
    pub(super) fn tell(&mut self, now: UnixMillis) {
        for pod in &mut self.pods {
            pod.learn(self.board.clone(), now);
        }
    }

    pub(super) fn settle(&mut self, now: UnixMillis) {
        (0..self.pods.len()).for_each(|index| self.pay(index, now));
        self.tell(now);
    }

    pub(super) fn open(&mut self, index: usize, now: UnixMillis) {
        let at = self.at(now);
        open(&mut self.pods[index], at);
        self.settle(now);
    }

    pub(super) fn permit(&mut self, index: usize, now: UnixMillis) -> Permit {
        let at = self.at(now);
        self.pods[index].permit(at)
    }

    pub(super) fn record(&mut self, index: usize, outcome: CallOutcome, now: UnixMillis) {
        let at = self.at(now);
        self.pods[index].record(call(outcome), at);
    }

    /// Who would send a call now: `y`es, a `p`robe, `n`o. Probes are handed out by asking.
    pub(super) fn permits(&mut self, now: UnixMillis) -> String {
        (0..self.pods.len())
            .map(|index| match self.permit(index, now) {
                Permit::Yes => 'y',
                Permit::Probe(_) => 'p',
                Permit::No { until, .. } => {
                    assert!(until > now, "asks again later");
                    'n'
                }
            })
            .collect()
    }

    pub(super) fn hint(&self) -> Hint {
        self.board.hint.clone().unwrap().unwrap()
    }

    pub(super) fn edit(&mut self, edit: impl FnOnce(Hint) -> Hint) {
        let hint = self.board.hint.clone().unwrap().unwrap_or_else(|| Hint::new(target()));
        let revision = self.board.revision + 1;
        self.board = Posted { hint: Ok(Some(edit(hint))), revision };
    }
}
