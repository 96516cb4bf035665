//! `cadre demo chaos` as people run it, as short as it can be.

use std::process::Stdio;

use cadre_tests::process::program;
use serde_json::Value;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_breaks_everything_and_finds_nothing() {
    let mut command = Command::new(program());
    command.args(["demo", "chaos", "--for", "20s", "--tasks", "40", "--seed", "7", "-o", "json"]);
    command.env("NO_COLOR", "1").env_remove("CADRE_NATS").env_remove("CADRE_OUTPUT");
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("it runs");
    let story = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{story}");
    let figures: Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(figures["violations"], 0, "{figures:#}");
    assert_eq!(figures["tasks"]["published"], 40, "{figures:#}");
    for fault in ["role broken", "worker killed", "worker frozen", "broker restarted"] {
        assert_eq!(figures["faults"][fault], 1, "{figures:#}");
    }
    assert_eq!(figures["faults"]["approval expired"], 2, "{figures:#}");
    let calls = &figures["calls"];
    assert_eq!(calls["results"], calls["undisturbed"], "each once: {figures:#}");
    // Redelivery, breaker, fallback, resume, expiry: each is told as it happens.
    for word in
        ["  fallback  ", "  resumed   ", "  expired   ", "breaker of role.", "answers again"]
    {
        assert!(story.contains(word), "{word}: {story}");
    }
    assert!(!story.contains('\u{1b}'), "no colours: {story}");
}
