use super::*;
use crate::breaker::{Forced, ForcedTo, Hint, Opening, Reporter};

fn queue(subject: &str, pending: u64, held: u64, waiting: u64) -> Queue {
    Queue { subject: subject.to_owned(), pending, held, waiting, moved: 0 }
}

fn look(survey: &Survey, queues: &Queues, now: UnixMillis) -> Vec<Finding> {
    survey.findings(queues, &Alarms::default(), (now, &settings()))
}

fn of_queues(queues: &Queues, now: UnixMillis) -> Vec<Finding> {
    look(&Survey::default(), queues, now)
}

#[test]
fn work_that_nobody_asks_for_is_named_with_its_role() {
    for (queue, is_lonely) in [
        (queue("role.reader", 3, 0, 0), true),
        (queue("role.reader", 3, 0, 1), false),
        (queue("role.reader", 3, 2, 0), false),
        (queue("role.reader", 0, 0, 0), false),
        (queue("partition.2", 1, 0, 0), true),
    ] {
        let mut queues = Queues::default();
        queues.take(std::slice::from_ref(&queue), at(0), &settings());
        let found = of_queues(&queues, at(0));
        assert_eq!(queues.is_lonely(&queue.subject), is_lonely, "{queue:?}");
        assert_eq!(found.len(), usize::from(is_lonely), "{queue:?}: {found:?}");
    }
    let mut queues = Queues::default();
    // One of two shards has a worker: the other one's work waits all the same.
    let both = [queue("role.reader", 3, 0, 0), queue("role.reader", 0, 0, 4)];
    queues.take(&both, at(0), &settings());
    let found = of_queues(&queues, at(0));
    assert_eq!(found[0].text, "3 messages wait for role reader and nobody asks for them.");
    assert!(found[0].next.contains("--agents reader"), "{found:?}");
}

#[test]
fn a_queue_is_still_while_something_waits_in_it_and_nothing_moves() {
    let mut queues = Queues::default();
    let queue = |pending, held, moved| Queue { moved, ..queue("role.reader", pending, held, 1) };
    let mut still = |queue: Queue, seconds| {
        queues.take(&[queue.clone(), Queue { moved: 0, ..queue }], at(seconds), &settings());
        let all: Vec<_> = queues.lengths(at(seconds)).collect();
        let [Length { subject: "role.reader", pending, held, still }] = all[..] else {
            panic!("{all:?}")
        };
        (pending, held, still.as_secs())
    };
    assert_eq!(still(queue(3, 1, 7), 0), (6, 2, 0), "of both streams");
    assert_eq!(still(queue(3, 1, 7), 50), (6, 2, 50));
    assert_eq!(still(queue(2, 1, 8), 60), (4, 2, 0));
    assert_eq!(still(queue(0, 1, 8), 90), (0, 2, 30));
    assert_eq!(still(queue(0, 0, 8), 120), (0, 0, 0), "nothing waits");
}

#[test]
fn workers_that_fall_silent_with_work_in_their_hands_are_noticed_late() {
    let mut queues = Queues::default();
    let silent = |moved| Queue { moved, ..queue("role.reader", 1, 4, 0) };
    queues.take(&[silent(1)], at(0), &settings());
    queues.take(&[silent(2)], at(100), &settings());
    queues.take(&[silent(2)], at(399), &settings());
    assert!(of_queues(&queues, at(399)).is_empty() && !queues.is_lonely("role.reader"));
    queues.take(&[silent(2)], at(400), &settings());
    assert!(queues.is_lonely("role.reader"), "nobody takes what waits behind it");
    assert_eq!(causes(&of_queues(&queues, at(400))), [("unserved", "role.reader", "silent")]);
}

#[test]
fn a_backlog_is_growth_over_the_whole_window_and_ends_when_little_is_left() {
    let served = |pending| queue("role.reader", pending, 10, 5);
    for (name, lengths, expected) in [
        ("grows", [100, 120, 150, 180, 210], true),
        ("is long and steady", [5_000, 5_000, 5_000, 5_000, 5_000], false),
        ("shrinks", [500, 400, 300, 200, 150], false),
        ("grows, but is short", [0, 10, 20, 30, 99], false),
    ] {
        let mut queues = Queues::default();
        for (place, pending) in lengths.into_iter().enumerate() {
            queues.take(&[served(pending)], at(place as u64 * 30), &settings());
        }
        let found = of_queues(&queues, at(120));
        assert_eq!(found.len(), usize::from(expected), "{name}: {found:?}");
    }
    let mut queues = Queues::default();
    queues.take(&[served(300)], at(0), &settings());
    let open = Alarms::resume([Alert::of(finding(Kind::Backlog, "role.reader", "growing"), at(0))]);
    let still =
        |queues: &Queues| Survey::default().findings(queues, &open, (at(5), &settings())).len();
    assert_eq!(still(&queues), 1);
    queues.take(&[served(99)], at(5), &settings());
    assert_eq!(still(&queues), 0);
}

