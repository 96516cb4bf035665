//! The board on a real server.

use cadre_core::{
    breaker::{Forced, ForcedTo, WireError, port::News},
    ids::Partitions,
    ports::Inbox as _,
};

use super::*;
use crate::{
    connect::{ConnectOptions, Connection, connect},
    server::{Server, testing::server},
    topology::{Topology, apply},
};

/// Only a failure takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

fn target() -> Target {
    "role.extractor".parse().expect("a target")
}

fn hint(reason: &str) -> Hint {
    let forced = Forced {
        to: ForcedTo::Open,
        since: UnixMillis(1),
        until: UnixMillis(2),
        by: "ann".to_owned(),
        reason: reason.to_owned(),
    };
    Hint::new(target()).force(forced)
}

async fn prepared() -> (Server, Connection, KvBreakers) {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    apply(&connection.js, &Topology::dev(Partitions::new(2)), false).await.expect("applied");
    let board = board(&connection).await;
    (server, connection, board)
}

async fn board(connection: &Connection) -> KvBreakers {
    let clock = BrokerClock::new(UnixMillis(0));
    KvBreakers::open(&connection.js, clock).await.expect("opened")
}

/// Waits for the news of a hint at `revision`.
async fn seen(watch: &mut BreakerWatch, revision: u64) -> Posted {
    let found = async {
        loop {
            for news in watch.next().await.expect("a watch") {
                match news {
                    News::Hint(about, posted) if posted.revision >= revision => {
                        assert_eq!(about, target());
                        return *posted;
                    }
                    News::Hint(..) | News::Pod(..) => {}
                }
            }
        }
    };
    timeout(PATIENCE, found).await.expect("news in time")
}

#[tokio::test]
async fn a_server_without_the_bucket_is_named_with_the_next_step() {
    let server = server().await;
    let connection = connect(ConnectOptions::new(server.url(), "test")).await.expect("connected");
    let opened = KvBreakers::open(&connection.js, BrokerClock::new(UnixMillis(0))).await;
    let error = opened.expect_err("no bucket");
    assert!(
        matches!(&error, BusError::Refused(text) if text.contains("cadre bus apply")),
        "{error}"
    );
}

#[tokio::test]
async fn of_two_who_post_on_the_same_revision_one_wins() {
    let (_server, connection, one) = prepared().await;
    let other = board(&connection).await;
    let nothing = one.read(&target()).await.expect("read");
    assert_eq!(nothing, Posted { hint: Ok(None), revision: 0 });
    let (first, second) = (hint("first"), hint("second"));
    let both = tokio::join!(one.post(&first, 0), other.post(&second, 0));
    let conflict = Err(PostError::Conflict(target()));
    let (winner, revision) = match both {
        (Ok(revision), lost) if lost == conflict => (first, revision),
        (lost, Ok(revision)) if lost == conflict => (second, revision),
        both => panic!("{both:?}"),
    };
    let posted = other.read(&target()).await.expect("read");
    assert_eq!(posted, Posted { hint: Ok(Some(winner)), revision });
    let next = one.post(&hint("third"), revision).await.expect("posted");
    assert_eq!(one.post(&hint("late"), revision).await, conflict);
    assert_eq!(other.read(&target()).await.expect("read").revision, next);
}

#[tokio::test]
async fn a_change_is_made_anew_on_what_another_one_wrote() {
    let (_server, connection, one) = prepared().await;
    let other = board(&connection).await;
    let names: Vec<Name> = ["a", "b", "c", "d"].map(|name| Name::new(name).expect("a name")).into();
    let target = target();
    let changes = names.iter().map(|name| {
        let board = if name.as_str() < "c" { &one } else { &other };
        board.change(&target, move |hint| {
            let reason = hint.forced.as_ref().map_or("", |forced| forced.reason.as_str());
            self::hint(&format!("{reason}{name}"))
        })
    });
    futures::future::try_join_all(changes).await.expect("changed");
    let hint = one.read(&target).await.expect("read").hint.expect("readable").expect("there");
    assert_eq!(hint.forced.expect("forced").reason.len(), 4, "every change is there");
}

