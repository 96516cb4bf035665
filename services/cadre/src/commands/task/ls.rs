//! `cadre task ls`: the tasks of a while, newest change first.

use std::time::Duration;

use cadre_core::{
    ids::Name,
    task::{AGGREGATE, Phase, StepState, Task},
    time::UnixMillis,
};
use clap::Args;
use futures::StreamExt as _;
use serde::Serialize;

use super::recent;
use crate::{
    commands::client::{Client, now},
    output::{self, Listing, OutputArgs, text::span},
    settings::Settings,
};

/// List tasks, the ones that changed last first.
///
/// There is no read model yet: every record of the last --since is read, at some 100,000 a second,
/// and then the whole log of each task that may be listed. Keep --since short on a busy broker.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task ls
  cadre task ls --status failed --since 7d
  cadre task ls --workflow contract-intake --status running -o id | xargs -n1 cadre task why")]
pub(crate) struct LsArgs {
    /// Only tasks in this state: running paused waiting aggregating compensating completed
    /// partial failed cancelled incomplete.
    #[arg(long, value_name = "STATUS", value_parser = STATUSES)]
    status: Option<String>,
    /// Only tasks of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<Name>,
    /// Of every tenant, not only of --tenant.
    #[arg(long)]
    all_tenants: bool,
    /// Only tasks that changed within this time.
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Duration,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// Characters of a key in the table: enough for those that people give.
const KEY_CHARS_MAX: usize = 24;

const STATUSES: [&str; 10] = [
    "running",
    "paused",
    "waiting",
    "aggregating",
    "compensating",
    "completed",
    "partial",
    "failed",
    "cancelled",
    "incomplete",
];

/// One task of the list.
#[derive(Debug, Serialize)]
struct Row {
    task: String,
    tenant: String,
    workflow: String,
    status: &'static str,
    /// What keeps it from going on: `person`, `budget`, `time`.
    waits_for: Option<&'static str>,
    steps_done: usize,
    steps: usize,
    accepted_at: String,
    changed_at: String,
    key: String,
    #[serde(skip)]
    shown: String,
    #[serde(skip)]
    age: String,
}

pub(crate) async fn run(args: &LsArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let now = now(&client.bus);
    let tasks = recent::tasks(&client, args.since).await?;
    let tenant = &settings.tenant;
    let listed = tasks
        .filter_map(|task| async move { is_wanted(args, tenant, &task).then(|| row(&task, now)) });
    let rows: Vec<Row> = listed.take(args.limit).collect().await;
    let listing = Listing {
        header: &["task", "workflow", "status", "steps", "age", "key"],
        row: |row: &Row| {
            vec![
                row.task.clone(),
                row.workflow.clone(),
                row.shown.clone(),
                format!("{}/{}", row.steps_done, row.steps),
                row.age.clone(),
                output::text::brief(&row.key, KEY_CHARS_MAX),
            ]
        },
        id: |row| row.task.clone(),
    };
    output::list(args.output.format(settings), &rows, &listing)
}

fn is_wanted(args: &LsArgs, tenant: &Name, task: &Task) -> bool {
    let status = args.status.as_deref().is_none_or(|status| status == task.status());
    let workflow = args.workflow.as_ref().is_none_or(|name| *name == task.goal.workflow);
    status && workflow && (args.all_tenants || task.goal.tenant == *tenant)
}

fn row(task: &Task, now: UnixMillis) -> Row {
    let is_done = |state: &StepState| match state {
        StepState::Completed { .. } | StepState::Failed(_) | StepState::Skipped(_) => true,
        StepState::Dispatched { .. }
        | StepState::Delayed { .. }
        | StepState::Waiting { .. }
        | StepState::Cancelled => false,
    };
    let steps = task.steps.iter().filter(|(id, _)| id.name.as_str() != AGGREGATE);
    Row {
        task: task.id().to_string(),
        tenant: task.goal.tenant.to_string(),
        workflow: task.goal.workflow.to_string(),
        status: task.status(),
        waits_for: waits_for(task),
        shown: status(task),
        steps_done: steps.clone().filter(|(_, step)| is_done(&step.state)).count(),
        steps: steps.count(),
        accepted_at: task.accepted_at.to_string(),
        changed_at: task.changed_at.to_string(),
        key: task.goal.key.clone(),
        age: format!("{} ago", span(now.since(task.accepted_at))),
    }
}

/// The status with what keeps the task from going on: `waiting (person)`.
pub(super) fn status(task: &Task) -> String {
    let status = task.status();
    waits_for(task).map_or(status.to_owned(), |it| format!("{status} ({it})"))
}

/// What keeps an open task from going on, beside its workers.
pub(super) fn waits_for(task: &Task) -> Option<&'static str> {
    match task.phase {
        Phase::Running => {}
        Phase::Aggregating | Phase::Ended(_) => return None,
        Phase::Compensating(_) => {
            let mut steps = task.steps.values();
            let asks = steps.any(|step| matches!(step.state, StepState::Waiting { .. }));
            return asks.then_some("person");
        }
    }
    if task.paused.is_some() && task.is_still() {
        return None;
    }
    if task.held.is_some() && task.is_still() {
        return Some("budget");
    }
    let mut open = task.steps.values().filter(|step| step.state.is_open()).peekable();
    open.peek()?;
    let kinds: Vec<_> = open.map(|step| step.state.as_str()).collect();
    if kinds.iter().all(|kind| *kind == "waiting") {
        return Some("person");
    }
    kinds.iter().all(|kind| *kind == "delayed").then_some("time")
}
