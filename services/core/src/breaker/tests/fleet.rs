//! Several processes and one board.

use super::{super::*, kit::*};
use crate::limits::BREAKER_REPORTERS_MAX;

#[test]
fn two_of_three_open_the_third_and_one_does_not() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    assert_eq!(fleet.permits(ms(1)), "nyy");
    fleet.open(1, ms(2_000));
    assert_eq!(fleet.permits(ms(2_001)), "nnn");
    let Permit::No { until, reason } = fleet.permit(2, ms(2_001)) else { panic!("open") };
    assert_eq!((until, &*reason), (ms(7_000), "20 of 20 calls failed within 30 s"));
}

#[test]
fn where_two_are_more_than_half_one_is_enough() {
    for (live, expected) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (100, 2)] {
        assert_eq!(quorum(live), expected, "{live} live pods");
    }
    let mut fleet = Fleet::of(&["a", "b"]);
    fleet.open(0, ms(0));
    assert_eq!(fleet.permits(ms(1)), "nn");
}

#[test]
fn half_open_one_pod_of_the_fleet_probes_and_all_learn_from_it() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.open(1, ms(0));
    assert_eq!(fleet.permits(ms(1)), "nnn");
    fleet.settle(ms(5_000));
    assert_eq!(fleet.permits(ms(5_001)), "pnn");
    assert_eq!(fleet.permits(ms(5_002)), "nnn");
    fleet.record(0, GOOD, ms(5_100));
    assert_eq!(fleet.permits(ms(5_101)), "ynn", "the others do not know yet");
    fleet.settle(ms(5_200));
    assert_eq!(fleet.permits(ms(5_201)), "yyy");
    assert!(fleet.hint().is_void(ms(5_201)));
}

#[test]
fn a_failed_probe_keeps_the_whole_fleet_open_for_longer() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.open(1, ms(0));
    fleet.permits(ms(1));
    fleet.settle(ms(5_000));
    assert_eq!(fleet.permits(ms(5_001)), "pnn");
    fleet.record(0, BAD, ms(5_100));
    fleet.settle(ms(5_200));
    for index in 0..3 {
        let Permit::No { until, .. } = fleet.permit(index, ms(6_000)) else { panic!("open") };
        assert_eq!(until, ms(15_100), "10 s from the probe on");
    }
    fleet.settle(ms(15_100));
    assert_eq!(fleet.permits(ms(15_101)).matches('p').count(), 1);
}

#[test]
fn the_result_may_come_back_to_another_pod_than_the_one_that_probed() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.open(1, ms(0));
    fleet.permits(ms(1));
    fleet.settle(ms(5_000));
    assert_eq!(fleet.permits(ms(5_001)), "pnn");
    fleet.record(2, GOOD, ms(5_300));
    fleet.settle(ms(5_400));
    assert_eq!(fleet.permits(ms(5_401)), "yyy");
}

#[test]
fn a_pod_that_dies_with_the_lease_does_not_block_for_ever() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.open(1, ms(0));
    fleet.permits(ms(1));
    fleet.settle(ms(5_000));
    assert_eq!(fleet.permits(ms(5_001)), "pnn");
    fleet.pods.remove(0);
    assert_eq!(fleet.permits(ms(34_000)), "nn");
    fleet.settle(ms(34_999));
    assert_eq!(fleet.permits(ms(34_999)), "nn");
    fleet.settle(ms(35_000));
    assert_eq!(fleet.permits(ms(35_001)), "pn");
}

#[test]
fn what_nobody_repeats_expires() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.open(1, ms(0));
    assert_eq!(
        fleet.permit(2, ms(64_999)),
        Permit::No { until: ms(65_999), reason: "half-open: a probe is being arranged".into() }
    );
    assert_eq!(fleet.permit(2, ms(65_000)), Permit::Yes, "5 s open and a minute");
    // One of two reports is not enough, however old the other one is.
    fleet.open(1, ms(70_000));
    assert_eq!(fleet.hint().reporters.len(), 1);
    assert_eq!(fleet.permit(2, ms(70_001)), Permit::Yes);
}

#[test]
fn what_people_say_goes_before_what_calls_say() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    let forced = |to, until| Forced {
        to,
        since: ms(0),
        until,
        by: "ann".to_owned(),
        reason: "a rollout".to_owned(),
    };
    fleet.edit(|hint| hint.force(forced(ForcedTo::Open, ms(60_000))));
    fleet.tell(ms(0));
    let Permit::No { until, reason } = fleet.permit(0, ms(1)) else { panic!("held open") };
    assert_eq!((until, &*reason), (ms(60_000), "held open by ann: a rollout"));
    fleet.record(0, GOOD, ms(2));
    assert_eq!(fleet.permits(ms(3)), "nnn", "no call closes it");
    assert_eq!(fleet.permits(ms(60_000)), "yyy");

    fleet.open(0, ms(61_000));
    fleet.open(1, ms(61_000));
    assert_eq!(fleet.permits(ms(61_001)), "nnn");
    let closed = Forced { since: ms(62_000), ..forced(ForcedTo::Closed, ms(80_000)) };
    fleet.edit(|hint| hint.force(closed));
    fleet.tell(ms(62_000));
    fleet.open(2, ms(62_001));
    assert_eq!(fleet.permits(ms(62_002)), "yyy", "failures do not open it");
    fleet.record(2, BAD, ms(80_000));
    assert_eq!(fleet.permits(ms(80_001)), "yyn", "but they are counted");
}

