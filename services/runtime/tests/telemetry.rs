//! Exports to a real OTLP receiver in this process. One test: a process has one subscriber.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly in its helpers too")]

use std::time::Duration;

use cadre_core::ids::{Name, TaskId};
use cadre_runtime::{
    metrics::{self, table},
    redact,
    telemetry::{self, LogFormat, TelemetryError, TelemetryOptions},
    trace,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use tokio::{net::TcpListener, sync::mpsc, task::spawn_blocking, time::timeout};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

struct Receiver(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn receiver() -> (String, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = mpsc::unbounded_channel();
    let service = TraceServiceServer::new(Receiver(sender));
    let server =
        Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(async move { server.await.unwrap() });
    (endpoint, received)
}

fn options(endpoint: Option<String>) -> TelemetryOptions {
    TelemetryOptions {
        service: "cadre-test".to_owned(),
        endpoint,
        log: LogFormat::Json,
        filter: "info".to_owned(),
        ansi: false,
        has_page: true,
        has_content: false,
        redactions: vec![redact::known_secrets],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is counted is on the page, and what is forgotten is not.
fn figures() {
    table::GOALS_ACCEPTED.add(&["order"], 2);
    table::STEP_DURATION.measure(&["reader"], Duration::from_millis(30));
    table::QUEUE_PENDING.set(&["role.reader"], 7);
    table::PROJECTION_LAG.set(&["read_model"], 3);
    table::PROJECTION_LAG.set(&["watch"], 4);
    let text = metrics::text().unwrap();
    for line in [
        "# HELP cadre_goals_accepted_total Goals that became tasks.",
        "# TYPE cadre_goals_accepted_total counter",
        "cadre_goals_accepted_total{workflow=\"order\"} 2",
        "cadre_step_duration_seconds_bucket{role=\"reader\",le=\"0.05\"} 1",
        "cadre_step_duration_seconds_count{role=\"reader\"} 1",
        "cadre_queue_pending_messages{queue=\"role.reader\"} 7",
        "cadre_projection_lag_seconds{projection=\"watch\"} 4",
        // Its first increase would not be seen if it had no figure before.
        "cadre_log_regressions_total 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
    metrics::watch_is_over();
    let text = metrics::text().unwrap();
    assert!(
        !text.contains("cadre_queue_pending_messages") && !text.contains("\"watch\""),
        "{text}"
    );
    assert!(text.contains("cadre_projection_lag_seconds{projection=\"read_model\"} 3"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_arrives_under_its_remote_parent_when_the_guard_is_dropped() {
    let refused = telemetry::init(&options(Some("https://example.test:4317".to_owned())));
    assert!(matches!(refused, Err(TelemetryError::Endpoint { .. })), "{refused:?}");
    let garbled = telemetry::init(&TelemetryOptions { filter: "a=b=c".into(), ..options(None) });
    assert!(matches!(garbled, Err(TelemetryError::Filter { .. })), "{garbled:?}");

    let (endpoint, mut received) = receiver().await;
    let guard = telemetry::init(&options(Some(endpoint))).unwrap();
    assert!(trace::is_exporting());
    let again = telemetry::init(&options(None));
    assert!(matches!(again, Err(TelemetryError::StartedBefore(_))), "{again:?}");

    figures();

    let key = "sk-planted-0123456789";
    let span = tracing::debug_span!(target: "cadre_test", "step", role = "extractor", note = key);
    trace::adopt(&span, Some(&format!("00-{TRACE}-{PARENT}-01")));
    let own = span.in_scope(|| {
        tracing::warn!(target: "cadre_test", why = key, "call failed");
        trace::current_traceparent().unwrap()
    });
    drop(span);
    let task = TaskId::derive(&Name::nobody(), "traced");
    let root = trace::root(&task, Some(&own)).unwrap();
    assert!(root.starts_with(&format!("00-{TRACE}-")) && root != own, "{root}");
    assert_eq!(trace::root(&task, Some(&own)).unwrap(), root, "the same in every process");
    assert_ne!(trace::root(&task, None).unwrap().get(3..35), Some(TRACE));
    // As the binary does it: outside of any async worker.
    spawn_blocking(move || drop(guard)).await.unwrap();
    assert!(!trace::is_exporting());

    let request = timeout(Duration::from_secs(10), received.recv()).await.unwrap().unwrap();
    let [resource] = &request.resource_spans[..] else { panic!("{request:?}") };
    let service = resource.resource.as_ref().unwrap().attributes.iter();
    assert!(service.clone().any(|attribute| format!("{attribute:?}").contains("cadre-test")));
    let spans: Vec<&Span> = resource.scope_spans.iter().flat_map(|scope| &scope.spans).collect();
    let [span] = spans[..] else { panic!("{spans:?}") };
    let exported = format!("{span:?}");
    assert!(!exported.contains("planted"), "{exported}");
    assert_eq!(exported.matches("[redacted]").count(), 2, "an attribute and an event: {exported}");
    assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()), (TRACE, PARENT));
    assert_eq!(own, format!("00-{TRACE}-{}-01", hex(&span.span_id)));
    assert_eq!(span.name, "step");
}
