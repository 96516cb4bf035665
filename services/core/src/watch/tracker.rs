//! A few bytes about each open task: enough to know which ones must be looked at.
//!
//! The log is followed, not kept: of each record stays when the task last changed and when it should
//! change next. That estimate errs on the early side; a suspect is replayed, and the replay knows
//! ([`super::examine()`]). Memory: some 200 bytes for each open task, and 16 for each step that is out.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{Evidence, Examined, Finding, Key, Kind, Settings, Severity, evidence, span};
use crate::{
    ids::{Name, TaskId},
    limits::{WATCHED_ROLES_MAX, WATCHED_STEPS_MAX, WATCHED_TASKS_MAX},
    time::UnixMillis,
};

/// Parts that the window of a role's errors is counted in.
const BUCKETS: u32 = 6;

/// What the watch wants to know of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The task.
    pub task: TaskId,
    /// Its place in the task's log; 0 when it cannot be read.
    pub rev: u64,
    /// When it was decided.
    pub at: UnixMillis,
    /// The task is over.
    pub is_ended: bool,
    /// The earliest point in time that it names, at which the task should go on by itself.
    pub due: Option<UnixMillis>,
    /// It says something that only a replay explains: a limit, a question, a record too new.
    pub is_notable: bool,
    /// What became of steps.
    pub steps: Vec<(u64, StepNews)>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepNews {
    /// Its work order went to this role.
    Dispatched(Name),
    /// It has its output.
    Completed,
    /// Its attempt failed like this: kind and message.
    Failed(String),
}

/// Names a step within its task, in eight bytes.
#[must_use]
pub fn step_key(step: &str) -> u64 {
    step.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What is known of every open task and of every role's errors.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    tasks: BTreeMap<TaskId, Entry>,
    roles: Vec<(Name, Outcomes)>,
    records: u64,
    unwatched: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    rev: u64,
    look_at: UnixMillis,
    /// Steps that are out, with their role's place in the list.
    out: Vec<(u64, u16)>,
    /// What the last replay found.
    findings: Box<[Finding]>,
    /// Steps that waited for a person then.
    questions: u32,
}

/// Reports of one role, by time.
#[derive(Debug, Clone, Default)]
struct Outcomes {
    buckets: VecDeque<Bucket>,
    last_error: String,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    from: UnixMillis,
    good: u32,
    bad: u32,
}

impl Tracker {
    /// Takes note of a record.
    pub fn take(&mut self, digest: Digest, settings: &Settings) {
        self.records += 1;
        self.count(&digest, settings);
        if digest.is_ended {
            self.tasks.remove(&digest.task);
            return;
        }
        let Digest { task, rev, at, due, is_notable, .. } = digest;
        let due = due.map_or(at.after(settings.idle), |due| due.after(settings.grace));
        let soon = at.after(settings.grace);
        if let Some(entry) = self.tasks.get_mut(&task) {
            if rev != 0 && rev <= entry.rev {
                return;
            }
            let has_gap = rev == 0 || entry.rev + 1 < rev;
            // What was suspected before is not, as long as the task goes on.
            let known = entry.look_at.max(soon);
            entry.look_at = due.min(known).min(at.after(settings.idle));
            // What was found may be over, which only a replay tells.
            let is_special = !entry.findings.is_empty() || entry.questions > 0;
            if is_notable || (has_gap && entry.rev > 0) || is_special {
                entry.look_at = UnixMillis(0);
            }
            entry.rev = rev.max(entry.rev);
            return;
        }
        let look_at = if is_notable { UnixMillis(0) } else { due.min(at.after(settings.idle)) };
        self.insert(task, rev, look_at);
    }

    /// Wants `task` to be replayed at the next look: somebody has found something about it before.
    pub fn suspect(&mut self, task: TaskId) {
        match self.tasks.get_mut(&task) {
            Some(entry) => entry.look_at = UnixMillis(0),
            None => self.insert(task, 0, UnixMillis(0)),
        }
    }

    fn insert(&mut self, task: TaskId, rev: u64, look_at: UnixMillis) {
        if self.tasks.len() >= WATCHED_TASKS_MAX {
            self.unwatched += 1;
            return;
        }
        let (out, findings) = (Vec::new(), Box::default());
        self.tasks.insert(task, Entry { rev, look_at, out, findings, questions: 0 });
    }

    /// Tasks that should have gone on by now; at most `limit`, the longest due first.
    #[must_use]
    pub fn suspects(&self, now: UnixMillis, limit: usize) -> Vec<TaskId> {
        let due = self.tasks.iter().filter(|(_, entry)| entry.look_at <= now);
        let mut due: Vec<_> = due.map(|(task, entry)| (entry.look_at, task)).collect();
        due.sort_unstable();
        due.into_iter().take(limit).map(|(_, task)| task.clone()).collect()
    }

