//! `cadre show`: what pages of the dashboard show that no other command does, from the same read model.
//!
//! The read model is folded here, from the log, and forgotten: it needs no process that serves HTTP.

mod agents;
mod overview;
mod spend;
mod tasks;

use std::time::Duration;

use cadre_core::ids::Name;
use cadre_edge::model::{ModelOptions, ModelService, ReadModel};
use cadre_nats::{desk::JetStreamDesk, history::JetStreamHistory};
use clap::{Args, Subcommand};

use crate::{
    commands::client::{Client, unavailable},
    exit::{Code, Failure},
    output,
    settings::Settings,
};

/// Longest time that the log may take: hours of it are read in seconds.
const FOLD_WITHIN: Duration = Duration::from_secs(1_800);

/// Show what the dashboard shows: what needs a person, tasks by words, roles, spend.
///
/// The log is read from its beginning, at some 30,000 events a second: on a fleet with a long one ask the HTTP API.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre show overview --all-tenants
  cadre show tasks --q 'master agreement' --failed
  cadre show agents
  cadre show spend --by model --range 7d -o json")]
pub(crate) struct ShowArgs {
    #[command(subcommand)]
    command: ShowCommand,
}

#[derive(Debug, Subcommand)]
enum ShowCommand {
    Overview(overview::OverviewArgs),
    Tasks(tasks::TasksArgs),
    Agents(agents::AgentsArgs),
    Spend(spend::SpendArgs),
}

/// Whose.
#[derive(Debug, Args)]
struct ScopeArgs {
    /// Of every tenant, not only of --tenant.
    #[arg(long)]
    all_tenants: bool,
}

/// The read model as it is now, and what it is asked with.
struct Folded {
    service: ModelService,
    desk: JetStreamDesk,
    tenant: Option<Name>,
}

impl Folded {
    /// Reads the log to its end.
    async fn open(scope: &ScopeArgs, settings: &Settings) -> anyhow::Result<Self> {
        let (client, wait) = (Client::open(settings).await?, output::spinner("reading the log"));
        let packs = client.packs().await?;
        let desk = JetStreamDesk::open(&client.bus, &packs).await;
        let ports = (JetStreamHistory::new(&client.bus), packs);
        let service = ModelService::start(ports, ModelOptions { path: None }, None).await?;
        let mut lag = service.model().lag_changes();
        let caught_up = tokio::time::timeout(FOLD_WITHIN, lag.wait_for(|lag| lag.is_caught_up));
        let is_there = caught_up.await.is_ok_and(|caught_up| caught_up.is_ok());
        drop(wait);
        if !is_there {
            let text = format!("read the log to its end: not within {FOLD_WITHIN:?}");
            return Err(Failure::new(Code::TimedOut, text).into());
        }
        let tenant = (!scope.all_tenants).then(|| settings.tenant.clone());
        Ok(Self { service, desk, tenant })
    }

    fn model(&self) -> &ReadModel {
        self.service.model()
    }

    fn scope(&self) -> Option<&Name> {
        self.tenant.as_ref()
    }

    async fn close(self) {
        self.service.stop().await;
    }
}

pub(crate) async fn run(args: ShowArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        ShowCommand::Overview(args) => overview::run(&args, settings).await,
        ShowCommand::Tasks(args) => tasks::run(&args, settings).await,
        ShowCommand::Agents(args) => agents::run(&args, settings).await,
        ShowCommand::Spend(args) => spend::run(&args, settings).await,
    }
}

/// A column of the read model cannot be had.
fn failed(error: &dyn std::fmt::Display) -> Failure {
    unavailable(error)
}
