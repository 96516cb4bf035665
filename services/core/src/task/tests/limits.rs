//! Step, money, token and time limits.

use super::{
    kit::{DEADLINE_MS, T0, completed, failed, goal},
    *,
};
use crate::ids::{Name, StepId};

fn two() -> Flow {
    Flow::of(&[step("a"), step("b").after(&["a"])])
}

fn cost(step: &str, usd_micros: u64, tokens: u64) -> Input {
    let usage = Usage { usd_micros, tokens, work_ms: 5 };
    Input::Report(Report { usage, ..report(step, completed(json!({"ok": 1}))) })
}

#[test]
fn the_step_limit_ends_dispatching_and_the_answer_is_partial() {
    let flow = two().steps_max(1);
    let mut run = flow.start(json!({}));
    run.complete("a");
    assert_eq!(run.why_not("b"), "a limit was met: max_steps: 1 of 1 steps are used");
    assert_eq!(run.parts().limit.unwrap(), "max_steps: 1 of 1 steps are used");
    assert_eq!(run.parts().gaps[0].step, "b");
}

#[test]
fn the_step_limit_inside_a_fan_out_keeps_what_has_begun() {
    let flow =
        Flow::of(&[step("f").each("goal.items").parallel(5).keep(500), step("z").after(&["f"])])
            .steps_max(2);
    let mut run = flow.start(json!({"items": [1, 2, 3, 4]}));
    assert_eq!(run.open(), ["f-0", "f-1"]);
    run.complete("f-0").complete("f-1");
    let parts = run.parts();
    assert_eq!(parts.fields[0].candidates[0].value.as_array().unwrap().len(), 2);
    assert_eq!(parts.gaps[0].cause, "2 of 4 items never began");
    assert!(run.why_not("z").starts_with("a limit was met"));
}

#[test]
fn a_fan_out_that_a_limit_cut_too_short_has_no_output() {
    let flow = Flow::of(&[step("f").each("goal.items").parallel(5).keep(500)]).steps_max(1);
    let mut run = flow.start(json!({"items": [1, 2, 3, 4]}));
    run.complete("f-0");
    let field = &run.parts().fields[0];
    assert_eq!(
        (field.candidates.len(), field.missing[0].cause.as_str()),
        (0, "1 of 4 items completed")
    );
}

#[test]
fn money_and_tokens_are_limits() {
    for (usd, tokens, limit) in
        [(11, 0, "max_usd: spent 11 of 10 micro-USD"), (0, 21, "max_tokens: used 21 of 20 tokens")]
    {
        let flow = two().spending_max(10, 20);
        let mut run = flow.start(json!({}));
        run.feed(&cost("a", usd, tokens));
        assert_eq!(run.parts().limit.as_deref(), Some(limit));
        assert_eq!(run.why_not("b"), format!("a limit was met: {limit}"));
        assert_eq!(run.task().usage, Usage { usd_micros: usd, tokens, work_ms: 5 });
    }
    let flow = two().spending_max(10, 20);
    let mut run = flow.start(json!({}));
    run.feed(&cost("a", 10, 20));
    assert_eq!(run.open(), ["b"], "exactly the limit is inside it");
}

#[test]
fn a_failed_step_costs_too() {
    let flow = two().spending_max(10, 20);
    let mut run = flow.start(json!({}));
    let usage = Usage { usd_micros: 11, ..Usage::default() };
    run.feed(&Input::Report(Report { usage, ..report("a", failed()) }));
    assert!(run.task().limited.is_some());
}

/// Everybody may go on, and each journal says this of an attempt that is out.
struct Journals(Usage);

impl Roles for Journals {
    fn permit(&self, _role: &Name) -> Permit {
        Permit::Go
    }

    fn may_retry(&self, _role: &Name) -> bool {
        true
    }

    fn spent(&self, _step: &StepId) -> Usage {
        self.0
    }
}

