//! `cadre alert`: what the watch of the fleet found.

mod ls;
mod watch;

use cadre_core::{
    ids::TaskId,
    time::UnixMillis,
    watch::{Alert, Key, Kind},
};
use cadre_nats::watch::JetStreamWatch;
use clap::{Args, Subcommand};
use serde::Serialize;

use self::{ls::LsArgs, watch::WatchArgs};
use crate::{
    commands::client::{Client, unavailable},
    output::text::{clean, span},
    settings::Settings,
};

/// Show what needs a person: stuck tasks, failing roles, work that nobody takes.
///
/// One orchestrator of the fleet watches: tasks that do not go on beyond their own timeouts, roles that
/// fail or that nobody serves, budgets, open breakers, dead letters, queues that grow, full streams.
/// Each alert says what to do next, and ends by itself when its cause is gone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre alert ls                       what is wrong now
  cadre alert ls --all -o json         also what has ended
  cadre alert watch -o ndjson          each alert as it is raised or ends")]
pub(crate) struct AlertArgs {
    #[command(subcommand)]
    command: AlertCommand,
}

#[derive(Debug, Subcommand)]
enum AlertCommand {
    /// List open alerts, the ones that need somebody now first.
    Ls(LsArgs),
    /// Print alerts as they are raised, change and end.
    Watch(WatchArgs),
}

pub(crate) async fn run(args: AlertArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        AlertCommand::Ls(args) => ls::run(&args, settings).await,
        AlertCommand::Watch(args) => watch::run(&args, settings).await,
    }
}

/// The alerts of the broker.
async fn alerts(client: &Client) -> anyhow::Result<JetStreamWatch> {
    Ok(JetStreamWatch::open(&client.bus).await.map_err(|error| unavailable(&error))?)
}

/// What an open alert says about a task that is stuck; nothing where that cannot be known.
pub(crate) async fn stuck(client: &Client, task: &TaskId) -> Option<String> {
    let watch = JetStreamWatch::open(&client.bus).await.ok()?;
    let key = Key { kind: Kind::Stuck, subject: task.to_string() };
    let alert = watch.alert(&key).await.ok()??;
    alert.ended_at.is_none().then(|| format!("ALERT: {} {}", alert.text, alert.next))
}

/// One alert as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    kind: &'static str,
    subject: String,
    state: &'static str,
    severity: &'static str,
    cause: String,
    since: String,
    at: String,
    ended: Option<String>,
    text: String,
    next: String,
    evidence: cadre_core::watch::Evidence,
    #[serde(skip)]
    age: String,
}

impl Row {
    fn of(alert: Alert, now: UnixMillis) -> Self {
        Self {
            kind: alert.key.kind.as_str(),
            state: alert.state(),
            severity: alert.severity.as_str(),
            since: alert.since.to_string(),
            at: alert.at.to_string(),
            ended: alert.ended_at.map(|at| at.to_string()),
            age: match alert.ended_at {
                None => format!("{} ago", span(now.since(alert.since))),
                Some(at) => format!("ended {} ago", span(now.since(at))),
            },
            subject: clean(&alert.key.subject),
            cause: alert.cause,
            text: alert.text,
            next: alert.next,
            evidence: alert.evidence,
        }
    }

    fn id(&self) -> String {
        format!("{}.{}", self.kind, self.subject)
    }
}
