//! `cadre approval grant|deny|answer|happened|did-not-happen`: what a person decides about a question.

use cadre_core::{
    ids::StepId,
    journal::CallRuling,
    payload::Payload,
    task::{AskKind, Decision, Ruling},
    time::UnixMillis,
};
use clap::Args;
use serde_json::json;

use super::{
    content,
    question::{Question, choose},
};
use crate::{
    commands::{
        client::{Client, refused_or_unavailable, task_id},
        wish::{Outcome, outcome},
    },
    exit::{Code, Failure},
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Fewest digits of a hash that name a content: fewer are met by chance.
const HASH_DIGITS_MIN: usize = 8;

/// About what, and who says so.
#[derive(Debug, Args)]
pub(super) struct AboutArgs {
    /// The task's id.
    #[arg(value_name = "TASK")]
    task: String,
    /// The step that asks; may be left out when only one does.
    #[arg(value_name = "STEP", value_parser = step)]
    step: Option<StepId>,
    /// Refuse unless the hash of what is asked begins with this: at least 8 digits, as `cadre
    /// approval show` prints them.
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    hash: Option<String>,
    /// Why; it stands in the task's log.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    comment: String,
    /// Who decides; default: the login name.
    #[arg(long = "as", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Say yes: the step goes on with exactly what it shows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn pay --hash 7d0f4c1a --as ann
  cadre approval grant vs3tl6e2t2bmylf5r7pg2ndlxn pay --with @corrected.json")]
pub(super) struct GrantArgs {
    #[command(flatten)]
    about: AboutArgs,
    /// Go on with this instead of what is shown, where the pack allows it: JSON, `@file`, or `-`.
    #[arg(long, value_name = "JSON|@FILE|-")]
    with: Option<String>,
}

/// Say no: the step fails as denied.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval deny vs3tl6e2t2bmylf5r7pg2ndlxn pay --comment 'wrong account'")]
pub(super) struct DenyArgs {
    #[command(flatten)]
    about: AboutArgs,
}

/// Answer a question: the step completes with the document that is given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval answer vs3tl6e2t2bmylf5r7pg2ndlxn classify --with '{\"type\": \"nda\"}'
  jq .result fixed.json | cadre approval answer vs3tl6e2t2bmylf5r7pg2ndlxn classify --with -")]
pub(super) struct AnswerArgs {
    #[command(flatten)]
    about: AboutArgs,
    /// The step's output: JSON, `@file`, or `-` for standard input.
    #[arg(long, value_name = "JSON|@FILE|-")]
    with: String,
}

/// Say that the call in doubt has happened: the step goes on behind it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval show vs3tl6e2t2bmylf5r7pg2ndlxn pay        # which call it is
  cadre approval happened vs3tl6e2t2bmylf5r7pg2ndlxn pay --with '{\"receipt\": \"A-17\"}'")]
pub(super) struct HappenedArgs {
    #[command(flatten)]
    about: AboutArgs,
    /// What the call gave back: JSON, `@file`, or `-` for standard input.
    #[arg(long, value_name = "JSON|@FILE|-", default_value = "null")]
    with: String,
}

/// Say that what is in doubt has not happened: the step is run again and does it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre approval did-not-happen vs3tl6e2t2bmylf5r7pg2ndlxn pay --comment 'not on the statement'")]
pub(super) struct DidNotHappenArgs {
    #[command(flatten)]
    about: AboutArgs,
}

/// What a person wants to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Grant,
    Deny,
    Answer,
    Rule,
}

pub(super) async fn grant(args: &GrantArgs, settings: &Settings) -> anyhow::Result<()> {
    let ruling = match &args.with {
        None => Ruling::Grant,
        Some(text) => Ruling::GrantWith(content::read(text)?),
    };
    run(&args.about, (Verb::Grant, ruling), settings).await
}

pub(super) async fn deny(args: &DenyArgs, settings: &Settings) -> anyhow::Result<()> {
    run(&args.about, (Verb::Deny, Ruling::Deny), settings).await
}

pub(super) async fn answer(args: &AnswerArgs, settings: &Settings) -> anyhow::Result<()> {
    let document: Payload = content::read(&args.with)?;
    run(&args.about, (Verb::Answer, Ruling::GrantWith(document)), settings).await
}

pub(super) async fn happened(args: &HappenedArgs, settings: &Settings) -> anyhow::Result<()> {
    let ruling = CallRuling::Happened(content::read(&args.with)?);
    run(&args.about, (Verb::Rule, Ruling::Call(ruling)), settings).await
}

pub(super) async fn did_not_happen(
    args: &DidNotHappenArgs,
    settings: &Settings,
) -> anyhow::Result<()> {
    run(&args.about, (Verb::Rule, Ruling::Call(CallRuling::DidNot)), settings).await
}

async fn run(
    about: &AboutArgs,
    (verb, ruling): (Verb, Ruling),
    settings: &Settings,
) -> anyhow::Result<()> {
    let id = task_id(&about.task)?;
    let client = Client::open(settings).await?;
    let records = client.log(&id).await?;
    let task = Client::replayed(&id, &records)?;
    let question = choose(&task, &records, about.step.as_ref())?;
    let by = about.by.as_deref().or(settings.login.as_deref()).unwrap_or("cli");
    if let Some(prefix) = &about.hash {
        same(&question, prefix)?;
    }
    // The broker's time: this machine's clock may be wrong, and the task does not go by it.
    may(&question, (verb, &ruling), by, client.bus.streams().clock.now())?;
    let decision = Decision {
        step: question.id.clone(),
        by: by.to_owned(),
        hash: question.hash,
        ruling,
        comment: about.comment.clone(),
    };
    let sent = client.bus.decide(&id, &decision).await;
    let sequence = sent.map_err(|error| refused_or_unavailable(&error))?;
    let outcome = outcome(&client, &id, ("decision", sequence)).await?;
    if let Some(failure) = outcome.failure() {
        return Err(failure.into());
    }
    print(&question, by, &outcome, about.output.format(settings))
}

fn print(
    question: &Question<'_>,
    by: &str,
    outcome: &Outcome,
    format: Format,
) -> anyhow::Result<()> {
    let task = question.task.id();
    let (rev, decision, reason) = match outcome {
        Outcome::Done { rev, decision, reason } => (Some(rev), decision.as_str(), reason),
        Outcome::Unchanged(why) | Outcome::Refused(why) | Outcome::Unknown(why) => {
            (None, "unchanged", why)
        }
    };
    let document = json!({
        "task": task.as_str(), "step": question.id.to_string(), "decision": decision, "by": by,
        "hash": question.hash.to_string(), "rev": rev, "reason": reason,
    });
    match format {
        Format::Table => Ok(output::data(&format!("{task}  {decision}: {reason}"))?),
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(task.as_str())?),
    }
}

