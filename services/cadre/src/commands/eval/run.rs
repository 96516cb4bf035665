//! `cadre eval run`: plays the cases of a suite and scores what comes of them.

use std::{collections::BTreeMap, path::PathBuf};

use cadre_core::{
    eval::{CaseScore, Latency, compare},
    limits::EVAL_TRIES_MAX,
    ports::Packs as _,
    workflow::Workflow,
};
use clap::Args;
use rand::Rng as _;

use super::{
    folder::{Baseline, Folder},
    report::{Report, Scored},
};
use crate::{
    commands::{
        client::{Client, unavailable},
        pack::{drift::cast, stage::Stage},
    },
    exit::{Code, Failure},
    output::{self, OutputArgs, text::clean},
    settings::Settings,
};

/// Play the cases of a suite, and compare what comes of them with what is expected and with a baseline.
///
/// Starts a private broker and every service; recorded answers stand for models unless --model names one or
/// --live takes the deployment of --nats as it is. Everything is read from the streams. Outcome: the share of
/// tries that miss nothing, of results that satisfy their contract, and of cases of which every try passes
/// (pass^k). Process: steps, tools called in the expected order and in any order, wrong turns (failed attempts,
/// refused answers, failed tools), loops, cost and latency; latency is that of the models where answers are
/// recorded, and that of the task otherwise.
///
/// Exit codes: 0 no worse than the baseline (without one: every try of every case has passed), 16 worse.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre eval run desk/evals                          offline, with recorded answers
  cadre eval run desk/evals --write-baseline         what came out is right: later runs are compared with it
  cadre eval run desk/evals --tries 5 --model anthropic/claude-haiku-4-5-20251001
  cadre eval run desk/evals --live --nats nats://staging:4222 --baseline staging.json
  cadre eval run desk/evals -o json | jq .totals")]
pub(super) struct RunArgs {
    /// The suite's folder.
    #[arg(value_name = "SUITE")]
    suite: PathBuf,
    /// What to compare with; default: baseline.json of the suite, if there is one.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Keep what comes out as the baseline, and compare with nothing.
    #[arg(long)]
    write_baseline: bool,
    /// Play only this case; can be repeated.
    #[arg(long, value_name = "NAME", conflicts_with = "write_baseline")]
    case: Vec<String>,
    /// Play each case so often, whatever the suite says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(EVAL_TRIES_MAX)))]
    tries: Option<u32>,
    /// Ask this one, as provider/model, whatever the pack says.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Play on the broker of the settings, with the pack and the services that are there.
    #[arg(long, conflicts_with = "model")]
    live: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &RunArgs, settings: &Settings) -> anyhow::Result<()> {
    let mut folder = Folder::read(&args.suite)?;
    if let Some(unknown) = args.case.iter().find(|name| !folder.cases.contains_key(*name)) {
        let text = format!("suite {} has no case {unknown}", args.suite.display());
        return Err(Failure::new(Code::NotFound, text).into());
    }
    folder.cases.retain(|name, _| args.case.is_empty() || args.case.contains(name));
    if folder.cases.is_empty() {
        let text =
            format!("suite {} has no cases: `cadre eval add` makes one", args.suite.display());
        return Err(Failure::new(Code::Usage, text).into());
    }
    let file = args.baseline.clone().unwrap_or_else(|| folder.baseline());
    let mut before = if args.write_baseline { None } else { Baseline::read(&file)? };
    if before.is_none() && args.baseline.is_some() && !args.write_baseline {
        let text = format!("there is no {}: `--write-baseline` makes it", file.display());
        return Err(Failure::new(Code::NotFound, text).into());
    }
    if let Some(before) = &mut before {
        before.cases.retain(|name, _| args.case.is_empty() || args.case.contains(name));
    }
    let (revision, cases) = played(args, &folder, settings).await?;
    let scores: BTreeMap<_, _> =
        cases.iter().map(|(name, case)| (name.clone(), case.score.clone())).collect();
    let changes = before.as_ref().map(|before| compare(&before.cases, &scores));
    let report = Report::new((&folder, revision), cases, changes);
    report.print(args.output.format(settings))?;
    if args.write_baseline {
        Baseline { cases: scores }.write(&file)?;
        output::say(&format!("kept as the baseline in {}", file.display()));
        return Ok(());
    }
    report.verdict()
}

/// Plays every case; the pack revision that was played, and what came of each.
async fn played(
    args: &RunArgs,
    folder: &Folder,
    settings: &Settings,
) -> anyhow::Result<(String, BTreeMap<String, Scored>)> {
    let (stage, workflow) = match args.live {
        true => live(folder, settings).await?,
        false => {
            let (pack, services) = cast(settings, &folder.source, args.model.as_deref())?;
            (Stage::open(settings, &pack, services).await?, None)
        }
    };
    let is_recorded = !args.live && args.model.is_none();
    let latency = if is_recorded { Latency::OfModels } else { Latency::OfTask };
    let own = cadre_core::pack::compile(&folder.source)?;
    let workflow = workflow.as_ref().unwrap_or(&own);
    let revision = if args.live { &workflow.revision } else { &folder.workflow.revision }.clone();
    let cases = tried(args, folder, (&stage, workflow, latency)).await;
    stage.close().await;
    Ok((revision, cases?))
}

/// The deployment of the settings, and the pack revision that new goals get there.
async fn live(folder: &Folder, settings: &Settings) -> anyhow::Result<(Stage, Option<Workflow>)> {
    let name = &folder.workflow.name;
    let client = Client::open(settings).await?;
    let packs = client.packs().await?;
    let current = packs.current(name).await.map_err(|error| unavailable(&error))?;
    let revision = current.map(|workflow| workflow.revision.clone()).ok_or_else(|| {
        let text = format!("pack {name} is not on this broker: `cadre pack apply` brings it there");
        Failure::new(Code::NotFound, text)
    })?;
    let source = packs.get(&revision).await.map_err(|error| unavailable(&error))?;
    let source = source.ok_or_else(|| anyhow::anyhow!("pack revision {revision} has gone"))?;
    Ok((Stage::join(client, settings), Some(cadre_core::pack::compile(&source)?)))
}

async fn tried(
    args: &RunArgs,
    folder: &Folder,
    (stage, workflow, latency): (&Stage, &Workflow, Latency),
) -> anyhow::Result<BTreeMap<String, Scored>> {
    // No two runs are the same task, wherever they are played.
    let run: u32 = rand::rng().random();
    let mut scored = BTreeMap::new();
    for (name, goal) in folder.goals()? {
        let Some(case) = folder.cases.get(name) else { continue };
        let tries = args.tries.or(case.tries).unwrap_or(folder.suite.tries);
        let (mut score, mut missed) = (CaseScore::default(), Vec::new());
        for number in 1..=tries {
            let key = format!("eval-{run:08x}-{name}-{number}");
            let trace = stage.play(workflow, (key.as_str(), &goal), latency).await?;
            let of_try = score.count(&case.expect, &trace);
            missed.extend(of_try.into_iter().map(|why| format!("try {number}: {why}")));
        }
        output::say(&format!("{}: {} of {tries} passed", clean(name), score.passed));
        scored.insert(name.to_owned(), Scored { score, missed });
    }
    Ok(scored)
}
