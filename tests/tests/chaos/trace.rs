//! What a collector gets: one task is one trace, whatever processes it goes through, and the watch's figures.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::HeaderMap;
use cadre_core::ids::TaskId;
use cadre_nats::letters::Query;
use cadre_tests::{alerts::Alerts, bed::Bed, collector::Collector, packs, process::Process};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
    trace::v1::ResourceSpans,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PUBLISHER: &str = "b7ad6b7169203331";

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
    let mut received = Collector::start().await;
    let mut processes = Vec::new();
    for role in ["orchestrator", "agent", "aggregator"] {
        let instance = format!("service.instance.id={role}");
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", received.endpoint.as_str()),
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
    while let Ok(request) = received.spans.try_recv() {
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
    let counts = (of("orchestrator", "intake"), of("orchestrator", "invoke_workflow traced"));
    assert_eq!(counts, (1, 1), "{spans:#?}");
    let decided = spans.iter().filter(|span| span.name.starts_with("decide ")).count();
    let counts = (of("orchestrator", "plan traced"), decided);
    assert_eq!(counts, (1, 3), "accepted, two reports, the aggregator's: {spans:#?}");
    let steps = spans.iter().filter(|span| span.name.starts_with("invoke_agent ")).count();
    assert_eq!((steps, of("aggregator", "aggregate")), (2, 1), "{spans:#?}");
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
            task: task_of(&span.attributes),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
        })
        .collect()
}

/// The task of a span of ours, by the conventions or before they are known.
fn task_of(attributes: &[KeyValue]) -> String {
    let conversation = text(attributes, "gen_ai.conversation.id");
    if conversation.is_empty() { text(attributes, "task") } else { conversation }
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

/// The last figure of each metric and its labels.
fn figures(requests: &[ExportMetricsServiceRequest]) -> BTreeMap<String, i64> {
    let resources = requests.iter().flat_map(|request| &request.resource_metrics);
    let metrics = resources.flat_map(|one| &one.scope_metrics).flat_map(|one| &one.metrics);
    let mut figures = BTreeMap::new();
    for metric in metrics {
        for point in points(metric) {
            let labels = ["kind", "severity"].map(|key| text(&point.attributes, key));
            let name = format!("{} {}", metric.name, labels.join(" "));
            let Some(number_data_point::Value::AsInt(value)) = point.value else {
                panic!("{metric:?} is no whole number");
            };
            figures.insert(name.trim_end().to_owned(), value);
        }
    }
    figures
}

fn points(metric: &Metric) -> &[NumberDataPoint] {
    match &metric.data {
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Histogram(_)) => &[],
        other => panic!("{} is {other:?}", metric.name),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_figures_of_the_watch() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("counted", 1)).await;
    let mut received = Collector::start().await;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", received.endpoint.as_str())];
    let url = bed.server.url();
    let mut process = Process::serve_with(&url, &["--role", "orchestrator"], &variables).await;
    // A task that stays open, and a wish for a task that nobody knows.
    let mut alerts = Alerts::on(&bed, "alerts.dead_letters.>").await;
    bed.publish("counted", "open", &serde_json::json!({})).await;
    let nobody = TaskId::derive(&"acme".parse().expect("a name"), "nobody");
    bed.bus.cancel(&nobody, "ada", "no reason").await.expect("sent");
    let raised = alerts.next().await;
    assert!(raised.ended_at.is_none(), "{raised:?}");
    // Somebody takes care of it; meanwhile nobody serves the open task's role.
    let letters = bed.bus.letters();
    let found = letters.find(&Query::default(), None, 9).await.expect("letters");
    let [letter] = &found.letters[..] else { panic!("{found:?}") };
    letters.discard(letter.id).await.expect("removed");
    alerts.ended().await;
    Alerts::on(&bed, "alerts.unserved.>").await.next().await;
    // A process that ends sends its last figures first.
    assert_eq!(process.stop().await, Some(0), "{:?}", process.lines());
    let mut requests = Vec::new();
    while let Ok(request) = received.metrics.try_recv() {
        requests.push(request);
    }

    let figures = figures(&requests);
    let figure = |name: &str| figures.get(name).copied();
    assert_eq!(figure("cadre_alerts_raised_total dead_letters"), Some(1), "{figures:#?}");
    assert_eq!(figure("cadre_alerts_ended_total dead_letters"), Some(1), "{figures:#?}");
    assert_eq!(figure("cadre_alerts_ended_total unserved"), None, "{figures:#?}");
    assert_eq!(figure("cadre_alerts_open dead_letters warning"), Some(0), "{figures:#?}");
    assert_eq!(figure("cadre_alerts_open unserved critical"), Some(1), "{figures:#?}");
    assert_eq!(figure("cadre_alerts_open stuck critical"), Some(0), "{figures:#?}");
    assert_eq!(figure("cadre_watch_tasks_open"), Some(1), "{figures:#?}");
    assert_eq!(figure("cadre_watch_tasks_unwatched"), Some(0), "{figures:#?}");
    assert_eq!(figure("cadre_watch_records"), Some(1), "{figures:#?}");
}
