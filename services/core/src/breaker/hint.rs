//! What the pods tell each other about one target.
//!
//! Every change is a pure edit of the whole hint; the bus takes it only if nobody else was faster
//! (compare-and-swap), else the edit is made anew on what is there. A hint is evidence, not an order:
//! it opens other pods' breakers only when enough pods say the same, and all of it expires.

use std::sync::Arc;

use super::{Settings, Target};
use crate::{
    ids::Name,
    limits::{BREAKER_FORCED_MAX, BREAKER_REPORTERS_MAX},
    time::UnixMillis,
};

/// Pods that must agree before the others follow, where there are enough of them.
const QUORUM: usize = 2;

/// What is known about one target in the whole fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What it is about.
    pub target: Target,
    /// The opening that is reported; half-open once its time is over.
    pub opening: Option<Opening>,
    /// Who reports it, by name; at most [`BREAKER_REPORTERS_MAX`].
    pub reporters: Vec<Reporter>,
    /// Who may probe.
    pub probe: Option<Lease>,
    /// What a person wants.
    pub forced: Option<Forced>,
    /// Openings up to then are void: a probe passed, or a person closed it. Zero for never.
    pub closed_at: UnixMillis,
}

/// A time of no calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// When it began.
    pub since: UnixMillis,
    /// When a probe may go out.
    pub until: UnixMillis,
    /// Which opening in a row, from 1.
    pub row: u32,
    /// What led to it, for people.
    pub reason: Arc<str>,
}

/// A pod that has seen the target fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// Its name, unique for each life of a process.
    pub pod: Name,
    /// When it said so.
    pub at: UnixMillis,
    /// When that stops to count.
    pub until: UnixMillis,
}

/// The one permission to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub pod: Name,
    /// When it was given.
    pub since: UnixMillis,
    /// When somebody else may have it.
    pub until: UnixMillis,
}

/// What a person wants a breaker to be, whatever the calls say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forced {
    /// Open or closed.
    pub to: ForcedTo,
    /// When it was said.
    pub since: UnixMillis,
    /// When the calls decide again.
    pub until: UnixMillis,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What a breaker can be held at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForcedTo {
    /// No calls.
    Open,
    /// Every call, whatever comes of it.
    Closed,
}

