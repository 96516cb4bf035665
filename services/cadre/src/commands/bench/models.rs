//! What the inference gateway adds to a call, beside the same call of the same server without it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use cadre_core::{
    ids::{Name, StepId, TaskId},
    model::{Manner, ModelRequest, Prompt, ProviderCall, Turn},
    ports::Models as _,
    workflow::Grant,
};
use cadre_inference::{
    ProviderSetup, Providers, Wire,
    local::{LocalServer, Reply},
};
use cadre_nats::{bus::JetStreamBus, packs::KvPacks};
use clap::Args;
use futures::{StreamExt as _, stream};
use serde::Serialize;

use super::{packs, pipeline::from_one};
use crate::{
    broker::{PrivateOptions, close, start_private},
    commands::process::Process,
    output::{self, Format, OutputArgs},
    settings::Settings,
};

/// What packs of the benchmark call the local server.
const PROVIDER: &str = "bench";

/// `cadre bench models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Calls of each kind that are made one after the other.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = from_one)]
    calls: usize,
    /// Calls that are made as fast as they go.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = from_one)]
    burst: usize,
    /// Calls in flight in the burst.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = from_one)]
    in_flight: usize,
    /// Bytes of each prompt.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    prompt: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    calls: usize,
    prompt_bytes: usize,
    /// A call alone, straight to the server.
    direct_p50_ms: f64,
    /// The same through bus and gateway.
    gateway_p50_ms: f64,
    /// The difference.
    added_p50_ms: f64,
    gateway_p99_ms: f64,
    in_flight: usize,
    /// Through one gateway process.
    calls_per_s: f64,
    /// Straight to the server, as many in flight.
    direct_calls_per_s: f64,
}

pub(super) async fn run(args: ModelsArgs, settings: &Settings) -> anyhow::Result<()> {
    let server = LocalServer::start(|_, _| Reply::chat("{\"echo\": 1}", 500, 5)).await?;
    let url = server.url("/v1/");
    let (broker, connection) = start_private(settings, PrivateOptions::default()).await?;
    let bus = JetStreamBus::open(&connection).await?;
    let kv = KvPacks::open(connection.js.clone(), bus.streams().topology).await?;
    let revision = kv.apply(&packs::models("bench", PROVIDER)).await?.revision;
    let providers = format!("{PROVIDER}={url}");
    let variables = [("CADRE_PROVIDERS", providers.as_str())];
    let nats = broker.urls().join(",");
    let gateway = Process::serve_with(&nats, &["--role", "inference"], &variables).await?;
    let bench = Bench { bus, providers: direct(&url)?, request: request(&revision, args.prompt)? };
    let figures = bench.measure(&args).await?;
    drop(gateway);
    close(Some(broker), &[&connection]).await;
    print(&figures, args.output.format(settings))
}

/// The local server without a gateway before it.
fn direct(url: &str) -> anyhow::Result<Providers> {
    let setup = ProviderSetup {
        name: PROVIDER.to_owned(),
        wire: Wire::OpenAi,
        base_url: Some(url.to_owned()),
        key: None,
    };
    Ok(Providers::open(&[setup])?)
}

fn request(revision: &str, prompt_bytes: usize) -> anyhow::Result<ModelRequest> {
    let tenant = Name::new("bench")?;
    let text = "word ".repeat(prompt_bytes.div_ceil(5));
    let (system, turns) = ("Say what you are told.".to_owned(), vec![Turn::User(text)]);
    Ok(ModelRequest {
        task: TaskId::derive(&tenant, "bench"),
        step: StepId::single(Name::new("ask")?),
        role: Name::new("bench-role")?,
        workflow: Name::new("bench")?,
        revision: revision.to_owned(),
        alias: Name::new("fast")?,
        key: "bench.1".to_owned(),
        prompt: Prompt { system, tools: Vec::new(), turns },
        manner: Manner { output_tokens_max: 100, ..Manner::default() },
        grant: Grant { usd_micros: 0, tokens: 1_000_000 },
        time_left: Duration::from_secs(30),
        is_followed: false,
        trace: None,
        tenant,
    })
}

struct Bench {
    bus: JetStreamBus,
    providers: Providers,
    request: ModelRequest,
}

impl Bench {
    async fn measure(&self, args: &ModelsArgs) -> anyhow::Result<Figures> {
        // Connections, the pack's compilation, the allocator.
        for _ in 0..args.calls.div_ceil(10) {
            self.direct().await?;
            self.through().await?;
        }
        let (mut direct, mut through) = (Vec::new(), Vec::new());
        // In turns, so that whatever else the machine does weighs on both.
        for _ in 0..args.calls {
            direct.push(self.direct().await?);
            through.push(self.through().await?);
        }
        direct.sort_unstable();
        through.sort_unstable();
        let rate = |elapsed: Duration| args.burst as f64 / elapsed.as_secs_f64();
        let direct_burst = self.burst(args, true).await?;
        let burst = self.burst(args, false).await?;
        let (direct_p50_ms, gateway_p50_ms) = (percentile(&direct, 50), percentile(&through, 50));
        Ok(Figures {
            calls: args.calls,
            prompt_bytes: args.prompt,
            direct_p50_ms,
            gateway_p50_ms,
            added_p50_ms: gateway_p50_ms - direct_p50_ms,
            gateway_p99_ms: percentile(&through, 99),
            in_flight: args.in_flight,
            calls_per_s: rate(burst),
            direct_calls_per_s: rate(direct_burst),
        })
    }

    async fn burst(&self, args: &ModelsArgs, is_direct: bool) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let calls = stream::iter(0..args.burst)
            .map(|_| async { if is_direct { self.direct().await } else { self.through().await } });
        let mut calls = calls.buffer_unordered(args.in_flight);
        while let Some(done) = calls.next().await {
            done?;
        }
        Ok(begun.elapsed())
    }

    async fn direct(&self) -> anyhow::Result<Duration> {
        let request = &self.request;
        let call = ProviderCall {
            model: "fast".to_owned(),
            prompt: Arc::new(request.prompt.clone()),
            manner: request.manner.clone(),
            cache_key: String::new(),
            key: request.key.clone(),
            is_followed: false,
        };
        let begun = Instant::now();
        self.providers.call(PROVIDER, call).await.context("call the local server")?;
        Ok(begun.elapsed())
    }

    async fn through(&self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.bus.ask(self.request.clone()).await.context("ask the gateway")?;
        Ok(begun.elapsed())
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
}

fn print(figures: &Figures, format: Format) -> anyhow::Result<()> {
    let row = |name: &str, value: f64, unit: &str| {
        vec![name.to_owned(), format!("{value:.2}"), unit.to_owned()]
    };
    match format {
        Format::Json | Format::Id => output::json(figures),
        Format::Ndjson => output::ndjson(figures),
        Format::Table => {
            let rows = [
                row("added by the gateway, half of the calls", figures.added_p50_ms, "ms at most"),
                row("through the gateway, half of the calls", figures.gateway_p50_ms, "ms at most"),
                row("through the gateway, 99 of 100", figures.gateway_p99_ms, "ms at most"),
                row("direct, half of the calls", figures.direct_p50_ms, "ms at most"),
                row("through one gateway", figures.calls_per_s, "calls per second"),
                row("direct", figures.direct_calls_per_s, "calls per second"),
            ];
            Ok(output::table(&["WHAT", "FIGURE", "UNIT"], &rows)?)
        }
    }
}
