//! Every state of a task meets every input.

use super::{
    kit::{DEADLINE_MS, T0, TIMEOUT_MS, completed, failed, goal, name, payload},
    *,
};

/// Inputs, in the order of the table's columns.
const INPUTS: [&str; 25] = [
    "goal",
    "other goal",
    "completed",
    "unsure",
    "failed",
    "handoff",
    "needs human",
    "invalid",
    "old attempt",
    "other role",
    "unknown step",
    "completed before",
    "due early",
    "step overdue",
    "task overdue",
    "cancel",
    "advance",
    "pause",
    "resume",
    "kill",
    "budget",
    "grant",
    "deny",
    "foreign grant",
    "retry",
];

/// What each input means in each state: the decision, or what it is ignored as.
const TABLE: [(&str, &str); 14] = [
    ("none", "accept accept - - - - - - - - - - - - - - - - - - - - - - -"),
    (
        "single",
        "known conflict complete fail fail fail ask fail late late late late known expire expire cancel known pause known kill add_budget refuse refuse refuse known",
    ),
    (
        "fan-out",
        "known conflict complete fail fail fail ask fail late late late late known expire expire cancel known pause known kill add_budget refuse refuse refuse known",
    ),
    (
        "delayed",
        "known conflict late late late late late late late late late late known advance expire cancel known pause known kill add_budget refuse refuse refuse known",
    ),
    (
        "waiting",
        "known conflict late late late late late late late late late late known known expire cancel known pause known kill add_budget grant deny refuse known",
    ),
    (
        "paused",
        "known conflict complete fail fail fail ask fail late late late late known expire expire cancel known known resume kill add_budget refuse refuse refuse known",
    ),
    (
        "held",
        "known conflict complete fail fail fail ask fail late late late late known expire expire cancel known pause known kill add_budget refuse refuse refuse known",
    ),
    (
        "aggregating",
        "known conflict end end end end end end late late late late known expire known cancel known refuse known kill refuse refuse refuse refuse refuse",
    ),
    (
        "completed",
        "known conflict late late late late late late late late late late known known known known known refuse refuse known refuse refuse refuse refuse refuse",
    ),
    (
        "partial",
        "known conflict late late late late late late late late late late known known known known known refuse refuse known refuse refuse refuse refuse refuse",
    ),
    (
        "failed",
        "known conflict late late late late late late late late late late known known known known known refuse refuse known refuse refuse refuse refuse refuse",
    ),
    (
        "cancelled",
        "known conflict late late late late late late late late late late known known known known known refuse refuse known refuse refuse refuse refuse refuse",
    ),
    (
        "incomplete",
        "known conflict late late late late late late late late late late known known known known known refuse refuse known refuse refuse refuse refuse refuse",
    ),
    (
        "compensating",
        "known conflict complete fail fail fail ask complete late late late late known expire expire known known refuse known kill refuse refuse refuse refuse refuse",
    ),
];

/// `first`, then the step or fan-out `s`, then `last`.
fn flow(state: &str) -> Flow {
    let s = step("s").after(&["first"]).returns(json!({"type": "object", "required": ["ok"]}));
    let flow = Flow::of(&[
        if state == "compensating" { step("first").undone() } else { step("first") },
        if state == "delayed" { s.retry(2) } else { s },
        step("f")
            .after(&["first"])
            .each("goal.items")
            .parallel(2)
            .returns(json!({"required": ["ok"]})),
        step("last").after(&["s", "f"]),
    ]);
    // The third item, and what comes after, do not fit.
    if state == "held" { flow.steps_max(3).asks_when_limited() } else { flow }
}

