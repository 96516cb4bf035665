//! Circuit breakers: no calls to a role, tool or model that fails whatever it is asked.
//!
//! ```text
//!            rate of failures, slow calls or cost            its time is over
//!  Closed ──────────────────────────────────────► Open ──────────────────────► HalfOpen
//!    ▲              enough other pods report it    ▲                            │   │
//!    │                                             └──── the probe failed ──────┘   │
//!    └───────────── the probe passed, or a person closed it, or every report expired┘
//! ```
//!
//! Each process counts its own calls ([`Settings`]) and tells the fleet by a [`Hint`]; the runtime's
//! breaker service carries hints to and from the bus ([`port`]). Half-open, one pod of the fleet holds
//! the [`Lease`] for one probe. Invariant: only infrastructure failures count ([`classify`]), and
//! nothing that is said by anybody blocks a target without an end.

mod call;
mod hint;
mod own;
pub mod port;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod window;
mod wire;

use std::{sync::Arc, time::Duration};

pub use self::{
    call::{Call, CallOutcome, classify},
    hint::{Forced, ForcedTo, Hint, Lease, Opening, Reporter, quorum},
    settings::{Settings, SettingsError},
    target::{Target, TargetError},
    wire::WireError,
};
use self::{own::Own, port::Posted};
use crate::{ids::Name, limits::BREAKER_REPORTERS_MAX, time::UnixMillis};

/// When something is asked or told, and among how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The broker's time.
    pub now: UnixMillis,
    /// Pods that are alive, this one included.
    pub live_pods: usize,
}

/// Whether a call may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Yes,
    /// It may, as the fleet's one probe; give the lease back if it does not go out.
    Probe(Lease),
    /// It may not.
    No {
        /// When to ask again; always later than now.
        until: UnixMillis,
        /// Why, for people.
        reason: Arc<str>,
    },
}

/// How a breaker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Calls go out.
    Closed,
    /// None does.
    Open {
        /// Until then.
        until: UnixMillis,
        /// Why, for people.
        reason: Arc<str>,
    },
    /// One does, by whoever holds the lease.
    HalfOpen,
}

/// What a call has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It opened, for the first time or after a failed probe.
    Opened(Opening),
    /// Its probe passed.
    Closed,
}

/// A hint that the bus should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// The hint.
    pub hint: Hint,
    /// Revision that the bus must have it at; 0 for none.
    pub revision: u64,
    verdict: Option<Verdict>,
}

/// What came of our probe, while the fleet does not know it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Passed(UnixMillis),
    Failed(Opening),
    Returned(Lease),
}

/// The breaker of one target in one process.
#[derive(Debug, Clone)]
pub struct Breaker {
    target: Target,
    pod: Name,
    settings: Settings,
    own: Own,
    /// As the bus has it.
    posted: Hint,
    revision: u64,
    /// A newer build wrote it: not ours to change.
    is_foreign: bool,
    /// `posted` with our verdict.
    hint: Hint,
    verdict: Option<Verdict>,
    /// When somebody last asked while it was not closed: a probe needs something to do.
    wanted_at: Option<UnixMillis>,
    /// Our own lease while the bus gives none.
    alone: Option<Lease>,
    /// The lease that a probe went out on, by its beginning.
    taken: Option<UnixMillis>,
}

impl Breaker {
    /// A closed breaker of `target` in the process `pod`.
    #[must_use]
    pub fn new(target: Target, pod: Name, settings: Settings) -> Self {
        let hint = Hint::new(target.clone());
        Self {
            target,
            pod,
            settings,
            own: Own::new(),
            posted: hint.clone(),
            revision: 0,
            is_foreign: false,
            hint,
            verdict: None,
            wanted_at: None,
            alone: None,
            taken: None,
        }
    }

    /// What it stands in front of.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What the fleet knows, our own verdict included.
    #[must_use]
    pub fn hint(&self) -> &Hint {
        &self.hint
    }

