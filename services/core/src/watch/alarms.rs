//! Alerts out of findings: one a subject, none that flaps, none that drown the others.
//!
//! ```text
//!            found for long enough            gone for `hold`
//!  nothing ───────────────────────► open ───────────────────────► ended
//!                                    │ ▲
//!                                    └─┘ posted again: other cause, twice as many, or `repeat_after`
//! ```
//!
//! A change counts only once it is confirmed: until then every look proposes it again. So what is open
//! here is open on the bus, and a watch that takes over begins with what the bus has.

use std::{collections::BTreeMap, time::Duration};

use super::{Alert, Evidence, Finding, Key, Kind, Settings, Severity, evidence};
use crate::{limits::ALERTS_PER_KIND_MAX, time::UnixMillis};

/// Subject of the alert that stands for those that are one too many.
pub const MORE: &str = "_more";

/// Every alert that is open, and what may become one.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    open: BTreeMap<Key, Open>,
    /// Findings that have not lasted long enough, with their first look.
    rising: BTreeMap<Key, UnixMillis>,
}

#[derive(Debug, Clone)]
struct Open {
    alert: Alert,
    /// The first look that did not find it; `None` while it is found.
    gone_since: Option<UnixMillis>,
}

impl Alarms {
    /// Begins with what is open on the bus; ended alerts are left out.
    #[must_use]
    pub fn resume(posted: impl IntoIterator<Item = Alert>) -> Self {
        let open = posted.into_iter().filter(|alert| alert.ended_at.is_none());
        let open = open.map(|alert| (alert.key.clone(), Open { alert, gone_since: None }));
        Self { open: open.collect(), rising: BTreeMap::new() }
    }

    /// Whether there is an open alert of this name.
    #[must_use]
    pub fn is_open(&self, kind: Kind, subject: &str) -> bool {
        self.open.contains_key(&Key { kind, subject: subject.to_owned() })
    }

    /// Every open alert, by kind and subject.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.values().map(|open| &open.alert)
    }

    /// What is to be posted after a look that found exactly `findings`.
    pub fn judge(
        &mut self,
        findings: Vec<Finding>,
        now: UnixMillis,
        settings: &Settings,
    ) -> Vec<Alert> {
        let found = self.bounded(findings, now);
        self.rising.retain(|key, _| found.contains_key(key));
        let mut changes = Vec::new();
        for (key, open) in &mut self.open {
            if found.contains_key(key) {
                open.gone_since = None;
                continue;
            }
            let since = *open.gone_since.get_or_insert(now);
            if now.since(since) >= settings.hold {
                let ended_at = Some(now);
                changes.push(Alert { at: now, ended_at, ..open.alert.clone() });
            }
        }
        for (key, finding) in found {
            if let Some(open) = self.open.get(&key) {
                if is_news(&open.alert, &finding, now, settings.repeat_after) {
                    let since = open.alert.since;
                    changes.push(Alert { since, ..Alert::of(finding, now) });
                }
                continue;
            }
            let first = *self.rising.entry(key).or_insert(now);
            if now.since(first) >= patience(finding.key.kind, settings) {
                changes.push(Alert::of(finding, now));
            }
        }
        changes
    }

    /// Takes note that `alert` is on the bus.
    pub fn confirm(&mut self, alert: Alert) {
        self.rising.remove(&alert.key);
        if alert.ended_at.is_some() {
            self.open.remove(&alert.key);
            return;
        }
        self.open.insert(alert.key.clone(), Open { alert, gone_since: None });
    }

    /// Findings by name; of each kind no more than people read, those that are open already first.
    fn bounded(&self, findings: Vec<Finding>, now: UnixMillis) -> BTreeMap<Key, Finding> {
        let mut all: BTreeMap<Kind, Vec<Finding>> = BTreeMap::new();
        let mut kept: BTreeMap<Key, Finding> = BTreeMap::new();
        for finding in findings {
            all.entry(finding.key.kind).or_default().push(finding);
        }
        for (kind, mut findings) in all {
            findings.sort_by(|a, b| a.key.cmp(&b.key));
            findings.dedup_by(|a, b| a.key == b.key);
            findings.sort_by_key(|finding| !self.open.contains_key(&finding.key));
            let more = findings.split_off(findings.len().min(ALERTS_PER_KIND_MAX));
            if !more.is_empty() {
                findings.push(overflow(kind, &more, now));
            }
            kept.extend(findings.into_iter().map(|finding| (finding.key.clone(), finding)));
        }
        kept
    }
}

/// How long a finding must last before it is worth a word.
fn patience(kind: Kind, settings: &Settings) -> Duration {
    match kind {
        Kind::Unserved => settings.unserved_for,
        // Their rules have a grace of their own, or hold at once.
        Kind::Stuck
        | Kind::Errors
        | Kind::Backlog
        | Kind::BudgetNear
        | Kind::BudgetOver
        | Kind::QuestionExpiring
        | Kind::BreakerOpen
        | Kind::DeadLetters
        | Kind::StreamFull => Duration::ZERO,
    }
}

fn is_news(open: &Alert, finding: &Finding, now: UnixMillis, repeat_after: Duration) -> bool {
    open.cause != finding.cause
        || open.severity != finding.severity
        || count(&finding.evidence) >= count(&open.evidence).saturating_mul(2).max(1)
        || now.since(open.at) >= repeat_after
}

/// How many of something there are; 0 where that is not what is wrong.
fn count(evidence: &Evidence) -> u64 {
    evidence.get("count").and_then(|count| count.parse().ok()).unwrap_or_default()
}

fn overflow(kind: Kind, more: &[Finding], now: UnixMillis) -> Finding {
    let severity = more.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Warning);
    let first = more.first().map(|finding| finding.key.subject.clone()).unwrap_or_default();
    let since = more.iter().map(|finding| finding.since).min().unwrap_or(now);
    Finding {
        key: Key { kind, subject: MORE.to_owned() },
        severity,
        cause: "more",
        since,
        text: format!("And {} more of kind {kind}, {first} among them.", more.len()),
        next: "Look for one cause of them all: the listed ones are samples.".to_owned(),
        evidence: evidence([("count", more.len().to_string()), ("first", first)]),
    }
}
