//! `cadre eval`: plays suites of goals with expected outcomes, and makes cases of finished tasks.

mod add;
mod folder;
mod report;
mod run;

use clap::{Args, Subcommand};

use crate::settings::Settings;

/// Play goals with expected outcomes, compare with a baseline, and keep finished tasks as cases.
///
/// A suite is a folder: suite.yaml names the pack and how often each case is played (`tries`), each other
/// *.yaml is a case with a goal (or a `sample` of the pack) and what is expected of it, each *.jsonl holds
/// recorded answers of models beside those of the pack.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre init --template support desk && cadre eval run desk/evals
  cadre eval run desk/evals --tries 5 --model openai/gpt-5-mini-2025-08-07
  cadre eval add vs3tl6e2t2bmylf5r7pg2ndlxn --suite desk/evals

A case:
  goal: {customer: bo, text: I was charged twice.}   # or `sample: charge.json`
  expect:
    status: completed                                # the default; or partial, failed, waiting…
    result:                                          # at a JSON pointer; without `at` the whole result
      - {at: /handled_by, equals: [billing]}
      - {at: /reply, contains: refunded, matches: '^Dear '}
    tools: {in_order: [lookup]}                      # or any_order
    max_steps: 5
    max_wrong_turns: 0
    max_usd: 0.01
    max_tokens: 5000
    max_latency: 10s
The result must satisfy the pack's contract in any case.")]
pub(crate) struct EvalArgs {
    #[command(subcommand)]
    command: EvalCommand,
}

#[derive(Debug, Subcommand)]
enum EvalCommand {
    Run(run::RunArgs),
    Add(add::AddArgs),
}

pub(crate) async fn run(args: EvalArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        EvalCommand::Run(args) => run::run(&args, settings).await,
        EvalCommand::Add(args) => add::run(&args, settings).await,
    }
}
