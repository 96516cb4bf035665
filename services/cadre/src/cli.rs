//! The command line: global flags, subcommands, exit codes.

use std::{path::PathBuf, process::ExitCode};

use cadre_core::ids::Name;
use cadre_runtime::telemetry::{LogFormat, TelemetryOptions};
use clap::{Parser, Subcommand};

use crate::{
    commands::serve,
    exit::code_of,
    output,
    settings::Settings,
};

/// A durable multi-agent runtime on NATS JetStream.
#[derive(Debug, Parser)]
#[command(name = "cadre", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Global {
    /// URL of a broker, or path of a nats-server to spawn.
    #[arg(long, global = true, value_name = "URL|PATH", env = "CADRE_NATS")]
    nats: Option<String>,
    /// Never fetch anything.
    #[arg(long, global = true, env = "CADRE_OFFLINE")]
    offline: bool,
    /// Whose goals and tasks.
    #[arg(long, global = true, value_name = "NAME", default_value = "default", env = "CADRE_TENANT")]
    tenant: Name,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let settings = settings(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&format!("error: start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(cli.command, &settings));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(&format!("error: {error:#}"));
            code_of(&error).into()
        }
    }
}

async fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let _telemetry = cadre_runtime::telemetry::init(&TelemetryOptions {
        service: "cadre".to_owned(),
        endpoint: settings.otlp_endpoint.clone(),
        log: LogFormat::Text,
        filter: settings.log.clone(),
        ansi: false,
    })?;
    match command {
        Command::Serve(args) => serve::run(args, settings).await,
    }
}

fn settings(global: &Global) -> Settings {
    let var = std::env::var_os;
    Settings {
        nats: global.nats.clone(),
        server_path: var("CADRE_NATS_SERVER").map(PathBuf::from),
        search_path: var("PATH"),
        cache_dir: cadre_nats::server::cache_dir(var("XDG_CACHE_HOME"), var("HOME"))
            .unwrap_or_else(|| std::env::temp_dir().join("cadre-cache")),
        offline: global.offline,
        credentials: None,
        tenant: global.tenant.clone(),
        otlp_endpoint: std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok(),
        log: std::env::var("CADRE_LOG").unwrap_or_else(|_| "warn".to_owned()),
    }
}
