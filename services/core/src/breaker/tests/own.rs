//! One process without a board.

use std::time::Duration;

use super::{super::*, kit::*};
use crate::task::{Failure, FailureKind, Outcome};

fn states(breaker: &Breaker, now: UnixMillis) -> &'static str {
    match breaker.state(alone(now)) {
        State::Closed => "closed",
        State::Open { .. } => "open",
        State::HalfOpen => "half-open",
    }
}

fn feed(breaker: &mut Breaker, good: usize, bad: usize, now: UnixMillis) -> Option<Change> {
    let calls = std::iter::repeat_n(GOOD, good).chain(std::iter::repeat_n(BAD, bad));
    calls.fold(None, |change, outcome| breaker.record(call(outcome), alone(now)).or(change))
}

#[test]
fn a_rate_of_failures_over_enough_calls_opens_it() {
    for (good, bad, expected) in
        [(0, 19, "closed"), (0, 20, "open"), (10, 10, "open"), (11, 9, "closed"), (20, 0, "closed")]
    {
        let mut breaker = breaker("a");
        let change = feed(&mut breaker, good, bad, ms(0));
        assert_eq!(states(&breaker, ms(1)), expected, "{good} good, {bad} bad");
        assert_eq!(change.is_some(), expected == "open");
    }
}

#[test]
fn slow_calls_and_cost_open_it_when_they_are_limited() {
    let slow = Call { took: Duration::from_secs(9), usd_micros: 3, ..call(GOOD) };
    let limits = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        let mut breaker = Breaker::new(target(), pod("a"), settings);
        (0..20).for_each(|_| drop(breaker.record(slow, alone(ms(0)))));
        match breaker.state(alone(ms(1))) {
            State::Open { reason, .. } => reason.to_string(),
            State::Closed | State::HalfOpen => "closed".to_owned(),
        }
    };
    assert_eq!(limits(|_| {}), "closed");
    assert_eq!(
        limits(|it| it.slow_after = Some(Duration::from_secs(5))),
        "20 of 20 calls took 5s or longer within 30 s"
    );
    assert_eq!(limits(|it| it.slow_after = Some(Duration::from_secs(10))), "closed");
    // 20 calls of 3 in a window of half a minute are 120 a minute.
    assert_eq!(
        limits(|it| it.usd_micros_per_minute_max = Some(100)),
        "calls cost 102 micro-USD a minute, over the limit of 100"
    );
    assert_eq!(limits(|it| it.usd_micros_per_minute_max = Some(120)), "closed");
}

#[test]
fn what_the_window_has_forgotten_does_not_count() {
    let mut breaker = breaker("a");
    feed(&mut breaker, 0, 19, ms(0));
    feed(&mut breaker, 0, 19, ms(30_000));
    assert_eq!(states(&breaker, ms(30_000)), "closed");
    feed(&mut breaker, 0, 1, ms(59_999));
    assert_eq!(states(&breaker, ms(60_000)), "open", "the later 19 and one more");
}

#[test]
fn it_goes_from_open_over_half_open_and_one_probe_to_closed() {
    let mut breaker = breaker("a");
    feed(&mut breaker, 0, 20, ms(0));
    let Permit::No { until, reason } = breaker.permit(alone(ms(1))) else { panic!("not open") };
    assert_eq!((until, &*reason), (ms(5_000), "20 of 20 calls failed within 30 s"));
    assert_eq!(states(&breaker, ms(4_999)), "open");
    assert_eq!(states(&breaker, ms(5_000)), "half-open");
    breaker.go_alone(alone(ms(5_000)));
    let probe = breaker.permit(alone(ms(5_001)));
    assert!(matches!(&probe, Permit::Probe(lease) if lease.until == ms(35_000)), "{probe:?}");
    let next = breaker.permit(alone(ms(5_002)));
    assert!(matches!(next, Permit::No { until, .. } if until == ms(6_002)));
    assert_eq!(breaker.record(call(GOOD), alone(ms(5_050))), Some(Change::Closed));
    assert_eq!(breaker.permit(alone(ms(5_051))), Permit::Yes);
    feed(&mut breaker, 0, 19, ms(5_060));
    assert_eq!(states(&breaker, ms(5_061)), "closed", "the calls from before are forgotten");
}

