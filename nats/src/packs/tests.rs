//! Packs on a real server.

use std::time::Duration;

use cadre_core::ids::Partitions;
use futures::future::join_all;

use super::*;
use crate::{
    connect::{ConnectOptions, Connection, connect},
    server::{Server, testing::server},
    topology::{apply, role_consumer},
};

const PACK: &str = r#"apiVersion: pack/v1
name: NAME
roles:
  ROLE: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 8s}, concurrency: 7}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 90s, max_steps: 60, max_usd: 0.25, max_tokens: 200000}
  when_limited: partial
  steps:
    first:
      role: ROLE
      with: {text: "${ goal.text }"}
  result:
    text: "${ first.text }"
"#;

fn pack(name: &str, role: &str) -> PackSource {
    let text = PACK.replace("NAME", name).replace("ROLE", role);
    let mut source = PackSource::default();
    source.files.insert("pack.yaml".to_owned(), text.into_bytes());
    let any = br#"{"type": "object"}"#.to_vec();
    source.files.insert("contracts/any.v1.json".to_owned(), any);
    source
}

fn changed(mut source: PackSource) -> PackSource {
    let file = source.files.get_mut("pack.yaml").expect("a pack");
    file.extend_from_slice(b"# changed\n");
    source
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

async fn prepared() -> (Server, Connection, KvPacks) {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    let topology = Topology::dev(Partitions::new(2));
    apply(&connection.js, &topology, false).await.expect("applied");
    let packs = KvPacks::open(connection.js.clone(), topology).await.expect("opened");
    (server, connection, packs)
}

#[tokio::test]
async fn a_server_without_buckets_is_named_with_the_next_step() {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    let topology = Topology::dev(Partitions::new(2));
    let error = KvPacks::open(connection.js, topology).await.expect_err("no buckets");
    assert!(
        matches!(&error, BusError::Refused(text) if text.contains("cadre bus apply")),
        "{error}"
    );
}

#[tokio::test]
async fn a_pack_is_applied_once_and_found_at_once() {
    let (_server, Connection { js, .. }, packs) = prepared().await;
    let source = pack("intake", "reader");
    assert!(packs.current(&name("intake")).await.expect("asked").is_none());
    let first = packs.apply(&source).await.expect("applied");
    let revision = source.revision();
    assert_eq!((first.created, &first.previous, &first.revision), (true, &None, &revision));
    let again = packs.apply(&source).await.expect("applied");
    assert_eq!((again.created, again.previous.as_ref()), (false, Some(&revision)));

    let current = packs.current(&name("intake")).await.expect("asked").expect("known");
    assert_eq!(current.revision, revision);
    let same = packs.revision(&revision).await.expect("asked").expect("known");
    assert!(Arc::ptr_eq(&current, &same), "compiled once");
    assert_eq!(packs.get(&revision).await.expect("asked"), Some(source));
    assert_eq!(packs.list().await.expect("listed"), [(name("intake"), revision)]);
    let work = js.get_stream("CADRE_WORK_0").await.expect("exists");
    let consumer = work.consumer_info(role_consumer(&name("reader"))).await.expect("exists");
    assert_eq!(consumer.config.max_ack_pending, 7);
}

#[tokio::test]
async fn a_new_revision_leaves_the_old_one_as_it_was() {
    let (_server, _connection, packs) = prepared().await;
    let old = pack("intake", "reader");
    let new = changed(old.clone());
    packs.apply(&old).await.expect("applied");
    let applied = packs.apply(&new).await.expect("applied");
    assert_eq!((applied.created, applied.previous), (true, Some(old.revision())));
    let current = packs.current(&name("intake")).await.expect("asked").expect("known");
    assert_eq!(current.revision, new.revision());
    assert_eq!(packs.get(&old.revision()).await.expect("asked"), Some(old.clone()));
    let back = packs.apply(&old).await.expect("applied");
    assert_eq!((back.created, back.previous), (false, Some(new.revision())));
    let entries = packs.ls().await.expect("listed");
    assert_eq!((entries.len(), &entries[0].revision), (1, &old.revision()));
    let all = [new.revision(), old.revision()];
    assert_eq!(packs.revisions(9).await.expect("listed"), all, "the first one at the end");
    assert_eq!(packs.revisions(1).await.expect("listed"), all[..1]);
    assert!(entries[0].since_unix_ms > 1_700_000_000_000);
}

#[tokio::test]
async fn unknown_revisions_and_packs_are_none() {
    let (_server, _connection, packs) = prepared().await;
    for unknown in ["", "current.intake", ">", &"0".repeat(64)] {
        assert!(packs.revision(unknown).await.expect("asked").is_none(), "{unknown:?}");
    }
    assert!(packs.current(&name("nothing")).await.expect("asked").is_none());
    assert_eq!(packs.ls().await.expect("listed"), []);
}

#[tokio::test]
async fn a_pack_that_does_not_compile_changes_nothing() {
    let (_server, _connection, packs) = prepared().await;
    let mut bad = pack("intake", "reader");
    bad.files.insert("pack.yaml".to_owned(), b"apiVersion: pack/v1\n".to_vec());
    let error = packs.apply(&bad).await.expect_err("invalid");
    assert!(matches!(error, ApplyPackError::Invalid(_)), "{error}");
    assert_eq!(packs.ls().await.expect("listed"), []);
}

#[tokio::test]
async fn a_role_belongs_to_one_pack() {
    let (_server, _connection, packs) = prepared().await;
    packs.apply(&pack("intake", "reader")).await.expect("applied");
    let error = packs.apply(&pack("other", "reader")).await.expect_err("taken");
    assert!(
        matches!(&error, ApplyPackError::RoleTaken { role, owner, .. }
        if *role == name("reader") && *owner == name("intake")),
        "{error}"
    );
    packs.apply(&pack("intake", "scanner")).await.expect("applied");
    packs.apply(&pack("other", "reader")).await.expect("the name is free now");
}

#[tokio::test]
async fn a_stored_revision_is_never_overwritten() {
    let (_server, _connection, packs) = prepared().await;
    let source = pack("intake", "reader");
    let key = format!("rev.{}", source.revision());
    packs.store.create(&key, "something else".into()).await.expect("stored");
    let error = packs.apply(&source).await.expect_err("other content");
    assert!(error.to_string().contains("stored with other content"), "{error}");
    let stored = packs.read(&key).await.expect("read").expect("there");
    assert_eq!(stored.text, "something else");
    let error = packs.get(&source.revision()).await.expect_err("damaged");
    assert!(matches!(&error, BusError::Refused(text) if text.contains("damaged")), "{error}");
}

#[tokio::test]
async fn what_another_connection_applies_is_seen_by_the_watch() {
    let (server, _connection, packs) = prepared().await;
    let other = connect(ConnectOptions::new(server.url(), "other")).await.expect("connected");
    let topology = other.discover().await.expect("prepared");
    let other = KvPacks::open(other.js, topology).await.expect("opened");
    let source = pack("intake", "reader");
    other.apply(&source).await.expect("applied");
    // A miss asks the broker, whatever the watch has seen.
    let current = packs.current(&name("intake")).await.expect("asked").expect("known");
    assert_eq!(current.revision, source.revision());

    let new = changed(source);
    other.apply(&new).await.expect("applied");
    let (intake, revision) = (name("intake"), new.revision());
    let seen = packs.current.seen(&intake, &revision);
    tokio::time::timeout(Duration::from_secs(5), seen).await.expect("the watch saw it");
}

#[tokio::test]
async fn the_watch_lives_on_after_a_restart_of_the_server() {
    let (mut server, connection, packs) = prepared().await;
    packs.apply(&pack("intake", "reader")).await.expect("applied");
    server.stop().await.expect("stopped");
    server.restart().await.expect("running");
    let new = changed(pack("intake", "reader"));
    let other = KvPacks::open(connection.js, packs.topology).await.expect("opened");
    other.apply(&new).await.expect("applied");
    let (intake, revision) = (name("intake"), new.revision());
    let seen = packs.current.seen(&intake, &revision);
    tokio::time::timeout(Duration::from_secs(30), seen).await.expect("the watch saw it");
}

#[tokio::test]
async fn many_who_ask_at_once_get_the_same_compiled_pack() {
    let (_server, connection, packs) = prepared().await;
    let source = pack("intake", "reader");
    packs.apply(&source).await.expect("applied");
    let fresh = KvPacks::open(connection.js, packs.topology).await.expect("opened");
    let intake = name("intake");
    let all = join_all((0..50).map(|_| fresh.current(&intake))).await;
    let all: Vec<_> = all.into_iter().map(|one| one.expect("asked").expect("known")).collect();
    assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
}

#[tokio::test]
async fn a_pack_larger_than_a_message_is_stored() {
    let (_server, _connection, packs) = prepared().await;
    let mut source = pack("intake", "reader");
    let file = source.files.get_mut("pack.yaml").expect("a pack");
    for line in 0..20_000 {
        file.extend_from_slice(format!("# line {line} of a long comment\n").as_bytes());
    }
    packs.apply(&source).await.expect("applied");
    assert_eq!(packs.get(&source.revision()).await.expect("asked"), Some(source));
}
