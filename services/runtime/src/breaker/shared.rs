//! The breakers behind one short lock.
//!
//! A lock and no actor, since the hot path must have its answer at once; nothing waits while
//! holding it. While every breaker is closed, asking takes one atomic read.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cadre_core::{
    breaker::{
        Breaker, Call, Change, Debt, Lease, Moment, Permit, Settings, State, Target,
        port::{News, Posted},
    },
    ids::Name,
    limits::{BREAKER_POD_LIVES_FOR, BREAKERS_MAX},
    time::UnixMillis,
};
use tokio::sync::Notify;

use super::BreakerOptions;
use crate::metrics::table;

/// Pods that are remembered; a larger fleet has a quorum all the same.
const PODS_MAX: usize = 1_024;

type Clock = Box<dyn Fn() -> UnixMillis + Send + Sync>;

pub(super) struct Shared {
    pub(super) pod: Name,
    settings: Settings,
    clock: Clock,
    /// False: nobody pays, so each breaker is on its own.
    has_board: bool,
    /// False while every breaker is closed.
    is_any_open: AtomicBool,
    inner: Mutex<Inner>,
    /// Something may be owed.
    news: Notify,
}

#[derive(Default)]
struct Inner {
    breakers: BTreeMap<Target, Breaker>,
    pods: BTreeMap<Name, UnixMillis>,
    is_full_told: bool,
}

