//! `cadre task watch|events`: the records of one task, live or as they stand.

use cadre_core::{
    document,
    task::{Record, Task},
};
use clap::Args;
use futures::{StreamExt as _, stream};

use super::OneArgs;
use crate::{
    commands::client::{Client, task_id},
    output::{
        self, Format, Listing, Style,
        text::{brief, clean},
    },
    settings::Settings,
    timeline::{
        Timeline, follow,
        partial::{Seen, Voice, with_parts},
    },
};

/// Characters of a reason in a table.
const REASON_CHARS_MAX: usize = 200;

/// Show what happens to a task until it has ended; of an ended task, what happened.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task watch vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task watch vs3tl6e2t2bmylf5r7pg2ndlxn --partial
  cadre task watch vs3tl6e2t2bmylf5r7pg2ndlxn -o ndjson | jq .decision")]
pub(super) struct WatchArgs {
    /// Also what models say, while they say it: live at a terminal, else in lines (`-o ndjson`: documents with
    /// `said`). It is not kept anywhere, and some of it may be lost.
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    one: OneArgs,
}

pub(super) async fn run(args: &WatchArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.one.id)?;
    let format = args.one.output.format(settings);
    let client = Client::open(settings).await?;
    // Not every id is waited for: a typo would wait for ever.
    let task = client.task(&id).await?;
    let mut timeline = Timeline::new(Style::detect()).knowing(client.workflow_of(&task).await);
    let (mut voice, mut parts) = (Voice::default(), stream::empty().boxed());
    if args.partial {
        (voice, parts) = (Voice::new(format), client.parts(&id).await?);
    }
    let mut all = with_parts(follow(&client.bus, &id).await?, parts);
    while let Some(seen) = all.next().await {
        let record = match seen? {
            Seen::Record(record) => record,
            Seen::Part(part) => {
                voice.hear(&part)?;
                continue;
            }
        };
        let lines = timeline.lines(&record);
        match format {
            Format::Table => {
                voice.aside(|| lines.iter().try_for_each(|line| output::data(line)))?;
            }
            Format::Json | Format::Ndjson => output::ndjson(&document::record(&record))?,
            Format::Id => {}
        }
    }
    drop(voice);
    if format == Format::Id {
        output::data(id.as_str())?;
    }
    Ok(())
}

pub(super) async fn events(args: &OneArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    let records = client.log(&id).await?;
    let format = args.output.format(settings);
    if format == Format::Table {
        let begun = Task::replay(&records).map(|task| task.accepted_at).unwrap_or_default();
        let row = |record: &Record| {
            let since = record.at.since(begun);
            let cause = format!("{} {}", record.cause.kind, record.cause.source);
            let events = record.events.iter().map(document::event_name);
            vec![
                record.rev.to_string(),
                format!("+{}.{:03}s", since.as_secs(), since.subsec_millis()),
                clean(cause.trim()),
                clean(&record.decision),
                brief(&record.reason, REASON_CHARS_MAX),
                events.collect::<Vec<_>>().join(" "),
            ]
        };
        let header = ["rev", "time", "cause", "decision", "reason", "events"];
        let rows: Vec<_> = records.iter().map(row).collect();
        return Ok(output::table(&header, &rows)?);
    }
    let documents: Vec<_> = records.iter().map(document::record).collect();
    let listing = Listing {
        header: &[],
        row: |_| Vec::new(),
        id: |record: &serde_json::Value| {
            record.get("rev").map(ToString::to_string).unwrap_or_default()
        },
    };
    output::list(format, &documents, &listing)
}
