//! `cadre alert ls`: alerts as they stand.

use std::cmp::Reverse;

use clap::Args;

use super::{Row, alerts};
use crate::{
    commands::client::{Client, now, unavailable},
    output::{self, Listing, OutputArgs, text::brief},
    settings::Settings,
};

/// Characters of a text in a table; `-o json` has all of it.
const TEXT_CHARS: usize = 160;

/// List open alerts, the ones that need somebody now first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre alert ls
  cadre alert ls --all
  cadre alert ls -o json | jq -r '.[] | .text, .next'")]
pub(super) struct LsArgs {
    /// Also those that have ended, as long as they are kept.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &LsArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let posted = alerts(&client).await?.all().await.map_err(|error| unavailable(&error))?;
    let mut found: Vec<_> = posted.into_iter().map(|one| one.alert).collect();
    found.retain(|alert| args.all || alert.ended_at.is_none());
    found.sort_by_key(|alert| (alert.ended_at.is_some(), Reverse(alert.severity), alert.since));
    let now = now(&client.bus);
    let rows: Vec<_> = found.into_iter().map(|alert| Row::of(alert, now)).collect();
    let listing = Listing {
        header: &["kind", "severity", "since", "what", "next"],
        row: |row: &Row| {
            vec![
                row.kind.to_owned(),
                row.severity.to_owned(),
                row.age.clone(),
                brief(&row.text, TEXT_CHARS),
                brief(&row.next, TEXT_CHARS),
            ]
        },
        id: Row::id,
    };
    output::list(args.output.format(settings), &rows, &listing)
}
