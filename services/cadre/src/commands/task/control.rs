//! `cadre task pause|resume|kill|cancel`: steers tasks, one or many.

use cadre_core::{
    task::{Action, Control, Task},
    wish::Want,
};
use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{cancel, select::SelectArgs};
use crate::{
    commands::{
        client::{Client, refused_or_unavailable},
        wish::{self, Outcome, Row, outcome},
    },
    exit::{Code, Failure},
    output::{
        self, Format, Listing, OutputArgs,
        text::{brief, count},
    },
    settings::Settings,
};

/// Wishes that are on their way at the same time.
const WISHES_MAX: usize = 16;

/// Characters of a reason in the table.
const REASON_CHARS_MAX: usize = 120;

/// Which tasks, and why.
#[derive(Debug, Args)]
pub(super) struct ControlArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// Why; it stands in the log of each task.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// What is wanted of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Pause,
    Resume,
    Kill,
    Cancel,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Kill => "kill",
            Self::Cancel => "cancel",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Kill => "killed",
            Self::Cancel => "cancelled",
        }
    }

    fn want(self) -> Want {
        match self {
            Self::Pause => Want::Control(Action::Pause),
            Self::Resume => Want::Control(Action::Resume),
            Self::Kill => Want::Control(Action::Kill),
            Self::Cancel => Want::Cancel,
        }
    }
}

pub(super) async fn run(args: &ControlArgs, verb: Verb, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let tasks = args.select.tasks(&client, settings, verb.done()).await?;
    let format = args.output.format(settings);
    if args.select.dry_run {
        let row = |task: &Task| Row {
            task: task.id().to_string(),
            wish: verb.name(),
            outcome: "would be",
            rev: Some(task.rev),
            reason: format!("{}, {}", task.goal.workflow, task.status()),
        };
        let rows: Vec<_> = tasks.iter().map(row).collect();
        output::list(format, &rows, &listing())?;
        args.select.say_dry(&tasks, verb.done());
        return Ok(());
    }
    let (client, by) = (&client, settings.login.as_deref().unwrap_or("cli"));
    let outcomes: Vec<_> = stream::iter(&tasks)
        .map(|task| async move {
            let outcome = ask(client, task, (verb, by), &args.reason).await?;
            anyhow::Ok((task, outcome))
        })
        .buffered(WISHES_MAX)
        .try_collect()
        .await?;
    let rows: Vec<_> =
        outcomes.iter().map(|(task, outcome)| wish::row(outcome, task.id(), verb.name())).collect();
    let is_failed = outcomes.iter().any(|(_, outcome)| wish::failure(outcome).is_some());
    // The error says all that a table of one row would.
    if !(is_failed && rows.len() == 1 && format == Format::Table) {
        output::list(format, &rows, &listing())?;
    }
    end(&outcomes.iter().map(|(_, outcome)| outcome).collect::<Vec<_>>())
}

/// Success when each wish came true, else the worst of what happened.
fn end(outcomes: &[&Outcome]) -> anyhow::Result<()> {
    let all = outcomes.len();
    let mut failures: Vec<_> =
        outcomes.iter().filter_map(|outcome| wish::failure(outcome)).collect();
    failures.sort_by_key(|failure| failure.code() != Code::Refused);
    let number = failures.len();
    let Some(first) = failures.into_iter().next() else { return Ok(()) };
    if all == 1 {
        return Err(first.into());
    }
    let text = format!("{number} of {} did not come true: {first}", count(all as u64, "wish"));
    Err(Failure::new(first.code(), text.replace("wishs", "wishes")).into())
}

fn listing() -> Listing<'static, Row> {
    Listing {
        header: &["task", "wish", "outcome", "reason"],
        row: |row: &Row| {
            let reason = brief(&row.reason, REASON_CHARS_MAX);
            vec![row.task.clone(), row.wish.to_owned(), row.outcome.to_owned(), reason]
        },
        id: |row| row.task.clone(),
    }
}

async fn ask(
    client: &Client,
    task: &Task,
    (verb, by): (Verb, &str),
    reason: &str,
) -> anyhow::Result<Outcome> {
    let want = verb.want();
    if let Some(outcome) = want.moot(task) {
        return Ok(outcome);
    }
    let Want::Control(action) = want else {
        return cancel::outcome(client, task.id(), (by, reason)).await;
    };
    // A key of its own: pausing again after resuming is another wish, not the same one.
    let (by, reason, key) = (by.to_owned(), reason.to_owned(), super::random_key());
    let wish = Control { by, reason, key, action };
    let sent = client.bus.control(task.id(), &wish).await;
    let sequence = sent.map_err(|error| refused_or_unavailable(&error))?;
    outcome(client, task.id(), ("control", sequence)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_is_the_end() {
        let (done, refused, unknown) = (
            Outcome::Unchanged("as before".to_owned()),
            Outcome::Refused("it ended".to_owned()),
            Outcome::Unknown("not yet".to_owned()),
        );
        let code = |outcomes: &[&Outcome]| {
            let error = end(outcomes).err()?;
            Some((crate::exit::code_of(&error), error.to_string()))
        };
        assert_eq!(code(&[]), None);
        assert_eq!(code(&[&done, &done]), None);
        assert_eq!(code(&[&refused]), Some((Code::Refused, "it ended".to_owned())));
        let text = "2 of 3 wishes did not come true: it ended".to_owned();
        assert_eq!(code(&[&unknown, &done, &refused]), Some((Code::Refused, text)));
    }
}
