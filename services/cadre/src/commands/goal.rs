//! `cadre goal`: asks for something to be done.

mod dry_run;
pub(crate) mod input;
mod publish;
mod shell;
mod wait;
mod wanted;

use clap::{Args, Subcommand};

use crate::{output::OutputArgs, settings::Settings};

/// Publish goals.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre goal publish contract-intake -i text=@contract.txt --wait
  cadre goal publish --help                                      every way to give an input")]
pub(crate) struct GoalArgs {
    #[command(subcommand)]
    command: GoalCommand,
}

#[derive(Debug, Subcommand)]
enum GoalCommand {
    Publish(PublishArgs),
}

/// Publish a goal and say what became of it.
///
/// The goal is stored by the broker before anything else. The command then waits up to 10 s for an
/// orchestrator to accept or reject it, and with --wait or --follow until its task has ended. The
/// same key is the same task: publishing a goal again is harmless.
///
/// Exit codes: 0 accepted (with --wait: completed), 4 rejected, 5 failed, 6 partial, 9 no broker,
/// 11 not ended in time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre goal publish contract-intake -i text=@contract.txt --wait
  cadre goal publish contract-intake -i @goal.json --key order-7 --deadline 10m -o id
  jq '{text: .body}' mail.json | cadre goal publish contract-intake -i - --follow --partial
  cadre goal publish contract-intake -i text=@contract.txt --dry-run")]
pub(crate) struct PublishArgs {
    /// The workflow that does it: see `cadre pack ls`.
    workflow: String,
    /// `@file.json`, `-` (standard input) or a JSON object: the whole input; or, repeated, `key=value` (JSON, else
    /// a text) and `key=@textfile`.
    #[arg(short, long = "input", value_name = "INPUT")]
    input: Vec<String>,
    /// Wait for the answer and print it.
    #[arg(long)]
    wait: bool,
    /// Show what happens until the answer is there, and print it.
    #[arg(long)]
    follow: bool,
    /// With --follow, also what models say while they say it, in lines; at a terminal that is shown anyway.
    #[arg(long, requires = "follow")]
    partial: bool,
    /// How long --wait and --follow wait; the task goes on afterwards.
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: std::time::Duration,
    /// When nobody cares any more: `10m`, or a point in time by RFC 3339.
    #[arg(long, value_name = "DURATION|TIME")]
    deadline: Option<String>,
    /// Money that the goal may cost.
    #[arg(long, value_name = "USD")]
    budget_usd: Option<String>,
    /// Work orders that it may cost.
    #[arg(long, value_name = "N")]
    max_steps: Option<u32>,
    /// Model tokens that it may cost.
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Idempotency key; default: a random one.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Who asks; default: the login name.
    #[arg(long, value_name = "TEXT")]
    user: Option<String>,
    /// Publish nothing: check the input, and print the `nats` command that would do it.
    #[arg(long, conflicts_with_all = ["wait", "follow"])]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: GoalArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        GoalCommand::Publish(args) => {
            let wanted = wanted::Wanted::of(&args, settings)?;
            if args.dry_run {
                dry_run::run(&args, &wanted, settings).await
            } else {
                publish::run(&args, &wanted, settings).await
            }
        }
    }
}
