//! `cadre task replay`: where a task stood at an earlier record, and what it owed then. Changes nothing.

use cadre_core::task::Task;
use clap::Args;
use serde_json::{Value, json};

use super::show;
use crate::{
    commands::client::{Client, task_id},
    exit::{Code, Failure},
    output::{self, Format, OutputArgs, text::clean},
    settings::Settings,
};

/// Show a task as it stood after one of its records; nothing is changed or sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre task replay vs3tl6e2t2bmylf5r7pg2ndlxn --to 3
  cadre task replay vs3tl6e2t2bmylf5r7pg2ndlxn --to 3 -o json | jq .owed")]
pub(super) struct ReplayArgs {
    /// The task's id.
    id: String,
    /// The last record that counts, as `cadre task events` numbers them; default: the newest.
    #[arg(long, value_name = "REV", value_parser = clap::value_parser!(u64).range(1..))]
    to: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &ReplayArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let client = Client::open(settings).await?;
    let mut records = client.log(&id).await?;
    let newest = records.last().map_or(0, |record| record.rev);
    let to = args.to.unwrap_or(newest);
    if to > newest {
        let text = format!("task {id} has no record {to}: its newest is {newest}");
        return Err(Failure::new(Code::NotFound, text).into());
    }
    records.retain(|record| record.rev <= to);
    let task = Client::replayed(&id, &records)?;
    let owed = owed(&task);
    let document = || {
        let mut document = show::document(&task, &records);
        if let Some(fields) = document.as_object_mut() {
            fields.insert("newest_rev".to_owned(), newest.into());
            fields.insert("owed".to_owned(), owed.clone());
        }
        document
    };
    match args.output.format(settings) {
        Format::Table => {
            let workflow = client.workflow_of(&task).await;
            output::data(&format!("record {to} of {newest}, at {}", task.changed_at))?;
            // As it was seen then: nothing of it is "ago" by today's clock.
            show::print(&task, &records, (workflow.as_deref(), task.changed_at))?;
            output::data("")?;
            lines(&owed).iter().try_for_each(|line| output::data(line)).map_err(Into::into)
        }
        Format::Json => output::json(&document()),
        Format::Ndjson => output::ndjson(&document()),
        Format::Id => Ok(output::data(id.as_str())?),
    }
}

/// What the world was owed in this state: orders that were out, a timer, an answer.
fn owed(task: &Task) -> Value {
    let order = |order: cadre_core::task::Order| {
        json!({
            "step": order.step.to_string(), "attempt": order.attempt,
            "role": order.role.as_str(), "deadline": order.deadline.to_string(),
            "rev": order.rev,
        })
    };
    json!({
        "orders": task.orders_since(0).map(order).collect::<Vec<_>>(),
        "timer": task.wake_at().map(|at| at.to_string()),
        "stop": task.stops_since(0).next().is_some(),
        "answer": task.ended().is_some(),
    })
}

fn lines(owed: &Value) -> Vec<String> {
    let text = |value: &Value, key: &str| {
        let value = value.get(key).unwrap_or(&Value::Null);
        clean(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let is = |key: &str| owed.get(key).and_then(Value::as_bool).unwrap_or_default();
    let orders = owed.get("orders").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let order = |order: &Value| {
        let (step, role) = (text(order, "step"), text(order, "role"));
        format!(
            "  step {step} by role {role}, attempt {}, until {}",
            text(order, "attempt"),
            text(order, "deadline")
        )
    };
    let mut lines = vec!["owed".to_owned()];
    lines.extend(orders.iter().map(order));
    if owed.get("timer").is_some_and(Value::is_string) {
        lines.push(format!("  a timer at {}", text(owed, "timer")));
    }
    if is("stop") {
        lines.push("  a word to its workers that nobody waits any more".to_owned());
    }
    if is("answer") {
        lines.push("  the answer".to_owned());
    }
    lines
}
