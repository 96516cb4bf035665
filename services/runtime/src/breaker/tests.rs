//! Fleets of services over a board in memory, on a paused clock.

use std::sync::atomic::{AtomicU64, Ordering};

use cadre_core::breaker::{CallOutcome, Forced, ForcedTo};
use tokio::time::{Instant, sleep};

use super::*;
use crate::testing::{BoardFlags, MemoryBoard};

const BAD: CallOutcome = CallOutcome::InfrastructureFailure;
const GOOD: CallOutcome = CallOutcome::Success;

/// How long the fleet may take to hear of something.
const HEARD: Duration = Duration::from_secs(1);

fn target() -> Target {
    "role.extractor".parse().unwrap()
}

fn options(pod: &str) -> BreakerOptions {
    BreakerOptions { pod: Name::new(pod).unwrap(), settings: Settings::default() }
}

fn call(outcome: CallOutcome) -> Call {
    Call { outcome, took: Duration::from_millis(5), usd_micros: 0 }
}

fn fail(breakers: &Breakers) {
    (0..20).for_each(|_| breakers.record(&target(), call(BAD)));
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Starts a fleet and waits until its pods know each other.
async fn fleet(board: &MemoryBoard, pods: &[&str]) -> Vec<BreakerService> {
    let mut services = Vec::new();
    for pod in pods {
        services.push(BreakerService::start(board.clone(), options(pod), None).await.unwrap());
    }
    sleep(HEARD).await;
    services
}

/// Who would send a call now: `y`es, a `p`robe, `n`o.
fn permits(services: &[BreakerService]) -> String {
    let letter = |service: &BreakerService| match service.breakers.permit(&target()) {
        Permit::Yes => 'y',
        Permit::Probe(_) => 'p',
        Permit::No { .. } => 'n',
    };
    services.iter().map(letter).collect()
}

/// Asks until somebody may probe; who, and how long that took.
async fn probe(services: &[BreakerService], patience: Duration) -> Option<(usize, Duration)> {
    let began = Instant::now();
    while began.elapsed() < patience {
        let asked = permits(services);
        assert!(asked.matches('p').count() <= 1, "{asked}");
        if let Some(index) = asked.find('p') {
            return Some((index, began.elapsed()));
        }
        sleep(ms(100)).await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn two_reporters_open_the_third_within_a_second_and_one_does_not() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    assert_eq!(permits(&services), "yyy");
    fail(&services[0].breakers);
    assert_eq!(permits(&services), "nyy", "its own calls count at once");
    sleep(HEARD).await;
    assert_eq!(permits(&services), "nyy", "one reporter is not enough");
    fail(&services[1].breakers);
    sleep(HEARD).await;
    assert_eq!(permits(&services), "nnn");
    let open = services[2].breakers.not_closed();
    assert!(matches!(&open[..], [(it, State::Open { .. })] if *it == target()), "{open:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_hear_of_itself_does_not_take_one_reporter_for_all() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    fail(&services[0].breakers);
    sleep(HEARD).await;
    board.fail(BoardFlags { refuses_beats: true, ..BoardFlags::default() });
    let fourth = BreakerService::start(board.clone(), options("d"), None).await.unwrap();
    sleep(HEARD).await;
    assert_eq!(fourth.breakers.permit(&target()), Permit::Yes);
    sleep(ms(40_000)).await;
    assert_eq!(permits(&services[1..]), "yy", "nor when all are silent");
}

#[tokio::test(start_paused = true)]
async fn where_two_live_one_reporter_is_enough() {
    let board = MemoryBoard::default();
    let mut services = fleet(&board, &["a", "b", "c"]).await;
    services.pop().unwrap().stop().await;
    sleep(ms(100_000)).await;
    fail(&services[0].breakers);
    sleep(HEARD).await;
    assert_eq!(permits(&services), "nn");
}

#[tokio::test(start_paused = true)]
async fn who_lost_a_race_reads_even_when_it_cannot_watch() {
    let board = MemoryBoard::default();
    board.fail(BoardFlags { refuses_watches: true, ..BoardFlags::default() });
    let services = fleet(&board, &["a", "b"]).await;
    services.iter().for_each(|service| fail(&service.breakers));
    sleep(HEARD).await;
    assert_eq!(board.hint(&target()).unwrap().reporters.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn half_open_the_fleet_has_one_probe_and_all_close_with_it() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    fail(&services[0].breakers);
    fail(&services[1].breakers);
    sleep(HEARD).await;
    let (prober, took) = probe(&services, ms(10_000)).await.unwrap();
    assert!(took > ms(3_500) && took < ms(5_500), "when its 5 s are over: {took:?}");
    for _ in 0..50 {
        assert_eq!(permits(&services), "nnn");
        sleep(ms(100)).await;
    }
    services[prober].breakers.record(&target(), call(GOOD));
    sleep(HEARD).await;
    assert_eq!(permits(&services), "yyy");
    let writes = board.writes();
    sleep(ms(9_000)).await;
    assert!(board.writes() - writes <= 3, "nothing but beats");
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_keeps_the_fleet_waiting_for_longer() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    fail(&services[0].breakers);
    fail(&services[1].breakers);
    sleep(HEARD).await;
    let (prober, _) = probe(&services, ms(10_000)).await.unwrap();
    services[prober].breakers.record(&target(), call(BAD));
    sleep(HEARD).await;
    let (_, took) = probe(&services, ms(20_000)).await.unwrap();
    assert!(took > ms(8_500) && took < ms(10_500), "10 s from the probe on: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_dies_with_the_lease_does_not_block_for_ever() {
    let board = MemoryBoard::default();
    let mut services = fleet(&board, &["a", "b", "c"]).await;
    fail(&services[0].breakers);
    fail(&services[1].breakers);
    sleep(HEARD).await;
    let (prober, _) = probe(&services, ms(10_000)).await.unwrap();
    services.remove(prober).stop().await;
    let (_, took) = probe(&services, ms(60_000)).await.unwrap();
    assert!(took > ms(28_000) && took < ms(32_000), "the lease of 30 s: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_back_is_had_again_at_once() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    fail(&services[0].breakers);
    fail(&services[1].breakers);
    sleep(ms(5_500)).await;
    permits(&services);
    sleep(HEARD).await;
    let permit = services.iter().find_map(|one| match one.breakers.permit(&target()) {
        Permit::Probe(lease) => Some((one, lease)),
        Permit::Yes | Permit::No { .. } => None,
    });
    let (holder, lease) = permit.unwrap();
    holder.breakers.give_back(&target(), &lease);
    let (_, took) = probe(&services, ms(5_000)).await.unwrap();
    assert!(took < HEARD, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_repeats_expires() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    fail(&services[0].breakers);
    fail(&services[1].breakers);
    sleep(HEARD).await;
    assert_eq!(services[2].breakers.not_closed().len(), 1);
    sleep(ms(65_000)).await;
    assert!(services[2].breakers.not_closed().is_empty());
    assert_eq!(services[2].breakers.permit(&target()), Permit::Yes);
}

#[tokio::test(start_paused = true)]
async fn without_its_board_a_breaker_works_alone() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    board.fail(BoardFlags { is_down: true, ..BoardFlags::default() });
    fail(&services[0].breakers);
    sleep(HEARD).await;
    assert_eq!(permits(&services), "nyy");
    let alone = &services[..1];
    let (_, took) = probe(alone, ms(10_000)).await.unwrap();
    assert!(took < ms(6_500), "{took:?}");
    alone[0].breakers.record(&target(), call(BAD));
    assert_eq!(permits(&services), "nyy");
    // For so long that no pod hears of another one: nobody takes that for a fleet of one.
    sleep(ms(100_000)).await;
    assert_eq!(permits(&services[1..]), "yy");
    board.fail(BoardFlags::default());
    let (_, _) = probe(alone, ms(40_000)).await.unwrap();
    alone[0].breakers.record(&target(), call(GOOD));
    sleep(ms(2_000)).await;
    assert_eq!(permits(&services), "yyy");
    let jobs = services[0].inspect().await.unwrap();
    assert!(jobs.children.iter().all(|job| job.restarts == 0), "{jobs:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_the_board_does_no_harm() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    board.fail(BoardFlags { loses_answers: true, ..BoardFlags::default() });
    fail(&services[0].breakers);
    fail(&services[1].breakers);
    sleep(HEARD).await;
    assert_eq!(permits(&services), "nnn", "what was posted counts");
    board.fail(BoardFlags::default());
    sleep(HEARD).await;
    assert_eq!(board.hint(&target()).unwrap().reporters.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_people_want_is_done_within_a_second() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a", "b", "c"]).await;
    let now = board.now();
    let forced = |to| Forced {
        to,
        since: now,
        until: now.after(Duration::from_secs(60)),
        by: "ann".to_owned(),
        reason: "a rollout".to_owned(),
    };
    board.edit(&target(), |hint| hint.force(forced(ForcedTo::Open)));
    sleep(HEARD).await;
    assert_eq!(permits(&services), "nnn");
    board.edit(&target(), |hint| hint.force(forced(ForcedTo::Closed)));
    sleep(HEARD).await;
    fail(&services[0].breakers);
    assert_eq!(permits(&services), "yyy");
    board.edit(&target(), |hint| hint.reset(board.now()));
    sleep(HEARD).await;
    fail(&services[0].breakers);
    assert_eq!(permits(&services), "nyy");
    sleep(ms(500)).await;
    board.edit(&target(), |hint| hint.reset(board.now()));
    sleep(HEARD).await;
    assert_eq!(permits(&services), "yyy");
}

#[tokio::test(start_paused = true)]
async fn more_targets_than_can_be_kept_are_let_through() {
    let board = MemoryBoard::default();
    let services = fleet(&board, &["a"]).await;
    let breakers = &services[0].breakers;
    for number in 0..cadre_core::limits::BREAKERS_MAX {
        breakers.record(&format!("tool.t{number}").parse().unwrap(), call(GOOD));
    }
    fail(breakers);
    assert_eq!(breakers.permit(&target()), Permit::Yes);
}

#[test]
fn without_a_fleet_a_process_probes_for_itself() {
    let clock = Arc::new(AtomicU64::new(1_800_000_000_000));
    let read = Arc::clone(&clock);
    let breakers = Breakers::local(options("a"), move || UnixMillis(read.load(Ordering::Relaxed)));
    fail(&breakers);
    assert!(matches!(breakers.permit(&target()), Permit::No { .. }));
    clock.fetch_add(5_000, Ordering::Relaxed);
    assert!(matches!(breakers.permit(&target()), Permit::Probe(_)));
    assert!(matches!(breakers.permit(&target()), Permit::No { .. }));
    clock.fetch_add(100, Ordering::Relaxed);
    breakers.record(&target(), call(GOOD));
    assert_eq!(breakers.permit(&target()), Permit::Yes);
}
