//! `cadre show tasks`: the page Tasks, with all its filters.

use cadre_core::ids::Name;
use cadre_edge::model::{Cursor, Status, TaskFilter, rows::TaskRow};
use clap::Args;

use super::{Folded, ScopeArgs, failed};
use crate::{
    output::{
        self, Listing, OutputArgs,
        text::{brief, count, usd},
    },
    settings::Settings,
};

/// Characters of a goal in the table; `-o json` has more.
const GOAL_CHARS: usize = 60;

/// List tasks, the newest first, by words of their goals and by what went wrong. `cadre task ls` reads less where
/// status and workflow are enough.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre show tasks --q 'master agreement'
  cadre show tasks --stuck --all-tenants
  cadre show tasks --status failed,partial --workflow refund --limit 200 -o id
  cadre show tasks --revision 3f2a9c41b07e")]
pub(super) struct TasksArgs {
    /// Words of the goal, of its key, or the beginning of an id.
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
    /// In one of these states, with commas between.
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<Status>,
    /// Of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<Name>,
    /// Pinned to this revision of its pack; its first 12 digits are enough.
    #[arg(long, value_name = "HASH")]
    revision: Option<String>,
    /// Only those with a failed step, a retry or a fallback.
    #[arg(long)]
    failed: bool,
    /// Only those that should have gone on by themselves.
    #[arg(long)]
    stuck: bool,
    /// At most so many: 1 to 1000.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Behind this one: what the list before has said.
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &TasksArgs, settings: &Settings) -> anyhow::Result<()> {
    let folded = Folded::open(&args.scope, settings).await?;
    let (model, filter) = (folded.model(), args.filter());
    let found = model.tasks(folded.scope(), &filter, args.after, args.limit).await;
    let found = found.map_err(|error| failed(&error))?;
    let counts = model.counts(folded.scope(), &filter).await.map_err(|error| failed(&error))?;
    folded.close().await;
    output::list(args.output.format(settings), &found.rows, &listing())?;
    let chips = counts.by_status.iter().map(|(status, number)| format!("{status} {number}"));
    let chips = chips.collect::<Vec<_>>().join(", ");
    output::say(&format!("{} in all: {chips}", count(counts.total(), "task")));
    if let Some(next) = found.next {
        output::say(&format!("there are older ones: --after {next}"));
    }
    Ok(())
}

impl TasksArgs {
    fn filter(&self) -> TaskFilter {
        TaskFilter {
            statuses: self.status.clone(),
            workflow: self.workflow.clone(),
            text: self.q.clone(),
            revision: self.revision.clone(),
            has_failed: self.failed,
            is_stuck: self.stuck,
            ..TaskFilter::default()
        }
    }
}

fn listing() -> Listing<'static, TaskRow> {
    Listing {
        header: &["task", "status", "workflow", "goal", "steps", "cost", "remark"],
        row: |row| {
            let goal = if row.excerpt.is_empty() { &row.key } else { &row.excerpt };
            let remark = row.problem.as_ref().or(row.reason.as_ref()).or(row.waits_text.as_ref());
            vec![
                row.task.clone(),
                if row.is_stuck { "stuck".to_owned() } else { row.status.to_string() },
                row.workflow.clone(),
                brief(goal, GOAL_CHARS),
                format!("{}/{}", row.steps_done, row.steps_total),
                usd(row.cost_micros),
                brief(remark.map_or("", String::as_str), GOAL_CHARS),
            ]
        },
        id: |row| row.task.clone(),
    }
}
