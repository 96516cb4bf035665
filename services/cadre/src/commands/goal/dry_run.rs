//! `goal publish --dry-run`: what would be published, and whether it would be taken.

use cadre_core::{contract::Violations, ports::Packs as _};
use serde_json::json;

use super::{PublishArgs, shell, wanted::Wanted};
use crate::{
    commands::client::{Client, now, unavailable},
    exit::{Code, Failure},
    output::{self, Format, text::clean},
    settings::{Key, Settings},
};

/// What the pack says about the input.
enum Check {
    Valid { contract: String },
    Invalid { contract: String, violations: Violations },
    Unchecked { why: String },
}

pub(super) async fn run(
    args: &PublishArgs,
    wanted: &Wanted,
    settings: &Settings,
) -> anyhow::Result<()> {
    let check = match check(wanted, settings).await {
        Ok(check) => check,
        // Only a broker that is not there is no reason to stop.
        Err(error) if crate::exit::code_of(&error) == Code::BusUnavailable => {
            Check::Unchecked { why: format!("{error:#}") }
        }
        Err(error) => return Err(error),
    };
    let command = command(args, wanted, settings);
    let (contract, why) = match &check {
        Check::Valid { contract } => {
            output::say(&format!("the input satisfies contract {contract}; nothing was published"));
            (Some(contract.clone()), None)
        }
        Check::Invalid { contract, violations } => {
            return Err(invalid(contract, violations));
        }
        Check::Unchecked { why } => {
            output::say(&format!(
                "the input was not checked: {}; nothing was published",
                clean(why)
            ));
            (None, Some(why.clone()))
        }
    };
    let document = json!({
        "task": wanted.task.as_str(),
        "key": wanted.key,
        "subject": wanted.intake.to_string(),
        "headers": wanted.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "body": wanted.input.value(),
        "contract": contract,
        "unchecked": why,
        "command": command,
    });
    match args.output.format(settings) {
        Format::Table => Ok(output::data(&command)?),
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(wanted.task.as_str())?),
    }
}

async fn check(wanted: &Wanted, settings: &Settings) -> anyhow::Result<Check> {
    let client = Client::open(settings).await?;
    let packs = client.packs().await?;
    let name = wanted.intake.workflow();
    let workflow = packs.current(name).await.map_err(|error| unavailable(&error))?;
    let Some(workflow) = workflow else {
        let text = format!("no pack is named {name}: see `cadre pack ls`");
        return Err(Failure::new(Code::Rejected, text).into());
    };
    let contract = workflow.input.id();
    if let Err(violations) = workflow.input.check(wanted.input.value()) {
        return Ok(Check::Invalid { contract, violations });
    }
    in_time(wanted, &client).await?;
    Ok(Check::Valid { contract })
}

/// A deadline that has passed is refused, unless the goal has its task already.
async fn in_time(wanted: &Wanted, client: &Client) -> anyhow::Result<()> {
    let now = now(&client.bus);
    let deadline = wanted.until.map(|until| until.deadline(now));
    let Some(deadline) = deadline.filter(|deadline| *deadline <= now) else { return Ok(()) };
    let known = client.bus.read_log(&wanted.task).await;
    if known.is_ok_and(|log| !log.records.is_empty()) {
        return Ok(());
    }
    let text = format!("deadline {deadline} has passed (it is {now} now)");
    Err(Failure::new(Code::Rejected, text).into())
}

fn invalid(contract: &str, violations: &Violations) -> anyhow::Error {
    let lines = violations.0.iter().map(|violation| {
        let path = if violation.path.is_empty() { "/" } else { &violation.path };
        format!("\n  {}: {}", clean(path), clean(&violation.message))
    });
    let text = format!("the input breaks contract {contract}:{}", lines.collect::<String>());
    Failure::new(Code::Rejected, text).into()
}

fn command(args: &PublishArgs, wanted: &Wanted, settings: &Settings) -> String {
    let server = settings.nats.as_deref().map(|nats| Key::Nats.shown(nats));
    let credentials = settings.credentials.as_ref().map(|path| path.display().to_string());
    let place = (server.as_deref(), credentials.as_deref());
    let body_file = args.input.first().and_then(|part| part.strip_prefix('@'));
    let (subject, body) = (wanted.intake.to_string(), wanted.input.text());
    let body_file = body_file.unwrap_or("input.json");
    shell::nats_pub(place, &subject, &wanted.headers, body, body_file)
}
