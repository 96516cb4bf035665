//! `cadre upgrade check`: live tasks that a build cannot finish.

use cadre_core::ports::{BusError, Packs as _};
use cadre_nats::{
    fleet::Fleet,
    packs::KvPacks,
    survey::{LiveTask, live_tasks},
};
use clap::Args;
use serde::Serialize;

use super::{
    MemberRow,
    features::{self, FeatureRow},
    members,
};
use crate::{
    commands::client::{Client, now, unavailable},
    exit::{Code, Failure},
    output::{
        self, Format, OutputArgs,
        text::{brief, count},
    },
    settings::Settings,
};

/// Characters of a reason in a table.
const REASON_CHARS: usize = 120;

/// List live tasks that this build, or one of another schema, cannot finish; exit code 15.
///
/// Reads every record once, also those that this build cannot act on. Run it with the build that is
/// to take over, before it does; or with `--to-schema`, before going back to an older one. A task
/// that is accepted later is not among them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre upgrade check
  cadre upgrade check --to-schema 2
  cadre upgrade check -o id | xargs -n1 cadre task show")]
pub(super) struct CheckArgs {
    /// For a build that reads up to this schema, instead of this one; packs are compiled here.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    to_schema: Option<u32>,
    #[command(flatten)]
    output: OutputArgs,
}

/// A task and why it cannot be finished.
#[derive(Debug, Serialize)]
struct TaskRow {
    task: String,
    workflow: String,
    revision: String,
    min_reader: u32,
    problems: Vec<String>,
}

/// Everything that was looked at.
#[derive(Debug, Serialize)]
struct Report {
    /// The build that looked.
    build: &'static str,
    /// The schema that was asked about.
    reads_schema: u32,
    tasks_live: usize,
    /// Those that cannot be finished.
    tasks: Vec<TaskRow>,
    /// Features that are on, or about to be, and that keep this build from serving.
    lacks: Vec<String>,
    members: Vec<MemberRow>,
    features: Vec<FeatureRow>,
}

pub(super) async fn run(
    args: &CheckArgs,
    settings: &Settings,
    (client, fleet): (&Client, &Fleet),
) -> anyhow::Result<()> {
    let release = settings.release;
    let reads = args.to_schema.unwrap_or(release.reads);
    let live = live_tasks(&client.bus).await.map_err(|error| unavailable(&error))?;
    let (packs, tasks_live) = (client.packs().await?, live.len());
    let mut tasks = Vec::new();
    for task in live {
        tasks.extend(judge(task, reads, &packs).await?);
    }
    let flags = fleet.flags().await.map_err(|error| unavailable(&error))?;
    let lacks = match args.to_schema {
        // Nobody knows what features that build has.
        Some(_) => Vec::new(),
        None => release.lacks(&flags, now(&client.bus)).iter().map(ToString::to_string).collect(),
    };
    let members = members(fleet).await?.into_iter().map(MemberRow::from).collect();
    let features = features::read(&release, fleet).await?;
    let build = release.version;
    let report = Report { build, reads_schema: reads, tasks_live, tasks, lacks, members, features };
    print(args.output.format(settings), &report)?;
    verdict(&report)
}

/// What keeps a reader of schema `reads` from finishing the task; `None` when nothing does.
async fn judge(task: LiveTask, reads: u32, packs: &KvPacks) -> anyhow::Result<Option<TaskRow>> {
    let LiveTask { task, workflow, revision, min_reader } = task;
    let mut problems = Vec::new();
    if min_reader > reads {
        problems.push(format!("its log needs a reader of schema {min_reader}"));
    }
    match packs.revision(&revision).await {
        Ok(Some(_)) => {}
        Ok(None) => problems.push(format!("pack revision {revision} is not stored")),
        Err(BusError::Refused(why)) => problems.push(why),
        Err(error @ BusError::Unavailable(_)) => return Err(unavailable(&error).into()),
    }
    let row = TaskRow { task: task.to_string(), workflow, revision, min_reader, problems };
    Ok((!row.problems.is_empty()).then_some(row))
}

fn verdict(report: &Report) -> anyhow::Result<()> {
    let mut against = Vec::new();
    if !report.tasks.is_empty() {
        let tasks = count(report.tasks.len() as u64, "live task");
        against.push(format!("{tasks} cannot be finished"));
    }
    if !report.lacks.is_empty() {
        against.push(format!("this build does not know {}", report.lacks.join(", ")));
    }
    if against.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Incompatible, against.join("; ")).into())
}

fn print(format: Format, report: &Report) -> anyhow::Result<()> {
    match format {
        Format::Json => output::json(report),
        Format::Ndjson => report.tasks.iter().try_for_each(output::ndjson),
        Format::Id => Ok(report.tasks.iter().try_for_each(|row| output::data(&row.task))?),
        Format::Table => people(report),
    }
}

fn people(report: &Report) -> anyhow::Result<()> {
    let Report { reads_schema, tasks_live, tasks, members, features, .. } = report;
    let on: Vec<_> = features.iter().map(FeatureRow::brief).collect();
    let on = if on.is_empty() { "none".to_owned() } else { on.join(", ") };
    let builds: Vec<_> = members.iter().map(|it| format!("{} {}", it.member, it.version)).collect();
    let builds = if builds.is_empty() { "none".to_owned() } else { builds.join(", ") };
    for line in [
        format!("schema    {reads_schema} and older"),
        format!("tasks     {tasks_live} live, {} cannot be finished", tasks.len()),
        format!("members   {builds}"),
        format!("features  {on}"),
    ] {
        output::data(&line)?;
    }
    if tasks.is_empty() {
        return Ok(());
    }
    let cells = |row: &TaskRow| {
        vec![row.task.clone(), row.workflow.clone(), brief(&row.problems.join("; "), REASON_CHARS)]
    };
    output::data("")?;
    let rows: Vec<_> = tasks.iter().map(cells).collect();
    Ok(output::table(&["task", "workflow", "why"], &rows)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(tasks: Vec<TaskRow>, lacks: Vec<String>) -> Report {
        let (members, features) = (Vec::new(), Vec::new());
        Report { build: "1", reads_schema: 2, tasks_live: 3, tasks, lacks, members, features }
    }

    #[test]
    fn whatever_stands_against_a_build_is_said_with_its_code() {
        assert!(verdict(&report(Vec::new(), Vec::new())).is_ok());
        let task = TaskRow {
            task: "t".to_owned(),
            workflow: "w".to_owned(),
            revision: "r".to_owned(),
            min_reader: 3,
            problems: vec!["why".to_owned()],
        };
        let error = verdict(&report(vec![task], vec!["third".to_owned()])).unwrap_err();
        assert_eq!(crate::exit::code_of(&error), Code::Incompatible);
        let expected = "1 live task cannot be finished; this build does not know third";
        assert_eq!(error.to_string(), expected);
    }
}
