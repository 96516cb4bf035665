//! `cadre approval show`: exactly what a person decides about.

use cadre_core::{
    ids::StepId,
    task::{Ask, AskKind},
    time::UnixMillis,
    workflow::WhenExpired,
};
use clap::Args;
use serde_json::{Value, json};

use super::question::{Question, choose};
use crate::{
    commands::client::{Client, now, task_id},
    output::{
        self, Format, Look, OutputArgs, Style,
        text::{clean, count, span, usd},
    },
    settings::Settings,
};

/// Show exactly what a task asks, and the commands to decide it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval show vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre approval show vs3tl6e2t2bmylf5r7pg2ndlxn pay -o json | jq .content > content.json")]
pub(super) struct ShowArgs {
    /// The task's id.
    #[arg(value_name = "TASK")]
    task: String,
    /// The step that asks; may be left out when only one does.
    #[arg(value_name = "STEP", value_parser = step)]
    step: Option<StepId>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &ShowArgs, settings: &Settings) -> anyhow::Result<()> {
    let id = task_id(&args.task)?;
    let client = Client::open(settings).await?;
    let records = client.log(&id).await?;
    let task = Client::replayed(&id, &records)?;
    let question = choose(&task, &records, args.step.as_ref())?;
    match args.output.format(settings) {
        Format::Table => page(&question, now(&client.bus), Style::detect())
            .iter()
            .try_for_each(|line| output::data(line))
            .map_err(Into::into),
        Format::Json => output::json(&document(&question)),
        Format::Ndjson => output::ndjson(&document(&question)),
        Format::Id => Ok(output::data(&question.hash.to_string())?),
    }
}

/// The question on one page: what is asked, by whom, the content itself, and what to type.
pub(super) fn page(question: &Question<'_>, now: UnixMillis, style: Style) -> Vec<String> {
    let Question { task, id, step, ask, .. } = question;
    let goal = &task.goal;
    let line = |name: &str, text: String| format!("{name:<10}  {}", clean(&text));
    let user = goal.user.as_ref().map_or(String::new(), |user| format!(", user {user}"));
    let by = step.role.as_ref().map_or(String::new(), |role| format!("role {role}, "));
    let spent =
        format!("{}, {} so far", usd(task.usage.usd_micros), count(task.usage.tokens, "token"));
    let mut lines = vec![
        line("task", task.id().to_string()),
        line("step", format!("{id}, attempt {}", step.attempt)),
        line("kind", ask.kind.as_str().to_owned()),
        line("asked by", format!("{by}workflow {}, tenant {}{user}", goal.workflow, goal.tenant)),
        line("asked", format!("{} ago", span(now.since(step.changed_at)))),
        line("expires", expiry(question, now)),
        line("agreed", agreed(question)),
        line("spent", spent),
        line("hash", question.hash.to_string()),
    ];
    if ask.four_eyes {
        let text = match &goal.user {
            Some(user) => format!("{user} cannot decide"),
            None => "the goal does not say who published it, so anybody can decide".to_owned(),
        };
        lines.push(line("four eyes", text));
    }
    let heading = |text: &str| style.paint(Look::Strong, text);
    lines.extend([String::new(), heading("question")]);
    lines.extend(ask.question.lines().map(|line| format!("  {}", clean(line))));
    lines.extend([String::new(), heading("content")]);
    match &ask.content {
        None => lines.push("  none".to_owned()),
        // Escaped by JSON itself: nothing in it can steer a terminal, and nothing is left out.
        Some(content) => {
            let text = serde_json::to_string_pretty(content.value()).unwrap_or_default();
            lines.extend(text.lines().map(|line| format!("  {}", clean(line))));
        }
    }
    lines.extend([String::new(), heading("decide")]);
    lines.extend(commands(question).into_iter().map(|command| format!("  {command}")));
    lines
}

fn expiry(question: &Question<'_>, now: UnixMillis) -> String {
    let at = question.expires();
    let then = match (question.ask.expires, question.ask.when_expired) {
        (None, _) => "the task's deadline",
        (Some(_), WhenExpired::Fail) => "then the step fails as expired",
        (Some(_), WhenExpired::Accept) => "then the content counts, marked unsure",
    };
    format!("{at} (in {}), {then}", span(at.since(now)))
}

/// How many have agreed, of how many.
pub(super) fn agreed(question: &Question<'_>) -> String {
    let mut text = format!("{} of {}", question.votes.len(), question.ask.quorum.max(1));
    if !question.votes.is_empty() {
        text = format!("{text}: {}", question.votes.join(", "));
    }
    text
}

/// What can be copied to decide exactly this.
pub(super) fn commands(question: &Question<'_>) -> Vec<String> {
    let Question { task, id, ask, .. } = question;
    let (task, hash) = (task.id(), question.hash.short());
    let command =
        |verb: &str, more: &str| format!("cadre approval {verb} {task} {id} --hash {hash}{more}");
    let mut commands = Vec::new();
    let is_answerable = match ask.kind {
        AskKind::Approval => false,
        AskKind::Question => ask.content.is_none() || is_editable(ask),
        AskKind::Doubt => true,
    };
    if ask.kind == AskKind::Doubt {
        if ask.content.is_some() {
            commands.push(command("happened", " --with @result.json"));
        }
        commands.push(command("did-not-happen", ""));
    }
    if is_answerable {
        commands.push(command("answer", " --with @answer.json"));
    }
    if ask.kind != AskKind::Doubt && (ask.content.is_some() || !is_answerable) {
        commands.push(command("grant", ""));
    }
    if !is_answerable && is_editable(ask) {
        commands.push(command("grant", " --with @changed.json"));
    }
    commands.push(command("deny", " --comment 'why'"));
    commands
}

fn is_editable(ask: &Ask) -> bool {
    ask.editable && ask.quorum <= 1
}

/// The same for programs.
pub(super) fn document(question: &Question<'_>) -> Value {
    let Question { task, id, step, ask, votes, hash } = question;
    let goal = &task.goal;
    let when_expired = match ask.when_expired {
        WhenExpired::Fail => "fail",
        WhenExpired::Accept => "accept",
    };
    json!({
        "task": task.id().as_str(),
        "step": id.to_string(),
        "attempt": step.attempt,
        "kind": ask.kind.as_str(),
        "question": ask.question,
        "content": ask.content.as_ref().map(|content| content.value().clone()),
        "hash": hash.to_string(),
        "role": step.role.as_ref().map(|role| role.as_str()),
        "workflow": goal.workflow.as_str(),
        "tenant": goal.tenant.as_str(),
        "user": goal.user,
        "asked_at": step.changed_at.to_string(),
        "expires": question.expires().to_string(),
        "when_expired": when_expired,
        "quorum": ask.quorum,
        "votes": votes,
        "four_eyes": ask.four_eyes,
        "editable": is_editable(ask),
        "usd_micros": task.usage.usd_micros,
        "tokens": task.usage.tokens,
        "commands": commands(question),
    })
}

fn step(text: &str) -> Result<StepId, String> {
    StepId::parse(text).map_err(|error| error.to_string())
}
