//! What a look at queues, streams, breakers and dead letters tells.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{Alarms, Finding, Key, Kind, Settings, Severity, evidence, span};
use crate::{
    breaker::{ForcedTo, Hint, Target, quorum},
    time::UnixMillis,
};

/// A stream this full, in hundredths, is news.
const FULL_PERCENT: u64 = 80;

/// From here on somebody must look at once.
const FULLER_PERCENT: u64 = 95;

/// Below this it is none any more.
const FULL_AGAIN_PERCENT: u64 = 75;

/// Samples of a queue's length within the window.
const SAMPLES_MAX: u32 = 24;

/// Everything that one look reads of the bus, the log aside.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Consumers of ours, by stream and name.
    pub queues: Vec<Queue>,
    /// Streams with a cap.
    pub streams: Vec<StreamFill>,
    /// Log streams that hold dead letters.
    pub letters: Vec<Letters>,
    /// What pods say of breakers.
    pub board: Board,
}

/// One consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// `role.<name>`, `partition.<p>`, `intake` or `timers`; of several streams if it has several.
    pub subject: String,
    /// Messages that nobody has got yet.
    pub pending: u64,
    /// Messages that somebody has got and did not settle.
    pub held: u64,
    /// Requests that wait for messages.
    pub waiting: u64,
    /// Moves whenever a message is given out or settled.
    pub moved: u64,
}

/// How full a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFill {
    /// Its name.
    pub name: String,
    /// Bytes in it.
    pub bytes: u64,
    /// Its cap.
    pub max_bytes: u64,
    /// When it is full it refuses, rather than forgets the oldest.
    pub refuses: bool,
}

/// The dead letters of one log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    /// The stream.
    pub stream: String,
    /// How many it holds, at least one.
    pub count: u64,
    /// The newest one, as `cadre dlq show` knows it.
    pub newest: String,
    /// When that one was given up.
    pub at: UnixMillis,
    /// Why.
    pub reason: String,
}

/// The board of breakers.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// What is known of each target.
    pub hints: Vec<Hint>,
    /// Pods that live.
    pub live_pods: usize,
}

/// How long a queue is, over all streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length<'a> {
    /// See [`Queue::subject`].
    pub subject: &'a str,
    /// Messages that nobody has got yet.
    pub pending: u64,
    /// Messages that somebody has got and did not settle.
    pub held: u64,
    /// For how long none of them was given out or settled; zero where there is none.
    pub still: Duration,
}

/// Queues by subject, with their recent past.
#[derive(Debug, Clone, Default)]
pub struct Queues(BTreeMap<String, Past>);

#[derive(Debug, Clone)]
struct Past {
    /// The sum over all streams.
    now: Queue,
    /// Messages of streams where nobody asks for any.
    lonely: u64,
    /// Somebody has some of them, but has settled none and asked for none for long.
    is_silent: bool,
    /// When a message last moved.
    moved_at: UnixMillis,
    samples: VecDeque<(UnixMillis, u64)>,
}

impl Queues {
    /// Takes note of a look; queues that are gone are forgotten.
    pub fn take(&mut self, queues: &[Queue], now: UnixMillis, settings: &Settings) {
        let mut sums: BTreeMap<String, (Queue, u64)> = BTreeMap::new();
        for queue in queues {
            let is_lonely = queue.waiting == 0 && queue.held == 0;
            let lonely = if is_lonely { queue.pending } else { 0 };
            let (sum, all) = sums.entry(queue.subject.clone()).or_insert_with(|| {
                let subject = queue.subject.clone();
                (Queue { subject, pending: 0, held: 0, waiting: 0, moved: 0 }, 0)
            });
            sum.pending += queue.pending;
            sum.held += queue.held;
            sum.waiting += queue.waiting;
            sum.moved = sum.moved.wrapping_add(queue.moved);
            *all += lonely;
        }
        self.0.retain(|subject, _| sums.contains_key(subject));
        for (subject, (sum, lonely)) in sums {
            let past = self.0.entry(subject).or_insert_with(|| Past {
                now: sum.clone(),
                lonely,
                is_silent: false,
                moved_at: now,
                samples: VecDeque::new(),
            });
            if past.now.moved != sum.moved {
                past.moved_at = now;
            }
            let is_still = now.since(past.moved_at) >= settings.silent_for;
            past.is_silent = is_still && sum.waiting == 0 && sum.held > 0;
            (past.now, past.lonely) = (sum, lonely);
            past.sample(now, settings);
        }
    }

