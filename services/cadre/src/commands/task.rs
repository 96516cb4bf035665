//! `cadre task`: what became of goals.

mod budget;
mod calls;
mod cancel;
mod control;
mod decisions;
mod fork;
mod ls;
pub(crate) mod recent;
mod replay;
mod retry;
mod select;
mod show;
mod watch;

use cadre_core::task::{Task, why};
use cadre_nats::topology::unserved;
use clap::{Args, Subcommand};

use self::control::Verb;
use crate::{
    answer,
    commands::{
        alert,
        client::{Client, now, task_id},
    },
    exit::{Code, Failure},
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Look at tasks, steer them, and end them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task ls --status running
  cadre task why vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task result vs3tl6e2t2bmylf5r7pg2ndlxn -o json | jq .result
  cadre task pause vs3tl6e2t2bmylf5r7pg2ndlxn --reason 'wait for the customer'
  cadre task cancel --all --workflow contract-intake --older-than 2h --dry-run")]
pub(crate) struct TaskArgs {
    #[command(subcommand)]
    command: TaskCommand,
}

#[derive(Debug, Subcommand)]
enum TaskCommand {
    Ls(ls::LsArgs),
    /// Show one task: its steps, cost, limits, and how it ended.
    #[command(after_help = "\
Examples:
  cadre task show vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task show vs3tl6e2t2bmylf5r7pg2ndlxn -o json | jq '.steps[] | select(.state == \"failed\")'")]
    Show(OneArgs),
    Watch(watch::WatchArgs),
    /// Print each record of a task's log: what was decided, because of what, and why.
    #[command(after_help = "\
Examples:
  cadre task events vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task events vs3tl6e2t2bmylf5r7pg2ndlxn -o ndjson | jq -c '.events[]'")]
    Events(OneArgs),
    Calls(calls::CallsArgs),
    /// Say in one paragraph where a task is, what it waits for, and what happens next; then which models
    /// it has asked, and why.
    #[command(after_help = "\
Examples:
  cadre task why vs3tl6e2t2bmylf5r7pg2ndlxn")]
    Why(OneArgs),
    /// Print the answer of a task.
    ///
    /// Exit codes: 0 completed, 3 no such task or not ended yet, 5 failed, cancelled or
    /// incomplete, 6 partial.
    #[command(after_help = "\
Examples:
  cadre task result vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task result vs3tl6e2t2bmylf5r7pg2ndlxn -o json > answer.json")]
    Result(OneArgs),
    /// Show a task as it stood after one of its records; nothing is changed or sent.
    Replay(replay::ReplayArgs),
    Retry(retry::RetryArgs),
    Fork(fork::ForkArgs),
    /// Let nothing new begin; what is out goes on, and deadlines keep running.
    ///
    /// Exit codes: 0 paused, or was so before, 3 no such task, 11 stored but not handled yet, 14
    /// refused.
    #[command(after_help = "\
Examples:
  cadre task pause vs3tl6e2t2bmylf5r7pg2ndlxn --reason 'wait for the customer'
  cadre task pause --all --workflow contract-intake --dry-run
  cadre task pause --all --workflow contract-intake --yes")]
    Pause(control::ControlArgs),
    /// Let paused tasks go on.
    #[command(after_help = "\
Examples:
  cadre task resume vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task resume --all --status paused --yes")]
    Resume(control::ControlArgs),
    /// End tasks now, without the compensations that a cancelled one would run; the end names them.
    #[command(after_help = "\
Examples:
  cadre task kill vs3tl6e2t2bmylf5r7pg2ndlxn --reason 'it loops'")]
    Kill(control::ControlArgs),
    /// End tasks now, once what they have done is undone, where the pack says how.
    ///
    /// Harmless for a task that has ended or comes to its end.
    #[command(after_help = "\
Examples:
  cadre task cancel vs3tl6e2t2bmylf5r7pg2ndlxn --reason 'wrong contract'
  cadre task cancel --all --workflow contract-intake --older-than 2h --dry-run")]
    Cancel(control::ControlArgs),
    Budget(budget::BudgetArgs),
}

/// One task.
#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// The task's id.
    id: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: TaskArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        TaskCommand::Ls(args) => ls::run(&args, settings).await,
        TaskCommand::Show(args) => show::run(&args, settings).await,
        TaskCommand::Watch(args) => watch::run(&args, settings).await,
        TaskCommand::Events(args) => watch::events(&args, settings).await,
        TaskCommand::Calls(args) => calls::run(&args, settings).await,
        TaskCommand::Why(args) => explain(&args, settings).await,
        TaskCommand::Result(args) => result(&args, settings).await,
        TaskCommand::Replay(args) => replay::run(&args, settings).await,
        TaskCommand::Fork(args) => fork::run(&args, settings).await,
        TaskCommand::Retry(args) => retry::run(&args, settings).await,
        TaskCommand::Pause(args) => control::run(&args, Verb::Pause, settings).await,
        TaskCommand::Resume(args) => control::run(&args, Verb::Resume, settings).await,
        TaskCommand::Kill(args) => control::run(&args, Verb::Kill, settings).await,
        TaskCommand::Cancel(args) => control::run(&args, Verb::Cancel, settings).await,
        TaskCommand::Budget(args) => budget::run(&args, settings).await,
    }
}