impl Shared {
    pub(super) fn new(options: BreakerOptions, clock: Clock, has_board: bool) -> Self {
        Self {
            pod: options.pod,
            settings: options.settings,
            clock,
            has_board,
            is_any_open: AtomicBool::new(false),
            inner: Mutex::default(),
            news: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> UnixMillis {
        (self.clock)()
    }

    pub(super) fn permit(&self, target: &Target) -> Permit {
        if !self.is_any_open.load(Ordering::Acquire) {
            return Permit::Yes;
        }
        let (mut inner, at) = self.lock();
        let Some(breaker) = inner.breakers.get_mut(target) else { return Permit::Yes };
        let mut permit = breaker.permit(at);
        if !self.has_board && matches!(permit, Permit::No { .. }) {
            breaker.go_alone(at);
            permit = breaker.permit(at);
        }
        match permit {
            Permit::Yes => self.recount(&inner, at),
            Permit::No { .. } => self.news.notify_one(),
            Permit::Probe(_) => tracing::info!(%target, "breaker sent its probe"),
        }
        permit
    }

    pub(super) fn record(&self, target: &Target, call: Call) {
        let (mut inner, at) = self.lock();
        let Some(breaker) = self.breaker(&mut inner, target) else { return };
        let Some(change) = breaker.record(call, at) else {
            return;
        };
        let to = if matches!(change, Change::Closed) { "closed" } else { "open" };
        table::BREAKER_CHANGES.add(&[&target.to_string(), to], 1);
        match change {
            Change::Opened(opening) => {
                let (until, reason) = (opening.until, &*opening.reason);
                tracing::warn!(%target, %until, reason, "breaker opened");
            }
            Change::Closed => tracing::info!(%target, "breaker closed"),
        }
        self.recount(&inner, at);
        self.news.notify_one();
    }

    pub(super) fn give_back(&self, target: &Target, lease: &Lease) {
        let (mut inner, _) = self.lock();
        if let Some(breaker) = inner.breakers.get_mut(target) {
            breaker.give_back(lease);
            self.news.notify_one();
        }
    }

    pub(super) fn not_closed(&self) -> Vec<(Target, State)> {
        let (inner, at) = self.lock();
        let states = inner.breakers.values().map(|one| (one.target().clone(), one.state(at)));
        states.filter(|(_, state)| *state != State::Closed).collect()
    }

    /// Learns what the board says, pods first: they decide what the hints are worth.
    pub(super) fn learn(&self, news: Vec<News>) {
        let (mut inner, at) = self.lock();
        let mut hints = Vec::new();
        for one in news {
            match one {
                News::Pod(pod, seen) => inner.see(pod, seen, at.now),
                News::Hint(target, posted) => hints.push((target, posted)),
            }
        }
        // The pods may have changed what is open.
        let at = Moment { live_pods: inner.live_pods(&self.pod, at.now), ..at };
        for (target, posted) in hints {
            let Some(breaker) = self.breaker(&mut inner, &target) else { continue };
            let was_closed = breaker.is_closed(at);
            if let Err(error) = &posted.hint {
                tracing::warn!(%target, %error, "hint of a breaker was not understood");
            }
            breaker.learn(*posted, at.now);
            if was_closed != breaker.is_closed(at) {
                tracing::info!(%target, is_closed = !was_closed, "breaker followed the fleet");
            }
        }
        self.recount(&inner, at);
        self.news.notify_one();
    }

    /// A new watch begins: the board may be another one.
    pub(super) fn forget_revisions(&self) {
        self.lock().0.breakers.values_mut().for_each(Breaker::forget_revision);
    }

    /// Targets with something to tell; takes note of what time alone has changed.
    pub(super) fn debtors(&self) -> Vec<Target> {
        let (inner, at) = self.lock();
        self.recount(&inner, at);
        let owing = inner.breakers.values().filter(|breaker| breaker.owes(at).is_some());
        owing.map(|breaker| breaker.target().clone()).collect()
    }

    pub(super) fn debt(&self, target: &Target) -> Option<Debt> {
        let (inner, at) = self.lock();
        inner.breakers.get(target)?.owes(at)
    }

    pub(super) fn paid(&self, target: &Target, debt: Debt, revision: u64) {
        self.change(target, |breaker, at| breaker.paid(debt, revision, at.now));
    }

    pub(super) fn read(&self, target: &Target, posted: Posted) {
        self.change(target, |breaker, at| breaker.learn(posted, at.now));
    }

    pub(super) fn go_alone(&self, target: &Target) {
        self.change(target, Breaker::go_alone);
    }

    /// Waits until something may be owed, at most for `tick` while something is open.
    pub(super) async fn changed(&self, tick: Duration) {
        if self.is_any_open.load(Ordering::Acquire) {
            // Late or not: time itself may have changed something.
            let _ = tokio::time::timeout(tick, self.news.notified()).await;
        } else {
            self.news.notified().await;
        }
    }

    fn change(&self, target: &Target, change: impl FnOnce(&mut Breaker, Moment)) {
        let (mut inner, at) = self.lock();
        if let Some(breaker) = inner.breakers.get_mut(target) {
            change(breaker, at);
            self.recount(&inner, at);
        }
    }

    fn lock(&self) -> (MutexGuard<'_, Inner>, Moment) {
        let now = (self.clock)();
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let live_pods = if self.has_board { inner.live_pods(&self.pod, now) } else { 1 };
        (inner, Moment { now, live_pods })
    }

    fn breaker<'a>(&self, inner: &'a mut Inner, target: &Target) -> Option<&'a mut Breaker> {
        if !inner.breakers.contains_key(target) {
            if inner.breakers.len() >= BREAKERS_MAX {
                if !inner.is_full_told {
                    inner.is_full_told = true;
                    tracing::warn!(%target, BREAKERS_MAX, "no breaker left for a target");
                }
                return None;
            }
            let fresh = Breaker::new(target.clone(), self.pod.clone(), self.settings);
            inner.breakers.insert(target.clone(), fresh);
        }
        inner.breakers.get_mut(target)
    }

    fn recount(&self, inner: &Inner, at: Moment) {
        let is_any_open = inner.breakers.values().any(|breaker| !breaker.is_closed(at));
        self.is_any_open.store(is_any_open, Ordering::Release);
    }
}

impl Inner {
    fn see(&mut self, pod: Name, seen: UnixMillis, now: UnixMillis) {
        self.pods.retain(|_, at| now.since(*at) < BREAKER_POD_LIVES_FOR);
        if now.since(seen) < BREAKER_POD_LIVES_FOR && self.pods.len() < PODS_MAX {
            self.pods.insert(pod, seen);
        }
    }

    /// Pods that live. Many until our own beat came back: whoever does not hear of itself cannot
    /// tell whether the others are silent. It comes after those of all who were there before.
    fn live_pods(&self, own: &Name, now: UnixMillis) -> usize {
        let is_live = |at: &UnixMillis| now.since(*at) < BREAKER_POD_LIVES_FOR;
        if !self.pods.get(own).is_some_and(is_live) {
            return usize::MAX;
        }
        self.pods.values().filter(|at| is_live(at)).count()
    }
}
