//! The watch: what of the fleet needs a person, and why. Pure.
//!
//! ```text
//!  log ─► Digest ─► Tracker ─► suspects ─ replay ─► examine ─┐
//!  bus ─► Survey ─► Queues, survey::findings ────────────────┴─► Finding… ─► Alarms ─► Alert…
//! ```
//!
//! A [`Finding`] is what holds at one look; [`Alarms`] makes alerts of findings that neither flap nor
//! flood. Called by the orchestrator's watch, which reads the bus and posts the alerts. Invariant:
//! whoever is shown an alert is told what is wrong, since when, and what to do next.

pub mod alarms;
pub mod alert;
pub mod examine;
pub mod port;
pub mod survey;
#[cfg(test)]
mod tests;
pub mod tracker;

use std::{collections::BTreeMap, time::Duration};

pub use self::{
    alarms::Alarms,
    alert::{Alert, AlertError, Finding, Key, Kind, Severity},
    examine::{Examined, TimerState, examine},
    survey::{Board, Length, Letters, Queue, Queues, StreamFill, Survey},
    tracker::{Digest, StepNews, Tracker},
};

/// Figures and names behind an alert, for programs.
pub type Evidence = BTreeMap<String, String>;

/// When the watch speaks up. All durations are the broker's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Pause between two looks. Default 5 s: far below every other duration here.
    pub look_every: Duration,
    /// For how long a process has the watch before another may take it. Default 20 s: several looks,
    /// and a gap of the broker.
    pub term: Duration,
    /// How long a task may be overdue by its own timeouts. Default 30 s: an orchestrator's failover
    /// and a leader change of the broker take a third of it.
    pub grace: Duration,
    /// An open task that has not changed for so long is replayed once, to learn when it is due.
    /// Default 5 min: most tasks have ended by then.
    pub idle: Duration,
    /// How long work may wait while nobody asks for it. Default 30 s: a rolling restart passes.
    pub unserved_for: Duration,
    /// How long a queue may hand out work and hear nothing, while nobody asks for more. Default 5 min.
    pub silent_for: Duration,
    /// How long a cause must be gone before its alert ends. Default 30 s.
    pub hold: Duration,
    /// Over which time errors of a role and the growth of queues are looked at. Default 2 min.
    pub window: Duration,
    /// Failed attempts of a role within `window` that are news, if they are half of all. Default 5.
    pub errors_min: u32,
    /// Messages that must wait before growth is news. Default 100.
    pub backlog_min: u64,
    /// How long before a question expires it is news, but never in its first three quarters.
    /// Default 10 min.
    pub expires_within: Duration,
    /// After this long an open alert is posted again, so that it outlives its stream's age. Default 1 h.
    pub repeat_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            look_every: seconds(5),
            term: seconds(20),
            grace: seconds(30),
            idle: seconds(300),
            unserved_for: seconds(30),
            silent_for: seconds(300),
            hold: seconds(30),
            window: seconds(120),
            errors_min: 5,
            backlog_min: 100,
            expires_within: seconds(600),
            repeat_after: seconds(3600),
        }
    }
}

/// A duration for people: the largest units that matter.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{}.{} s", seconds, duration.subsec_millis() / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

fn evidence<const N: usize>(pairs: [(&str, String); N]) -> Evidence {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