/// Whether what is asked is still what a person has seen.
pub(super) fn same(question: &Question<'_>, prefix: &str) -> Result<(), Failure> {
    if question.hash.to_string().starts_with(prefix) {
        return Ok(());
    }
    let (id, hash, task) = (question.id, question.hash.short(), question.task.id());
    let text = format!(
        "step {id} asks something else than {prefix}, it is {hash} by now: look at it again with \
         `cadre approval show {task} {id}`"
    );
    Err(Failure::new(Code::Refused, text))
}

/// What the task would refuse anyway, said before it is sent.
pub(super) fn may(
    question: &Question<'_>,
    (verb, ruling): (Verb, &Ruling),
    by: &str,
    now: UnixMillis,
) -> Result<(), Failure> {
    let Question { task, id, ask, votes, .. } = question;
    let refused = |text: String| Err(Failure::new(Code::Refused, text));
    let usage = |text: String| Err(Failure::new(Code::Usage, text));
    match (verb, ask.kind, ruling) {
        (Verb::Answer, AskKind::Approval, _) => {
            return usage(format!("step {id} asks for yes or no: grant it (--with …) or deny it"));
        }
        (Verb::Grant, AskKind::Question, Ruling::Grant) if ask.content.is_none() => {
            return usage(format!("step {id} wants an answer: use `cadre approval answer`"));
        }
        (Verb::Grant, AskKind::Doubt, _) => {
            return usage(format!(
                "step {id} asks whether something has happened: use `cadre approval happened`, \
                 `did-not-happen`, `answer` or `deny`"
            ));
        }
        (Verb::Rule, AskKind::Approval | AskKind::Question, _) => {
            return usage(format!("step {id} does not ask whether something has happened"));
        }
        (
            Verb::Grant | Verb::Deny | Verb::Answer | Verb::Rule,
            AskKind::Approval | AskKind::Question | AskKind::Doubt,
            _,
        ) => {}
    }
    if question.expires() <= now {
        return refused(format!("the question of step {id} expired at {}", question.expires()));
    }
    if ask.four_eyes && task.goal.user.as_deref() == Some(by) {
        return refused(format!(
            "{by} published the goal, so another person must decide (four eyes)"
        ));
    }
    let is_shown = ask.content.is_some() && ask.kind != AskKind::Doubt;
    let is_changed = matches!(ruling, Ruling::GrantWith(_)) && is_shown;
    if is_changed && (!ask.editable || ask.quorum > 1) {
        let why = if ask.quorum > 1 { "several people must agree" } else { "the pack says so" };
        return refused(format!("the content of step {id} cannot be changed: {why}"));
    }
    if verb != Verb::Deny && votes.iter().any(|voter| voter == by) {
        let (agreed, quorum) = (votes.len(), ask.quorum);
        return refused(format!(
            "{by} agreed to step {id} already ({agreed} of {quorum}): another person must"
        ));
    }
    Ok(())
}

fn step(text: &str) -> Result<StepId, String> {
    StepId::parse(text).map_err(|error| error.to_string())
}

/// The beginning of a hash, as it is printed.
pub(super) fn prefix(text: &str) -> Result<String, String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || text.len() < HASH_DIGITS_MIN || text.len() > 64 {
        return Err(format!("use {HASH_DIGITS_MIN} to 64 hexadecimal digits"));
    }
    Ok(text.to_ascii_lowercase())
}
