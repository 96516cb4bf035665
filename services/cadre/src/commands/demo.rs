//! `cadre demo`: everything on one machine, from a document to its answer.

mod chaos;
mod goal;
mod input;
mod watch;

use std::{path::PathBuf, time::Duration};

use cadre_core::{
    pack::{PackSource, compile},
    task::EndStatus,
    workflow::Workflow,
};
use cadre_runtime::shutdown::{Phase, Shutdown};
use clap::{Args, Subcommand};
use serde_json::Value;

use self::input::Document;
use crate::{
    answer,
    broker::{self, Ground, PrivateOptions},
    commands::pack::{apply_failure, short},
    exit::{Code, Failure},
    output::{self, Format, OutputArgs},
    packs::{self, BuiltIn},
    settings::Settings,
    stack::{Stack, StackOptions},
};

/// Beyond a task's own deadline: for the aggregator's grace, timers, and a slow machine.
const GRACE: Duration = Duration::from_secs(20);

/// Watch a goal become an answer: starts a private broker and every service, no setup needed.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cadre demo                             the sample contract
  cadre demo --input contract.txt        a contract of your own, as plain text
  pdftotext contract.pdf - | cadre demo --input -
  cadre demo --keep                      leaves everything running, to look around
  cadre demo --pack support              another pack, with the first of its samples
  OPENAI_API_KEY=... cadre demo --model openai/gpt-5-mini-2025-08-07
  cadre demo -o json > answer.json
  cadre demo chaos                       breaks things for a minute, and checks what is left"
)]
pub(crate) struct DemoArgs {
    #[command(subcommand)]
    kind: Option<Kind>,
    /// A text to use instead of the sample; `-` reads standard input.
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Leave everything running until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Which built-in pack to show.
    #[arg(long, value_name = "NAME", default_value = "contract")]
    pack: String,
    /// Ask this one, as provider/model, in place of the recorded answers: see `cadre serve --help`.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Kill, freeze and break things for a minute, watch what holds, and check the streams.
    Chaos(chaos::ChaosArgs),
    /// One worker of `demo chaos`.
    #[command(hide = true)]
    ChaosWorker(chaos::WorkerArgs),
}

pub(crate) async fn run(args: DemoArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.kind {
        None => goal_to_answer(args, settings).await,
        Some(Kind::Chaos(args)) => chaos::run(&args, settings).await,
        Some(Kind::ChaosWorker(args)) => chaos::work(args, settings).await,
    }
}

async fn goal_to_answer(args: DemoArgs, settings: &Settings) -> anyhow::Result<()> {
    let pack = BuiltIn::find(&args.pack).ok_or_else(|| {
        let names: Vec<_> = BuiltIn::all().map(BuiltIn::folder).collect();
        let text = format!("could not find pack {}: built in are {}", args.pack, names.join(", "));
        Failure::new(Code::NotFound, text)
    })?;
    let source = match &args.model {
        Some(model) => packs::asking(&pack.source(), model)?,
        None => pack.source(),
    };
    let workflow = compile(&source)?;
    // A mistake in the input is said before anything is started.
    let document = input::read(args.input.as_deref(), pack)?;
    document.check(&workflow)?;
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    let (mut ground, stack) = tokio::select! {
        opened = open(&source, settings) => opened?,
        () = shutdown.triggered() => return Err(interrupted()),
    };
    let mut outcome = tokio::select! {
        outcome = show(&stack, &workflow, &document, (&args, settings)) => outcome,
        error = ground.failed() => Err(error),
        () = shutdown.triggered() => Err(interrupted()),
    };
    if args.keep && shutdown.phase() == Phase::Running {
        invite(&ground.url, &workflow);
        tokio::select! {
            () = shutdown.triggered() => {}
            error = ground.failed() => outcome = Err(error),
        }
    }
    let close = async {
        stack.stop().await;
        ground.close().await;
    };
    tokio::select! {
        () = close => {}
        () = shutdown.forced() => {}
    }
    outcome
}

/// Starts the broker and every service, with the pack in place.
async fn open(pack: &PackSource, settings: &Settings) -> anyhow::Result<(Ground, Stack)> {
    let ground = broker::ground(settings, PrivateOptions::default(), "demo").await?;
    let packs = broker::packs_on(&ground.connection).await?;
    let applied = packs.apply(pack).await.map_err(|error| apply_failure(&error))?;
    let inference = Some(settings.models.clone());
    let options = StackOptions { inference, ..StackOptions::all() };
    let stack = Stack::start(&ground.connection, options).await?;
    output::say(&format!(
        "broker {}, pack {} {}, orchestrator, agents and aggregator are up",
        ground.url,
        applied.workflow,
        short(&applied.revision)
    ));
    Ok((ground, stack))
}

/// Publishes the goal, shows what happens, prints the answer.
async fn show(
    stack: &Stack,
    workflow: &Workflow,
    document: &Document,
    (args, settings): (&DemoArgs, &Settings),
) -> anyhow::Result<()> {
    let bus = &stack.bus;
    let goal = goal::Published::new(bus, &settings.tenant, workflow);
    let rejections = goal.listen().await?;
    output::say(&format!("goal {}: {} on {}", document.name, document.size(), goal.subject));
    goal.publish(document).await?;
    let watched = watch::until_end(bus, &goal.task);
    let within = workflow.limits.deadline + GRACE;
    let task = tokio::select! {
        task = tokio::time::timeout(within, watched) => task.map_err(|_| late(within))??,
        error = goal.rejected(rejections) => return Err(error),
    };
    let ended = || anyhow::anyhow!("task {} has no answer", goal.task);
    let document = task.answer().ok_or_else(ended)?.document;
    print(args.output.format(settings), document.value())?;
    match answer::status(document.value()).and_then(answer::code) {
        None => Ok(()),
        Some(code) => {
            let status = answer::status(document.value()).map_or("nothing", EndStatus::as_str);
            Err(Failure::new(code, format!("task {} ended as {status}", goal.task)).into())
        }
    }
}

fn print(format: Format, document: &Value) -> anyhow::Result<()> {
    match format {
        Format::Table => {
            output::say("");
            Ok(answer::print(document, "cadre demo -o json")?)
        }
        Format::Json => output::json(document),
        Format::Ndjson => output::ndjson(document),
        Format::Id => {
            Ok(output::data(document.get("task").and_then(Value::as_str).unwrap_or_default())?)
        }
    }
}

fn invite(url: &str, workflow: &Workflow) {
    output::say(&format!("\nstill running at {url} until Ctrl-C; try in another terminal:"));
    let name = &workflow.name;
    for command in [
        format!("cadre --nats {url} task ls"),
        format!("cadre --nats {url} bus tail --all"),
        format!("cadre --nats {url} goal publish {name} -i text=@contract.txt --follow"),
    ] {
        output::say(&format!("  {command}"));
    }
}

fn interrupted() -> anyhow::Error {
    Failure::new(Code::Interrupted, "interrupted").into()
}

fn late(within: Duration) -> anyhow::Error {
    let text = format!("the task did not end within {}", output::text::span(within));
    Failure::new(Code::TimedOut, text).into()
}