#[test]
fn a_stream_is_full_before_it_refuses_and_not_any_more_only_well_below() {
    let fill = |bytes, refuses| StreamFill { name: "S".to_owned(), bytes, max_bytes: 100, refuses };
    let open = Alarms::resume([Alert::of(finding(Kind::StreamFull, "S", "filling"), at(0))]);
    for (bytes, refuses, alarms, expected) in [
        (79, true, &Alarms::default(), None),
        (80, true, &Alarms::default(), Some("filling")),
        (95, true, &Alarms::default(), Some("full")),
        (200, true, &Alarms::default(), Some("full")),
        (100, false, &Alarms::default(), None),
        (75, true, &open, Some("filling")),
        (74, true, &open, None),
    ] {
        let survey = Survey { streams: vec![fill(bytes, refuses)], ..Survey::default() };
        let found = survey.findings(&Queues::default(), alarms, (at(0), &settings()));
        assert_eq!(found.first().map(|it| it.cause), expected, "{bytes} {refuses}");
    }
}

#[test]
fn dead_letters_are_counted_with_the_newest_ones_reason() {
    let letters = Letters {
        stream: "CADRE_LOG_0".to_owned(),
        count: 2,
        newest: "0-17".to_owned(),
        at: at(0),
        reason: "no pack is named later".to_owned(),
    };
    let survey = Survey { letters: vec![letters], ..Survey::default() };
    let found = look(&survey, &Queues::default(), at(9));
    assert_eq!(causes(&found), [("dead_letters", "CADRE_LOG_0", "given_up")]);
    assert!(found[0].text.starts_with("2 dead letters lie"), "{found:?}");
    assert!(found[0].text.ends_with("no pack is named later."), "{found:?}");
}

#[test]
fn a_breaker_is_an_alert_as_long_as_somebody_holds_calls_back() {
    let reporter = |pod: &str| Reporter { pod: pod.parse().unwrap(), at: at(0), until: at(60) };
    let hint = |pods: &[&str]| Hint {
        opening: Some(Opening { since: at(0), until: at(5), row: 1, reason: "it failed".into() }),
        reporters: pods.iter().map(|pod| reporter(pod)).collect(),
        ..Hint::new("role.reader".parse().unwrap())
    };
    let forced = |to| Forced {
        to,
        since: at(0),
        until: at(600),
        by: "ann".to_owned(),
        reason: "a rollout".to_owned(),
    };
    for (hint, live_pods, seconds, expected) in [
        (hint(&["a", "b"]), 3, 1, Some(("open", Severity::Critical))),
        (hint(&["a", "b"]), 3, 9, Some(("open", Severity::Critical))),
        (hint(&["a", "b"]), 3, 61, None),
        (hint(&["a"]), 3, 1, Some(("reported", Severity::Warning))),
        (hint(&["a"]), 1, 1, Some(("open", Severity::Critical))),
        (hint(&[]), 1, 1, None),
        (hint(&[]).force(forced(ForcedTo::Open)), 1, 61, Some(("forced", Severity::Warning))),
        (hint(&["a", "b"]).force(forced(ForcedTo::Closed)), 3, 1, None),
        (hint(&["a", "b"]).reset(at(1)), 3, 1, None),
    ] {
        let board = Board { hints: vec![hint.clone()], live_pods };
        let is_open: Vec<_> = board.states(at(seconds)).map(|(_, is_open)| is_open).collect();
        let is_expected = matches!(expected, Some(("open" | "forced", _)));
        assert_eq!(is_open, [is_expected], "{hint:?} after {seconds} s");
        let found = look(&Survey { board, ..Survey::default() }, &Queues::default(), at(seconds));
        let found = found.first().map(|it| (it.cause, it.severity));
        assert_eq!(found, expected, "{hint:?} after {seconds} s");
    }
}
