//! What pages look at beside the read model: streams, messages, packs, journals.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use axum::http::StatusCode;
use cadre_core::{
    access::Access,
    journal::{self, CallKind, CallOutcome, Claim, Ended, Intent},
    pack::{PackSource, compile},
    payload::{Hash, Payload},
    ports::desk::{
        BusView, ConsumerView, Drift, DriftField, PackRevision, Peek, Peeked, StepCall, StreamView,
    },
    time::UnixMillis,
    workflow::Grant,
};
use futures::StreamExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use super::house;
use crate::{
    http::tests::kit::{World, request},
    model::tests::kit::{BEGIN, Story, name, step},
};

fn drift(stream: &str, consumer: Option<&str>, field: Option<&str>) -> Drift {
    let one = |field: &str| DriftField {
        field: field.to_owned(),
        found: "1".to_owned(),
        declared: "2".to_owned(),
    };
    Drift {
        stream: stream.to_owned(),
        consumer: consumer.map(str::to_owned),
        text: format!("mend {stream}"),
        fields: field.into_iter().map(one).collect(),
        is_tolerated: false,
    }
}

/// A bus with a queue that waits, and some drift.
fn drifting(world: &mut World) {
    let (stream, role) = ("CADRE_WORK_0".to_owned(), "role-reader".to_owned());
    world.bus = BusView {
        streams: vec![
            StreamView { name: stream.clone(), ..StreamView::default() },
            StreamView { name: "PACKS".to_owned(), is_bucket: true, ..StreamView::default() },
        ],
        consumers: vec![ConsumerView {
            stream: stream.clone(),
            name: role,
            pending: 7,
            oldest: Some(Duration::from_secs(3)),
            ..ConsumerView::default()
        }],
    };
    world.drift = vec![
        drift("CADRE_WORK_0", None, Some("max_bytes")),
        drift("CADRE_WORK_0", Some("role-reader"), Some("ack_wait")),
        drift("KV_PACKS", None, Some("history")),
        drift("CADRE_TIMER_0", Some("due"), None),
        Drift { is_tolerated: true, ..drift("CADRE_LOG_0", None, Some("by_hand")) },
    ];
    let peeked = Peeked {
        sequence: 41,
        at: UnixMillis(BEGIN),
        subject: "cadre.0.work.reader".to_owned(),
        kind: "order".to_owned(),
        text: "read attempt 1 for <reader>".to_owned(),
        is_bad: false,
        headers: vec![("Cadre-Step".to_owned(), "read".to_owned())],
        size_bytes: 5_000_000,
        document: Some("{}".to_owned()),
        is_cut: true,
    };
    let peek = Peek { total: 60, first: 30, last: 99, messages: vec![peeked] };
    world.peeks.insert(stream, peek);
}

#[tokio::test]
async fn the_bus_says_what_differs_and_what_is_in_a_stream() {
    let house = house(&[]).await;
    let fleet = house.make("acme", Access::Viewer, |token| token.is_fleet = true);
    let tenant = house.token("acme", Access::Viewer);
    drifting(&mut house.desk.world.lock().unwrap());
    let page = house.get("/bus", &fleet).await.text;
    for needle in [
        "differs: max_bytes is 1, declared 2",
        "differs: ack_wait is 1, declared 2",
        "differs: history is 1, declared 2",
        "mend CADRE_TIMER_0",
        "href=\"/bus/CADRE_WORK_0\"",
    ] {
        assert!(page.contains(needle), "{needle}: {page}");
    }
    assert!(!page.contains("by_hand") && !page.contains("href=\"/bus/PACKS\""));
    let look = house.get("/bus/CADRE_WORK_0?from=41", &fleet).await.text;
    for needle in
        ["read attempt 1 for &lt;reader&gt;", "The beginning of 4.7 MB", "from=30", "from=42"]
    {
        assert!(look.contains(needle), "{needle}: {look}");
    }
    let listed = house.get("/v1/streams/CADRE_WORK_0/messages?from=41&limit=5", &fleet).await;
    let listed: serde_json::Value = serde_json::from_str(&listed.text).unwrap();
    assert_eq!((&listed["total"], &listed["rows"][0]["sequence"]), (&json!(60), &json!(41)));
    assert_eq!(listed["rows"][0]["headers"]["Cadre-Step"], "read");
    let (missing, many) =
        ("/v1/streams/none/messages", "/v1/streams/CADRE_WORK_0/messages?limit=101");
    assert_eq!(house.get(missing, &fleet).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get(many, &fleet).await.status, StatusCode::BAD_REQUEST);
    let other = house.get("/v1/streams/CADRE_WORK_0/messages", &tenant).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    assert_eq!(house.get("/bus/none", &fleet).await.status, StatusCode::NOT_FOUND);
    let refused = house.get("/bus/CADRE_WORK_0", &tenant).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "messages are everybody's");
    assert!(!house.get("/bus", &tenant).await.text.contains("href=\"/bus/CADRE"));
}

