//! `cadre dlq replay`: publishes messages once more.

use cadre_core::audit::Action;
use cadre_nats::letters::{Head, LetterError, Letters};
use clap::Args;
use serde::Serialize;

use super::{code, failure, select::SelectArgs};
use crate::{
    commands::{client::Client, deed::Deeds},
    exit::{Code, Failure},
    output::{
        self, Listing, OutputArgs,
        text::{clean, count},
    },
    settings::Settings,
};

/// Publish the messages of dead letters once more, where they came from.
///
/// Headers go with them, without those that guarded the first publication; a goal keeps its key. Each
/// letter is removed when the broker has its message again. What fails again becomes a new letter.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre dlq replay 0-17 0-18
  cadre dlq replay --all --kind goal --dry-run
  cadre dlq replay --all --task vs3tl6e2t2bmylf5r7pg2ndlxn")]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Only say what would be published, and what could not.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// What became of one letter.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    kind: String,
    subject: String,
    task: Option<String>,
    replayed: bool,
    /// Place of the message in its stream.
    sequence: Option<u64>,
    error: Option<String>,
    #[serde(skip)]
    outcome: String,
}

pub(super) async fn run(args: &ReplayArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let letters = client.bus.letters();
    let heads = args.select.heads(&letters, settings).await?;
    let deeds = Deeds::open(&client.bus, settings).await?;
    let mut rows = Vec::new();
    let mut lost_bus = None;
    for head in &heads {
        let replayed = replay(&letters, head, args.dry_run);
        let done = if args.dry_run {
            replayed.await
        } else {
            let reason = format!("{} on {}: {}", head.kind, head.subject, head.reason);
            let about = (Action::LetterReplayed, format!("letter/{}", head.id));
            deeds.audited(about, &reason, replayed).await?
        };
        if let Err(error) = &done
            && code(error) == Code::BusUnavailable
        {
            // The others would only wait for the same bus.
            lost_bus = Some(failure(error));
            break;
        }
        rows.push(row(head, args.dry_run, done));
    }
    print(args, settings, &rows)?;
    if let Some(failure) = lost_bus {
        let left = count((heads.len() - rows.len()) as u64, "letter");
        output::say(&format!("{left} left as they are: the bus did not take the next one"));
        return Err(failure.into());
    }
    let failed = rows.iter().filter(|row| row.error.is_some()).count();
    if failed > 0 {
        let text = format!("{failed} of {} cannot be replayed", count(rows.len() as u64, "letter"));
        return Err(Failure::new(Code::Error, text).into());
    }
    Ok(())
}

/// The place of the message in its stream; `None` for a rehearsal.
async fn replay(letters: &Letters, head: &Head, is_dry: bool) -> Result<Option<u64>, LetterError> {
    let letter = letters.get(head.id).await?;
    if is_dry {
        return letters.rehearse(&letter).map(|_| None);
    }
    letters.replay(&letter).await.map(|(_, sequence)| Some(sequence))
}

fn row(head: &Head, is_dry: bool, done: Result<Option<u64>, LetterError>) -> Row {
    let (sequence, error) = match done {
        Ok(sequence) => (sequence, None),
        Err(error) => (None, Some(failure(&error).to_string())),
    };
    let outcome = match &error {
        Some(error) => clean(error),
        None if is_dry => "would be replayed".to_owned(),
        None => "replayed".to_owned(),
    };
    Row {
        id: head.id.to_string(),
        kind: head.kind.clone(),
        subject: head.subject.clone(),
        task: head.task.as_ref().map(ToString::to_string),
        replayed: sequence.is_some(),
        sequence,
        error,
        outcome,
    }
}

fn print(args: &ReplayArgs, settings: &Settings, rows: &[Row]) -> anyhow::Result<()> {
    let listing = Listing {
        header: &["letter", "kind", "subject", "task", "outcome"],
        row: |row: &Row| {
            vec![
                row.id.clone(),
                row.kind.clone(),
                clean(&row.subject),
                row.task.clone().unwrap_or_default(),
                row.outcome.clone(),
            ]
        },
        id: |row| row.id.clone(),
    };
    output::list(args.output.format(settings), rows, &listing)?;
    let fine = count(rows.iter().filter(|row| row.error.is_none()).count() as u64, "letter");
    output::say(&match args.dry_run {
        true => format!("{fine} would be replayed, nothing was changed"),
        false => format!("{fine} replayed"),
    });
    Ok(())
}