    /// Whether messages of this queue wait and nobody asks for them, or whoever has some is silent.
    #[must_use]
    pub fn is_lonely(&self, subject: &str) -> bool {
        self.0.get(subject).is_some_and(|past| past.lonely > 0 || past.is_silent)
    }

    /// How long each queue is.
    pub fn lengths(&self, now: UnixMillis) -> impl Iterator<Item = Length<'_>> {
        self.0.iter().map(move |(subject, past)| {
            let Queue { pending, held, .. } = past.now;
            let is_empty = pending == 0 && held == 0;
            let still = if is_empty { Duration::ZERO } else { now.since(past.moved_at) };
            Length { subject, pending, held, still }
        })
    }

    fn findings(
        &self,
        alarms: &Alarms,
        now: UnixMillis,
        settings: &Settings,
    ) -> impl Iterator<Item = Finding> {
        self.0.values().flat_map(move |past| {
            let unserved = past.unserved(now);
            let backlog = past.backlog(alarms, now, settings);
            unserved.into_iter().chain(backlog)
        })
    }
}

impl Past {
    fn sample(&mut self, now: UnixMillis, settings: &Settings) {
        let is_old = |(at, _): &(UnixMillis, u64)| now.since(*at) > settings.window;
        // The one at the window's edge stays, so that growth is over the whole window.
        while self.samples.get(1).is_some_and(is_old) {
            self.samples.pop_front();
        }
        let pause = settings.window / SAMPLES_MAX;
        if self.samples.back().is_none_or(|(at, _)| now.since(*at) >= pause) {
            self.samples.push_back((now, self.now.pending));
        }
    }

    fn unserved(&self, now: UnixMillis) -> Option<Finding> {
        let Queue { subject, pending, held, .. } = &self.now;
        let (cause, count, text) = if self.lonely > 0 {
            let text = format!(
                "{} for {} and nobody asks for {}.",
                waiting(self.lonely),
                who(subject),
                if self.lonely == 1 { "it" } else { "them" },
            );
            ("unserved", self.lonely, text)
        } else if self.is_silent {
            let silent = span(now.since(self.moved_at));
            let text = format!(
                "{} were given to {} and {pending} more wait, but nothing was settled and nobody asked \
                 for {silent}.",
                messages(*held),
                who(subject)
            );
            ("silent", *held, text)
        } else {
            return None;
        };
        Some(Finding {
            key: Key { kind: Kind::Unserved, subject: subject.clone() },
            severity: Severity::Critical,
            cause,
            since: if cause == "silent" { self.moved_at } else { now },
            text,
            next: start(subject),
            evidence: evidence([
                ("count", count.to_string()),
                ("pending", pending.to_string()),
                ("held", held.to_string()),
            ]),
        })
    }

    fn backlog(&self, alarms: &Alarms, now: UnixMillis, settings: &Settings) -> Option<Finding> {
        let Queue { subject, pending, .. } = &self.now;
        let (from, first) = self.samples.front().copied()?;
        let is_whole = now.since(from) >= settings.window;
        let has_grown = is_whole && pending / 3 >= first / 2 && *pending > first;
        let is_long = *pending >= settings.backlog_min;
        if !is_long || !(has_grown || alarms.is_open(Kind::Backlog, subject)) {
            return None;
        }
        let window = span(now.since(from));
        Some(Finding {
            key: Key { kind: Kind::Backlog, subject: subject.clone() },
            severity: Severity::Warning,
            cause: "growing",
            since: from,
            text: format!(
                "{} wait for {}; {window} ago there were {first}: more comes than is done.",
                messages(*pending),
                who(subject)
            ),
            next: format!("More of it, or less work: {}", start(subject)),
            evidence: evidence([("pending", pending.to_string()), ("before", first.to_string())]),
        })
    }
}

impl Board {
    /// Every target that somebody speaks of, and whether the fleet holds its calls back.
    pub fn states(&self, now: UnixMillis) -> impl Iterator<Item = (&Target, bool)> {
        self.hints.iter().map(move |hint| {
            let is_open = match hint.held(now) {
                Some(forced) => forced.to == ForcedTo::Open,
                None => {
                    let reporters = hint.witnesses(now).count();
                    hint.opening.is_some() && reporters > 0 && reporters >= quorum(self.live_pods)
                }
            };
            (&hint.target, is_open)
        })
    }
}

