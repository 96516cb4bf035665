use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::StatusCode,
};
use cadre_core::{access::Access, task::EndStatus};
use futures::StreamExt as _;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::kit::{House, request};
use crate::model::tests::kit::Story;

/// Longest wait for anything; only a failure is ever that slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Events of a stream as they come.
struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn open(house: &House, path: &str, secret: &str, last: Option<&str>) -> Self {
        let asked = request("GET", path, secret).header("accept", "text/event-stream");
        let asked = last.iter().fold(asked, |asked, last| asked.header("last-event-id", *last));
        let asked = asked.body(Body::empty()).unwrap();
        let response = house.app.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next record: its id, and which revision it is. `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, u64)> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
                };
                let Some(data) = field("data") else { continue };
                assert_eq!(field("event"), Some("record"));
                let record: serde_json::Value = serde_json::from_str(data).unwrap();
                let id = field("id").unwrap().to_owned();
                assert_eq!(record["sequence"].to_string(), id);
                return Some((id, record["rev"].as_u64().unwrap()));
            }
            let more = timeout(PATIENCE, self.body.next()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn a_stream_that_was_cut_goes_on_where_it_was() {
    let whole = Story::new("acme", "one", 0).whole();
    let mut begun = whole.clone();
    begun.records.truncate(3);
    let noise = Story::new("acme", "noise", 1).whole();
    let house = House::closed(&[&begun, &noise]).await;
    let secret = house.token("acme", Access::Viewer);
    let path = format!("/v1/tasks/{}/events", whole.task);
    let mut seen = Vec::new();
    let mut first = Events::open(&house, &path, &secret, None).await;
    for _ in 0..2 {
        seen.push(first.next().await.unwrap());
    }
    drop(first);
    let mut second = Events::open(&house, &path, &secret, Some(&seen[1].0)).await;
    seen.push(second.next().await.unwrap());
    // What is written while somebody follows comes too, and the task's end ends the stream.
    whole.write_from(&house.desk.log, 3);
    while let Some(event) = second.next().await {
        seen.push(event);
    }
    let revisions: Vec<_> = seen.iter().map(|(_, rev)| *rev).collect();
    assert_eq!(revisions, (1..=whole.records.len() as u64).collect::<Vec<_>>());
    let (last, _) = seen.last().unwrap();
    let asked = request("GET", &path, &secret).header("accept", "text/event-stream");
    let asked = asked.header("last-event-id", last).body(Body::empty()).unwrap();
    assert_eq!(house.ask(asked).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_page_says_where_the_next_one_begins() {
    let story = Story::new("acme", "one", 0).whole();
    let house = House::closed(&[&story]).await;
    let secret = house.token("acme", Access::Viewer);
    let (mut after, mut revisions) = (0, Vec::new());
    loop {
        let path = format!("/v1/tasks/{}/events?limit=2&after={after}", story.task);
        let page = house.get(&path, &secret).await.json();
        let rows = page["rows"].as_array().unwrap();
        assert!(rows.len() <= 2);
        revisions.extend(rows.iter().map(|row| row["rev"].as_u64().unwrap()));
        let Some(next) = page["next"].as_u64() else { break };
        after = next;
    }
    assert_eq!(revisions, (1..=story.records.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn streams_end_when_the_process_does() {
    let story = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    let house = House::closed(&[&story]).await;
    let secret = house.token("acme", Access::Viewer);
    let path = format!("/v1/tasks/{}/events", story.task);
    let mut events = Events::open(&house, &path, &secret, None).await;
    for _ in 0..story.records.len() {
        events.next().await.unwrap();
    }
    house.closing.send_replace(true);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn an_answer_is_waited_for() {
    let begun = Story::new("acme", "one", 0).dispatch("read", 1, "reader");
    let whole = begun.clone().end(EndStatus::Completed);
    let house = House::closed(&[&begun]).await;
    let secret = house.token("acme", Access::Viewer);
    let path = format!("/v1/tasks/{}/result", whole.task);
    let early = house.get(&path, &secret).await;
    assert_eq!((early.status, &early.json()["status"]), (StatusCode::ACCEPTED, &"running".into()));
    let path = format!("{path}?wait=30");
    let write = async { whole.write_from(&house.desk.log, begun.records.len()) };
    let (late, ()) = tokio::join!(house.get(&path, &secret), write);
    assert_eq!(late.status, StatusCode::OK, "{late:?}");
    assert_eq!(late.json()["status"], "completed");
}