async fn explain(args: &OneArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    let task = client.task(&id).await?;
    let workflow = client.workflow_of(&task).await;
    let mut text = why(&task, workflow.as_deref(), now(&client.bus));
    let streams = client.bus.streams();
    if let Some(more) = unserved(&streams.js, &streams.topology, &task).await {
        text = format!("{text} {more}");
    }
    if let Some(stuck) = alert::stuck(&client, &id).await {
        text = format!("{text} {stuck}");
    }
    let decisions = match calls::of_task(&client, &id).await {
        Ok(calls) => decisions::told(&calls),
        Err(error) => vec![format!("What its steps have called cannot be read: {error}.")],
    };
    let document = serde_json::json!({
        "task": id.as_str(), "status": task.status(), "why": text, "decisions": decisions,
    });
    match args.output.format(settings) {
        Format::Table => {
            let width = output::width().map_or(usize::MAX, usize::from).min(100);
            let width = if output::is_terminal() { width } else { usize::MAX };
            let texts = std::iter::once(&text).chain(&decisions);
            let lines = texts.flat_map(|text| output::text::wrap(text, width));
            lines.into_iter().try_for_each(|line| output::data(&line)).map_err(Into::into)
        }
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(id.as_str())?),
    }
}

async fn result(args: &OneArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    print_answer(&client.task(&id).await?, args.output.format(settings))
}

/// Prints the answer of an ended task, and fails with the code of how it ended.
///
/// # Errors
/// [`Code::NotFound`] while it has not ended, [`Code::TaskFailed`], [`Code::TaskPartial`].
pub(crate) fn print_answer(task: &Task, format: Format) -> anyhow::Result<()> {
    let Some(answer) = task.answer() else {
        let (id, status) = (task.id(), task.status());
        let text = format!(
            "task {id} has no answer yet, it is {status}: `cadre task why {id}` says what it waits \
             for, `cadre task watch {id}` waits"
        );
        return Err(Failure::new(Code::NotFound, text).into());
    };
    let document = answer.document.value();
    match format {
        Format::Table => {
            answer::print(document, &format!("cadre task result {} -o json", task.id()))?;
        }
        Format::Json => output::json(document)?,
        Format::Ndjson => output::ndjson(document)?,
        Format::Id => output::data(task.id().as_str())?,
    }
    end_of(task)
}

/// How an ended task ended, as success or failure.
///
/// # Errors
/// [`Code::TaskFailed`], [`Code::TaskPartial`].
pub(crate) fn end_of(task: &Task) -> anyhow::Result<()> {
    let Some(end) = task.ended() else { return Ok(()) };
    match answer::code(end.status) {
        None => Ok(()),
        Some(code) => {
            let reason = output::text::clean(&end.reason);
            let text = format!("task {} ended as {}: {reason}", task.id(), end.status.as_str());
            Err(Failure::new(code, text).into())
        }
    }
}

/// Names a wish that nobody has named.
fn random_key() -> String {
    let bytes: [u8; 16] = rand::random();
    data_encoding::HEXLOWER.encode(&bytes)
}
