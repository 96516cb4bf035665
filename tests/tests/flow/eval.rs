//! Suites: the one that ships passes, a changed prompt is worse than the baseline, and a finished task becomes
//! a case that plays without a model.

use std::{fs, path::Path};

use cadre::packs::BuiltIn;
use cadre_tests::bed::Bed;
use serde_json::{Value, json};

use crate::packs::{cadre, init};

fn parsed(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}:\n{data}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_suite_passes_and_a_changed_prompt_is_worse() {
    let (_folder, pack) = init("support").await;
    let suite = format!("{pack}/evals");
    let (code, data, talk) =
        cadre(&["eval", "run", &suite, "--write-baseline", "-o", "json"], &[]).await;
    assert_eq!(code, Some(0), "{data}{talk}");
    let report = parsed(&data);
    let totals = &report["totals"];
    assert_eq!((&totals["cases"], &totals["tries"]), (&json!(3), &json!(6)), "{totals}");
    for share in ["success_rate", "pass_k", "contract_validity", "tools_in_order"] {
        assert_eq!(totals[share], 1.0, "{share}: {report:#}");
    }
    assert_eq!((&totals["wrong_turns"], &totals["loops"]), (&json!(0), &json!(0)), "{report:#}");
    assert_eq!(report["cases"]["charge"]["steps"], 6, "three in each try");
    assert!(totals["usd_micros"].as_u64() > Some(0) && totals["latency_ms"].as_f64() > Some(0.0));
    assert!(Path::new(&suite).join("baseline.json").is_file());

    let prompt = Path::new(&pack).join("prompts/triage.md");
    let text = fs::read_to_string(&prompt).expect("a prompt");
    fs::write(&prompt, text.replace("You triage", "You judge")).expect("written");
    let (code, data, talk) = cadre(&["eval", "run", &suite, "--tries", "1"], &[]).await;
    assert_eq!(code, Some(16), "{data}{talk}");
    for part in ["WORSE", "status is failed, not completed", "! charge: passed: 2 in 2 tries -> 0"]
    {
        assert!(data.contains(part), "no {part:?} in:\n{data}");
    }
    assert!(talk.contains("worse than its baseline"), "{talk}");

    // Without a baseline it is what is expected that counts.
    fs::write(&prompt, text).expect("written");
    fs::remove_file(Path::new(&suite).join("baseline.json")).expect("removed");
    let case = Path::new(&suite).join("charge.yaml");
    let wanted = fs::read_to_string(&case).expect("a case").replace("[billing]", "[technology]");
    fs::write(&case, wanted).expect("written");
    let (code, data, talk) =
        cadre(&["eval", "run", &suite, "--case", "charge", "-o", "id"], &[]).await;
    assert_eq!((code, data.as_str()), (Some(16), "charge\n"), "{talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_task_becomes_one_case_that_plays_without_a_model() {
    let bed = Bed::new().await;
    let pack = BuiltIn::find("support").expect("it ships");
    bed.apply(&pack.source()).await;
    let stack = bed.stack().await;
    let goal = pack.file("samples/charge.json").expect("a sample");
    let task = bed.publish("support", "order", &serde_json::from_slice(goal).expect("JSON")).await;
    bed.answer(&task).await;
    let planted = json!({"customer": "eve", "text": "My key is sk-planted-0123456789abcdef."});
    let secret = bed.publish("support", "secret", &planted).await;
    bed.answer(&secret).await;

    let folder = tempfile::tempdir().expect("a folder");
    let suite = folder.path().join("suite").to_str().expect("a name").to_owned();
    let url = bed.server.urls().join(",");
    for _ in 0..2 {
        let args = ["eval", "add", task.as_str(), "--suite", &suite, "--nats", &url];
        let (code, data, talk) = cadre(&args, &[]).await;
        assert_eq!(code, Some(0), "{talk}");
        assert_eq!(data, format!("{suite}/{task}.yaml\n"));
    }
    let names = || {
        let files = fs::read_dir(&suite).expect("a folder").filter_map(Result::ok);
        let mut names: Vec<_> =
            files.map(|it| it.file_name().into_string().expect("text")).collect();
        names.sort();
        names
    };
    let (yaml, jsonl) = (format!("{task}.yaml"), format!("{task}.jsonl"));
    let mut expected = [jsonl.as_str(), &yaml, "pack", "suite.yaml"];
    expected.sort_unstable();
    assert_eq!(names(), expected);

    // What looks like a key is no part of a suite.
    let add = ["eval", "add", secret.as_str(), "--suite", &suite, "--nats", &url];
    let (code, _, talk) = cadre(&add, &[]).await;
    assert!(code == Some(2) && talk.contains("/goal/text"), "{talk}");
    assert_eq!(names().len(), 4);
    let (code, _, talk) = cadre(&[&add[..], &["--redact"]].concat(), &[]).await;
    assert_eq!(code, Some(0), "{talk}");
    let kept = Path::new(&suite).join(format!("{secret}.yaml"));
    let text = fs::read_to_string(&kept).expect("a case");
    assert!(text.contains("[redacted]") && !text.contains("planted"), "{text}");
    fs::remove_file(kept).expect("removed");

    // On the deployment that it comes from, and alone: its own answers play, the pack has none.
    let (code, data, talk) =
        cadre(&["eval", "run", &suite, "--live", "--nats", &url, "-o", "json"], &[]).await;
    assert_eq!(code, Some(0), "{data}{talk}");
    fs::remove_dir_all(Path::new(&suite).join("pack/cassettes")).expect("removed");
    let (code, data, talk) = cadre(&["eval", "run", &suite, "-o", "json"], &[]).await;
    assert_eq!(code, Some(0), "{data}{talk}");
    let totals = &parsed(&data)["totals"];
    assert_eq!((&totals["success_rate"], &totals["tools_in_order"]), (&json!(1.0), &json!(1.0)));
    stack.stop().await;
}
