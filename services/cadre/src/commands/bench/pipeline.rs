//! Throughput and latency of whole tasks, from publishing a goal to reading its answer.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use cadre_core::{ids::Partitions, pack::PackSource};
use cadre_nats::{
    bench::{Answers, GoalPublisher, floor, persisted},
    bus::JetStreamBus,
    connect::{ConnectOptions, Connection, connect},
    packs::KvPacks,
    server::{Replicas, Server, SyncMode},
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::{packs, processes::usage};
use crate::{
    broker::{PrivateOptions, close, start_private},
    commands::process::Process,
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Longest wait for one answer: beyond it the benchmark says that it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What every throughput benchmark can be told.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Tasks measured.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = from_one)]
    tasks: usize,
    /// Tasks before the measurement.
    #[arg(long, default_value_t = 500, value_name = "N")]
    warm_up: usize,
    /// Tasks that are open at once.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = from_one)]
    in_flight: usize,
    /// When the broker syncs to disk.
    #[arg(long, value_enum, default_value_t = Sync::Default)]
    sync: Sync,
    /// Brokers, and copies of each stream: 1 or 3.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = replicas)]
    replicas: u8,
    /// Partitions of the streams.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    partitions: u16,
    /// Orchestrator and workers in processes of their own, or all in one.
    #[arg(long, value_enum, default_value_t = Workers::Separate)]
    workers: Workers,
    #[command(flatten)]
    output: OutputArgs,
}

/// `cadre bench pipeline`.
#[derive(Debug, Args)]
pub(crate) struct PipelineArgs {
    /// Steps of each task.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = from_one)]
    steps: usize,
    #[command(flatten)]
    common: Common,
}

/// `cadre bench fanout`.
#[derive(Debug, Args)]
pub(crate) struct FanOutArgs {
    /// Items of each task.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = from_one)]
    width: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sync {
    /// Every two minutes, as nats-server does by itself.
    Default,
    /// Before each acknowledgement.
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workers {
    /// `cadre serve` processes: orchestrator, agents, aggregator.
    Separate,
    /// One `cadre serve` process.
    Together,
}

/// A number of things that there must be some of.
pub(super) fn from_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "write a number from 1".to_owned())
}

fn replicas(text: &str) -> Result<u8, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("write 1 or 3".to_owned()),
    }
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    tasks: usize,
    in_flight: usize,
    tasks_per_s: f64,
    steps_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Cores that the broker used.
    cpu_broker: Option<f64>,
    /// Cores that our own processes used, the benchmark's driver excluded.
    cpu_own: Option<f64>,
    rss_mb: Option<f64>,
    persisted_per_step: f64,
    floor_msgs_per_s: f64,
    /// Messages persisted per second, as a share of the floor.
    ratio_to_floor: f64,
}

pub(super) async fn pipeline(args: PipelineArgs, settings: &Settings) -> anyhow::Result<()> {
    let body = json!({"text": "x".repeat(188)});
    let pack = packs::pipeline("bench", args.steps);
    let figures = measure(settings, &args.common, &pack, (&body, args.steps)).await?;
    print(&figures, args.common.output.format(settings))
}

pub(super) async fn fan_out(args: FanOutArgs, settings: &Settings) -> anyhow::Result<()> {
    let item = json!({"text": "x".repeat(188)});
    let body = json!({"items": vec![item; args.width]});
    let pack = packs::fan_out("bench", args.width);
    let figures = measure(settings, &args.common, &pack, (&body, args.width)).await?;
    print(&figures, args.common.output.format(settings))
}

async fn measure(
    settings: &Settings,
    common: &Common,
    pack: &PackSource,
    (body, steps): (&serde_json::Value, usize),
) -> anyhow::Result<Figures> {
    let (server, connection) = start_private(settings, private(common)).await?;
    let bus = JetStreamBus::open(&connection).await?;
    let kv = KvPacks::open(connection.js.clone(), bus.streams().topology).await?;
    kv.apply(pack).await?;
    let own = start_services(&server, common).await?;
    let mut driver = Driver::new(&connection, body).await?;
    driver.drive(common.warm_up, common.in_flight).await?;
    let broker_pids = || server.nodes().into_iter().filter_map(|node| node.pid);
    let own_pids = || own.iter().filter_map(Process::pid);
    let before = (usage(broker_pids()), usage(own_pids()), persisted(&connection).await?);
    let begun = Instant::now();
    let mut latencies = driver.drive(common.tasks, common.in_flight).await?;
    let elapsed = begun.elapsed().as_secs_f64();
    let after = (usage(broker_pids()), usage(own_pids()), persisted(&connection).await?);
    let stored = (after.2 - before.2) as usize;
    // The floor has the machine to itself, as the tasks had.
    drop(own);
    let options = ConnectOptions::new(server.urls().join(","), "floor");
    let publisher = connect(options).await?;
    let shape = (stored, common.in_flight, 256, usize::from(common.replicas));
    let floor_msgs_per_s = floor(&publisher, bus.streams(), shape).await?;
    close(Some(server), &[&publisher, &connection]).await;
    latencies.sort_unstable();
    let tasks_per_s = common.tasks as f64 / elapsed;
    let cores = |before: Option<super::processes::Usage>,
                 after: Option<super::processes::Usage>| {
        Some((after?.cpu_s - before?.cpu_s) / elapsed)
    };
    Ok(Figures {
        tasks: common.tasks,
        in_flight: common.in_flight,
        tasks_per_s,
        steps_per_s: tasks_per_s * steps as f64,
        p50_ms: percentile(&latencies, 50),
        p99_ms: percentile(&latencies, 99),
        cpu_broker: cores(before.0, after.0),
        cpu_own: cores(before.1, after.1),
        rss_mb: after.1.map(|usage| usage.rss_mb),
        persisted_per_step: stored as f64 / (common.tasks * steps) as f64,
        floor_msgs_per_s,
        ratio_to_floor: stored as f64 / elapsed / floor_msgs_per_s,
    })
}