    /// How it is.
    #[must_use]
    pub fn state(&self, at: Moment) -> State {
        if let Some(forced) = self.hint.held(at.now) {
            return match forced.to {
                ForcedTo::Closed => State::Closed,
                ForcedTo::Open => {
                    let reason = format!("held open by {}: {}", forced.by, forced.reason);
                    State::Open { until: forced.until, reason: reason.into() }
                }
            };
        }
        match self.opening(at) {
            None => State::Closed,
            Some(opening) if opening.until > at.now => {
                State::Open { until: opening.until, reason: Arc::clone(&opening.reason) }
            }
            Some(_) => State::HalfOpen,
        }
    }

    /// Whether every call may go out; cheaper than [`Self::state`].
    #[must_use]
    pub fn is_closed(&self, at: Moment) -> bool {
        match self.hint.held(at.now) {
            Some(forced) => forced.to == ForcedTo::Closed,
            None => self.opening(at).is_none(),
        }
    }

    /// Whether a call may go out now. A probe is handed out once for each lease.
    pub fn permit(&mut self, at: Moment) -> Permit {
        match self.state(at) {
            State::Closed => Permit::Yes,
            State::Open { until, reason } => {
                self.wanted_at = Some(at.now);
                Permit::No { until, reason }
            }
            State::HalfOpen => self.probe(at.now),
        }
    }

    /// Takes note of a call; what that has changed.
    pub fn record(&mut self, call: Call, at: Moment) -> Option<Change> {
        let now = at.now;
        if self.hint.held(now).is_some() {
            self.own.note(call, &self.settings, now);
            return None;
        }
        match self.state(at) {
            State::Closed => self.own.count(call, &self.settings, now).map(Change::Opened),
            // It was under way when the breaker opened: that is known.
            State::Open { .. } => None,
            State::HalfOpen => self.judge(call, at),
        }
    }

    /// Takes a probe back that did not go out.
    pub fn give_back(&mut self, lease: &Lease) {
        if self.taken != Some(lease.since) || lease.pod != self.pod {
            return;
        }
        self.taken = None;
        if self.alone.take_if(|alone| alone == lease).is_none() {
            self.conclude(Verdict::Returned(lease.clone()));
        }
    }

    /// Learns what the bus has; older news than what is known is ignored.
    pub fn learn(&mut self, posted: Posted, now: UnixMillis) {
        if posted.revision < self.revision {
            return;
        }
        self.revision = posted.revision;
        self.is_foreign = matches!(posted.hint, Err(WireError::TooNew { .. }));
        // What cannot be read says nothing, and may be written over.
        let hint = posted.hint.ok().flatten().filter(|hint| hint.target == self.target);
        let hint = hint.unwrap_or_else(|| Hint::new(self.target.clone()));
        self.posted = hint.bounded(now, &self.settings);
        self.retell();
        let is_void = |opening: &Opening| opening.since <= self.hint.closed_at;
        if self.own.opening().is_some_and(is_void) {
            self.own.close(self.hint.closed_at);
        }
    }

    /// The bus may have been made anew: any revision is news.
    pub fn forget_revision(&mut self) {
        self.revision = 0;
    }

    /// What the bus should have instead of what it has.
    #[must_use]
    pub fn owes(&self, at: Moment) -> Option<Debt> {
        if self.is_foreign {
            return None;
        }
        let mut hint = self.hint.clone();
        if let Some(opening) = self.own.opening() {
            let counts = opening.until.after(self.settings.linger) > at.now;
            // Enough have said it: more would only push each other out.
            let is_full = hint.witnesses(at.now).count() >= BREAKER_REPORTERS_MAX;
            if counts && !is_full && !hint.knows(&self.pod, opening) {
                hint = hint.reported(&self.pod, opening, &self.settings);
            }
        }
        if self.wants_lease(at) {
            hint = hint.leased(self.new_lease(at.now));
        }
        if hint == self.posted {
            return None;
        }
        let (revision, verdict) = (self.revision, self.verdict.clone());
        Some(Debt { hint: hint.pruned(at.now), revision, verdict })
    }

    /// The bus has taken `debt` as `revision`.
    pub fn paid(&mut self, debt: Debt, revision: u64, now: UnixMillis) {
        self.verdict.take_if(|verdict| Some(&*verdict) == debt.verdict.as_ref());
        self.learn(Posted { hint: Ok(Some(debt.hint)), revision }, now);
    }

