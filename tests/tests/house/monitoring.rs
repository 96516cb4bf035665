//! What watches Cadre fits Cadre: names of figures, runbook, dashboards.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use cadre_runtime::metrics::{Metric, Shape, table::TABLE};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/monitoring")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every dashboard with its name.
fn dashboards() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder().join("dashboards")).expect("a folder");
    let entries = entries.map(|entry| entry.expect("an entry").path());
    let boards = entries.map(|path| {
        let text = fs::read_to_string(&path).expect("text");
        (path.display().to_string(), text)
    });
    boards.collect()
}

/// Names of figures that a text speaks of.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("cadre_")).collect()
}

/// Names as Prometheus sees them: a histogram is three.
fn exposed() -> BTreeSet<String> {
    let all = TABLE.iter().flat_map(|metric| {
        let suffixes: &[&str] = match metric.row.shape {
            Shape::Counter | Shape::Gauge => &[""],
            Shape::Histogram => &["_bucket", "_sum", "_count"],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", metric.row.name))
    });
    all.collect()
}

/// The page for people, made of the table.
fn page() -> String {
    let mut page = "# Figures\n\nWritten from `services/runtime/src/metrics/table.rs`: `UPDATE=1 cargo test -p cadre-tests \
        --test house`. Every process shows its own at `/metrics` (`--metrics ADDR`), or sends them over OTLP. Gauges \
        without a word on it are said by the one watch that leads, so take `max`; counters are summed.\n\n\
        | figure | kind | labels | what it says |\n|--|--|--|--|\n"
        .to_owned();
    for Metric { row, .. } in TABLE {
        let labels = if row.labels.is_empty() { "–".to_owned() } else { row.labels.join(", ") };
        let seldom = row.seldom.map(|why| format!(" There {why}.")).unwrap_or_default();
        page += &format!(
            "| `{}` | {} | {labels} | {}{seldom} |\n",
            row.name,
            row.shape.as_str(),
            row.help
        );
    }
    page
}

#[test]
fn figures_have_names_as_prometheus_wants_them() {
    let mut seen = BTreeSet::new();
    for Metric { row, .. } in TABLE {
        let is_total = row.name.ends_with("_total");
        assert!(row.name.starts_with("cadre_") && seen.insert(row.name), "{}", row.name);
        assert_eq!(is_total, row.shape == Shape::Counter, "{}", row.name);
        assert_eq!(
            row.name.ends_with("_seconds") && row.shape != Shape::Gauge,
            row.shape == Shape::Histogram
        );
        assert!(row.help.ends_with('.') && !row.help.contains('|'), "{}", row.name);
        for label in row.labels {
            // Whatever a publisher chooses would have no end.
            assert!(!["task", "tenant", "key", "user", "step"].contains(label), "{}", row.name);
        }
    }
}

#[test]
fn the_page_of_figures_is_that_of_the_table() {
    let path = folder().join("METRICS.md");
    let is_update = std::env::var_os("UPDATE").is_some();
    if is_update {
        fs::write(&path, page()).expect("written");
    }
    assert_eq!(
        read("METRICS.md"),
        page(),
        "write it anew: UPDATE=1 cargo test -p cadre-tests --test house"
    );
}

#[test]
fn rules_and_dashboards_speak_of_figures_that_there_are() {
    let known = exposed();
    let mut texts = dashboards();
    texts.extend(["rules.yaml", "rules.test.yaml"].map(|name| (name.to_owned(), read(name))));
    let mut shown = BTreeSet::new();
    for (name, text) in &texts {
        let unknown: Vec<_> = names(text).into_iter().filter(|it| !known.contains(*it)).collect();
        assert_eq!(unknown, Vec::<&str>::new(), "{name}");
        shown.extend(names(text));
    }
    let is_shown = |row: &&Metric| shown.iter().any(|name| name.starts_with(row.row.name));
    let unseen: Vec<_> =
        TABLE.into_iter().filter(|row| !is_shown(row)).map(|row| row.row.name).collect();
    assert_eq!(unseen, Vec::<&str>::new(), "a figure that nobody looks at");
}

#[test]
fn each_alert_has_its_part_of_the_runbook_and_its_test() {
    let (rules, tests) = (read("rules.yaml"), read("rules.test.yaml"));
    let runbook = read("RUNBOOK.md");
    let anchor = |line: &str| {
        line.trim_start_matches('#')
            .trim()
            .to_lowercase()
            .replace(' ', "-")
            .replace(['\'', ','], "")
    };
    let anchors: BTreeSet<_> =
        runbook.lines().filter(|line| line.starts_with("## ")).map(anchor).collect();
    let named = |key: &str| -> Vec<String> {
        let lines = rules.lines().filter_map(|line| line.trim().strip_prefix(key));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    let (alerts, books) = (named("- alert:"), named("runbook:"));
    assert!(alerts.len() >= 17 && alerts.len() == books.len(), "{alerts:?} {books:?}");
    let mut used = BTreeSet::new();
    for book in &books {
        let part = book.strip_prefix("RUNBOOK.md#").unwrap_or_else(|| panic!("{book}"));
        assert!(anchors.contains(part), "{book} is not in RUNBOOK.md");
        used.insert(part.to_owned());
    }
    assert_eq!(used, anchors, "parts of the runbook that no alert names");
    for alert in &alerts {
        let is_tested = tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n"));
        assert!(is_tested, "{alert} is never seen to fire in rules.test.yaml");
    }
    // Links within the runbook.
    for link in runbook.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(anchors.contains(link), "#{link}");
    }
}

#[test]
fn every_dashboard_is_one_that_grafana_reads() {
    for (name, text) in dashboards() {
        let board: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let panels = board["panels"].as_array().unwrap_or_else(|| panic!("{name}"));
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert!(ids.len() == panels.len() && !panels.is_empty(), "{name}: panels share an id");
        for panel in panels {
            let targets = panel["targets"].as_array().unwrap_or_else(|| panic!("{name}: {panel}"));
            assert!(targets.iter().all(|target| target["expr"].is_string()), "{name}: {panel}");
        }
    }
}