/// A run in this state, with the step that reports are about.
fn reach<'w>(flow: &'w Flow, state: &str) -> (Run<'w>, &'static str) {
    let mut run = flow.idle();
    if state == "none" {
        return (run, "first");
    }
    run = flow.start(json!({"items": [1, 2, 3]}));
    run.complete("first");
    let end = |run: &mut Run<'_>, status: &str| {
        for step in ["s", "f-0", "f-1", "f-2", "last"] {
            run.complete(step);
        }
        if !status.is_empty() {
            run.report(AGGREGATE, completed(json!({"status": status, "result": {}})));
        }
    };
    match state {
        "single" => return (run, "s"),
        "fan-out" => return (run, "f-0"),
        "waiting" => {
            run.complete("f-0").complete("f-1").complete("f-2");
            run.report("s", Outcome::NeedsHuman { question: "which?".to_owned() });
            return (run, "s");
        }
        "delayed" => {
            run.complete("f-0").complete("f-1").complete("f-2");
            let failure = Failure::new(FailureKind::Unavailable, "gone");
            run.report("s", Outcome::Failed(failure));
            return (run, "s");
        }
        "paused" => {
            run.feed(&control(Action::Pause));
            return (run, "s");
        }
        "held" => {
            run.complete("f-0");
            return (run, "s");
        }
        "aggregating" => end(&mut run, ""),
        "cancelled" => {
            let cancel = Cancel { by: "ann".to_owned(), reason: "no".to_owned() };
            run.feed(&Input::Cancel(cancel));
        }
        "compensating" => {
            let cancel = Cancel { by: "ann".to_owned(), reason: "no".to_owned() };
            run.feed(&Input::Cancel(cancel));
            return (run, "compensate_first");
        }
        "incomplete" => {
            end(&mut run, "");
            run.due(DEADLINE_MS + 5_000);
            run.now = T0;
        }
        ended => end(&mut run, ended),
    }
    (run, AGGREGATE)
}

fn control(action: Action) -> Input {
    let (by, key) = ("ann".to_owned(), "k".to_owned());
    Input::Control(Control { by, reason: "no".to_owned(), key, action })
}

fn decision(run: &Run<'_>, step: &str, ruling: Ruling) -> Decision {
    let id = crate::ids::StepId::parse(step).unwrap();
    let known = run.task.as_ref().and_then(|task| task.steps.get(&id));
    let hash = match known.map(|known| (&known.state, known.attempt)) {
        Some((StepState::Waiting { ask, .. }, attempt)) => ask.hash(run.task().id(), &id, attempt),
        _ => crate::payload::Hash([0; 32]),
    };
    Decision { step: id, by: "ann".to_owned(), hash, ruling, comment: String::new() }
}

/// The input of a column, about this step; moves the clock where the column is about time.
fn input(column: &str, step: &str, run: &mut Run<'_>) -> Input {
    let about = |outcome| report(step, outcome);
    let good = || completed(json!({"ok": 1, "status": "completed", "result": {}}));
    let text = || "because".to_owned();
    let is_aggregating = run.task.as_ref().is_some_and(|task| task.phase == Phase::Aggregating);
    Input::Report(match column {
        "goal" => return Input::Goal(goal(json!({"items": [1, 2, 3]})).into()),
        "other goal" => return Input::Goal(goal(json!({"items": [4]})).into()),
        "completed" => about(good()),
        "unsure" => {
            let output = Some(payload(json!({"ok": 1})));
            about(Outcome::Unsure { output, confidence: Some(0.1), reason: text() })
        }
        "failed" => about(failed()),
        "handoff" => about(Outcome::Handoff { to: name("other"), reason: text(), output: None }),
        "needs human" => about(Outcome::NeedsHuman { question: text() }),
        "invalid" => about(completed(json!({"no": 1}))),
        "old attempt" => Report { attempt: 2, ..about(good()) },
        "other role" => Report { role: name("thief"), ..about(good()) },
        "unknown step" => report("s-7", good()),
        "completed before" => report("first", failed()),
        "cancel" => return Input::Cancel(Cancel { by: "bob".to_owned(), reason: text() }),
        "advance" => return Input::Advance,
        "pause" => return control(Action::Pause),
        "resume" => return control(Action::Resume),
        "kill" => return control(Action::Kill),
        "budget" => {
            return control(Action::AddBudget(Budget { steps: 9, ..Budget::default() }));
        }
        "retry" => return control(Action::Retry(None)),
        "grant" => {
            let output = payload(json!({"ok": 1}));
            return Input::Decision(decision(run, step, Ruling::GrantWith(output)));
        }
        "deny" => return Input::Decision(decision(run, step, Ruling::Deny)),
        "foreign grant" => {
            let seen = decision(run, step, Ruling::Grant);
            return Input::Decision(Decision { hash: crate::payload::Hash([9; 32]), ..seen });
        }
        "due early" => return Input::Due,
        "step overdue" => {
            let ms = if is_aggregating { DEADLINE_MS + 5_000 } else { TIMEOUT_MS };
            run.now = T0 + ms;
            return Input::Due;
        }
        "task overdue" => {
            run.now = T0 + DEADLINE_MS;
            return Input::Due;
        }
        other => panic!("no input {other}"),
    })
}

