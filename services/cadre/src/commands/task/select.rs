//! Which tasks a command is about: some by id, or all that filters leave.

use std::time::Duration;

use cadre_core::{
    ids::{Name, TaskId},
    task::Task,
    time::UnixMillis,
};
use clap::Args;
use futures::StreamExt as _;

use super::recent;
use crate::{
    commands::client::{Client, now, task_id},
    exit::{Code, Failure},
    output::{
        self,
        text::{count, span},
    },
    settings::Settings,
};

/// Tasks that one bulk command takes on; the next run takes the next ones.
const BULK_MAX: usize = 10_000;

/// What an open task can be.
const STATUSES: [&str; 5] = ["running", "paused", "waiting", "aggregating", "compensating"];

/// Some tasks by id, or all that filters leave.
#[derive(Debug, Args)]
pub(super) struct SelectArgs {
    /// Tasks.
    #[arg(value_name = "ID", conflicts_with = "all")]
    pub(super) ids: Vec<String>,
    /// Every open task of --tenant that the filters leave, at most 10,000 at once.
    #[arg(long)]
    pub(super) all: bool,
    /// With --all: only tasks of this workflow.
    #[arg(long, value_name = "NAME", requires = "all")]
    workflow: Option<Name>,
    /// With --all: only tasks in this state: running paused waiting aggregating
    /// compensating.
    #[arg(long, value_name = "STATUS", value_parser = STATUSES, requires = "all")]
    status: Option<String>,
    /// With --all: only tasks that were accepted longer ago than this.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, requires = "all")]
    older_than: Option<Duration>,
    /// With --all: only tasks that changed within this time.
    #[arg(long, default_value = "30d", value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Duration,
    /// Only say which tasks it would be.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Needed with --all.
    #[arg(long)]
    yes: bool,
}

impl SelectArgs {
    /// The tasks, by id in the order given, or found oldest first.
    ///
    /// # Errors
    /// [`Code::Usage`] when it is not clear which, or `--yes` is missing; `done` is what would be
    /// done with them. [`Code::NotFound`] when one does not exist.
    pub(super) async fn tasks(
        &self,
        client: &Client,
        settings: &Settings,
        done: &str,
    ) -> anyhow::Result<Vec<Task>> {
        if !self.all {
            return self.named(client).await;
        }
        let now = now(&client.bus);
        let open = recent::tasks(client, self.since).await?;
        let open = open.filter(|task| {
            let is_wanted = task.goal.tenant == settings.tenant && self.is_wanted(task, now);
            async move { is_wanted }
        });
        let mut found: Vec<_> = open.take(BULK_MAX).collect().await;
        found.sort_by(|a, b| (a.accepted_at, a.id()).cmp(&(b.accepted_at, b.id())));
        if !self.yes && !self.dry_run && !found.is_empty() {
            let all = count(found.len() as u64, "task");
            let oldest = found.first().map_or(Duration::ZERO, |task| now.since(task.accepted_at));
            let text = format!(
                "{all} of tenant {} would be {done}, the oldest {} old, so nothing was: look with \
                 --dry-run, repeat with --yes if you mean it",
                settings.tenant,
                span(oldest)
            );
            return Err(Failure::new(Code::Usage, text).into());
        }
        Ok(found)
    }

    async fn named(&self, client: &Client) -> anyhow::Result<Vec<Task>> {
        if self.ids.is_empty() {
            let text = "name tasks by id, or give --all, with filters or without: see `cadre task \
                ls`";
            return Err(Failure::new(Code::Usage, text).into());
        }
        let ids: Result<Vec<TaskId>, _> = self.ids.iter().map(|id| task_id(id)).collect();
        let mut tasks: Vec<Task> = Vec::new();
        for id in ids? {
            if !tasks.iter().any(|task| *task.id() == id) {
                tasks.push(client.task(&id).await?);
            }
        }
        Ok(tasks)
    }

    fn is_wanted(&self, task: &Task, now: UnixMillis) -> bool {
        let age = now.since(task.accepted_at);
        task.ended().is_none()
            && self.workflow.as_ref().is_none_or(|name| *name == task.goal.workflow)
            && self.status.as_deref().is_none_or(|status| status == task.status())
            && self.older_than.is_none_or(|than| age > than)
    }

    /// Says how many it would have been, after a dry run has listed them.
    pub(super) fn say_dry(&self, tasks: &[Task], done: &str) {
        let all = count(tasks.len() as u64, "task");
        output::say(&format!("{all} would be {done}, nothing was changed"));
    }
}
