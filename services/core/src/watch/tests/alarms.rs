use proptest::prelude::*;

use super::*;
use crate::limits::ALERTS_PER_KIND_MAX;

/// Judges and confirms everything; what was posted, as `+` raised, `~` repeated, `-` ended.
fn look(alarms: &mut Alarms, found: Vec<Finding>, now: UnixMillis) -> Vec<String> {
    let changes = alarms.judge(found, now, &settings());
    let mut posted = Vec::new();
    for alert in changes {
        let sign = match (alert.ended_at, alarms.is_open(alert.key.kind, &alert.key.subject)) {
            (Some(_), _) => '-',
            (None, true) => '~',
            (None, false) => '+',
        };
        posted.push(format!("{sign}{}", alert.key));
        alarms.confirm(alert);
    }
    posted
}

#[test]
fn an_alert_is_raised_once_and_ends_when_its_cause_is_gone_for_long_enough() {
    let mut alarms = Alarms::default();
    let stuck = || vec![finding(Kind::Stuck, "a", "timer_lost")];
    for (seconds, found, expected) in [
        (0, stuck(), vec!["+stuck.a"]),
        (5, stuck(), vec![]),
        (10, vec![], vec![]),
        (15, stuck(), vec![]),
        (20, vec![], vec![]),
        (49, vec![], vec![]),
        (50, vec![], vec!["-stuck.a"]),
        (55, vec![], vec![]),
        (60, stuck(), vec!["+stuck.a"]),
    ] {
        assert_eq!(look(&mut alarms, found, at(seconds)), expected, "{seconds}");
    }
}

#[test]
fn what_nobody_serves_must_last() {
    let mut alarms = Alarms::default();
    let lonely = || vec![finding(Kind::Unserved, "role.reader", "unserved")];
    for (seconds, found, expected) in [
        (0, lonely(), vec![]),
        (20, lonely(), vec![]),
        (25, vec![], vec![]),
        (30, lonely(), vec![]),
        (55, lonely(), vec![]),
        (60, lonely(), vec!["+unserved.role.reader"]),
    ] {
        assert_eq!(look(&mut alarms, found, at(seconds)), expected, "{seconds}");
    }
}

#[test]
fn another_cause_is_news_and_an_old_alert_is_said_again() {
    let mut alarms = Alarms::default();
    let open = |cause| vec![finding(Kind::BreakerOpen, "role.a", cause)];
    assert_eq!(look(&mut alarms, open("reported"), at(0)), ["+breaker_open.role.a"]);
    assert_eq!(look(&mut alarms, open("open"), at(5)), ["~breaker_open.role.a"]);
    assert!(look(&mut alarms, open("open"), at(3_604)).is_empty());
    assert_eq!(look(&mut alarms, open("open"), at(3_605)), ["~breaker_open.role.a"]);
    let first = alarms.open().next().unwrap();
    assert_eq!((first.since, first.at), (at(0), at(3_605)));
}

#[test]
fn twice_as_many_are_news_and_a_few_more_are_not() {
    let mut alarms = Alarms::default();
    let letters = |count: u64| {
        let found = finding(Kind::DeadLetters, "log_0", "given_up");
        vec![Finding { evidence: [("count".to_owned(), count.to_string())].into(), ..found }]
    };
    for (seconds, count, posted) in [
        (0, 1, "+"),
        (5, 1, ""),
        (10, 2, "~"),
        (15, 3, ""),
        (20, 19, "~"),
        (25, 37, ""),
        (30, 1, ""),
    ] {
        let expected: Vec<_> =
            posted.chars().map(|sign| format!("{sign}dead_letters.log_0")).collect();
        assert_eq!(look(&mut alarms, letters(count), at(seconds)), expected, "{count}");
    }
    assert_eq!(alarms.open().next().unwrap().evidence["count"], "19");
}

#[test]
fn what_was_not_confirmed_is_proposed_again() {
    let mut alarms = Alarms::default();
    let found = || vec![finding(Kind::Stuck, "a", "timer_lost")];
    for seconds in [0, 5] {
        assert_eq!(alarms.judge(found(), at(seconds), &settings()).len(), 1);
    }
    assert_eq!(alarms.open().count(), 0);
}

#[test]
fn too_many_of_a_kind_are_counted_in_one_and_the_open_ones_stay() {
    let mut alarms = Alarms::default();
    let some = |from: usize, to: usize| {
        (from..to).map(|n| finding(Kind::Stuck, &format!("t{n:04}"), "x")).collect::<Vec<_>>()
    };
    assert_eq!(look(&mut alarms, some(500, 510), at(0)).len(), 10);
    let posted = look(&mut alarms, some(0, 510), at(5));
    assert_eq!(posted.len(), ALERTS_PER_KIND_MAX - 10 + 1);
    assert!(alarms.is_open(Kind::Stuck, "t0505") && alarms.is_open(Kind::Stuck, "_more"));
    let more = alarms.open().find(|alert| alert.key.subject == "_more").unwrap();
    assert_eq!(more.text, "And 410 more of kind stuck, t0090 among them.");
    assert!(look(&mut alarms, some(0, 510), at(10)).is_empty());
}

#[test]
fn a_watch_that_takes_over_goes_on_with_what_is_open() {
    let open = Alert::of(finding(Kind::Stuck, "a", "timer_lost"), at(0));
    let ended = Alert { ended_at: Some(at(1)), ..Alert::of(finding(Kind::Stuck, "b", "x"), at(0)) };
    let mut alarms = Alarms::resume([open, ended]);
    let found = |subject| vec![finding(Kind::Stuck, subject, "timer_lost")];
    assert!(look(&mut alarms, found("a"), at(5)).is_empty());
    assert!(look(&mut alarms, Vec::new(), at(10)).is_empty());
    assert_eq!(look(&mut alarms, found("b"), at(40)), ["-stuck.a", "+stuck.b"]);
}

proptest! {
    /// Whatever is found when: nothing ends within `hold` of when it was last found, nothing is raised
    /// twice, no more is open than people read.
    #[test]
    fn alerts_do_not_flap(
        looks in proptest::collection::vec(proptest::collection::vec(0..3_usize, 0..3), 1..120),
        pause in 1..15_u64,
    ) {
        let subjects = ["a", "b", "c"];
        let mut alarms = Alarms::default();
        let mut found_last = [0_u64; 3];
        let mut is_open = [false; 3];
        for (number, found) in looks.iter().enumerate() {
            let seconds = number as u64 * pause;
            found.iter().for_each(|subject| found_last[*subject] = seconds);
            let findings = found.iter().map(|it| finding(Kind::Stuck, subjects[*it], "x")).collect();
            for posted in look(&mut alarms, findings, at(seconds)) {
                let place = subjects.iter().position(|it| posted.ends_with(&format!(".{it}"))).unwrap();
                if posted.starts_with('+') {
                    prop_assert!(!is_open[place]);
                    is_open[place] = true;
                } else if posted.starts_with('-') {
                    prop_assert!(is_open[place]);
                    prop_assert!(seconds - found_last[place] >= settings().hold.as_secs());
                    is_open[place] = false;
                }
            }
            prop_assert_eq!(alarms.open().count(), is_open.iter().filter(|it| **it).count());
        }
    }
}