    /// The bus cannot be asked: this process probes for itself.
    pub fn go_alone(&mut self, at: Moment) {
        if self.wants_lease(at) {
            self.alone = Some(self.new_lease(at.now));
        }
    }

    /// The opening that holds this process back: the one that lasts longest.
    fn opening(&self, at: Moment) -> Option<&Opening> {
        let agreed = self.hint.agreed(at.now, at.live_pods);
        self.own.opening().into_iter().chain(agreed).max_by_key(|opening| opening.until)
    }

    fn lease(&self, now: UnixMillis) -> Option<&Lease> {
        self.hint.lease(now).or(self.alone.as_ref().filter(|lease| lease.until > now))
    }

    fn wants_lease(&self, at: Moment) -> bool {
        let Some(opening) = self.opening(at).filter(|opening| opening.until <= at.now) else {
            return false;
        };
        // A lease that ran out unused proves that nobody was there: somebody must ask again.
        let ours = [self.hint.probe.as_ref(), self.alone.as_ref()].into_iter().flatten();
        let used = ours.filter(|lease| lease.pod == self.pod).map(|lease| lease.since).max();
        let is_wanted =
            |asked: UnixMillis| asked >= opening.since && used.is_none_or(|used| asked > used);
        self.wanted_at.is_some_and(is_wanted)
            && self.hint.held(at.now).is_none()
            && self.lease(at.now).is_none()
    }

    fn new_lease(&self, now: UnixMillis) -> Lease {
        let until = now.after(self.settings.probe_for.max(Duration::from_millis(1)));
        Lease { pod: self.pod.clone(), since: now, until }
    }

    fn probe(&mut self, now: UnixMillis) -> Permit {
        let lease = self.lease(now);
        let is_free = |lease: &&Lease| lease.pod == self.pod && self.taken != Some(lease.since);
        if let Some(lease) = lease.filter(is_free).cloned() {
            self.taken = Some(lease.since);
            return Permit::Probe(lease);
        }
        let reason = match lease {
            Some(lease) => format!("half-open: {} probes", lease.pod),
            None => "half-open: a probe is being arranged".to_owned(),
        };
        self.wanted_at = Some(now);
        let until = now.after(self.settings.ask_again.max(Duration::from_millis(1)));
        Permit::No { until, reason: reason.into() }
    }

    /// What a call says about a half-open target.
    fn judge(&mut self, call: Call, at: Moment) -> Option<Change> {
        let now = at.now;
        let opening = self.opening(at)?;
        // While it was open nothing went out: what began in its second half is a probe, whoever sent it
        // and however its times were rounded; what began before is a straggler.
        let middle = UnixMillis(opening.since.0.midpoint(opening.until.0));
        let took_ms = u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX);
        if UnixMillis(now.0.saturating_sub(took_ms)) < middle {
            return None;
        }
        let row = opening.row.saturating_add(1);
        match call.outcome {
            CallOutcome::Success => {
                self.end_probe();
                self.own.close(now);
                self.conclude(Verdict::Passed(now));
                Some(Change::Closed)
            }
            CallOutcome::InfrastructureFailure => {
                self.end_probe();
                let opening = self.own.open(row, "the probe failed", &self.settings, now);
                self.conclude(Verdict::Failed(opening.clone()));
                Some(Change::Opened(opening))
            }
            CallOutcome::Ignored => {
                // Nothing is learned: somebody may probe again.
                if let Some(lease) = self.lease(now).cloned() {
                    self.give_back(&lease);
                }
                None
            }
        }
    }

    fn end_probe(&mut self) {
        (self.alone, self.taken, self.wanted_at) = (None, None, None);
    }

    fn conclude(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
        self.retell();
    }

    /// Lays our verdict over what the bus has; one that changes nothing is settled.
    fn retell(&mut self) {
        let (posted, pod) = (self.posted.clone(), &self.pod);
        self.hint = match &self.verdict {
            None => posted,
            Some(Verdict::Passed(at)) => posted.passed(*at),
            Some(Verdict::Failed(opening)) => posted.failed(pod, opening, &self.settings),
            Some(Verdict::Returned(lease)) => posted.returned(lease),
        };
        self.verdict.take_if(|_| self.hint == self.posted);
    }
}
