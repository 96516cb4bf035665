//! What letters say and how their messages are made anew; on a real server, that they come and go.

use cadre_core::{
    ids::{Name, Partition, Partitions, TaskId},
    ports::DeadLetter,
    time::UnixMillis,
};

use super::*;
use crate::{
    bus::{JetStreamBus, pairs},
    connect::{ConnectOptions, connect},
    server::{Server, testing::server},
    tail::{TailItem, TailKind},
    topology::{Topology, apply},
};

const TASK: &str = "vs3tl6e2t2bmylf5r7pg2ndlxn";

fn item(subject: &str, headers: &[(&str, &str)], body: &'static [u8]) -> TailItem {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    TailItem {
        stream: "CADRE_LOG_3".to_owned(),
        subject: subject.to_owned(),
        sequence: 17,
        at: UnixMillis(1_000),
        kind: TailKind::Dead,
        headers: headers.iter().map(own).collect(),
        body: body.into(),
    }
}

fn letter(came_on: &str, headers: &[(&str, &str)]) -> Letter {
    let all = [&[("Cadre-Dead-Subject", came_on), ("Cadre-Dead-Reason", "bad")], headers].concat();
    let item = item("cadre.0.dead.input.cadre_in_0.7", &all, b"{}");
    let head = Head::read(&item).expect("a letter");
    Letter { head, headers: head::own(&item), body: item.body }
}

#[test]
fn an_id_has_one_spelling() {
    let id = LetterId { shard: 2, sequence: 17 };
    assert_eq!("2-17".parse(), Ok(id));
    assert_eq!(id.to_string(), "2-17");
    for text in ["", "17", "2-", "-17", "02-17", "2-017", "2-+1", "2-17-1", "a-b", "65536-1"] {
        assert!(text.parse::<LetterId>().is_err(), "{text:?}");
    }
}

#[test]
fn a_letter_tells_whose_it_is_as_far_as_it_can() {
    let acme = Name::new("acme").expect("a name");
    let task = |text: &str| Some(TaskId::parse(text).expect("a task"));
    let key = [("Cadre-Dead-Header-Nats-Msg-Id", "k")];
    let derived = Some(TaskId::derive(&acme, "k"));
    for (subject, headers, kind, tenant, about) in [
        ("goals.acme.w".to_owned(), &key[..], "goal", Some(&acme), derived),
        ("goals.acme.w".to_owned(), &[], "goal", Some(&acme), None),
        ("goals.Acme.w".to_owned(), &key[..], "goal", None, None),
        (format!("cadre.0.in.goal.acme.{TASK}"), &[], "input", Some(&acme), task(TASK)),
        (format!("cadre.0.in.report.r.{TASK}.s.1"), &[], "input", None, task(TASK)),
        (format!("cadre.0.work.r.{TASK}.s.1"), &[], "input", None, task(TASK)),
        ("no subject".to_owned(), &[], "input", None, None),
    ] {
        let head = letter(&subject, headers).head;
        assert_eq!((head.kind.as_str(), head.tenant.as_ref()), (kind, tenant), "{subject}");
        assert_eq!(head.task, about, "{subject}");
        assert_eq!((head.id, head.size_bytes), (LetterId { shard: 3, sequence: 17 }, 2));
    }
    assert_eq!(Head::read(&item(&format!("cadre.0.log.{TASK}"), &[], b"")), None);
}

#[test]
fn sizes_are_those_of_the_message() {
    let subject = "cadre.0.dead.work.work.7";
    for (headers, body, size) in [
        (&[("Nats-Msg-Size", "9")][..], &b""[..], 9),
        (&[], b"abc", 3),
        (&[("Cadre-Dead-Size", "9000000"), ("Nats-Msg-Size", "262144")], b"", 9_000_000),
    ] {
        assert_eq!(Head::read(&item(subject, headers, body)).expect("a letter").size_bytes, size);
    }
}

#[test]
fn a_query_wants_what_it_names() {
    let head = letter("goals.acme.w", &[("Cadre-Dead-Header-Nats-Msg-Id", "k")]).head;
    let query = |kind: Option<&str>, tenant: Option<&str>, task: Option<TaskId>| Query {
        kind: kind.map(str::to_owned),
        tenant: tenant.map(|name| Name::new(name).expect("a name")),
        task,
    };
    assert!(Query::default().wants(&head));
    assert!(query(Some("goal"), Some("acme"), head.task.clone()).wants(&head));
    assert!(!query(Some("work"), None, None).wants(&head));
    assert!(!query(None, Some("other"), None).wants(&head));
    assert!(!query(None, None, Some(TaskId::parse(TASK).expect("a task"))).wants(&head));
}

#[test]
fn a_message_goes_out_as_it_came_but_without_guards() {
    let headers = [
        ("Cadre-Dead-Header-Nats-Msg-Id", "order-7"),
        ("Cadre-Dead-Header-Nats-Expected-Last-Subject-Sequence", "0"),
        ("Cadre-Dead-Header-Nats-Pin-Id", "p"),
        ("Cadre-Dead-Header-Cadre-User", "ada"),
        ("Cadre-Dead-Header-X", "1"),
        ("Cadre-Dead-Header-X", "2"),
    ];
    let read = |letter: &Letter| {
        let again = again::again(letter).expect("repeatable");
        let mut pairs = pairs(Some(&again.headers));
        pairs.sort();
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={value}"));
        (again.subject, pairs.collect::<Vec<_>>().join(" "))
    };
    // A goal's key is its name; an input's name is the letter's.
    let goal = letter("goals.acme.w", &headers);
    let as_was = "Cadre-User=ada Nats-Msg-Id=order-7 X=1 X=2".to_owned();
    assert_eq!(read(&goal), ("goals.acme.w".to_owned(), as_was));
    let subject = format!("cadre.0.in.report.r.{TASK}.s.1");
    let renamed = "Cadre-User=ada Nats-Msg-Id=letter:1000:3-17 X=1 X=2".to_owned();
    assert_eq!(read(&letter(&subject, &headers)), (subject, renamed));
    let keyless = letter("goals.acme.w", &[]);
    assert_eq!(read(&keyless).1, "Nats-Msg-Id=letter:1000:3-17");
}

