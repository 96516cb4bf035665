//! Packs with models: they pass their own test as they are shipped, a changed prompt is noticed, and what is
//! in their cassettes is what the stand-in says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use cadre_tests::{process::program, stand_in::stand_in};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// Templates: built-in packs of these names.
const TEMPLATES: [&str; 3] = ["contract", "support", "planner"];

/// Runs `cadre`; its exit code, data and talk.
pub(crate) async fn cadre(
    args: &[&str],
    variables: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let mut command = Command::new(program());
    command.args(args).stdin(Stdio::null()).env("NO_COLOR", "1").env_remove("CADRE_NATS");
    let output = command.envs(variables.iter().copied()).output().await.expect("cadre runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A new folder with a template in it.
pub(crate) async fn init(template: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("pack").to_str().expect("a name").to_owned();
    let (code, _, talk) = cadre(&["init", "--template", template, &pack], &[]).await;
    assert_eq!(code, Some(0), "{talk}");
    (folder, pack)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_template_passes_its_check_and_its_test_at_once() {
    for template in TEMPLATES {
        let (_folder, pack) = init(template).await;
        let (code, _, talk) = cadre(&["pack", "check", &pack], &[]).await;
        assert_eq!(code, Some(0), "{talk}");
        let (code, data, talk) = cadre(&["pack", "test", &pack, "-o", "json"], &[]).await;
        assert_eq!(code, Some(0), "{template}: {data}{talk}");
        let report: Value = serde_json::from_str(&data).expect("JSON");
        assert_eq!(report["regressed"], false);
        for (name, sample) in report["samples"].as_object().expect("samples") {
            let status = if name == "stray.json" { "waiting" } else { "completed" };
            assert_eq!(sample["run"]["status"], status, "{name}: {sample}");
            assert_eq!(sample["run"]["problems"], serde_json::json!([]), "{name}");
            assert!(!sample["run"]["calls"].as_array().expect("calls").is_empty(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_prompt_is_shown_with_its_effect() {
    let (_folder, pack) = init("planner").await;
    let prompt = Path::new(&pack).join("prompts/strategist.md");
    let text = fs::read_to_string(&prompt).expect("a prompt");
    fs::write(&prompt, text.replace("You plan outings.", "You plan excursions.")).expect("written");
    let contract = Path::new(&pack).join("contracts/fact.v1.json");
    let schema = fs::read_to_string(&contract).expect("a contract");
    fs::write(&contract, schema.replacen('{', "{\"title\": \"Fact\",", 1)).expect("written");
    let (code, data, talk) = cadre(&["pack", "test", &pack], &[]).await;
    assert_eq!(code, Some(16), "{data}{talk}");
    for part in [
        "status: completed -> failed",
        "the nearest one differs in the system prompt",
        "-You plan outings.",
        "+You plan excursions.",
        "contracts/fact.v1.json",
    ] {
        assert!(data.contains(part), "no {part:?} in:\n{data}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_without_answers_changes_no_file() {
    let (_folder, pack) = init("planner").await;
    let before = files(Path::new(&pack));
    let args = ["pack", "record", &pack, "--model", "openai/gpt-5-mini"];
    let (code, _, talk) = cadre(&args, &[("OPENAI_API_KEY", "")]).await;
    assert_eq!(code, Some(5), "{talk}");
    assert!(talk.contains("got no answer") && talk.contains("nothing was written"), "{talk}");
    assert_eq!(files(Path::new(&pack)), before);
}

/// Every file below a folder, with its text.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            let text = fs::read_to_string(&path).expect("text");
            found.insert(path, text);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_model_is_shown_with_its_effect() {
    let (_folder, pack) = init("planner").await;
    let file = Path::new(&pack).join("pack.yaml");
    let text = fs::read_to_string(&file).expect("a pack");
    let dear = "simulated/anthropic/claude-opus-4-5-20251101";
    fs::write(&file, text.replace("simulated/strong", dear)).expect("written");
    let (code, data, talk) = cadre(&["pack", "test", &pack], &[]).await;
    assert_eq!(code, Some(16), "it costs more: {data}{talk}");
    let calls = format!("simulated/strong, simulated/strong -> {dear}, {dear}");
    let removed = "-  planning: {routes: [{model: simulated/strong}]}";
    let added = format!("+  planning: {{routes: [{{model: {dear}}}]}}");
    for part in [calls.as_str(), "cost: ", removed, &added] {
        assert!(data.contains(part), "no {part:?} in:\n{data}");
    }
}

/// With `UPDATE=1` it writes what it recorded into the packs.
#[tokio::test(flavor = "multi_thread")]
async fn cassettes_hold_what_the_stand_in_says() {
    let model = stand_in().await;
    let provider = format!("local={}", model.url("/v1/"));
    for template in TEMPLATES {
        let (_folder, pack) = init(template).await;
        // Not there before the first recording.
        let _ = fs::remove_dir_all(Path::new(&pack).join("cassettes"));
        let args = ["pack", "record", &pack, "--model", "local/stand-in"];
        let (code, _, talk) = cadre(&args, &[("CADRE_PROVIDERS", &provider)]).await;
        assert_eq!(code, Some(0), "{template}: {talk}");
        let shipped = format!("{}/../services/cadre/packs/{template}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE").is_some() {
            copy(Path::new(&pack), Path::new(&shipped), "cassettes");
            let baseline = Path::new(&pack).join("baseline.json");
            fs::copy(baseline, Path::new(&shipped).join("baseline.json")).expect("copied");
        }
        let (new, old) = (lines(Path::new(&pack)), lines(Path::new(&shipped)));
        assert_eq!(new, old, "{template}: run this test with UPDATE=1");
    }
}

fn copy(from: &Path, to: &Path, folder: &str) {
    fs::create_dir_all(to.join(folder)).expect("a folder");
    for entry in fs::read_dir(from.join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(folder).join(entry.file_name())).expect("copied");
    }
}

/// Every line of a pack's cassettes, without how long the answer took.
fn lines(pack: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(pack.join("cassettes")).expect("cassettes") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        for line in fs::read_to_string(&path).expect("text").lines() {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line["latency_ms"].take();
            found.push((name.clone(), line));
        }
    }
    found.sort_by_key(|(name, line)| (name.clone(), line.to_string()));
    found
}
