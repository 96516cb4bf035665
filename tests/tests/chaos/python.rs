//! The worker in another language: `proto/examples/worker.py` on plain NATS.

use cadre_tests::{bed::Bed, packs, process::Process, python::modules};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, process::Command};

/// The example that the wire contract's documentation shows.
const WORKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/examples/worker.py");

/// A remote step between two built-in ones.
const PACK: &str = r#"
apiVersion: pack/v1
name: abroad
roles:
  here: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 30s}}
  there: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 30s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/answer.v1.json
  limits: {deadline: 1m, max_steps: 3, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    out: {role: here, with: "${ goal }"}
    work: {role: there, after: [out], with: "${ out }"}
    back: {role: here, after: [work], with: "${ work }"}
  result:
    echo: "${ back }"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_worker_does_the_steps_of_a_remote_role() {
    let modules = modules().await;
    let bed = Bed::new().await;
    let answer = r#"{"type": "object", "properties": {"echo": {}}, "required": ["echo"]}"#;
    let contracts =
        [("contracts/any.v1.json", packs::ANYTHING), ("contracts/answer.v1.json", answer)];
    bed.apply(&packs::pack(PACK, &contracts)).await;
    let stack = bed.stack().await;
    let mut command = Command::new("python3");
    command.args([WORKER, "--url", &bed.server.url(), "there"]).env("PYTHONPATH", modules);
    let mut worker = Process::spawn("worker.py", command);

    // A small document, one that travels by reference, and two that look like references.
    let inputs = [
        json!({"text": "Vertrag über Äpfel", "number": 9_007_199_254_740_993_u64}),
        json!({"text": "x".repeat(100_000)}),
        json!({"$blob": {"sha256": "0".repeat(64), "size": 1}}),
        json!({"$json": {"$json": 1}}),
    ];
    for (number, input) in inputs.iter().enumerate() {
        let task = bed.publish("abroad", &format!("goal-{number}"), input).await;
        let answer = whole(&bed, bed.answer(&task).await).await;
        assert_eq!(answer["status"], "completed", "{answer}");
        assert_eq!(&answer["result"]["echo"], input);
        assert_eq!(answer["steps"], 3);
    }

    assert_eq!(worker.stop().await, Some(0), "{:?}", worker.lines());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_a_role_that_no_pack_declares_says_so() {
    let modules = modules().await;
    let bed = Bed::new().await;
    let mut command = Command::new("python3");
    command.args([WORKER, "--url", &bed.server.url(), "stranger"]).env("PYTHONPATH", modules);
    let mut worker = Process::spawn("worker.py", command);
    worker.says("no pack has role stranger: apply one").await;
    assert_eq!(worker.ended().await, Some(0));
    let talk = worker.lines().join("\n");
    assert!(!talk.contains("Traceback"), "{talk}");
}

/// A large answer travels by reference, too.
async fn whole(bed: &Bed, document: Value) -> Value {
    let Some(name) = document["$blob"]["sha256"].as_str() else { return document };
    let store = bed.connection.js.get_object_store("CADRE_BLOBS").await.expect("a store");
    let mut text = Vec::new();
    store.get(name).await.expect("kept").read_to_end(&mut text).await.expect("read");
    serde_json::from_slice(&text).expect("json")
}
