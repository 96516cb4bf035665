//! `cadre eval add`: makes a case of a finished task.

use std::path::PathBuf;

use cadre_core::{
    eval::{Case, Check, Expect, Latency, Origin, Tools, Trace, recorded, redacted, suspects},
    model::cassette::Recorded,
    task::Task,
};
use clap::Args;
use serde_json::{Value, json};

use super::folder;
use crate::{
    commands::{
        client::{Client, task_id, unavailable},
        pack::stage::histories,
    },
    exit::{Code, Failure},
    output::{self, Format, OutputArgs, text::clean},
    settings::Settings,
};

/// Make a case of a finished task: its input, its result as what is expected, and what models answered.
///
/// The case is a file named after the task, so the same task twice is one case. What is expected is what came
/// of the task: status, the whole result, tools in order, steps. Loosen what need not be the same. The answers
/// of its models are kept beside it, so that it can be played without them. A suite that does not exist
/// begins with a copy of the task's pack. Whatever looks like a key or a password is refused unless
/// --redact takes it out; other confidential data nobody can tell: look before you share.
///
/// Exit codes: 0 added, or was there before, 2 something looks like a secret, or the suite is for another
/// pack, 3 no such task, or it has not ended.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre eval add vs3tl6e2t2bmylf5r7pg2ndlxn --suite desk/evals
  cadre eval add vs3tl6e2t2bmylf5r7pg2ndlxn --suite desk/evals --redact
  cadre task ls --workflow support --status completed -o id | head -5 | xargs -n1 -I{} cadre eval add {} --suite desk/evals")]
pub(super) struct AddArgs {
    /// The task's id.
    id: String,
    /// The suite's folder.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
    /// Put `[redacted]` where something looks like a secret; the models' answers are then not kept.
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &AddArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.id)?;
    let file = args.suite.join(format!("{id}.yaml"));
    if file.exists() {
        output::say("the task is a case already: it stays as it is");
        return print(args, settings, &file);
    }
    let client = Client::open(settings).await?;
    let records = client.log(&id).await?;
    let task = Client::replayed(&id, &records)?;
    if task.ended().is_none() {
        let text = format!("task {id} is {}: only an ended one can be a case", task.status());
        return Err(Failure::new(Code::NotFound, text).into());
    }
    let Some(workflow) = client.workflow_of(&task).await else {
        let text = format!("pack revision {} of task {id} is unknown", task.goal.revision);
        return Err(Failure::new(Code::NotFound, text).into());
    };
    let journals = histories(&client.bus, &id).await?;
    let trace = Trace::of(&workflow, &records, &journals, Latency::OfTask)
        .ok_or_else(|| anyhow::anyhow!("task {id} has no records"))?;
    let (mut case, mut answers) = (case(&task, &trace), recorded(&journals));
    let found = confidential(&case, &answers);
    if !found.is_empty() && !args.redact {
        let places = found.join(", ");
        let text = format!("what looks like a secret is at {places}: add --redact to take it out");
        return Err(Failure::new(Code::Usage, clean(&text)).into());
    }
    if !found.is_empty() {
        // With another input it is another question, which nobody has answered.
        answers.clear();
        case.goal = case.goal.as_ref().map(redacted);
        for check in &mut case.expect.result {
            check.equals = check.equals.as_ref().map(redacted);
        }
        output::say("secrets were taken out, so it can be played with a model only: --model");
    }
    suite(args, &client, &task).await?;
    write(&file, &case, &answers)?;
    if trace.status != "completed" {
        let status = &trace.status;
        output::say(&format!("the task has ended as {status}: write what is expected instead"));
    }
    print(args, settings, &file)
}

/// What is expected of the task's goal from now on: what came of it.
fn case(task: &Task, trace: &Trace) -> Case {
    let equals = Some(trace.result.clone());
    let result = trace.is_answered.then(|| Check { equals, ..Check::default() });
    let tools = trace.tools().map(str::to_owned).collect();
    let expect = Expect {
        status: trace.status.clone(),
        result: result.into_iter().collect(),
        tools: (!trace.calls.is_empty()).then_some(Tools::InOrder(tools)),
        max_steps: Some(trace.orders),
        ..Expect::default()
    };
    let goal = Some(task.goal.input.value().clone());
    let from = Origin { task: task.id().to_string(), revision: task.goal.revision.to_string() };
    Case { goal, sample: None, tries: None, expect, from: Some(from) }
}

/// Where something looks like a secret.
fn confidential(case: &Case, answers: &[Recorded]) -> Vec<String> {
    let result = case.expect.result.iter().filter_map(|check| check.equals.as_ref());
    let mut found = suspects(&json!({"goal": case.goal, "result": result.collect::<Vec<_>>()}));
    for recorded in answers {
        let said = &recorded.said;
        let calls: Vec<&Value> = said.calls.iter().map(|call| &call.arguments).collect();
        // Of an answer, which is JSON in a text, the names of its fields count as well.
        let text = serde_json::from_str(&said.text).unwrap_or_else(|_| json!(said.text));
        let places = suspects(&json!({"text": text, "calls": calls}));
        let role = &recorded.role;
        found.extend(places.into_iter().map(|at| format!("what {role} was answered{at}")));
    }
    found
}

/// Sees that the suite is one for the task's pack; begins it where there is none.
async fn suite(args: &AddArgs, client: &Client, task: &Task) -> anyhow::Result<()> {
    let wanted = task.goal.workflow.as_str();
    if let Some(suite) = folder::suite(&args.suite)? {
        let found = folder::workflow(&args.suite, &suite)?;
        if found != wanted {
            let text = format!("suite {} is for {found}, not for {wanted}", args.suite.display());
            return Err(Failure::new(Code::Usage, text).into());
        }
        return Ok(());
    }
    let packs = client.packs().await?;
    let source = packs.get(&task.goal.revision).await.map_err(|error| unavailable(&error))?;
    let source =
        source.ok_or_else(|| anyhow::anyhow!("the pack of task {} has gone", task.id()))?;
    folder::begin(&args.suite, &source)?;
    output::say("the suite is new: it begins with a copy of the task's pack");
    Ok(())
}

fn write(file: &std::path::Path, case: &Case, answers: &[Recorded]) -> anyhow::Result<()> {
    if !answers.is_empty() {
        let lines: String = answers.iter().map(|it| it.to_line() + "\n").collect();
        folder::write(&file.with_extension("jsonl"), &lines)?;
    }
    // Last, for it says that the case is there.
    let text = serde_saphyr::to_string(case)?;
    folder::write(file, &format!("# Made of a task by `cadre eval add`.\n{text}"))
}

fn print(args: &AddArgs, settings: &Settings, file: &std::path::Path) -> anyhow::Result<()> {
    let document = json!({"task": args.id, "case": file.display().to_string()});
    match args.output.format(settings) {
        Format::Table => Ok(output::data(&file.display().to_string())?),
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(&args.id)?),
    }
}
