//! How fast the read model is folded from nothing, and how long its queries take then.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use cadre_core::{
    ids::{Name, TaskId},
    time::UnixMillis,
};
use cadre_edge::model::{
    ModelOptions, ModelService, QuestionFilter, ReadModel, SpendBy, Status, TaskFilter,
};
use cadre_nats::{bench::fill, bus::JetStreamBus, history::JetStreamHistory, packs::KvPacks};
use clap::Args;
use serde::Serialize;

use super::{processes::usage, tales::Tales};
use crate::{
    broker::{PrivateOptions, start_private},
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// Publications that are not confirmed yet, at most.
pub(super) const IN_FLIGHT: usize = 2_000;

/// How often each query is asked.
const ASKED: usize = 21;

/// Rows of one page.
const PAGE: u32 = 50;

/// Longest wait for the fold: beyond it the benchmark says that it hangs.
const FOLD_WITHIN: Duration = Duration::from_secs(3_600);

/// `cadre bench projection`.
#[derive(Debug, Args)]
pub(crate) struct ProjectionArgs {
    /// Events in the log, about: a record of a task has two or three of them.
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    events: usize,
    /// Events of one task that is far larger than the others, about.
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    wide: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    tasks: usize,
    records: usize,
    events: usize,
    /// Making the log: no figure of the product.
    fill_s: f64,
    fold_s: f64,
    records_per_s: f64,
    events_per_s: f64,
    /// Records that still waited when the fold was done: 0 unless something is wrong.
    lag_records: u64,
    file_mb: f64,
    /// Cores that this process used during the fold.
    cpu: Option<f64>,
    rss_mb: Option<f64>,
    queries: Vec<Query>,
}

/// How long one query takes.
#[derive(Debug, Serialize)]
struct Query {
    query: &'static str,
    rows: usize,
    p50_ms: f64,
    max_ms: f64,
}

pub(super) async fn run(args: ProjectionArgs, settings: &Settings) -> anyhow::Result<()> {
    let (_server, connection) = start_private(settings, PrivateOptions::default()).await?;
    let bus = JetStreamBus::open(&connection).await?;
    let packs = KvPacks::open(connection.js.clone(), bus.streams().topology).await?;
    let mut tales = Tales::new((args.events, args.wide), bus.streams().topology.partitions)?;
    for pack in tales.packs() {
        packs.apply(pack).await?;
    }
    output::say("making a log");
    let begun = Instant::now();
    fill(&connection, &mut tales, IN_FLIGHT).await?;
    let fill_s = begun.elapsed().as_secs_f64();
    let made = tales.finish()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.db");
    output::say(&format!("folding {} records of {} tasks", made.records, made.tasks));
    let own = || usage([std::process::id()]);
    let (before, begun) = (own(), Instant::now());
    let ports = (JetStreamHistory::new(&bus), packs);
    let service =
        ModelService::start(ports, ModelOptions { path: Some(path.clone()) }, None).await?;
    let model = service.model().clone();
    let lag_records = folded(&model, made.records).await?;
    let fold_s = begun.elapsed().as_secs_f64();
    let after = own();
    let cpu = before.zip(after).map(|(before, after)| (after.cpu_s - before.cpu_s) / fold_s);
    let queries = queries(&model, &made.wide, made.last).await?;
    let figures = Figures {
        tasks: made.tasks,
        records: made.records,
        events: made.events,
        fill_s,
        fold_s,
        records_per_s: made.records as f64 / fold_s,
        events_per_s: made.events as f64 / fold_s,
        lag_records,
        file_mb: size_mb(&path),
        cpu,
        rss_mb: after.map(|usage| usage.rss_mb),
        queries,
    };
    service.stop().await;
    print(&figures, args.output.format(settings))
}

/// Waits until all of it is in; says how much is not.
pub(super) async fn folded(model: &ReadModel, records: usize) -> anyhow::Result<u64> {
    let mut lag = model.lag_changes();
    let all = lag.wait_for(|lag| lag.taken >= records as u64);
    tokio::time::timeout(FOLD_WITHIN, all).await??;
    Ok(model.lag().records)
}

fn size_mb(path: &Path) -> f64 {
    let wal = path.with_extension("db-wal");
    let bytes = |path: &Path| path.metadata().map_or(0, |meta| meta.len());
    (bytes(path) + bytes(&wal)) as f64 / 1e6
}

/// Asks everything that a page asks.
async fn queries(model: &ReadModel, wide: &TaskId, last: UnixMillis) -> anyhow::Result<Vec<Query>> {
    let tenant = Name::new("bench-1")?;
    let mut all = Vec::new();
    for (query, tenant, filter) in lists(&tenant)? {
        let tasks = async || Ok(model.tasks(tenant, &filter, None, PAGE).await?.rows.len());
        all.push(time(query, tasks).await?);
    }
    let middle = model.tasks(None, &TaskFilter::default(), None, 1_000).await?.next;
    let plain = TaskFilter::default();
    let deep = async || Ok(model.tasks(None, &plain, middle, PAGE).await?.rows.len());
    all.push(time("tasks, page 20", deep).await?);
    let counts = async |tenant| Ok(model.counts(tenant, &plain).await?.by_status.len());
    all.push(time("counts by status", async || counts(None).await).await?);
    all.push(time("counts of one tenant", async || counts(Some(&tenant)).await).await?);
    let word = TaskFilter { text: Some("contract".to_owned()), ..TaskFilter::default() };
    let counted = async || Ok(model.counts(None, &word).await?.by_status.len());
    all.push(time("counts of a common word", counted).await?);
    all.push(time("overview", async || Ok(model.overview(None).await?.minutes.len())).await?);
    let hour_ago = UnixMillis(last.0.saturating_sub(3_600_000));
    all.push(time("agents", async || Ok(model.agents(None, hour_ago).await?.len())).await?);
    let range = (UnixMillis(0), UnixMillis(u64::MAX));
    let by = [SpendBy::Day, SpendBy::Workflow, SpendBy::Role];
    all.push(time("spend", async || Ok(model.spend(None, range, &by).await?.len())).await?);
    let open = QuestionFilter { is_open: true, ..QuestionFilter::default() };
    let questions = async || Ok(model.questions(None, &open, None, PAGE).await?.rows.len());
    all.push(time("questions", questions).await?);
    all.push(time("revisions", async || Ok(model.revisions(None, None).await?.len())).await?);
    let head = async || Ok(usize::from(model.task(None, wide).await?.is_some()));
    all.push(time("large task, head", head).await?);
    let steps = async || Ok(model.steps(None, wide).await?.map_or(0, |steps| steps.len()));
    all.push(time("large task, steps", steps).await?);
    let events = async || Ok(model.events(None, wide, 0, 1_000).await?.map_or(0, |all| all.len()));
    all.push(time("large task, 1,000 records", events).await?);
    Ok(all)
}

type List<'a> = (&'static str, Option<&'a Name>, TaskFilter);

fn lists(tenant: &Name) -> anyhow::Result<Vec<List<'_>>> {
    let plain = TaskFilter::default;
    let workflow = || Name::new("bench").map(Some);
    let failed = vec![Status::Failed, Status::Partial, Status::Incomplete];
    let role = Some(Name::new("bench-r2")?);
    let text = |text: &str| TaskFilter { text: Some(text.to_owned()), ..plain() };
    Ok(vec![
        ("tasks", None, plain()),
        ("tasks of one tenant", Some(tenant), plain()),
        ("tasks of one status", None, TaskFilter { statuses: failed.clone(), ..plain() }),
        ("tasks of one workflow", None, TaskFilter { workflow: workflow()?, ..plain() }),
        (
            "tasks of tenant, workflow and status",
            Some(tenant),
            TaskFilter { workflow: workflow()?, statuses: failed, ..plain() },
        ),
        ("tasks of one role", None, TaskFilter { role, ..plain() }),
        ("tasks that failed", None, TaskFilter { has_failed: true, ..plain() }),
        ("tasks that are stuck", None, TaskFilter { is_stuck: true, ..plain() }),
        ("tasks by a rare word", None, text("goal77")),
        ("tasks by a common word", None, text("contract")),
        ("tasks of one tenant by a common word", Some(tenant), text("contract")),
    ])
}

