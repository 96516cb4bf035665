//! `cadre bench edge`: how the dashboard and its read model hold up with many tasks and many who look.
//!
//! A log is made, the read model is folded from nothing, every page is fetched; then goals come in while tabs
//! and followers listen, and what they did not hear is counted.

mod load;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cadre_core::{ids::Name, pack::PackSource};
use cadre_edge::{
    EdgeOptions, EdgeService,
    bench::Browser,
    http::{Auth, HttpOptions},
    model::ModelOptions,
};
use cadre_nats::{
    bench::fill, bus::JetStreamBus, desk::JetStreamDesk, history::JetStreamHistory, packs::KvPacks,
};
use clap::Args;
use serde::Serialize;

use self::load::{Listeners, Load};
use super::{
    packs,
    pipeline::from_one,
    processes::usage,
    projection::{IN_FLIGHT, folded},
    tales::{EVENTS_OF_A_TASK, Made, Tales},
};
use crate::{
    broker::{PrivateOptions, close, start_private},
    commands::process::Process,
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// How often each page is fetched.
const FETCHED: usize = 21;

/// What a list page may take, in milliseconds and in kilobytes; and what the largest task may.
const LIST_MS: f64 = 20.0;
const LIST_KB: f64 = 150.0;
const WIDE_MS: f64 = 300.0;

/// Events that a rebuild is to fold in a second.
const FOLD_EVENTS_PER_S: f64 = 30_000.0;

/// Longest time from a record to whoever listens, in milliseconds.
const LIVE_MS: f64 = 1_000.0;

/// `cadre bench edge`.
#[derive(Debug, Args)]
pub(crate) struct EdgeArgs {
    /// Tasks in the log, of eleven events each.
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = from_one)]
    tasks: usize,
    /// Events of one task that is far larger than the others, about.
    #[arg(long, default_value_t = 5_000, value_name = "N", value_parser = from_one)]
    wide: usize,
    /// Goals a second; 0 leaves this part out.
    #[arg(long, default_value_t = 500, value_name = "N")]
    goals: u64,
    /// For how long they come.
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    lasts: Duration,
    /// Who listens meanwhile: half of them tabs of the dashboard, half followers of one task after the other.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = from_one)]
    followers: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// What was measured, beside what it is to be.
#[derive(Debug, Serialize)]
struct Figures {
    tasks: usize,
    events: usize,
    fold_s: f64,
    events_per_s: f64,
    events_per_s_aim: f64,
    rss_mb: Option<f64>,
    pages: Vec<Page>,
    load: Option<Load>,
    live_ms_aim: f64,
}

/// How long one page takes, over the loopback.
#[derive(Debug, Serialize)]
struct Page {
    path: String,
    p50_ms: f64,
    max_ms: f64,
    ms_aim: f64,
    kb: f64,
    /// `None` where a page may be as large as it must.
    kb_aim: Option<f64>,
}

pub(super) async fn run(args: EdgeArgs, settings: &Settings) -> anyhow::Result<()> {
    let (server, connection) = start_private(settings, PrivateOptions::default()).await?;
    let bus = JetStreamBus::open(&connection).await?;
    let kv = KvPacks::open(connection.js.clone(), bus.streams().topology).await?;
    let events = args.tasks.saturating_mul(EVENTS_OF_A_TASK).saturating_add(args.wide);
    let mut tales = Tales::new((events, args.wide), bus.streams().topology.partitions)?;
    for pack in tales.packs() {
        kv.apply(pack).await?;
    }
    let revision = tales.packs().first().map(PackSource::revision).unwrap_or_default();
    output::say("making a log");
    fill(&connection, &mut tales, IN_FLIGHT).await?;
    let made = tales.finish()?;
    output::say(&format!("folding {} records of {} tasks", made.records, made.tasks));
    let begun = Instant::now();
    let edge = edge(&bus, &kv).await?;
    folded(edge.model(), made.records).await?;
    let fold_s = begun.elapsed().as_secs_f64();
    let browser = Browser::new(edge.address());
    let steps = edge.model().steps(None, &made.wide).await?.unwrap_or_default();
    let step = steps.into_iter().next().map(|step| step.step);
    let pages = pages(&browser, (&made, &revision), step).await?;
    let load = match args.goals {
        0 => None,
        goals => {
            kv.apply(&packs::pipeline(load::WORKFLOW, 1)).await?;
            let _services = services(&server.urls().join(",")).await?;
            output::say(&format!("{goals} goals a second for {:?}", args.lasts));
            let listeners = Listeners { browser, followers: args.followers, made: made.tasks };
            Some(load::measure(&connection, edge.model(), listeners, (goals, args.lasts)).await?)
        }
    };
    let figures = Figures {
        tasks: made.tasks,
        events: made.events,
        fold_s,
        events_per_s: made.events as f64 / fold_s,
        events_per_s_aim: FOLD_EVENTS_PER_S,
        rss_mb: usage([std::process::id()]).map(|usage| usage.rss_mb),
        pages,
        load,
        live_ms_aim: LIVE_MS,
    };
    edge.stop().await;
    close(Some(server), &[&connection]).await;
    print(&figures, args.output.format(settings))
}

