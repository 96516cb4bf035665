//! The same tenant and key are the same task, for ever; and what a goal's headers narrow.

use async_nats::HeaderMap;
use cadre_core::ids::{Name, TaskId};
use cadre_tests::{
    bed::Bed,
    packs,
    plain::{self, Rejections},
    shell::fine,
    verdict,
};
use futures::future::join_all;
use serde_json::json;

const BODY: &[u8] = br#"{"n": 1}"#;

fn key(key: &str) -> HeaderMap {
    plain::headers(&[("Nats-Msg-Id", key)])
}

fn task(tenant: &str, key: &str) -> TaskId {
    TaskId::derive(&Name::new(tenant).expect("a name"), key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_published_fifty_times_from_ten_clients_is_one_task() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 2)).await;
    let stack = bed.stack().await;
    let url = bed.server.urls().join(",");
    let clients = join_all((0..10).map(|_| async_nats::connect(url.clone()))).await;
    let clients: Vec<_> = clients
        .into_iter()
        .map(|client| async_nats::jetstream::new(client.expect("a client")))
        .collect();

    // On and on until the broker's own window has let several through.
    let (mut published, mut stored) = (0, 0);
    while published < 50 || stored < 5 {
        let round = clients.iter().map(|js| async {
            let sent = js.publish_with_headers("goals.acme.echoes", key("same"), BODY.into());
            sent.await.expect("sent").await.expect("stored").duplicate
        });
        let duplicates = join_all(round).await;
        published += duplicates.len();
        stored += duplicates.iter().filter(|is_duplicate| !**is_duplicate).count();
    }

    let task = task("acme", "same");
    assert_eq!(bed.answer(&task).await["status"], "completed");
    for stream in ["CADRE_GOALS", "CADRE_IN_0", "CADRE_WORK_0"] {
        plain::emptied(&bed, stream).await;
    }
    assert_eq!(bed.task(&task).await.rev, 4, "accepted, two reports, the aggregator's");
    assert_eq!(plain::count(&bed, "CADRE_LOG_0", "cadre.>").await, 4, "no other task, no letter");
    assert_eq!(plain::count(&bed, "CADRE_ANSWERS", "answers.>").await, 1);
    let answers = bed.connection.js.get_stream("CADRE_ANSWERS").await.expect("stream");
    assert_eq!(answers.cached_info().state.last_sequence, 1, "answered once");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_content_is_a_conflict() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let mut rejections = Rejections::listen(&bed).await;
    let stack = bed.stack().await;
    let first = bed.publish("echoes", "taken", &json!({"n": 1, "m": 2})).await;
    let before = bed.answer(&first).await;

    // The broker's window would hide it under the same message id: try until it is stored.
    let publish = async |headers: &[(&str, &str)], body: &str| {
        let headers = [&[("Nats-Msg-Id", "taken")], headers].concat();
        let subject = "goals.acme.echoes";
        let publish = || plain::publish(&bed, subject, plain::headers(&headers), body.as_bytes());
        while publish().await.duplicate {}
    };
    publish(&[], r#"{"n": 2}"#).await;
    let conflict = rejections.next().await.document;
    assert_eq!(conflict["code"], "conflict", "{conflict}");
    assert_eq!(conflict["task"], first.as_str());
    let letter = plain::dead_letters(&bed, 1).await.remove(0);
    assert!(letter.reason.starts_with("conflict: "), "{letter:?}");

    publish(&[("Cadre-Budget-Steps", "1")], r#"{"n": 1, "m": 2}"#).await;
    assert_eq!(rejections.next().await.document["code"], "conflict", "other limits");
    // Spelling, order of keys and the deadline are no other content.
    publish(&[("Cadre-Timeout-Ms", "60000")], r#" {"m":2,"n":1}"#).await;
    plain::emptied(&bed, "CADRE_GOALS").await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert!(rejections.so_far().await.is_empty());
    assert_eq!(bed.answer(&first).await, before);
    assert_eq!(bed.task(&first).await.rev, 3);
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_that_is_repeated_after_its_deadline_is_the_known_task() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let mut rejections = Rejections::listen(&bed).await;
    let stack = bed.stack().await;
    let first = bed.publish("echoes", "late", &json!({"n": 1})).await;
    let before = bed.answer(&first).await;

    let publish = async |key: &str, body: &[u8]| {
        let headers = [("Nats-Msg-Id", key), ("Cadre-Deadline", "1700000000000")];
        let headers = plain::headers(&headers);
        while plain::publish(&bed, "goals.acme.echoes", headers.clone(), body).await.duplicate {}
    };
    publish("late", BODY).await;
    plain::emptied(&bed, "CADRE_GOALS").await;
    plain::emptied(&bed, "CADRE_IN_0").await;
    assert!(rejections.so_far().await.is_empty());
    assert_eq!(bed.answer(&first).await, before);

    publish("new", BODY).await;
    assert_eq!(rejections.next().await.document["code"], "deadline", "nobody knows this one");
    publish("late", br#"{"n": 2}"#).await;
    assert_eq!(rejections.next().await.document["code"], "conflict", "another content");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_share_keys_and_no_key_is_a_task_each() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;

    for tenant in ["acme", "globex"] {
        let subject = format!("goals.{tenant}.echoes");
        while plain::publish(&bed, &subject, key("shared"), BODY).await.duplicate {}
    }
    for _ in 0..3 {
        plain::publish(&bed, "goals.acme.echoes", HeaderMap::new(), BODY).await;
    }
    let answers = bed.answers(5).await;
    let mut tasks: Vec<_> = answers.iter().map(|answer| answer["task"].as_str()).collect();
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!(tasks.len(), 5, "{answers:?}");
    assert!(answers.iter().all(|answer| answer["status"] == "completed"), "{answers:?}");
    for tenant in ["acme", "globex"] {
        assert_eq!(bed.answer(&task(tenant, "shared")).await["tenant"], tenant);
    }
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goals_headers_reach_its_task() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 3)).await;
    let stack = bed.stack().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = plain::headers(&[
        ("Nats-Msg-Id", "narrow"),
        ("Cadre-Budget-Steps", "2"),
        ("Cadre-Budget-Usd", "0.05"),
        ("Cadre-Budget-Tokens", "7"),
        ("Cadre-Timeout-Ms", "30000"),
        ("Cadre-User", "ada"),
        ("traceparent", trace),
        ("X-Other", "ignored"),
    ]);
    plain::publish(&bed, "goals.acme.echoes", headers, BODY).await;

    let task = task("acme", "narrow");
    let answer = bed.answer(&task).await;
    assert_eq!(answer["steps"], 2, "{answer}");
    let reason = answer["reason"].as_str().expect("a reason");
    assert!(reason.contains("max_steps: 2 of 2 steps"), "{answer}");
    let state = bed.task(&task).await;
    assert_eq!(state.goal.limits.usd_micros_max, Some(50_000));
    assert_eq!(state.goal.limits.tokens_max, Some(7));
    assert_eq!(state.goal.user.as_deref(), Some("ada"));
    assert_eq!(state.goal.trace.as_deref(), Some(trace));
    let life = state.deadline.since(state.accepted_at);
    assert!(life.as_secs() <= 30 && life.as_secs() > 20, "{life:?}");
    verdict::is_clean(&bed).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_that_a_goal_was_accepted_before() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let publish = ["goal", "publish", "echoes", "-i", "n=1", "--key", "k", "--tenant", "acme"];
    let first = fine(&bed, &publish).await;
    assert!(first.text().ends_with("  accepted\n"), "{first:?}");
    bed.answer(&task("acme", "k")).await;
    let again = fine(&bed, &publish).await;
    assert!(again.text().ends_with("  accepted before\n"), "{again:?}");
    let again = fine(&bed, &[&publish[..], &["-o", "json"]].concat()).await.json();
    assert_eq!((&again["known"], &again["accepted"]), (&json!(true), &json!(true)));
    stack.stop().await;
}
