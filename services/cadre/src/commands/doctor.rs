//! `cadre doctor`: is everything as it must be, and what to do where it is not.

mod bus;
mod check;
mod fleet;
mod machine;
mod monitor;

use cadre_nats::{connect::Connection, topology::Topology};
use clap::Args;

use self::check::{Check, Level};
use crate::{
    broker,
    exit::{Code, Failure},
    output::{self, Format, Listing, OutputArgs, Style},
    settings::Settings,
};

/// Check the broker, its streams, the roles and this machine; exit code 12 when something is red.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre doctor
  cadre doctor --nats nats://broker:4222 --monitor broker:8222
  cadre doctor -o json

Green is as it must be, yellow is worth a look, red loses work or stops it.")]
pub(crate) struct DoctorArgs {
    /// Monitoring address of the broker, which knows how it syncs to disk. Default: port 8222 of this machine.
    #[arg(long, value_name = "HOST:PORT")]
    monitor: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: DoctorArgs, settings: &Settings) -> anyhow::Result<()> {
    let mut checks = Vec::new();
    match broker::try_connect(settings, "doctor").await? {
        Ok(connection) => {
            checks.extend(bus::server(&connection));
            checks.push(bus::sync(&connection, args.monitor.as_deref()).await);
            match broker::discover(&connection).await {
                Ok(Some(topology)) => prepared(&connection, topology, &mut checks).await,
                Ok(None) => checks.push(
                    Check::red("streams", "the broker has no streams of ours")
                        .advise("cadre bus apply"),
                ),
                Err(error) => checks
                    .push(Check::red("streams", format!("{error:#}")).advise("cadre bus diff")),
            }
        }
        Err(error) => checks.push(bus::unreachable(&error)),
    }
    checks.extend(machine::checks(settings).await);
    print(args.output.format(settings), &checks)?;
    let red = checks.iter().filter(|check| check.level == Level::Red).count();
    if red == 0 {
        return Ok(());
    }
    let text = format!(
        "{} red",
        output::text::count(red as u64, "check") + if red == 1 { " is" } else { " are" }
    );
    Err(Failure::new(Code::Unhealthy, text).into())
}

async fn prepared(connection: &Connection, topology: Topology, checks: &mut Vec<Check>) {
    checks.push(bus::declared(connection, &topology).await);
    checks.push(check::replicas(&topology));
    checks.push(bus::clock(connection).await);
    checks.push(fleet::members(connection).await);
    checks.extend(bus::streams_and_roles(connection, topology).await);
}

fn print(format: Format, checks: &[Check]) -> anyhow::Result<()> {
    if format != Format::Table {
        let id = |check: &Check| check.name.clone();
        return output::list(format, checks, &Listing { header: &[], row: |_| Vec::new(), id });
    }
    let style = Style::detect();
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in checks {
        let (glyph, word, look) = check.level.shown();
        let mark = if style.has_glyphs { glyph.to_owned() } else { format!("{word:<6}") };
        let text = output::text::clean(&check.text);
        output::data(&format!("{}  {:<width$}  {text}", style.paint(look, &mark), check.name))?;
        if let Some(advice) = &check.advice {
            let indent = " ".repeat(mark.chars().count() + width + 4);
            output::data(&format!(
                "{indent}{}",
                style.paint(output::Look::Dim, &format!("-> {advice}"))
            ))?;
        }
    }
    Ok(())
}