#[test]
fn an_attempt_without_a_report_costs_what_its_journal_says_and_once() {
    let flow = two().spending_max(10, 20);
    let run = flow.start(json!({}));
    let StepState::Dispatched { deadline, .. } = run.step("a").state else { panic!("not out") };
    let usage = Usage { usd_micros: 11, tokens: 3, work_ms: 0 };
    let journals = Journals(usage);
    for (now, is_late) in [(deadline, false), (UnixMillis(T0 + DEADLINE_MS), true)] {
        let moment = Moment { now, roles: &journals };
        let due = decide(run.workflow, run.task.as_ref(), &Input::Due, &moment);
        let Verdict::Append(draft) = due else { panic!("{due:?}") };
        assert_eq!((draft.next.usage, draft.next.limited.is_some()), (usage, true), "{is_late}");
        let late = decide(run.workflow, Some(&draft.next), &cost("a", 11, 3), &moment);
        assert!(matches!(late, Verdict::Ignore(Seen::Late(_))), "{late:?}");
    }
}

#[test]
fn attempts_that_are_stopped_cost_what_their_journals_say() {
    let usage = Usage { usd_micros: 3, tokens: 1, work_ms: 0 };
    let journals = Journals(usage);
    let (by, reason, key) = ("ann".to_owned(), String::new(), "k".to_owned());
    let kill = Control { by: by.clone(), reason: reason.clone(), key, action: Action::Kill };
    let race = step("pick").after(&["a", "b", "c"]).quorum(1);
    let flow = Flow::of(&[step("a"), step("b"), step("c"), race]).spending_max(100, 100);
    let run = flow.start(json!({}));
    let moment = Moment { now: UnixMillis(run.now), roles: &journals };
    for (input, stopped) in [
        (Input::Cancel(Cancel { by, reason }), 3),
        (Input::Control(kill), 3),
        (Input::Report(report("b", completed(json!({})))), 2),
    ] {
        let verdict = decide(run.workflow, run.task.as_ref(), &input, &moment);
        let Verdict::Append(draft) = verdict else { panic!("{verdict:?}") };
        let all = (0..stopped).fold(Usage::default(), |sum, _| sum.plus(usage));
        assert_eq!(draft.next.usage, all, "{input:?}");
        // It is in the log, so whoever replays it comes to the same.
        let replayed = run.task.clone().map(|mut task| {
            for event in &draft.events {
                task.apply(event, draft.next.rev, draft.next.changed_at);
            }
            task
        });
        assert_eq!(replayed.expect("a task").usage, all);
    }
}

#[test]
fn open_steps_go_on_after_a_limit() {
    let flow = Flow::of(&[step("a"), step("b"), step("c").after(&["a"])]).spending_max(10, 20);
    let mut run = flow.start(json!({}));
    run.feed(&cost("a", 11, 0));
    assert_eq!(run.open(), ["b"]);
    run.complete("b");
    assert_eq!(run.open(), [AGGREGATE]);
    assert_eq!(run.parts().fields[1].candidates[0].value, json!({"ok": "b"}));
}

#[test]
fn a_pack_can_say_that_a_limit_fails_the_task() {
    let flow = two().spending_max(10, 20).fails_when_limited();
    let mut run = flow.start(json!({}));
    run.feed(&cost("a", 11, 0));
    let end = run.task().ended().unwrap();
    assert_eq!(end.status, EndStatus::Failed);
    assert_eq!(end.reason, "a limit was met: max_usd: spent 11 of 10 micro-USD");

    let flow = two().steps_max(1).fails_when_limited();
    let mut run = flow.start(json!({}));
    run.complete("a");
    assert_eq!(run.task().ended().unwrap().status, EndStatus::Failed);
}

