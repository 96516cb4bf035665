//! `cadre approval grant|deny|answer|happened|did-not-happen`: what a person decides about a question.

use cadre_core::{
    ids::StepId,
    question::{self, Verdict},
    task::Decision,
};
use clap::Args;
use serde_json::json;

use super::{
    content,
    question::{Question, choose},
};
use crate::{
    commands::{
        client::{Client, refused_or_unavailable, task_id, unfit},
        wish::{self, Outcome, outcome},
    },
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// About what, and who says so.
#[derive(Debug, Args)]
pub(super) struct AboutArgs {
    /// The task's id.
    #[arg(value_name = "TASK")]
    task: String,
    /// The step that asks; may be left out when only one does.
    #[arg(value_name = "STEP", value_parser = step)]
    step: Option<StepId>,
    /// Refuse unless the hash of what is asked begins with this: at least 8 digits, as `cadre
    /// approval show` prints them.
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    hash: Option<String>,
    /// Why; it stands in the task's log.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    comment: String,
    /// Who decides; default: the login name.
    #[arg(long = "as", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Say yes: the step goes on with exactly what it shows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn pay --hash 7d0f4c1a --as ann
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn pay --with @corrected.json")]
pub(super) struct GrantArgs {
    #[command(flatten)]
    about: AboutArgs,
    /// Go on with this instead of what is shown, where the pack allows it: JSON, `@file`, or `-`.
    #[arg(long, value_name = "JSON|@FILE|-")]
    with: Option<String>,
}

/// Say no: the step fails as denied.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval deny vs3tl6e2t2bmylf5r7pg2ndlxn pay --comment 'wrong account'")]
pub(super) struct DenyArgs {
    #[command(flatten)]
    about: AboutArgs,
}

/// Answer a question: the step completes with the document that is given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval answer vs3tl6e2t2bmylf5r7pg2ndlxn classify --with '{\"type\": \"nda\"}'
  jq .result fixed.json | cadre approval answer vs3tl6e2t2bmylf5r7pg2ndlxn classify --with -")]
pub(super) struct AnswerArgs {
    #[command(flatten)]
    about: AboutArgs,
    /// The step's output: JSON, `@file`, or `-` for standard input.
    #[arg(long, value_name = "JSON|@FILE|-")]
    with: String,
}

/// Say that the call in doubt has happened: the step goes on behind it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval show vs3tl6e2t2bmylf5r7pg2ndlxn pay        # which call it is
  cadre approval happened vs3tl6e2t2bmylf5r7pg2ndlxn pay --with '{\"receipt\": \"A-17\"}'")]
pub(super) struct HappenedArgs {
    #[command(flatten)]
    about: AboutArgs,
    /// What the call gave back: JSON, `@file`, or `-` for standard input.
    #[arg(long, value_name = "JSON|@FILE|-", default_value = "null")]
    with: String,
}

/// Say that what is in doubt has not happened: the step is run again and does it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval did-not-happen vs3tl6e2t2bmylf5r7pg2ndlxn pay --comment 'not on the statement'")]
pub(super) struct DidNotHappenArgs {
    #[command(flatten)]
    about: AboutArgs,
}

pub(super) async fn grant(args: &GrantArgs, settings: &Settings) -> anyhow::Result<()> {
    let content = args.with.as_deref().map(content::read).transpose()?;
    run(&args.about, Verdict::Grant(content), settings).await
}

pub(super) async fn deny(args: &DenyArgs, settings: &Settings) -> anyhow::Result<()> {
    run(&args.about, Verdict::Deny, settings).await
}

pub(super) async fn answer(args: &AnswerArgs, settings: &Settings) -> anyhow::Result<()> {
    run(&args.about, Verdict::Answer(content::read(&args.with)?), settings).await
}

pub(super) async fn happened(args: &HappenedArgs, settings: &Settings) -> anyhow::Result<()> {
    run(&args.about, Verdict::Happened(content::read(&args.with)?), settings).await
}

pub(super) async fn did_not_happen(
    args: &DidNotHappenArgs,
    settings: &Settings,
) -> anyhow::Result<()> {
    run(&args.about, Verdict::DidNotHappen, settings).await
}

async fn run(about: &AboutArgs, verdict: Verdict, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&about.task)?;
    let client = Client::open(settings).await?;
    let records = client.log(&id).await?;
    let task = Client::replayed(&id, &records)?;
    let question = choose(&task, &records, about.step.as_ref())?;
    let by = about.by.as_deref().or(settings.login.as_deref()).unwrap_or("cli");
    if let Some(prefix) = &about.hash {
        question::same(&question, prefix).map_err(|error| unfit(&error))?;
    }
    // The broker's time: this machine's clock may be wrong, and the task does not go by it.
    let now = client.bus.streams().clock.now();
    question::may(&question, &verdict, by, now).map_err(|error| unfit(&error))?;
    let decision = Decision {
        step: question.id.clone(),
        by: by.to_owned(),
        hash: question.hash,
        ruling: verdict.ruling(),
        comment: about.comment.clone(),
    };
    let sent = client.bus.decide(&id, &decision).await;
    let sequence = sent.map_err(|error| refused_or_unavailable(&error))?;
    let outcome = outcome(&client, &id, ("decision", sequence)).await?;
    if let Some(failure) = wish::failure(&outcome) {
        return Err(failure.into());
    }
    print(&question, by, &outcome, about.output.format(settings))
}

fn print(
    question: &Question<'_>,
    by: &str,
    outcome: &Outcome,
    format: Format,
) -> anyhow::Result<()> {
    let task = question.task.id();
    let (rev, decision, reason) = match outcome {
        Outcome::Done { rev, decision, reason } => (Some(rev), decision.as_str(), reason),
        Outcome::Unchanged(why) | Outcome::Refused(why) | Outcome::Unknown(why) => {
            (None, "unchanged", why)
        }
    };
    let document = json!({
        "task": task.as_str(), "step": question.id.to_string(), "decision": decision, "by": by,
        "hash": question.hash.to_string(), "rev": rev, "reason": reason,
    });
    match format {
        Format::Table => Ok(output::data(&format!("{task}  {decision}: {reason}"))?),
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(task.as_str())?),
    }
}

fn step(text: &str) -> Result<StepId, String> {
    StepId::parse(text).map_err(|error| error.to_string())
}

/// The beginning of a hash, as it is printed.
fn prefix(text: &str) -> Result<String, String> {
    question::prefix(text).map_err(|error| error.to_string())
}
