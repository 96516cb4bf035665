//! `cadre upgrade`: do the builds of the fleet and the tasks on the bus fit together?

mod check;
mod features;

use cadre_core::{audit::Action, fleet::Member, ids::Name};
use cadre_nats::fleet::{EnableError, Fleet};
use clap::{Args, Subcommand};
use serde::Serialize;

use self::{check::CheckArgs, features::FeaturesArgs};
use crate::{
    commands::{
        client::{Client, unavailable},
        deed::Deeds,
    },
    exit::{Code, Failure},
    output::{self, Listing, OutputArgs},
    settings::Settings,
};

/// See whether another build can take over, and turn on what every build of the fleet knows.
///
/// Roll a new build out first, member by member; it reads everything and writes what the old one
/// can read. Enable its features when no old member is left. From then on there is no way back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre upgrade check                       can this build finish every task?
  cadre upgrade check --to-schema 2         could a build that reads up to schema 2?
  cadre upgrade members
  cadre upgrade features
  cadre upgrade enable NAME")]
pub(crate) struct UpgradeArgs {
    #[command(subcommand)]
    command: UpgradeCommand,
}

#[derive(Debug, Subcommand)]
enum UpgradeCommand {
    /// List live tasks that this build, or one of another schema, cannot finish; exit code 15.
    Check(CheckArgs),
    /// List the processes that serve, and their builds.
    Members(MembersArgs),
    /// List features: whether they are on, and who knows them.
    Features(FeaturesArgs),
    /// Turn a feature on, for ever, if every process that serves knows it; exit code 15 if not.
    Enable(EnableArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre upgrade members
  cadre upgrade members -o json | jq -r '.[].version'")]
struct MembersArgs {
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre upgrade enable NAME          names are in `cadre upgrade features`")]
struct EnableArgs {
    /// The feature.
    #[arg(value_name = "FEATURE")]
    feature: Name,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: UpgradeArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let fleet = fleet(&client).await?;
    match args.command {
        UpgradeCommand::Check(args) => check::run(&args, settings, (&client, &fleet)).await,
        UpgradeCommand::Members(args) => {
            let rows = members(&fleet).await?.into_iter().map(MemberRow::from).collect::<Vec<_>>();
            output::list(args.output.format(settings), &rows, &listing())
        }
        UpgradeCommand::Features(args) => features::run(args.output, settings, &fleet).await,
        UpgradeCommand::Enable(args) => {
            let deeds = Deeds::open(&client.bus, settings).await?;
            let about = (Action::FeatureEnabled, format!("feature/{}", args.feature));
            deeds.audited(about, "", enable(&args, settings, &fleet)).await?
        }
    }
}

async fn enable(args: &EnableArgs, settings: &Settings, fleet: &Fleet) -> anyhow::Result<()> {
    let by = settings.login.as_deref().unwrap_or("cli");
    let enabled = fleet.enable(&args.feature, by).await;
    enabled.map_err(|error| {
        let code = match &error {
            EnableError::Nobody | EnableError::Unknown { .. } => Code::Incompatible,
            EnableError::Conflict(_) => Code::Refused,
            EnableError::Bus(_) => Code::BusUnavailable,
        };
        Failure::new(code, error.to_string())
    })?;
    features::run(args.output, settings, fleet).await
}

/// The fleet on the broker.
async fn fleet(client: &Client) -> anyhow::Result<Fleet> {
    let clock = client.bus.streams().clock.clone();
    let fleet = Fleet::open(&client.connection.js, clock).await;
    Ok(fleet.map_err(|error| unavailable(&error))?)
}

async fn members(fleet: &Fleet) -> anyhow::Result<Vec<Member>> {
    Ok(fleet.members().await.map_err(|error| unavailable(&error))?)
}

/// One process that serves.
#[derive(Debug, Serialize)]
struct MemberRow {
    member: String,
    version: String,
    services: Vec<String>,
    reads_schema: u32,
    features: Vec<String>,
}

impl From<Member> for MemberRow {
    fn from(member: Member) -> Self {
        let Member { id, version, services, reads, features, .. } = member;
        let features = features.into_iter().collect();
        Self { member: id.to_string(), version, services, reads_schema: reads, features }
    }
}

fn listing() -> Listing<'static, MemberRow> {
    Listing {
        header: &["member", "build", "services", "reads schema", "features"],
        row: |row| {
            let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
            vec![
                row.member.clone(),
                or_dash(&row.version),
                or_dash(&row.services.join(" ")),
                row.reads_schema.to_string(),
                or_dash(&row.features.join(" ")),
            ]
        },
        id: |row| row.member.clone(),
    }
}
