//! What Prometheus makes of our figures, rules and dashboards: Debian's, which nobody here wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cadre_runtime::metrics::table::TABLE;
use cadre_tests::{
    process::{Process, program},
    prometheus::Programs,
    tools::{free_port, page},
};
use serde_json::{Value, json};
use tokio::{process::Command, time::Instant};

/// Longest wait for a figure: the watch looks every five seconds, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/monitoring")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_is_valid_and_does_what_its_test_says() {
    let programs = Programs::get().await;
    let (is_valid, said) =
        programs.promtool(&monitoring(), &["check", "rules", "rules.yaml"]).await;
    assert!(is_valid, "{said}");
    let (is_right, said) =
        programs.promtool(&monitoring(), &["test", "rules", "rules.test.yaml"]).await;
    assert!(is_right, "{said}");
    let all = fs::read_to_string(monitoring().join("rules.test.yaml")).expect("text");
    let first = all.split("\n\n").next().expect("a test");
    let wrong = first.replace("severity: critical, kind: stuck", "severity: warning, kind: stuck");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(monitoring().join("rules.yaml"), folder.path().join("rules.yaml")).expect("copied");
    fs::write(folder.path().join("rules.test.yaml"), wrong).expect("written");
    let (is_right, said) =
        programs.promtool(folder.path(), &["test", "rules", "rules.test.yaml"]).await;
    assert!(!is_right, "a wrong expectation is found: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_of_the_dashboards_is_read() {
    let programs = Programs::get().await;
    let mut rules = Vec::new();
    for entry in fs::read_dir(monitoring().join("dashboards")).expect("a folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("text");
        let board: Value = serde_json::from_str(&text).expect("json");
        let panels = board["panels"].as_array().expect("panels").iter();
        let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
        for expression in targets.map(|target| target["expr"].as_str().expect("text")) {
            let expression = expression.replace("$__rate_interval", "5m");
            rules.push(json!({"record": format!("check:{}", rules.len()), "expr": expression}));
        }
    }
    assert!(rules.len() > 50, "{}", rules.len());
    let folder = tempfile::tempdir().expect("a folder");
    let groups = json!({"groups": [{"name": "dashboards", "rules": rules}]});
    fs::write(folder.path().join("all.yaml"), groups.to_string()).expect("written");
    let (is_valid, said) = programs.promtool(folder.path(), &["check", "rules", "all.yaml"]).await;
    assert!(is_valid, "{said}");
}

/// `cadre dev` with a pack that asks models and calls tools.
async fn dev(folder: &Path) -> (Process, String, String) {
    let port = free_port();
    let mut command = Command::new(program());
    command.args(["dev", "--ephemeral", "--port", &port.to_string()]).current_dir(folder);
    command.env("XDG_DATA_HOME", folder).env_remove("CADRE_METRICS");
    let mut process = Process::spawn("cadre dev", command);
    process.says("Ctrl-C ends it").await;
    let lines = process.lines();
    let line = lines.iter().find(|line| line.contains("figures")).expect("it says where");
    let figures = line.split_whitespace().last().expect("an address").to_owned();
    (process, format!("nats://127.0.0.1:{port}"), figures)
}

