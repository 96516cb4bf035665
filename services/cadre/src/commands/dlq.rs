//! `cadre dlq`: messages that nothing could be made of, until a person decides.

mod drop;
mod ls;
mod page;
mod replay;
mod select;
mod show;

use cadre_nats::letters::{Head, LetterError};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    exit::{Code, Failure},
    settings::Settings,
};

/// Look at dead letters, send them again, or remove them.
///
/// A goal, an input or a work order becomes a dead letter when it cannot be read, contradicts what is
/// known, or fails at each of ten deliveries. It is kept whole, with the reason, until somebody
/// replays or drops it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre dlq ls --since 24h
  cadre dlq show 0-17
  cadre dlq show 0-17 --body > message.json
  cadre dlq replay 0-17
  cadre dlq replay --all --kind goal --dry-run
  cadre dlq drop --all --since 1h --yes")]
pub(crate) struct DlqArgs {
    #[command(subcommand)]
    command: DlqCommand,
}

#[derive(Debug, Subcommand)]
enum DlqCommand {
    Ls(ls::LsArgs),
    Show(show::ShowArgs),
    Replay(replay::ReplayArgs),
    Drop(drop::DropArgs),
}

pub(crate) async fn run(args: DlqArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        DlqCommand::Ls(args) => ls::run(&args, settings).await,
        DlqCommand::Show(args) => show::run(&args, settings).await,
        DlqCommand::Replay(args) => replay::run(&args, settings).await,
        DlqCommand::Drop(args) => drop::run(&args, settings).await,
    }
}

/// A letter in a list.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    kind: String,
    at: String,
    /// In a table only.
    #[serde(skip)]
    age: String,
    reason: String,
    deliveries: Option<u32>,
    subject: String,
    tenant: Option<String>,
    task: Option<String>,
    size_bytes: u64,
}

impl Row {
    fn of(head: &Head) -> Self {
        Self {
            id: head.id.to_string(),
            kind: head.kind.clone(),
            at: head.at.to_string(),
            age: String::new(),
            reason: head.reason.clone(),
            deliveries: head.deliveries,
            subject: head.subject.clone(),
            tenant: head.tenant.as_ref().map(ToString::to_string),
            task: head.task.as_ref().map(ToString::to_string),
            size_bytes: head.size_bytes,
        }
    }
}

/// The failure of a command about one letter.
fn failure(error: &LetterError) -> Failure {
    let (code, text) = (code(error), error.to_string());
    match std::error::Error::source(error) {
        Some(cause) => Failure::new(code, format!("{text}: {cause}")),
        None => Failure::new(code, text),
    }
}

fn code(error: &LetterError) -> Code {
    match error {
        LetterError::NoLetter(_) => Code::NotFound,
        LetterError::Unrepeatable { .. } | LetterError::Body { .. } => Code::Error,
        LetterError::Tail(_) | LetterError::Bus(_) => Code::BusUnavailable,
    }
}