fn meaning(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Append(draft) => draft.decision,
        Verdict::Ignore(Seen::Known) => "known",
        Verdict::Ignore(Seen::Late(_)) => "late",
        Verdict::Ignore(Seen::NoTask) => "-",
        Verdict::Ignore(Seen::Conflict) => "conflict",
    }
}

#[test]
fn every_state_meets_every_input() {
    for (state, row) in TABLE {
        let flow = flow(state);
        let expected: Vec<_> = row.split_whitespace().collect();
        assert_eq!(expected.len(), INPUTS.len(), "{state}");
        for (column, expected) in INPUTS.iter().zip(expected) {
            let (mut run, step) = reach(&flow, state);
            let before = run.task.clone();
            let input = input(column, step, &mut run);
            let verdict = run.feed(&input);
            assert_eq!(meaning(&verdict), expected, "{state} × {column}: {verdict:?}");
            let is_same = matches!(verdict, Verdict::Ignore(_));
            assert_eq!(run.task == before, is_same, "{state} × {column}");
            run.check_log();
            // Whatever it was, the same again changes nothing; a refusal is said again.
            let settled = run.task.clone();
            let again = run.feed(&input);
            match meaning(&again) {
                "refuse" => assert_eq!(run.task().steps, settled.unwrap().steps),
                _ => assert!(matches!(again, Verdict::Ignore(_)), "{state} × {column}: {again:?}"),
            }
        }
    }
}

#[test]
fn the_states_are_what_they_are_called() {
    for (state, _) in &TABLE[1..] {
        let flow = flow(state);
        let status = reach(&flow, state).0.task().status();
        let is_running = ["single", "fan-out", "delayed", "held"].contains(state);
        let expected = if is_running { "running" } else { *state };
        assert_eq!(status, expected);
    }
}

#[test]
fn a_bad_answer_of_the_aggregator_fails_the_task() {
    let refused = json!({"status": "completed", "result": {"s": 1}});
    let table = [
        (completed(json!({"no": 1})), "the aggregator's answer has no status"),
        (completed(json!({"status": "done"})), "the aggregator's answer has no status"),
        (completed(json!({"status": "cancelled"})), "the aggregator's answer has no status"),
        (completed(refused.clone()), "the answer breaks contract answer@1: "),
        (failed(), "aggregation failed: boom"),
        (
            Outcome::NeedsHuman { question: "eh?".to_owned() },
            "the aggregator gave no answer but a question: eh?",
        ),
    ];
    for (outcome, reason) in table {
        let flow = Flow::of(&[step("s")]).output(&json!({"properties": {"s": {"type": "object"}}}));
        let mut run = flow.start(json!({}));
        run.complete("s").report(AGGREGATE, outcome.clone());
        let end = run.task().ended().unwrap();
        assert_eq!(end.status, EndStatus::Failed);
        assert!(end.reason.starts_with(reason), "{}", end.reason);
        assert_eq!(end.answer.is_some(), outcome == completed(refused.clone()), "kept to look at");
    }
}

#[test]
fn a_clock_that_goes_back_makes_no_older_record() {
    let flow = Flow::of(&[step("a"), step("b").after(&["a"])]);
    let mut run = flow.start(json!({}));
    run.now = T0 - 5_000;
    run.complete("a");
    assert_eq!(run.records[1].at, run.records[0].at);
}
