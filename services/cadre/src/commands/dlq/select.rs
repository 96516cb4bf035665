//! Which letters a command is about.

use std::time::Duration;

use cadre_core::ids::TaskId;
use cadre_nats::letters::{Found, Head, LetterId, Letters, Query};
use clap::Args;

use super::failure;
use crate::{
    exit::{Code, Failure},
    output,
    settings::{Settings, Source},
};

/// Letters that one bulk command takes on; the next run takes the next ones.
const BULK_MAX: usize = 10_000;

/// What letters can be told apart by; `--tenant` counts as well when it is given.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FilterArgs {
    /// Only of this kind: goal, input or work.
    #[arg(long, value_name = "KIND", value_parser = ["goal", "input", "work"])]
    kind: Option<String>,
    /// Only about this task, as far as subject or key name it.
    #[arg(long, value_name = "ID", value_parser = TaskId::parse)]
    task: Option<TaskId>,
    /// Only what was given up within this time, such as 10m or 7d.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Option<Duration>,
}

/// Some letters by name, or all that a filter leaves.
#[derive(Debug, Args)]
pub(super) struct SelectArgs {
    /// Letters, as `cadre dlq ls` names them.
    #[arg(value_name = "ID", conflicts_with = "all")]
    ids: Vec<LetterId>,
    /// Every letter that the filters leave, at most 10,000 at once, oldest first.
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

impl FilterArgs {
    /// The letters that are left, newest first.
    pub(super) async fn find(
        &self,
        letters: &Letters,
        settings: &Settings,
        limit: usize,
    ) -> Result<Found, Failure> {
        let query = self.query(settings);
        letters.find(&query, self.since, limit).await.map_err(|error| failure(&error))
    }

    fn query(&self, settings: &Settings) -> Query {
        // Whose letters they are is often unknown: only who asks for a tenant's own gets only those.
        let is_asked = settings
            .explained
            .iter()
            .any(|one| one.setting == "tenant" && matches!(one.source, Source::Flag(_)));
        let tenant = is_asked.then(|| settings.tenant.clone());
        Query { kind: self.kind.clone(), tenant, task: self.task.clone() }
    }

    fn is_empty(&self) -> bool {
        self.kind.is_none() && self.task.is_none() && self.since.is_none()
    }
}

impl SelectArgs {
    /// The letters to act on, oldest first.
    ///
    /// # Errors
    /// [`Code::Usage`] when it is not clear which; [`Code::NotFound`] when one does not exist.
    pub(super) async fn heads(
        &self,
        letters: &Letters,
        settings: &Settings,
    ) -> Result<Vec<Head>, Failure> {
        if self.all {
            let Found { letters: mut heads, more } =
                self.filter.find(letters, settings, BULK_MAX).await?;
            if more > 0 {
                output::say(&format!("{more} older ones are left out: run the command again"));
            }
            heads.reverse();
            return Ok(heads);
        }
        if self.ids.is_empty() || !self.filter.is_empty() {
            let text = "name letters by id, or give --all, with filters or without: see \
                `cadre dlq ls`";
            return Err(Failure::new(Code::Usage, text));
        }
        let mut heads = Vec::new();
        for id in &self.ids {
            heads.push(letters.get(*id).await.map_err(|error| failure(&error))?.head);
        }
        Ok(heads)
    }
}
