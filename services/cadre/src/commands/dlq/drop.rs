//! `cadre dlq drop`: removes letters for good.

use cadre_core::audit::Action;
use clap::Args;

use super::{Row, failure, select::SelectArgs};
use crate::{
    commands::{client::Client, deed::Deeds},
    exit::{Code, Failure},
    output::{
        self, Listing, OutputArgs,
        text::{clean, count},
    },
    settings::Settings,
};

/// Remove dead letters for good: nothing of them is left.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre dlq drop 0-17
  cadre dlq drop --all --kind work --dry-run
  cadre dlq drop --all --kind work --yes")]
pub(super) struct DropArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Only say what would be removed.
    #[arg(long)]
    dry_run: bool,
    /// Needed with --all.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &DropArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let letters = client.bus.letters();
    let heads = args.select.heads(&letters, settings).await?;
    let all = count(heads.len() as u64, "letter");
    if args.select.all && !args.yes && !args.dry_run && !heads.is_empty() {
        let text = format!(
            "{all} would be removed for good, so nothing was: look with --dry-run, repeat with \
             --yes if you mean it"
        );
        return Err(Failure::new(Code::Usage, text).into());
    }
    if !args.dry_run {
        let deeds = Deeds::open(&client.bus, settings).await?;
        for head in &heads {
            let reason = format!("{} on {}: {}", head.kind, head.subject, head.reason);
            let about = (Action::LetterDropped, format!("letter/{}", head.id));
            let dropped = deeds.audited(about, &reason, letters.discard(head.id));
            dropped.await?.map_err(|error| failure(&error))?;
        }
    }
    let rows: Vec<_> = heads.iter().map(Row::of).collect();
    let listing = Listing {
        header: &["letter", "kind", "subject", "task"],
        row: |row: &Row| {
            let task = row.task.clone().unwrap_or_default();
            vec![row.id.clone(), row.kind.clone(), clean(&row.subject), task]
        },
        id: |row| row.id.clone(),
    };
    output::list(args.output.format(settings), &rows, &listing)?;
    output::say(&match args.dry_run {
        true => format!("{all} would be removed, nothing was changed"),
        false => format!("{all} removed"),
    });
    Ok(())
}
