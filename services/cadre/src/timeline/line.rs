//! One line of a timeline, and the words in it.

use cadre_core::{
    task::{Ask, AskKind, Budget, EndStatus, Usage},
    time::UnixMillis,
};

use crate::output::{
    Look,
    text::{brief, clean, count, span, usd},
};

/// Characters of a reason that one line shows.
const REASON_CHARS_MAX: usize = 160;

/// What a line is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Goal,
    Expanded,
    Crew,
    HandedOff,
    Loop,
    Started,
    Delayed,
    Completed,
    Unsure,
    Failed,
    Skipped,
    Waiting,
    Voted,
    Limit,
    Added,
    Paused,
    Resumed,
    Refused,
    Undone,
    Joined,
    Taken,
    Ended(EndStatus),
}

impl Mark {
    /// On a terminal, elsewhere, and in which colour.
    pub(super) fn shown(self) -> (&'static str, &'static str, Look) {
        match self {
            Self::Goal => ("●", "goal", Look::Strong),
            Self::Expanded => ("⋔", "split", Look::Dim),
            Self::Crew => ("⋈", "crew", Look::Dim),
            Self::HandedOff => ("→", "hand", Look::Begin),
            Self::Loop => ("↻", "loop", Look::Warn),
            Self::Started => ("▸", "start", Look::Begin),
            Self::Delayed => ("◷", "later", Look::Warn),
            Self::Completed => ("✓", "done", Look::Good),
            Self::Unsure => ("≈", "maybe", Look::Warn),
            Self::Failed => ("✗", "fail", Look::Bad),
            Self::Skipped => ("○", "skip", Look::Dim),
            Self::Waiting => ("?", "ask", Look::Warn),
            Self::Voted => ("+", "vote", Look::Good),
            Self::Limit => ("!", "limit", Look::Warn),
            Self::Added => ("+", "add", Look::Good),
            Self::Paused => ("‖", "pause", Look::Warn),
            Self::Resumed => ("▸", "go", Look::Begin),
            Self::Refused => ("⊘", "no", Look::Bad),
            Self::Undone => ("↶", "undo", Look::Warn),
            Self::Joined => ("⋈", "join", Look::Good),
            Self::Taken => ("⇥", "taken", Look::Dim),
            Self::Ended(EndStatus::Completed) => ("■", "end", Look::Good),
            Self::Ended(EndStatus::Partial) => ("■", "end", Look::Warn),
            Self::Ended(EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete) => {
                ("■", "end", Look::Bad)
            }
        }
    }
}

/// One line before it is put together.
pub(super) struct Line {
    pub(super) mark: Mark,
    pub(super) what: String,
    pub(super) who: String,
    pub(super) rest: String,
}

impl Line {
    /// A line about nobody in particular.
    pub(super) fn new(mark: Mark, what: &str, rest: String) -> Self {
        Self { mark, what: what.to_owned(), who: String::new(), rest }
    }
}

/// A limit was met: the task comes to its end, or waits.
pub(super) fn limit(limit: &str, is_held: bool) -> Line {
    if is_held {
        let rest = format!("waits for a larger budget: {}", reason(limit));
        return Line::new(Mark::Limit, "budget", rest);
    }
    Line::new(Mark::Limit, "limit", reason(limit))
}

/// Somebody made the limits wider.
pub(super) fn topped_up(by: &str, budget: Budget) -> Line {
    Line::new(Mark::Added, "budget", format!("{} added {}", reason(by), added(budget)))
}

/// Nothing new begins.
pub(super) fn paused(by: &str) -> Line {
    Line::new(Mark::Paused, "task", format!("paused by {}", reason(by)))
}

/// It goes on.
pub(super) fn resumed(by: &str) -> Line {
    Line::new(Mark::Resumed, "task", format!("resumed by {}", reason(by)))
}

/// A wish that could not be fulfilled.
pub(super) fn refused(what: &str, why: &str) -> Line {
    Line::new(Mark::Refused, "task", format!("{} refused: {}", reason(what), reason(why)))
}

/// A text from elsewhere, short and on one line.
pub(super) fn reason(text: &str) -> String {
    brief(&clean(text), REASON_CHARS_MAX)
}

/// What a person is asked, how many must agree, and until when.
pub(super) fn asked(ask: &Ask, now: UnixMillis) -> String {
    let what = match ask.kind {
        AskKind::Question => "waits for a person",
        AskKind::Approval => "waits for approval",
        AskKind::Doubt => "waits for a person who knows",
    };
    let parts = [
        Some(format!("{what}: {}", reason(&ask.question))),
        (ask.quorum > 1).then(|| format!("{} must agree", ask.quorum)),
        ask.expires.map(|at| format!("within {}", span(at.since(now)))),
    ];
    join(parts)
}

/// What a budget adds, without what it leaves as it is.
pub(crate) fn added(budget: Budget) -> String {
    let Budget { steps, usd_micros, tokens, time } = budget;
    let parts = [
        (steps > 0).then(|| count(steps.into(), "step")),
        (usd_micros > 0).then(|| usd(usd_micros)),
        (tokens > 0).then(|| count(tokens, "token")),
        (!time.is_zero()).then(|| format!("{} of time", span(time))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// Money that was spent; `None` when there was none.
pub(super) fn cost(usage: Usage) -> Option<String> {
    (usage.usd_micros > 0).then(|| usd(usage.usd_micros))
}

/// What there is, behind one another.
pub(super) fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}
