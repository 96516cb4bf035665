//! A pack whose models are swapped for one on a local server that speaks OpenAI's wire.

use std::process::Stdio;

use cadre_tests::{aimock::Aimock, process::program};
use serde_json::{Value, json};
use tokio::process::Command;

/// Answers the planner's sample with a plan that can be done.
fn fixtures() -> Value {
    let errand = |about: &str| json!({"id": about, "role": "scout", "input": {"place": "Lisbon", "about": about}});
    let agenda = json!({"id": "agenda", "role": "drafter", "input": {
        "guests": {"$from": "input.guests"},
        "facts": [{"$from": "venue.fact"}, {"$from": "weather.fact"}]
    }});
    let plan = json!({"steps": [errand("venue"), errand("weather"), agenda]});
    let answer = json!({"output": plan, "confidence": 0.9, "unsure": null, "needs_human": null});
    let response = json!({"content": answer.to_string()});
    json!({"fixtures": [{"match": {"userMessage": "Lisbon"}, "response": response}]})
}

/// Runs `cadre` with the server as provider `local`; its exit code and data.
async fn cadre(server: &Aimock, args: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(program());
    command.args(args).args(["-o", "json"]).stdin(Stdio::null()).env_remove("CADRE_NATS");
    command.env("CADRE_PROVIDERS", format!("local={}", server.url("/v1/")));
    let output = command.output().await.expect("cadre runs");
    let talk = String::from_utf8_lossy(&output.stderr);
    let data = serde_json::from_slice(&output.stdout);
    (output.status.code(), data.unwrap_or_else(|error| panic!("{error}: {talk}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_asks_the_model_that_is_named_in_place_of_its_own() {
    let server = Aimock::start(&fixtures(), &[]).await;
    let model = ["--model", "local/any"];
    let (code, answer) =
        cadre(&server, &[&["demo", "--pack", "planner"][..], &model].concat()).await;
    assert_eq!(code, Some(0), "{answer:#}");
    let agenda = "For 12 guests: the venue of Lisbon is fine, the weather of Lisbon is fine.";
    assert_eq!(answer["result"]["agenda"], agenda, "{answer:#}");

    // How long it takes here says nothing; the rest is as good as it was.
    let (code, report) = cadre(&server, &[&["pack", "test", "planner"][..], &model].concat()).await;
    let sample = &report["samples"]["lisbon.json"];
    let differences = sample["differences"].as_array().expect("a list");
    let worse: Vec<_> = differences.iter().filter(|it| it["is_regress"] == true).collect();
    assert!(worse.iter().all(|it| it["what"] == "latency"), "{sample:#}");
    assert_eq!(code, Some(if worse.is_empty() { 0 } else { 16 }), "{report:#}");
    assert_eq!(sample["run"]["calls"][0]["model"], "local/any", "{sample:#}");
    let calls = differences.iter().find(|it| it["what"] == "calls of trip-0").expect("shown");
    let expected = ("simulated/strong, simulated/strong", "local/any");
    assert_eq!((&calls["before"], &calls["after"]), (&json!(expected.0), &json!(expected.1)));
}
