//! The command line: global flags, subcommands, exit codes.

mod help;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::Context as _;
use cadre_core::fleet::Release;
use cadre_proto::RELEASE;
use cadre_runtime::{redact, telemetry::TelemetryOptions};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    commands::{
        alert, approval, audit, bench, breaker, bus, check, completion, config, demo, dev, dlq,
        doctor, eval, goal, init, pack, serve, show, task, token, upgrade, version, webhook,
    },
    exit::{Code, Failure, code_of},
    output,
    settings::{Flags, Settings},
};

/// A durable multi-agent runtime on NATS JetStream.
#[derive(Debug, Parser)]
#[command(name = "cadre", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Dev(dev::DevArgs),
    Serve(serve::ServeArgs),
    Bench(bench::BenchArgs),
    Goal(goal::GoalArgs),
    Task(task::TaskArgs),
    Approval(approval::ApprovalArgs),
    Show(show::ShowArgs),
    Init(init::InitArgs),
    Pack(pack::PackArgs),
    Eval(eval::EvalArgs),
    Bus(bus::BusArgs),
    Breaker(breaker::BreakerArgs),
    Alert(alert::AlertArgs),
    Audit(audit::AuditArgs),
    Dlq(dlq::DlqArgs),
    Token(token::TokenArgs),
    Webhook(webhook::WebhookArgs),
    Doctor(doctor::DoctorArgs),
    Check(check::CheckArgs),
    Upgrade(upgrade::UpgradeArgs),
    Config(config::ConfigArgs),
    Completion(completion::CompletionArgs),
    Version(version::VersionArgs),
}

/// The command line as clap knows it, with help that is made from it and from [`Code`].
pub(crate) fn command() -> clap::Command {
    let command = Cli::command();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Global options:\n{{options}}{{after-help}}",
        help::commands(&command)
    );
    command.help_template(template).after_help(help::after())
}

/// The exit code when whoever reads has gone: 128 and SIGPIPE.
const UNHEARD: u8 = 141;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    main_as(RELEASE)
}

/// The same as another build would: tests run two builds side by side.
#[must_use]
pub fn main_as(release: Release) -> ExitCode {
    let mut command = command().version(release.version);
    let matches = command.get_matches_mut();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.format(&mut command).exit(),
    };
    match start(cli, release) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody hears the verdict: it must not look like a good one. As of a tool that SIGPIPE ends.
        Err(error) if output::is_closed(&error) => ExitCode::from(UNHEARD),
        Err(error) => {
            output::say(&format!("error: {error:#}"));
            code_of(&error).into()
        }
    }
}

fn start(cli: Cli, release: Release) -> anyhow::Result<()> {
    // A shell that starts must not fail because of a settings file.
    if let Command::Completion(args) = &cli.command {
        return Ok(completion::run(args)?);
    }
    let mut settings = Settings::load(cli.flags)
        .map_err(|error| Failure::new(Code::Usage, format!("{:#}", anyhow::Error::from(error))))?;
    settings.release = release;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(run(cli.command, &settings))
}

/// What exported traces call this process: a pod of one service is told from its neighbours.
fn service(command: &Command, settings: &Settings) -> String {
    let name = match command {
        Command::Serve(args) => args.service(),
        Command::Demo(_)
        | Command::Dev(_)
        | Command::Bench(_)
        | Command::Goal(_)
        | Command::Task(_)
        | Command::Approval(_)
        | Command::Show(_)
        | Command::Init(_)
        | Command::Pack(_)
        | Command::Eval(_)
        | Command::Bus(_)
        | Command::Breaker(_)
        | Command::Alert(_)
        | Command::Audit(_)
        | Command::Dlq(_)
        | Command::Token(_)
        | Command::Webhook(_)
        | Command::Doctor(_)
        | Command::Check(_)
        | Command::Upgrade(_)
        | Command::Config(_)
        | Command::Completion(_)
        | Command::Version(_) => "cadre",
    };
    settings.service_name.clone().unwrap_or_else(|| name.to_owned())
}

/// Whether the command shows figures.
fn has_page(command: &Command, settings: &Settings) -> bool {
    match command {
        Command::Serve(args) => args.has_page(settings),
        Command::Dev(_) => true,
        Command::Demo(_)
        | Command::Bench(_)
        | Command::Goal(_)
        | Command::Task(_)
        | Command::Approval(_)
        | Command::Show(_)
        | Command::Init(_)
        | Command::Pack(_)
        | Command::Bus(_)
        | Command::Breaker(_)
        | Command::Alert(_)
        | Command::Audit(_)
        | Command::Eval(_)
        | Command::Token(_)
        | Command::Webhook(_)
        | Command::Dlq(_)
        | Command::Doctor(_)
        | Command::Check(_)
        | Command::Upgrade(_)
        | Command::Config(_)
        | Command::Completion(_)
        | Command::Version(_) => false,
    }
}

async fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let _telemetry = cadre_runtime::telemetry::init(&TelemetryOptions {
        service: service(&command, settings),
        endpoint: settings.otlp_endpoint.clone(),
        log: settings.log_format,
        filter: settings.log.clone(),
        ansi: output::has_color_on_stderr(),
        has_page: has_page(&command, settings),
        has_content: settings.trace_content,
        redactions: vec![redact::known_secrets],
    })
    .map_err(|error| Failure::new(Code::Usage, format!("{:#}", anyhow::Error::from(error))))?;
    match command {
        Command::Demo(args) => demo::run(args, settings).await,
        Command::Dev(args) => dev::run(args, settings).await,
        Command::Serve(args) => serve::run(args, settings).await,
        Command::Bench(args) => bench::run(args, settings).await,
        Command::Goal(args) => goal::run(args, settings).await,
        Command::Task(args) => task::run(args, settings).await,
        Command::Approval(args) => approval::run(args, settings).await,
        Command::Show(args) => show::run(args, settings).await,
        Command::Init(args) => init::run(&args),
        Command::Pack(args) => pack::run(args, settings).await,
        Command::Eval(args) => eval::run(args, settings).await,
        Command::Bus(args) => bus::run(args, settings).await,
        Command::Breaker(args) => breaker::run(args, settings).await,
        Command::Alert(args) => alert::run(args, settings).await,
        Command::Audit(args) => audit::run(args, settings).await,
        Command::Dlq(args) => dlq::run(args, settings).await,
        Command::Token(args) => token::run(args, settings).await,
        Command::Webhook(args) => webhook::run(args, settings).await,
        Command::Doctor(args) => doctor::run(args, settings).await,
        Command::Check(args) => check::run(args, settings).await,
        Command::Upgrade(args) => upgrade::run(args, settings).await,
        Command::Config(args) => config::run(&args, settings),
        Command::Completion(args) => Ok(completion::run(&args)?),
        Command::Version(args) => version::run(&args, settings),
    }
}
