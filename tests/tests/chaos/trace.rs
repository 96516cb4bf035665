//! One task is one trace, whatever processes it goes through.

use std::collections::BTreeSet;

use async_nats::HeaderMap;
use cadre_core::ids::TaskId;
use cadre_tests::{bed::Bed, packs, process::Process};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::ResourceSpans,
};
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PUBLISHER: &str = "b7ad6b7169203331";

struct Receiver(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).expect("the test listens");
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn receiver() -> (String, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, received) = mpsc::unbounded_channel();
    let service = TraceServiceServer::new(Receiver(sender));
    let incoming = TcpIncoming::from(listener);
    let server = Server::builder().add_service(service).serve_with_incoming(incoming);
    tokio::spawn(async move { server.await.expect("a receiver") });
    (endpoint, received)
}

/// One span as the receiver got it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    process: String,
    name: String,
    task: String,
    trace: String,
    id: String,
    parent: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn one_task_is_one_trace_across_processes() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("traced", 2)).await;
    let (endpoint, mut received) = receiver().await;
    let mut processes = Vec::new();
    for role in ["orchestrator", "agent", "aggregator"] {
        let instance = format!("service.instance.id={role}");
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_RESOURCE_ATTRIBUTES", instance.as_str()),
            // What is exported does not depend on what is logged.
            ("CADRE_LOG", "warn"),
        ];
        let url = bed.server.url();
        processes.push(Process::serve_with(&url, &["--role", role], &variables).await);
    }

    let traced = publish(&bed, "traced", Some(&format!("00-{TRACE}-{PUBLISHER}-01"))).await;
    let untraced = publish(&bed, "untraced", None).await;
    let ends = (trace_of_answer(&bed, &traced).await, trace_of_answer(&bed, &untraced).await);
    // A process that ends sends its last spans first.
    for process in &mut processes {
        assert_eq!(process.stop().await, Some(0), "{:?}", process.lines());
    }
    let mut seen = Vec::new();
    while let Ok(request) = received.try_recv() {
        seen.extend(request.resource_spans.iter().flat_map(spans));
    }

    assert_eq!(ends.0, TRACE);
    check(&seen, &traced, &ends.0, PUBLISHER);
    // A publisher without a trace gets one, from the first who sees its goal.
    assert_ne!(ends.1, ends.0);
    check(&seen, &untraced, &ends.1, "");
}

/// Every span of the task belongs to `trace`, each hangs on another, the first on `root`.
fn check(seen: &[Seen], task: &TaskId, trace: &str, root: &str) {
    let spans: Vec<_> = seen.iter().filter(|span| span.task == task.as_str()).collect();
    let of = |process: &str, name: &str| {
        let is_such = |span: &&&Seen| span.process == process && span.name == name;
        spans.iter().filter(is_such).count()
    };
    let counts = (of("orchestrator", "intake"), of("orchestrator", "decide"));
    assert_eq!(counts, (1, 4), "accepted, two reports, the aggregator's: {spans:#?}");
    assert_eq!((of("agent", "step"), of("aggregator", "step")), (2, 1), "{spans:#?}");
    let ids: BTreeSet<_> = spans.iter().map(|span| span.id.as_str()).collect();
    for span in &spans {
        assert_eq!(span.trace, trace, "{span:?}");
        let is_first = span.name == "intake" && span.parent == root;
        assert!(is_first || ids.contains(span.parent.as_str()), "{span:?} hangs in the air");
    }
}

async fn publish(bed: &Bed, key: &str, traceparent: Option<&str>) -> TaskId {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", key);
    if let Some(traceparent) = traceparent {
        headers.insert("traceparent", traceparent);
    }
    let js = &bed.connection.js;
    let sent = js.publish_with_headers("goals.acme.traced", headers, "{}".into()).await;
    sent.expect("sent").await.expect("stored");
    TaskId::derive(&"acme".parse().expect("a name"), key)
}

/// The trace that the answer's message names.
async fn trace_of_answer(bed: &Bed, task: &TaskId) -> String {
    let answer = bed.answer(task).await;
    assert_eq!(answer["status"], "completed", "{answer}");
    let answers = bed.connection.js.get_stream("CADRE_ANSWERS").await.expect("stream");
    let subject = format!("answers.acme.traced.{task}");
    let message = answers.get_last_raw_message_by_subject(&subject).await.expect("the answer");
    let traceparent = message.headers.get("traceparent").expect("a traceparent");
    traceparent.as_str().split('-').nth(1).expect("a trace").to_owned()
}

fn spans(resource: &ResourceSpans) -> Vec<Seen> {
    let attributes = &resource.resource.as_ref().expect("a resource").attributes;
    let process = text(attributes, "service.instance.id");
    let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
    spans
        .map(|span| Seen {
            process: process.clone(),
            name: span.name.clone(),
            task: text(&span.attributes, "task"),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
        })
        .collect()
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
