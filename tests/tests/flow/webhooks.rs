//! Ends of tasks, told to programs over HTTP: whoever is away, and whoever dies.

use std::net::SocketAddr;

use cadre_core::ids::TaskId;
use cadre_nats::topology::{ANSWERS_STREAM, diff, discover};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
    process::Process,
    receiver::{Heard, Receiver},
    shell::{cadre, fine},
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

async fn edge(bed: &Bed, args: &[&str]) -> Process {
    let fixed = ["--role", "edge", "--http", "127.0.0.1:0", "--http-auth", "off"];
    Process::serve(&bed.server.urls().join(","), &[&fixed, args].concat()).await
}

/// Tells `url` of the ends of a tenant; id and secret.
async fn webhook(bed: &Bed, url: &str, tenant: &str) -> (String, String) {
    let args = ["webhook", "add", url, "--private", "--tenant", tenant, "-o", "json"];
    let made = fine(bed, &args).await.json();
    let text = |key: &str| made[key].as_str().expect("a text").to_owned();
    (text("id"), text("secret"))
}

/// The webhook as it is listed, as soon as it goes like this.
async fn goes(bed: &Bed, id: &str, state: &str) -> Value {
    let listed = async {
        loop {
            let rows = fine(bed, &["webhook", "ls", "-o", "json"]).await.json();
            let rows = rows.as_array().expect("a list").clone();
            let row = rows.into_iter().find(|row| row["id"] == id).expect("the webhook");
            if row["state"] == state {
                return row;
            }
        }
    };
    timeout(PATIENCE, listed).await.expect("in time")
}

async fn ended(bed: &Bed, key: &str) -> TaskId {
    let task = bed.publish("echoes", key, &json!({"n": key})).await;
    bed.answer(&task).await;
    task
}

/// Ends tasks until one is told of with this secret; what was told.
async fn signed_by(bed: &Bed, receiver: &mut Receiver, secret: &str) -> Heard {
    let until = Instant::now() + PATIENCE;
    for number in 0.. {
        assert!(Instant::now() < until, "nothing is ever signed with the new secret");
        let task = ended(bed, &format!("rotated-{number}")).await;
        let id = format!("end_{task}");
        let mut count = 1;
        let told = loop {
            let heard = receiver.hears(count).await;
            if let Some(told) = heard.iter().find(|told| told.header("webhook-id") == id) {
                break told.clone();
            }
            count = heard.len() + 1;
        };
        if told.is_signed_with(secret).await {
            return told;
        }
    }
    unreachable!("it counts for long")
}