async fn time(
    query: &'static str,
    ask: impl AsyncFn() -> anyhow::Result<usize>,
) -> anyhow::Result<Query> {
    let (mut took, mut rows) = (Vec::with_capacity(ASKED), 0);
    for _ in 0..ASKED {
        let begun = Instant::now();
        rows = ask().await?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    let at = |place: usize| took.get(place).copied().unwrap_or_default();
    Ok(Query { query, rows, p50_ms: at(ASKED / 2), max_ms: at(ASKED - 1) })
}

fn print(figures: &Figures, format: Format) -> anyhow::Result<()> {
    if !matches!(format, Format::Table) {
        return output::json(figures);
    }
    let row = |name: &str, value: f64, unit: &str| {
        vec![name.to_owned(), format!("{value:.1}"), unit.to_owned()]
    };
    let mut rows = vec![
        row("tasks", figures.tasks as f64, ""),
        row("records", figures.records as f64, ""),
        row("events", figures.events as f64, ""),
        row("fold", figures.fold_s, "s"),
        row("fold", figures.records_per_s, "records per second"),
        row("fold", figures.events_per_s, "events per second"),
        row("lag behind it", figures.lag_records as f64, "records"),
        row("file", figures.file_mb, "MB"),
        row("this process", figures.cpu.unwrap_or_default(), "cores"),
        row("this process", figures.rss_mb.unwrap_or_default(), "MB"),
    ];
    for query in &figures.queries {
        let unit = format!("ms, at most {:.1}; {} rows", query.max_ms, query.rows);
        rows.push(row(query.query, query.p50_ms, &unit));
    }
    Ok(output::table(&["WHAT", "FIGURE", "UNIT"], &rows)?)
}
