//! Who may import whom, from `cargo metadata`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What each crate may import of ours; ARCHITECTURE.md says why.
const FLOORS: &[(&str, &[&str])] = &[
    ("cadre-core", &[]),
    ("cadre-proto", &["cadre-core"]),
    ("cadre-runtime", &["cadre-core"]),
    ("cadre-nats", &["cadre-core", "cadre-proto"]),
    ("cadre-orchestrator", &["cadre-core", "cadre-proto", "cadre-runtime"]),
    ("cadre-agent", &["cadre-core", "cadre-proto", "cadre-runtime"]),
    ("cadre-aggregator", &["cadre-core", "cadre-proto", "cadre-runtime"]),
    ("cadre-inference", &["cadre-core", "cadre-proto", "cadre-runtime"]),
    ("cadre-edge", &["cadre-core", "cadre-proto", "cadre-runtime"]),
    (
        "cadre",
        &[
            "cadre-core",
            "cadre-proto",
            "cadre-runtime",
            "cadre-nats",
            "cadre-orchestrator",
            "cadre-agent",
            "cadre-aggregator",
            "cadre-inference",
            "cadre-edge",
        ],
    ),
    (
        "cadre-tests",
        &[
            "cadre",
            "cadre-core",
            "cadre-proto",
            "cadre-runtime",
            "cadre-nats",
            "cadre-orchestrator",
            "cadre-agent",
            "cadre-aggregator",
            "cadre-inference",
            "cadre-edge",
        ],
    ),
    ("cadre-browser-tests", &["cadre", "cadre-core", "cadre-tests"]),
];

/// Outside crates that only one of ours may import.
const OWNED: &[(&str, &[&str])] = &[
    ("async-nats", &["cadre-nats", "cadre-tests"]),
    ("opentelemetry-otlp", &["cadre-runtime"]),
    ("opentelemetry-prometheus", &["cadre-runtime"]),
    ("prometheus", &["cadre-runtime"]),
    ("tiktoken-rs", &["cadre-runtime"]),
    ("hyper", &["cadre-runtime", "cadre-edge"]),
    ("cel", &["cadre-core"]),
    ("jsonschema", &["cadre-core"]),
    ("prost", &["cadre-proto"]),
    ("chromiumoxide", &["cadre-browser-tests"]),
    ("clap", &["cadre"]),
    ("genai", &["cadre-inference"]),
    ("reqwest", &["cadre-inference", "cadre-edge", "cadre-tests"]),
    ("axum", &["cadre-edge"]),
    ("governor", &["cadre-edge"]),
    ("jsonwebtoken", &["cadre-edge"]),
    ("utoipa", &["cadre-edge"]),
    ("maud", &["cadre-edge"]),
    ("rusqlite", &["cadre-edge"]),
];

/// Crates that core must never see: it has no clock, no I/O, no tasks.
const NEVER_IN_CORE: &[&str] = &["tokio", "ractor", "async-nats", "rand", "tracing"];

type Graph = BTreeMap<String, Vec<String>>;

fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("json");
    metadata["packages"].as_array().expect("packages").clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Edges of normal and build dependencies; tests may import what they like.
fn graph() -> Graph {
    packages()
        .iter()
        .map(|package| {
            let edges = package["dependencies"].as_array().expect("dependencies");
            let edges = edges.iter().filter(|edge| edge["kind"] != "dev");
            (text(&package["name"]), edges.map(|edge| text(&edge["name"])).collect())
        })
        .collect()
}

fn violations(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (name, edges) in graph {
        let Some((_, allowed)) = FLOORS.iter().find(|(known, _)| known == name) else {
            found.push(format!("{name} stands on no floor"));
            continue;
        };
        for edge in edges {
            let is_ours = FLOORS.iter().any(|(known, _)| known == edge);
            if is_ours && !allowed.contains(&edge.as_str()) {
                found.push(format!("{name} imports {edge}"));
            }
            if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| owned == edge)
                && !owners.contains(&name.as_str())
            {
                found.push(format!("{name} imports {edge}, which only {owners:?} may"));
            }
            if name == "cadre-core" && NEVER_IN_CORE.contains(&edge.as_str()) {
                found.push(format!("cadre-core imports {edge}"));
            }
        }
    }
    found
}

#[test]
fn every_crate_imports_only_from_the_floors_below() {
    assert_eq!(violations(&graph()), Vec::<String>::new());
}

#[test]
fn every_crate_of_the_floors_exists() {
    let graph = graph();
    for (name, _) in FLOORS {
        assert!(graph.contains_key(*name), "{name}");
    }
}

/// With a second one, `cargo run --release -- demo` ends with a question instead of a demo.
#[test]
fn there_is_one_program() {
    let packages = packages();
    let targets = packages.iter().flat_map(|it| it["targets"].as_array().expect("targets"));
    let programs = targets.filter(|it| it["kind"][0] == "bin").map(|it| text(&it["name"]));
    assert_eq!(programs.collect::<Vec<_>>(), ["cadre"]);
}

#[test]
fn a_planted_edge_is_found() {
    let plants = [
        ("cadre-agent", "cadre-aggregator", "cadre-agent imports cadre-aggregator"),
        ("cadre-core", "tokio", "cadre-core imports tokio"),
        ("cadre-runtime", "cadre-nats", "cadre-runtime imports cadre-nats"),
    ];
    for (from, to, expected) in plants {
        let mut graph = graph();
        graph.get_mut(from).expect("a crate").push(to.to_owned());
        assert_eq!(violations(&graph), [expected]);
    }
    let mut graph = graph();
    graph.get_mut("cadre-agent").expect("a crate").push("async-nats".to_owned());
    assert_eq!(violations(&graph).len(), 1);
}