fn private(common: &Common) -> PrivateOptions {
    PrivateOptions {
        sync: match common.sync {
            Sync::Default => SyncMode::Default,
            Sync::Always => SyncMode::Always,
        },
        replicas: if common.replicas == 1 { Replicas::One } else { Replicas::Three },
        partitions: Partitions::new(common.partitions),
        ..PrivateOptions::default()
    }
}

async fn start_services(server: &Server, common: &Common) -> anyhow::Result<Vec<Process>> {
    let url = server.urls().join(",");
    let room = common.in_flight.clamp(64, 4_096).to_string();
    let roles: &[&[&str]] = match common.workers {
        Workers::Separate => &[
            &["--role", "agent", "--in-flight"],
            &["--role", "aggregator", "--in-flight"],
            &["--role", "orchestrator", "--in-flight"],
        ],
        Workers::Together => &[&["--in-flight"]],
    };
    let group = common.sync == Sync::Always && common.replicas == 1;
    let mut own = Vec::new();
    for role in roles {
        let mut args = [role, &[room.as_str()][..]].concat();
        args.extend(group.then_some("--group-commits"));
        own.push(Process::serve(&url, &args).await?);
    }
    Ok(own)
}

/// Publishes goals and reads answers, keeping a number of tasks open.
pub(super) struct Driver {
    publisher: GoalPublisher,
    answers: Answers,
    body: bytes::Bytes,
    published: usize,
}

impl Driver {
    pub(super) async fn new(
        connection: &Connection,
        body: &serde_json::Value,
    ) -> anyhow::Result<Self> {
        let (publisher, answers) =
            (GoalPublisher::new(connection), Answers::open(connection).await?);
        Ok(Self { publisher, answers, body: body.to_string().into(), published: 0 })
    }

    /// Runs `tasks` tasks to their end and returns each one's time from publish to answer.
    pub(super) async fn drive(
        &mut self,
        tasks: usize,
        in_flight: usize,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut open: HashMap<String, Instant> = HashMap::new();
        let mut latencies = Vec::with_capacity(tasks);
        let mut left = tasks;
        while latencies.len() < tasks {
            while left > 0 && open.len() < in_flight {
                left -= 1;
                let key = self.publish();
                open.insert(key, Instant::now());
            }
            let answer = self.next().await?;
            if answer.get("status").and_then(serde_json::Value::as_str) != Some("completed") {
                anyhow::bail!("task ended otherwise: {answer}");
            }
            let key = answer.get("key").and_then(serde_json::Value::as_str);
            if let Some(begun) = key.and_then(|key| open.remove(key)) {
                latencies.push(begun.elapsed());
            }
        }
        Ok(latencies)
    }

    /// Sends one goal on its way and returns its key.
    pub(super) fn publish(&mut self) -> String {
        self.published += 1;
        let key = format!("bench-{}", self.published);
        let (publisher, body, id) = (self.publisher.clone(), self.body.clone(), key.clone());
        tokio::spawn(async move {
            if let Err(error) = publisher.publish("bench", "bench", &id, body).await {
                output::say(&format!("goal {id} was not published: {error}"));
            }
        });
        key
    }

    /// The next answer.
    pub(super) async fn next(&mut self) -> anyhow::Result<serde_json::Value> {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.answers.next()).await;
        Ok(answer.map_err(|_| anyhow::anyhow!("no answer within {ANSWER_WITHIN:?}"))??)
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
}

fn print(figures: &Figures, format: Format) -> anyhow::Result<()> {
    let row = |name: &str, value: Option<f64>, unit: &str| {
        let value = value.map_or_else(|| "unknown here".to_owned(), |value| format!("{value:.1}"));
        vec![name.to_owned(), value, unit.to_owned()]
    };
    match format {
        Format::Json | Format::Id => output::json(figures),
        Format::Ndjson => output::ndjson(figures),
        Format::Table => {
            let rows = [
                row("tasks", Some(figures.tasks_per_s), "per second"),
                row("steps", Some(figures.steps_per_s), "per second"),
                row("a task, half of them", Some(figures.p50_ms), "ms at most"),
                row("a task, 99 of 100", Some(figures.p99_ms), "ms at most"),
                row("broker", figures.cpu_broker, "cores"),
                row("our processes", figures.cpu_own, "cores, the driver's excluded"),
                row("our processes", figures.rss_mb, "MB"),
                row("messages persisted", Some(figures.persisted_per_step), "per step"),
                row("floor of the bus", Some(figures.floor_msgs_per_s), "messages per second"),
                row("of the floor", Some(figures.ratio_to_floor * 100.0), "% of its messages"),
            ];
            Ok(output::table(&["WHAT", "FIGURE", "UNIT"], &rows)?)
        }
    }
}
