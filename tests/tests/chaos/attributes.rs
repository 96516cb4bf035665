//! What a trace says beside the conventions: each decision with its reason and budget, each question to a person, and
//! what a model was not told. Names that begin with `cadre.` are stable: dashboards of others depend on them.

use std::{collections::BTreeMap, path::Path};

use cadre::packs::{BuiltIn, read};
use cadre_tests::{bed::Bed, collector::Collector, hand::Hand, process::Process, shell::cadre};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use serde_json::json;
use tokio::time::{Instant, timeout};

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pair = |one: &KeyValue| {
        let value = one.value.as_ref().and_then(|it| it.value.as_ref());
        (one.key.clone(), value.map(text).unwrap_or_default())
    };
    all.iter().map(pair).collect()
}

/// Grants what the task asks, as soon as it does.
async fn granted(bed: &Bed, task: &str) {
    let until = Instant::now() + cadre_tests::bed::PATIENCE;
    let args = ["approval", "grant", task, "--as", "bo", "--tenant", "acme"];
    while cadre(bed, &args).await.code != Some(0) {
        assert!(Instant::now() < until, "task {task} never asks");
    }
}

fn spans(received: &mut Collector) -> Vec<Span> {
    let mut spans = Vec::new();
    while let Ok(request) = received.spans.try_recv() {
        let scopes = request.resource_spans.into_iter().flat_map(|one| one.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    spans
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_questions_and_what_was_left_out_have_stable_names() {
    let bed = Bed::new().await;
    let payment = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/payment");
    bed.apply(&read(&payment).expect("a pack")).await;
    let support = BuiltIn::find("support").expect("it ships");
    bed.apply(&support.source()).await;
    let mut received = Collector::start().await;
    let mut processes = Vec::new();
    for role in ["orchestrator", "agent", "aggregator", "inference"] {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", received.endpoint.as_str())];
        processes.push(Process::serve_with(&bed.server.url(), &["--role", role], &variables).await);
    }
    let bill = json!({"usd": 5, "to": "bolt"});
    let paid = bed.publish("payment", "bill", &bill).await;
    granted(&bed, paid.as_str()).await;
    Hand::of(&bed, "bank").await.order().await.complete(&bill).await;
    bed.answer(&paid).await;
    let sample = support.file("samples/error.json").expect("a sample").to_vec();
    let goal = serde_json::from_slice(&sample).expect("json");
    let helped = bed.publish("support", "error", &goal).await;
    bed.answer(&helped).await;
    // A process that ends sends its last spans first.
    for process in &mut processes {
        let stopped = timeout(cadre_tests::bed::PATIENCE, process.stop()).await;
        assert_eq!(stopped.expect("in time"), Some(0), "{:?}", process.lines());
    }
    let spans = spans(&mut received);
    let of = |task: &str| {
        let of_task = |span: &&Span| {
            attributes(&span.attributes).get("gen_ai.conversation.id").map(String::as_str)
                == Some(task)
        };
        spans.iter().filter(of_task).collect::<Vec<_>>()
    };
    decisions(&of(paid.as_str()));
    questions(&of(helped.as_str()));
}

/// Of a task that asks a person and pays.
fn decisions(spans: &[&Span]) {
    let made = spans
        .iter()
        .filter(|span| span.name.starts_with("decide ") || span.name.starts_with("plan "));
    let mut steps = Vec::new();
    for span in made {
        let said = attributes(&span.attributes);
        for name in ["cadre.decision", "cadre.reason", "cadre.cause"] {
            assert!(said.get(name).is_some_and(|text| !text.is_empty()), "{name}: {said:#?}");
        }
        for unit in ["usd_micros", "tokens", "steps"] {
            let number = |when: &str| {
                said.get(&format!("cadre.budget.{when}.{unit}")).and_then(|it| it.parse().ok())
            };
            let (before, after): (Option<u64>, Option<u64>) = (number("before"), number("after"));
            assert!(before.zip(after).is_some_and(|(was, is)| was <= is), "{unit}: {said:#?}");
        }
        steps.push(said["cadre.budget.after.steps"].clone());
    }
    steps.sort_unstable();
    steps.dedup();
    assert_eq!(steps, ["1", "2"], "the question and the payment are orders of their own");
    let asked = spans.iter().find(|span| span.name == "approval allow");
    let asked = attributes(&asked.expect("the question has a span").attributes);
    assert_eq!(
        (asked["cadre.approval.kind"].as_str(), asked["cadre.outcome"].as_str()),
        ("approval", "answered")
    );
}

/// Of a task whose roles ask models and call tools.
fn questions(spans: &[&Span]) {
    let events = spans.iter().flat_map(|span| &span.events);
    let asked: Vec<_> = events.filter(|event| event.name == "cadre.question").collect();
    assert!(!asked.is_empty(), "nothing tells what models were told");
    for event in asked {
        let said = attributes(&event.attributes);
        for name in ["cadre.model.why", "cadre.omitted", "cadre.omitted.input", "cadre.tools"] {
            assert!(said.contains_key(name), "{name}: {said:#?}");
        }
        assert!(said["cadre.tools"].contains("offered"), "{said:#?}");
    }
    let kinds = ["chat ", "execute_tool ", "invoke_agent ", "invoke_workflow "];
    for kind in kinds {
        assert!(spans.iter().any(|span| span.name.starts_with(kind)), "no {kind}");
    }
    let content = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"];
    let told = spans.iter().flat_map(|span| attributes(&span.attributes).into_keys());
    let told: Vec<_> = told.filter(|key| content.contains(&key.as_str())).collect();
    assert_eq!(told, Vec::<String>::new(), "nobody has opted in");
}
