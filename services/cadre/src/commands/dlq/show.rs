//! `cadre dlq show`: one letter on one page, or its body alone.

use std::io::{self, Write as _};

use cadre_nats::letters::LetterId;
use clap::Args;

use super::{failure, page};
use crate::{
    commands::client::Client,
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Show one dead letter: why, from where, its headers and its body.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre dlq show 0-17
  cadre dlq show 0-17 -o json | jq -r .body_base64 | base64 -d
  cadre dlq show 0-17 --body > message.json")]
pub(super) struct ShowArgs {
    /// The letter, as `cadre dlq ls` names it.
    id: LetterId,
    /// Print the body and nothing else, byte for byte.
    #[arg(long, conflicts_with = "output")]
    body: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &ShowArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let letter = client.bus.letters().get(args.id).await.map_err(|error| failure(&error))?;
    if args.body {
        if let Some(lost) = letter.head.lost() {
            output::say(&format!("warning: {lost} were too large to be kept"));
        }
        let mut out = io::stdout().lock();
        let written = out.write_all(&letter.body).and_then(|()| out.flush());
        return written.map_err(|error| output::Closed::from(error).into());
    }
    match args.output.format(settings) {
        Format::Table => {
            page::lines(&letter).iter().try_for_each(|line| output::data(line)).map_err(Into::into)
        }
        Format::Json => output::json(&page::document(&letter)),
        Format::Ndjson => output::ndjson(&page::document(&letter)),
        Format::Id => Ok(output::data(&letter.head.id.to_string())?),
    }
}
