//! `cadre task cancel`: ends a task now.

use std::time::Duration;

use cadre_core::task::{End, Task};
use clap::Args;
use futures::StreamExt as _;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    commands::client::{Client, task_id, unavailable},
    exit::{Code, Failure},
    output::{self, Format, OutputArgs},
    settings::Settings,
    timeline::follow,
};

/// How long the end of the task is waited for.
const ENDED_WITHIN: Duration = Duration::from_secs(10);

/// End a task now. Harmless for a task that has ended.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task cancel vs3tl6e2t2bmylf5r7pg2ndlxn --reason 'wrong contract'")]
pub(crate) struct CancelArgs {
    /// The task's id.
    id: String,
    /// Why; it stands in the task's log.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: &CancelArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    let task = client.task(&id).await?;
    if let Some(end) = task.ended() {
        output::say("the task had ended before");
        return print(args, settings, &task, end);
    }
    let by = settings.login.as_deref().unwrap_or("cli");
    client.bus.cancel(&id, by, &args.reason).await.map_err(|error| unavailable(&error))?;
    let ended = timeout(ENDED_WITHIN, async {
        let mut records = follow(&client.bus, &id).await?;
        let mut task = None;
        while let Some(record) = records.next().await {
            Task::fold(&mut task, &record?);
        }
        anyhow::Ok(task)
    });
    let late = |_| {
        let text = format!(
            "the wish to cancel task {id} is stored, but the task has not ended within \
             {ENDED_WITHIN:?}: it will when an orchestrator runs; see `cadre task show {id}`"
        );
        Failure::new(Code::TimedOut, text)
    };
    let task = ended.await.map_err(late)??;
    match task.as_ref().and_then(|task| Some((task, task.ended()?))) {
        Some((task, end)) => print(args, settings, task, end),
        None => Err(unavailable(&"the log was not read to its end").into()),
    }
}

fn print(args: &CancelArgs, settings: &Settings, task: &Task, end: &End) -> anyhow::Result<()> {
    let document = json!({
        "task": task.id().as_str(),
        "status": end.status.as_str(),
        "reason": end.reason,
        "ended_at": end.at.to_string(),
    });
    match args.output.format(settings) {
        Format::Table => {
            let reason = output::text::clean(&end.reason);
            let line = format!("{}  {}: {reason}", task.id(), end.status.as_str());
            Ok(output::data(&line)?)
        }
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(task.id().as_str())?),
    }
}