async fn cadre(url: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program());
    command.args(["--nats", url]).args(args).env("NO_COLOR", "1");
    let output = command.output().await.expect("cadre runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// Goals of several kinds: models with a tool, a lead that plans, a crew that asks a person, much that goes wrong, and
/// one that is none.
async fn work(url: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packs = tests.join("../services/cadre/packs");
    let trouble = tests.join("packs/trouble").display().to_string();
    let sample = |pack: &str, name: &str| packs.join(pack).join("samples").join(name);
    for pack in ["planner", "support", &trouble] {
        let (code, said) = cadre(url, &["pack", "apply", pack]).await;
        assert_eq!(code, Some(0), "{said}");
    }
    let text = format!("text=@{}", sample("contract", "nda.txt").display());
    let error = format!("@{}", sample("support", "error.json").display());
    let plan = format!("@{}", sample("planner", "lisbon.json").display());
    let (good, partial) = (Some(0), Some(6));
    let goals = [
        ("contract-intake", &text, good),
        ("support", &error, good),
        ("planner", &plan, good),
        ("trouble", &"a=1".to_owned(), partial),
    ];
    for (workflow, input, expected) in goals {
        let (code, said) = cadre(url, &["goal", "publish", workflow, "-i", input, "--wait"]).await;
        assert_eq!(code, expected, "{said}");
    }
    let stray = format!("@{}", sample("support", "stray.json").display());
    let (code, said) = cadre(url, &["goal", "publish", "support", "-i", &stray]).await;
    assert_eq!(code, good, "{said}");
    let (code, said) = cadre(url, &["goal", "publish", "nothing", "--wait"]).await;
    assert_ne!(code, good, "{said}");
}

/// Rows that this run does not show; each says in the table when it does.
const UNSEEN: [&str; 11] = [
    "cadre_webhook_tries_total",
    "cadre_webhook_ends_lost_total",
    "cadre_goals_deferred_total",
    "cadre_redeliveries_total",
    "cadre_loops_total",
    "cadre_model_rate_limit_wait_seconds",
    "cadre_model_fallbacks_total",
    "cadre_model_answers_reused_total",
    "cadre_breaker_changes_total",
    "cadre_breaker_open",
    "cadre_alerts_ended_total",
];

/// Figures by name: kind, help, and whether there is one.
fn read(text: &str) -> BTreeMap<String, (String, String, bool)> {
    let mut found: BTreeMap<String, (String, String, bool)> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help");
            found.entry(name.to_owned()).or_default().1 = help.replace("\\\\", "\\");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            found.entry(name.to_owned()).or_default().0 = kind.to_owned();
        } else {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let whole = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
            let name = whole.filter(|name| found.contains_key(*name)).unwrap_or(name);
            found.entry(name.to_owned()).or_default().2 = true;
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_a_running_deployment_and_every_figure_is_that_of_the_table() {
    let programs = Programs::get().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (mut dev, url, figures) = dev(folder.path()).await;
    let target = figures.strip_prefix("http://").and_then(|it| it.strip_suffix("/metrics"));
    let (server, command) = programs.serve(folder.path(), target.expect("an address"));
    let mut prometheus = Process::spawn("prometheus", command);
    work(&url).await;

    let rows = || TABLE.iter().map(|metric| metric.row);
    for row in rows().filter(|row| UNSEEN.contains(&row.name)) {
        assert!(row.seldom.is_some(), "{} is no more seldom than any other", row.name);
    }
    let expected: BTreeSet<_> =
        rows().map(|row| row.name).filter(|name| !UNSEEN.contains(name)).collect();
    let until = Instant::now() + PATIENCE;
    let shown = loop {
        let (status, text) = page(&figures, None).await.expect("the page");
        assert_eq!(status, 200);
        let shown = read(&text);
        let is_shown = |name: &&&str| shown.get(**name).is_some_and(|(.., is)| *is);
        let missing: Vec<_> = expected.iter().filter(|name| !is_shown(name)).collect();
        if missing.is_empty() {
            break shown;
        }
        assert!(Instant::now() < until, "never seen: {missing:?} in\n{text}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    for (name, (kind, help, _)) in &shown {
        let row = TABLE.iter().map(|metric| metric.row).find(|row| row.name == name);
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        assert_eq!((kind.as_str(), help.as_str()), (row.shape.as_str(), row.help), "{name}");
    }

    for (query, least) in [
        ("sum(cadre_tasks_ended_total{status=\"completed\"})", 3.0),
        ("sum(cadre_goals_rejected_total{reason=\"unknown_workflow\"})", 1.0),
        ("sum(cadre_up)", 4.0),
        ("sum(cadre_approvals_ended_total{outcome=\"expired\"})", 1.0),
        ("max(cadre_approvals_open)", 1.0),
        ("histogram_quantile(0.5, sum by (le) (cadre_step_duration_seconds_bucket))", 0.0001),
    ] {
        ask(&server, query, least, until).await;
    }
    assert_eq!(page(&figures.replace("/metrics", "/other"), None).await.expect("a page").0, 404);
    assert_eq!(page(&figures, Some("{}")).await.expect("a page").0, 405);
    prometheus.stop().await;
    assert_eq!(dev.stop().await, Some(0), "{:?}", dev.lines());
}

/// Asks Prometheus until the answer is at least this.
async fn ask(server: &str, query: &str, least: f64, until: Instant) {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let url = format!("{server}/api/v1/query?query={encoded}");
    loop {
        if let Ok((200, body)) = page(&url, None).await {
            let answer: Value = serde_json::from_str(&body).expect("json");
            let value = answer["data"]["result"][0]["value"][1].as_str().map(str::parse::<f64>);
            if matches!(value, Some(Ok(value)) if value >= least) {
                return;
            }
        }
        assert!(Instant::now() < until, "Prometheus never says {query} >= {least}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
