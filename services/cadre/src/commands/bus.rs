//! `cadre bus`: what exists on the broker, and what happens there.

mod heard;
mod members;
mod status;
mod tail;

use cadre_core::ids::Partitions;
use cadre_nats::topology::{
    Action, ApiError, ApplyError, Change, DiffError, Profile, Topology, apply, diff,
};
use clap::{Args, Subcommand};

use crate::{
    broker,
    exit::{Code, Failure},
    output::{self, Format, Listing, OutputArgs},
    settings::Settings,
};

/// Partitions of a new deployment: enough for several orchestrators, few enough for three replicas.
const PARTITIONS_DEFAULT: u16 = 8;

/// Look after streams and consumers, and watch what happens on them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre bus apply                                   make what is missing; harmless to repeat
  cadre bus apply --profile prod --replicas 3 --partitions 8
  cadre bus diff                                    exit code 8 when the broker differs
  cadre bus status -o json
  cadre bus members                                 processes, what runs in them, restarts
  cadre bus tail                                    everything from now on
  cadre bus tail 'cadre.*.log.>' --since 10m        a subject
  cadre bus tail vs3tl6e2t2bmylf5r7pg2ndlxn --all   one task
  cadre bus tail --all --no-follow -o ndjson")]
pub(crate) struct BusArgs {
    #[command(subcommand)]
    command: BusCommand,
}

#[derive(Debug, Subcommand)]
enum BusCommand {
    /// Make streams, consumers and buckets as declared.
    Apply(ApplyArgs),
    /// Compare the broker with what is declared; exit code 8 when it differs.
    Diff(DiffArgs),
    /// Show how full streams are and how far behind consumers are.
    Status(OutputArgs),
    /// Show which processes serve, which actors run in them under whom, and how often each was restarted.
    Members(OutputArgs),
    /// Print messages as they arrive, for people or as JSON.
    Tail(tail::TailArgs),
}

/// What the streams shall be made for; what is not given stays as the broker has it.
#[derive(Debug, Args)]
struct TopologyArgs {
    /// Units of ownership, 1 to 1024; fixed for the life of the streams. Default for a new bus: 8.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    partitions: Option<u16>,
    /// Streams of each kind; fixed for the life of the streams. Default for a new bus: 1.
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
    /// Copies of each stream: 1, 3 or 5. Default for a new bus: 1.
    #[arg(long, value_name = "N")]
    replicas: Option<u8>,
    /// How large streams may grow: dev or prod. Default for a new bus: dev.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Profile>,
}

#[derive(Debug, Args)]
struct ApplyArgs {
    #[command(flatten)]
    topology: TopologyArgs,
    /// Do it even where messages or a consumer's progress are lost.
    #[arg(long)]
    allow_destructive: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Args)]
