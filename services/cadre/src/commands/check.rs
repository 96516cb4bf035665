//! `cadre check`: does all that must hold of the streams hold?

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use cadre_core::{
    check::{CheckOptions, Checker, Counts, Note, Rule, Verdict, Violation},
    ids::{Name, TaskId},
};
use cadre_nats::{
    audit,
    bus::JetStreamBus,
    connect::{ConnectOptions, connect},
    server::{Server, StartOptions, StoreDir},
};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    broker,
    commands::client::{Client, unavailable},
    exit::{Code, Failure},
    output::{self, Format, Listing, Look, OutputArgs, Style, text},
    settings::Settings,
};

/// Check that nothing in the streams is lost, done twice or against a rule; exit code 13 when it is.
///
/// Reads every stream once, on a system that works or one that stands still, and takes nothing from
/// anybody. What is open is kept in memory; of each ended task some 150 bytes stay, of each record 48.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre check
  cadre check --quiescent                       and nothing may be open any more
  cadre check --store ~/.local/share/cadre/dev  the store of a `cadre dev` that does not run
  cadre check --acknowledged keys.txt           each line a task id, or a tenant and a key
  cadre check --rules
  cadre check -o json")]
pub(crate) struct CheckArgs {
    /// List the rules, and check nothing.
    #[arg(long, conflicts_with_all = ["quiescent", "acknowledged", "store"])]
    rules: bool,
    /// Nothing goes on any more: every task must have ended.
    #[arg(long)]
    quiescent: bool,
    /// Goals that the broker has confirmed: each line a task id, or a tenant and a key.
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
    /// Start a server on this store of `cadre dev` or `cadre demo`, only to read it.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: CheckArgs, settings: &Settings) -> anyhow::Result<()> {
    let format = args.output.format(settings);
    if args.rules {
        return rules(format);
    }
    let acknowledged = match &args.acknowledged {
        Some(path) => acknowledged(path)?,
        None => BTreeMap::new(),
    };
    let begun = Instant::now();
    let verdict = match &args.store {
        None => {
            let bus = Client::open(settings).await?.bus;
            verdict(&bus, args.quiescent, acknowledged).await?
        }
        Some(store) => {
            let (mut server, bus) = stopped(settings, store).await?;
            let verdict = verdict(&bus, args.quiescent, acknowledged).await;
            server.stop().await?;
            verdict?
        }
    };
    output::say(&format!("read in {}", text::span(begun.elapsed())));
    print(format, &verdict)?;
    match verdict.violations_total {
        0 => Ok(()),
        total => Err(Failure::new(Code::Violated, text::count(total, "violation")).into()),
    }
}

/// Reads every stream once; `acknowledged` are goals that the broker has confirmed.
pub(crate) async fn verdict(
    bus: &JetStreamBus,
    is_quiescent: bool,
    acknowledged: BTreeMap<TaskId, String>,
) -> anyhow::Result<Verdict> {
    let partitions = bus.streams().topology.partitions;
    let mut checker = Checker::new(CheckOptions { partitions, is_quiescent, acknowledged });
    let read = audit::read(bus, |fact| checker.take(fact)).await;
    read.map_err(|error| unavailable(&error))?;
    Ok(checker.finish())
}

/// A server on a store that nobody else uses; nothing in it is brought up to date.
async fn stopped(settings: &Settings, store: &Path) -> anyhow::Result<(Server, JetStreamBus)> {
    if !store.is_dir() {
        let text = format!("there is no store {}", store.display());
        return Err(Failure::new(Code::NotFound, text).into());
    }
    let mut options = StartOptions::new(broker::find_server(settings).await?.binary);
    options.store = StoreDir::Path(store.to_owned());
    let server = Server::start(options).await;
    let server = server.map_err(|error| broker::not_started(&error))?;
    let mut own = ConnectOptions::new(server.urls().join(","), "check");
    own.release = settings.release;
    let connection = connect(own).await?;
    let bus = JetStreamBus::open(&connection).await.map_err(|error| unavailable(&error))?;
    Ok((server, bus))
}

/// Reads a list of confirmed goals.
fn acknowledged(path: &Path) -> anyhow::Result<BTreeMap<TaskId, String>> {
    let usage = |text: String| Failure::new(Code::Usage, format!("{}: {text}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| usage(error.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let tasks = lines.map(|(index, line)| {
        let named = named(line.trim()).map_err(|why| usage(format!("line {}: {why}", index + 1)));
        named.map(|task| (task, line.trim().to_owned()))
    });
    Ok(tasks.collect::<Result<_, _>>()?)
}

fn named(line: &str) -> Result<TaskId, String> {
    let Some((tenant, key)) = line.split_once(char::is_whitespace) else {
        return TaskId::parse(line).map_err(|error| error.to_string());
    };
    let tenant: Name = tenant.parse().map_err(|error| format!("tenant: {error}"))?;
    Ok(TaskId::derive(&tenant, key.trim_start()))
}

#[derive(Debug, Serialize)]
struct RuleRow {
    rule: &'static str,
    sentence: &'static str,
}

