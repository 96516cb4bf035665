//! `cadre breaker`: which circuit breakers are open, and what a person wants of them.

mod ls;
mod wish;

use cadre_core::{breaker::Target, ports::BusError};
use cadre_nats::breakers::KvBreakers;
use clap::{Args, Subcommand};

use self::{
    ls::LsArgs,
    wish::{HoldArgs, ResetArgs, Wish},
};
use crate::{
    commands::client::{Client, unavailable},
    settings::Settings,
};

/// Show circuit breakers, and hold one open or closed.
///
/// Breakers open by themselves when a role, tool or model fails too often, and close when a probe
/// passes. What is said here goes before that, in every process, for as long as it says.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre breaker ls                                         those that are not closed
  cadre breaker open role.extractor --for 30m --reason 'bad rollout'
  cadre breaker close role.extractor --for 10m             let every call through meanwhile
  cadre breaker reset role.extractor                       forget it all; the calls decide again")]
pub(crate) struct BreakerArgs {
    #[command(subcommand)]
    command: BreakerCommand,
}

#[derive(Debug, Subcommand)]
enum BreakerCommand {
    /// List breakers that the fleet knows something about.
    Ls(LsArgs),
    /// Hold a breaker open: no calls go out.
    Open(HoldArgs),
    /// Hold a breaker closed: every call goes out, whatever comes of it.
    Close(HoldArgs),
    /// Close a breaker and end every wish: from then on the calls decide.
    Reset(ResetArgs),
}

pub(crate) async fn run(args: BreakerArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        BreakerCommand::Ls(args) => ls::run(&args, settings).await,
        BreakerCommand::Open(args) => wish::run(&args.wanted, Wish::open(&args), settings).await,
        BreakerCommand::Close(args) => wish::run(&args.wanted, Wish::close(&args), settings).await,
        BreakerCommand::Reset(args) => wish::run(&args.wanted, Wish::Reset, settings).await,
    }
}

/// The board of the broker.
async fn board(client: &Client) -> anyhow::Result<KvBreakers> {
    let clock = client.bus.streams().clock.clone();
    let board = KvBreakers::open(&client.connection.js, clock).await;
    Ok(board.map_err(|error: BusError| unavailable(&error))?)
}

fn target(text: &str) -> Result<Target, String> {
    text.parse().map_err(|error: cadre_core::breaker::TargetError| error.to_string())
}