#[test]
fn a_failed_probe_doubles_the_time_and_a_relapse_goes_on_counting() {
    let mut breaker = breaker("a");
    feed(&mut breaker, 0, 20, ms(0));
    let mut now = ms(5_000);
    for seconds in [10, 20, 40, 80, 120, 120] {
        breaker.record(call(BAD), alone(now.after(Duration::from_millis(10))));
        now = now.after(Duration::from_millis(10) + Duration::from_secs(seconds));
        let before = UnixMillis(now.0 - 1);
        assert_eq!((states(&breaker, before), states(&breaker, now)), ("open", "half-open"));
    }
    breaker.record(call(GOOD), alone(now.after(Duration::from_millis(10))));
    feed(&mut breaker, 0, 20, now.after(Duration::from_secs(1)));
    assert_eq!(states(&breaker, now.after(Duration::from_secs(100))), "open", "again 2 min");
    let quiet = now.after(Duration::from_secs(200));
    breaker.record(call(GOOD), alone(quiet));
    feed(&mut breaker, 0, 20, quiet.after(Duration::from_secs(31)));
    assert_eq!(states(&breaker, quiet.after(Duration::from_secs(36))), "half-open", "5 s again");
}

#[test]
fn stragglers_from_before_it_opened_decide_nothing() {
    let mut breaker = breaker("a");
    feed(&mut breaker, 0, 20, ms(0));
    let late = |outcome| Call { took: Duration::from_millis(5_500), ..call(outcome) };
    assert_eq!(breaker.record(late(GOOD), alone(ms(100))), None);
    for outcome in [GOOD, BAD] {
        assert_eq!(breaker.record(late(outcome), alone(ms(5_100))), None);
        assert_eq!(states(&breaker, ms(5_200)), "half-open");
    }
}

#[test]
fn a_probe_that_says_nothing_or_never_went_out_can_be_had_again() {
    let mut breaker = breaker("a");
    feed(&mut breaker, 0, 20, ms(0));
    breaker.permit(alone(ms(1)));
    breaker.go_alone(alone(ms(5_000)));
    let Permit::Probe(lease) = breaker.permit(alone(ms(5_001))) else { panic!("no probe") };
    breaker.give_back(&lease);
    for now in [5_002, 5_102] {
        breaker.permit(alone(ms(now)));
        breaker.go_alone(alone(ms(now)));
        assert!(matches!(breaker.permit(alone(ms(now + 1))), Permit::Probe(_)), "{now}");
        breaker.record(call(CallOutcome::Ignored), alone(ms(now + 50)));
    }
}

#[test]
fn a_probe_that_never_ends_is_followed_by_another_one() {
    let mut breaker = breaker("a");
    feed(&mut breaker, 0, 20, ms(0));
    breaker.permit(alone(ms(1)));
    breaker.go_alone(alone(ms(5_000)));
    assert!(matches!(breaker.permit(alone(ms(5_000))), Permit::Probe(_)));
    breaker.go_alone(alone(ms(35_000)));
    assert!(matches!(breaker.permit(alone(ms(35_000))), Permit::No { .. }), "nobody had asked");
    breaker.go_alone(alone(ms(35_000)));
    assert!(matches!(breaker.permit(alone(ms(35_001))), Permit::Probe(_)));
}

#[test]
fn only_failures_of_the_target_itself_count() {
    use CallOutcome::{Ignored, InfrastructureFailure as Counts};
    for (kind, expected) in [
        (FailureKind::Timeout, Counts),
        (FailureKind::Panic, Counts),
        (FailureKind::Undecodable, Counts),
        (FailureKind::Error, Ignored),
        (FailureKind::InvalidInput, Ignored),
        (FailureKind::InvalidOutput, Ignored),
        (FailureKind::NotAccepted, Ignored),
        (FailureKind::Expression, Ignored),
        (FailureKind::Handoff, Ignored),
        (FailureKind::Limit, Ignored),
    ] {
        assert_eq!(classify(kind), expected, "{kind:?}");
        assert_eq!(CallOutcome::of(&Outcome::Failed(Failure::new(kind, ""))), expected);
    }
    let asks = Outcome::NeedsHuman { question: "?".to_owned() };
    assert_eq!(CallOutcome::of(&asks), CallOutcome::Success);
}
