//! `cadre bench`: what this machine can do, beside the raw floor of the bus in the same run.

mod edge;
mod models;
mod packs;
mod pipeline;
mod processes;
mod projection;
mod recovery;
mod tales;

use clap::{Args, Subcommand};

use crate::settings::Settings;

/// Measure throughput, latency and recovery on a private broker.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre bench pipeline                                           four steps, 256 tasks in flight
  cadre bench pipeline --in-flight 1 --tasks 500                 latency of a task alone
  cadre bench pipeline --in-flight 1000 --sync always --replicas 3
  cadre bench fanout --width 8 -o json
  cadre bench recovery --tasks 500 --kill worker
  cadre bench models -o json                                     what the inference gateway adds to a call
  cadre bench projection --events 1000000                        how fast the read model is folded from nothing
  cadre bench edge -o json                                       the dashboard with 100,000 tasks and 200 who listen")]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Tasks of several steps, one after the other.
    Pipeline(pipeline::PipelineArgs),
    /// Tasks of one step with several items at once.
    Fanout(pipeline::FanOutArgs),
    /// Kill a process in the middle and see how long the rest takes.
    Recovery(recovery::RecoveryArgs),
    /// Calls of a local model server, direct and through the inference gateway.
    Models(models::ModelsArgs),
    /// Fold the read model out of a large log, then ask it everything that pages ask.
    Projection(projection::ProjectionArgs),
    /// Fetch every page with many tasks, then listen while goals come.
    Edge(edge::EdgeArgs),
}

pub(crate) async fn run(args: BenchArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.kind {
        Kind::Pipeline(args) => pipeline::pipeline(args, settings).await,
        Kind::Fanout(args) => pipeline::fan_out(args, settings).await,
        Kind::Recovery(args) => recovery::run(args, settings).await,
        Kind::Models(args) => models::run(args, settings).await,
        Kind::Projection(args) => projection::run(args, settings).await,
        Kind::Edge(args) => edge::run(args, settings).await,
    }
}
