//! `cadre audit`: who did what and why, and whether anybody has changed what stands there.

mod export;
mod ls;
mod verify;

use cadre_core::audit::Entry;
use cadre_nats::trail::JetStreamTrail;
use clap::{Args, Subcommand};
use serde::Serialize;

use self::{export::ExportArgs, ls::LsArgs, verify::VerifyArgs};
use crate::{
    commands::client::{Client, unavailable},
    settings::Settings,
};

/// See who did what, and verify that nobody has changed what stands there.
///
/// Goals, questions and decisions, cancelling and steering, ends of tasks, packs, breakers held by hand, dead
/// letters, features: each is an entry of a chain, one for each tenant and one for the fleet. Each entry holds the
/// hash of the one before it, so a changed, dropped or moved one is found and named.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre audit ls --task ek6veavj5sre7icwhvnqhhp3u3
  cadre audit verify                        exit code 13 when an entry is not as it was written
  cadre audit export > audit.ndjson         keep it elsewhere
  cadre audit verify audit.ndjson           offline
  cadre audit verify --against audit.ndjson has somebody rewritten what the export has?")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Ls(LsArgs),
    Verify(VerifyArgs),
    Export(ExportArgs),
}

pub(crate) async fn run(args: AuditArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        AuditCommand::Ls(args) => ls::run(&args, settings).await,
        AuditCommand::Verify(args) => verify::run(&args, settings).await,
        AuditCommand::Export(args) => export::run(&args, settings).await,
    }
}

/// The trail of the broker.
async fn trail(settings: &Settings) -> anyhow::Result<JetStreamTrail> {
    let client = Client::open(settings).await?;
    Ok(JetStreamTrail::open(&client.bus).await.map_err(|error| unavailable(&error))?)
}

/// One entry as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    chain: String,
    number: u64,
    /// Place of its message in the stream.
    sequence: u64,
    at: String,
    actor: String,
    action: String,
    object: String,
    reason: String,
    /// The message that it is known from; none for what a command noted.
    source: Option<RowSource>,
    hash: String,
}

/// The message that an entry is known from.
#[derive(Debug, Serialize)]
struct RowSource {
    stream: String,
    sequence: u64,
}

impl Row {
    fn of(sequence: u64, entry: Entry) -> Self {
        Self {
            chain: entry.chain,
            number: entry.number,
            sequence,
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            object: entry.object,
            reason: entry.reason,
            source: entry.source.map(|(stream, sequence)| RowSource { stream, sequence }),
            hash: entry.hash.to_string(),
        }
    }

    fn id(&self) -> String {
        format!("{}.{}", self.chain, self.number)
    }
}
