//! Logs to stderr, traces and metrics over OTLP when an endpoint is set, metrics for a page when it is wanted.
//!
//! Called once by the binary. Without an endpoint there is no OpenTelemetry layer at all, so
//! spans below the log filter cost one comparison.

use std::{
    io,
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{SdkTracer, SdkTracerProvider},
};
use prometheus::Registry;
use tokio::runtime::Runtime;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    metrics,
    redact::{Redacting, Redaction},
    trace,
};

/// How long the last spans may take to be delivered when the process ends.
const FLUSH_MAX: Duration = Duration::from_secs(3);

/// How long one export may take.
const EXPORT_MAX: Duration = Duration::from_secs(5);

/// Pause between two exports of metrics.
const METRICS_EVERY: Duration = Duration::from_secs(15);

/// ractor opens a span per actor at `info`; with one actor per step that is noise, and work.
const RACTOR_QUIET: &str = "ractor=warn";

/// Crates between us and providers of models log requests, answers and headers, with prompts and keys in
/// them: nobody can turn that on.
const SECRETIVE: [&str; 4] = ["genai", "reqwest", "hyper", "h2"];

/// What is heard of them instead; `hyper` is the one of its clients too.
const SECRETS_QUIET: &str = "genai=off,reqwest=warn,hyper=warn,hyper_util=warn,h2=warn";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// What is logged and traced, and where it goes.
#[derive(Debug, Clone)]
pub struct TelemetryOptions {
    /// `service.name` of exported spans.
    pub service: String,
    /// OTLP receiver over plain gRPC, such as `http://127.0.0.1:4317`; `None` exports nothing.
    pub endpoint: Option<String>,
    /// How log lines look.
    pub log: LogFormat,
    /// Directives of tracing's `EnvFilter`, such as `info,cadre_runtime=debug`.
    pub filter: String,
    /// Colours in text lines: for a terminal.
    pub ansi: bool,
    /// Keeps figures for [`metrics::text`].
    pub has_page: bool,
    /// Exports prompts, answers, arguments and results of tools, too: they hold what users have written.
    pub has_content: bool,
    /// What is taken out of every exported span.
    pub redactions: Vec<Redaction>,
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// A directive that cannot be read.
    #[error("log filter {filter:?} is not valid, write it like `info,cadre_nats=debug`")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// An endpoint that nothing can be sent to.
    #[error("OTLP endpoint {endpoint:?} cannot be used, write it like `http://127.0.0.1:4317`")]
    Endpoint {
        /// As given.
        endpoint: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Figures cannot be kept for a page.
    #[error("figures cannot be kept for /metrics")]
    Figures(#[source] opentelemetry_sdk::error::OTelSdkError),
    /// Another subscriber is installed in this process.
    #[error("telemetry was started before in this process")]
    StartedBefore(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps telemetry going; dropping it delivers what is left, for at most three seconds.
#[derive(Debug)]
#[must_use = "dropping the guard ends the export"]
pub struct Guard {
    meters: Option<SdkMeterProvider>,
    export: Option<Export>,
}

#[derive(Debug)]
struct Export {
    provider: SdkTracerProvider,
    metrics: Option<MetricExporter>,
    /// The exporter's own: it must outlive the process's main runtime.
    runtime: Runtime,
}

impl Drop for Guard {
    fn drop(&mut self) {
        trace::set_exporting(false);
        let began = Instant::now();
        if let Some(export) = &self.export
            && let Err(error) = export.provider.shutdown_with_timeout(FLUSH_MAX)
        {
            tracing::warn!(%error, "last spans not exported");
        }
        let left = FLUSH_MAX.saturating_sub(began.elapsed());
        if let Some(meters) = self.meters.take()
            && let Err(error) = meters.shutdown_with_timeout(left)
        {
            tracing::warn!(%error, "last metrics not exported");
        }
        metrics::end();
        if let Some(export) = self.export.take() {
            export.runtime.shutdown_background();
        }
    }
}

/// Installs the process's subscriber; once per process.
///
/// # Errors
/// See [`TelemetryError`]; nothing is installed then.
pub fn init(options: &TelemetryOptions) -> Result<Guard, TelemetryError> {
    let filter = filter(&options.filter)?;
    let name = KeyValue::new("service.name", options.service.clone());
    let resource = Resource::builder().with_attribute(name).build();
    let mut export = match &options.endpoint {
        Some(endpoint) => {
            let redactions = options.redactions.clone();
            Some(Export::start(resource.clone(), endpoint, redactions)?)
        }
        None => None,
    };
    let registry = options.has_page.then(Registry::new);
    let pushed = export.as_mut().and_then(|export| export.metrics.take());
    let meters = meters(resource, pushed, registry.clone())?;
    match &export {
        None => tracing_subscriber::registry().with(filter).with(lines(options)).try_init()?,
        Some(export) => {
            let tracer: SdkTracer = export.provider.tracer("cadre");
            // Location and thread of each span would double its size and tell nobody anything.
            let spans = tracing_opentelemetry::layer()
                .with_tracer(tracer.clone())
                .with_location(false)
                .with_threads(false)
                .with_filter(Targets::new().with_target("cadre", LevelFilter::DEBUG));
            let lines = lines(options).with_filter(filter);
            tracing_subscriber::registry().with(lines).with(spans).try_init()?;
            trace::set_tracer(tracer, options.has_content);
        }
    }
    if let Some(meters) = &meters {
        opentelemetry::global::set_meter_provider(meters.clone());
        metrics::begin(registry);
    }
    Ok(Guard { meters, export })
}

/// Where figures go: to the collector, to a page, to both; `None` to nobody.
fn meters(
    resource: Resource,
    pushed: Option<MetricExporter>,
    registry: Option<Registry>,
) -> Result<Option<SdkMeterProvider>, TelemetryError> {
    if pushed.is_none() && registry.is_none() {
        return Ok(None);
    }
    let mut meters = SdkMeterProvider::builder().with_resource(resource);
    if let Some(exporter) = pushed {
        let reader = PeriodicReader::builder(exporter).with_interval(METRICS_EVERY);
        meters = meters.with_reader(reader.build());
    }
    if let Some(registry) = registry {
        // Names are those of the table, and what they are counted in is part of them.
        let page = opentelemetry_prometheus::exporter().with_registry(registry);
        let page = page.without_units().without_counter_suffixes().without_target_info();
        let page = page.scope_info_enabled(false).build().map_err(TelemetryError::Figures)?;
        meters = meters.with_reader(page);
    }
    Ok(Some(meters.build()))
}

fn filter(directives: &str) -> Result<EnvFilter, TelemetryError> {
    let quiet = !directives.contains("ractor");
    let is_kept = |part: &&str| !SECRETIVE.iter().any(|name| part.trim().starts_with(name));
    let kept: Vec<_> = directives.split(',').filter(is_kept).collect();
    let first = if quiet { RACTOR_QUIET } else { "" };
    EnvFilter::try_new(format!("{first},{},{SECRETS_QUIET}", kept.join(",")))
        .map_err(|source| TelemetryError::Filter { filter: directives.to_owned(), source })
}

fn lines<S>(options: &TelemetryOptions) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(options.ansi);
    match options.log {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().with_ansi(false).boxed(),
    }
}

impl Export {
    fn start(
        resource: Resource,
        endpoint: &str,
        redactions: Vec<Redaction>,
    ) -> Result<Self, TelemetryError> {
        let refused = |source: Box<dyn std::error::Error + Send + Sync>| TelemetryError::Endpoint {
            endpoint: endpoint.to_owned(),
            source,
        };
        if !endpoint.starts_with("http://") {
            return Err(refused("only plain http:// is spoken; run a collector beside it".into()));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("otlp")
            .enable_all()
            .build()
            .map_err(|error| refused(error.into()))?;
        let (spans, metrics) = {
            // The gRPC channels live on the runtime that is current when they are made.
            let _current = runtime.enter();
            let spans = SpanExporter::builder().with_tonic();
            let metrics = MetricExporter::builder().with_tonic();
            let spans = spans.with_endpoint(endpoint).with_timeout(EXPORT_MAX).build();
            (spans, metrics.with_endpoint(endpoint).with_timeout(EXPORT_MAX).build())
        };
        let spans = spans.map_err(|error| refused(error.into()))?;
        let metrics = metrics.map_err(|error| refused(error.into()))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_id_generator(trace::Ids::default())
            .with_batch_exporter(Redacting { exporter: spans, redactions })
            .build();
        Ok(Self { provider, metrics: Some(metrics), runtime })
    }
}