    /// Takes note of a replay; `None` when the task is over or never was.
    pub fn examined(&mut self, task: &TaskId, rev: u64, outcome: Option<Examined>) {
        let Some(outcome) = outcome else {
            self.tasks.remove(task);
            return;
        };
        let Some(entry) = self.tasks.get_mut(task) else { return };
        entry.rev = entry.rev.max(rev);
        entry.look_at = outcome.again_at;
        entry.findings = outcome.findings.into_boxed_slice();
        entry.questions = outcome.questions;
    }

    /// Everything that was found about tasks, and the errors of roles.
    pub fn findings(&mut self, now: UnixMillis, settings: &Settings) -> Vec<Finding> {
        let of_tasks = self.tasks.values().flat_map(|entry| entry.findings.iter().cloned());
        let mut all: Vec<_> = of_tasks.collect();
        for (role, outcomes) in &mut self.roles {
            outcomes.forget(now, settings.window);
            all.extend(outcomes.finding(role, now, settings));
        }
        all
    }

    /// Open tasks that are watched.
    #[must_use]
    pub fn open_tasks(&self) -> u64 {
        self.tasks.len() as u64
    }

    /// Steps of watched tasks that wait for a person.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.tasks.values().map(|entry| u64::from(entry.questions)).sum()
    }

    /// Records of open tasks that were left aside, since no more tasks can be watched.
    #[must_use]
    pub fn unwatched(&self) -> u64 {
        self.unwatched
    }

    /// Records so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Counts what became of attempts for the roles that had them.
    fn count(&mut self, digest: &Digest, settings: &Settings) {
        for (step, news) in &digest.steps {
            match news {
                StepNews::Dispatched(role) => {
                    let Some(role) = self.role(role) else { continue };
                    if !self.tasks.contains_key(&digest.task) {
                        self.insert(digest.task.clone(), 0, UnixMillis(u64::MAX));
                    }
                    let Some(entry) = self.tasks.get_mut(&digest.task) else { continue };
                    entry.out.retain(|(known, _)| known != step);
                    if entry.out.len() < WATCHED_STEPS_MAX {
                        entry.out.push((*step, role));
                    }
                }
                StepNews::Completed => self.report(digest, *step, None, settings),
                StepNews::Failed(why) => self.report(digest, *step, Some(why), settings),
            }
        }
    }

    fn report(&mut self, digest: &Digest, step: u64, why: Option<&str>, settings: &Settings) {
        let Some(entry) = self.tasks.get_mut(&digest.task) else { return };
        let Some(place) = entry.out.iter().position(|(known, _)| *known == step) else { return };
        let (_, role) = entry.out.swap_remove(place);
        if let Some((_, outcomes)) = self.roles.get_mut(usize::from(role)) {
            outcomes.add(digest.at, why, settings.window);
        }
    }

    fn role(&mut self, name: &Name) -> Option<u16> {
        let known = self.roles.iter().position(|(known, _)| known == name);
        let place = known.unwrap_or(self.roles.len());
        if place >= WATCHED_ROLES_MAX {
            return None;
        }
        if known.is_none() {
            self.roles.push((name.clone(), Outcomes::default()));
        }
        u16::try_from(place).ok()
    }
}

impl Outcomes {
    fn add(&mut self, at: UnixMillis, why: Option<&str>, window: Duration) {
        self.forget(at, window);
        let width = window / BUCKETS;
        if self.buckets.back().is_none_or(|last| at.since(last.from) >= width) {
            self.buckets.push_back(Bucket { from: at, good: 0, bad: 0 });
        }
        if let Some(last) = self.buckets.back_mut() {
            match why {
                None => last.good = last.good.saturating_add(1),
                Some(_) => last.bad = last.bad.saturating_add(1),
            }
        }
        if let Some(why) = why {
            why.clone_into(&mut self.last_error);
        }
    }

    fn forget(&mut self, now: UnixMillis, window: Duration) {
        while self.buckets.front().is_some_and(|first| now.since(first.from) > window) {
            self.buckets.pop_front();
        }
    }

    fn finding(&self, role: &Name, now: UnixMillis, settings: &Settings) -> Option<Finding> {
        let sum = |count: fn(&Bucket) -> u32| self.buckets.iter().map(count).sum::<u32>();
        let (good, bad) = (sum(|bucket| bucket.good), sum(|bucket| bucket.bad));
        if bad < settings.errors_min || bad < good {
            return None;
        }
        let window = span(settings.window);
        let (all, error) = (good.saturating_add(bad), &self.last_error);
        Some(Finding {
            key: Key { kind: Kind::Errors, subject: format!("role.{role}") },
            severity: Severity::Warning,
            cause: "failing",
            since: self.buckets.front().map_or(now, |first| first.from),
            text: format!("Role {role} failed {bad} of {all} attempts within {window}: {error}."),
            next: format!("Look at the workers of role {role}: their logs, and what they call."),
            evidence: figures(role, (good, bad), error),
        })
    }
}

fn figures(role: &Name, (good, bad): (u32, u32), error: &str) -> Evidence {
    evidence([
        ("role", role.to_string()),
        ("failed", bad.to_string()),
        ("completed", good.to_string()),
        ("last_error", error.to_owned()),
    ])
}
