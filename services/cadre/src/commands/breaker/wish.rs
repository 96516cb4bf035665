//! `cadre breaker open|close|reset`: what a person wants a breaker to be.

use std::time::Duration;

use cadre_core::{
    audit::Action,
    breaker::{
        Forced, ForcedTo, Hint, Target,
        port::{BreakerBoard as _, PostError},
    },
    limits::{BREAKER_FORCED_MAX, BREAKER_TEXT_BYTES_MAX},
    ports::Packs as _,
    time::UnixMillis,
};
use clap::Args;

use super::{board, ls, target};
use crate::{
    commands::{
        client::{Client, unavailable},
        deed::Deeds,
    },
    exit::{Code, Failure},
    output::{self, OutputArgs},
    settings::Settings,
};

/// Names of roles that an error lists.
const ROLES_SHOWN: usize = 10;

/// Which breaker, for every wish.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// role.NAME, tool.NAME or model.NAME.
    #[arg(value_name = "TARGET", value_parser = target)]
    target: Target,
    /// Even if no pack declares the role.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre breaker open role.extractor --for 30m --reason 'bad rollout'
  cadre breaker close model.large --for 10m")]
pub(super) struct HoldArgs {
    #[command(flatten)]
    pub(super) wanted: Wanted,
    /// For how long; at most 7 days.
    #[arg(long = "for", default_value = "5m", value_name = "DURATION", value_parser = duration)]
    time: Duration,
    /// Why; everybody who meets the breaker reads it.
    #[arg(long, value_name = "TEXT", default_value = "no reason given", value_parser = reason)]
    reason: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre breaker reset role.extractor")]
pub(super) struct ResetArgs {
    #[command(flatten)]
    pub(super) wanted: Wanted,
}

/// What is wanted of a breaker.
pub(super) enum Wish<'a> {
    Hold(ForcedTo, &'a HoldArgs),
    Reset,
}

impl<'a> Wish<'a> {
    pub(super) fn open(args: &'a HoldArgs) -> Self {
        Self::Hold(ForcedTo::Open, args)
    }

    pub(super) fn close(args: &'a HoldArgs) -> Self {
        Self::Hold(ForcedTo::Closed, args)
    }

    /// What it is in the audit trail, and why.
    fn deed(&self) -> (Action, String) {
        match self {
            Self::Reset => (Action::BreakerReset, String::new()),
            Self::Hold(to, args) => {
                let action = match to {
                    ForcedTo::Open => Action::BreakerOpened,
                    ForcedTo::Closed => Action::BreakerClosed,
                };
                (action, format!("for {}: {}", humantime::format_duration(args.time), args.reason))
            }
        }
    }

    fn edit(&self, hint: Hint, by: &str, now: UnixMillis) -> Hint {
        match self {
            Self::Reset => hint.reset(now),
            Self::Hold(to, args) => hint.force(Forced {
                to: *to,
                since: now,
                until: now.after(args.time),
                by: by.to_owned(),
                reason: args.reason.clone(),
            }),
        }
    }
}

pub(super) async fn run(
    wanted: &Wanted,
    wish: Wish<'_>,
    settings: &Settings,
) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    check(wanted, &client).await?;
    let board = board(&client).await?;
    let (action, reason) = wish.deed();
    let deeds = Deeds::open(&client.bus, settings).await?;
    let by = settings.login.as_deref().unwrap_or("cli");
    let changed = board.change(&wanted.target, |hint| wish.edit(hint, by, board.now()));
    let about = (action, format!("breaker/{}", wanted.target));
    let hint = deeds.audited(about, &reason, changed).await?.map_err(|error| match &error {
        PostError::Bus(error) => unavailable(error),
        PostError::Conflict(_) => {
            Failure::new(Code::TimedOut, format!("{error}, again and again: try again later"))
        }
    })?;
    let content = board.content().await.map_err(|error| unavailable(&error))?;
    let now = board.now();
    let row = ls::row(&hint, content.live_pods(now), now);
    output::list(wanted.output.format(settings), &[row], &ls::listing())
}

/// Packs declare roles; tools and models are known to nobody but those who call them.
async fn check(wanted: &Wanted, client: &Client) -> anyhow::Result<()> {
    let role = match &wanted.target {
        Target::Role(role) => role,
        Target::Tool(_) | Target::Model(_) => return Ok(()),
    };
    let packs = client.packs().await?;
    let mut known = Vec::new();
    for (_, revision) in packs.list().await.map_err(|error| unavailable(&error))? {
        match packs.revision(&revision).await {
            Ok(workflow) => {
                known.extend(workflow.iter().flat_map(|one| one.roles.keys().cloned()));
            }
            // One damaged pack must not keep a role from being stopped.
            Err(error) => output::say(&format!("warning: a pack could not be read: {error}")),
        }
    }
    if known.contains(role) {
        return Ok(());
    }
    if wanted.force {
        output::say(&format!("warning: no pack on this broker declares role {role}"));
        return Ok(());
    }
    known.sort_unstable();
    let names: Vec<_> = known.iter().take(ROLES_SHOWN).map(ToString::to_string).collect();
    let roles = match names.is_empty() {
        true => "there are none".to_owned(),
        false => format!("roles are {}", names.join(", ")),
    };
    let text = format!(
        "no pack on this broker declares role {role} ({roles}): correct the name, or use --force"
    );
    Err(Failure::new(Code::NotFound, text).into())
}

fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() || time > BREAKER_FORCED_MAX {
        return Err("use more than 0 and at most 7d".to_owned());
    }
    Ok(time)
}

fn reason(text: &str) -> Result<String, String> {
    if text.len() > BREAKER_TEXT_BYTES_MAX {
        return Err(format!("use at most {BREAKER_TEXT_BYTES_MAX} bytes"));
    }
    Ok(text.to_owned())
}