#[test]
fn a_reset_closes_every_breaker_and_ends_every_wish() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.open(1, ms(0));
    fleet.edit(|hint| hint.reset(ms(1_000)));
    fleet.settle(ms(1_000));
    assert_eq!(fleet.permits(ms(1_001)), "yyy");
    assert_eq!((fleet.hint().closed_at, fleet.hint().reporters.len()), (ms(1_000), 0));
    fleet.open(2, ms(2_000));
    assert_eq!(fleet.permits(ms(2_001)), "yyn", "it works on");
}

#[test]
fn edits_that_lost_a_race_are_made_anew_on_what_is_there() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    let at = fleet.at(ms(0));
    // Both have opened before either knows of the other.
    open(&mut fleet.pods[0], at);
    open(&mut fleet.pods[1], at);
    fleet.pay(0, ms(0));
    fleet.pay(1, ms(0));
    let reporters: Vec<_> = fleet.hint().reporters.into_iter().map(|one| one.pod).collect();
    assert_eq!(reporters, [pod("a"), pod("b")]);
}

#[test]
fn a_probe_that_passed_does_not_undo_a_later_opening() {
    let mut fleet = Fleet::of(&["a", "b", "c"]);
    fleet.open(0, ms(0));
    fleet.permits(ms(1));
    fleet.settle(ms(5_000));
    assert_eq!(fleet.permits(ms(5_001)), "pyy");
    fleet.record(0, GOOD, ms(5_100));
    // Before that is told, others have opened it.
    fleet.pods[1].learn(Posted { hint: Ok(None), revision: 9 }, ms(5_200));
    fleet.board = Posted { hint: Ok(None), revision: 9 };
    fleet.open(1, ms(6_000));
    fleet.settle(ms(6_000));
    assert_eq!(fleet.permits(ms(6_001)), "yny");
    let hint = fleet.hint();
    assert_eq!(hint.clone().passed(ms(5_999)), hint, "not even for a moment");
    assert!(hint.passed(ms(6_000)).is_void(ms(6_001)));
}

#[test]
fn more_pods_than_a_hint_names_do_not_push_each_other_out() {
    let names: Vec<String> = (0..12).map(|number| format!("p{number:02}")).collect();
    let mut fleet = Fleet::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (0..12).for_each(|index| {
        let at = fleet.at(ms(0));
        open(&mut fleet.pods[index], at);
    });
    (0..3).for_each(|_| fleet.settle(ms(1)));
    assert_eq!(fleet.hint().reporters.len(), BREAKER_REPORTERS_MAX);
    assert_eq!(fleet.board.revision, 8, "nobody writes in vain");
}

#[test]
fn older_news_is_ignored_until_the_board_is_new() {
    let mut one = breaker("a");
    let hint = |reason: &str| {
        let forced = Forced {
            to: ForcedTo::Open,
            since: ms(0),
            until: ms(9_000),
            by: "ann".to_owned(),
            reason: reason.to_owned(),
        };
        Hint::new(target()).force(forced)
    };
    one.learn(Posted { hint: Ok(Some(hint("new"))), revision: 7 }, ms(0));
    one.learn(Posted { hint: Ok(None), revision: 3 }, ms(0));
    assert!(!one.is_closed(alone(ms(1))));
    one.forget_revision();
    one.learn(Posted { hint: Ok(None), revision: 3 }, ms(0));
    assert!(one.is_closed(alone(ms(1))));
}

#[test]
fn the_hint_of_a_newer_build_is_left_alone_and_garbage_is_not() {
    let mut one = breaker("a");
    one.learn(Posted { hint: Err(WireError::TooNew { version: 2 }), revision: 7 }, ms(0));
    open(&mut one, alone(ms(0)));
    assert_eq!(one.owes(alone(ms(1))), None);
    assert!(!one.is_closed(alone(ms(1))), "its own calls count all the same");
    one.permit(alone(ms(1)));
    one.go_alone(alone(ms(5_000)));
    assert!(matches!(one.permit(alone(ms(5_001))), Permit::Probe(_)));
    let garbage = WireError::Malformed { what: "x".to_owned() };
    one.learn(Posted { hint: Err(garbage), revision: 8 }, ms(5_002));
    assert_eq!(one.owes(alone(ms(5_003))).map(|debt| debt.revision), Some(8));
}

#[test]
fn times_beyond_our_own_rules_are_cut() {
    let far = UnixMillis(u64::MAX);
    let lease = Lease { pod: pod("x"), since: ms(0), until: far };
    let opening = Opening { since: ms(0), until: far, row: u32::MAX, reason: "".into() };
    let reporter = |name| Reporter { pod: pod(name), at: far, until: far };
    let mut hint = Hint::new(target());
    (hint.opening, hint.probe) = (Some(opening), Some(lease));
    hint.reporters = vec![reporter("x"), reporter("y")];
    let mut one = breaker("a");
    one.learn(Posted { hint: Ok(Some(hint)), revision: 1 }, ms(0));
    let three = |now| Moment { now, live_pods: 3 };
    assert!(matches!(one.permit(three(ms(0))), Permit::No { until, .. } if until == ms(120_000)));
    assert_eq!(one.permit(three(ms(180_000))), Permit::Yes);
}
