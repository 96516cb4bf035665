//! Reading everything on a real server.

use cadre_core::ids::Partitions;

use super::*;
use crate::{
    connect::{ConnectOptions, connect},
    server::{Server, testing::server},
    topology::apply,
};

const TASK: &str = "vs3tl6e2t2bmylf5r7pg2ndlxn";

async fn prepared() -> (Server, Context, Topology) {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    let topology = Topology::dev(Partitions::new(2));
    apply(&connection.js, &topology, false).await.expect("applied");
    (server, connection.js, topology)
}

async fn publish(js: &Context, subject: &str) {
    let mut headers = HeaderMap::new();
    headers.insert("Cadre-Schema", "1");
    let sent = js.publish_with_headers(subject.to_owned(), headers, "body".into()).await;
    sent.expect("sent").await.expect("stored");
}

async fn everything(js: &Context) {
    for subject in [
        "goals.acme.demo".to_owned(),
        format!("cadre.1.in.goal.acme.{TASK}"),
        format!("cadre.1.log.{TASK}"),
        "cadre.1.log.aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
        format!("cadre.1.due.{TASK}.wake"),
        format!("cadre.1.work.reader.{TASK}.first.1"),
        format!("answers.acme.demo.{TASK}"),
        "cadre.0.dead.input.7".to_owned(),
        "cadre.1.work.reader.other.first.1".to_owned(),
    ] {
        publish(js, &subject).await;
    }
}

fn options(filter: Option<&str>, from: Begin) -> TailOptions {
    TailOptions { filter: filter.map(str::to_owned), from, follow: false, headers_only: false }
}

async fn read(js: &Context, topology: &Topology, options: &TailOptions) -> Vec<TailItem> {
    let items = tail(js, topology, options).await.expect("opened");
    let all = tokio::time::timeout(Duration::from_secs(20), items.collect::<Vec<_>>()).await;
    all.expect("ends").into_iter().map(|item| item.expect("whole")).collect()
}

#[tokio::test]
async fn all_streams_are_read_and_nothing_is_taken() {
    let (_server, js, topology) = prepared().await;
    everything(&js).await;
    for _ in 0..2 {
        let items = read(&js, &topology, &options(None, Begin::All)).await;
        assert_eq!(items.len(), 9);
        let mut kinds: Vec<String> = items.iter().map(|item| item.kind.to_string()).collect();
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            ["answer", "dead", "due", "goal", "input", "order", "order", "record", "record"]
        );
        let answer = items.iter().find(|item| item.kind == TailKind::Answer).expect("listed");
        assert_eq!(answer.headers, [("Cadre-Schema".to_owned(), "1".to_owned())]);
        assert_eq!((&answer.body[..], answer.sequence), (&b"body"[..], 1));
        assert!(answer.at.0 > 1_700_000_000_000);
    }
    assert_eq!(read(&js, &topology, &options(None, Begin::Now)).await, []);
    let recent = options(None, Begin::Since(Duration::from_secs(600)));
    assert_eq!(read(&js, &topology, &recent).await.len(), 9);
    let ahead = options(None, Begin::Since(Duration::ZERO));
    assert_eq!(read(&js, &topology, &ahead).await, []);
}

#[tokio::test]
async fn a_task_and_a_subject_narrow_it() {
    let (_server, js, topology) = prepared().await;
    everything(&js).await;
    let of_task = read(&js, &topology, &options(Some(TASK), Begin::All)).await;
    assert_eq!(of_task.len(), 5);
    assert!(of_task.iter().all(|item| item.subject.contains(TASK)));
    for (filter, count) in
        [("cadre.*.log.*", 2), ("cadre.>", 7), (">", 9), ("goals.acme.>", 1), ("elsewhere.>", 0)]
    {
        let found = read(&js, &topology, &options(Some(filter), Begin::All)).await;
        assert_eq!(found.len(), count, "{filter}");
    }
    let error = tail(&js, &topology, &options(Some("a b"), Begin::All)).await.err();
    assert!(matches!(error, Some(TailError::Filter { .. })), "{error:?}");
}

#[tokio::test]
async fn following_goes_on_with_what_comes() {
    let (_server, js, topology) = prepared().await;
    everything(&js).await;
    let options = TailOptions { follow: true, ..options(None, Begin::Now) };
    let mut items = tail(&js, &topology, &options).await.expect("opened");
    publish(&js, "cadre.0.log.bbbbbbbbbbbbbbbbbbbbbbbbbb").await;
    publish(&js, "cadre.0.in.cancel.acme.b").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let item = tokio::time::timeout(Duration::from_secs(10), items.next()).await;
        seen.push(item.expect("in time").expect("open").expect("whole").kind);
    }
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, [TailKind::Input, TailKind::Record]);
}

#[test]
fn no_time_ago_is_too_long() {
    assert!(before(Duration::MAX) < before(Duration::from_secs(1)));
}