#[tokio::test]
async fn what_one_connection_posts_another_one_sees_within_a_second() {
    let (server, _connection, one) = prepared().await;
    let late = connect(ConnectOptions::new(server.url(), "other")).await.expect("connected");
    let other = board(&late).await;
    let revision = one.post(&hint("before"), 0).await.expect("posted");
    let mut watch = other.watch().await.expect("watched");
    let before = seen(&mut watch, revision).await;
    assert_eq!(before.hint, Ok(Some(hint("before"))), "what was there comes first");
    let began = tokio::time::Instant::now();
    let revision = one.post(&hint("after"), revision).await.expect("posted");
    assert_eq!(seen(&mut watch, revision).await.hint, Ok(Some(hint("after"))));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(other.now() > UnixMillis(1_700_000_000_000), "the clock learns from it");
}

#[tokio::test]
async fn pods_are_seen_with_the_time_of_their_last_beat() {
    let (_server, _connection, one) = prepared().await;
    let mut watch = one.watch().await.expect("watched");
    let pod = Name::new("pod-1").expect("a name");
    one.beat(&pod).await.expect("told");
    one.beat(&pod).await.expect("told");
    let news = timeout(PATIENCE, watch.next()).await.expect("in time").expect("a watch");
    assert!(matches!(&news[0], News::Pod(name, at) if *name == pod && at.0 > 1_700_000_000_000));
    let content = one.content().await.expect("read");
    assert_eq!((content.pods.len(), content.hints.len()), (1, 0));
}

#[tokio::test]
async fn garbage_is_named_and_written_over_and_a_newer_hint_is_not() {
    let (_server, _connection, one) = prepared().await;
    let key = target().to_string();
    one.store.put(&key, "{".into()).await.expect("put");
    let posted = one.read(&target()).await.expect("read");
    assert!(matches!(posted.hint, Err(WireError::Malformed { .. })), "{posted:?}");
    one.change(&target(), |hint| hint.reset(UnixMillis(5))).await.expect("written over");
    one.store.put(&key, r#"{"v":2}"#.into()).await.expect("put");
    let error = one.change(&target(), |hint| hint).await.expect_err("left alone");
    assert!(error.to_string().contains("update this process"), "{error}");
    one.store.delete(&key).await.expect("deleted");
    let deleted = one.read(&target()).await.expect("read");
    assert!(deleted.hint == Ok(None) && deleted.revision > 0, "{deleted:?}");
    one.post(&hint("again"), deleted.revision).await.expect("posted on the marker");
    one.store.put("nonsense", "x".into()).await.expect("put");
    let content = one.content().await.expect("read");
    assert_eq!(content.hints.len(), 1, "keys of others are left aside");
}

#[tokio::test]
async fn a_watch_or_the_next_one_lives_on_after_a_restart_of_the_server() {
    let (mut server, _connection, one) = prepared().await;
    let revision = one.post(&hint("before"), 0).await.expect("posted");
    let mut watch = one.watch().await.expect("watched");
    seen(&mut watch, revision).await;
    server.stop().await.expect("stopped");
    let error = one.post(&hint("down"), revision).await.expect_err("nobody there");
    assert!(matches!(error, PostError::Bus(BusError::Unavailable(_))), "{error}");
    server.restart().await.expect("running");
    let revision = ride_out(|| async {
        let posted = one.read(&target()).await?;
        match one.post(&hint("after"), posted.revision).await {
            Ok(revision) => Ok(revision),
            Err(error) => Err(BusError::Unavailable(error.to_string())),
        }
    })
    .await
    .expect("posted");
    // As the service does: a broken watch is followed by another one.
    let posted = loop {
        let news = timeout(PATIENCE, watch.next()).await.expect("in time");
        let Ok(news) = news else {
            watch = ride_out(|| one.watch()).await.expect("watched");
            continue;
        };
        let newest = news.into_iter().find_map(|news| match news {
            News::Hint(_, posted) if posted.revision >= revision => Some(*posted),
            News::Hint(..) | News::Pod(..) => None,
        });
        if let Some(posted) = newest {
            break posted;
        }
    };
    assert_eq!(posted.hint, Ok(Some(hint("after"))));
}
