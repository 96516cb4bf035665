//! What a real OTLP backend makes of our traces.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cadre::packs::BuiltIn;
use cadre_core::ids::TaskId;
use cadre_tests::{bed::Bed, phoenix::Phoenix, process::Process};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const KEY: &str = "sk-planted-0123456789abcdef";

/// Longest wait until the backend shows what it has got.
const PATIENCE: Duration = Duration::from_secs(60);

/// One task of each shipped pack whose roles ask models; their answers are recorded.
async fn tasks(bed: &Bed) -> BTreeMap<&'static str, TaskId> {
    let sample = |pack: &str, name: &str| {
        let file = BuiltIn::find(pack).expect("a pack").file(&format!("samples/{name}"));
        String::from_utf8(file.expect("a sample").to_vec()).expect("text")
    };
    let parsed = |text: String| serde_json::from_str::<Value>(&text).expect("json");
    let goals = [
        ("contract", "contract-intake", json!({"text": sample("contract", "nda.txt")})),
        ("support", "support", parsed(sample("support", "error.json"))),
        ("planner", "planner", parsed(sample("planner", "lisbon.json"))),
    ];
    let mut tasks = BTreeMap::new();
    for (pack, workflow, goal) in goals {
        bed.apply(&BuiltIn::find(pack).expect("a pack").source()).await;
        let task = bed.publish(workflow, pack, &goal).await;
        let answer = bed.answer(&task).await;
        assert_eq!(answer["status"], "completed", "{answer}");
        tasks.insert(workflow, task);
    }
    tasks
}

fn text<'a>(span: &'a Value, key: &str) -> &'a str {
    span["attributes"][key].as_str().unwrap_or_default()
}

fn number(span: &Value, key: &str) -> i64 {
    span["attributes"][key].as_i64().unwrap_or_default()
}

fn of<'a>(spans: &'a [Value], task: &TaskId) -> Vec<&'a Value> {
    spans.iter().filter(|span| text(span, "gen_ai.conversation.id") == task.as_str()).collect()
}

/// How many spans of the task are of a kind, as the backend understands them.
fn count(spans: &[&Value], kind: &str) -> usize {
    spans.iter().filter(|span| span["span_kind"] == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_reads_agents_models_and_tools_of_each_task() {
    let phoenix = Phoenix::start().await;
    let bed = Bed::new().await;
    let url = bed.server.url();
    let roles = [("orchestrator", "0"), ("agent", "0"), ("aggregator", "0"), ("inference", "1")];
    let mut processes = Vec::new();
    for (role, content) in roles {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", phoenix.otlp.as_str()),
            ("CADRE_TRACE_CONTENT", content),
            ("OPENAI_API_KEY", KEY),
        ];
        processes.push(Process::serve_with(&url, &["--role", role], &variables).await);
    }
    let tasks = tasks(&bed).await;
    // A process that ends sends its last spans first.
    for process in &mut processes {
        assert_eq!(process.stop().await, Some(0), "{:?}", process.lines());
    }

    let until = Instant::now() + PATIENCE;
    let is_whole = |spans: &[Value]| {
        tasks.values().all(|task| {
            let own = of(spans, task);
            let ids: BTreeSet<_> = own.iter().map(|it| it["context"]["span_id"].as_str()).collect();
            let hangs = |span: &&&Value| ids.contains(&span["parent_id"].as_str());
            let is_told = own.iter().any(|span| text(span, "gen_ai.operation.name") == "aggregate");
            is_told && own.iter().filter(hangs).count() > 3
        })
    };
    let spans = loop {
        let spans = phoenix.spans().await;
        if is_whole(&spans) {
            break spans;
        }
        assert!(Instant::now() < until, "spans are missing: {spans:#?}");
        sleep(Duration::from_millis(300)).await;
    };
    for (pack, task) in &tasks {
        check(pack, task, &of(&spans, task));
    }
    assert!(
        count(&of(&spans, &tasks["support"]), "TOOL") > 0,
        "{:#?}",
        of(&spans, &tasks["support"])
    );
    let all = Value::from(spans).to_string();
    assert!(!all.contains(KEY), "a provider's key was exported");
}

fn check(pack: &str, task: &TaskId, spans: &[&Value]) {
    let traces: BTreeSet<_> = spans.iter().map(|it| it["context"]["trace_id"].as_str()).collect();
    assert_eq!(traces.len(), 1, "{pack}: one task is one trace");
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).count();
    assert_eq!(named(&format!("invoke_workflow {pack}")), 1, "{pack}: {spans:#?}");
    assert!(named(&format!("plan {pack}")) >= 1, "{pack}: {spans:#?}");
    assert_eq!(named("aggregate"), 1, "{pack}: {spans:#?}");
    assert!(count(spans, "AGENT") > 0 && count(spans, "LLM") > 0, "{pack}: {spans:#?}");
    let ids: BTreeSet<_> = spans.iter().map(|span| span["context"]["span_id"].as_str()).collect();
    for span in spans {
        let name = span["name"].as_str().unwrap_or_default();
        match span["span_kind"].as_str() {
            Some("AGENT") => {
                assert_eq!(name, format!("invoke_agent {}", text(span, "gen_ai.agent.name")));
                assert!(number(span, "cadre.attempt") > 0, "{span:#?}");
                assert!(ids.contains(&span["parent_id"].as_str()), "{span:#?} hangs in the air");
            }
            Some("LLM") => {
                let tokens = ["llm.token_count.prompt", "llm.token_count.completion"];
                assert!(tokens.iter().all(|key| number(span, key) > 0), "{span:#?}");
                assert_eq!(text(span, "gen_ai.provider.name"), "simulated");
                assert_eq!(text(span, "llm.model_name"), text(span, "gen_ai.request.model"));
                // Content was asked for where models are called, and nowhere else.
                let first = "llm.input_messages.0.message.role";
                assert_eq!(text(span, first), "system", "{span:#?}");
            }
            Some("TOOL") => {
                assert_eq!(name, format!("execute_tool {}", text(span, "tool.name")));
                assert_eq!(text(span, "gen_ai.tool.call.arguments"), "", "{task}: {span:#?}");
            }
            _ => {}
        }
    }
}