/// Changes the webhook's secret: what is told next is signed with both; all that was heard by then.
async fn rotated(bed: &Bed, receiver: &mut Receiver, (id, secret): (&str, &str)) -> Vec<Heard> {
    let rotated = fine(bed, &["webhook", "rotate", id, "-o", "json"]).await.json();
    let renewed = rotated["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(renewed, secret);
    // Who tells of ends hears of it within a moment; until then the former one is alone.
    let told = signed_by(bed, receiver, &renewed).await;
    assert!(told.is_signed_with(secret).await, "the former one counts for a day");
    receiver.heard()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_although_its_receiver_was_away_and_the_edge_was_killed() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let mut first = edge(&bed, &["--webhooks", "any"]).await;
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    // Somewhere nobody listens for now.
    let place = Receiver::at(local, 200).await.address();
    let (id, secret) = webhook(&bed, &format!("http://{place}/hook?key=hidden"), "acme").await;
    let (other, _) = webhook(&bed, &format!("http://{place}/other"), "other").await;
    let one = ended(&bed, "one").await;
    let failing = goes(&bed, &id, "failing").await;
    assert!(failing["error"].as_str().is_some_and(|error| !error.contains("hidden")), "{failing}");
    assert!(!failing.to_string().contains(&secret[6..20]), "{failing}");
    first.kill().await;

    let mut receiver = Receiver::at(place, 200).await;
    let second = edge(&bed, &["--webhooks", "any"]).await;
    let told = receiver.hears(1).await.remove(0);
    assert_eq!(told.path, "/hook?key=hidden");
    assert_eq!(told.header("webhook-id"), format!("end_{one}"));
    assert!(told.is_signed_with(&secret).await && !told.is_signed_with("whsec_AAAA").await);
    let body: Value = serde_json::from_str(&told.body).expect("json");
    assert_eq!(
        (&body["type"], &body["data"]["status"]),
        (&json!("task.ended"), &json!("completed"))
    );
    assert_eq!(
        (&body["data"]["task"], &body["data"]["result"]["echo"]["n"]),
        (&json!(one.as_str()), &json!("one"))
    );
    goes(&bed, &id, "ok").await;

    let heard = rotated(&bed, &mut receiver, (&id, &secret)).await;
    assert!(heard.iter().all(|told| told.path != "/other"), "{heard:?}");
    goes(&bed, &other, "new").await;

    let topology = discover(&bed.connection.js).await.expect("ours");
    assert_eq!(diff(&bed.connection.js, &topology).await.expect("compared"), [], "no drift");
    fine(&bed, &["webhook", "rm", &id]).await;
    let answers = bed.connection.js.get_stream(ANSWERS_STREAM).await.expect("the stream");
    assert!(answers.consumer_info(&format!("hook-{id}")).await.is_err(), "nothing is left of it");
    let rows = fine(&bed, &["audit", "ls", "--chain", "tenant.acme", "-o", "json"]).await.json();
    let rows = rows.as_array().expect("a list");
    let of: Vec<_> = rows
        .iter()
        .filter(|row| row["object"] == format!("webhook/{id}"))
        .map(|row| {
            (row["action"].as_str().expect("a text"), row["reason"].as_str().expect("a text"))
        })
        .collect();
    let reason = format!("every workflow, at {place}");
    let done = ["webhook_added", "webhook_rotated", "webhook_removed"];
    assert_eq!(of, done.map(|action| (action, reason.as_str())));
    drop(second);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_not_reached_unless_it_may_be() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let door = edge(&bed, &[]).await;
    let receiver = Receiver::at(SocketAddr::from(([127, 0, 0, 1], 0)), 200).await;
    let place = receiver.address();
    let url = format!("https://localhost:{}/", place.port());
    let (by_name, _) = webhook(&bed, &url, "acme").await;
    let (by_number, _) = webhook(&bed, &format!("http://{place}/"), "acme").await;
    let refused = cadre(&bed, &["webhook", "add", &format!("http://{place}/")]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    ended(&bed, "one").await;
    let named = goes(&bed, &by_name, "failing").await;
    assert!(named["error"].as_str().is_some_and(|it| it.contains("no public address")), "{named}");
    let numbered = goes(&bed, &by_number, "failing").await;
    assert!(numbered["error"].as_str().is_some_and(|it| it.contains("https://")), "{numbered}");

    let api = door.lines().into_iter().find(|line| line.starts_with("http://")).expect("a place");
    let client = reqwest::Client::new();
    let body = json!({"url": format!("https://{place}/")}).to_string();
    let request = client.post(format!("{api}/v1/webhooks")).body(body);
    let answer =
        request.header("content-type", "application/json").send().await.expect("an answer");
    assert_eq!(answer.status(), 422);
    let test = client.post(format!("{api}/v1/webhooks/{by_name}/test"));
    let tested = test.send().await.expect("an answer").bytes().await.expect("a body");
    let tested: Value = serde_json::from_slice(&tested).expect("json");
    assert_eq!(
        (&tested["is_delivered"], &tested["status"]),
        (&json!(false), &json!(null)),
        "{tested}"
    );
    let tried = cadre(&bed, &["webhook", "test", &by_name]).await;
    assert_eq!(tried.code, Some(1), "{tried:?}");
    assert!(receiver.heard().is_empty(), "{:?}", receiver.heard());
    stack.stop().await;
}
