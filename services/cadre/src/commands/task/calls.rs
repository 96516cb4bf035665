//! `cadre task calls`: what the workers of a task's steps have called, from the steps' journals.

use cadre_core::{
    ids::TaskId,
    journal::{Call, CallOutcome, History, JournalId},
    ports::JournalError,
    workflow::Grant,
};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    commands::client::{Client, task_id, unavailable},
    exit::{Code, Failure},
    output::{self, Format, OutputArgs, text::clean},
    settings::Settings,
};

/// List what the steps of a task have called: models and tools, with outcome, key and cost.
///
/// Steps that call nothing have no journal. A call without an outcome is under way, or its worker died
/// in the middle of it: `cadre check` tells them apart once the task has ended.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task calls vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre task calls vs3tl6e2t2bmylf5r7pg2ndlxn -o ndjson | jq 'select(.outcome == null)'")]
pub(super) struct CallsArgs {
    /// The task's id.
    id: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &CallsArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    // Says when there is no such task.
    drop(client.task(&id).await?);
    let calls = of_task(&client, &id).await?;
    match args.output.format(settings) {
        Format::Table => print(&calls),
        Format::Json => output::json(&json!({"task": id.as_str(), "calls": calls})),
        Format::Ndjson => calls.iter().try_for_each(output::ndjson),
        Format::Id => calls.iter().try_for_each(|call| Ok(output::data(&text(call, "key"))?)),
    }
}

/// Every call of a task's steps, as documents.
///
/// # Errors
/// When the journals cannot be read.
pub(super) async fn of_task(client: &Client, id: &TaskId) -> anyhow::Result<Vec<Value>> {
    let journals = client.bus.read_journals(id).await.map_err(|error| match &error {
        JournalError::Bus(error) => unavailable(error),
        JournalError::Moved { .. } | JournalError::Damaged { .. } => {
            Failure::new(Code::Error, error.to_string())
        }
    })?;
    let mut calls = Vec::new();
    for (journal, pages) in journals {
        let mut history = History::default();
        for entry in &pages.entries {
            history.apply(entry)?;
        }
        calls.extend(history.calls().map(|(number, call)| document(&journal, number, call)));
    }
    Ok(calls)
}

fn print(calls: &[Value]) -> anyhow::Result<()> {
    let row = |call: &Value| {
        let outcome = match call.get("outcome").and_then(Value::as_str) {
            None => "no outcome".to_owned(),
            Some(outcome) => match call.get("ruled_by").and_then(Value::as_str) {
                None => outcome.to_owned(),
                Some(by) => clean(&format!("{outcome}, says {by}")),
            },
        };
        ["step", "role", "call", "target"]
            .map(|key| text(call, key))
            .into_iter()
            .chain([outcome, text(call, "attempt"), text(call, "worker")])
            .chain(["tokens", "usd_micros"].map(|key| text(call, key)))
            .chain([what(call)])
            .collect()
    };
    let rows: Vec<Vec<String>> = calls.iter().map(row).collect();
    let header = [
        "step",
        "role",
        "call",
        "target",
        "outcome",
        "attempt",
        "worker",
        "tokens",
        "usd_micros",
        "what",
    ];
    Ok(output::table(&header, &rows)?)
}

/// What the call does, with the model that answered.
fn what(call: &Value) -> String {
    let description = text(call, "description");
    match call.pointer("/result/model").and_then(Value::as_str) {
        Some(model) => clean(&format!("{description}: {model}")),
        None => description,
    }
}

fn text(call: &Value, key: &str) -> String {
    let value = call.get(key).unwrap_or(&Value::Null);
    clean(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn document(journal: &JournalId, number: u32, call: &Call) -> Value {
    let (intent, begun) = (&call.intent, &call.begun);
    // What a call without an outcome has cost nobody knows: at most what was set aside.
    let ended = call.ended.as_ref();
    let Grant { usd_micros, tokens } = ended.map_or(intent.reserved, |ended| ended.cost);
    let (outcome, detail) = match ended.map(|ended| &ended.outcome) {
        None => (None, Value::Null),
        Some(CallOutcome::Done(result)) => (Some("done"), result.value().clone()),
        Some(CallOutcome::Failed(failure)) => {
            let failure = json!({"kind": failure.kind.as_str(), "message": failure.message});
            (Some("failed"), failure)
        }
    };
    json!({
        "step": journal.step.to_string(),
        "role": journal.role.as_str(),
        "call": number,
        "key": journal.effect_key(number),
        "kind": intent.kind.as_str(),
        "target": intent.target,
        "description": intent.description,
        "arguments_sha256": intent.arguments.to_string(),
        "idempotent": intent.is_idempotent,
        "attempt": begun.attempt,
        "delivery": begun.delivery,
        "worker": begun.worker,
        "outcome": outcome,
        "result": detail,
        "ruled_by": ended.and_then(|ended| ended.ruled_by.clone()),
        "tokens": tokens,
        "usd_micros": usd_micros,
    })
}
