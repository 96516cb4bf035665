//! `cadre alert watch`: alerts while they are raised and end.

use cadre_core::{time::UnixMillis, watch::port::WatchBus as _};
use clap::Args;
use futures::StreamExt as _;

use super::{Row, alerts};
use crate::{
    commands::client::{Client, unavailable},
    output::{self, Format, OutputArgs, text::clean},
    settings::Settings,
};

/// Print alerts as they are raised, change and end.
///
/// Begins with what is open, and goes on until it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre alert watch
  cadre alert watch -o ndjson | jq 'select(.severity == \"critical\")'")]
pub(super) struct WatchArgs {
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &WatchArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let format = args.output.format(settings);
    let alerts = alerts(&client).await?;
    // Opened first: what is raised meanwhile is printed twice rather than never.
    let mut news = alerts.follow().await.map_err(|error| unavailable(&error))?;
    for posted in alerts.alerts().await.map_err(|error| unavailable(&error))? {
        print(&Row::of(posted.alert, UnixMillis(0)), format)?;
    }
    while let Some(posted) = news.next().await {
        let posted = posted.map_err(|error| unavailable(&error))?;
        print(&Row::of(posted.alert, UnixMillis(0)), format)?;
    }
    Ok(())
}

fn print(row: &Row, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Table => {
            let (at, state, severity) = (&row.at, row.state, row.severity);
            let line =
                format!("{at}  {state}  {severity}  {}  {} {}", row.id(), row.text, row.next);
            Ok(output::data(&clean(&line))?)
        }
        Format::Json | Format::Ndjson => output::ndjson(row),
        Format::Id => Ok(output::data(&row.id())?),
    }
}
