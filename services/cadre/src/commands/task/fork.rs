//! `cadre task fork`: begins a new task with what another one has done.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    limits::PAYLOAD_BYTES_MAX,
    payload::Payload,
    ports::OrchestratorBus as _,
    task::{Goal, Record, Task},
    wish::{self, ForkWish, Unfit},
    workflow::Workflow,
};
use clap::Args;
use futures::StreamExt as _;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    commands::{
        client::{Client, refused_or_unavailable, task_id, unavailable, unfit},
        goal::input,
    },
    exit::{Code, Failure},
    output::{self, Format, OutputArgs, text::clean},
    settings::Settings,
    timeline::follow,
};

/// How long an orchestrator may take to begin the fork.
const BEGUN_WITHIN: Duration = Duration::from_secs(10);

/// Begin a new task with what another one has done before a step; from that step on all runs anew.
///
/// What the other task completed and what does not come after STEP is taken over, also where the
/// input is changed; what it has undone is not. The fork keeps the pack revision, has limits and a
/// budget of its own, never undoes what it took over, and leaves the other task as it is. The same
/// --key is the same fork.
///
/// Exit codes: 0 begun, 3 no such task, step or pack revision, 4 refused (the input breaks the
/// contract, or the key belongs to another goal), 5 it cannot go on from there, 11 stored but not
/// begun yet.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task fork vs3tl6e2t2bmylf5r7pg2ndlxn --from draft
  cadre task fork vs3tl6e2t2bmylf5r7pg2ndlxn --from draft --key again-1 -i tone=formal")]
pub(super) struct ForkArgs {
    /// The task to go on from; open or ended.
    id: String,
    /// The first step that runs anew.
    #[arg(long, value_name = "STEP")]
    from: Name,
    /// The fork's idempotency key; default: a random one.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Changes one field of the input, as `goal publish` sets it: name=value.
    #[arg(short = 'i', long = "input", value_name = "NAME=VALUE")]
    input: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &ForkArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    let task = client.task(&id).await?;
    let Some(workflow) = client.workflow_of(&task).await else {
        let text = format!("pack revision {} of task {id} is unknown", task.goal.revision);
        return Err(Failure::new(Code::NotFound, text).into());
    };
    let goal = Arc::new(goal(args, (&task, &workflow), settings)?);
    let sent = client.bus.submit(Arc::clone(&goal)).await;
    sent.map_err(|error| refused_or_unavailable(&error))?;
    let first = begun(&client, &goal.task).await?;
    tell(&first, &goal)?;
    let text = format!("{}  goes on from {} of {id} at record {}", goal.task, args.from, task.rev);
    let document = json!({
        "task": goal.task.as_str(), "key": goal.key, "fork_of": id.as_str(),
        "from": args.from.as_str(), "rev": task.rev, "decision": first.decision,
        "reason": first.reason,
    });
    match args.output.format(settings) {
        Format::Table => Ok(output::data(&text)?),
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(goal.task.as_str())?),
    }
}

fn goal(
    args: &ForkArgs,
    (task, workflow): (&Task, &Workflow),
    settings: &Settings,
) -> anyhow::Result<Goal> {
    let wish = ForkWish {
        from: args.from.clone(),
        key: args.key.clone().unwrap_or_else(super::random_key),
        input: Some(changed(task, &args.input)?),
        user: settings.login.clone(),
        trace: cadre_runtime::trace::current_traceparent(),
    };
    Ok(wish.goal(task, workflow).map_err(|error| unfit(&error))?)
}

/// The other task's input with these fields in place of its own.
fn changed(task: &Task, fields: &[String]) -> anyhow::Result<Payload> {
    if fields.is_empty() {
        return Ok(task.goal.input.clone());
    }
    let usage = |error: &dyn std::fmt::Display| Failure::new(Code::Usage, error.to_string());
    let new = input::read(fields, &mut input::System)
        .map_err(|error| usage(&format_args!("{:#}", anyhow::Error::from(error))))?;
    let mut value = task.goal.input.value().clone();
    match (value.as_object_mut(), new) {
        (Some(fields), serde_json::Value::Object(new)) => fields.extend(new),
        (_, new) => value = new,
    }
    Payload::from_value(value).map_err(|error| {
        usage(&format_args!("input: {error}; at most {PAYLOAD_BYTES_MAX} bytes are allowed")).into()
    })
}

/// The first record of the fork's log.
async fn begun(client: &Client, id: &TaskId) -> anyhow::Result<Record> {
    let first = timeout(BEGUN_WITHIN, async {
        let mut records = follow(&client.bus, id).await?;
        match records.next().await {
            Some(record) => Ok(record?),
            None => Err(unavailable(&"the connection was closed").into()),
        }
    });
    first.await.unwrap_or_else(|_| {
        let text = format!(
            "the fork is stored as task {id}, but nobody has begun it within {BEGUN_WITHIN:?}: it \
             will be when an orchestrator runs"
        );
        Err(Failure::new(Code::TimedOut, text).into())
    })
}

/// Fails when the key belongs to another goal, or the fork could not be.
fn tell(first: &Record, goal: &Goal) -> Result<(), Failure> {
    wish::begun(first, goal).map_err(|error| match &error {
        Unfit::Refused(why) => Failure::new(Code::Rejected, why.clone()),
        Unfit::Invalid(why) => Failure::new(Code::TaskFailed, clean(why)),
        Unfit::NotFound(_) | Unfit::Input { .. } => unfit(&error),
    })
}
