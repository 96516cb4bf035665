//! Corruptions of what is on its way.

use super::{
    kit::{History, attempt, history, name, place, task},
    *,
};
use crate::time::UnixMillis;

/// Why an order may be missing, and how that comes about.
type Cover = (&'static str, fn(&mut History));

fn found(what: &str, corrupt: impl FnOnce(&mut History), expected: &[Rule]) -> Verdict {
    let mut history = history();
    corrupt(&mut history);
    let verdict = history.check();
    let mut rules: Vec<_> = verdict.violations.iter().map(|it| it.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(rules, expected, "{what}: {:?}", verdict.violations);
    verdict
}

fn order(attempt: Attempt) -> Content {
    Content::Order(OrderFact { attempt, deadline: Ok(UnixMillis(1)) })
}

fn report(attempt: Attempt) -> Content {
    Content::Input { task: attempt.task.clone(), kind: InputKind::Report(attempt) }
}

fn lose_the_order(it: &mut History) {
    it.remove(|content| matches!(content, Content::Order(_)));
}

fn lose_the_timers(it: &mut History) {
    it.facts.retain(|fact| !matches!(fact.content, Content::Timer { .. }));
}

#[test]
fn what_no_record_decided_is_found() {
    let forged = |attempt: Attempt| move |it: &mut History| it.add("CADRE_WORK_0", order(attempt));
    let rule = &[Rule::OrderFromRecord];
    found("no such step", forged(attempt("open", "other", 1)), rule);
    found("no such attempt", forged(attempt("open", "read", 2)), rule);
    found("no such task", forged(attempt("nobody", "read", 1)), rule);
    let role = Attempt { role: name("writer"), ..attempt("open", "read", 1) };
    found("another role", forged(role), rule);
    let sent = |attempt: Attempt| move |it: &mut History| it.add("CADRE_IN_0", report(attempt));
    found("no such order", sent(attempt("open", "other", 1)), &[Rule::ReportFromOrder]);
    found("its order was decided", sent(attempt("open", "read", 1)), &[]);
    found("too late, and allowed", sent(attempt("done", "read", 1)), &[]);
}

#[test]
fn an_order_that_says_something_else_is_found() {
    let say = |said: Result<UnixMillis, String>| {
        move |it: &mut History| {
            for fact in &mut it.facts {
                if let Content::Order(order) = &mut fact.content {
                    order.deadline = said.clone();
                }
            }
        }
    };
    found("another deadline", say(Ok(UnixMillis(1))), &[Rule::OrderFromRecord]);
    found("no order", say(Err("no JSON".to_owned())), &[Rule::OrderFromRecord]);
}

#[test]
fn an_open_step_without_its_order_is_found() {
    found("the order is gone", lose_the_order, &[Rule::OrderPaid]);
    let verdict = found(
        "both are",
        |it| {
            lose_the_order(it);
            lose_the_timers(it);
        },
        &[Rule::OrderPaid, Rule::TimerPaid],
    );
    let lost = verdict.violations.iter().find(|it| it.rule == Rule::OrderPaid).unwrap();
    assert_eq!(lost.task, Some(task("open")));
}

#[test]
fn an_order_that_somebody_will_still_pay_is_not_missed() {
    let covers: [Cover; 5] = [
        ("its report waits", |it| it.add("CADRE_IN_0", report(attempt("open", "read", 1)))),
        ("it is dead", |it| {
            it.letter().order = Some(attempt("open", "read", 1));
        }),
        ("its goal is not acknowledged", |it| {
            let cause = it.record("open", 1).record.cause.sequence;
            let content = Content::Input { task: task("open"), kind: InputKind::Goal };
            it.facts.insert(1, Fact { place: place("CADRE_IN_0", cause), content });
        }),
        ("its record is new", |it| it.facts[0].place.sequence = 1),
        ("its record went on by itself", |it| {
            it.record("open", 1).record.cause.kind = "advance".to_owned()
        }),
    ];
    for (what, cover) in covers {
        let lose_and = |it: &mut History| {
            lose_the_order(it);
            cover(it);
        };
        found(what, lose_and, &[]);
    }
}

#[test]
fn an_open_task_that_nothing_wakes_is_found() {
    let verdict = found("no timer", lose_the_timers, &[Rule::TimerPaid]);
    assert_eq!(verdict.violations_total, 2, "both open tasks");
    let set = |at: UnixMillis| {
        move |it: &mut History| {
            for fact in &mut it.facts {
                if let Content::Timer { wake_at, .. } = &mut fact.content {
                    *wake_at = Some(at);
                }
            }
        }
    };
    found("it is late", set(UnixMillis(u64::MAX)), &[Rule::TimerPaid]);
    found("it is early", set(UnixMillis(1)), &[]);
    found(
        "it fired",
        |it| {
            lose_the_timers(it);
            it.add("CADRE_TIMER_0", Content::Due { task: task("open") });
            it.add("CADRE_IN_0", Content::Input { task: task("asked"), kind: InputKind::Timer });
        },
        &[],
    );
}

#[test]
fn a_timer_belongs_to_a_task() {
    let timer = |key: &'static str| {
        move |it: &mut History| {
            it.add("CADRE_TIMER_0", Content::Timer { task: task(key), wake_at: None });
        }
    };
    found("no log", timer("nobody"), &[Rule::TimerFromRecord]);
    let verdict = found("it has ended", timer("done"), &[]);
    assert_eq!(verdict.notes_total, 1, "{:?}", verdict.notes);
}

#[test]
fn an_answer_that_somebody_will_still_pay_is_not_missed() {
    found(
        "its timer is set",
        |it| {
            it.remove(|content| matches!(content, Content::Answer(_)));
            it.add("CADRE_TIMER_0", Content::Timer { task: task("done"), wake_at: None });
        },
        &[],
    );
    found(
        "its report is not acknowledged",
        |it| {
            it.remove(|content| matches!(content, Content::Answer(_)));
            it.add("CADRE_IN_0", Content::Input { task: task("done"), kind: InputKind::Cancel });
        },
        &[],
    );
}
