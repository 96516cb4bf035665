//! `cadre task retry`: has failed steps of an open task tried again.

use cadre_core::{
    ids::StepId,
    task::{Action, Control},
};
use clap::Args;
use serde_json::json;

use crate::{
    commands::{
        client::{Client, refused_or_unavailable, task_id},
        wish::{self, Outcome, outcome},
    },
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Have a failed step of an open task tried again; its attempts begin anew.
///
/// What was skipped because of it waits for it again. Refused once the task has ended, which is
/// final: `cadre task fork` goes on from it in a new task. Refused as well when a later step has begun
/// without it, when a person has decided about it, and when it never had an attempt.
///
/// Exit codes: 0 tried again, or nothing to try, 3 no such task, 11 stored but not handled yet, 14
/// refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task retry vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task retry vs3tl6e2t2bmylf5r7pg2ndlxn extract-3 --reason 'the model is back'
  cadre task retry vs3tl6e2t2bmylf5r7pg2ndlxn extract")]
pub(super) struct RetryArgs {
    /// The task's id.
    id: String,
    /// A step, one item of a fan-out, or a fan-out for all of its failed items. Default: all that
    /// failed and can be tried again.
    #[arg(value_name = "STEP", value_parser = step)]
    step: Option<StepId>,
    /// Why; it stands in the task's log.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    output: OutputArgs,
}

fn step(text: &str) -> Result<StepId, String> {
    StepId::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: &RetryArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    client.task(&id).await?;
    let control = Control {
        by: settings.login.as_deref().unwrap_or("cli").to_owned(),
        reason: args.reason.clone(),
        key: super::random_key(),
        action: Action::Retry(args.step.clone()),
    };
    let sent = client.bus.control(&id, &control).await;
    let sequence = sent.map_err(|error| refused_or_unavailable(&error))?;
    let outcome = match outcome(&client, &id, ("control", sequence)).await? {
        Outcome::Unchanged(_) => Outcome::Unchanged("nothing of it has failed".to_owned()),
        other @ (Outcome::Done { .. } | Outcome::Refused(_) | Outcome::Unknown(_)) => other,
    };
    if let Some(failure) = wish::failure(&outcome) {
        return Err(failure.into());
    }
    let row = wish::row(&outcome, &id, "retry");
    let step = args.step.as_ref().map(StepId::to_string);
    let document = json!({
        "task": id.as_str(), "step": step, "outcome": row.outcome, "rev": row.rev,
        "reason": row.reason,
    });
    match args.output.format(settings) {
        Format::Table => Ok(output::data(&format!("{id}  {}: {}", row.outcome, row.reason))?),
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(id.as_str())?),
    }
}