/// An edge in this process, open, at any free port of the loopback.
async fn edge(bus: &JetStreamBus, kv: &KvPacks) -> anyhow::Result<EdgeService> {
    let desk = JetStreamDesk::open(bus, kv).await;
    let mut http = HttpOptions::default();
    http.address.set_port(0);
    let (tenant, user) = (Name::new(load::TENANT)?, "bench".to_owned());
    let auth = Auth::Open { tenant, user, nonce: rand::random() };
    let options = EdgeOptions { http, auth, model: ModelOptions { path: None } };
    let ports = (JetStreamHistory::new(bus), kv.clone());
    let webhooks = desk.webhook_bus();
    Ok(EdgeService::start((Arc::new(desk), webhooks), ports, options, None).await?)
}

/// Everything that a goal needs, in processes of their own.
async fn services(url: &str) -> anyhow::Result<Vec<Process>> {
    let mut all = Vec::new();
    for role in ["agent", "aggregator", "orchestrator"] {
        all.push(Process::serve(url, &["--role", role, "--in-flight", "2000"]).await?);
    }
    Ok(all)
}

/// Fetches every page, each time anew.
async fn pages(
    browser: &Browser,
    (made, revision): (&Made, &str),
    step: Option<String>,
) -> anyhow::Result<Vec<Page>> {
    let lists = [
        "/tasks",
        "/tasks?status=completed",
        "/tasks?status=failed&workflow=bench",
        "/tasks?failed=1",
        "/tasks?stuck=1",
        "/tasks?q=goal77",
        "/tasks?q=contract",
        "/tasks?q=contract&status=failed",
        "/",
        "/approvals",
        "/agents",
        "/breakers",
        "/bus",
        "/dlq",
        "/spend",
        "/packs?pack=bench",
        "/publish?workflow=bench",
        "/webhooks",
        "/audit",
        "/bus/CADRE_LOG_0",
    ];
    let digits: String = revision.chars().take(12).collect();
    let of_revision = format!("/tasks?revision={digits}");
    let tabs = ["", "?tab=events", "?tab=graph", "?tab=calls", "?tab=result", "?tab=spend"];
    let selected = step.map(|step| format!("?step={step}"));
    let folded = ["?fold=1".to_owned(), "?failed=1".to_owned()];
    let wide = tabs.map(str::to_owned).into_iter().chain(folded).chain(selected);
    let wide: Vec<_> = wide.map(|tab| format!("/tasks/{}{tab}", made.wide)).collect();
    let mut pages = Vec::new();
    for path in lists.into_iter().chain([of_revision.as_str()]) {
        pages.push(page(browser, path, (LIST_MS, Some(LIST_KB))).await?);
    }
    for path in &wide {
        pages.push(page(browser, path, (WIDE_MS, None)).await?);
    }
    Ok(pages)
}

async fn page(
    browser: &Browser,
    path: &str,
    (ms_aim, kb_aim): (f64, Option<f64>),
) -> anyhow::Result<Page> {
    let (mut took, mut bytes) = (Vec::with_capacity(FETCHED), 0);
    for _ in 0..FETCHED {
        let fetched = browser.fetch(path).await?;
        took.push(fetched.took.as_secs_f64() * 1_000.0);
        bytes = fetched.bytes;
    }
    took.sort_by(f64::total_cmp);
    let at = |place: usize| took.get(place).copied().unwrap_or_default();
    let (p50_ms, max_ms) = (at(FETCHED / 2), at(FETCHED - 1));
    Ok(Page { path: path.to_owned(), p50_ms, max_ms, ms_aim, kb: bytes as f64 / 1024.0, kb_aim })
}

fn print(figures: &Figures, format: Format) -> anyhow::Result<()> {
    if !matches!(format, Format::Table) {
        return output::json(figures);
    }
    let row = |name: &str, value: f64, unit: &str, aim: String| {
        vec![name.to_owned(), format!("{value:.1}"), unit.to_owned(), aim]
    };
    let none = String::new;
    let least = |aim: f64| format!("at least {aim:.0}");
    let most = |aim: f64| format!("at most {aim:.0}");
    let mut rows = vec![
        row("tasks", figures.tasks as f64, "", none()),
        row("events", figures.events as f64, "", none()),
        row("fold", figures.events_per_s, "events per second", least(figures.events_per_s_aim)),
        row("this process", figures.rss_mb.unwrap_or_default(), "MB", none()),
    ];
    for page in &figures.pages {
        let unit = format!("ms, at most {:.1}; {:.0} KB", page.max_ms, page.kb);
        let kb = page.kb_aim.map(|kb| format!(", {kb:.0} KB")).unwrap_or_default();
        rows.push(row(&page.path, page.p50_ms, &unit, most(page.ms_aim) + &kb));
    }
    if let Some(load) = &figures.load {
        let live = most(figures.live_ms_aim);
        rows.extend([
            row("goals", load.goals_per_s, "per second", least(load.goals_per_s_aim)),
            row("records heard", load.heard as f64, "", none()),
            row("records missed", load.missed as f64, "", "none".to_owned()),
            row("tasks not in the read model", load.tasks_missed as f64, "", "none".to_owned()),
            row("from a record to its follower", load.heard_p50_ms, "ms, half of them", none()),
            row("from a record to its follower", load.heard_p99_ms, "ms, 99 of 100", live.clone()),
            row("a tab hears nothing for", load.silence_max_ms, "ms", live.clone()),
            row("read model behind by", load.behind_max_ms, "ms", live),
        ]);
    }
    Ok(output::table(&["WHAT", "FIGURE", "UNIT", "AIM"], &rows)?)
}
