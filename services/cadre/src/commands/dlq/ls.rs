//! `cadre dlq ls`: the newest letters.

use cadre_core::{ports::Clock as _, text::size};
use cadre_nats::letters::{Found, Head};
use clap::Args;

use super::{Row, select::FilterArgs};
use crate::{
    commands::client::Client,
    output::{
        self, Listing, OutputArgs,
        text::{brief, count, span},
    },
    settings::Settings,
};

/// Characters of a reason in the table; `show` has all of it.
const REASON_CHARS_MAX: usize = 100;

/// List dead letters, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre dlq ls
  cadre dlq ls --kind goal --tenant acme --since 7d
  cadre dlq ls --task vs3tl6e2t2bmylf5r7pg2ndlxn -o id | xargs cadre dlq replay")]
pub(super) struct LsArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &LsArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let letters = client.bus.letters();
    let Found { letters, more } = args.filter.find(&letters, settings, args.limit).await?;
    let now = client.bus.time();
    let aged = |head: &Head| {
        let age = format!("{} ago", span(now.since(head.at)));
        Row { age, ..Row::of(head) }
    };
    let rows: Vec<_> = letters.iter().map(aged).collect();
    let listing = Listing {
        // `show` has the subject and the time to the millisecond.
        header: &["letter", "task", "kind", "given up", "reason", "size"],
        row: |row: &Row| {
            vec![
                row.id.clone(),
                row.task.clone().unwrap_or_default(),
                row.kind.clone(),
                row.age.clone(),
                brief(&row.reason, REASON_CHARS_MAX),
                size(row.size_bytes),
            ]
        },
        id: |row| row.id.clone(),
    };
    output::list(args.output.format(settings), &rows, &listing)?;
    if more > 0 {
        let more = count(more, "older letter");
        output::say(&format!("{more} not listed: raise --limit, or filter"));
    }
    Ok(())
}
