//! The topology on a real server.

use std::time::{Duration, Instant};

use async_nats::jetstream::{Context, consumer, stream};
use futures::future::join_all;

use cadre_core::ids::{Name, Partitions};

use super::*;
use crate::{
    connect::{ConnectOptions, Connection, connect},
    server::{
        Replicas, Server, StartOptions,
        testing::{binary, server},
    },
};

fn topology() -> Topology {
    Topology::dev(Partitions::new(8))
}

async fn empty() -> (Server, Connection) {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    (server, connection)
}

async fn prepared() -> (Server, Connection) {
    let (server, connection) = empty().await;
    apply(&connection.js, &topology(), false).await.expect("applied");
    (server, connection)
}

async fn edit_stream(js: &Context, name: &str, edit: impl FnOnce(&mut stream::Config)) {
    let mut config = js.get_stream(name).await.expect("exists").cached_info().config.clone();
    edit(&mut config);
    js.update_stream(config).await.expect("updated");
}

fn actions(changes: &[Change], action: Action) -> Vec<String> {
    let of = changes.iter().filter(|change| change.action == action);
    of.map(|change| change.resource.to_string()).collect()
}

/// Applies, and returns the refusal's text after checking that nothing changed.
async fn refused(js: &Context, topology: &Topology) -> String {
    let before = diff(js, topology).await.expect("compared");
    let error = apply(js, topology, false).await.expect_err("refused");
    assert!(matches!(error, ApplyError::Destructive(_)), "{error:?}");
    assert_eq!(diff(js, topology).await.expect("compared"), before);
    error.to_string()
}

#[tokio::test]
async fn an_empty_server_is_prepared_once_and_quickly() {
    let (_server, Connection { js, .. }) = empty().await;
    assert_eq!(discover(&js).await, Err(DiscoverError::NotPrepared));
    let begun = Instant::now();
    let done = apply(&js, &topology(), false).await.expect("applied");
    let took = begun.elapsed();
    eprintln!("applied {} changes in {took:?}", done.len());
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(done.len(), 16 + 11);
    assert!(done.iter().all(|change| change.action == Action::Create));
    assert_eq!(apply(&js, &topology(), false).await.expect("applied"), []);
    assert_eq!(discover(&js).await, Ok(topology()));
}

#[tokio::test]
async fn a_cluster_is_usable_when_apply_returns() {
    let mut options = StartOptions::new(binary().await);
    options.replicas = Replicas::Three;
    let server = Server::start(options).await.expect("a healthy cluster");
    let urls = server.urls().join(",");
    let Connection { js, .. } =
        connect(ConnectOptions::new(urls, "test")).await.expect("connected");
    let topology = Topology { replicas: 3, ..topology() };
    let begun = Instant::now();
    apply(&js, &topology, false).await.expect("applied");
    eprintln!("applied to three replicas in {:?}", begun.elapsed());
    for subject in ["goals.a.b", "cadre.1.in.a", "cadre.1.log.a", "cadre.1.work.a", "answers.a.b.c"]
    {
        js.publish(subject, "x".into()).await.expect("sent").await.expect("stored");
    }
    assert_eq!(apply(&js, &topology, false).await.expect("applied"), []);
    assert_eq!(discover(&js).await, Ok(topology));
}

#[tokio::test]
async fn a_single_server_is_not_asked_for_copies() {
    let (_server, Connection { js, .. }) = empty().await;
    let topology = Topology { replicas: 3, profile: Profile::Prod, ..topology() };
    let error = apply(&js, &topology, false).await.expect_err("alone");
    assert!(matches!(error, ApplyError::Topology(TopologyError::Alone(3))), "{error:?}");
    assert!(error.to_string().contains("use --replicas 1, or connect to a cluster"), "{error}");
    assert_eq!(discover(&js).await, Err(DiscoverError::NotPrepared), "nothing was made");
}

#[test]
fn only_a_cluster_can_keep_copies() {
    let three = Topology { replicas: 3, ..topology() };
    assert_eq!(three.check_peers(Some("east")), Ok(()));
    assert_eq!(topology().check_peers(None), Ok(()));
    for alone in [None, Some("")] {
        assert_eq!(three.check_peers(alone), Err(TopologyError::Alone(3)));
    }
}

