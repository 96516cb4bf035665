//! `cadre approval ls`: every open question.

use std::time::Duration;

use cadre_core::{ids::Name, time::UnixMillis};
use clap::Args;
use futures::StreamExt as _;
use serde::Serialize;

use super::question::{self, Question};
use crate::{
    commands::{
        client::{Client, now},
        task::recent,
    },
    output::{
        self, Listing, OutputArgs,
        text::{brief, span},
    },
    settings::Settings,
};

/// Characters of a question in the table.
const QUESTION_CHARS_MAX: usize = 60;

/// List what open tasks ask people, the most urgent question first.
///
/// There is no read model yet: it reads as much as `cadre task ls` does. A question of a task whose
/// last record is older than --since is not found.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval ls
  cadre approval ls --all-tenants --workflow contract-intake
  cadre approval ls -o ndjson | jq -r 'select(.kind == \"question\") | .task'")]
pub(super) struct LsArgs {
    /// Only of tasks of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<Name>,
    /// Of every tenant, not only of --tenant.
    #[arg(long)]
    all_tenants: bool,
    /// Only of tasks that changed within this time.
    #[arg(long, default_value = "30d", value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Duration,
    /// At most so many.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// One question of the list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) task: String,
    pub(super) step: String,
    pub(super) tenant: String,
    pub(super) workflow: String,
    pub(super) kind: &'static str,
    pub(super) question: String,
    pub(super) hash: String,
    pub(super) asked_at: String,
    pub(super) expires: String,
    pub(super) agreed: usize,
    pub(super) quorum: u32,
    #[serde(skip)]
    pub(super) urgency: UnixMillis,
    #[serde(skip)]
    pub(super) age: String,
    #[serde(skip)]
    pub(super) left: String,
}

pub(super) async fn run(args: &LsArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let now = now(&client.bus);
    let tasks = recent::tasks(&client, args.since).await?;
    let rows = tasks.filter_map(|task| async move {
        let is_ours = args.all_tenants || task.goal.tenant == settings.tenant;
        let is_wanted = args.workflow.as_ref().is_none_or(|name| *name == task.goal.workflow);
        let rows = question::all(&task).iter().map(|one| row(one, now)).collect::<Vec<_>>();
        (is_ours && is_wanted).then(|| futures::stream::iter(rows))
    });
    let mut rows: Vec<Row> = rows.flatten().take(args.limit).collect().await;
    rows.sort_by(|a, b| (a.urgency, &a.task, &a.step).cmp(&(b.urgency, &b.task, &b.step)));
    output::list(args.output.format(settings), &rows, &listing())
}

/// How questions are printed.
pub(super) fn listing() -> Listing<'static, Row> {
    Listing {
        header: &["task", "step", "kind", "question", "asked", "expires", "agreed"],
        row: |row: &Row| {
            vec![
                row.task.clone(),
                row.step.clone(),
                row.kind.to_owned(),
                brief(&row.question, QUESTION_CHARS_MAX),
                row.age.clone(),
                row.left.clone(),
                format!("{}/{}", row.agreed, row.quorum),
            ]
        },
        id: |row| format!("{} {}", row.task, row.step),
    }
}

/// One question as a row.
pub(super) fn row(question: &Question<'_>, now: UnixMillis) -> Row {
    let Question { task, id, step, ask, votes, hash } = question;
    let expires = question.expires();
    Row {
        task: task.id().to_string(),
        step: id.to_string(),
        tenant: task.goal.tenant.to_string(),
        workflow: task.goal.workflow.to_string(),
        kind: ask.kind.as_str(),
        question: ask.question.clone(),
        hash: hash.to_string(),
        asked_at: step.changed_at.to_string(),
        expires: expires.to_string(),
        agreed: votes.len(),
        quorum: ask.quorum.max(1),
        urgency: expires,
        age: format!("{} ago", span(now.since(step.changed_at))),
        left: match expires > now {
            true => format!("in {}", span(expires.since(now))),
            false => "now".to_owned(),
        },
    }
}