#[test]
fn what_cannot_be_repeated_says_why() {
    let why = |letter: &Letter| again::again(letter).expect_err("unrepeatable").to_string();
    for subject in ["goals.Acme.w", "goals.rejected.acme", "goals.zo?.w", "", "answers.a.b.c"] {
        assert!(why(&letter(subject, &[])).starts_with("its subject"), "{subject}");
    }
    let lost = [("Cadre-Dead-Headers-Left-Out", "3")];
    assert!(why(&letter("goals.a.w", &lost)).starts_with("3 of its headers were too large"));
    let lost = [("Cadre-Dead-Size", "9000000")];
    assert!(why(&letter("goals.a.w", &lost)).starts_with("most of its 9000000 bytes were"));
}

async fn opened() -> (Server, JetStreamBus) {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    let mut topology = Topology::dev(Partitions::new(2));
    topology.shards = 2;
    apply(&connection.js, &topology, false).await.expect("applied");
    (server, JetStreamBus::open(&connection).await.expect("opened"))
}

async fn bury(bus: &JetStreamBus, (partition, source): (u16, &str), subject: &str, body: &[u8]) {
    let letter = DeadLetter {
        partition: Partition(partition),
        kind: "work",
        source: source.to_owned(),
        reason: "it means nothing".to_owned(),
        deliveries: 2,
        subject: subject.to_owned(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_vec(),
    };
    cadre_core::ports::WorkerBus::bury(bus, letter).await.expect("kept");
}

#[tokio::test]
async fn letters_of_every_shard_are_found_newest_first_and_no_more_than_wanted() {
    let (_server, bus) = opened().await;
    let letters = bus.letters();
    let found = letters.find(&Query::default(), None, 9).await.expect("read");
    assert_eq!(found, Found { letters: Vec::new(), more: 0 });
    for number in 0..5_u16 {
        let subject = format!("cadre.1.work.r.{TASK}.s.{}", number + 1);
        bury(&bus, (1, &format!("work.{number}")), &subject, b"{}").await;
    }
    bury(&bus, (0, "work.0"), &format!("cadre.0.work.r.{TASK}.s.9"), b"{}").await;
    let found = letters.find(&Query::default(), None, 3).await.expect("read");
    let newest = ["5", "4", "3"];
    // In the same millisecond shards have an order, but no earlier or later.
    let numbers = found.letters.iter().filter(|head| head.id.shard == 1);
    let numbers: Vec<_> = numbers.filter_map(|head| head.subject.rsplit('.').next()).collect();
    assert!(numbers.len() >= 2 && newest.starts_with(&numbers), "{found:?}");
    assert_eq!((found.letters.len(), found.more), (3, 3));
    assert!(found.letters.iter().all(|head| head.deliveries == Some(2) && head.size_bytes == 2));
    let none = Query { kind: Some("goal".to_owned()), ..Query::default() };
    assert_eq!(letters.find(&none, None, 3).await.expect("read").more, 0);
}

#[tokio::test]
async fn a_letter_is_read_replayed_and_removed_but_nothing_else_is() {
    let (_server, bus) = opened().await;
    let letters = bus.letters();
    let body = "x".repeat(270_000);
    let subject = format!("cadre.1.work.r.{TASK}.s.1");
    bury(&bus, (1, "work.1"), &subject, body.as_bytes()).await;
    bury(&bus, (1, "work.2"), "cadre.1.other", b"{}").await;
    let ids: Vec<_> = letters.find(&Query::default(), None, 9).await.expect("read").letters;
    let [other, large] = &ids[..] else { panic!("{ids:?}") };

    let letter = letters.get(large.id).await.expect("read");
    assert_eq!((letter.body.len(), letter.head.size_bytes), (270_000, 270_000));
    assert_eq!(letters.rehearse(&letter).expect("repeatable"), subject);
    let (to, sequence) = letters.replay(&letter).await.expect("replayed");
    assert_eq!((to, sequence), (subject, 1));
    let gone = letters.get(large.id).await;
    assert!(matches!(gone, Err(LetterError::NoLetter(_))), "{gone:?}");
    // As after a crash between the two: named alike, so the broker takes it once.
    assert_eq!(letters.replay(&letter).await.expect("replayed again").1, 1);

    let letter = letters.get(other.id).await.expect("read");
    let refused = letters.replay(&letter).await;
    assert!(matches!(refused, Err(LetterError::Unrepeatable { .. })), "{refused:?}");
    letters.discard(other.id).await.expect("removed");
    letters.discard(other.id).await.expect("removed before");

    // A record of a task is no letter, whatever somebody types.
    let js = &bus.streams().js;
    let record = js.publish(format!("cadre.1.log.{TASK}"), "x".into()).await.expect("sent");
    let sequence = record.await.expect("stored").sequence;
    let record = LetterId { shard: 1, sequence };
    assert!(matches!(letters.discard(record).await, Err(LetterError::NoLetter(_))));
    assert!(matches!(letters.get(record).await, Err(LetterError::NoLetter(_))));
    let far = LetterId { shard: 9, sequence: 1 };
    assert!(matches!(letters.get(far).await, Err(LetterError::NoLetter(_))));
    assert!(bus.letters().stored(record).await.expect("read").is_some());
}
