//! The sums that pages show at every look, kept beside the rows: nobody counts a hundred thousand of those for them.
//!
//! A batch is added up in memory and written once, behind its rows and in the same transaction. Whoever writes or
//! removes a task's row says so here.

use std::{collections::BTreeMap, sync::Arc};

use cadre_core::{task::Goal, time::UnixMillis};
use rusqlite::{Connection, Result, params};

use super::{status::Status, write::int};

/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;

/// What a batch adds to the sums.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By tenant, workflow and status.
    counts: BTreeMap<(String, String, Status), i64>,
    /// By minute and tenant.
    minutes: BTreeMap<(u64, String), Minute>,
    /// By workflow, revision and tenant.
    revisions: BTreeMap<(String, Arc<str>, String), Revision>,
}

#[derive(Debug, Default)]
struct Minute {
    accepted: i64,
    completed: i64,
    failed: i64,
    cost: u64,
}

#[derive(Debug, Default)]
struct Revision {
    tasks: i64,
    open: i64,
    /// When the first and the last of these tasks were accepted; `None` where all of them were before.
    accepted: Option<(UnixMillis, UnixMillis)>,
}

impl Tally {
    /// A task was accepted; its row comes with [`Tally::moved`].
    pub(super) fn made(&mut self, goal: &Goal, at: UnixMillis) {
        self.minute(at, goal.tenant.as_str()).accepted += 1;
        let revision = self.revision(goal);
        revision.tasks += 1;
        revision.open += 1;
        let (first, last) = revision.accepted.unwrap_or((at, at));
        revision.accepted = Some((first.min(at), last.max(at)));
    }

    /// A row of this tenant and workflow counts as something else: `None` is no row at all.
    pub(super) fn moved(
        &mut self,
        (tenant, workflow): (&str, &str),
        (from, to): (Option<Status>, Option<Status>),
    ) {
        if from == to {
            return;
        }
        for (status, change) in [(from, -1), (to, 1)] {
            let Some(status) = status else { continue };
            let key = (tenant.to_owned(), workflow.to_owned(), status);
            *self.counts.entry(key).or_default() += change;
        }
    }

    /// A task ended, as `status`, and has cost so much.
    pub(super) fn ended(&mut self, goal: &Goal, at: UnixMillis, (status, cost): (Status, u64)) {
        let minute = self.minute(at, goal.tenant.as_str());
        minute.cost += cost;
        match status {
            Status::Completed => minute.completed += 1,
            Status::Partial | Status::Failed | Status::Incomplete => minute.failed += 1,
            Status::Cancelled
            | Status::Running
            | Status::Waiting
            | Status::Paused
            | Status::Aggregating
            | Status::Compensating
            | Status::Quarantined
            | Status::TooNew => {}
        }
        self.revision(goal).open -= 1;
    }

    /// A row came of which no more is known than when it was met, or it went.
    pub(super) fn stub(&mut self, tenant: &str, met: UnixMillis, change: i64) {
        self.minute(met, tenant).accepted += change;
    }

    fn minute(&mut self, at: UnixMillis, tenant: &str) -> &mut Minute {
        self.minutes.entry((at.0 / MINUTE_MS, tenant.to_owned())).or_default()
    }

    fn revision(&mut self, goal: &Goal) -> &mut Revision {
        let (workflow, revision) = (goal.workflow.to_string(), Arc::clone(&goal.revision));
        self.revisions.entry((workflow, revision, goal.tenant.to_string())).or_default()
    }

    /// Adds it to what the file has.
    pub(super) fn write(&self, db: &Connection) -> Result<()> {
        let mut count = db.prepare_cached(
            "INSERT INTO counts (tenant, workflow, status, tasks) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET tasks = tasks + ?4",
        )?;
        for ((tenant, workflow, status), change) in &self.counts {
            if *change != 0 {
                count.execute(params![tenant, workflow, status.as_str(), change])?;
            }
        }
        let mut minute = db.prepare_cached(
            "INSERT INTO minutes (minute, tenant, accepted, completed, failed, cost) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET accepted = accepted + ?3, \
             completed = completed + ?4, failed = failed + ?5, cost = cost + ?6",
        )?;
        for ((at, tenant), Minute { accepted, completed, failed, cost }) in &self.minutes {
            minute.execute(params![int(*at), tenant, accepted, completed, failed, int(*cost)])?;
        }
        let mut made = db.prepare_cached(
            "INSERT INTO revisions (workflow, revision, tenant, tasks, open, first, last) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET tasks = tasks + ?4, open = open + ?5, \
             first = min(first, ?6), last = max(last, ?7)",
        )?;
        let mut ended = db.prepare_cached(
            "UPDATE revisions SET open = open + ?4 WHERE workflow = ?1 AND revision = ?2 AND tenant = ?3",
        )?;
        for ((workflow, name, tenant), Revision { tasks, open, accepted }) in &self.revisions {
            match accepted {
                None => ended.execute(params![workflow, &**name, tenant, open])?,
                Some((first, last)) => {
                    let (first, last) = (int(first.0), int(last.0));
                    made.execute(params![workflow, &**name, tenant, tasks, open, first, last])?
                }
            };
        }
        Ok(())
    }
}