impl ForcedTo {
    /// `open` or `closed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Reporters that open the breaker of a pod that has seen nothing itself: two, or half of the
/// live pods where that is fewer.
#[must_use]
pub fn quorum(live_pods: usize) -> usize {
    live_pods.div_ceil(2).clamp(1, QUORUM)
}

impl Hint {
    /// A hint that says nothing.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            opening: None,
            reporters: Vec::new(),
            probe: None,
            forced: None,
            closed_at: UnixMillis(0),
        }
    }

    /// Reporters that count at `now`.
    pub fn witnesses(&self, now: UnixMillis) -> impl Iterator<Item = &Reporter> {
        self.reporters.iter().filter(move |reporter| reporter.until > now)
    }

    /// The opening, if so many pods report it that all of `live_pods` follow.
    #[must_use]
    pub fn agreed(&self, now: UnixMillis, live_pods: usize) -> Option<&Opening> {
        let opening = self.opening.as_ref()?;
        (self.witnesses(now).count() >= quorum(live_pods)).then_some(opening)
    }

    /// What a person wants now.
    #[must_use]
    pub fn held(&self, now: UnixMillis) -> Option<&Forced> {
        self.forced.as_ref().filter(|forced| forced.until > now)
    }

    /// The lease that holds now.
    #[must_use]
    pub fn lease(&self, now: UnixMillis) -> Option<&Lease> {
        self.probe.as_ref().filter(|lease| lease.until > now)
    }

    /// Whether it says nothing any more at `now`.
    #[must_use]
    pub fn is_void(&self, now: UnixMillis) -> bool {
        self.held(now).is_none() && self.witnesses(now).next().is_none()
    }

    /// With a person's wish; one to close also voids what was reported.
    #[must_use]
    pub fn force(self, forced: Forced) -> Self {
        let base = match forced.to {
            ForcedTo::Open => self,
            ForcedTo::Closed => self.reset(forced.since),
        };
        Self { forced: Some(forced), ..base }
    }

    /// Without any wish and any report: every breaker of this target closes.
    #[must_use]
    pub fn reset(self, at: UnixMillis) -> Self {
        Self { closed_at: self.closed_at.max(at), ..Self::new(self.target) }
    }

    /// With the report of `pod` that its own calls opened its breaker.
    #[must_use]
    pub(super) fn reported(mut self, pod: &Name, opening: &Opening, settings: &Settings) -> Self {
        let at = opening.since;
        let is_known = self.witnesses(at).next().is_some();
        self.opening = match self.opening.take().filter(|_| is_known) {
            Some(known) => Some(known.joined(opening)),
            None => Some(opening.clone()),
        };
        self.testify(pod, opening, settings);
        self
    }

    /// With a probe that failed: that proves it for everybody who reported.
    #[must_use]
    pub(super) fn failed(mut self, pod: &Name, opening: &Opening, settings: &Settings) -> Self {
        if self.closed_at >= opening.since {
            return self;
        }
        let until = opening.until.after(settings.linger);
        for reporter in &mut self.reporters {
            if reporter.until > opening.since {
                reporter.until = reporter.until.max(until);
            }
        }
        self.opening = Some(match self.opening.take() {
            Some(known) if known.since > opening.since => known.joined(opening),
            Some(_) | None => opening.clone(),
        });
        self.probe = None;
        self.testify(pod, opening, settings);
        self
    }

    /// With a probe that passed at `at`; an opening that began later stands.
    #[must_use]
    pub(super) fn passed(self, at: UnixMillis) -> Self {
        let is_newer = self.opening.as_ref().is_some_and(|opening| opening.since > at);
        let has_nothing = self.opening.is_none() && self.probe.is_none();
        if is_newer || has_nothing {
            return self;
        }
        let forced = self.forced.clone();
        Self { forced, ..self.reset(at) }
    }

    /// With a lease to probe; unchanged while another one holds.
    #[must_use]
    pub(super) fn leased(mut self, lease: Lease) -> Self {
        if self.lease(lease.since).is_none() {
            self.probe = Some(lease);
        }
        self
    }

    /// Without this very lease: nobody probed.
    #[must_use]
    pub(super) fn returned(mut self, lease: &Lease) -> Self {
        self.probe.take_if(|held| held == lease);
        self
    }

    /// Whether it holds the report of this opening by `pod`.
    #[must_use]
    pub(super) fn knows(&self, pod: &Name, opening: &Opening) -> bool {
        self.reporters.iter().any(|reporter| reporter.pod == *pod && reporter.at >= opening.since)
    }

    /// Without what has expired.
    #[must_use]
    pub(super) fn pruned(mut self, now: UnixMillis) -> Self {
        self.reporters.retain(|reporter| reporter.until > now);
        self.opening.take_if(|_| self.reporters.is_empty());
        self.probe.take_if(|lease| lease.until <= now);
        self.forced.take_if(|forced| forced.until <= now);
        self
    }

    /// With no time further off than our own rules would set: neither a clock that is wrong nor a
    /// hostile writer can block a target for longer.
    #[must_use]
    pub(super) fn bounded(mut self, now: UnixMillis, settings: &Settings) -> Self {
        let open_end = now.after(settings.open_max);
        if let Some(opening) = &mut self.opening {
            opening.since = opening.since.min(now);
            opening.until = opening.until.min(open_end);
        }
        for reporter in &mut self.reporters {
            reporter.at = reporter.at.min(now);
            reporter.until = reporter.until.min(open_end.after(settings.linger));
        }
        if let Some(lease) = &mut self.probe {
            lease.until = lease.until.min(now.after(settings.probe_for));
        }
        if let Some(forced) = &mut self.forced {
            forced.until = forced.until.min(now.after(BREAKER_FORCED_MAX));
        }
        self.closed_at = self.closed_at.min(now);
        self
    }

    fn testify(&mut self, pod: &Name, opening: &Opening, settings: &Settings) {
        let until = opening.until.after(settings.linger);
        self.reporters.retain(|reporter| reporter.pod != *pod);
        while self.reporters.len() >= BREAKER_REPORTERS_MAX {
            let oldest = self.reporters.iter().enumerate().min_by_key(|(_, reporter)| reporter.at);
            let Some(index) = oldest.map(|(index, _)| index) else { break };
            self.reporters.remove(index);
        }
        self.reporters.push(Reporter { pod: pod.clone(), at: opening.since, until });
        self.reporters.sort_by(|one, other| one.pod.cmp(&other.pod));
    }
}

impl Opening {
    /// Both as one: from the first to the last end.
    fn joined(self, other: &Self) -> Self {
        Self {
            since: self.since.min(other.since),
            until: self.until.max(other.until),
            row: self.row.max(other.row),
            reason: self.reason,
        }
    }
}