struct DiffArgs {
    #[command(flatten)]
    topology: TopologyArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl TopologyArgs {
    fn over(&self, found: Option<Topology>) -> Topology {
        let base = found.unwrap_or_else(|| Topology::dev(Partitions::new(PARTITIONS_DEFAULT)));
        Topology {
            partitions: self.partitions.map_or(base.partitions, Partitions::new),
            shards: self.shards.unwrap_or(base.shards),
            replicas: self.replicas.unwrap_or(base.replicas),
            profile: self.profile.unwrap_or(base.profile),
        }
    }
}

pub(crate) async fn run(args: BusArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.command {
        BusCommand::Apply(args) => apply_all(&args, settings).await,
        BusCommand::Diff(args) => compare(&args, settings).await,
        BusCommand::Status(args) => status::run(args.format(settings), settings).await,
        BusCommand::Members(args) => members::run(args.format(settings), settings).await,
        BusCommand::Tail(args) => tail::run(args, settings).await,
    }
}

async fn apply_all(args: &ApplyArgs, settings: &Settings) -> anyhow::Result<()> {
    let connection = broker::connect_to(settings, "bus").await?;
    let topology = args.topology.over(broker::discover(&connection).await?);
    let format = args.output.format(settings);
    if args.dry_run {
        let changes =
            diff(&connection.js, &topology).await.map_err(|error| diff_failure(&error))?;
        print(format, &changes)?;
        return refuse_dangers(&changes, args.allow_destructive);
    }
    let done = apply(&connection.js, &topology, args.allow_destructive).await;
    let done = done.map_err(|error| match error {
        ApplyError::Destructive(changes) => dangers(&changes),
        ApplyError::Topology(error) => Failure::new(Code::Usage, error.to_string()).into(),
        error @ (ApplyError::Declaration(_)
        | ApplyError::Unsettled(_)
        | ApplyError::Api(ApiError::Refused { .. })) => {
            Failure::new(Code::Error, error.to_string()).into()
        }
        ApplyError::Api(error) => Failure::new(Code::BusUnavailable, error.to_string()).into(),
    })?;
    print(format, &done)?;
    output::say(&format!("the bus is as declared: {}", described(&topology)));
    Ok(())
}

fn refuse_dangers(changes: &[Change], is_allowed: bool) -> anyhow::Result<()> {
    let dangers_of: Vec<_> =
        changes.iter().filter(|change| !change.dangers.is_empty()).cloned().collect();
    if is_allowed || dangers_of.is_empty() { Ok(()) } else { Err(dangers(&dangers_of)) }
}

fn dangers(changes: &[Change]) -> anyhow::Error {
    let list: Vec<_> = changes.iter().map(|change| format!("  {change}")).collect();
    let text = format!(
        "these changes lose something, so nothing was changed; repeat with --allow-destructive if you mean it:\n{}",
        list.join("\n")
    );
    Failure::new(Code::BusDiffers, text).into()
}

async fn compare(args: &DiffArgs, settings: &Settings) -> anyhow::Result<()> {
    let connection = broker::connect_to(settings, "bus").await?;
    let topology = args.topology.over(broker::discover(&connection).await?);
    let changes = diff(&connection.js, &topology).await.map_err(|error| diff_failure(&error))?;
    print(args.output.format(settings), &changes)?;
    let differing = changes.iter().filter(|change| change.action != Action::Unmanaged).count();
    if differing == 0 {
        output::say(&format!("the bus is as declared: {}", described(&topology)));
        return Ok(());
    }
    let differences = output::text::count(differing as u64, "difference");
    let text = format!("{differences} from what is declared: run `cadre bus apply`");
    Err(Failure::new(Code::BusDiffers, text).into())
}

fn diff_failure(error: &DiffError) -> anyhow::Error {
    let code = match error {
        DiffError::Topology(_) => Code::Usage,
        DiffError::Declaration(_) => Code::Error,
        DiffError::Api(_) => Code::BusUnavailable,
    };
    Failure::new(code, error.to_string()).into()
}

fn print(format: Format, changes: &[Change]) -> anyhow::Result<()> {
    if format == Format::Table {
        for change in changes {
            output::data(&change.to_string())?;
            // What is made new differs in everything.
            if matches!(change.action, Action::Update | Action::Recreate | Action::Unmanaged) {
                for field in &change.fields {
                    output::data(&format!("  {}: {} -> {}", field.field, field.old, field.new))?;
                }
            }
        }
        return Ok(());
    }
    let id = |change: &Change| change.resource.to_string();
    output::list(format, changes, &Listing { header: &[], row: |_| Vec::new(), id })
}

fn described(topology: &Topology) -> String {
    use output::text::count;
    let Topology { partitions, shards, replicas, profile } = topology;
    let partitions = count(partitions.count().into(), "partition");
    let (shards, replicas) =
        (count((*shards).into(), "shard"), count((*replicas).into(), "replica"));
    format!("{partitions}, {shards}, {replicas}, profile {profile}")
}