impl Survey {
    /// What is wrong by this look, with the past of its queues and the alerts that are open.
    #[must_use]
    pub fn findings(
        &self,
        queues: &Queues,
        alarms: &Alarms,
        (now, settings): (UnixMillis, &Settings),
    ) -> Vec<Finding> {
        let streams = self.streams.iter().filter_map(|stream| fill(stream, alarms, now));
        let letters = self.letters.iter().map(dead_letters);
        let live = self.board.live_pods;
        let breakers = self.board.hints.iter().filter_map(|hint| breaker(hint, live, now));
        let queues = queues.findings(alarms, now, settings);
        queues.chain(streams).chain(letters).chain(breakers).collect()
    }
}

fn fill(stream: &StreamFill, alarms: &Alarms, now: UnixMillis) -> Option<Finding> {
    let StreamFill { name, bytes, max_bytes, refuses } = stream;
    let percent = bytes.saturating_mul(100) / (*max_bytes).max(1);
    let is_open = alarms.is_open(Kind::StreamFull, name);
    let from = if is_open { FULL_AGAIN_PERCENT } else { FULL_PERCENT };
    // A stream that forgets is full for good, as it is meant to be.
    if !refuses || percent < from {
        return None;
    }
    let (severity, cause) = match percent {
        FULLER_PERCENT.. => (Severity::Critical, "full"),
        0..FULLER_PERCENT => (Severity::Warning, "filling"),
    };
    Some(Finding {
        key: Key { kind: Kind::StreamFull, subject: name.clone() },
        severity,
        cause,
        since: now,
        text: format!(
            "Stream {name} is {percent} % full ({bytes} of {max_bytes} bytes); at its cap it refuses \
             what comes."
        ),
        next: "Let what reads it catch up, or raise its cap: `cadre bus status` shows both."
            .to_owned(),
        evidence: evidence([("bytes", bytes.to_string()), ("max_bytes", max_bytes.to_string())]),
    })
}

fn dead_letters(letters: &Letters) -> Finding {
    let Letters { stream, count, newest, at, reason } = letters;
    let noun = if *count == 1 { "dead letter lies" } else { "dead letters lie" };
    Finding {
        key: Key { kind: Kind::DeadLetters, subject: stream.clone() },
        severity: Severity::Warning,
        cause: "given_up",
        since: *at,
        text: format!(
            "{count} {noun} in {stream}. The newest, {newest}, was given up at {at}: {}.",
            reason.trim_end_matches('.')
        ),
        next: "`cadre dlq ls` lists them; replay or drop each.".to_owned(),
        evidence: evidence([("count", count.to_string()), ("newest", newest.clone())]),
    }
}

fn breaker(hint: &Hint, live_pods: usize, now: UnixMillis) -> Option<Finding> {
    let target = &hint.target;
    let reporters = hint.witnesses(now).count();
    let (severity, cause, since, why) = match hint.held(now) {
        Some(forced) => match forced.to {
            ForcedTo::Closed => return None,
            ForcedTo::Open => {
                let why = format!(
                    "{} holds it open until {}: {}",
                    forced.by, forced.until, forced.reason
                );
                (Severity::Warning, "forced", forced.since, why)
            }
        },
        None => {
            let opening = hint.opening.as_ref().filter(|_| reporters > 0)?;
            let is_agreed = reporters >= quorum(live_pods);
            let severity = if is_agreed { Severity::Critical } else { Severity::Warning };
            let why = format!("{} ({reporters} of {live_pods} pods say so)", opening.reason);
            (severity, if is_agreed { "open" } else { "reported" }, opening.since, why)
        }
    };
    Some(Finding {
        key: Key { kind: Kind::BreakerOpen, subject: target.to_string() },
        severity,
        cause,
        since,
        text: format!("The breaker of {} {} is open: {why}.", target.kind(), target.name()),
        next: format!(
            "Mend what fails: a probe closes it by itself. `cadre breaker ls` shows it, `cadre breaker \
             reset {target}` ends it now."
        ),
        evidence: evidence([("target", target.to_string()), ("reporters", reporters.to_string())]),
    })
}

fn waiting(count: u64) -> String {
    let verb = if count == 1 { "waits" } else { "wait" };
    format!("{} {verb}", messages(count))
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Whom a queue belongs to, for people.
fn who(subject: &str) -> String {
    match subject.split_once('.') {
        Some((kind, name)) => format!("{kind} {name}"),
        None => format!("the {subject}"),
    }
}

/// How somebody comes who serves it.
fn start(subject: &str) -> String {
    match subject.split_once('.') {
        Some(("role", "aggregate")) => "start `cadre serve --role aggregator`.".to_owned(),
        Some(("role", role)) => format!(
            "start a worker of role {role}: `cadre serve --role agent --agents {role}`, or your own \
             program if it is remote."
        ),
        Some(_) | None => "start `cadre serve --role orchestrator`.".to_owned(),
    }
}