#[tokio::test]
async fn several_appliers_at_once_are_harmless() {
    let (_server, Connection { js, .. }) = empty().await;
    let topology = topology();
    for outcome in join_all((0..6).map(|_| apply(&js, &topology, false))).await {
        outcome.expect("applied");
    }
    assert_eq!(diff(&js, &topology).await.expect("compared"), []);
}

#[tokio::test]
async fn several_shards_share_the_partitions_out() {
    let (_server, Connection { js, .. }) = empty().await;
    let topology = Topology { shards: 3, ..topology() };
    apply(&js, &topology, false).await.expect("applied");
    let info = js.get_stream("CADRE_IN_1").await.expect("exists").cached_info().clone();
    assert_eq!(info.config.subjects, ["cadre.1.in.>", "cadre.4.in.>", "cadre.7.in.>"]);
    assert_eq!(info.state.consumer_count, 3);
    assert_eq!(topology.in_stream(cadre_core::ids::Partition(7)), "CADRE_IN_1");
    assert_eq!(apply(&js, &topology, false).await.expect("applied"), []);
    assert_eq!(discover(&js).await, Ok(topology));
}

#[tokio::test]
async fn an_impossible_topology_is_refused() {
    let (_server, Connection { js, .. }) = empty().await;
    for bad in [
        Topology { shards: 9, ..topology() },
        Topology { shards: 0, ..topology() },
        Topology { replicas: 2, ..topology() },
    ] {
        let error = apply(&js, &bad, true).await.expect_err("refused");
        assert!(matches!(error, ApplyError::Topology(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_to_take_more_subjects_needs_no_flag() {
    let (_server, Connection { js, .. }) = prepared().await;
    js.publish("goals.acme.order", "{}".into()).await.expect("sent").await.expect("stored");
    edit_stream(&js, "CADRE_GOALS", |config| config.subjects = vec!["goals.*.*".to_owned()]).await;
    let changes = apply(&js, &topology(), false).await.expect("applied");
    assert_eq!(actions(&changes, Action::Update), ["stream CADRE_GOALS"]);
    let goals = js.get_stream("CADRE_GOALS").await.expect("exists").cached_info().clone();
    assert_eq!((goals.config.subjects, goals.state.messages), (vec!["goals.>".to_owned()], 1));
}

#[tokio::test]
async fn manual_edits_are_shown_and_put_right() {
    let (_server, Connection { js, .. }) = prepared().await;
    edit_stream(&js, "CADRE_LOG_0", |config| config.max_bytes = 8 << 30).await;
    edit_stream(&js, "CADRE_GOALS", |config| {
        config.duplicate_window = Duration::from_secs(5);
        config.metadata.insert("team".to_owned(), "a".to_owned());
        config.compression = Some(stream::Compression::S2);
    })
    .await;
    let changes = diff(&js, &topology()).await.expect("compared");
    let shown: Vec<String> = changes
        .iter()
        .flat_map(|change| {
            change.fields.iter().map(move |field| {
                format!("{change}: {} {} → {}", field.field, field.old, field.new)
            })
        })
        .collect();
    assert_eq!(
        shown,
        [
            "update stream CADRE_LOG_0: max_bytes 8GiB → 4GiB",
            "leave alone stream CADRE_GOALS: compression s2 → unset",
            "update stream CADRE_GOALS: duplicate_window 5s → 100ms",
        ]
    );
    apply(&js, &topology(), false).await.expect("applied");
    let left = diff(&js, &topology()).await.expect("compared");
    assert_eq!(actions(&left, Action::Unmanaged), ["stream CADRE_GOALS"]);
    assert_eq!(left.len(), 1);
    let goals = js.get_stream("CADRE_GOALS").await.expect("exists").cached_info().config.clone();
    assert_eq!(goals.metadata.get("team").map(String::as_str), Some("a"));
    assert_eq!(goals.compression, Some(stream::Compression::S2));
}

#[tokio::test]
async fn consumers_are_put_right_and_foreign_ones_left_alone() {
    let (_server, Connection { js, .. }) = prepared().await;
    let log = js.get_stream("CADRE_TIMER_0").await.expect("exists");
    let mut due = log.consumer_info("due").await.expect("exists").config;
    due.ack_wait = Duration::from_secs(50);
    due.filter_subject = "cadre.*.due.a.*".to_owned();
    js.request::<_, _, serde_json::Value>(
        "CONSUMER.CREATE.CADRE_TIMER_0.due",
        &serde_json::json!({"stream_name": "CADRE_TIMER_0", "config": due}),
    )
    .await
    .expect("updated");
    let audit = consumer::pull::Config {
        durable_name: Some("audit".to_owned()),
        ..consumer::pull::Config::default()
    };
    log.create_consumer(audit).await.expect("created");
    log.delete_consumer("due").await.expect("deleted");
    log.create_consumer(consumer::pull::Config {
        durable_name: Some("due".to_owned()),
        ack_wait: Duration::from_secs(50),
        ..consumer::pull::Config::default()
    })
    .await
    .expect("created");
    let done = apply(&js, &topology(), false).await.expect("applied");
    assert_eq!(actions(&done, Action::Update), ["consumer CADRE_TIMER_0/due"]);
    assert_eq!(actions(&done, Action::Unmanaged), ["consumer CADRE_TIMER_0/audit"]);
    let due = log.consumer_info("due").await.expect("exists").config;
    assert_eq!(due.filter_subject, "cadre.*.due.*.*");
    assert_eq!((due.ack_wait, due.max_deliver), (Duration::from_secs(5), -1));
}

#[tokio::test]
async fn a_deleted_consumer_comes_back() {
    let (_server, Connection { js, .. }) = prepared().await;
    let inputs = js.get_stream("CADRE_IN_0").await.expect("exists");
    inputs.delete_consumer("p3").await.expect("deleted");
    let done = apply(&js, &topology(), false).await.expect("applied");
    assert_eq!(actions(&done, Action::Create), ["consumer CADRE_IN_0/p3"]);
    let p3 = inputs.consumer_info("p3").await.expect("exists").config;
    assert_eq!(p3.priority_policy, consumer::PriorityPolicy::PinnedClient);
    assert_eq!(p3.priority_groups, [OWNER_GROUP]);
    assert_eq!(p3.priority_timeout, Duration::from_secs(3));
}

#[tokio::test]
async fn fewer_partitions_are_refused_by_name() {
    let (_server, Connection { js, .. }) = prepared().await;
    let fewer = Topology::dev(Partitions::new(6));
    let text = refused(&js, &fewer).await;
    assert!(text.contains("update stream CADRE_LOG_0: with 6 partitions instead of 8"), "{text}");
    assert!(text.contains("delete consumer CADRE_IN_0/p6: its progress is lost"), "{text}");
    assert!(text.contains("delete consumer CADRE_IN_0/p7"), "{text}");
    apply(&js, &fewer, true).await.expect("allowed");
    assert_eq!(diff(&js, &fewer).await.expect("compared"), []);
    assert_eq!(discover(&js).await, Ok(fewer));
}

#[tokio::test]
async fn other_shards_are_refused_by_name_and_lose_everything_when_allowed() {
    let (_server, Connection { js, .. }) = prepared().await;
    js.publish("cadre.1.log.a", "x".into()).await.expect("sent").await.expect("stored");
    let more = Topology { shards: 2, ..topology() };
    let text = refused(&js, &more).await;
    assert!(
        text.contains("delete and create stream CADRE_LOG_0: with 2 shards instead of 1"),
        "{text}"
    );
    assert!(text.contains("its 1 messages and 0 consumers are lost"), "{text}");
    apply(&js, &more, true).await.expect("allowed");
    assert_eq!(diff(&js, &more).await.expect("compared"), []);
    let text = refused(&js, &topology()).await;
    assert!(text.contains("delete stream CADRE_WORK_1: its 0 messages"), "{text}");
    apply(&js, &topology(), true).await.expect("allowed");
    assert_eq!(diff(&js, &topology()).await.expect("compared"), []);
}

#[tokio::test]
async fn a_cap_below_what_is_in_use_is_refused_by_name() {
    let (_server, Connection { js, .. }) = prepared().await;
    let prod = Topology { profile: Profile::Prod, ..topology() };
    apply(&js, &prod, false).await.expect("growing is harmless");
    apply(&js, &topology(), false).await.expect("shrinking above the use is harmless");
    let mut wanted = render(&topology()).expect("rendered");
    wanted.retain(|one| matches!(one, Declared::Stream(config) if config.name == "CADRE_LOG_0"));
    js.publish("cadre.1.log.a", vec![0; 4_000].into()).await.expect("sent").await.expect("stored");
    let found = found::Found::load(&js, &["CADRE_LOG_0".to_owned()]).await.expect("read");
    let Some(Declared::Stream(config)) = wanted.first_mut() else { panic!("a stream") };
    config.max_bytes = 2_048;
    let steps = diff::compare(&wanted, &found);
    let text = steps.iter().map(|step| step.change.to_string()).collect::<Vec<_>>().join("\n");
    assert!(text.contains("update stream CADRE_LOG_0: 2KiB is less than the"), "{text}");
}

#[tokio::test]
async fn destruction_by_declaration_is_refused_by_name() {
    let (_server, Connection { js, .. }) = prepared().await;
    edit_stream(&js, "CADRE_LOG_0", |config| config.subjects.push("elsewhere.>".to_owned())).await;
    edit_stream(&js, "CADRE_ANSWERS", |config| {
        config.max_age = Duration::ZERO;
        config.discard = stream::DiscardPolicy::New;
        config.max_messages_per_subject = 5;
    })
    .await;
    let text = refused(&js, &topology()).await;
    for part in [
        "update stream CADRE_LOG_0: it stops taking elsewhere.>",
        "messages beyond max_age 30days are dropped",
        "messages beyond max_msgs_per_subject 1 are dropped",
        "old messages are dropped when it is full",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    apply(&js, &topology(), true).await.expect("allowed");
    assert_eq!(diff(&js, &topology()).await.expect("compared"), []);
}

#[tokio::test]
async fn another_retention_or_storage_is_refused_by_name() {
    let (_server, Connection { js, .. }) = prepared().await;
    js.delete_stream("CADRE_WORK_0").await.expect("deleted");
    js.create_stream(stream::Config {
        name: "CADRE_WORK_0".to_owned(),
        subjects: vec!["cadre.*.work.>".to_owned()],
        storage: stream::StorageType::Memory,
        ..stream::Config::default()
    })
    .await
    .expect("created");
    let text = refused(&js, &topology()).await;
    assert!(text.contains("delete and create stream CADRE_WORK_0"), "{text}");
    assert!(text.contains("retention cannot change from limits to workqueue"), "{text}");
    assert!(text.contains("storage cannot change from memory to file"), "{text}");
    apply(&js, &topology(), true).await.expect("allowed");
    assert_eq!(diff(&js, &topology()).await.expect("compared"), []);
}

#[tokio::test]
async fn what_a_newer_build_declared_is_not_undone() {
    let (_server, Connection { js, .. }) = prepared().await;
    edit_stream(&js, "CADRE_IN_0", |config| {
        config.metadata.insert("cadre.declaration".to_owned(), "99".to_owned());
    })
    .await;
    let text = refused(&js, &topology()).await;
    assert!(
        text.contains("update stream CADRE_IN_0: a newer build declared it (version 99"),
        "{text}"
    );
}

#[tokio::test]
async fn a_role_has_a_consumer_on_each_shard_with_its_share() {
    let (_server, Connection { js, .. }) = empty().await;
    let topology = Topology { shards: 2, ..topology() };
    apply(&js, &topology, false).await.expect("applied");
    let role = Name::new("extractor").expect("a name");
    for (concurrency, share) in [(5, 3), (64, 32), (1, 1)] {
        ensure_role(&js, &topology, &role, concurrency).await.expect("ensured");
        for stream in ["CADRE_WORK_0", "CADRE_WORK_1"] {
            let stream = js.get_stream(stream).await.expect("exists");
            let config = stream.consumer_info(role_consumer(&role)).await.expect("exists").config;
            assert_eq!(config.max_ack_pending, share);
            assert_eq!(config.filter_subject, "cadre.*.work.extractor.>");
            assert_eq!(config.ack_wait, role_ack_wait().expect("readable"));
        }
    }
    assert_eq!(apply(&js, &topology, false).await.expect("applied"), [], "roles are known");
}

#[tokio::test]
async fn status_tells_how_far_behind_everybody_is() {
    let (_server, Connection { js, .. }) = prepared().await;
    let role = Name::new("extractor").expect("a name");
    ensure_role(&js, &topology(), &role, 4).await.expect("ensured");
    ensure_role(&js, &topology(), &Name::new("idle").expect("a name"), 4).await.expect("ensured");
    for step in 0..5 {
        let subject = format!("cadre.1.work.extractor.t.s.{step}");
        js.publish(subject, "order".into()).await.expect("sent").await.expect("stored");
    }
    let work = js.get_stream("CADRE_WORK_0").await.expect("exists");
    let consumer: consumer::PullConsumer =
        work.get_consumer(&role_consumer(&role)).await.expect("exists");
    let mut batch = consumer.fetch().max_messages(2).messages().await.expect("fetched");
    let first = futures::StreamExt::next(&mut batch).await.expect("one").expect("whole");
    let _second = futures::StreamExt::next(&mut batch).await.expect("one").expect("whole");
    first.double_ack().await.expect("acknowledged");

    let status = status(&js, &topology()).await.expect("read");
    let stream = status.streams.iter().find(|one| one.name == "CADRE_WORK_0").expect("listed");
    assert_eq!((stream.messages, stream.max_bytes), (4, Some(1 << 30)));
    assert!(stream.first_age >= stream.last_age && stream.last_age.is_some());
    let of = |name: &str| status.consumers.iter().find(|one| one.name == name).expect("listed");
    let busy = of("role-extractor");
    assert_eq!((busy.pending, busy.ack_pending, busy.max_ack_pending), (3, 1, 4));
    assert_eq!(busy.role.as_deref(), Some("extractor"));
    assert!(busy.oldest.is_some_and(|age| age < Duration::from_secs(30)), "{busy:?}");
    assert_eq!((of("role-idle").pending, of("role-idle").oldest), (0, None));
    assert_eq!(status.consumers.len(), 8 + 3 + 2);
    assert_eq!(status.buckets.len(), 7);
    let json = serde_json::to_value(&status).expect("serialisable");
    assert!(json["consumers"][0].get("oldest_ms").is_some(), "{json}");
}

#[tokio::test]
async fn status_names_the_owner_of_a_partition() {
    let (_server, Connection { js, .. }) = prepared().await;
    let inputs = js.get_stream("CADRE_IN_0").await.expect("exists");
    let consumer: consumer::PullConsumer = inputs.get_consumer("p5").await.expect("exists");
    js.publish("cadre.5.in.goal.acme.t", "x".into()).await.expect("sent").await.expect("stored");
    let pull = consumer.stream().group(OWNER_GROUP).expires(Duration::from_secs(1));
    let mut messages = pull.messages().await.expect("pulling");
    let _message = futures::StreamExt::next(&mut messages).await.expect("one").expect("whole");
    let status = status(&js, &topology()).await.expect("read");
    let pinned = |name: &str| {
        let found = status.consumers.iter().find(|one| one.name == name).expect("listed");
        found.pinned.is_some()
    };
    assert!(pinned("p5") && !pinned("p4"));
}

#[test]
fn the_readme_names_every_stream_and_consumer() {
    let readme = include_str!("../../README.md");
    for one in render(&topology()).expect("rendered") {
        let name = match one {
            Declared::Stream(config) if config.name.contains("_CADRE_") => continue,
            Declared::Stream(config) => config.name.replace("_0", "_<shard>"),
            Declared::Consumer { config, .. } => config.name.unwrap_or_default(),
        };
        let is_partition = name.strip_prefix('p').is_some_and(|rest| rest.parse::<u16>().is_ok());
        let name = if is_partition { "p<partition>".to_owned() } else { name };
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}
