//! How long until every task has ended after a process was killed for good.

use std::time::Instant;

use cadre_nats::{bus::JetStreamBus, packs::KvPacks};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::{
    packs,
    pipeline::{Driver, from_one},
};
use crate::{
    broker::{PrivateOptions, close, start_private},
    commands::process::Process,
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// `cadre bench recovery`.
#[derive(Debug, Args)]
pub(crate) struct RecoveryArgs {
    /// Tasks of four steps.
    #[arg(long, default_value_t = 500, value_name = "N", value_parser = from_one)]
    tasks: usize,
    /// Which of two such processes is killed, and not started again.
    #[arg(long, value_enum)]
    kill: Victim,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Victim {
    Worker,
    Orchestrator,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    finished: usize,
    kill_to_all_done_s: f64,
}

pub(super) async fn run(args: RecoveryArgs, settings: &Settings) -> anyhow::Result<()> {
    let (server, connection) = start_private(settings, PrivateOptions::default()).await?;
    let bus = JetStreamBus::open(&connection).await?;
    let kv = KvPacks::open(connection.js.clone(), bus.streams().topology).await?;
    kv.apply(&packs::pipeline("bench", 4)).await?;
    let url = server.urls().join(",");
    let mut workers = Vec::new();
    let mut orchestrators = Vec::new();
    for _ in 0..2 {
        workers.push(Process::serve(&url, &["--role", "agent,aggregator"]).await?);
        orchestrators.push(Process::serve(&url, &["--role", "orchestrator"]).await?);
    }
    let mut driver = Driver::new(&connection, &json!({"text": "x".repeat(188)})).await?;
    driver.drive(50, 50).await?;
    for _ in 0..args.tasks {
        driver.publish();
    }
    let mut finished = 0;
    while finished < args.tasks / 5 {
        driver.next().await?;
        finished += 1;
    }
    let victims = match args.kill {
        Victim::Worker => &mut workers,
        Victim::Orchestrator => &mut orchestrators,
    };
    let Some(victim) = victims.first_mut() else { anyhow::bail!("there is nobody to kill") };
    victim.kill().await?;
    let killed = Instant::now();
    while finished < args.tasks {
        driver.next().await?;
        finished += 1;
    }
    let figures = Figures { finished, kill_to_all_done_s: killed.elapsed().as_secs_f64() };
    drop((workers, orchestrators));
    close(Some(server), &[&connection]).await;
    match args.output.format(settings) {
        Format::Json | Format::Id => output::json(&figures),
        Format::Ndjson => output::ndjson(&figures),
        Format::Table => {
            let seconds = format!("{:.1}", figures.kill_to_all_done_s);
            let rows = [vec![finished.to_string(), args.tasks.to_string(), seconds]];
            Ok(output::table(&["FINISHED", "OF", "SECONDS FROM KILL TO LAST"], &rows)?)
        }
    }
}