fn revision(deadline: &str) -> PackRevision {
    let yaml = format!(
        "apiVersion: pack/v1\nname: intake\nroles:\n  reader: {{runtime: remote, accepts: contracts/any.v1.json, \
         returns: contracts/any.v1.json, limits: {{timeout: 5s}}}}\nworkflow:\n  input: contracts/any.v1.json\n  \
         output: contracts/any.v1.json\n  limits: {{deadline: {deadline}, max_steps: 9, max_usd: 0, max_tokens: 0}}\n  \
         when_limited: partial\n  steps:\n    read: {{role: reader, with: \"${{ goal }}\"}}\n  \
         result: {{x: {{from: [\"${{ read }}\"], required: false}}}}\n"
    );
    let files = [
        ("pack.yaml", yaml.into_bytes()),
        ("contracts/any.v1.json", br#"{"type": "object"}"#.to_vec()),
    ];
    let files = files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
    let source = PackSource { files };
    PackRevision { workflow: Arc::new(compile(&source).unwrap()), source }
}

#[tokio::test]
async fn a_pack_shows_what_each_revision_has_changed() {
    let (old, new) = (revision("30s"), revision("60s"));
    let hashes = [&old, &new].map(|one| one.workflow.revision.clone());
    let house = house(&[]).await;
    let secret = house.token("acme", Access::Viewer);
    house.desk.world.lock().unwrap().packs = vec![old, new];
    let page = house.get("/packs", &secret).await.text;
    assert!(page.contains("Graph of the plan"), "the only pack is shown: {page}");
    for (sign, deadline) in
        [("minus", "-  limits: {deadline: 30s"), ("plus", "+  limits: {deadline: 60s")]
    {
        assert!(page.contains(&format!("<span class=\"{sign}\">{deadline}")), "{page}");
    }
    assert!(page.contains(&format!("revision={}", hashes[0])), "one that no task has is there too");
    let older = format!("/packs?pack=intake&revision={}&against={}", hashes[0], hashes[1]);
    let page = house.get(&older, &secret).await.text;
    assert!(page.contains("<span class=\"plus\">+  limits: {deadline: 30s"), "{page}");
    let page = house.get("/packs?pack=intake&revision=none", &secret).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("class=\"plus\""));
}

#[tokio::test]
async fn a_call_says_what_the_model_was_told_and_what_not() {
    let story = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    let house = house(&[&story]).await;
    let secret = house.token("acme", Access::Viewer);
    let record = json!({
        "model": "a/b", "why": "the first route", "passed": [{"model": "c/d", "why": "has no key"}],
        "said": {"text": "done", "calls": [{"id": "1", "tool": "lookup", "arguments": {"q": "x"}}]},
        "tools": {"offered": ["clock", "lookup"]},
        "context": {"turns": 3, "tokens_estimated": 120, "input_omitted": ["notes"]},
    });
    let intent = Intent {
        kind: CallKind::Model,
        target: "cheap".to_owned(),
        arguments: Hash::of(b"x"),
        description: "ask cheap".to_owned(),
        is_idempotent: true,
        reserved: Grant::default(),
    };
    let outcome = CallOutcome::Done(Payload::from_value(record).unwrap());
    let call = journal::Call {
        intent,
        begun: Claim { attempt: 1, delivery: 1, worker: "w1".to_owned() },
        ended: Some(Ended { outcome, cost: Grant::default(), ruled_by: None }),
    };
    house.desk.world.lock().unwrap().calls =
        vec![StepCall { step: step("read"), role: name("reader"), number: 1, call }];
    let page = house.get(&format!("/tasks/{}?tab=calls&step=read", story.task), &secret).await.text;
    for needle in ["c/d", "has no key", "notes of the input", "lookup called", "3 turns", "clock"] {
        assert!(page.contains(needle), "{needle}: {page}");
    }
    assert!(page.contains("wants it · by advance"), "why the step is as it is: {page}");
}

/// The next events of a stream until one says this.
async fn until(body: &mut axum::body::BodyDataStream, wanted: &str) {
    let mut heard = String::new();
    while !heard.contains(wanted) {
        let next = tokio::time::timeout(Duration::from_secs(60), body.next());
        heard += &String::from_utf8_lossy(&next.await.expect("in time").expect("more").unwrap());
    }
}

#[tokio::test]
async fn a_tab_hears_of_what_no_log_tells_of() {
    let house = house(&[]).await;
    let secret = house.make("acme", Access::Admin, |token| token.is_fleet = true);
    let asked = request("GET", "/live?topics=bus,webhooks,tasks", &secret);
    let response = house.app.clone().oneshot(asked.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    // What every tab is told at once, and every five seconds, whatever was seen.
    until(&mut body, "data: bus webhooks\n").await;
    drifting(&mut house.desk.world.lock().unwrap());
    until(&mut body, "event: stale\ndata: bus\n").await;
}