#[test]
fn the_deadline_ends_open_steps_and_answers_with_what_exists() {
    let flow = Flow::of(&[step("a"), step("b"), step("c").after(&["b"])]);
    let mut run = flow.start(json!({}));
    run.complete("a").report("b", Outcome::NeedsHuman { question: "which?".to_owned() });
    run.due(DEADLINE_MS);
    let reason = "the task's deadline 2027-01-15T08:01:00.000Z has passed";
    assert_eq!(run.parts().limit.as_deref(), Some(reason));
    assert_eq!(run.why_not("b"), format!("limit: {reason}"));
    assert_eq!(run.parts().fields[0].candidates[0].value, json!({"ok": "a"}));
    let order = run.task().orders_since(0).next().unwrap();
    assert_eq!(order.deadline, UnixMillis(T0 + DEADLINE_MS + 5_000), "grace for the aggregator");
    run.report(AGGREGATE, completed(json!({"status": "partial", "reason": "b is missing"})));
    assert_eq!(run.task().ended().unwrap().status, EndStatus::Partial);
}

#[test]
fn the_deadline_can_end_the_task_as_incomplete() {
    let flow = two().fails_when_limited();
    let mut run = flow.start(json!({}));
    run.due(DEADLINE_MS);
    assert_eq!(run.task().ended().unwrap().status, EndStatus::Incomplete);
    assert_eq!(run.state("a"), "cancelled");
    // The same when the last report comes before the timer.
    let mut run = flow.start(json!({}));
    run.now = T0 + DEADLINE_MS;
    run.complete("a");
    let end = run.task().ended().unwrap();
    assert_eq!(end.reason, "a limit was met: deadline: 0 ms are left");
    assert_eq!(end.status, EndStatus::Incomplete);
}

#[test]
fn an_earlier_limit_stays_on_record_at_the_deadline() {
    let flow = Flow::of(&[step("a"), step("b")]).spending_max(10, 20);
    let mut run = flow.start(json!({}));
    run.feed(&cost("a", 11, 0));
    run.due(DEADLINE_MS);
    assert!(run.parts().limit.unwrap().starts_with("max_usd"));
    assert!(run.why_not("b").starts_with("limit: the task's deadline"));
}

#[test]
fn no_step_outlives_the_task() {
    let flow = two();
    let mut run = flow.start(json!({}));
    run.now = T0 + DEADLINE_MS - 1_000;
    run.complete("a");
    let order = run.task().orders_since(0).next().unwrap();
    assert_eq!(order.deadline, UnixMillis(T0 + DEADLINE_MS));
}

#[test]
fn a_goal_narrows_limits_and_never_widens_them() {
    let start = |limits: GoalLimits, deadline: Option<u64>| {
        let deadline = deadline.map(UnixMillis);
        Input::Goal(Goal { limits, deadline, ..goal(json!({})) }.into())
    };
    let flow = two().spending_max(10, 20);
    let wide = GoalLimits { steps_max: Some(99), usd_micros_max: Some(99), tokens_max: Some(99) };
    let mut run = flow.idle();
    run.feed(&start(wide, Some(u64::MAX)));
    assert_eq!(run.task().deadline, UnixMillis(T0 + DEADLINE_MS));
    run.feed(&cost("a", 11, 0));
    assert_eq!(run.parts().limit.as_deref(), Some("max_usd: spent 11 of 10 micro-USD"));

    let narrow = GoalLimits { steps_max: Some(1), usd_micros_max: Some(0), tokens_max: None };
    let mut run = flow.idle();
    run.feed(&start(narrow, Some(T0 + 2_000)));
    assert_eq!(run.task().deadline, UnixMillis(T0 + 2_000));
    run.feed(&cost("a", 1, 0));
    assert_eq!(run.parts().limit.as_deref(), Some("max_usd: spent 1 of 0 micro-USD"));
}

#[test]
fn a_goal_whose_deadline_has_passed_begins_nothing() {
    for (flow, is_open) in [(two(), true), (two().fails_when_limited(), false)] {
        let mut run = flow.idle();
        let late = Goal { deadline: Some(UnixMillis(T0 - 1)), ..goal(json!({})) };
        run.feed(&Input::Goal(late.into()));
        assert_eq!(run.task().dispatches, 0);
        assert_eq!(run.task().ended().is_none(), is_open);
        let status = run.task().ended().map(|end| end.status);
        assert_eq!(status, (!is_open).then_some(EndStatus::Incomplete));
    }
}
