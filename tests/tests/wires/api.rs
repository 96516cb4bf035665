//! The HTTP API against its own description, by a program that nobody here wrote.

use cadre_tests::{payment::Payment, process::Process, schemathesis};
use serde_json::{Value, json};

/// The description with names that exist, so that answers with content are tried too.
fn with_names(mut description: Value, task: &str) -> Value {
    let names = [("id", task), ("task", task), ("step", "allow"), ("name", "payment")];
    let paths = description["paths"].as_object_mut().expect("paths");
    for (path, operations) in paths {
        if path.contains("dead-letters") {
            continue;
        }
        for operation in operations.as_object_mut().expect("operations").values_mut() {
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                // Nobody has the time to wait for an answer that does not come.
                if parameter["name"] == "wait" {
                    parameter["schema"]["maximum"] = json!(1);
                }
                if parameter["in"] != "path" {
                    continue;
                }
                if let Some((_, name)) = names.iter().find(|(name, _)| parameter["name"] == *name) {
                    parameter["schema"] = json!({"type": "string", "enum": [name, "none"]});
                }
            }
        }
    }
    // Who is added is told of ends: on this machine alone.
    let url = &mut description["components"]["schemas"]["WebhookBody"]["properties"]["url"];
    *url = json!({"type": "string", "enum": ["http://127.0.0.1:1/", "no address"]});
    description
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_what_its_description_says() {
    let payment = Payment::new().await;
    let task = payment.wants("k", &[], &json!({"usd": 5, "to": "bolt"})).await;
    payment.asked(&task).await;
    let args =
        ["--role", "edge", "--http", "127.0.0.1:0", "--http-auth", "off", "--webhooks", "any"];
    let edge = Process::serve(&payment.bed.server.urls().join(","), &args).await;
    let url = edge.lines().into_iter().find(|line| line.starts_with("http://")).expect("a place");
    let place = format!("{url}/v1/openapi.json");
    let text = reqwest::get(place).await.expect("an answer").text().await.expect("a text");
    let description = with_names(serde_json::from_str(&text).expect("json"), task.as_str());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, description.to_string()).expect("written");
    schemathesis::tries(&url, &file).await;
    payment.stack.stop().await;
}
