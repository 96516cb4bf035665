//! `cadre task budget add`: widens the limits of one task.

use std::time::Duration;

use cadre_core::{
    document,
    task::{Action, Budget, Control},
};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    commands::{
        client::{Client, refused_or_unavailable, task_id},
        wish::{self, Outcome, outcome},
    },
    output::{self, Format, OutputArgs},
    settings::Settings,
    timeline,
};

/// Decimals of a dollar that count.
const DECIMALS_MAX: usize = 6;

/// Widen the limits of a task.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task budget add vs3tl6e2t2bmylf5r7pg2ndlxn --usd 0.05")]
pub(super) struct BudgetArgs {
    #[command(subcommand)]
    command: BudgetCommand,
}

#[derive(Debug, Subcommand)]
enum BudgetCommand {
    Add(AddArgs),
}

/// Let a task spend more; one that waits for a larger budget goes on from its open step.
///
/// What has finished is not done again. The same --key counts once, so a repeated command is
/// harmless when it names one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task budget add vs3tl6e2t2bmylf5r7pg2ndlxn --usd 0.05
  cadre task budget add vs3tl6e2t2bmylf5r7pg2ndlxn --steps 10 --time 30m --key ticket-881")]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true)
    .args(["usd", "tokens", "steps", "time"]))]
struct AddArgs {
    /// The task's id.
    id: String,
    /// Money, in US dollars, at most six decimals.
    #[arg(long, value_name = "USD", value_parser = micros)]
    usd: Option<u64>,
    /// Model tokens.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tokens: Option<u64>,
    /// Work orders.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Time until the task's deadline.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
    /// Names the wish, so that it counts once; default: a random one, which is printed.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// Why; it stands in the task's log.
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &BudgetArgs, settings: &Settings) -> anyhow::Result<()> {
    match &args.command {
        BudgetCommand::Add(args) => add(args, settings).await,
    }
}

async fn add(args: &AddArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    client.task(&id).await?;
    let budget = Budget {
        steps: args.steps.unwrap_or_default(),
        usd_micros: args.usd.unwrap_or_default(),
        tokens: args.tokens.unwrap_or_default(),
        time: args.time.unwrap_or_default(),
    };
    let key = args.key.clone().unwrap_or_else(super::random_key);
    let control = Control {
        by: settings.login.as_deref().unwrap_or("cli").to_owned(),
        reason: args.reason.clone(),
        key: key.clone(),
        action: Action::AddBudget(budget),
    };
    let sent = client.bus.control(&id, &control).await;
    let sequence = sent.map_err(|error| refused_or_unavailable(&error))?;
    let outcome = outcome(&client, &id, ("control", sequence)).await?;
    let outcome = match outcome {
        Outcome::Unchanged(_) => {
            Outcome::Unchanged(format!("a wish of key {key} has counted already"))
        }
        other @ (Outcome::Done { .. } | Outcome::Refused(_) | Outcome::Unknown(_)) => other,
    };
    if let Some(failure) = wish::failure(&outcome) {
        return Err(failure.into());
    }
    let row = wish::row(&outcome, &id, "add budget");
    let document = json!({
        "task": id.as_str(), "outcome": row.outcome, "key": key, "rev": row.rev,
        "reason": row.reason, "added": {
            "usd_micros": budget.usd_micros, "tokens": budget.tokens, "steps": budget.steps,
            "time_ms": document::millis(budget.time),
        },
    });
    match args.output.format(settings) {
        Format::Table => {
            let what = timeline::added(budget);
            let text = match row.outcome {
                "done" => format!("{id}  added {what}  (key {key})"),
                _ => format!("{id}  unchanged: {}", row.reason),
            };
            Ok(output::data(&text)?)
        }
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(id.as_str())?),
    }
}

/// Dollars as millionths, exactly.
fn micros(text: &str) -> Result<u64, String> {
    let wrong = || "use an amount such as 0.05, above 0, with at most six decimals".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > DECIMALS_MAX {
        return Err(wrong());
    }
    let part: u64 = format!("{part:0<DECIMALS_MAX$}").parse().map_err(|_| wrong())?;
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let all = whole.checked_mul(1_000_000).and_then(|all| all.checked_add(part));
    all.filter(|all| *all > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact() {
        for (text, expected) in [
            ("0.05", Some(50_000)),
            ("1", Some(1_000_000)),
            ("12.000001", Some(12_000_001)),
            ("0.1", Some(100_000)),
            ("0", None),
            ("0.0000001", None),
            (".5", None),
            ("1.", None),
            ("-1", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(micros(text).ok(), expected, "{text}");
        }
    }
}