fn rules(format: Format) -> anyhow::Result<()> {
    let rows = Rule::ALL.map(|rule| RuleRow { rule: rule.as_str(), sentence: rule.sentence() });
    let listing = Listing {
        header: &["rule", "what must hold"],
        row: |row: &RuleRow| vec![row.rule.to_owned(), row.sentence.to_owned()],
        id: |row| row.rule.to_owned(),
    };
    output::list(format, &rows, &listing)
}

fn print(format: Format, verdict: &Verdict) -> anyhow::Result<()> {
    match format {
        Format::Table => people(verdict),
        Format::Json => output::json(&document(verdict)),
        Format::Ndjson => {
            verdict.violations.iter().try_for_each(|it| output::ndjson(&violation(it)))?;
            output::ndjson(&summary(verdict))
        }
        Format::Id => {
            let mut tasks: Vec<_> =
                verdict.violations.iter().filter_map(|it| it.task.as_ref()).collect();
            tasks.sort_unstable();
            tasks.dedup();
            Ok(tasks.into_iter().try_for_each(|task| output::data(task.as_str()))?)
        }
    }
}

/// Prints what was looked at and what was found.
pub(crate) fn people(verdict: &Verdict) -> anyhow::Result<()> {
    let Counts { tasks, open, records, orders, orders_waiting, .. } = verdict.counts;
    let Counts { answers, letters, goals_waiting, inputs_waiting, .. } = verdict.counts;
    for line in [
        format!("tasks    {tasks} ({open} open)"),
        format!("records  {records}"),
        format!("orders   {orders} ({orders_waiting} waiting)"),
        format!("answers  {answers}"),
        format!("letters  {letters}"),
        format!("waiting  {goals_waiting} goals, {inputs_waiting} inputs"),
    ] {
        output::data(&line)?;
    }
    for Note { task, stream, sequence, text } in &verdict.notes {
        let task = task.as_ref().map(ToString::to_string).unwrap_or_default();
        output::say(&text::clean(&format!("note: {stream} {sequence} {task} {text}")));
    }
    if !verdict.violations.is_empty() {
        output::data("")?;
        output::table(&HEADER, &verdict.violations.iter().map(cells).collect::<Vec<_>>())?;
        output::data("")?;
    }
    let look = if verdict.violations_total == 0 { Look::Good } else { Look::Bad };
    let line = text::count(verdict.violations_total, "violation");
    Ok(output::data(&Style::detect().paint(look, &line))?)
}

const HEADER: [&str; 5] = ["rule", "task", "stream", "sequence", "what is wrong"];

fn cells(violation: &Violation) -> Vec<String> {
    let Violation { rule, task, stream, sequence, text } = violation;
    let task = task.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    vec![rule.to_string(), task, stream.clone(), sequence.to_string(), text::brief(text, 160)]
}

fn violation(violation: &Violation) -> Value {
    let Violation { rule, task, stream, sequence, text } = violation;
    let task = task.as_ref().map(TaskId::as_str);
    json!({"rule": rule.as_str(), "task": task, "stream": stream, "sequence": sequence, "text": text})
}

fn summary(verdict: &Verdict) -> Value {
    let Counts { tasks, open, records, orders, orders_waiting, .. } = verdict.counts;
    let Counts { answers, letters, goals_waiting, inputs_waiting, .. } = verdict.counts;
    json!({
        "violations_total": verdict.violations_total,
        "notes_total": verdict.notes_total,
        "counts": {
            "tasks": tasks,
            "open": open,
            "records": records,
            "orders": orders,
            "orders_waiting": orders_waiting,
            "answers": answers,
            "letters": letters,
            "goals_waiting": goals_waiting,
            "inputs_waiting": inputs_waiting,
        },
    })
}

fn document(verdict: &Verdict) -> Value {
    let note = |note: &Note| {
        let task = note.task.as_ref().map(TaskId::as_str);
        json!({"task": task, "stream": note.stream, "sequence": note.sequence, "text": note.text})
    };
    let mut document = summary(verdict);
    if let Some(fields) = document.as_object_mut() {
        let violations: Vec<_> = verdict.violations.iter().map(violation).collect();
        fields.insert("violations".to_owned(), violations.into());
        let notes: Vec<_> = verdict.notes.iter().map(note).collect();
        fields.insert("notes".to_owned(), notes.into());
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmed_goal_is_named_by_its_task_or_by_tenant_and_key() {
        let acme: Name = "acme".parse().unwrap();
        let task = TaskId::derive(&acme, "order 7");
        assert_eq!(named("acme order 7"), Ok(task.clone()));
        assert_eq!(named("acme\torder 7"), Ok(task.clone()));
        assert_eq!(named(task.as_str()), Ok(task));
        assert!(named("acme").is_err() && named("Acme order").is_err());
    }

    #[test]
    fn a_list_with_a_mistake_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, "acme a\n\nacme\n").unwrap();
        let error = acknowledged(&path).unwrap_err().to_string();
        assert!(error.contains("keys: line 3: "), "{error}");
        std::fs::write(&path, "acme a\nacme b\nacme a\n").unwrap();
        assert_eq!(acknowledged(&path).unwrap().len(), 2);
    }
}
