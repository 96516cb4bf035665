//! Exports to a real OTLP receiver in this process. One test: a process has one subscriber.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly in its helpers too")]

use std::time::Duration;

use cadre_runtime::{
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

    let span = tracing::debug_span!(target: "cadre_test", "step", role = "extractor");
    trace::adopt(&span, Some(&format!("00-{TRACE}-{PARENT}-01")));
    let own = span.in_scope(trace::current_traceparent).unwrap();
    drop(span);
    // As the binary does it: outside of any async worker.
    spawn_blocking(move || drop(guard)).await.unwrap();
    assert!(!trace::is_exporting());

    let request = timeout(Duration::from_secs(10), received.recv()).await.unwrap().unwrap();
    let [resource] = &request.resource_spans[..] else { panic!("{request:?}") };
    let service = resource.resource.as_ref().unwrap().attributes.iter();
    assert!(service.clone().any(|attribute| format!("{attribute:?}").contains("cadre-test")));
    let spans: Vec<&Span> = resource.scope_spans.iter().flat_map(|scope| &scope.spans).collect();
    let [span] = spans[..] else { panic!("{spans:?}") };
    assert_eq!((hex(&span.trace_id).as_str(), hex(&span.parent_span_id).as_str()), (TRACE, PARENT));
    assert_eq!(own, format!("00-{TRACE}-{}-01", hex(&span.span_id)));
    assert_eq!(span.name, "step");
}
